//! Rules as the engine runs them: patterns that are compiled when first needed, and all literals in one prefilter.

use super::announce::{Follows, Names};
use super::assignment;
use super::engine::{Engine, Known, Use};
use super::needs::{Beside, Needs};
use super::prefilter::{Literal, Prefilter};
use super::searcher::Searcher;
use super::structure;
use super::windows::MARGIN;
use crate::rules::RuleError;
use crate::rules::credentials::{Companion, CredentialRules, Paths, Rule};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// A pattern that is compiled when it is first needed: most scans need few of them.
pub(super) struct Pattern {
    source: String,
    compiled: OnceLock<Option<Searcher>>,
    needs: OnceLock<Needs>,
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
            needs: OnceLock::new(),
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
        self.needs
            .get_or_init(|| Needs::of(&self.source))
            .are_in(part)
    }

    pub(super) fn get(&self) -> Option<&Searcher> {
        self.compiled
            .get_or_init(|| Searcher::new(&self.source).ok())
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
    /// What is beside each of its literals; worked out when the first is met.
    beside: OnceLock<Option<Vec<Beside>>>,
}

impl Compiled {
    /// Whether the literal from `start` to `end`, the one at `which` among the rule's, may be that of a match.
    pub(super) fn may_be_at(&self, which: usize, text: &[u8], start: usize, end: usize) -> bool {
        let beside = self.beside.get_or_init(|| {
            let literals = self.rule.literals.iter();
            let literals: Vec<(Vec<u8>, bool)> = literals
                .map(|literal| searched(literal, self.rule.ignore_case))
                .collect();
            Beside::of(&self.rule.pattern, &literals)
        });
        let beside = beside.as_ref().and_then(|all| all.get(which));
        beside.is_none_or(|beside| beside.is_at(text, start, end))
    }
}

/// A literal as it is searched for.
fn searched(literal: &str, ignore_case: bool) -> (Vec<u8>, bool) {
    let mut bytes = literal.as_bytes().to_vec();
    if ignore_case {
        bytes.make_ascii_lowercase();
    }
    (bytes, ignore_case)
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

/// Literals of one kind.
#[derive(Default)]
struct Compiling {
    literals: Vec<Literal>,
    known: Vec<Known>,
}

/// Compiles rules.
///
/// # Errors
/// A pattern that is not a regular expression; the file and the rule are named.
pub(super) fn compile(rules: &CredentialRules) -> Result<Engine, RuleError> {
    let mut compiled = Vec::with_capacity(rules.rules().len());
    let mut by_literal: BTreeMap<(Vec<u8>, bool), Vec<Use>> = BTreeMap::new();
    for (index, rule) in rules.rules().iter().enumerate() {
        let pattern = |source: &str| {
            Pattern::new(source, rule.builtin).map_err(|error| {
                RuleError::invalid(&rule.file, format!("rule `{}`: pattern: {error}", rule.id))
            })
        };
        let structured = rule.pattern.contains("(?P<prefix>");
        for (which, literal) in rule.literals.iter().enumerate() {
            let uses = by_literal.entry(searched(literal, rule.ignore_case));
            uses.or_default().push(Use {
                rule: index,
                which,
                structured,
                assignment: rule.assignment.is_some(),
                window: rule.window,
            });
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
            structured,
            reach: reach(rule),
            beside: OnceLock::new(),
        });
    }
    let follows = |uses: &[Use]| {
        let each = uses.iter().map(|one| {
            let rule: &Rule = &compiled.get(one.rule)?.rule;
            let (gap, after) = (rule.gap?, rule.window.after);
            Some(Follows { gap, after })
        });
        let all = each.reduce(|one, other| Some(one?.either(other?)));
        all.flatten().filter(Follows::is_near)
    };
    let (mut everywhere, mut names) = (Compiling::default(), Compiling::default());
    for ((bytes, ignore_case), uses) in by_literal {
        let follows = follows(&uses);
        let all = if follows.is_some() {
            &mut names
        } else {
            &mut everywhere
        };
        all.known.push(Known {
            length: bytes.len(),
            uses,
            follows,
        });
        all.literals.push(Literal { bytes, ignore_case });
    }
    let first = everywhere.known.len();
    let longest = everywhere.known.iter().map(|known| known.length).max();
    let mut literals = everywhere.known;
    literals.append(&mut names.known);
    let names = Names::new(names.literals, first, &literals);
    let prefilter = Prefilter::new(everywhere.literals)?;
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
        names,
        longest: longest.unwrap_or(0),
        literals,
    })
}
