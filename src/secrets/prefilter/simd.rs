//! The first looks at a text, as vectors where the processor has them: where blocks stand that a table knows, and where
//! three bytes stand that may be a literal. Both write down places without a branch on what they see.

use super::short::Masks;

/// What folds letters to one case; other bytes may collide, which costs a further look and no match.
pub(super) const FOLD: u32 = 0x2020_2020;
/// Bytes of a round.
pub(super) const ROUND: usize = 32;
/// Bytes that are read behind a round.
const BEHIND: usize = 2;
/// Slots of a table.
pub(super) const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 14;
/// Bits of a slot.
pub(super) const BITS: usize = 8;
/// Places that are written at once, whether or not there are so many: room that has to be there.
pub(super) const SPARE: usize = ROUND;
const MIX: u32 = 0x9e37_79b1;

/// A byte for each slot. Longer than there are slots, so that every number of 16 bits has a place and none is checked;
/// only the slots are ever read, and they fit the nearest cache.
pub(super) type Table = [u8; TABLE];
/// Bytes of a table.
pub(super) const TABLE: usize = 1 << 16;

/// The slot of a folded block: of its first three bytes.
pub(super) const fn slot(block: u32) -> usize {
    ((block << 8).wrapping_mul(MIX) >> (32 - SLOT_BITS)) as usize
}

/// The bit in its slot: of its last byte.
pub(super) const fn bit(block: u32) -> u32 {
    block >> 24 & 7
}

/// Writes to `places` where blocks of the table stand, at even offsets of `text`; returns how many. The text is as long
/// as some rounds and what is read behind the last.
#[allow(
    unsafe_code,
    reason = "a function for a kind of processor is called once it is known to be of that kind"
)]
pub(super) fn blocks(table: &Table, text: &[u8], places: &mut [u16]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if wide::is_there() {
        // SAFETY: the processor has what the function is made for, which was asked right above.
        return unsafe { wide::blocks(table, text, places) };
    }
    plain::blocks(table, text, places)
}

/// The same for places at any offset where three bytes pass the masks.
#[allow(
    unsafe_code,
    reason = "a function for a kind of processor is called once it is known to be of that kind"
)]
pub(super) fn threes(masks: &Masks, text: &[u8], places: &mut [u16]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if wide::is_there() {
        // SAFETY: as above.
        return unsafe { wide::threes(masks, text, places) };
    }
    plain::threes(masks, text, places)
}

/// Calls `look` with every round of a text and what is read behind it, and writes down the places that its bits name,
/// `step` bytes apart.
#[allow(
    clippy::inline_always,
    reason = "it has to become part of functions for a kind of processor"
)]
#[inline(always)]
fn each_round(
    text: &[u8],
    places: &mut [u16],
    step: u32,
    mut look: impl FnMut(&[u8; ROUND + BEHIND]) -> u32,
) -> usize {
    /// Most rounds have no more.
    const FEW: usize = 2;
    let mut count = 0;
    let mut at = 0;
    while let Some(round) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let mut seen = look(round);
        let some = seen.count_ones() as usize;
        let room = places.get_mut(count..);
        if let Some(room) = room.and_then(<[u16]>::first_chunk_mut::<SPARE>) {
            let mut write = |slot: &mut u16| {
                *slot = (at as u32 + seen.trailing_zeros() * step) as u16;
                seen &= seen.wrapping_sub(1);
            };
            room.iter_mut().take(FEW).for_each(&mut write);
            if some > FEW {
                room.iter_mut().take(some).skip(FEW).for_each(write);
            }
            count += some;
        }
        at += ROUND;
    }
    count
}

/// On any processor.
mod plain {
    use super::{FOLD, Masks, ROUND, Table, bit, each_round, slot};

    pub(super) fn blocks(table: &Table, text: &[u8], places: &mut [u16]) -> usize {
        each_round(text, places, 2, |round| {
            let mut seen = 0;
            for step in 0..ROUND / 2 {
                let mut block = [0; 4];
                block.copy_from_slice(&round[step * 2..step * 2 + 4]);
                let block = u32::from_le_bytes(block) | FOLD;
                seen |= u32::from(table[slot(block)] >> bit(block) & 1) << step;
            }
            seen
        })
    }

    pub(super) fn threes(masks: &Masks, text: &[u8], places: &mut [u16]) -> usize {
        let [first, second, third] = &masks.both;
        each_round(text, places, 1, |round| {
            let groups = |at: usize| {
                first[round[at] as usize]
                    & second[round[at + 1] as usize]
                    & third[round[at + 2] as usize]
            };
            // Most often nothing stands there.
            if (0..ROUND).fold(0, |any, at| any | groups(at)) == 0 {
                return 0;
            }
            (0..ROUND).fold(0, |seen, at| seen | u32::from(groups(at) != 0) << at)
        })
    }
}

/// On processors with AVX2.
#[cfg(target_arch = "x86_64")]
mod wide {
    use super::{FOLD, MIX, Masks, SLOT_BITS, Table, each_round};
    use std::arch::x86_64::{
        __m256i, _mm_and_si128, _mm_cmpeq_epi8, _mm_insert_epi8, _mm_movemask_epi8, _mm_or_si128,
        _mm_packus_epi16, _mm_set1_epi8, _mm_set1_epi64x, _mm_setzero_si128, _mm_shuffle_epi8,
        _mm256_and_si256, _mm256_castsi256_si128, _mm256_cmpeq_epi8, _mm256_extract_epi64,
        _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_mullo_epi32,
        _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8, _mm256_set1_epi32,
        _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_epi32, _mm256_srli_epi16,
        _mm256_srli_epi32,
    };

    /// Puts bytes into a vector, one by one: that costs half of what putting them together as a number does.
    macro_rules! insert {
        ($vector:ident, $byte:ident, $($at:literal)*) => {
            $($vector = _mm_insert_epi8::<$at>($vector, $byte($at));)*
        };
    }

    /// Whether this processor is one of them.
    #[inline]
    pub(super) fn is_there() -> bool {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt")
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn blocks(table: &Table, text: &[u8], places: &mut [u16]) -> usize {
        let fold = _mm256_set1_epi32(FOLD as i32);
        let bits = i64::from_le_bytes([1, 2, 4, 8, 16, 32, 64, 128]);
        let bits = _mm_set1_epi64x(bits);
        let seven = _mm_set1_epi8(7);
        each_round(text, places, 2, |round| {
            // The blocks at steps 0, 2, 4 …, and those at 1, 3, 5 ….
            let even = _mm256_or_si256(load(round.first_chunk()), fold);
            let odd = _mm256_or_si256(load(round.last_chunk()), fold);
            // In the lower and the upper halves of words: all in the order of steps.
            let slots = words(beside(slots_of(even), slots_of(odd)));
            let known = |at: usize| i32::from(table[slots[at] as usize]);
            let (mut low, mut high) = (_mm_setzero_si128(), _mm_setzero_si128());
            insert!(low, known, 0 1 2 3 4 5 6 7);
            insert!(high, known, 8 9 10 11 12 13 14 15);
            let known = _mm_or_si128(low, high);
            let last = beside(_mm256_srli_epi32::<24>(even), _mm256_srli_epi32::<24>(odd));
            let last = _mm_packus_epi16(
                _mm256_castsi256_si128(last),
                _mm256_extracti128_si256::<1>(last),
            );
            let wanted = _mm_shuffle_epi8(bits, _mm_and_si128(last, seven));
            let passes = _mm_cmpeq_epi8(_mm_and_si128(known, wanted), wanted);
            _mm_movemask_epi8(passes) as u32
        })
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn threes(masks: &Masks, text: &[u8], places: &mut [u16]) -> usize {
        let [low, high] = [&masks.low, &masks.high];
        let low = [twice(&low[0]), twice(&low[1]), twice(&low[2])];
        let high = [twice(&high[0]), twice(&high[1]), twice(&high[2])];
        let nibble = _mm256_set1_epi8(15);
        each_round(text, places, 1, |round| {
            let mut all = _mm256_set1_epi8(-1);
            for (at, (low, high)) in low.iter().zip(&high).enumerate() {
                let bytes = load(round.split_at(at).1.first_chunk());
                let right = _mm256_shuffle_epi8(*low, _mm256_and_si256(bytes, nibble));
                let left = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
                let groups = _mm256_and_si256(right, _mm256_shuffle_epi8(*high, left));
                all = _mm256_and_si256(all, groups);
            }
            let none = _mm256_cmpeq_epi8(all, _mm256_setzero_si256());
            !(_mm256_movemask_epi8(none) as u32)
        })
    }

    /// The slots of blocks.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn slots_of(blocks: __m256i) -> __m256i {
        let mix = _mm256_set1_epi32(MIX as i32);
        let mixed = _mm256_mullo_epi32(_mm256_slli_epi32::<8>(blocks), mix);
        _mm256_srli_epi32::<{ 32 - SLOT_BITS as i32 }>(mixed)
    }

    /// Numbers below 2^16, those of one vector in the lower and those of the other in the upper halves of words.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn beside(low: __m256i, high: __m256i) -> __m256i {
        _mm256_or_si256(low, _mm256_slli_epi32::<16>(high))
    }

    /// 16 bytes, two times.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn twice(bytes: &[u8; 16]) -> __m256i {
        let [low, high] = halves(*bytes);
        _mm256_set_epi64x(high, low, high, low)
    }

    /// 32 bytes as a vector.
    #[allow(unsafe_code, reason = "vectors are read from arrays")]
    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(bytes: Option<&[u8; 32]>) -> __m256i {
        match bytes {
            // SAFETY: the array has as many bytes as are read.
            Some(bytes) => unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) },
            None => _mm256_setzero_si256(),
        }
    }

    /// The words of 16 bits of a vector.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn words(vector: __m256i) -> [u16; 16] {
        let quarters = [
            _mm256_extract_epi64::<0>(vector),
            _mm256_extract_epi64::<1>(vector),
            _mm256_extract_epi64::<2>(vector),
            _mm256_extract_epi64::<3>(vector),
        ];
        let mut words = [0; 16];
        for (word, at) in words.iter_mut().zip(0_u32..) {
            *word = (quarters[at as usize / 4] >> (at % 4 * 16)) as u16;
        }
        words
    }

    /// 16 bytes as two numbers.
    #[inline]
    fn halves(bytes: [u8; 16]) -> [i64; 2] {
        let (words, _) = bytes.as_chunks::<8>();
        [i64::from_le_bytes(words[0]), i64::from_le_bytes(words[1])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_see_the_same(
            text in proptest::collection::vec(any::<u8>(), 0..200),
            threes in proptest::collection::vec((0_usize..9, any::<[u8; 3]>(), any::<bool>()), 0..9),
        ) {
            let rounds = text.len().saturating_sub(BEHIND) / ROUND * ROUND;
            let mut text = text;
            text.truncate(rounds + BEHIND);
            let table: Vec<u8> = (0..TABLE).map(|at| (at * 37 / 8) as u8).collect();
            let table = table.first_chunk().unwrap();
            let mut masks = Masks::default();
            for (group, three, ignore_case) in threes {
                masks.add(group, three, ignore_case);
            }
            let (mut one, mut other) = ([0; 256], [0; 256]);
            let found = blocks(table, &text, &mut one);
            prop_assert_eq!(found, plain::blocks(table, &text, &mut other));
            prop_assert_eq!(&one[..found], &other[..found]);
            let found = super::threes(&masks, &text, &mut one);
            prop_assert_eq!(found, plain::threes(&masks, &text, &mut other));
            prop_assert_eq!(&one[..found], &other[..found]);
        }
    }
}
