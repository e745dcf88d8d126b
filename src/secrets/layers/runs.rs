//! Finding long runs of the letters that base64 and hexadecimal are written in, without stopping where there are none.
//!
//! A run of [`SHORTEST`] bytes covers two neighbouring words of eight bytes whole. So blocks of eight words are classified
//! without a branch, which processors do many bytes at a time, and only around two words of letters is the extent of the
//! run found out.

use std::ops::Range;

/// Shortest run that is looked into: what is shorter holds no credential.
pub(super) const SHORTEST: usize = 24;

/// Bytes of a word.
const WORD: usize = 8;
/// Words of a block.
const WORDS: usize = 8;
const BLOCK: usize = WORD * WORDS;

/// Whether a byte is a letter of base64, in its ordinary form or the one for addresses.
pub(super) const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

static LETTER: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_letter(byte as u8) as u8;
        byte += 1;
    }
    table
};

/// Calls `visit` for every maximal run of at least [`SHORTEST`] letters, in order; the search goes on behind the offset
/// that it returns.
pub(super) fn each(text: &[u8], mut visit: impl FnMut(Range<usize>) -> usize) {
    let mut at = 0;
    // Whether the word before this block is all letters.
    let mut before = false;
    // The first byte that may belong to a run not yet handed out.
    let mut floor = 0;
    while at < text.len() {
        let words = if let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
            letters_of(block)
        } else {
            // Filled up with what is no letter.
            let mut block = [0; BLOCK];
            let rest = text.get(at..).unwrap_or_default();
            if let Some(filled) = block.get_mut(..rest.len()) {
                filled.copy_from_slice(rest);
            }
            letters_of(&block)
        };
        let mut any = before && words[0] == u64::MAX;
        for pair in words.windows(2) {
            any |= matches!(pair, [a, b] if a & b == u64::MAX);
        }
        if !any {
            before = words[WORDS - 1] == u64::MAX;
            at += BLOCK;
            continue;
        }
        let second = (0..WORDS).find(|word| {
            let left = match word.checked_sub(1) {
                Some(left) => words.get(left) == Some(&u64::MAX),
                None => before,
            };
            left && words.get(*word) == Some(&u64::MAX)
        });
        let inside = at + second.unwrap_or(0) * WORD;
        let run = extent(text, inside.max(floor), floor);
        let mut next = run.end;
        if run.len() >= SHORTEST {
            next = visit(run).max(next);
        }
        floor = next;
        // The byte behind a run is no letter: nothing that was before counts.
        at = next;
        before = false;
    }
}

/// Of each word, all ones in the bytes that are letters.
fn letters_of(block: &[u8; BLOCK]) -> [u64; WORDS] {
    let mut marks = [0_u8; BLOCK];
    for (mark, byte) in marks.iter_mut().zip(block) {
        let alphabetic = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit_or_slash = byte.wrapping_sub(b'/') < 11;
        let other = matches!(byte, b'+' | b'-' | b'_');
        *mark = u8::from(alphabetic || digit_or_slash || other).wrapping_neg();
    }
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(marks.as_chunks::<WORD>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

/// The maximal run around `inside`, not before `floor`.
fn extent(text: &[u8], inside: usize, floor: usize) -> Range<usize> {
    let before = text.get(floor..inside).unwrap_or_default();
    let start = before
        .iter()
        .rposition(|byte| !is_letter(*byte))
        .map_or(floor, |at| floor + at + 1);
    start..end_of_run(text, inside)
}

/// One past the last letter of the run that `from` is in.
pub(super) fn end_of_run(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter()
        .position(|byte| LETTER[*byte as usize] == 0)
        .map_or(text.len(), |length| from + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &[u8]) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        each(text, |run| {
            let end = run.end;
            runs.push(run);
            end
        });
        runs
    }

    fn naive(text: &[u8]) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        let mut start = 0;
        for at in 0..=text.len() {
            if text.get(at).is_some_and(|byte| is_letter(*byte)) {
                continue;
            }
            if at - start >= SHORTEST {
                runs.push(start..at);
            }
            start = at + 1;
        }
        runs
    }

    #[test]
    fn both_ways_to_tell_letters_agree() {
        for byte in 0..=255 {
            let all = letters_of(&[byte; BLOCK]) == [u64::MAX; WORDS];
            assert_eq!(all, is_letter(byte), "{byte}");
            assert_eq!(LETTER[byte as usize] == 1, is_letter(byte));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn finds_what_looking_at_every_byte_finds(
            parts in proptest::collection::vec((0_usize..70, 1_usize..4), 0..8)
        ) {
            let mut text = Vec::new();
            for (letters, gap) in parts {
                text.extend(std::iter::repeat_n(b'a', letters));
                text.extend(std::iter::repeat_n(b' ', gap));
            }
            prop_assert_eq!(found(&text), naive(&text));
        }
    }
}
