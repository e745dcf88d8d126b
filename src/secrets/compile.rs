//! Rules as the engine runs them: patterns that are compiled when first needed, and all literals in one prefilter.

use super::assignment;
use super::engine::{Engine, Known};
use super::prefilter::{Literal, Prefilter};
use super::runs::Run;
use super::structure;
use super::windows::MARGIN;
use crate::rules::RuleError;
use crate::rules::credentials::{self, Companion, CredentialRules, Paths, Rule};
use regex::bytes::Regex;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// A pattern that is compiled when it is first needed: most scans need few of them.
pub(super) struct Pattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
    run: OnceLock<Option<Run>>,
}

impl Pattern {
    /// Checks a pattern first where nobody did so yet.
    fn new(source: &str, sound: bool) -> Result<Self, String> {
        if !sound {
            Self::parse(source)?;
        }
        Ok(Self {
            source: source.to_owned(),
            compiled: OnceLock::new(),
            run: OnceLock::new(),
        })
    }

    fn parse(source: &str) -> Result<(), String> {
        regex_syntax::ParserBuilder::new()
            .utf8(false)
            .unicode(false)
            .build()
            .parse(source)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// Whether the pattern may match inside `part`: a few comparisons.
    pub(super) fn may_match(&self, part: &[u8]) -> bool {
        let run = self.run.get_or_init(|| Run::of(&self.source));
        run.is_none_or(|run| run.is_in(part))
    }

    pub(super) fn get(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| credentials::compile(&self.source).ok())
            .as_ref()
    }
}

/// A rule and its patterns.
pub(super) struct Compiled {
    pub(super) rule: Arc<Rule>,
    pub(super) pattern: Pattern,
    pub(super) companions: Vec<(Companion, Pattern)>,
    /// What the secret must not hold.
    pub(super) not: Vec<Pattern>,
    /// Its tokens name their own type, so they can be told from random bytes.
    pub(super) structured: bool,
    /// How far around its windows text can decide what is made of a match; `None` where there is no limit.
    pub(super) reach: Option<Reach>,
}

/// Bytes of text around a window.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    pub(super) before: usize,
    pub(super) after: usize,
}

/// How far the judgement of a match looks. Companions are assigned in rows, which may be long.
fn reach(rule: &Rule) -> Option<Reach> {
    if rule.assignment.is_some() {
        return Some(assignment::REACH);
    }
    if !rule.companions.is_empty() {
        return None;
    }
    let all = rule.checks.iter().map(structure::reach);
    let checks = all.reduce(|one, other| Some(one?.max(other?)));
    let most = checks.unwrap_or(Some(0))? + MARGIN;
    Some(Reach {
        before: most,
        after: most,
    })
}

/// Compiles rules.
///
/// # Errors
/// A pattern that is not a regular expression; the file and the rule are named.
pub(super) fn compile(rules: &CredentialRules) -> Result<Engine, RuleError> {
    let mut compiled = Vec::with_capacity(rules.rules().len());
    let mut by_literal: BTreeMap<(Vec<u8>, bool), Vec<usize>> = BTreeMap::new();
    for (index, rule) in rules.rules().iter().enumerate() {
        let pattern = |source: &str| {
            Pattern::new(source, rule.builtin).map_err(|error| {
                RuleError::invalid(&rule.file, format!("rule `{}`: pattern: {error}", rule.id))
            })
        };
        for literal in &rule.literals {
            let mut bytes = literal.clone().into_bytes();
            if rule.ignore_case {
                bytes.make_ascii_lowercase();
            }
            by_literal
                .entry((bytes, rule.ignore_case))
                .or_default()
                .push(index);
        }
        compiled.push(Compiled {
            rule: Arc::clone(rule),
            pattern: pattern(&rule.pattern)?,
            companions: rule
                .companions
                .iter()
                .map(|companion| Ok((companion.clone(), pattern(&companion.pattern)?)))
                .collect::<Result<_, RuleError>>()?,
            not: rule
                .not
                .iter()
                .map(|source| pattern(source))
                .collect::<Result<_, RuleError>>()?,
            structured: rule.pattern.contains("(?P<prefix>"),
            reach: reach(rule),
        });
    }
    let literals: Vec<Known> = by_literal
        .iter()
        .map(|((bytes, _), rules)| Known {
            length: bytes.len(),
            rules: rules.clone(),
        })
        .collect();
    let prefilter = Prefilter::new(
        by_literal
            .into_keys()
            .map(|(bytes, ignore_case)| Literal { bytes, ignore_case })
            .collect(),
        credentials::blocks()?,
    );
    let whole = (0..)
        .zip(rules.rules())
        .filter(|(_, rule)| rule.whole || rule.container.is_some());
    let bound = rules.rules().iter().filter(|rule| !rule.paths.is_empty());
    let paths = bound
        .map(|rule| {
            let paths = Paths::new(&rule.paths).map_err(|error| {
                RuleError::invalid(&rule.file, format!("rule `{}`: paths: {error}", rule.id))
            })?;
            Ok((rule.id.clone(), paths))
        })
        .collect::<Result<_, RuleError>>()?;
    Ok(Engine {
        whole: whole.map(|(index, _)| index).collect(),
        paths,
        rules: compiled,
        prefilter,
        longest: literals.iter().map(|known| known.length).max().unwrap_or(0),
        literals,
    })
}
