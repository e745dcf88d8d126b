//! The first look at a text for rows of letters, many bytes at a time. It tells of rows with a digit, and of those that may be
//! announced; which they are is for a look at the bytes themselves.

#[cfg(target_arch = "x86_64")]
use super::super::vectors;
use crate::rules::credentials::ROW;
use std::ops::Range;

/// Bytes of a block.
const BLOCK: usize = 64;

/// Starts of rows that are looked for in a block: what makes a row of each is in the block too.
const STARTS: usize = BLOCK + 1 - ROW;
/// How far before a block the one begins in which words for secrets are looked for.
const LEAD: usize = 9;

/// Where bytes of some kinds stand in a block, as bits.
#[derive(Clone, Copy)]
struct Words {
    /// Letters of ASCII, and digits.
    alphanumeric: u64,
    /// Letters that are the last but two, the last but one and the last of words for secrets.
    ends: [u64; 3],
}

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
    reason = "it has to become part of a function for a kind of processor, and of its vectors"
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

/// The kinds of a byte.
const fn kinds(byte: u8) -> u8 {
    let mut kinds = 0;
    kinds |= if is::<LETTER>(byte) { LETTER } else { 0 };
    kinds |= if is::<DIGIT>(byte) { DIGIT } else { 0 };
    kinds |= if is::<ALPHANUMERIC>(byte) {
        ALPHANUMERIC
    } else {
        0
    };
    kinds |= if is::<FIRST>(byte) { FIRST } else { 0 };
    kinds |= if is::<SECOND>(byte) { SECOND } else { 0 };
    kinds | if is::<THIRD>(byte) { THIRD } else { 0 }
}

impl Words {
    /// The places that a word for a secret may stand before, with fewer than seven bytes in between.
    const fn announced(self) -> u64 {
        let [first, second, third] = self.ends;
        let signs = (first << 3 & second << 2 & third << 1) & !self.alphanumeric;
        let signs = signs | signs << 1;
        let signs = signs | signs << 2;
        let signs = signs | signs << 2;
        signs << 1
    }
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
    search(
        text,
        part,
        bits::<LETTER>,
        bits::<LETTER>,
        bits::<DIGIT>,
        words,
        visit,
    );
}

/// The same with a way to tell the letters of a block: a first one, which may take bytes beyond ASCII for letters, and one that
/// does not; and ways to tell its digits and words.
#[allow(
    clippy::inline_always,
    reason = "it has to become part of a function for a kind of processor"
)]
#[inline(always)]
fn search(
    text: &[u8],
    part: Range<usize>,
    maybe_letters: impl Fn(&[u8; BLOCK]) -> u64,
    letters: impl Fn(&[u8; BLOCK]) -> u64,
    digits: impl Fn(&[u8; BLOCK]) -> u64,
    words: impl Fn(&[u8; BLOCK]) -> Words,
    visit: &mut dyn FnMut(usize) -> usize,
) {
    let text = text.get(..part.end).unwrap_or(text);
    let (mut at, mut next) = (part.start, part.start);
    while at < text.len() {
        let copied;
        let block = if let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk) {
            block
        } else {
            copied = edge(text, at, 0);
            &copied
        };
        if starts(maybe_letters(block)) != 0 {
            let starts = starts(letters(block));
            let copied;
            let before = at.checked_sub(LEAD).and_then(|from| text.get(from..));
            let before = if let Some(before) = before.and_then(<[u8]>::first_chunk) {
                before
            } else {
                copied = edge(text, at, LEAD);
                &copied
            };
            let announced = words(before).announced() >> LEAD;
            let mut telling = whole(starts) & digits(block) | starts & announced;
            while telling != 0 {
                let place = at + telling.trailing_zeros() as usize;
                telling &= telling - 1;
                if place >= next {
                    next = visit(place);
                }
            }
        }
        at += STARTS;
    }
}

/// The block that begins `lead` bytes before a place near an end of a text, with what is no letter where the text is not.
#[cold]
fn edge(text: &[u8], at: usize, lead: usize) -> [u8; BLOCK] {
    let mut edge = [0; BLOCK];
    let known = lead.min(at);
    let rest = text.get(at - known..).unwrap_or_default();
    let inside = edge.iter_mut().skip(lead - known);
    inside.zip(rest).for_each(|(to, from)| *to = *from);
    edge
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

fn words(block: &[u8; BLOCK]) -> Words {
    Words {
        alphanumeric: bits::<ALPHANUMERIC>(block),
        ends: [
            bits::<FIRST>(block),
            bits::<SECOND>(block),
            bits::<THIRD>(block),
        ],
    }
}

/// On processors with AVX-512 and its permutations of bytes.
#[cfg(target_arch = "x86_64")]
mod wide {
    use super::super::super::vectors::load;
    use super::{ALPHANUMERIC, BLOCK, DIGIT, FIRST, LETTER, SECOND, THIRD, Words};
    use std::arch::x86_64::{
        _mm512_movepi8_mask, _mm512_permutex2var_epi8, _mm512_set1_epi8, _mm512_test_epi8_mask,
    };
    use std::ops::Range;

    /// The kinds of each ASCII byte; no other has any.
    const KINDS: [[u8; BLOCK]; 2] = {
        let mut table = [[0; BLOCK]; 2];
        let mut byte = 0;
        while byte < 2 * BLOCK {
            table[byte / BLOCK][byte % BLOCK] = super::kinds(byte as u8);
            byte += 1;
        }
        table
    };

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn each(text: &[u8], part: Range<usize>, visit: &mut dyn FnMut(usize) -> usize) {
        let (low, high) = (load(&KINDS[0]), load(&KINDS[1]));
        let is = |kinds, kind: u8| _mm512_test_epi8_mask(kinds, _mm512_set1_epi8(kind as i8));
        let of = |block: &[u8; BLOCK]| _mm512_permutex2var_epi8(low, load(block), high);
        let ascii = |block: &[u8; BLOCK]| !_mm512_movepi8_mask(load(block));
        super::search(
            text,
            part,
            |block| is(of(block), LETTER),
            |block| is(of(block), LETTER) & ascii(block),
            |block| is(of(block), DIGIT),
            |block| {
                let (kinds, ascii) = (of(block), ascii(block));
                Words {
                    alphanumeric: is(kinds, ALPHANUMERIC) & ascii,
                    ends: [FIRST, SECOND, THIRD].map(|end| is(kinds, end) & ascii),
                }
            },
            visit,
        );
    }
}

/// On processors with AVX2, as the compiler puts it.
#[cfg(target_arch = "x86_64")]
mod half {
    use super::{ALPHANUMERIC, BLOCK, DIGIT, FIRST, LETTER, SECOND, THIRD, Words, is};
    use std::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_slli_epi16};
    use std::ops::Range;

    #[target_feature(enable = "avx2")]
    pub(super) fn each(text: &[u8], part: Range<usize>, visit: &mut dyn FnMut(usize) -> usize) {
        super::search(
            text,
            part,
            |block| bits::<LETTER>(block),
            |block| bits::<LETTER>(block),
            |block| bits::<DIGIT>(block),
            |block| Words {
                alphanumeric: bits::<ALPHANUMERIC>(block),
                ends: [
                    bits::<FIRST>(block),
                    bits::<SECOND>(block),
                    bits::<THIRD>(block),
                ],
            },
            visit,
        );
    }

    /// The bits of those bytes of a block that are of a kind.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn bits<const KIND: u8>(block: &[u8; BLOCK]) -> u64 {
        let marks = block.map(|byte| u8::from(is::<KIND>(byte)));
        let (halves, _) = marks.as_chunks();
        let halves = halves.iter().rev();
        halves.fold(0, |bits, half| bits << 32 | u64::from(lowest_bits(half)))
    }

    /// The lowest bits of 32 bytes.
    #[allow(unsafe_code, reason = "vectors are read from arrays")]
    #[inline]
    #[target_feature(enable = "avx2")]
    fn lowest_bits(bytes: &[u8; 32]) -> u32 {
        // SAFETY: the array has as many bytes as are read.
        let bytes: __m256i = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
        _mm256_movemask_epi8(_mm256_slli_epi16::<7>(bytes)) as u32
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
                places.push(place);
                place + skipped
            });
            all.push(places);
        };
        way(&|visit| {
            search(
                text,
                part.clone(),
                bits::<LETTER>,
                bits::<LETTER>,
                bits::<DIGIT>,
                words,
                visit,
            );
        });
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
            let Words { alphanumeric, ends } = words(&block);
            let [first, second, third] = ends;
            let bits_of = |is| if is { u64::MAX } else { 0 };
            let lower = byte.to_ascii_lowercase();
            assert_eq!(bits::<LETTER>(&block), bits_of(is_letter(byte)), "{byte}");
            assert_eq!(bits::<DIGIT>(&block), bits_of(byte.is_ascii_digit()));
            assert_eq!(alphanumeric, bits_of(byte.is_ascii_alphanumeric()));
            for (bits, letters) in [first, second, third].into_iter().zip(LAST) {
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
            prop_oneof![40 => Just(b'a'), 5 => proptest::sample::select(b"1=key \n".to_vec()), 1 => any::<u8>()], 0..400),
            from in 0_usize..90, skipped in 1_usize..90) {
            let part = from.min(text.len())..text.len();
            let mut found = all_ways(&text, part, skipped);
            found.dedup();
            prop_assert_eq!(found.len(), 1, "{:?}", found);
        }
    }
}
