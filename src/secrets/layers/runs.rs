//! Finding long runs of the letters that base64 and hexadecimal are written in, without looking at every byte.
//!
//! A run of [`SHORTEST`] bytes covers six offsets in a row that are multiples of four; so only those are looked at, eight
//! at a time, and only around six that all may belong to a run is its extent found out.

use std::ops::Range;

/// Shortest run that is looked into: what is shorter holds no credential.
pub(super) const SHORTEST: usize = 24;

const STEP: usize = 4;
const BLOCK: usize = 32;

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

fn letter(byte: u8) -> u32 {
    u32::from(LETTER[byte as usize])
}

/// Calls `visit` for every maximal run of at least [`SHORTEST`] letters, in order; the search goes on behind the offset
/// that it returns.
pub(super) fn each(text: &[u8], mut visit: impl FnMut(Range<usize>) -> usize) {
    let mut at = 0;
    let mut before = 0_u32;
    // The first byte that may belong to a run not yet handed out.
    let mut floor = 0;
    while at < text.len() {
        let now = match text.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
            Some(block) => looked_at(block),
            None => rest(text, at),
        };
        let seen = before | (now << 8);
        let pairs = seen & (seen >> 1);
        let fours = pairs & (pairs >> 2);
        let sixes = fours & (pairs >> 4);
        if sixes == 0 {
            before = now;
            at += BLOCK;
            continue;
        }
        // The lowest bit is the oldest of the sixteen offsets; the block before begins eight steps back.
        let first = (at + sixes.trailing_zeros() as usize * STEP).saturating_sub(BLOCK);
        let run = extent(text, first.max(floor), floor);
        let mut next = run.end;
        if run.len() >= SHORTEST {
            next = visit(run).max(next);
        }
        floor = next;
        // Back onto a multiple of the step, so that every offset that is looked at is one. The byte behind a run is no
        // letter: nothing that was before counts.
        at = next.next_multiple_of(STEP);
        before = 0;
    }
}

fn looked_at(block: &[u8; BLOCK]) -> u32 {
    letter(block[0])
        | letter(block[4]) << 1
        | letter(block[8]) << 2
        | letter(block[12]) << 3
        | letter(block[16]) << 4
        | letter(block[20]) << 5
        | letter(block[24]) << 6
        | letter(block[28]) << 7
}

fn rest(text: &[u8], at: usize) -> u32 {
    let mut seen = 0;
    for step in 0..BLOCK / STEP {
        if let Some(byte) = text.get(at + step * STEP) {
            seen |= letter(*byte) << step;
        }
    }
    seen
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
