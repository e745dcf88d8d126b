//! What every match of a pattern holds for certain: a run of characters of one kind.

use super::set::Set;
use regex_syntax::hir::{Hir, HirKind};

/// A run of at least `least` bytes of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    set: Set,
    least: usize,
}

/// Runs are told to be this long at most; longer ones say little more.
const MOST: usize = 64;

impl Run {
    /// The run that tells most about the matches of a pattern; `None` where no run tells anything.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        let best = Holds::of(hir).best;
        (best.weight() > 1.0).then_some(best)
    }

    /// Whether `text` holds such a run. Reads no byte twice, and most bytes not at all.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let mut start = 0;
        // Bytes before this one, from `start` on, are in the set.
        let mut known = 0;
        while let Some(part) = text.get(start..start + self.least) {
            let fresh = known.max(start) - start;
            let bad = part
                .iter()
                .skip(fresh)
                .rposition(|byte| !self.set.has(*byte));
            let Some(bad) = bad else { return true };
            known = start + self.least;
            start += fresh + bad + 1;
        }
        false
    }

    fn weight(&self) -> f64 {
        self.least.min(MOST) as f64 * self.set.weight()
    }

    fn better(self, other: Self) -> Self {
        if other.weight() > self.weight() {
            other
        } else {
            self
        }
    }

    /// What holds for the matches of either of two patterns.
    fn either(self, other: Self) -> Self {
        Self {
            set: self.set.or(other.set),
            least: self.least.min(other.least),
        }
    }
}

/// What holds for the matches of a part of a pattern.
#[derive(Clone, Copy)]
struct Holds {
    /// All of a match, from end to end.
    whole: Run,
    /// A run inside it.
    best: Run,
}

impl Holds {
    const fn whole(whole: Run) -> Self {
        Self { whole, best: whole }
    }

    fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::whole(Run {
                set: Set::default(),
                least: 0,
            }),
            HirKind::Literal(literal) => {
                let mut set = Set::default();
                for byte in &literal.0 {
                    set.add(*byte);
                }
                Self::whole(Run {
                    set,
                    least: literal.0.len(),
                })
            }
            HirKind::Class(class) => Self::whole(Run {
                set: Set::of(class),
                least: 1,
            }),
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) => {
                let sub = Self::of(&repetition.sub);
                let least = repetition.min as usize;
                let whole = Run {
                    set: sub.whole.set,
                    least: sub.whole.least.saturating_mul(least),
                };
                Self {
                    whole,
                    best: if least == 0 {
                        whole
                    } else {
                        whole.better(sub.best)
                    },
                }
            }
            HirKind::Alternation(branches) => branches
                .iter()
                .map(Self::of)
                .reduce(|one, other| Self {
                    whole: one.whole.either(other.whole),
                    best: one.best.either(other.best),
                })
                .unwrap_or(Self::whole(Run {
                    set: Set::ALL,
                    least: 0,
                })),
            HirKind::Concat(parts) => Self::sequence(parts),
        }
    }

    fn sequence(parts: &[Hir]) -> Self {
        let parts: Vec<Self> = parts.iter().map(Self::of).collect();
        let nothing = Run {
            set: Set::default(),
            least: 0,
        };
        let mut best = nothing;
        let mut whole = nothing;
        for from in 0..parts.len() {
            let mut run = nothing;
            for part in parts.iter().skip(from) {
                best = best.better(part.best);
                run = Run {
                    set: run.set.or(part.whole.set),
                    least: run.least.saturating_add(part.whole.least),
                };
                best = best.better(run);
            }
            if from == 0 {
                whole = run;
            }
        }
        Self { whole, best }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use proptest::prelude::*;

    fn members(run: Run) -> (String, usize) {
        let members = (b' '..=b'~').filter(|byte| run.set.has(*byte));
        (members.map(char::from).collect(), run.least)
    }

    #[test]
    fn the_run_of_a_pattern_is_its_value() {
        let of = |pattern| parse(pattern).and_then(|hir| Run::of(&hir)).map(members);
        assert_eq!(
            of(r"(?i:acme)(?P<gap>(?s-u:.){0,40}?[^\w-])(?P<secret>[0-9a-f]{32})(?:[^\w]|$)"),
            Some(("0123456789abcdef".into(), 32))
        );
        assert_eq!(of("x_[0-1]{3}(?:a|bb)?"), Some(("01_x".into(), 5)));
        assert_eq!(of("(?:a{9}|[bc]{7})"), Some(("abc".into(), 7)));
        assert_eq!(of(r"\w{0,9}"), None);
        assert_eq!(of("(?s-u:.){20}"), None);
        assert_eq!(of("(("), None);
    }

    proptest! {
        #[test]
        fn a_run_is_found_where_there_is_one(text in "[ab]{0,40}", least in 1_usize..12) {
            let mut set = Set::default();
            set.add(b'a');
            let expected = text.contains(&"a".repeat(least));
            prop_assert_eq!(Run { set, least }.is_in(text.as_bytes()), expected);
        }

        #[test]
        fn a_match_holds_the_run(text in "[a-c0-2=:]{0,60}", which in 0_usize..5) {
            let patterns = [
                "a[0-2]{3,9}b?", "(?:ab|[bc]{2,4}0){2}[=:]", "(?i:AB)[^=]{0,9}?=[0-2]{4}",
                "(?P<x>[a-c]{4}(?:[0-2]{2})+)", "^[a-c]{3,}|[0-2]{5}$",
            ];
            let compiled = crate::rules::credentials::compile(patterns[which]).unwrap();
            let run = Run::of(&parse(patterns[which]).unwrap()).unwrap();
            for found in compiled.find_iter(text.as_bytes()) {
                prop_assert!(run.is_in(found.as_bytes()), "{:?}", found);
            }
        }
    }
}
