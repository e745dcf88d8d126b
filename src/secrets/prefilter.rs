//! Finds every occurrence of some thousand literals in one pass.
//!
//! Text is looked at in steps of two bytes, a block of five bytes at each, folded to one letter case: whatever the parity
//! of an occurrence, one of two neighbouring blocks of the literal falls on a step. Of each literal the two are chosen for
//! rarity. The three bytes in the middle of a block, hashed, name a slot of a table that stays in the nearer caches; its
//! first and its last byte each have a bit there. Only where both are set are the literals of that slot compared. Steps do
//! not depend on one another, so the processor overlaps them.
//!
//! Of a literal shorter than six bytes a block may have any byte before or behind it: all bits of its slot. Of three bytes,
//! a block that begins with them has any byte in the middle too: a slot for each.

/// A literal to find.
#[derive(Clone, Debug)]
pub(super) struct Literal {
    /// At least three ASCII bytes; lower case where `ignore_case`.
    pub bytes: Vec<u8>,
    /// Whether it matches in any ASCII letter case.
    pub ignore_case: bool,
}

/// Five bytes of a text, the first in the low bits; what is above them does not count.
#[derive(Clone, Copy)]
struct Block(u64);

impl Block {
    /// Letters in lower case; other bytes may collide, which costs a comparison and no match.
    fn of(bytes: [u8; WORD]) -> Self {
        Self(u64::from_le_bytes(bytes) | 0x20_2020_2020)
    }

    /// The slot: of the three bytes in the middle.
    const fn slot(self) -> usize {
        let middle = (self.0 >> 8) as u32 & 0x00ff_ffff;
        (middle.wrapping_mul(0x9e37_79b1) >> (32 - SLOT_BITS)) as usize
    }

    /// Of these bytes of it.
    const fn hash(self, held: u64) -> usize {
        ((self.0 & held).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SECOND_BITS)) as usize
    }

    /// The bit of the first byte in a slot. Folding leaves the upper half.
    const fn first(self) -> u32 {
        self.0 as u32 & 63
    }

    /// The bit of the last byte in a slot, in the lower half.
    const fn last(self) -> u32 {
        (self.0 >> 32) as u32 & 31
    }
}

/// A block at which a literal may stand.
#[derive(Clone, Copy)]
struct Entry {
    block: Block,
    /// The bytes of it that the literal has, all bits of each.
    held: u64,
    /// Which literal.
    literal: u32,
    /// How far the literal's start lies before the block; negative: after it.
    back: i32,
}

impl Entry {
    /// The bits of the slot that let its block pass.
    const fn bits(&self) -> u64 {
        let first = if self.held & FIRST == 0 {
            FIRSTS
        } else {
            1 << self.block.first()
        };
        let last = if self.held & LAST == 0 {
            LASTS
        } else {
            1 << self.block.last()
        };
        first | last
    }
}

/// The first eight bytes of a literal, as a number; those it does not have are zero.
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
        let mut head = [[0_u8; 8]; 3];
        let [bytes, held, fold] = &mut head;
        let slots = bytes.iter_mut().zip(held).zip(fold);
        for (((byte, held), fold), known) in slots.zip(&literal.bytes) {
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

/// The compiled literals.
pub(super) struct Prefilter {
    literals: Vec<Literal>,
    /// Of each literal, what decides without a look at the literal itself.
    heads: Vec<Head>,
    /// Of each slot, a bit for each first and for each last byte of its blocks.
    slots: Box<[u64]>,
    /// Of the hash of those bytes of a block that an entry holds, a bit for which bytes these are: a second look, dearer
    /// and more exact than the first.
    second: Box<[u8]>,
    /// `entries[starts[s]..starts[s + 1]]` are those of slot `s`.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

const SLOT_BITS: u32 = 14;
const SLOTS: usize = 1 << SLOT_BITS;
/// The bits of a slot that are for first bytes.
const FIRSTS: u64 = 0xffff_ffff_0000_0000;
/// The bits of a slot that are for last bytes.
const LASTS: u64 = 0xffff_ffff;
/// The first byte of a block.
const FIRST: u64 = 0xff;
/// The last byte of a block.
const LAST: u64 = 0xff << 32;
/// All of a block.
const WHOLE: u64 = 0xff_ffff_ffff;
const SECOND_BITS: u32 = 16;
const SECOND: usize = 1 << SECOND_BITS;
/// Which bytes of a block an entry may hold.
const HELD: [u64; 4] = [WHOLE, WHOLE & !FIRST, WHOLE & !LAST, WHOLE & !FIRST & !LAST];
/// Bytes that are read of a text at once, of which a block is the first five.
const WORD: usize = 8;
/// Bytes advanced per round; a round reads six bytes more.
const ROUND: usize = 32;
/// How common four bytes are of which nothing is known, per million: less than anything that was counted.
const UNKNOWN: u32 = 5;

impl Prefilter {
    /// Compiles literals; `frequencies` tells how common four neighbouring bytes are, per million.
    pub(super) fn new(literals: Vec<Literal>, frequencies: Vec<([u8; 4], u32)>) -> Self {
        let common = Common::new(frequencies);
        let mut entries = Vec::new();
        for (index, literal) in literals.iter().enumerate() {
            common.blocks(&literal.bytes, |bytes, held, back| {
                let mut word = [0; WORD];
                for (slot, byte) in word.iter_mut().zip(bytes) {
                    *slot = *byte;
                }
                entries.push(Entry {
                    block: Block::of(word),
                    held,
                    literal: index as u32,
                    back,
                });
            });
        }
        entries.sort_unstable_by_key(|entry| {
            let block = entry.block;
            (block.slot(), entry.literal, entry.back, block.0)
        });
        let mut slots = vec![0; SLOTS].into_boxed_slice();
        let mut starts = vec![0; SLOTS + 1];
        for entry in &entries {
            let slot = entry.block.slot();
            if let Some(bits) = slots.get_mut(slot) {
                *bits |= entry.bits();
            }
            if let Some(next) = starts.get_mut(slot + 1) {
                *next += 1;
            }
        }
        let mut second = vec![0; SECOND].into_boxed_slice();
        for entry in &entries {
            for (held, bit) in HELD.into_iter().zip([1, 2, 4, 8]) {
                if held == entry.held
                    && let Some(bits) = second.get_mut(entry.block.hash(held))
                {
                    *bits |= bit;
                }
            }
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        Self {
            heads: literals.iter().map(Head::of).collect(),
            literals,
            slots,
            second,
            starts,
            entries,
        }
    }

    /// Calls `on_hit(literal, start)` for every occurrence, in no particular order.
    pub(super) fn find(&self, text: &[u8], mut on_hit: impl FnMut(usize, usize)) {
        let Some(slots) = self.slots.first_chunk() else {
            return;
        };
        let mut at = 0;
        while let Some(round) = text
            .get(at..)
            .and_then(<[u8]>::first_chunk::<{ ROUND + WORD - 2 }>)
        {
            let seen = Self::steps(slots, round);
            if seen != 0 {
                self.candidates(seen, round, text, at, &mut on_hit);
            }
            at += ROUND;
        }
        // The rest, padded so that its last blocks are whole.
        while at < text.len() {
            let mut round = [0_u8; ROUND + WORD - 2];
            for (slot, byte) in round.iter_mut().zip(text.iter().skip(at)) {
                *slot = *byte;
            }
            let seen = Self::steps(slots, &round);
            self.candidates(seen, &round, text, at, &mut on_hit);
            at += ROUND;
        }
    }

    /// The steps of the round that may be part of a literal, one bit each.
    fn steps(slots: &[u64; SLOTS], round: &[u8; ROUND + WORD - 2]) -> u32 {
        let mut seen = 0;
        for step in 0..ROUND / 2 {
            let block = block_at(round, step * 2);
            let bits = slots[block.slot() % SLOTS];
            seen |= (((bits >> block.first()) & (bits >> block.last()) & 1) as u32) << step;
        }
        seen
    }

    #[inline(never)]
    fn candidates(
        &self,
        first: u32,
        round: &[u8; ROUND + WORD - 2],
        text: &[u8],
        base: usize,
        on_hit: &mut impl FnMut(usize, usize),
    ) {
        let Some(second) = self.second.first_chunk() else {
            return;
        };
        // Without a branch on what it comes to: most often nothing stands there.
        let mut seen = 0;
        let mut rest = first;
        while rest != 0 {
            let step = rest.trailing_zeros() as usize % (ROUND / 2);
            rest &= rest - 1;
            seen |= Self::looks_held(second, block_at(round, step * 2)) << step;
        }
        while seen != 0 {
            let at = (seen.trailing_zeros() as usize % (ROUND / 2)) * 2;
            seen &= seen - 1;
            let block = block_at(round, at);
            for entry in self.entries(block.slot()) {
                if (entry.block.0 ^ block.0) & entry.held == 0 {
                    self.compare(entry, text, base + at, on_hit);
                }
            }
        }
    }

    /// 1 where an entry may hold what it holds of this block, else 0.
    fn looks_held(second: &[u8; SECOND], block: Block) -> u32 {
        let [whole, headless, endless, middle] = HELD.map(|held| second[block.hash(held) % SECOND]);
        let any = (whole & 1) | (headless & 2) | (endless & 4) | (middle & 8);
        u32::from(any != 0)
    }

    fn entries(&self, slot: usize) -> &[Entry] {
        match (self.starts.get(slot), self.starts.get(slot + 1)) {
            (Some(from), Some(to)) => self.entries.get(*from as usize..*to as usize),
            _ => None,
        }
        .unwrap_or_default()
    }

    /// Compares a literal with the text around the block at `at`.
    fn compare(
        &self,
        entry: &Entry,
        text: &[u8],
        at: usize,
        on_hit: &mut impl FnMut(usize, usize),
    ) {
        let index = entry.literal as usize;
        let Some(start) = at.checked_add_signed(-entry.back as isize) else {
            return;
        };
        let rest = text.get(start..).unwrap_or_default();
        let (Some(head), Some(literal)) = (self.heads.get(index), self.literals.get(index)) else {
            return;
        };
        if let Some(chunk) = rest.first_chunk() {
            if !head.begins(*chunk) {
                return;
            }
            if literal.bytes.len() <= chunk.len() {
                on_hit(index, start);
                return;
            }
        }
        let Some(found) = rest.get(..literal.bytes.len()) else {
            return;
        };
        if found == literal.bytes
            || (literal.ignore_case && found.eq_ignore_ascii_case(&literal.bytes))
        {
            on_hit(index, start);
        }
    }
}

/// The block of a round that begins at `at`, which is even.
fn block_at(round: &[u8; ROUND + WORD - 2], at: usize) -> Block {
    let mut word = [0; WORD];
    word.copy_from_slice(&round[at..at + WORD]);
    Block::of(word)
}

/// How common four bytes are, folded and sorted.
struct Common(Vec<(u32, u32)>);

impl Common {
    fn new(frequencies: Vec<([u8; 4], u32)>) -> Self {
        let counts = frequencies.into_iter();
        let folded = |bytes| u32::from_le_bytes(bytes) | 0x2020_2020;
        let mut sorted: Vec<_> = counts.map(|(four, count)| (folded(four), count)).collect();
        sorted.sort_unstable();
        Self(sorted)
    }

    fn of(&self, four: &[u8]) -> u32 {
        let Ok(four) = <[u8; 4]>::try_from(four) else {
            return UNKNOWN;
        };
        let folded = u32::from_le_bytes(four) | 0x2020_2020;
        let found = self.0.binary_search_by_key(&folded, |(known, _)| *known);
        found
            .ok()
            .and_then(|at| self.0.get(at))
            .map_or(UNKNOWN, |(_, count)| *count)
    }

    /// How common a block is: no more than the rarer of its halves.
    fn block(&self, block: &[u8]) -> u32 {
        let halves = block.windows(4).map(|four| self.of(four));
        halves.min().unwrap_or(UNKNOWN)
    }

    /// Calls `add(block, held, back)` for the blocks of a literal, with the distance from its start to each.
    fn blocks(&self, literal: &[u8], mut add: impl FnMut(&[u8], u64, i32)) {
        let headless = || [&[0], literal].concat();
        match *literal {
            [a, b, c] => {
                add(&headless(), WHOLE & !FIRST & !LAST, -1);
                // Every other byte is the same when folded.
                let any = (0..=u8::MAX).filter(|byte| byte & 0x20 != 0);
                any.for_each(|any| add(&[a, b, c, any], WHOLE & !LAST, 0));
            }
            [_, _, _, _] => {
                add(&headless(), WHOLE & !FIRST, -1);
                add(literal, WHOLE & !LAST, 0);
            }
            [_, ref rest @ ..] if rest.len() == 4 => {
                add(literal, WHOLE, 0);
                if self.of(rest)
                    < literal
                        .split_last()
                        .map_or(UNKNOWN, |(_, four)| self.of(four))
                {
                    add(rest, WHOLE & !LAST, 1);
                } else {
                    add(&headless(), WHOLE & !FIRST, -1);
                }
            }
            _ => {
                let rarest = literal.windows(6).enumerate().min_by_key(|(_, window)| {
                    let both = window.windows(5).map(|block| self.block(block));
                    both.sum::<u32>()
                });
                if let Some((at, window)) = rarest {
                    for (block, at) in window.windows(5).zip(at as i32..) {
                        add(block, WHOLE, at);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compile(literals: Vec<Literal>) -> Prefilter {
        Prefilter::new(literals, vec![(*b"abca", 7), (*b"pass", 9), (*b"b_bb", 8)])
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
        ) {
            let literals: Vec<Literal> = words
                .into_iter()
                .map(|(word, ignore_case)| Literal {
                    bytes: if ignore_case { word.to_lowercase() } else { word }.into_bytes(),
                    ignore_case,
                })
                .collect();
            let prefilter = compile(literals.clone());
            prop_assert_eq!(found(&prefilter, &text), expected(&literals, &text));
        }
    }

    #[test]
    fn finds_at_both_ends_and_every_offset() {
        let literals = literals(&[("hf_", false), ("AKIA", false), ("password", true)]);
        let prefilter = compile(literals.clone());
        for pad in 0..40 {
            for word in ["hf_", "AKIA", "PassWord"] {
                let text = format!("{}{word}", "z".repeat(pad));
                assert_eq!(found(&prefilter, text.as_bytes()).len(), 1, "{text}");
                let text = format!("{word}{}", "z".repeat(pad));
                assert_eq!(found(&prefilter, text.as_bytes()).len(), 1, "{text}");
            }
        }
    }
}
