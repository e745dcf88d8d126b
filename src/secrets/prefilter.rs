//! Finds every occurrence of some hundred literals in one pass.
//!
//! Of each literal one window of four bytes is chosen for rarity. Text is looked at in steps of two bytes: whatever the
//! parity of an occurrence, one of the window's two blocks of three bytes falls on a step. A block, folded to one letter
//! case and hashed to 17 bits, is looked up in a bitmap of 16 KiB that stays in the first-level cache; only where its bit is
//! set are the literals of that hash compared, eight bytes at once. Steps do not depend on one another, so the processor overlaps them.
//!
//! A literal of three bytes has one block on even starts; on odd starts, any byte followed by its first two.

use std::collections::BTreeMap;

/// A literal to find.
#[derive(Clone, Debug)]
pub(super) struct Literal {
    /// At least three ASCII bytes; lower case where `ignore_case`.
    pub bytes: Vec<u8>,
    /// Whether it matches in any ASCII letter case.
    pub ignore_case: bool,
}

#[derive(Clone, Copy)]
struct Entry {
    /// Folded block.
    block: u32,
    /// Which literal.
    literal: u32,
    /// How far the literal's start lies before the block; negative: after it.
    back: i32,
    /// What decides without a look at the literal itself.
    head: Head,
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
    /// One bit per hash.
    bits: Box<[u64; WORDS]>,
    /// How many bits are set before each word.
    ranks: Vec<u32>,
    /// `entries[starts[r]..starts[r + 1]]` are those of the hash whose bit is the `r`th that is set. Small enough, as the
    /// bitmap is, to stay in a cache.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

const HASH_BITS: u32 = 17;
const WORDS: usize = (1 << HASH_BITS) / 64;
/// Bytes advanced per round; a round reads two bytes more.
const ROUND: usize = 16;

/// The three low bytes, letters in lower case; other bytes may collide, which costs a comparison and no match.
const fn fold(word: u32) -> u32 {
    (word & 0x00ff_ffff) | 0x0020_2020
}

const fn hash(block: u32) -> usize {
    (block.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

fn block_of(bytes: [u8; 3]) -> u32 {
    let [a, b, c] = bytes;
    fold(u32::from_le_bytes([a, b, c, 0]))
}

impl Prefilter {
    /// Compiles literals; `frequencies` tells how common three neighbouring bytes are, per million.
    pub(super) fn new(literals: Vec<Literal>, frequencies: &BTreeMap<[u8; 3], u32>) -> Self {
        let common: BTreeMap<u32, u32> = frequencies
            .iter()
            .map(|(bytes, count)| (block_of(*bytes), *count))
            .collect();
        let mut entries = Vec::new();
        for (index, literal) in literals.iter().enumerate() {
            for (block, back) in blocks(&literal.bytes, &common) {
                entries.push(Entry {
                    block,
                    literal: index as u32,
                    back,
                    head: Head::of(literal),
                });
            }
        }
        entries.sort_by_key(|entry| (hash(entry.block), entry.literal, entry.back, entry.block));
        let mut bits = Box::new([0_u64; WORDS]);
        let mut starts = Vec::new();
        let mut last = None;
        for (at, entry) in entries.iter().enumerate() {
            let hash = hash(entry.block);
            if last != Some(hash) {
                starts.push(at as u32);
            }
            last = Some(hash);
            if let Some(word) = bits.get_mut(hash / 64) {
                *word |= 1 << (hash % 64);
            }
        }
        starts.push(entries.len() as u32);
        let ranks = bits
            .iter()
            .scan(0, |before, word| {
                let rank = *before;
                *before += word.count_ones();
                Some(rank)
            })
            .collect();
        Self {
            literals,
            bits,
            ranks,
            starts,
            entries,
        }
    }

    /// Calls `on_hit(literal, start)` for every occurrence, in no particular order.
    pub(super) fn find(&self, text: &[u8], mut on_hit: impl FnMut(usize, usize)) {
        let mut at = 0;
        while let Some(round) = text
            .get(at..)
            .and_then(<[u8]>::first_chunk::<{ ROUND + 4 }>)
        {
            let seen = self.steps(round);
            if seen != 0 {
                self.candidates(seen, round, text, at, &mut on_hit);
            }
            at += ROUND;
        }
        // The rest, padded so that its last blocks are whole.
        while at < text.len() {
            let mut round = [0_u8; ROUND + 4];
            for (slot, byte) in round.iter_mut().zip(text.iter().skip(at)) {
                *slot = *byte;
            }
            let seen = self.steps(&round);
            self.candidates(seen, &round, text, at, &mut on_hit);
            at += ROUND;
        }
    }

    fn bit(&self, block: u32) -> u64 {
        let at = hash(block);
        self.bits[(at / 64) % WORDS] >> (at % 64) & 1
    }

    /// The steps of the round that may be part of a literal, one bit each.
    fn steps(&self, round: &[u8; ROUND + 4]) -> u64 {
        let mut seen = 0;
        for step in 0..ROUND / 2 {
            let at = step * 2;
            let word = u32::from_le_bytes([round[at], round[at + 1], round[at + 2], round[at + 3]]);
            seen |= self.bit(fold(word)) << step;
        }
        seen
    }

    #[inline(never)]
    fn candidates(
        &self,
        mut seen: u64,
        round: &[u8; ROUND + 4],
        text: &[u8],
        base: usize,
        on_hit: &mut impl FnMut(usize, usize),
    ) {
        while seen != 0 {
            let at = (seen.trailing_zeros() as usize % (ROUND / 2)) * 2;
            seen &= seen - 1;
            let block = block_of([round[at], round[at + 1], round[at + 2]]);
            self.compare(block, text, base + at, on_hit);
        }
    }

    /// The entries of a block whose bit is set.
    fn entries(&self, block: u32) -> &[Entry] {
        let hash = hash(block);
        let (Some(word), Some(rank)) = (self.bits.get(hash / 64), self.ranks.get(hash / 64)) else {
            return &[];
        };
        let below = word & ((1 << (hash % 64)) - 1);
        let slot = (rank + below.count_ones()) as usize;
        let (Some(from), Some(to)) = (self.starts.get(slot), self.starts.get(slot + 1)) else {
            return &[];
        };
        self.entries
            .get(*from as usize..*to as usize)
            .unwrap_or_default()
    }

    fn compare(&self, block: u32, text: &[u8], at: usize, on_hit: &mut impl FnMut(usize, usize)) {
        for entry in self
            .entries(block)
            .iter()
            .filter(|entry| entry.block == block)
        {
            let Some(start) = at.checked_add_signed(-entry.back as isize) else {
                continue;
            };
            let rest = text.get(start..).unwrap_or_default();
            if rest
                .first_chunk()
                .is_some_and(|chunk| !entry.head.begins(*chunk))
            {
                continue;
            }
            let Some(literal) = self.literals.get(entry.literal as usize) else {
                continue;
            };
            let Some(found) = rest.get(..literal.bytes.len()) else {
                continue;
            };
            if found == literal.bytes
                || (literal.ignore_case && found.eq_ignore_ascii_case(&literal.bytes))
            {
                on_hit(entry.literal as usize, start);
            }
        }
    }
}

/// The blocks of a literal, with the distance from its start to each.
fn blocks(literal: &[u8], common: &BTreeMap<u32, u32>) -> Vec<(u32, i32)> {
    if let &[a, b, c] = literal {
        let mut out = vec![(block_of([a, b, c]), 0)];
        let mut before: Vec<u32> = (0..=255).map(|any| block_of([any, a, b])).collect();
        before.sort_unstable();
        before.dedup();
        out.extend(before.into_iter().map(|block| (block, -1)));
        return out;
    }
    let window = literal.windows(4).enumerate().min_by_key(|(_, window)| {
        let count = |bytes: &[u8]| match *bytes {
            [a, b, c] => common.get(&block_of([a, b, c])).copied().unwrap_or(0),
            _ => 0,
        };
        window.windows(3).map(count).sum::<u32>()
    });
    match window {
        Some((at, &[a, b, c, d])) => vec![
            (block_of([a, b, c]), at as i32),
            (block_of([b, c, d]), at as i32 + 1),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compile(literals: Vec<Literal>) -> Prefilter {
        Prefilter::new(
            literals,
            &BTreeMap::from([(*b"abc", 7), (*b"pas", 9), (*b"b_b", 3)]),
        )
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
