//! Finds every occurrence of some thousand literals in one pass.
//!
//! A text is looked at piece by piece, while it is in the nearest cache. Where the processor looks up 64 bytes at a time,
//! each place is asked for the bytes that some [`groups`] have; on others blocks are looked up in steps of two bytes for the
//! [`long`] literals, and every byte for the few [`short`] ones. What these looks let pass is compared with the literals
//! themselves.

mod blocks;
#[cfg(target_arch = "x86_64")]
mod grouped;
#[cfg(target_arch = "x86_64")]
mod groups;
mod long;
mod short;
mod simd;
#[cfg(target_arch = "x86_64")]
mod table;
#[cfg(target_arch = "x86_64")]
mod wide;

use crate::rules::RuleError;
use crate::rules::credentials;
use blocks::Costs;
#[cfg(target_arch = "x86_64")]
use grouped::Grouped;
use long::Long;
use short::Short;
use std::cell::Cell;

/// Bytes that are looked at together; a piece is as long as some of these.
const ROUND: usize = 64;
/// Most bytes of a piece.
const PIECE: usize = 32 * ROUND;
/// Bytes before and behind a piece that are looked at with it.
const BEFORE: usize = 2;
const AFTER: usize = 8;
/// Places that are written at once, whether or not there are so many.
const SPARE: usize = ROUND;

/// What is written while a piece is looked at.
struct Room {
    /// A piece at an end of a text, with what is around it.
    edge: [u8; BEFORE + PIECE + AFTER],
    places: [u16; PIECE + SPARE],
}

thread_local! {
    /// Used again and again: what is new in a version of a file is mostly shorter than the room would take to be cleared.
    static ROOM: Cell<Option<Box<Room>>> = const { Cell::new(None) };
}

/// A literal to find.
#[derive(Clone, Debug)]
pub(super) struct Literal {
    /// At least three ASCII bytes; lower case where `ignore_case`.
    pub bytes: Vec<u8>,
    /// Whether it matches in any ASCII letter case.
    pub ignore_case: bool,
}

/// Eight bytes of a literal, the first ones unless said otherwise, as a number; those it does not have are zero.
#[derive(Clone, Copy)]
struct Head {
    bytes: u64,
    /// The bytes it has.
    held: u64,
    /// The letter case that does not matter.
    fold: u64,
}

impl Head {
    fn of(literal: &Literal) -> Self {
        Self::around(literal, BEFORE)
    }

    /// The eight bytes from [`BEFORE`] a place of a literal on.
    fn around(literal: &Literal, place: usize) -> Self {
        let mut head = [[0_u8; 8]; 3];
        let [bytes, held, fold] = &mut head;
        let slots = bytes.iter_mut().zip(held).zip(fold);
        for (at, ((byte, held), fold)) in slots.enumerate() {
            let known = (place + at).checked_sub(BEFORE);
            let Some(known) = known.and_then(|at| literal.bytes.get(at)) else {
                continue;
            };
            (*byte, *held) = (*known, 0xff);
            if literal.ignore_case && known.is_ascii_alphabetic() {
                *fold = 0x20;
            }
        }
        let [bytes, held, fold] = head.map(u64::from_le_bytes);
        Self { bytes, held, fold }
    }

    const fn begins(&self, text: [u8; 8]) -> bool {
        (u64::from_le_bytes(text) | self.fold) & self.held == self.bytes
    }
}

/// Where those of each slot begin, and where the last of them end, among what is sorted by slots.
fn starts(slots: usize, sorted: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut starts = vec![0; slots + 1];
    for slot in sorted {
        if let Some(next) = starts.get_mut(slot + 1) {
            *next += 1;
        }
    }
    let mut before = 0;
    for start in &mut starts {
        before += *start;
        *start = before;
    }
    starts
}

/// The compiled literals.
pub(super) struct Prefilter {
    literals: Vec<Literal>,
    /// Of each literal, what decides without a look at the literal itself.
    heads: Vec<Head>,
    look: Look,
}

/// How literals are looked for.
enum Look {
    #[cfg(target_arch = "x86_64")]
    Grouped(Box<[Grouped; 2]>),
    Stepwise(Box<(Long, Short)>),
}

impl Look {
    /// The way of this processor.
    fn new(literals: &[Literal]) -> Result<Self, RuleError> {
        #[cfg(target_arch = "x86_64")]
        if wide::is_there() {
            let common = [
                groups::Common::new(credentials::blocks()?),
                groups::Common::new(credentials::trigrams()?),
            ];
            if let Some(grouped) = Grouped::new(literals, &common) {
                return Ok(Self::Grouped(Box::new(grouped)));
            }
        }
        Self::stepwise(literals)
    }

    /// The way of any processor.
    fn stepwise(literals: &[Literal]) -> Result<Self, RuleError> {
        let costs = Costs::new(credentials::blocks()?);
        let stepwise = (Long::new(literals, costs), Short::new(literals));
        Ok(Self::Stepwise(Box::new(stepwise)))
    }
}

impl Prefilter {
    /// Compiles literals.
    ///
    /// # Errors
    /// When the embedded frequencies do not have their form; the tests prove that they do.
    pub(super) fn new(literals: Vec<Literal>) -> Result<Self, RuleError> {
        Ok(Self {
            heads: literals.iter().map(Head::of).collect(),
            look: Look::new(&literals)?,
            literals,
        })
    }

    /// The same for literals that are looked for in few places: it takes less time.
    ///
    /// # Errors
    /// As above.
    pub(super) fn of_few_places(literals: Vec<Literal>) -> Result<Self, RuleError> {
        Ok(Self {
            heads: literals.iter().map(Head::of).collect(),
            look: Look::stepwise(&literals)?,
            literals,
        })
    }

    #[cfg(test)]
    pub(super) fn literals(&self) -> &[Literal] {
        &self.literals
    }

    /// All literals of two, one behind the other, for a processor on which looking for all costs hardly more than for some.
    pub(super) fn together(&self, others: &[Literal]) -> Option<Self> {
        match self.look {
            Look::Stepwise(_) => Self::of_few_places([&self.literals, others].concat()).ok(),
            #[cfg(target_arch = "x86_64")]
            Look::Grouped(_) => None,
        }
    }

    /// Calls `on_hit(literal, start)` for every occurrence, in no particular order.
    pub(super) fn find(&self, text: &[u8], mut on_hit: impl FnMut(usize, usize)) {
        if text.is_empty() {
            return;
        }
        let mut room = ROOM.take().unwrap_or_else(|| {
            Box::new(Room {
                edge: [0; BEFORE + PIECE + AFTER],
                places: [0; PIECE + SPARE],
            })
        });
        let Room { edge, places } = &mut *room;
        let mut at = 0;
        while at < text.len() {
            let inner = at
                .checked_sub(BEFORE)
                .and_then(|from| text.get(from..at + PIECE + AFTER));
            let length = match inner {
                Some(_) => PIECE,
                // Both ends of a text are copied, with nothing around them; the beginning is short where more follows.
                None if at == 0 && text.len() > PIECE + AFTER => ROUND,
                None => PIECE.min(text.len() - at),
            };
            let piece = match inner {
                Some(piece) => piece,
                None => with_edges(text, at, length, edge),
            };
            let mut on = |literal, back, place, known| {
                if let Some(start) = usize::checked_sub(at + place, back)
                    && (known || self.stands(literal, text, start))
                {
                    on_hit(literal, start);
                }
            };
            match &self.look {
                #[cfg(target_arch = "x86_64")]
                Look::Grouped(kinds) => {
                    for grouped in &**kinds {
                        grouped.find(piece, places, &mut on);
                    }
                }
                Look::Stepwise(kinds) => {
                    let (long, short) = &**kinds;
                    let from = BEFORE - long::BEFORE;
                    let piece = piece.get(from..).unwrap_or_default();
                    long.find(piece, places, |literal, back, place| {
                        on(literal, back, place, false);
                    });
                    let inside = piece.get(long::BEFORE..).unwrap_or_default();
                    short.find(inside, places, |literal, place| {
                        on(literal, 0, place, false);
                    });
                }
            }
            at += length;
        }
        ROOM.set(Some(room));
    }

    /// Whether a literal stands at a place of a text.
    fn stands(&self, index: usize, text: &[u8], start: usize) -> bool {
        let rest = text.get(start..).unwrap_or_default();
        let (Some(head), Some(literal)) = (self.heads.get(index), self.literals.get(index)) else {
            return false;
        };
        if let Some(chunk) = rest.first_chunk() {
            if !head.begins(*chunk) {
                return false;
            }
            if literal.bytes.len() <= chunk.len() {
                return true;
            }
        }
        rest.get(..literal.bytes.len()).is_some_and(|found| {
            found == literal.bytes
                || (literal.ignore_case && found.eq_ignore_ascii_case(&literal.bytes))
        })
    }
}

/// The rounds that hold a part of a text, with what is around them; NUL bytes where that is nothing.
fn with_edges<'e>(text: &[u8], at: usize, length: usize, edge: &'e mut [u8]) -> &'e [u8] {
    let from = at.saturating_sub(BEFORE);
    let lead = BEFORE - (at - from);
    let to = text.len().min(at + length + AFTER);
    let known = text.get(from..to).unwrap_or_default();
    let end = BEFORE + length.next_multiple_of(ROUND) + AFTER;
    let Some(edge) = edge.get_mut(..end) else {
        return &[];
    };
    let (before, rest) = edge.split_at_mut(lead);
    let (within, behind) = rest.split_at_mut(known.len());
    before.fill(0);
    within.copy_from_slice(known);
    behind.fill(0);
    edge
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every way that this processor has.
    fn compile(literals: &[Literal]) -> [Prefilter; 2] {
        let prefilter = Prefilter::new(literals.to_vec()).unwrap();
        let mut stepwise = Prefilter::new(literals.to_vec()).unwrap();
        stepwise.look = Look::stepwise(literals).unwrap();
        [prefilter, stepwise]
    }

    fn literals(texts: &[(&str, bool)]) -> Vec<Literal> {
        texts
            .iter()
            .map(|(text, ignore_case)| Literal {
                bytes: text.as_bytes().to_vec(),
                ignore_case: *ignore_case,
            })
            .collect()
    }

    fn found(prefilter: &Prefilter, text: &[u8]) -> Vec<(usize, usize)> {
        let mut hits = Vec::new();
        prefilter.find(text, |literal, start| hits.push((literal, start)));
        hits.sort_unstable();
        hits
    }

    fn expected(literals: &[Literal], text: &[u8]) -> Vec<(usize, usize)> {
        let mut hits = Vec::new();
        for (index, literal) in literals.iter().enumerate() {
            for (start, window) in text.windows(literal.bytes.len()).enumerate() {
                if window == literal.bytes
                    || (literal.ignore_case && window.eq_ignore_ascii_case(&literal.bytes))
                {
                    hits.push((index, start));
                }
            }
        }
        hits.sort_unstable();
        hits
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn finds_exactly_what_a_naive_search_finds(
            words in proptest::collection::vec(("[a-cA-C_:]{3,7}", any::<bool>()), 1..8),
            text in proptest::collection::vec(
                prop_oneof![Just(b'a'), Just(b'b'), Just(b'C'), Just(b'_'), Just(b':'), any::<u8>()], 0..200),
            lead in prop_oneof![3 => Just(0), 1 => 0_usize..2 * PIECE],
        ) {
            let text = [vec![b'z'; lead], text].concat();
            let literals: Vec<Literal> = words
                .into_iter()
                .map(|(word, ignore_case)| Literal {
                    bytes: if ignore_case { word.to_lowercase() } else { word }.into_bytes(),
                    ignore_case,
                })
                .collect();
            for prefilter in compile(&literals) {
                prop_assert_eq!(found(&prefilter, &text), expected(&literals, &text));
            }
        }
    }

    #[test]
    fn finds_at_both_ends_and_every_offset() {
        let literals = literals(&[("hf_", false), ("AKIA", false), ("password", true)]);
        for (prefilter, pad) in compile(&literals)
            .iter()
            .flat_map(|one| (0..90).map(move |pad| (one, pad)))
        {
            for word in ["hf_", "AKIA", "PassWord"] {
                let text = format!("{}{word}", "z".repeat(pad));
                assert_eq!(found(prefilter, text.as_bytes()).len(), 1, "{text}");
                let text = format!("{word}{}", "z".repeat(pad));
                assert_eq!(found(prefilter, text.as_bytes()).len(), 1, "{text}");
            }
        }
    }
}
