//! What all searches with AVX-512 and its permutations of bytes have in common.

use std::arch::x86_64::{__m512i, _mm512_loadu_si512};

/// Bytes of a vector.
const WIDTH: usize = 64;

/// Whether this processor has both.
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
