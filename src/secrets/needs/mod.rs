//! What every match of a pattern needs, worked out from the pattern: it costs a few comparisons to see that it is not there,
//! where running the pattern costs thousands.

mod beside;
mod run;
mod sequence;
mod set;
mod texts;

pub(super) use beside::Beside;
use regex_syntax::hir::{Hir, HirKind};
use run::Run;
use sequence::Sequence;
use texts::Texts;

/// Most ways to match a pattern that are told apart.
const MOST_WAYS: usize = 8;
/// Shortest matches, in bytes, of parts that are told apart: what shorter ones need is in most windows.
const LEAST: usize = 12;

/// What a text needs to hold for a pattern to match in it.
pub(super) struct Needs {
    texts: Option<Texts>,
    /// The ways to match it, one of which has to be there; none of a pattern that cannot be parsed.
    ways: Vec<Way>,
}

/// What one way to match a pattern needs.
struct Way {
    run: Option<Run>,
    sequence: Option<Sequence>,
}

impl Needs {
    /// What the matches of a pattern need; nothing of one that cannot be parsed.
    pub(super) fn of(pattern: &str) -> Self {
        let hir = parse(pattern);
        let ways = hir.iter().flat_map(ways);
        Self {
            texts: hir.as_ref().map(Texts::of),
            ways: ways
                .map(|hir| Way {
                    run: Run::of(&hir),
                    sequence: Sequence::of(&hir),
                })
                .collect(),
        }
    }

    /// Whether the pattern may match inside `part`.
    pub(super) fn are_in(&self, part: &[u8]) -> bool {
        let is_in = |way: &Way| {
            way.run.is_none_or(|run| run.is_in(part))
                && way.sequence.as_ref().is_none_or(|one| one.is_in(part))
        };
        self.texts.as_ref().is_none_or(|texts| texts.are_in(part))
            && (self.ways.is_empty() || self.ways.iter().any(is_in))
    }
}

/// The ways to match a pattern that has one part which may be one long thing or another, such as a token in its old and
/// its new form; the pattern itself where it has none.
fn ways(hir: &Hir) -> Vec<Hir> {
    let is_long = |hir: &Hir| hir.properties().minimum_len() >= Some(LEAST);
    let all = match hir.kind() {
        HirKind::Capture(capture) => ways(&capture.sub),
        HirKind::Alternation(branches) if branches.iter().all(is_long) => {
            branches.iter().flat_map(ways).collect()
        }
        HirKind::Concat(parts) => {
            let mut each = parts.iter().map(ways);
            let split = each.by_ref().zip(0..).find(|(ways, _)| ways.len() > 1);
            split.map_or_else(Vec::new, |(ways, at)| {
                let with = |way| {
                    let mut parts = parts.clone();
                    parts.splice(at..=at, [way]);
                    Hir::concat(parts)
                };
                ways.into_iter().map(with).collect()
            })
        }
        _ => Vec::new(),
    };
    if (1..=MOST_WAYS).contains(&all.len()) {
        all
    } else {
        vec![hir.clone()]
    }
}

/// A pattern as it is matched: by bytes.
fn parse(pattern: &str) -> Option<Hir> {
    regex_syntax::ParserBuilder::new()
        .utf8(false)
        .unicode(false)
        .build()
        .parse(pattern)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::credentials::compile;
    use proptest::prelude::*;

    #[test]
    fn what_one_of_two_forms_needs_is_not_there_for_the_other() {
        let needs = Needs::of(
            r"(?i:acme)(?s-u:.){0,20}?[^\w-](?P<secret>[0-9a-f]{16}\.[0-9a-f]{16}|[0-9A-Z]{12})(?:\W|$)",
        );
        assert_eq!(needs.ways.len(), 2);
        for text in [
            "acme: 0123456789A",
            "acme: 0123456789abcdef.0123456789abcde!",
            "acme.0123456789ab.0123",
        ] {
            assert!(!needs.are_in(text.as_bytes()), "{text}");
        }
        for text in [
            "acme: 0123456789AB",
            "acme: 0123456789abcdef.0123456789abcdef",
        ] {
            assert!(needs.are_in(text.as_bytes()), "{text}");
        }
        assert_eq!(Needs::of("(?:a|b{20})c{9}").ways.len(), 1);
        assert!(Needs::of("((").ways.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn what_matches_has_what_it_needs(text in "[a-c0-1=:\n]{0,80}", which in 0_usize..5) {
            let patterns = [
                "a(?P<x>[0-1]{12}|[a-c]{12})[=:]", "(?:[a-c]{12,}|(?:b|c=)[0-1]{12})(?:$|[^a])",
                "(?:c?(?:[a-b]{13}|(?:[0-1]{6}:){2}))+", "^(?:a{12}|(?:[b-c]{12}|[0-1]{12}b))",
                "[a-c0-1]{0,9}(?P<y>(?:[a-c0-1]{12}|[a-c=]{14}):)",
            ];
            let needs = Needs::of(patterns[which]);
            for found in compile(patterns[which]).unwrap().find_iter(text.as_bytes()) {
                let wide = text.as_bytes().get(found.start()..).unwrap();
                prop_assert!(needs.are_in(text.as_bytes()), "{:?}", wide);
            }
        }
    }
}
