//! Finds every occurrence of some hundred literals in one pass.
//!
//! Of each literal one window of four bytes is chosen for rarity. Text is looked at in steps of two bytes: whatever the
//! parity of an occurrence, one of the window's two blocks of three bytes falls on a step. A block, folded to one letter
//! case and hashed to 17 bits, is looked up in a bitmap of 16 KiB that stays in the first-level cache; only where its bit is
//! set are the literals of that hash compared. Steps do not depend on one another, so the processor overlaps them.
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
}

/// The compiled literals.
pub(super) struct Prefilter {
    literals: Vec<Literal>,
    /// One bit per hash.
    bits: Box<[u64; WORDS]>,
    /// `entries[starts[h]..starts[h + 1]]` are those of hash `h`.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

const HASH_BITS: u32 = 17;
const HASHES: usize = 1 << HASH_BITS;
const WORDS: usize = HASHES / 64;
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
                });
            }
        }
        entries.sort_by_key(|entry| (hash(entry.block), entry.literal, entry.back, entry.block));
        let mut bits = Box::new([0_u64; WORDS]);
        let mut starts = vec![0_u32; HASHES + 1];
        for entry in &entries {
            let at = hash(entry.block);
            if let Some(word) = bits.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
            if let Some(count) = starts.get_mut(at + 1) {
                *count += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        Self {
            literals,
            bits,
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
            if self.any(round) {
                self.candidates(round, text, at, &mut on_hit);
            }
            at += ROUND;
        }
        // The rest, padded so that its last blocks are whole.
        while at < text.len() {
            let mut round = [0_u8; ROUND + 4];
            for (slot, byte) in round.iter_mut().zip(text.iter().skip(at)) {
                *slot = *byte;
            }
            self.candidates(&round, text, at, &mut on_hit);
            at += ROUND;
        }
    }

    fn bit(&self, block: u32) -> u64 {
        let at = hash(block);
        self.bits[(at / 64) % WORDS] >> (at % 64)
    }

    /// Whether any step of the round may be part of a literal.
    fn any(&self, round: &[u8; ROUND + 4]) -> bool {
        let mut seen = 0;
        for step in 0..ROUND / 2 {
            let at = step * 2;
            let word = u32::from_le_bytes([round[at], round[at + 1], round[at + 2], round[at + 3]]);
            seen |= self.bit(fold(word));
        }
        seen & 1 == 1
    }

    #[inline(never)]
    fn candidates(
        &self,
        round: &[u8; ROUND + 4],
        text: &[u8],
        base: usize,
        on_hit: &mut impl FnMut(usize, usize),
    ) {
        for step in 0..ROUND / 2 {
            let at = step * 2;
            let block = block_of([round[at], round[at + 1], round[at + 2]]);
            if self.bit(block) & 1 == 1 {
                self.compare(block, text, base + at, on_hit);
            }
        }
    }

    fn compare(&self, block: u32, text: &[u8], at: usize, on_hit: &mut impl FnMut(usize, usize)) {
        let hash = hash(block);
        let (Some(from), Some(to)) = (self.starts.get(hash), self.starts.get(hash + 1)) else {
            return;
        };
        let entries = self
            .entries
            .get(*from as usize..*to as usize)
            .unwrap_or_default();
        for entry in entries.iter().filter(|entry| entry.block == block) {
            let Some(start) = at.checked_add_signed(-entry.back as isize) else {
                continue;
            };
            let Some(literal) = self.literals.get(entry.literal as usize) else {
                continue;
            };
            let Some(found) = text.get(start..start.saturating_add(literal.bytes.len())) else {
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
