//! The further parts of a credential, around what the pattern matched.

use super::found::Found;
use super::searcher::Searcher;
use super::structure;
use crate::model::Confidence;
use crate::rules::credentials::{Companion, Part};
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

/// Most matches in a row that are looked at to tell on which side of each its companion stands.
const MAX_ROW: usize = 32;

/// A search for the companions of one rule's matches.
pub(super) struct Beside<'a> {
    pub companion: &'a Companion,
    pub pattern: &'a Searcher,
    /// The pattern of the rule itself: a companion is never beyond another match.
    pub own: &'a Searcher,
    pub text: &'a [u8],
}

/// What stands on one side of a match.
struct Side {
    part: Option<Range<usize>>,
    /// The next match on that side, if it is within reach.
    neighbour: Option<Range<usize>>,
}

impl Side {
    /// The next match follows with nothing in between.
    const fn is_bare(&self) -> bool {
        self.part.is_none() && self.neighbour.is_some()
    }
}

impl Beside<'_> {
    /// The companion of the match at `span`. In a row of matches with companions in between, all have theirs on the same
    /// side: behind them, unless the last has nothing behind it and the first has something before it.
    ///
    /// Where all matches of a list stand before all companions of another, each has the one of its own place.
    pub(super) fn find(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let after = self.after(span);
        let before = self.before(span);
        if (after.is_bare() || before.is_bare())
            && let Some(part) = self.listed(span)
        {
            return Some(part);
        }
        let (Some(following), Some(preceding)) = (&after.part, &before.part) else {
            return after.part.or(before.part);
        };
        let ends_without = row(after.neighbour.clone(), |at| self.after(at));
        let begins_with = !row(before.neighbour.clone(), |at| self.before(at));
        if ends_without && begins_with {
            return Some(preceding.clone());
        }
        Some(following.clone())
    }

    /// The companion at the place that a match has in its list, where the list of companions before or behind it is as long and
    /// written alike.
    fn listed(&self, span: &Range<usize>) -> Option<Range<usize>> {
        /// Most bytes of a companion and of what stands before it in a list.
        const ELEMENT: usize = 200;
        let along = |side: &dyn Fn(&Range<usize>) -> Side| {
            let mut found = Vec::new();
            let mut at = span.clone();
            while found.len() < MAX_ROW
                && let Side {
                    part: None,
                    neighbour: Some(next),
                } = side(&at)
            {
                found.push(next.clone());
                at = next;
            }
            found
        };
        let mut matches = along(&|at| self.before(at));
        matches.reverse();
        let index = matches.len();
        matches.push(span.clone());
        matches.extend(along(&|at| self.after(at)));
        let (first, last) = (matches.first()?, matches.last()?);
        let most = matches.len();
        let window = self.companion.window;
        let end = last.end + window.after + most * ELEMENT;
        let end = self.text.len().min(end);
        let next = self.own.find_at(self.text.get(..end)?, last.end);
        let end = next.map_or(end, |next| next.start);
        let behind: Vec<_> = self.parts(last.end, end).take(most + 1).collect();
        let start = first.start.saturating_sub(window.before + most * ELEMENT);
        let mut before: Vec<_> = self.parts(start, first.start).collect();
        if let Some(last) = self.last_before(start, first.start) {
            before.retain(|part| part.start >= last);
        }
        [behind, before]
            .into_iter()
            .find(|parts| self.are_alike(&matches, parts))
            .and_then(|parts| parts.get(index).cloned())
    }

    /// The end of the last match between two places.
    fn last_before(&self, start: usize, end: usize) -> Option<usize> {
        let text = self.text.get(..end)?;
        let mut at = start;
        let mut last = None;
        while at <= end
            && let Some(found) = self.own.find_at(text, at)
        {
            at = found.end.max(at + 1);
            last = Some(found.end);
        }
        last
    }

    /// Whether two lists are as long, and whether what stands between their elements is written with the same signs.
    fn are_alike(&self, one: &[Range<usize>], other: &[Range<usize>]) -> bool {
        let signs = |pair: &[Range<usize>]| {
            let [a, b] = pair else { return Vec::new() };
            let between = self.text.get(a.end..b.start).unwrap_or_default();
            let signs = between.iter().filter(|byte| !byte.is_ascii_alphanumeric());
            signs.copied().collect()
        };
        one.len() > 1
            && one.len() == other.len()
            && one
                .windows(2)
                .zip(other.windows(2))
                .all(|(one, other)| signs(one) == signs(other))
    }

    fn holds(&self, range: &Range<usize>) -> bool {
        self.text.get(range.clone()).is_some_and(|value| {
            self.companion
                .checks
                .iter()
                .all(|check| structure::value_passes(*check, value))
        })
    }

    /// The first companion behind a match.
    fn after(&self, span: &Range<usize>) -> Side {
        let end = self.text.len().min(span.end + self.companion.window.after);
        let neighbour = self
            .text
            .get(..end)
            .and_then(|text| self.own.find_at(text, span.end));
        let end = neighbour.as_ref().map_or(end, |next| next.start);
        let part = self.parts(span.end, end).next();
        Side { part, neighbour }
    }

    /// The last companion before a match.
    fn before(&self, span: &Range<usize>) -> Side {
        let mut start = span.start.saturating_sub(self.companion.window.before);
        let mut neighbour = None;
        let text = self.text.get(..span.start).unwrap_or_default();
        while start <= text.len()
            && let Some(previous) = self.own.find_at(text, start)
        {
            start = previous.end.max(start + 1);
            neighbour = Some(previous);
        }
        let part = self.parts(start, span.start).last();
        Side { part, neighbour }
    }

    /// The companions between two places, in order.
    fn parts(&self, start: usize, end: usize) -> impl Iterator<Item = Range<usize>> {
        let text = self.text.get(..end).unwrap_or_default();
        let mut at = start;
        std::iter::from_fn(move || {
            while at <= text.len() {
                let captures = self.pattern.captures_at(text, at)?;
                at = captures.whole().end.max(at + 1);
                if let Some(range) = captures.range("part").filter(|range| self.holds(range)) {
                    return Some(range);
                }
            }
            None
        })
    }
}

/// Whether the row that goes on with `next` ends in a match that has no companion on the far side.
fn row(next: Option<Range<usize>>, side: impl Fn(&Range<usize>) -> Side) -> bool {
    let mut at = next;
    for _ in 0..MAX_ROW {
        let Some(span) = at else { return false };
        let found = side(&span);
        if found.part.is_none() {
            return true;
        }
        at = found.neighbour;
    }
    false
}
