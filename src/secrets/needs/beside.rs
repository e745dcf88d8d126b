//! What stands right beside a literal in every match of a pattern: before it the end of another word, behind it the
//! letters of a token. Most places of a literal in ordinary text lack it.

use super::parse;
use super::set::{Set, is_of_bytes};
use regex_syntax::hir::{Hir, HirKind, Look};

/// Most bytes before a literal that are looked at.
const BEFORE: usize = 2;
/// Most bytes behind a literal that are looked at.
const BEHIND: usize = 8;
/// Most ways to write a match that are told apart.
const WAYS: usize = 64;
/// Most ways of them that are looked for around one literal.
const KEPT: usize = 8;
/// Longest repetition of one character that may be part of a literal.
const REPEATED: u32 = 8;

/// What is beside one literal in the matches of a pattern, in each way to write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Beside(Vec<Way>);

impl Beside {
    /// For each of some literals, of which every match holds at least one. A literal ignores the case of letters where
    /// its flag says so, and is in lower case then. `None` where a match may hold none of them that can be told.
    ///
    /// What is beside a literal is that in the matches which have it for their own: each has one, so that those which are
    /// found around the others are none the fewer.
    pub(in super::super) fn of(pattern: &str, literals: &[(Vec<u8>, bool)]) -> Option<Vec<Self>> {
        let mut beside = vec![Self(Vec::new()); literals.len()];
        for path in paths(&parse(pattern)?)? {
            let found = literals.iter().enumerate().filter_map(|(index, literal)| {
                let at = find(&path, literal)?;
                Some((literal.0.len(), index, at))
            });
            let (length, index, at) = found.max_by_key(|(length, index, _)| (*length, *index))?;
            let way = Way::around(&path, at..at + length);
            let Self(ways) = beside.get_mut(index)?;
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        for Self(ways) in &mut beside {
            if ways.len() > KEPT {
                *ways = vec![Way::default()];
            }
            if ways.iter().any(Way::says_nothing) {
                *ways = vec![Way::default()];
            }
        }
        Some(beside)
    }

    /// Whether the literal from `start` to `end` may be that of a match.
    pub(in super::super) fn is_at(&self, text: &[u8], start: usize, end: usize) -> bool {
        self.0.iter().any(|way| way.is_at(text, start, end))
    }
}

/// One way to write what is beside a literal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Way {
    /// The bytes before it, the nearest first.
    before: Vec<Set>,
    /// What is before these.
    edge: Option<Edge>,
    /// The bytes behind it.
    behind: Vec<Set>,
}

/// What no byte of a match is, and still before it: one of these bytes, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge(Set);

impl Way {
    fn around(path: &[Item], literal: std::ops::Range<usize>) -> Self {
        let mut way = Self::default();
        let (head, tail) = (path.get(..literal.start), path.get(literal.end..));
        for item in head.unwrap_or_default().iter().rev() {
            match item {
                Item::Edge(edge) => {
                    way.edge = Some(*edge);
                    break;
                }
                Item::Bytes { set, least, most } => {
                    let room = BEFORE - way.before.len();
                    let fits = (*least as usize).min(room);
                    way.before.extend(std::iter::repeat_n(*set, fits));
                    if fits < *least as usize || Some(*least) != *most {
                        break;
                    }
                }
            }
        }
        for item in tail.unwrap_or_default() {
            if let Item::Bytes { set, least, most } = item {
                let room = BEHIND - way.behind.len();
                let fits = (*least as usize).min(room);
                way.behind.extend(std::iter::repeat_n(*set, fits));
                if fits < *least as usize || Some(*least) != *most {
                    break;
                }
            }
        }
        way
    }

    fn says_nothing(&self) -> bool {
        let all = self.before.iter().chain(&self.behind);
        self.edge.is_none() && all.copied().all(|set| set == Set::ALL)
    }

    fn is_at(&self, text: &[u8], start: usize, end: usize) -> bool {
        let behind = text.get(end..).unwrap_or_default();
        let before = text.get(..start).unwrap_or_default();
        behind.len() >= self.behind.len()
            && before.len() >= self.before.len()
            && before.iter().rev().zip(&self.before).all(has)
            && behind.iter().zip(&self.behind).all(has)
            && self.edge.is_none_or(|Edge(set)| {
                let edge = before.iter().rev().nth(self.before.len());
                edge.is_none_or(|byte| set.has(*byte))
            })
    }
}

fn has((byte, set): (&u8, &Set)) -> bool {
    set.has(*byte)
}

/// A part of one way to write a match.
#[derive(Clone, Copy, Debug)]
enum Item {
    /// So many bytes of a set.
    Bytes {
        set: Set,
        least: u32,
        most: Option<u32>,
    },
    /// Nothing, behind such a byte.
    Edge(Edge),
}

impl Item {
    const fn one(set: Set) -> Self {
        Self::Bytes {
            set,
            least: 1,
            most: Some(1),
        }
    }

    /// Whatever it is.
    const fn anything() -> Self {
        Self::Bytes {
            set: Set::ALL,
            least: 0,
            most: None,
        }
    }
}

/// The ways to write what a pattern matches; `None` where there are too many.
fn paths(hir: &Hir) -> Option<Vec<Vec<Item>>> {
    let found = match hir.kind() {
        HirKind::Empty => vec![Vec::new()],
        HirKind::Look(look) => vec![edge(*look).map(Item::Edge).into_iter().collect()],
        HirKind::Literal(literal) => {
            let bytes = literal.0.iter();
            vec![bytes.map(|byte| Item::one(Set::one(*byte))).collect()]
        }
        HirKind::Class(class) if is_of_bytes(class) => vec![vec![Item::one(Set::of(class))]],
        HirKind::Class(_) => vec![vec![Item::anything()]],
        HirKind::Capture(capture) => paths(&capture.sub)?,
        HirKind::Repetition(repetition) => {
            let (least, most) = (repetition.min, repetition.max);
            let sub = paths(&repetition.sub)?;
            match (sub.as_slice(), least, most) {
                ([one], _, _)
                    if let [
                        Item::Bytes {
                            set,
                            least: 1,
                            most: Some(1),
                        },
                    ] = one.as_slice() =>
                {
                    if Some(least) == most && least <= REPEATED {
                        vec![vec![Item::one(*set); least as usize]]
                    } else {
                        let set = *set;
                        vec![vec![Item::Bytes { set, least, most }]]
                    }
                }
                (_, 1, Some(1)) => sub,
                (_, 0, Some(1)) => [sub, vec![Vec::new()]].concat(),
                _ => {
                    let mut out: Vec<Vec<Item>> = if least == 0 {
                        vec![Vec::new()]
                    } else {
                        Vec::new()
                    };
                    out.extend(sub.into_iter().map(|mut first| {
                        first.push(Item::anything());
                        first
                    }));
                    out
                }
            }
        }
        HirKind::Concat(parts) => {
            let mut all: Vec<Vec<Item>> = vec![Vec::new()];
            for part in parts {
                let next = paths(part)?;
                if all.len() * next.len() > WAYS {
                    return None;
                }
                all = all
                    .iter()
                    .flat_map(|head| next.iter().map(|tail| [head.as_slice(), tail].concat()))
                    .collect();
            }
            all
        }
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(paths(branch)?);
            }
            all
        }
    };
    (found.len() <= WAYS).then_some(found)
}

/// What stands before a place where a look holds; `None` of one that tells of what is behind, or of both sides.
fn edge(look: Look) -> Option<Edge> {
    match look {
        Look::Start => Some(Edge(Set::default())),
        Look::StartLF => Some(Edge(Set::one(b'\n'))),
        Look::StartCRLF => Some(Edge(Set::one(b'\n').or(Set::one(b'\r')))),
        _ => None,
    }
}

/// Where in a way to write a match the literal stands for certain.
fn find(path: &[Item], (literal, ignore_case): &(Vec<u8>, bool)) -> Option<usize> {
    let fits = |(item, byte): (&Item, &u8)| {
        let mut wanted = Set::one(*byte);
        if *ignore_case {
            wanted.add(byte.to_ascii_uppercase());
        }
        matches!(item, Item::Bytes { set, least: 1, most: Some(1) } if set.is_within(&wanted))
    };
    path.windows(literal.len().max(1))
        .position(|part| part.iter().zip(literal).all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::credentials::compile;
    use proptest::prelude::*;

    fn told(pattern: &str, literal: &str, text: &str) -> bool {
        let beside = Beside::of(pattern, &[(literal.as_bytes().to_vec(), false)]).unwrap();
        let start = text.find(literal).unwrap();
        beside[0].is_at(text.as_bytes(), start, start + literal.len())
    }

    #[test]
    fn what_is_beside_a_literal_is_told() {
        let token = r"(?:^|[^a-z])(?P<secret>(?P<prefix>ab_)[0-9]{3,9}x)";
        for text in ["ab_123", "-ab_000", "ab_1234x"] {
            assert!(told(token, "ab_", text), "{text}");
        }
        for text in ["ab_12", "ab_12x4", "zab_123", "ab_"] {
            assert!(!told(token, "ab_", text), "{text}");
        }
        let lines = r"(?m:^)\s{0,4}key:[a-z]";
        assert!(told(lines, "key:", "x key:a") && !told(lines, "key:", "key:1"));
        assert!(told(r"(?m:^)key", "key", "\nkey") && !told(r"(?m:^)key", "key", " key"));
        // Not all ways have the literal.
        assert!(Beside::of("ab|cd", &[(b"ab".to_vec(), false)]).is_none());
        // Of a literal in any letter case the pattern may have one.
        assert!(Beside::of("(?i)ab", &[(b"ab".to_vec(), false)]).is_none());
        assert!(Beside::of("(?i)ab", &[(b"ab".to_vec(), true)]).is_some());
    }

    proptest! {
        #[test]
        fn no_match_is_missed(text in "[abc01=\n]{0,40}", which in 0_usize..7) {
            let patterns = [
                "(?:^|[^a])ab[01]{2,3}", "(?m:^)(?:ab|bc)=0?1", "a{2}b(?:c|[01]{2}=)+", "ab(?:c0)?(?:a|b)1{0,2}=",
                "[bc]?ab.{0,3}?=", r"\bab\b[^b]c", "(?:a|(?:bc){1,2})ab(?P<x>[^=]{2})",
            ];
            let literals: [&[&str]; 7] =
                [&["ab"], &["ab", "bc"], &["aab"], &["ab"], &["ab"], &["ab"], &["ab", "bc"]];
            let literals: Vec<_> = literals[which].iter().map(|one| (one.as_bytes().to_vec(), false)).collect();
            let beside = Beside::of(patterns[which], &literals).unwrap();
            let text = text.as_bytes();
            for found in compile(patterns[which]).unwrap().find_iter(text) {
                let among = (found.start()..found.end()).any(|start| {
                    literals.iter().zip(&beside).any(|((literal, _), beside)| {
                        let end = start + literal.len();
                        text.get(start..end) == Some(literal.as_slice()) && beside.is_at(text, start, end)
                    })
                });
                prop_assert!(among, "{:?}", found);
            }
        }
    }
}
