//! The way from bytes to sightings.

use super::context;
use super::echo::Echoes;
use super::found::Found;
use super::lines::Lines;
use super::names::Token;
use super::prefilter::{Literal, Prefilter};
use super::text::{self, Text};
use super::windows::{self, MARGIN, Span};
use super::{claims, structure};
use crate::model::{Confidence, FingerprintKey, Redacted, SeenCredential, Sighting};
use crate::rules::RuleError;
use crate::rules::credentials::{self, Companion, CredentialRules, Part, Rule};
use regex::bytes::{Captures, Regex};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;

/// Most matches of one rule that are judged in one document: a bound on what a hostile file can cost.
const MAX_MATCHES: usize = 100_000;

/// A pattern that is compiled when it is first needed: most scans need few of them.
struct Pattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn new(source: &str) -> Result<Self, String> {
        regex_syntax::ParserBuilder::new()
            .utf8(false)
            .unicode(false)
            .build()
            .parse(source)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            source: source.to_owned(),
            compiled: OnceLock::new(),
        })
    }

    fn get(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| credentials::compile(&self.source).ok())
            .as_ref()
    }
}

struct Compiled {
    rule: Rule,
    pattern: Pattern,
    companions: Vec<(Companion, Pattern)>,
    /// Its tokens name their own type, so they can be told from random bytes.
    structured: bool,
}

/// The compiled rules. Shared between threads by reference.
pub struct Engine {
    rules: Vec<Compiled>,
    prefilter: Prefilter,
    /// Of each literal: its length and the rules that have it.
    literals: Vec<(usize, Vec<usize>)>,
}

impl Engine {
    /// Compiles rules.
    ///
    /// # Errors
    /// A pattern that is not a regular expression; the file and the rule are named.
    pub fn new(rules: &CredentialRules) -> Result<Self, RuleError> {
        let mut compiled = Vec::with_capacity(rules.rules().len());
        let mut by_literal: BTreeMap<(Vec<u8>, bool), Vec<usize>> = BTreeMap::new();
        for (index, rule) in rules.rules().iter().enumerate() {
            let pattern = |source: &str| {
                Pattern::new(source).map_err(|error| {
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
                rule: rule.clone(),
                pattern: pattern(&rule.pattern)?,
                companions: rule
                    .companions
                    .iter()
                    .map(|companion| Ok((companion.clone(), pattern(&companion.pattern)?)))
                    .collect::<Result<_, RuleError>>()?,
                structured: rule.pattern.contains("(?P<prefix>"),
            });
        }
        let literals = by_literal
            .iter()
            .map(|((bytes, _), rules)| (bytes.len(), rules.clone()))
            .collect();
        let prefilter = Prefilter::new(
            by_literal
                .into_keys()
                .map(|(bytes, ignore_case)| Literal { bytes, ignore_case })
                .collect(),
            &credentials::trigrams()?,
        );
        Ok(Self {
            rules: compiled,
            prefilter,
            literals,
        })
    }

    /// Finds the credentials in a document: each once, at its first place. The sightings have line, column, context and
    /// rule; repository, uri and everything about commits are for the caller to fill in.
    pub fn scan(&self, bytes: &[u8], key: &FingerprintKey) -> Vec<SeenCredential> {
        let text = text::read(bytes);
        let windows = self.windows(&text);
        if windows.is_empty() {
            return Vec::new();
        }
        let found = self.matches(&text.bytes, &windows);
        self.sightings(&text.bytes, found, key)
    }

    /// The tokens in `text` that name their own type and need nothing beside them to be recognised. One that a dash or
    /// an underscore ties to a word before it, as in names of files, counts too.
    pub(super) fn tokens(&self, text: &[u8]) -> Vec<Token> {
        let mut apart = text.to_vec();
        self.prefilter.find(text, |_, start| {
            let before = start.checked_sub(1).and_then(|at| apart.get_mut(at));
            if let Some(tie) = before.filter(|byte| matches!(byte, b'-' | b'_')) {
                *tie = b' ';
            }
        });
        let mut tokens = self.plain_tokens(text);
        if apart != text {
            tokens.extend(self.plain_tokens(&apart));
        }
        tokens.sort_by_key(|(range, prefix)| (range.start, range.end, prefix.len()));
        disjoint(tokens)
    }

    fn plain_tokens(&self, text: &[u8]) -> Vec<Token> {
        let text = text::read(text);
        let mut windows = self.windows(&text);
        windows.retain(|window| {
            self.rules.get(window.rule).is_some_and(|compiled| {
                compiled.structured && !compiled.rule.generic && compiled.companions.is_empty()
            })
        });
        self.matches(&text.bytes, &windows)
            .into_iter()
            .filter(|one| !one.prefix.is_empty())
            .filter_map(|one| Some((one.secret?, one.prefix)))
            .collect()
    }

    fn windows(&self, text: &Text<'_>) -> Vec<Span> {
        let mut spans = windows::Windows::default();
        self.prefilter.find(&text.bytes, |literal, start| {
            let Some((length, rules)) = self.literals.get(literal) else {
                return;
            };
            for index in rules {
                let Some(compiled) = self.rules.get(*index) else {
                    continue;
                };
                if text.binary && !compiled.structured {
                    continue;
                }
                let window = compiled.rule.window;
                spans.add(Span {
                    rule: *index,
                    start: start.saturating_sub(window.before),
                    end: text.bytes.len().min(start + length + window.after),
                });
            }
        });
        spans.merged()
    }

    fn matches(&self, text: &[u8], windows: &[Span]) -> Vec<Found> {
        let mut found = Vec::new();
        self.each_match(text, windows, |window, compiled, captures| {
            let one = judged(window.rule, compiled, text, captures)?;
            let end = one.span.end;
            found.push(one);
            Some(end)
        });
        found
    }

    /// Calls `visit` for every match of every rule inside its windows; the search goes on behind what `visit` returns.
    fn each_match(
        &self,
        text: &[u8],
        windows: &[Span],
        mut visit: impl FnMut(&Span, &Compiled, &Captures<'_>) -> Option<usize>,
    ) {
        let mut of_rule = (usize::MAX, 0);
        for window in windows {
            let Some(compiled) = self.rules.get(window.rule) else {
                continue;
            };
            if of_rule.0 != window.rule {
                of_rule = (window.rule, 0);
            }
            let Some(part) = text.get(window.start..window.end) else {
                continue;
            };
            let also = |needle: &String| memchr::memmem::find(part, needle.as_bytes()).is_some();
            if !compiled.rule.also.iter().all(also) {
                continue;
            }
            let Some(pattern) = compiled.pattern.get() else {
                continue;
            };
            let reach = text.len().min(window.end + MARGIN);
            let Some(haystack) = text.get(..reach) else {
                continue;
            };
            let mut at = window.start;
            while at < window.end && of_rule.1 < MAX_MATCHES {
                let Some(captures) = pattern.captures_at(haystack, at) else {
                    break;
                };
                let Some(whole) = captures.get(0) else { break };
                if whole.end() > window.end {
                    break;
                }
                at = whole.end().max(at + 1);
                of_rule.1 += 1;
                if let Some(end) = visit(window, compiled, &captures) {
                    at = at.max(end);
                }
            }
        }
    }

    fn sightings(
        &self,
        text: &[u8],
        found: Vec<Found>,
        key: &FingerprintKey,
    ) -> Vec<SeenCredential> {
        let mut secrets: Vec<(Range<usize>, String)> = found
            .iter()
            .filter_map(|one| Some((one.secret.clone()?, one.prefix.clone())))
            .collect();
        secrets.sort_by_key(|(range, prefix)| (range.start, range.end, prefix.len()));
        let every = Echoes::new(text, &secrets);
        secrets = disjoint(secrets);
        let mut lines = Lines::new(text);
        let mut known = BTreeSet::new();
        let mut out = Vec::new();
        let rule_of = |index: usize| self.rules.get(index).map(|compiled| &compiled.rule);
        let Some(first) = self.rules.first() else {
            return out;
        };
        let settled = claims::settle(found, |index| rule_of(index).unwrap_or(&first.rule));
        // Only of what was settled on: a rule that took a public id for a secret must not hide it.
        let kept: Vec<(Range<usize>, String)> = settled
            .iter()
            .filter_map(|one| Some((one.secret.clone()?, one.prefix.clone())))
            .collect();
        let kept = Echoes::new(text, &kept);
        for one in settled {
            let Some(rule) = rule_of(one.rule) else {
                continue;
            };
            let fingerprint = one
                .secret_bytes(text)
                .map(|secret| key.fingerprint(&rule.credential_type, secret));
            if !known.insert((
                rule.credential_type.clone(),
                one.public_id.clone(),
                fingerprint.clone(),
            )) {
                continue;
            }
            let (line, column) = lines.of(one.span.start);
            let focus = one
                .secret
                .as_ref()
                .filter(|secret| secret.start >= one.span.start && secret.end <= one.span.end);
            let context = context::render(text, focus.unwrap_or(&one.span), &secrets, &every);
            out.push(SeenCredential {
                rule: rule.id.clone(),
                provider: rule.provider.clone(),
                kind: rule.credential_type.clone(),
                public_id: one.public_id.map(|id| kept.mask(id)),
                fingerprint,
                redacted: Redacted::new(&one.prefix),
                account: one.account,
                subject: one.subject.map(|subject| kept.mask(subject)),
                created_at: one.created_at,
                expires_at: one.expires_at,
                expires_by_nature: one.expires_by_nature.or(rule.expires_by_nature),
                default_tier: rule.default_tier,
                confidence: one.confidence,
                confidence_reason: one.reasons.join("; "),
                sighting: Sighting {
                    repository: String::new(),
                    uri: String::new(),
                    line,
                    column,
                    commit: None,
                    author: None,
                    first_seen: None,
                    last_seen: None,
                    at_head: false,
                    context: Some(context),
                    layers: Vec::new(),
                    rule: rule.id.clone(),
                    public: false,
                },
            });
        }
        out
    }
}

/// Joins overlapping places, so that masks do not reveal what lies between them.
fn disjoint(sorted: Vec<(Range<usize>, String)>) -> Vec<(Range<usize>, String)> {
    let mut out: Vec<(Range<usize>, String)> = Vec::with_capacity(sorted.len());
    for (range, prefix) in sorted {
        match out.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            _ => out.push((range, prefix)),
        }
    }
    out
}

/// Turns a match into what is known of it; `None` where it is no credential.
fn judged(
    index: usize,
    compiled: &Compiled,
    text: &[u8],
    captures: &Captures<'_>,
) -> Option<Found> {
    let rule = &compiled.rule;
    let whole = captures.get(0)?;
    let group = |name: &str| captures.name(name);
    let value = |name: &str| group(name).and_then(|part| structure::plain(part.as_bytes()));
    let mut found = Found {
        rule: index,
        span: whole.range(),
        secret: group("secret").map(|part| part.range()),
        material: None,
        gap: group("gap").map(|part| part.range()),
        prefix: value("prefix").unwrap_or_default(),
        public_id: value("id"),
        subject: value("subject"),
        account: value("account"),
        created_at: None,
        expires_at: None,
        expires_by_nature: None,
        confidence: rule.confidence,
        reasons: vec![format!("matches the {} rule", rule.id)],
    };
    for (companion, pattern) in &compiled.companions {
        let part = beside(
            companion,
            pattern.get()?,
            compiled.pattern.get()?,
            text,
            &found.span,
        );
        if part.is_none() && companion.required {
            return None;
        }
        supply(companion.part, part, text, &mut found);
    }
    structure::judge(rule, text, &mut found).then_some(found)
}

fn supply(part: Part, range: Option<Range<usize>>, text: &[u8], found: &mut Found) {
    let Some(range) = range else {
        if part == Part::Secret {
            found.confidence = found.confidence.min(Confidence::Medium);
            found.note("the public part only; no secret stands beside it");
        }
        return;
    };
    let value = || structure::plain(text.get(range.clone())?);
    match part {
        Part::Secret => found.secret = Some(range),
        Part::Id => found.public_id = value(),
        Part::Subject => found.subject = value(),
        Part::Account => found.account = value(),
    }
}

/// The companion of a match: the first that follows, else the last that precedes, in neither case beyond another match of
/// the rule.
fn beside(
    companion: &Companion,
    pattern: &Regex,
    own: &Regex,
    text: &[u8],
    span: &Range<usize>,
) -> Option<Range<usize>> {
    let holds = |range: &Range<usize>| {
        text.get(range.clone()).is_some_and(|value| {
            companion
                .checks
                .iter()
                .all(|check| structure::value_passes(*check, value))
        })
    };
    let part = |captures: Captures<'_>| captures.name("part").map(|part| part.range());
    let mut end = text.len().min(span.end + companion.window.after);
    let after = text.get(..end)?;
    if let Some(next) = own.find_at(after, span.end) {
        end = next.start();
    }
    let after = text.get(..end)?;
    let mut at = span.end;
    while let Some(captures) = pattern.captures_at(after, at) {
        at = captures.get(0)?.end().max(at + 1);
        if let Some(range) = part(captures).filter(holds) {
            return Some(range);
        }
        if at > end {
            break;
        }
    }
    let mut start = span.start.saturating_sub(companion.window.before);
    let before = text.get(..span.start)?;
    while let Some(previous) = own.find_at(before, start) {
        start = previous.end().max(start + 1);
        if start > before.len() {
            return None;
        }
    }
    let mut last = None;
    let mut at = start;
    while at <= before.len() {
        let Some(captures) = pattern.captures_at(before, at) else {
            break;
        };
        at = captures.get(0)?.end().max(at + 1);
        last = part(captures).filter(holds).or(last);
    }
    last
}

#[cfg(test)]
impl Engine {
    /// Every match before it is judged: rule id, start, end.
    pub(super) fn raw_matches(&self, bytes: &[u8]) -> Vec<(String, usize, usize)> {
        let text = text::read(bytes);
        let mut out = Vec::new();
        self.each_match(
            &text.bytes,
            &self.windows(&text),
            |_, compiled, captures| {
                let whole = captures.get(0)?;
                out.push((compiled.rule.id.clone(), whole.start(), whole.end()));
                None
            },
        );
        out.sort();
        out
    }

    /// Every secret that a rule recognised, raw and without its prefix split off.
    pub(super) fn secrets(&self, bytes: &[u8]) -> Vec<(Vec<u8>, String)> {
        let text = text::read(bytes);
        self.matches(&text.bytes, &self.windows(&text))
            .into_iter()
            .filter_map(|one| {
                let secret = text.bytes.get(one.secret.clone()?)?.to_vec();
                Some((secret, one.prefix))
            })
            .collect()
    }
}
