//! Whether rules do what their examples say.

use super::Engine;
use crate::model::FingerprintKey;
use crate::rules::credentials::{CredentialRules, Rule, RuleProblem, template};

/// Everything wrong with a set of rules: what [`CredentialRules::check`] finds, then what the engine makes of each rule's
/// examples with that rule alone, in load order. An example is told of once.
pub fn check(rules: &CredentialRules) -> Vec<RuleProblem> {
    let mut problems = rules.check();
    for rule in rules.rules() {
        examples(rule, &mut problems);
    }
    problems
}

fn examples(rule: &Rule, problems: &mut Vec<RuleProblem>) {
    let of_rule = problems.iter().filter(|one| one.rule == rule.id);
    let told: Vec<String> = of_rule.map(|one| one.problem.clone()).collect();
    let engine = match Engine::new(&CredentialRules::of(vec![rule.clone()])) {
        Ok(engine) => engine,
        Err(error) if told.is_empty() => {
            return problems.push(RuleProblem::new(rule, error.to_string()));
        }
        Err(_) => return,
    };
    let is_told = |what: &str| told.iter().any(|problem| problem.starts_with(what));
    let key = FingerprintKey::new([0; 32]);
    let finds = |example: &str| {
        template::expand(&rule.id, example)
            .is_ok_and(|text| !engine.scan(text.as_bytes(), &key).is_empty())
    };
    for example in &rule.examples {
        if !is_told(&format!("example `{example}`")) && !finds(example) {
            problems.push(RuleProblem::new(
                rule,
                format!("example `{example}` is judged to be no credential"),
            ));
        }
    }
    for example in &rule.negative_examples {
        if finds(example) {
            problems.push(RuleProblem::new(
                rule,
                format!("negative example `{example}` is found"),
            ));
        }
    }
}
