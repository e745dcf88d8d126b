//! Where rules match: windows around literals, patterns inside windows, judgement of what matched.

use super::assignment::{self, Assigned};
use super::companions::{Beside, supply};
use super::compile::{Compiled, Pattern, Reach};
use super::engine::Engine;
use super::found::Found;
use super::searcher::Captures;
use super::structure;
use super::text::Text;
use super::windows::{MARGIN, Span, Windows};
use crate::rules::credentials::Rule;
use std::ops::Range;

/// Most credentials that one rule may claim in one document: a bound on what a hostile file can cost.
pub(super) const MAX_MATCHES: usize = 100_000;

/// How far beside a literal a text decides whether there is a window around it.
pub(super) const BESIDE: Reach = Reach {
    before: assignment::LOOKED_AT.before + 1,
    after: assignment::LOOKED_AT.after + 1,
};

impl Engine {
    pub(super) fn windows(&self, text: &Text<'_>) -> Vec<Span> {
        let mut spans = Windows::begin();
        self.literals_in(&text.bytes, |literal, start| {
            self.surround(literal, start, &text.bytes, text.binary, &mut spans);
        });
        spans.merged()
    }

    /// Adds the windows around a literal that was found, and says whether there are any. [`BESIDE`] it decides.
    pub(super) fn surround(
        &self,
        literal: usize,
        start: usize,
        text: &[u8],
        binary: bool,
        spans: &mut Windows,
    ) -> bool {
        let Some(literal) = self.literals.get(literal) else {
            return false;
        };
        let mut any = false;
        let end = start + literal.length;
        // Whether something is assigned to it is the same for all.
        let mut assigned = None;
        for one in &literal.uses {
            if binary && !one.structured {
                continue;
            }
            let stands = if one.assignment {
                *assigned.get_or_insert_with(|| assignment::look(text, &(start..end)))
            } else {
                let compiled = self.rules.get(one.rule);
                compiled.is_some_and(|compiled| compiled.may_be_at(one.which, text, start, end))
            };
            if stands {
                any = true;
                spans.add(Span {
                    rule: one.rule,
                    start: start.saturating_sub(one.window.before),
                    end: text.len().min(end + one.window.after),
                });
            }
        }
        any
    }

    pub(super) fn matches(&self, text: &[u8], windows: &[Span]) -> Vec<Found> {
        let mut found = Vec::new();
        self.each_match(text, windows, |window, compiled, captures| {
            let one = judged(window.rule, compiled, text, captures)?;
            let end = one.span.end;
            found.push(one);
            Some(end)
        });
        found.extend(
            windows
                .iter()
                .flat_map(|window| self.assigned(text, window))
                .take(MAX_MATCHES),
        );
        found
    }

    /// What is assigned to the name around a literal of a rule that has a family of names for a pattern.
    fn assigned(&self, text: &[u8], window: &Span) -> Vec<Found> {
        let rule = self.rules.get(window.rule).map(|compiled| &compiled.rule);
        let Some((rule, family)) = rule.and_then(|rule| Some((rule, rule.assignment.as_deref()?)))
        else {
            return Vec::new();
        };
        assignment::judge(text, &(window.start..window.end), family)
            .secrets()
            .into_iter()
            .map(|one| announced(window.rule, rule, one))
            .collect()
    }

    /// Calls `visit` for every match of every rule inside its windows; the search goes on behind what `visit` returns.
    pub(super) fn each_match(
        &self,
        text: &[u8],
        windows: &[Span],
        mut visit: impl FnMut(&Span, &Compiled, &Captures<'_>) -> Option<usize>,
    ) {
        let mut of_rule = (usize::MAX, 0);
        for window in windows {
            if of_rule.0 != window.rule {
                of_rule = (window.rule, 0);
            }
            self.each_match_in(text, window, &mut of_rule.1, &mut visit);
        }
    }

    /// The same for one window. `count` is of those matches of the rule that `visit` took. Says whether the pattern matched at all, be it
    /// beyond the window.
    pub(super) fn each_match_in(
        &self,
        text: &[u8],
        window: &Span,
        count: &mut usize,
        mut visit: impl FnMut(&Span, &Compiled, &Captures<'_>) -> Option<usize>,
    ) -> bool {
        let Some(compiled) = self.rules.get(window.rule) else {
            return false;
        };
        if compiled.rule.assignment.is_some() {
            return false;
        }
        let Some(part) = text.get(window.start..window.end) else {
            return false;
        };
        let also = |needle: &String| memchr::memmem::find(part, needle.as_bytes()).is_some();
        if !compiled.pattern.may_match(part) || !compiled.rule.also.iter().all(also) {
            return false;
        }
        let Some(pattern) = compiled.pattern.get() else {
            return false;
        };
        let reach = text.len().min(window.end + MARGIN);
        let Some(haystack) = text.get(..reach) else {
            return false;
        };
        let mut any = false;
        let mut at = window.start;
        while at < window.end && *count < MAX_MATCHES {
            // Most windows have no match; finding that out takes no memory.
            let Some(whole) = pattern.find_at(haystack, at) else {
                break;
            };
            any = true;
            if whole.end > window.end {
                break;
            }
            let Some(captures) = pattern.captures_at(haystack, at) else {
                break;
            };
            at = captures.behind().max(at + 1);
            if let Some(end) = visit(window, compiled, &captures) {
                *count += 1;
                // A check read on.
                if end > whole.end {
                    at = at.max(end);
                }
            }
        }
        any
    }
}

/// What is assigned to a name, as a match.
fn announced(index: usize, rule: &Rule, one: Assigned) -> Found {
    let mut found = unjudged(index, rule, one.secret.clone());
    found.secret = Some(one.secret);
    found.confidence = one.confidence;
    found.reasons.extend(one.reasons);
    found
}

/// A match of which nothing is known yet but its place.
pub(super) fn unjudged(index: usize, rule: &Rule, span: Range<usize>) -> Found {
    Found {
        rule: index,
        span,
        secret: None,
        material: None,
        gap: None,
        prefix: String::new(),
        public_id: None,
        subject: None,
        account: None,
        created_at: None,
        expires_at: None,
        expires_by_nature: None,
        confidence: rule.confidence,
        reasons: std::iter::once(format!("matches the {} rule", rule.id))
            .chain(rule.doubt.clone())
            .collect(),
    }
}

/// Turns a match into what is known of it; `None` where it is no credential.
pub(super) fn judged(
    index: usize,
    compiled: &Compiled,
    text: &[u8],
    captures: &Captures<'_>,
) -> Option<Found> {
    let rule = &compiled.rule;
    let value = |name: &str| captures.bytes(name).and_then(structure::plain);
    let mut found = Found {
        secret: captures.range("secret"),
        gap: captures.range("gap"),
        prefix: value("prefix").unwrap_or_default(),
        public_id: value("id"),
        subject: value("subject"),
        account: value("account"),
        ..unjudged(index, rule, captures.whole())
    };
    for (companion, pattern) in &compiled.companions {
        let part = Beside {
            companion,
            pattern: pattern.get()?,
            own: compiled.pattern.get()?,
            text,
        }
        .find(&found.span);
        if part.is_none() && companion.required {
            return None;
        }
        supply(companion.part, part, text, &mut found);
    }
    let refused = found.secret_bytes(text).is_some_and(|secret| {
        let mut not = compiled.not.iter().filter_map(Pattern::get);
        not.any(|pattern| pattern.is_match(secret))
    });
    (!refused && structure::judge(rule, text, &mut found)).then_some(found)
}
