//! Finding long runs of the letters that base64 and hexadecimal are written in, without stopping where there are none.

use super::letters::{LETTER, ROW, each_row};
use std::ops::Range;

/// Shortest run that is looked into: what is shorter holds no credential.
pub(super) const SHORTEST: usize = ROW as usize;

/// Calls `visit` for every maximal run of at least [`SHORTEST`] letters, in order; the search goes on behind the offset
/// that it returns.
pub(super) fn each(text: &[u8], mut visit: impl FnMut(Range<usize>) -> usize) {
    each_row(text, &mut |start| {
        let run = start..end_of_run(text, start + SHORTEST - 1);
        // The byte behind a run is no letter: nothing before it counts.
        run.end.max(visit(run))
    });
}

/// One past the last letter of the run that `from` is in.
pub(super) fn end_of_run(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter()
        .position(|byte| !LETTER[*byte as usize])
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
            if text.get(at).is_some_and(|byte| LETTER[*byte as usize]) {
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
