//! What all searches have in common that look at many bytes at a time.

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256,
    _mm256_movemask_epi8, _mm256_set_epi64x, _mm256_set1_epi8, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_srli_epi16, _mm512_loadu_si512,
};

/// Bytes that are looked at together.
const WIDTH: usize = 64;
/// Bytes of a vector of AVX2.
const HALF: usize = WIDTH / 2;

/// Whether this processor has AVX-512 and its permutations of bytes.
#[inline]
pub(super) fn are_there() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi")
}

/// 64 bytes as a vector.
#[allow(unsafe_code, reason = "vectors are read from arrays")]
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load(bytes: &[u8; WIDTH]) -> __m512i {
    // SAFETY: the array has as many bytes as are read.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// A kind of ASCII bytes, told by the two halves of each.
pub(super) struct Kind {
    /// For each lower half of a byte, a bit for each upper half with which it makes one of them.
    low: [u8; 16],
    /// For each upper half its bit.
    high: [u8; 16],
}

impl Kind {
    /// The bytes that are marked. Every upper half below eight has a bit, and no ASCII byte has another.
    pub(super) const fn of(marked: &[bool; 128]) -> Self {
        let mut kind = Self {
            low: [0; 16],
            high: [0; 16],
        };
        let mut byte = 0;
        while byte < marked.len() {
            if marked[byte] {
                kind.low[byte & 15] |= 1 << (byte >> 4);
                kind.high[byte >> 4] |= 1 << (byte >> 4);
            }
            byte += 1;
        }
        kind
    }

    /// Those of 64 bytes that are of this kind, as bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn bits(&self, bytes: &[u8; WIDTH]) -> u64 {
        let (low, high) = (twice(&self.low), twice(&self.high));
        let nibble = _mm256_set1_epi8(15);
        let (halves, _) = bytes.as_chunks::<HALF>();
        halves.iter().rev().fold(0, |bits, half| {
            let bytes = load_half(half);
            let right = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble));
            let left = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
            let both = _mm256_and_si256(right, _mm256_shuffle_epi8(high, left));
            let none = _mm256_cmpeq_epi8(both, _mm256_setzero_si256());
            bits << HALF | u64::from(!(_mm256_movemask_epi8(none) as u32))
        })
    }
}

/// 32 bytes as a vector.
#[allow(unsafe_code, reason = "vectors are read from arrays")]
#[inline]
#[target_feature(enable = "avx2")]
fn load_half(bytes: &[u8; HALF]) -> __m256i {
    // SAFETY: the array has as many bytes as are read.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// 16 bytes, two times.
#[inline]
#[target_feature(enable = "avx2")]
fn twice(bytes: &[u8; 16]) -> __m256i {
    let (words, _) = bytes.as_chunks::<8>();
    let [low, high] = [words[0], words[1]].map(i64::from_le_bytes);
    _mm256_set_epi64x(high, low, high, low)
}
