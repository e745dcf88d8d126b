//! What every match of a pattern holds for certain: bytes of certain sets one after the other, such as the first letters of
//! a token, its other letters and the end of the word.

use super::set::{Set, is_of_bytes};
use regex_syntax::hir::{Hir, HirKind};

/// Most bytes of a sequence.
const LONGEST: usize = 64;
/// Bits that a sequence tells at least; what tells less is in most windows.
const LEAST: f64 = 12.0;

/// Sets of bytes that follow one another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sequence {
    sets: Vec<Set>,
    /// The byte that tells most.
    rarest: usize,
    /// The last of them may be missing at the end of the text.
    ends: bool,
}

/// A part of a pattern.
pub(super) enum Part {
    /// So many bytes, each of its set.
    Fixed(Vec<Set>),
    /// Bytes of which it has these first and last.
    Open { first: Vec<Set>, last: Vec<Set> },
    /// A byte of this set, or the end.
    End(Set),
    /// Nothing, where something is asked of what is around.
    Nothing,
}

impl Sequence {
    /// The sequence that tells most about the matches of a pattern; `None` where none tells much.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        let mut best: Option<(f64, Vec<Set>, bool)> = None;
        let mut note = |sets: &[Set], ends: bool| {
            let sets = sets.get(..LONGEST).unwrap_or(sets);
            let weight = sets.iter().map(Set::weight).sum();
            if weight >= LEAST && best.as_ref().is_none_or(|(most, ..)| weight > *most) {
                best = Some((weight, sets.to_vec(), ends && sets.len() < LONGEST));
            }
        };
        let mut sets: Vec<Set> = Vec::new();
        for part in parts(hir) {
            match part {
                Part::Fixed(more) => sets.extend(more),
                Part::Open { first, last } => {
                    sets.extend(first);
                    note(&sets, false);
                    sets = last;
                }
                Part::End(set) => {
                    sets.push(set);
                    note(&sets, true);
                    sets.clear();
                }
                Part::Nothing => {}
            }
        }
        note(&sets, false);
        let (_, sets, ends) = best?;
        let weights = sets.iter().map(Set::weight).enumerate();
        let (rarest, _) = weights.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
        Some(Self { sets, rarest, ends })
    }

    /// Whether `text` holds such a sequence.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let least = self.sets.len() - usize::from(self.ends);
        let Some(rarest) = self.sets.get(self.rarest) else {
            return true;
        };
        let last = (text.len() + 1).saturating_sub(least);
        let candidates = text.get(self.rarest..).unwrap_or_default().iter();
        candidates
            .take(last)
            .enumerate()
            .any(|(start, byte)| rarest.has(*byte) && self.is_at(text, start))
            // The rarest may be the last, beyond the end.
            || (self.ends && self.rarest + 1 == self.sets.len() && text.len() >= least && self.is_at(text, text.len() - least))
    }

    fn is_at(&self, text: &[u8], start: usize) -> bool {
        let rest = text.get(start..).unwrap_or_default();
        rest.iter()
            .zip(&self.sets)
            .all(|(byte, set)| set.has(*byte))
    }
}

/// The parts of a pattern, in order.
pub(super) fn parts(hir: &Hir) -> Vec<Part> {
    let mut parts = Vec::new();
    add(hir, &mut parts);
    parts
}

/// Appends the parts of a pattern.
fn add(hir: &Hir, out: &mut Vec<Part>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => out.push(Part::Nothing),
        HirKind::Literal(literal) => {
            let bytes = literal.0.iter();
            out.push(Part::Fixed(bytes.map(|byte| Set::one(*byte)).collect()));
        }
        HirKind::Class(class) if is_of_bytes(class) => out.push(Part::Fixed(vec![Set::of(class)])),
        HirKind::Class(_) => out.push(open()),
        HirKind::Capture(capture) => add(&capture.sub, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| add(part, out)),
        HirKind::Repetition(repetition) => {
            let least = repetition.min as usize;
            let one = single(&repetition.sub);
            out.push(match one {
                Some(set) if Some(repetition.min) == repetition.max && least <= LONGEST => {
                    Part::Fixed(vec![set; least])
                }
                Some(set) => {
                    let all = vec![set; least.min(LONGEST)];
                    Part::Open {
                        first: all.clone(),
                        last: all,
                    }
                }
                None => open(),
            });
        }
        HirKind::Alternation(branches) => out.push(either(branches)),
    }
}

/// The set of a pattern that is always one byte.
fn single(hir: &Hir) -> Option<Set> {
    match hir.kind() {
        HirKind::Class(class) if is_of_bytes(class) => Some(Set::of(class)),
        HirKind::Literal(literal) => match literal.0.as_ref() {
            [byte] => Some(Set::one(*byte)),
            _ => None,
        },
        HirKind::Capture(capture) => single(&capture.sub),
        _ => None,
    }
}

/// One of several: a byte or the end, or whatever has certain bytes last.
fn either(branches: &[Hir]) -> Part {
    let mut ends = false;
    let mut last = Some(Set::default());
    let mut all = Some(Set::default());
    for branch in branches {
        if let HirKind::Look(look) = branch.kind()
            && matches!(look, regex_syntax::hir::Look::End)
        {
            ends = true;
            last = None;
            continue;
        }
        all = all.zip(single(branch)).map(|(all, one)| all.or(one));
        last = last.zip(last_of(branch)).map(|(last, one)| last.or(one));
    }
    match (all, last) {
        (Some(set), _) if ends => Part::End(set),
        (Some(set), _) => Part::Fixed(vec![set]),
        (None, Some(set)) => Part::Open {
            first: Vec::new(),
            last: vec![set],
        },
        (None, None) => open(),
    }
}

/// The bytes one of which every match of a pattern ends in; `None` where that may be any, or none.
fn last_of(hir: &Hir) -> Option<Set> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(literal) => literal.0.last().map(|byte| Set::one(*byte)),
        HirKind::Class(class) => is_of_bytes(class).then(|| Set::of(class)),
        HirKind::Capture(capture) => last_of(&capture.sub),
        HirKind::Repetition(repetition) => (repetition.min > 0)
            .then(|| last_of(&repetition.sub))
            .flatten(),
        HirKind::Concat(parts) => last_of(parts.last()?),
        HirKind::Alternation(branches) => {
            let mut all = Set::default();
            for branch in branches {
                all = all.or(last_of(branch)?);
            }
            Some(all)
        }
    }
}

const fn open() -> Part {
    Part::Open {
        first: Vec::new(),
        last: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::rules::credentials::compile;
    use proptest::prelude::*;

    #[test]
    fn a_token_needs_its_first_letters_and_its_end() {
        let pattern = r"(?i:acme)(?P<gap>(?s-u:.){0,40}?(?:[^A-Za-z0-9_-]|(?i:key|token)[_-]))(?P<secret>s\.[0-9A-Z]{6})(?:[^A-Z0-9]|$)";
        let sequence = Sequence::of(&parse(pattern).unwrap()).unwrap();
        for text in ["=s.ABCDE1", "x-s.ABCDEF ", " s.s.AAAAAA.s"] {
            assert!(sequence.is_in(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "s.ABCDE1",
            "=s.ABCDE",
            "ns.ABCDE1",
            "=s.ABCDE1F",
            "=s.ABCDe1",
        ] {
            assert!(!sequence.is_in(text.as_bytes()), "{text}");
        }
        assert_eq!(Sequence::of(&parse(r"\w{0,9}").unwrap()), None);
    }

    proptest! {
        #[test]
        fn a_match_holds_the_sequence(text in "[a-c0-2=:]{0,60}", which in 0_usize..7) {
            let patterns = [
                "a[0-2]{3,9}bcc?", "(?:ab|[bc]{2,4}0){2}[=:]a0(?:[^a]|$)", "(?i:AB)[^=]{0,9}?=[0-2]{4}(?:a|$)",
                "(?P<x>[a-c]{4}(?:[0-2]{2})+)", "(?:^|[^a])bb(?:c|(?:0|a)[=:])[0-1]{2}$", "[=:](?:a|bc)0{2}1",
                "(?:=|a[=:])b0[ac]{2}(?:1|2)?:",
            ];
            let compiled = compile(patterns[which]).unwrap();
            if let Some(sequence) = Sequence::of(&parse(patterns[which]).unwrap()) {
                for found in compiled.find_iter(text.as_bytes()) {
                    prop_assert!(sequence.is_in(found.as_bytes()), "{:?}", found);
                }
            }
        }
    }
}
