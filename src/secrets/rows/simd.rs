//! The first look at a text for rows of letters, many bytes at a time. It tells of rows with a digit, and of those that may be
//! announced; which they are is for a look at the bytes themselves.

use super::super::blocks::{self, BLOCK, block};
#[cfg(target_arch = "x86_64")]
use super::super::vectors;
use crate::rules::credentials::ROW;
use std::ops::Range;

/// Starts of rows that are looked for in a block: what makes a row of each is in the block too.
const STARTS: usize = BLOCK + 1 - ROW;
/// How far before a block the one begins in which words for secrets are looked for.
const LEAD: usize = 9;

/// Kinds of a byte.
const LETTER: u8 = 128;
const DIGIT: u8 = 1;
const ALPHANUMERIC: u8 = 2;
const FIRST: u8 = 4;
const SECOND: u8 = 8;
const THIRD: u8 = 16;

/// The letters that are the last but two, the last but one and the last of [`NOUNS`](super::NOUNS).
#[cfg(test)]
pub(super) const LAST: [&[u8]; 3] = [b"krepa", b"esta", b"yntse"];

/// Whether a byte is of a kind; without a branch, so that many can be looked at together.
#[allow(
    clippy::inline_always,
    clippy::needless_bitwise_bool,
    reason = "it has to become part of a loop over many bytes"
)]
#[inline(always)]
const fn is<const KIND: u8>(byte: u8) -> bool {
    let lower = byte | 0x20;
    let digit = byte.wrapping_sub(b'0') < 10;
    let alphanumeric = digit | (lower.wrapping_sub(b'a') < 26);
    match KIND {
        LETTER => {
            let point_or_slash = byte.wrapping_sub(b'-') < 3;
            alphanumeric | point_or_slash | (byte == b'_') | (byte == b'+') | (byte == b'=')
        }
        DIGIT => digit,
        ALPHANUMERIC => alphanumeric,
        FIRST => {
            (lower == b'k') | (lower == b'r') | (lower == b'e') | (lower == b'p') | (lower == b'a')
        }
        SECOND => (lower == b'e') | (lower == b's') | (lower == b't') | (lower == b'a'),
        THIRD => {
            (lower == b'y') | (lower == b'n') | (lower == b't') | (lower == b's') | (lower == b'e')
        }
        _ => false,
    }
}

/// The signs behind what may be the end of a word for a secret: where its last but two, its last but one and its last letter
/// stand, and what is no sign.
const fn signs(ends: [u64; 3], alphanumeric: u64) -> u64 {
    let [first, second, third] = ends;
    (first << 3 & second << 2 & third << 1) & !alphanumeric
}

/// The places that such a sign is before, with fewer than six more bytes in between.
const fn announced(signs: u64) -> u64 {
    let signs = signs | signs << 1;
    let signs = signs | signs << 2;
    let signs = signs | signs << 2;
    signs << 1
}

/// Of a block with these letters, the [`STARTS`] at which rows begin.
const fn starts(letters: u64) -> u64 {
    const { assert!(ROW == 16) };
    let two = letters & letters >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    eight & eight >> 8
}

/// Rows from where they begin.
const fn whole(starts: u64) -> u64 {
    let rows = starts | starts << 1;
    let rows = rows | rows << 2;
    let rows = rows | rows << 4;
    rows | rows << 8
}

/// Calls `visit` with every place in a part of a text that tells of a row, in order; the search goes on at the place that it
/// returns. What is beyond the part does not count.
#[allow(
    unsafe_code,
    reason = "a function for a kind of processor is called once it is known to be of that kind"
)]
pub(super) fn each(text: &[u8], part: Range<usize>, visit: &mut dyn FnMut(usize) -> usize) {
    #[cfg(target_arch = "x86_64")]
    {
        if vectors::are_there() {
            // SAFETY: the processor has what the function is made for, which was asked right above.
            return unsafe { wide::each(text, part, visit) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { half::each(text, part, visit) };
        }
    }
    plainly(text, part, visit);
}

/// The same on any processor.
fn plainly(text: &[u8], part: Range<usize>, visit: &mut dyn FnMut(usize) -> usize) {
    search(
        text,
        part,
        bits::<LETTER>,
        bits::<DIGIT>,
        |block| {
            let ends = [
                bits::<FIRST>(block),
                bits::<SECOND>(block),
                bits::<THIRD>(block),
            ];
            signs(ends, bits::<ALPHANUMERIC>(block))
        },
        visit,
    );
}

/// The same with ways to tell the letters and the digits of a block, and the signs behind what may be words for secrets.
#[allow(
    clippy::inline_always,
    reason = "it has to become part of a function for a kind of processor"
)]
#[inline(always)]
fn search(
    text: &[u8],
    part: Range<usize>,
    letters: impl Fn(&[u8; BLOCK]) -> u64,
    digits: impl Fn(&[u8; BLOCK]) -> u64,
    signs: impl Fn(&[u8; BLOCK]) -> u64,
    visit: &mut dyn FnMut(usize) -> usize,
) {
    let text = text.get(..part.end).unwrap_or(text);
    let mut room = [0; BLOCK];
    let mut next = part.start;
    let begin = |block: &[u8; BLOCK]| starts(letters(block));
    blocks::telling(text, part.start, STARTS, begin, |at, starts| {
        let announced = announced(signs(block(text, at, LEAD, &mut room))) >> LEAD;
        let digits = digits(block(text, at, 0, &mut room));
        let mut telling = whole(starts) & digits | starts & announced;
        while telling != 0 {
            let place = at + telling.trailing_zeros() as usize;
            telling &= telling - 1;
            if place >= next {
                next = visit(place);
            }
        }
    });
}

const ONES: u64 = 0x0101_0101_0101_0101;
/// Brings the lowest bits of eight bytes together in the highest byte.
const GATHER: u64 = 0x0102_0408_1020_4080;

/// The bits of those bytes of a block that are of a kind, on any processor.
fn bits<const KIND: u8>(block: &[u8; BLOCK]) -> u64 {
    let marks = block.map(|byte| u8::from(is::<KIND>(byte)));
    let (words, _) = marks.as_chunks::<8>();
    words.iter().rev().fold(0, |bits, word| {
        bits << 8 | (u64::from_le_bytes(*word) & ONES).wrapping_mul(GATHER) >> 56
    })
}

/// On processors with AVX-512 and its permutations of bytes.
#[cfg(target_arch = "x86_64")]
mod wide {
    use super::super::super::vectors::load;
    use super::{ALPHANUMERIC, BLOCK, DIGIT, LETTER, is};
    use std::arch::x86_64::{
        _mm512_movepi8_mask, _mm512_permutex2var_epi8, _mm512_set1_epi8, _mm512_test_epi8_mask,
    };
    use std::ops::Range;

    /// Something of each ASCII byte.
    type Table = [[u8; BLOCK]; 2];

    /// Kinds of each byte.
    const KINDS: Table = {
        let mut table = [[0; BLOCK]; 2];
        let mut byte = 0;
        while byte < 2 * BLOCK {
            let one = byte as u8;
            let kinds = &mut table[byte / BLOCK][byte % BLOCK];
            *kinds |= if is::<LETTER>(one) { LETTER } else { 0 };
            *kinds |= if is::<DIGIT>(one) { DIGIT } else { 0 };
            *kinds |= if is::<ALPHANUMERIC>(one) {
                ALPHANUMERIC
            } else {
                0
            };
            byte += 1;
        }
        table
    };

    /// The letters at the ends of words for secrets: a bit for each of them, but for two that end the same word.
    const ENDS: [&[u8]; 8] = [b"k", b"e", b"yn", b"r", b"t", b"s", b"a", b"p"];
    const K: usize = 0;
    const E: usize = 1;
    const Y_N: usize = 2;
    const R: usize = 3;
    const T: usize = 4;
    const S: usize = 5;
    const A: usize = 6;
    const P: usize = 7;
    /// Which of these a byte is.
    const END: Table = {
        let mut table = [[0; BLOCK]; 2];
        let mut end = 0;
        while end < ENDS.len() {
            let mut at = 0;
            while at < ENDS[end].len() {
                let letter = ENDS[end][at] as usize;
                table[1][letter % BLOCK] |= 1 << end;
                table[1][(letter ^ 0x20) % BLOCK] |= 1 << end;
                at += 1;
            }
            end += 1;
        }
        table
    };

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn each(text: &[u8], part: Range<usize>, visit: &mut dyn FnMut(usize) -> usize) {
        let kinds = [load(&KINDS[0]), load(&KINDS[1])];
        let ends = [load(&END[0]), load(&END[1])];
        let of = |block: &[u8; BLOCK], [low, high]: [_; 2]| {
            _mm512_permutex2var_epi8(low, load(block), high)
        };
        let is = |kinds, kind: u8| _mm512_test_epi8_mask(kinds, _mm512_set1_epi8(kind as i8));
        // What is beyond ASCII is looked up as if it were not.
        let ascii = |block: &[u8; BLOCK]| !_mm512_movepi8_mask(load(block));
        super::search(
            text,
            part,
            |block| _mm512_movepi8_mask(of(block, kinds)) & ascii(block),
            |block| is(of(block, kinds), DIGIT),
            |block| {
                let ends = of(block, ends);
                let end = |end: usize| is(ends, 1 << end);
                // key, token; secret; access; private; pat
                let words = (end(K) << 2 & end(E) << 1 & end(Y_N))
                    | (end(R) << 2 & end(E) << 1 & end(T))
                    | (end(E) << 2 & end(S) << 1 & end(S))
                    | (end(A) << 2 & end(T) << 1 & end(E))
                    | (end(P) << 2 & end(A) << 1 & end(T));
                let alphanumeric = is(of(block, kinds), ALPHANUMERIC) & ascii(block);
                words << 1 & !alphanumeric
            },
            visit,
        );
    }
}

/// On processors with AVX2.
#[cfg(target_arch = "x86_64")]
mod half {
    use super::super::super::vectors::Kind;
    use super::{ALPHANUMERIC, DIGIT, FIRST, LETTER, SECOND, THIRD, is};
    use std::ops::Range;

    const fn kind<const KIND: u8>() -> Kind {
        let mut marked = [false; 128];
        let mut byte = 0;
        while byte < marked.len() {
            marked[byte] = is::<KIND>(byte as u8);
            byte += 1;
        }
        Kind::of(&marked)
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn each(text: &[u8], part: Range<usize>, visit: &mut dyn FnMut(usize) -> usize) {
        const LETTERS: Kind = kind::<LETTER>();
        const DIGITS: Kind = kind::<DIGIT>();
        const ALPHANUMERICS: Kind = kind::<ALPHANUMERIC>();
        const ENDS: [Kind; 3] = [kind::<FIRST>(), kind::<SECOND>(), kind::<THIRD>()];
        super::search(
            text,
            part,
            |block| LETTERS.bits(block),
            |block| DIGITS.bits(block),
            |block| {
                let [first, second, third] = &ENDS;
                let ends = [first.bits(block), second.bits(block), third.bits(block)];
                super::signs(ends, ALPHANUMERICS.bits(block))
            },
            visit,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::credentials::is_letter;
    use proptest::prelude::*;

    /// A way to look at a text.
    type Way<'w> = &'w dyn Fn(&mut dyn FnMut(usize) -> usize);

    /// What every way that this processor has finds.
    #[allow(
        unsafe_code,
        reason = "a function for a kind of processor is called once it is known to be of that kind"
    )]
    fn all_ways(text: &[u8], part: Range<usize>, skipped: usize) -> Vec<Vec<usize>> {
        let mut all = Vec::new();
        let mut way = |each: Way<'_>| {
            let mut places = Vec::new();
            each(&mut |place| {
                // Which words for secrets are told apart is for each way.
                if !text[place].is_ascii_digit() && !super::super::is_announced(text, place) {
                    return place + 1;
                }
                places.push(place);
                place + skipped
            });
            all.push(places);
        };
        way(&|visit| plainly(text, part.clone(), visit));
        way(&|visit| each(text, part.clone(), visit));
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function is made for, which was asked right above.
            way(&|visit| unsafe { half::each(text, part.clone(), visit) });
        }
        all
    }

    #[test]
    fn kinds_are_told_alike() {
        for byte in 0..=u8::MAX {
            let block = [byte; BLOCK];
            let bits_of = |is| if is { u64::MAX } else { 0 };
            let lower = byte.to_ascii_lowercase();
            assert_eq!(bits::<LETTER>(&block), bits_of(is_letter(byte)), "{byte}");
            assert_eq!(bits::<DIGIT>(&block), bits_of(byte.is_ascii_digit()));
            let is = byte.is_ascii_alphanumeric();
            assert_eq!(bits::<ALPHANUMERIC>(&block), bits_of(is));
            let ends = [
                bits::<FIRST>(&block),
                bits::<SECOND>(&block),
                bits::<THIRD>(&block),
            ];
            for (bits, letters) in ends.into_iter().zip(LAST) {
                assert_eq!(bits, bits_of(letters.contains(&lower)), "{byte}");
            }
        }
        let mut block = [b' '; BLOCK];
        block[3] = b'a';
        block[61] = b'_';
        assert_eq!(bits::<LETTER>(&block), 1 << 3 | 1 << 61);
    }

    proptest! {
        #[test]
        fn all_ways_find_the_same(text in proptest::collection::vec(
            prop_oneof![40 => Just(b'a'), 5 => proptest::sample::select(b"1=keynrtsap \n".to_vec()), 1 => any::<u8>()], 0..400),
            from in 0_usize..90, skipped in 1_usize..90) {
            let part = from.min(text.len())..text.len();
            let mut found = all_ways(&text, part, skipped);
            found.dedup();
            prop_assert_eq!(found.len(), 1, "{:?}", found);
        }
    }
}
