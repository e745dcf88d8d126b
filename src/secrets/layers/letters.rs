//! Which bytes are letters that base64 and hexadecimal are written in, many bytes at a time.

use super::super::blocks::{self, BLOCK};
#[cfg(target_arch = "x86_64")]
use super::super::vectors;

/// Letters in a row that are looked for.
pub(super) const ROW: u32 = 24;

/// Whether a byte is a letter of base64, in its ordinary form or the one for addresses.
pub(super) const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Whether a byte is a letter, by its value.
pub(super) static LETTER: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_letter(byte as u8);
        byte += 1;
    }
    table
};

/// Calls `visit` for every start of [`ROW`] letters in a row, in order; the search goes on at the place that it returns.
#[allow(
    unsafe_code,
    reason = "a function for a kind of processor is called once it is known to be of that kind"
)]
pub(super) fn each_row(text: &[u8], visit: &mut dyn FnMut(usize) -> usize) {
    #[cfg(target_arch = "x86_64")]
    {
        if vectors::are_there() {
            // SAFETY: the processor has what the function is made for, which was asked right above.
            return unsafe { wide::each_row(text, visit) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { half::each_row(text, visit) };
        }
    }
    search(text, plain, visit);
}

/// The same with a way to tell the letters of a block, as bits.
#[allow(
    clippy::inline_always,
    reason = "it has to become part of a function for a kind of processor"
)]
#[inline(always)]
fn search(
    text: &[u8],
    letters: impl Fn(&[u8; BLOCK]) -> u64,
    visit: &mut dyn FnMut(usize) -> usize,
) {
    let mut next = 0;
    let begin = |block: &[u8; BLOCK]| starts_of_rows(letters(block));
    blocks::telling(text, 0, STARTS, begin, |at, starts| {
        let left = |next: usize| {
            let passed = u32::try_from(next.saturating_sub(at)).ok();
            let mask = passed.and_then(|passed| u64::MAX.checked_shl(passed));
            starts & mask.unwrap_or(0)
        };
        let mut starts = left(next);
        while starts != 0 {
            let start = at + starts.trailing_zeros() as usize;
            next = visit(start).max(start + 1);
            starts = left(next);
        }
    });
}

/// Places of a block at which rows begin that are in it whole: the next block begins behind them.
const STARTS: usize = BLOCK + 1 - ROW as usize;

/// Of the letters of a block, those that as many letters begin with as make a row.
const fn starts_of_rows(letters: u64) -> u64 {
    let two = letters & letters >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    eight & eight >> 8 & eight >> (ROW - 8)
}

/// The letters of a block on any processor.
fn plain(block: &[u8; BLOCK]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Brings the lowest bits of eight bytes together in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut marks = [0_u8; BLOCK];
    for (mark, byte) in marks.iter_mut().zip(block) {
        let alphabetic = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit_or_slash = byte.wrapping_sub(b'/') < 11;
        let other = matches!(byte, b'+' | b'-' | b'_');
        *mark = u8::from(alphabetic || digit_or_slash || other);
    }
    let (words, _) = marks.as_chunks::<8>();
    words.iter().rev().fold(0, |bits, word| {
        bits << 8 | (u64::from_le_bytes(*word) & ONES).wrapping_mul(GATHER) >> 56
    })
}

/// On processors with AVX-512 and its permutations of bytes.
#[cfg(target_arch = "x86_64")]
mod wide {
    use super::super::super::vectors::load;
    use super::{BLOCK, is_letter};
    use std::arch::x86_64::{_mm512_movepi8_mask, _mm512_permutex2var_epi8, _mm512_test_epi8_mask};

    /// Of each ASCII byte, whether it is a letter; no other is.
    const LETTERS: [[u8; BLOCK]; 2] = {
        let mut table = [[0; BLOCK]; 2];
        let mut byte = 0;
        while byte < 2 * BLOCK {
            table[byte / BLOCK][byte % BLOCK] = is_letter(byte as u8) as u8;
            byte += 1;
        }
        table
    };

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn each_row(text: &[u8], visit: &mut dyn FnMut(usize) -> usize) {
        let (low, high) = (load(&LETTERS[0]), load(&LETTERS[1]));
        let letters = |block: &[u8; BLOCK]| {
            let bytes = load(block);
            let letters = _mm512_permutex2var_epi8(low, bytes, high);
            _mm512_test_epi8_mask(letters, letters) & !_mm512_movepi8_mask(bytes)
        };
        super::search(text, letters, visit);
    }
}

/// On processors with AVX2.
#[cfg(target_arch = "x86_64")]
mod half {
    use super::super::super::vectors::Kind;

    const LETTERS: Kind = {
        let mut letters = [false; 128];
        let mut byte = 0;
        while byte < letters.len() {
            letters[byte] = super::is_letter(byte as u8);
            byte += 1;
        }
        Kind::of(&letters)
    };

    #[target_feature(enable = "avx2")]
    pub(super) fn each_row(text: &[u8], visit: &mut dyn FnMut(usize) -> usize) {
        super::search(text, |block| LETTERS.bits(block), visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_are_told_by_every_way() {
        for byte in 0..=255 {
            assert_eq!(LETTER[byte as usize], is_letter(byte));
            let bits = if is_letter(byte) { u64::MAX } else { 0 };
            assert_eq!(plain(&[byte; BLOCK]), bits, "{byte}");
            let rows = if is_letter(byte) { STARTS } else { 0 };
            for starts in all_rows(&[byte; BLOCK], 1) {
                assert_eq!(starts.len(), rows, "{byte}");
            }
        }
        let mut block = [b' '; BLOCK];
        block[3] = b'a';
        block[61] = b'_';
        assert_eq!(plain(&block), 1 << 3 | 1 << 61);
    }

    /// A way to look at a text.
    type Way<'w> = &'w dyn Fn(&mut dyn FnMut(usize) -> usize);

    /// What every way that this processor has finds.
    #[allow(
        unsafe_code,
        reason = "a function for a kind of processor is called once it is known to be of that kind"
    )]
    fn all_rows(text: &[u8], skipped: usize) -> Vec<Vec<usize>> {
        let mut all = Vec::new();
        let mut way = |each: Way<'_>| {
            let mut starts = Vec::new();
            each(&mut |start| {
                starts.push(start);
                start + skipped
            });
            all.push(starts);
        };
        way(&|visit| search(text, plain, visit));
        way(&|visit| each_row(text, visit));
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function is made for, which was asked right above.
            way(&|visit| unsafe { half::each_row(text, visit) });
        }
        all
    }

    proptest! {
        #[test]
        fn all_ways_find_the_same(text in proptest::collection::vec(
            prop_oneof![40 => Just(b'a'), 1 => any::<u8>()], 0..400), skipped in 1_usize..90) {
            let mut found = all_rows(&text, skipped);
            found.dedup();
            prop_assert_eq!(found.len(), 1, "{:?}", found);
        }
    }
}
