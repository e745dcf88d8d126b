//! The further parts of a credential, around what the pattern matched.

use super::found::Found;
use super::structure;
use crate::model::Confidence;
use crate::rules::credentials::{Companion, Part};
use regex::bytes::{Captures, Regex};
use std::ops::Range;

/// Puts a companion, or its absence, into what was found.
pub(super) fn supply(part: Part, range: Option<Range<usize>>, text: &[u8], found: &mut Found) {
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
pub(super) fn beside(
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
