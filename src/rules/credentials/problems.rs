//! What can be wrong with a rule.

use super::{Paths, Rule, template};
use regex::bytes::Regex;
use regex_syntax::hir::Hir;
use std::fmt;

/// Longest match a pattern may have, in bytes: longer credentials are completed by a check, which reads on from the match.
const MAX_MATCH: usize = 2048;

/// One fault of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleProblem {
    /// File the rule stands in.
    pub file: String,
    /// Id of the rule.
    pub rule: String,
    /// What is wrong.
    pub problem: String,
}

impl RuleProblem {
    /// A fault of `rule`.
    pub fn new(rule: &Rule, problem: impl Into<String>) -> Self {
        Self {
            file: rule.file.clone(),
            rule: rule.id.clone(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: rule `{}`: {}", self.file, self.rule, self.problem)
    }
}

/// Everything wrong with one rule that can be told without the engine.
pub(super) fn check(rule: &Rule) -> Vec<RuleProblem> {
    let mut found = Vec::new();
    let mut tell = |text: String| found.push(RuleProblem::new(rule, text));
    for (name, value) in [
        ("id", &rule.id),
        ("provider", &rule.provider),
        ("credential_type", &rule.credential_type),
        ("target", &rule.target),
    ] {
        if !is_kebab(value) {
            tell(format!("`{name}` is not kebab-case"));
        }
    }
    for (name, value) in [("title", &rule.title), ("source", &rule.source)] {
        if value.trim().is_empty() {
            tell(format!("`{name}` is empty"));
        }
    }
    if rule.default_tier.is_some_and(|tier| tier > 5) {
        tell("`default_tier` is not between 0 and 5".to_owned());
    }
    if let Err(error) = Paths::new(&rule.paths) {
        tell(format!("`paths`: {error}"));
    }
    if rule.literals.is_empty() && !rule.whole && rule.container.is_none() {
        tell("no literals: the prefilter would never try it".to_owned());
    }
    for literal in &rule.literals {
        if literal.len() < 3 || !literal.is_ascii() {
            tell(format!(
                "literal `{literal}` is shorter than 3 characters or not ASCII"
            ));
        }
    }
    if rule.examples.is_empty() && rule.container.is_none() {
        tell("no examples".to_owned());
    }
    for not in &rule.not {
        if super::compile(not).is_err() {
            tell(format!("`not`: `{not}` is not a regular expression"));
        }
    }
    match (&rule.assignment, rule.container) {
        (Some(name), _) => family(name, rule, &mut tell),
        (None, Some(_)) => container(rule, &mut tell),
        (None, None) => pattern(rule, &mut tell),
    }
    for companion in &rule.companions {
        match compile(&companion.pattern) {
            Err(problem) => tell(format!("companion {problem}")),
            Ok((regex, _)) if !has_group(&regex, "part") => {
                tell("companion pattern has no group `part`".to_owned());
            }
            Ok(_) => {}
        }
    }
    found
}

/// A rule without a pattern: its family must be known.
fn family(family: &str, rule: &Rule, tell: &mut dyn FnMut(String)) {
    if !super::assignments()
        .families
        .iter()
        .any(|known| known.id == family)
    {
        tell(format!("`assignment` names no family: `{family}`"));
    }
    if !rule.pattern.is_empty() || !rule.companions.is_empty() {
        tell("`assignment` stands in place of a pattern and companions".to_owned());
    }
    for example in rule.examples.iter().chain(&rule.negative_examples) {
        if let Err(problem) = template::expand(&rule.id, example) {
            tell(format!("example `{example}`: {problem}"));
        }
    }
}

/// A rule for a binary format, of which examples in text would say nothing.
fn container(rule: &Rule, tell: &mut dyn FnMut(String)) {
    let texts = rule.literals.len() + rule.examples.len() + rule.negative_examples.len();
    if rule.whole || !rule.pattern.is_empty() || texts > 0 {
        tell("`container` stands in place of literals, a pattern, `whole` and examples".to_owned());
    }
}

fn pattern(rule: &Rule, tell: &mut dyn FnMut(String)) {
    let (regex, longest) = match compile(&rule.pattern) {
        Ok(compiled) => compiled,
        Err(problem) => return tell(problem),
    };
    if !has_group(&regex, "secret") && !has_group(&regex, "id") {
        tell("pattern has neither a group `secret` nor a group `id`".to_owned());
    }
    let known = ["secret", "prefix", "id", "subject", "account", "gap"];
    for name in regex.capture_names().flatten() {
        if !known.contains(&name) {
            tell(format!("pattern has an unknown group `{name}`"));
        }
    }
    let shortest = rule.literals.iter().map(String::len).min().unwrap_or(0);
    if !rule.whole && rule.window.before + shortest + rule.window.after < longest {
        tell(format!(
            "the window is shorter than the longest match ({longest} bytes)"
        ));
    }
    for example in &rule.examples {
        match template::expand(&rule.id, example) {
            Err(problem) => tell(format!("example `{example}`: {problem}")),
            Ok(text) => match regex.find(text.as_bytes()) {
                None => tell(format!("example `{example}` does not match")),
                Some(found)
                    if !rule.whole
                        && !in_window(rule, text.as_bytes(), found.start(), found.end()) =>
                {
                    tell(format!(
                        "example `{example}`: no literal has the match inside its window"
                    ));
                }
                Some(_) => {}
            },
        }
    }
    for example in &rule.negative_examples {
        if let Err(problem) = template::expand(&rule.id, example) {
            tell(format!("negative example `{example}`: {problem}"));
        }
    }
}

/// Compiles a pattern and tells the length of its longest match.
fn compile(pattern: &str) -> Result<(Regex, usize), String> {
    let hir: Hir = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .unicode(false)
        .build()
        .parse(pattern)
        .map_err(|error| format!("pattern: {error}"))?;
    let longest = hir
        .properties()
        .maximum_len()
        .ok_or("pattern is unbounded: give every repetition an upper limit")?;
    if longest > MAX_MATCH {
        return Err(format!(
            "pattern can match {longest} bytes; {MAX_MATCH} is the limit"
        ));
    }
    let regex = super::compile(pattern).map_err(|error| format!("pattern: {error}"))?;
    Ok((regex, longest))
}

fn has_group(regex: &Regex, name: &str) -> bool {
    regex.capture_names().flatten().any(|group| group == name)
}

fn in_window(rule: &Rule, text: &[u8], start: usize, end: usize) -> bool {
    rule.literals.iter().any(|literal| {
        let literal = literal.as_bytes();
        text.windows(literal.len().max(1))
            .enumerate()
            .filter(|(_, window)| {
                *window == literal || (rule.ignore_case && window.eq_ignore_ascii_case(literal))
            })
            .any(|(at, _)| {
                start >= at.saturating_sub(rule.window.before)
                    && end <= at + literal.len() + rule.window.after
            })
    })
}

fn is_kebab(text: &str) -> bool {
    !text.is_empty()
        && text.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}
