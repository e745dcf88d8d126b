//! One credential per piece of text: where rules claim the same bytes, the more exact one wins.

use super::found::Found;
use crate::model::Confidence;
use crate::rules::credentials::Rule;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

/// Ranges of a text that are taken; they do not overlap.
#[derive(Default)]
struct Taken(BTreeMap<usize, usize>);

impl Taken {
    fn is_free(&self, range: &Range<usize>) -> bool {
        self.0
            .range(..range.end)
            .next_back()
            .is_none_or(|(_, end)| *end <= range.start)
    }

    fn take(&mut self, range: &Range<usize>) {
        self.0.insert(range.start, range.end);
    }
}

/// Settles competing matches, in order of position. `rule` gives the rule of an index.
pub(super) fn settle<'r>(mut found: Vec<Found>, rule: impl Fn(usize) -> &'r Rule) -> Vec<Found> {
    found.sort_by_key(|found| {
        let rule = rule(found.rule);
        let claimed = found.secret.as_ref().unwrap_or(&found.span);
        (
            rule.generic,
            Reverse(rule.confidence),
            Reverse(claimed.len()),
            // Of two names in front of one secret the nearer wins, of two that end together the longer.
            found.gap.as_ref().map_or(0, |gap| usize::MAX - gap.start),
            Reverse(found.gap.as_ref().map_or(0, |_| found.span.len())),
            found.rule,
            found.span.start,
        )
    });
    let mut taken = Taken::default();
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for mut one in found {
        if let Some(secret) = one.secret.clone() {
            let apart = secret.end <= one.span.start || secret.start >= one.span.end;
            if taken.is_free(&secret) {
                if apart && !taken.is_free(&one.span) {
                    continue;
                }
                taken.take(&secret);
                if apart {
                    taken.take(&one.span);
                }
                kept.push(one);
                continue;
            }
            if !apart {
                continue;
            }
            // The secret beside it belongs to another credential; the public part still stands.
            one.secret = None;
            one.confidence = one.confidence.min(Confidence::Medium);
        }
        if taken.is_free(&one.span) {
            taken.take(&one.span.clone());
            kept.push(one);
        }
    }
    kept.sort_by_key(|found| (found.span.start, found.span.end, found.rule));
    kept
}
