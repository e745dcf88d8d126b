//! Where the bytes stand that one group of literals has, on processors with AVX-512 and its permutations of bytes: 64 places
//! at a time, without a branch on what is there.

use super::super::vectors::{self, load};
use super::groups::{GROUPS, Masks, WINDOW};
use super::{ROUND, SPARE};
use std::arch::x86_64::{
    __m512i, _mm512_add_epi16, _mm512_and_si512, _mm512_castsi512_si256, _mm512_cvtepu8_epi16,
    _mm512_extracti64x4_epi64, _mm512_maskz_compress_epi8, _mm512_movepi8_mask, _mm512_or_si512,
    _mm512_permutex2var_epi8, _mm512_set1_epi8, _mm512_set1_epi16, _mm512_setzero_si512,
    _mm512_storeu_si512, _mm512_test_epi8_mask,
};

/// Bytes that are read behind a round.
pub(super) const BEHIND: usize = WINDOW - 1;
/// Groups of a byte.
const BITS: usize = 8;

/// A round and what is read behind it.
type Round = [u8; ROUND + BEHIND];

/// The masks of eight groups.
type Eight = [[[u8; ROUND]; 2]; WINDOW];

/// The masks of all groups that have literals.
pub(super) struct Tables(Vec<Eight>);

impl Tables {
    /// `None` on other processors.
    pub(super) fn new(masks: &Masks, groups: usize) -> Option<Self> {
        if !is_there() {
            return None;
        }
        let mut tables = vec![[[[0; ROUND]; 2]; WINDOW]; GROUPS.min(groups) / BITS];
        for (eight, places) in tables.iter_mut().enumerate() {
            for (place, mask) in places.iter_mut().zip(masks) {
                for (groups, known) in place.as_flattened_mut().iter_mut().zip(mask) {
                    *groups = known.to_le_bytes()[eight];
                }
            }
        }
        Some(Self(tables))
    }

    /// Writes the places of `text` at which a group has all bytes, in order; returns how many. The text is as long as some
    /// rounds and what is read behind the last.
    #[allow(
        unsafe_code,
        reason = "a function for a kind of processor is called once it is known to be of that kind"
    )]
    pub(super) fn places(&self, text: &[u8], places: &mut [u16]) -> usize {
        match self.0.as_slice() {
            // SAFETY: tables are made only where the processor has what the function is made for.
            [one, other] => unsafe { written([one, other], text, places) },
            // SAFETY: as above.
            [one] => unsafe { written([one], text, places) },
            _ => 0,
        }
    }
}

/// Whether this processor is one of them.
pub(super) fn is_there() -> bool {
    vectors::are_there()
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("popcnt")
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")]
fn written<const EIGHTS: usize>(
    tables: [&Eight; EIGHTS],
    text: &[u8],
    places: &mut [u16],
) -> usize {
    let mut numbers = [0; ROUND];
    for (number, at) in numbers.iter_mut().zip(0..) {
        *number = at;
    }
    let numbers = load(&numbers);
    let mut vectors = [[[_mm512_setzero_si512(); 2]; WINDOW]; EIGHTS];
    for (vectors, places) in vectors.iter_mut().zip(tables) {
        for (vectors, place) in vectors.iter_mut().zip(places) {
            *vectors = [load(&place[0]), load(&place[1])];
        }
    }
    let mut count = 0;
    let mut at = 0;
    while let Some(round) = text.get(at..).and_then(<[u8]>::first_chunk)
        && let Some(room) = places.get_mut(count..).and_then(<[u16]>::first_chunk_mut)
    {
        let round: &Round = round;
        let room: &mut [u16; SPARE] = room;
        let mut bytes = [_mm512_setzero_si512(); WINDOW];
        for (place, bytes) in bytes.iter_mut().enumerate() {
            if let Some(round) = round[place..].first_chunk() {
                *bytes = load(round);
            }
        }
        let mut any = _mm512_setzero_si512();
        for tables in &vectors {
            let mut all = _mm512_set1_epi8(-1);
            for ([low, high], bytes) in tables.iter().zip(&bytes) {
                all = _mm512_and_si512(all, _mm512_permutex2var_epi8(*low, *bytes, *high));
            }
            any = _mm512_or_si512(any, all);
        }
        // What is beyond ASCII is looked up as if it were not.
        let seen = _mm512_test_epi8_mask(any, any) & !_mm512_movepi8_mask(bytes[0]);
        let found = _mm512_maskz_compress_epi8(seen, numbers);
        let from = _mm512_set1_epi16(at as i16);
        let (low, high) = room.split_at_mut(SPARE / 2);
        let some = seen.count_ones() as usize;
        let numbers = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(found));
        store(low, _mm512_add_epi16(from, numbers));
        if some > SPARE / 2 {
            let numbers = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64::<1>(found));
            store(high, _mm512_add_epi16(from, numbers));
        }
        count += some;
        at += ROUND;
    }
    count
}

/// Writes 32 numbers.
#[allow(unsafe_code, reason = "vectors are written to arrays")]
#[inline]
#[target_feature(enable = "avx512f")]
fn store(room: &mut [u16], numbers: __m512i) {
    if let Some(room) = room.first_chunk_mut::<{ SPARE / 2 }>() {
        // SAFETY: the array has as many bytes as are written.
        unsafe { _mm512_storeu_si512(room.as_mut_ptr().cast(), numbers) };
    }
}
