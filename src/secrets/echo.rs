//! Further places of a document's secrets: what a rule recognised in one place is not shown in another.

use crate::model::Redacted;
use crate::rules::credentials::context;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::ops::Range;

/// Values shorter than this are too common to be looked for.
const SHORTEST: usize = 4;
/// Values shorter than this count only where no letter or digit continues them.
const WORD: usize = 8;
/// Longer values are recognised by their rule, or masked as opaque, wherever they stand.
const LONGEST: usize = 400;

/// The values of the secrets of one document. Holds raw secret material, so it has no `Debug`.
pub(super) struct Echoes(Values);

enum Values {
    /// So few that each is compared; sorted by length, the longest first.
    Few(Vec<Box<[u8]>>),
    Many(AhoCorasick),
}

/// Most values that are looked for without an automaton: making one is dearer than what it saves.
const FEW: usize = 8;

impl Echoes {
    /// Of the secrets at `places` of `text`, each without the prefix that names its type.
    pub(super) fn new(text: &[u8], places: &[(Range<usize>, String)]) -> Self {
        let known = &context().passwords.weak;
        let mut values: Vec<&[u8]> = places
            .iter()
            .filter_map(|(range, prefix)| {
                text.get((range.start + prefix.len()).min(range.end)..range.end)
            })
            .filter(|value| (SHORTEST..=LONGEST).contains(&value.len()))
            .filter(|value| {
                !known
                    .iter()
                    .any(|word| word.as_bytes().eq_ignore_ascii_case(value))
            })
            .collect();
        values.sort_unstable();
        values.dedup();
        if values.len() <= FEW {
            values.sort_by_key(|value| std::cmp::Reverse(value.len()));
            return Self(Values::Few(values.into_iter().map(Box::from).collect()));
        }
        // What is searched is a line here and there: the automaton that is made fastest is the best one.
        let built = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::NoncontiguousNFA))
            .prefilter(false)
            .match_kind(MatchKind::LeftmostLongest)
            .build(values);
        Self(built.map_or(Values::Few(Vec::new()), Values::Many))
    }

    /// Where the values stand in `part`, in order, without overlaps.
    pub(super) fn places(&self, part: &[u8]) -> Vec<Range<usize>> {
        let found = match &self.0 {
            Values::Few(values) if values.is_empty() => return Vec::new(),
            Values::Few(values) => compared(values, part),
            Values::Many(values) => values.find_iter(part).map(|found| found.range()).collect(),
        };
        let continues = |at: Option<usize>| {
            at.and_then(|at| part.get(at))
                .is_some_and(u8::is_ascii_alphanumeric)
        };
        let found = found.into_iter();
        found
            .filter(|range| {
                range.len() >= WORD
                    || !(continues(range.start.checked_sub(1)) || continues(Some(range.end)))
            })
            .collect()
    }

    /// A name that is to be shown, with the values in it masked.
    pub(super) fn mask(&self, name: String) -> String {
        let places = self.places(name.as_bytes());
        if places.is_empty() {
            return name;
        }
        let mut out = String::new();
        let mut at = 0;
        for range in places {
            out.push_str(name.get(at..range.start).unwrap_or_default());
            out.push_str(Redacted::new("").as_str());
            at = range.end;
        }
        out.push_str(name.get(at..).unwrap_or_default());
        out
    }
}

/// The places of values, of those that begin at one place the longest, without overlaps.
fn compared(values: &[Box<[u8]>], part: &[u8]) -> Vec<Range<usize>> {
    let mut begins = [false; 256];
    for value in values {
        if let Some(slot) = value
            .first()
            .and_then(|byte| begins.get_mut(*byte as usize))
        {
            *slot = true;
        }
    }
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = part.get(at) {
        let rest = part.get(at..).unwrap_or_default();
        let begins = begins.get(*byte as usize).copied().unwrap_or(false);
        let value = values
            .iter()
            .find(|value| begins && rest.starts_with(value));
        match value {
            Some(value) => {
                out.push(at..at + value.len());
                at += value.len();
            }
            None => at += 1,
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn echoes(values: &[&str]) -> Echoes {
        let text = values.concat();
        let mut at = 0;
        let places: Vec<_> = values
            .iter()
            .map(|value| {
                at += value.len();
                (at - value.len()..at, String::new())
            })
            .collect();
        Echoes::new(text.as_bytes(), &places)
    }

    #[test]
    fn a_value_is_masked_wherever_it_stands() {
        let echoes = echoes(&["q7wzr2mkp0", "x4z9", "postgres", "no"]);
        let mask = |text: &str| echoes.mask(text.to_owned());
        assert_eq!(mask("ACq7wzr2mkp0ff"), "AC********ff");
        assert_eq!(mask("x4z9@host"), "********@host");
        assert_eq!(mask("x4z90@host"), "x4z90@host");
        // A password that everyone knows is nobody's secret, and would make every line unreadable.
        assert_eq!(mask("postgres no"), "postgres no");
        assert_eq!(Echoes(Values::Few(Vec::new())).mask("x4z9".into()), "x4z9");
    }

    proptest! {
        #[test]
        fn few_values_are_found_as_many_are(
            values in proptest::collection::btree_set("[ab]{1,5}", 1..6),
            part in "[abc]{0,40}",
        ) {
            let many = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&values)
                .unwrap();
            let mut few: Vec<Box<[u8]>> = values.iter().map(|one| one.as_bytes().into()).collect();
            few.sort_by_key(|value| std::cmp::Reverse(value.len()));
            let expected: Vec<_> = many.find_iter(&part).map(|found| found.range()).collect();
            prop_assert_eq!(compared(&few, part.as_bytes()), expected);
        }
    }
}
