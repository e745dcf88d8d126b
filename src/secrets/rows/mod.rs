//! Rows of letters that may be a secret without a form of its own: those with a digit, and those that the word before them
//! calls a secret.

mod simd;

use super::gap::{MOST_SIGNS, NOUNS};
use crate::rules::credentials::{ROW, is_letter};
use std::ops::Range;

/// How far before a row a text decides whether it is one that may be a secret.
pub(super) const BEFORE: usize = MOST_SIGNS + LONGEST_NOUN;
const LONGEST_NOUN: usize = 7;

/// Calls `visit` for every row in a part of a text that may be a secret or hold one, in order. What of a row is beyond the
/// part does not count.
pub(super) fn each(text: &[u8], part: Range<usize>, mut visit: impl FnMut(Range<usize>)) {
    let text = text.get(..part.end).unwrap_or(text);
    let mut last = part.start;
    simd::each(text, part, &mut |place| {
        let is_digit = text.get(place).is_some_and(u8::is_ascii_digit);
        if !is_digit && !is_announced(text, place) {
            return place + 1;
        }
        let before = text.get(last..place).unwrap_or_default();
        let letters = before.iter().rev().take_while(|byte| is_letter(**byte));
        let row = place - letters.count()..end_of_row(text, place);
        last = row.end;
        visit(row);
        last
    });
}

/// A part of a text, and what is left outside of the rows at its ends, up to `most` bytes of each.
pub(super) fn around(text: &[u8], part: Range<usize>, most: usize) -> Range<usize> {
    let before = text.get(..part.start).unwrap_or_default();
    let behind = text.get(part.end..).unwrap_or_default();
    let is_in = |byte: &&u8| is_letter(**byte);
    let start = part.start - before.iter().rev().take(most).take_while(is_in).count();
    start..part.end + behind.iter().take(most).take_while(is_in).count()
}

/// One past the last letter of the row that `from` is in.
fn end_of_row(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let letters = rest.iter().take_while(|byte| is_letter(**byte));
    from + letters.count()
}

/// Whether such a row begins at most `gap` bytes behind `from`, of what there is of it up to `after` bytes behind it.
pub(super) fn follows(text: &[u8], from: usize, gap: usize, after: usize) -> bool {
    let text = text.get(..from + after).unwrap_or(text);
    let mut at = from;
    while at <= from + gap && at < text.len() {
        let row = at..end_of_row(text, at);
        if row.len() >= ROW && may_hold(text, &row) {
            return true;
        }
        at = row.end + 1;
    }
    false
}

/// Whether a secret may be part of a row of letters, or all of it.
fn may_hold(text: &[u8], row: &Range<usize>) -> bool {
    let letters = text.get(row.clone()).unwrap_or_default();
    letters.iter().any(u8::is_ascii_digit)
        || (row.start..=row.end - ROW).any(|start| is_announced(text, start))
}

/// Whether a word for a secret and a few signs stand before `start`.
fn is_announced(text: &[u8], start: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let is_sign = |byte: &&u8| !byte.is_ascii_alphanumeric();
    let signs = before.iter().rev().take_while(is_sign).take(MOST_SIGNS + 1);
    let signs = signs.count();
    (1..=MOST_SIGNS).contains(&signs) && {
        let words = before.get(..start - signs).unwrap_or_default();
        let last = words.last().map(u8::to_ascii_lowercase);
        let mut nouns = NOUNS.iter().filter(|noun| noun.last().copied() == last);
        nouns.any(|noun| ends_with(words, noun))
    }
}

fn ends_with(words: &[u8], noun: &[u8]) -> bool {
    let start = words.len().checked_sub(noun.len());
    start
        .and_then(|start| words.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(noun))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_word_for_a_secret_is_overlooked() {
        for noun in NOUNS {
            assert!(noun.len() <= LONGEST_NOUN);
            let last = noun.last_chunk::<3>().unwrap();
            assert!(
                last.iter()
                    .zip(simd::LAST)
                    .all(|(letter, known)| known.contains(letter))
            );
        }
    }

    #[test]
    fn rows_with_a_digit_and_those_that_are_announced_may_hold_a_secret() {
        let rows = |text: &str| {
            let mut rows = Vec::new();
            each(text.as_bytes(), 0..text.len(), |row| {
                rows.push(text.get(row).unwrap_or_default());
            });
            rows.join(" ")
        };
        let row = "abcdefghijklmnop";
        for (text, expected) in [
            ("abcdefghijklmno1".to_owned(), "abcdefghijklmno1".to_owned()),
            (format!("{row} abcdefghijklmn1"), String::new()),
            (format!("new {row}()"), String::new()),
            (format!("Token: \"{row}\""), row.to_owned()),
            (format!("KEY='\n   {row}"), row.to_owned()),
            (format!("KEY=       {row}"), String::new()),
            (format!("acme_key_{row}"), format!("acme_key_{row}")),
            (format!("acme_keys_{row}"), String::new()),
            (format!("{row}_key_abcdefghijklmno"), String::new()),
        ] {
            assert_eq!(rows(&text), expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn rows_are_those_that_looking_at_every_byte_finds(text in "((key|Token|secret|ACCESS|private|pat)[:= ]{1,8}|[a-c ]{1,3}|[a-c]{14,70}|1|[_=/]|\n){0,30}", start in any::<prop::sample::Index>(), end in any::<prop::sample::Index>()) {
            let text = text.as_bytes();
            let start = start.index(text.len() + 1);
            let part = start..start.max(end.index(text.len() + 1));
            let mut rows = Vec::new();
            each(text, part.clone(), |row| rows.push(row));
            let mut expected = Vec::new();
            let mut at = part.start;
            while at < part.end {
                let row = at..end_of_row(&text[..part.end], at);
                at = row.end + 1;
                if row.len() >= ROW && may_hold(text, &row) {
                    expected.push(row);
                }
            }
            prop_assert_eq!(rows, expected);
        }

        #[test]
        fn what_follows_is_one_of_them(text in "(key|Token[:=]|[a-c ]{1,3}|[a-c]{14,20}|1|[_=/]|\n){0,30}", at in any::<prop::sample::Index>(), gap in 0_usize..20, after in 0_usize..60) {
            let text = text.as_bytes();
            let from = at.index(text.len() + 1);
            let mut rows = Vec::new();
            each(text, 0..text.len(), |row| rows.push(row));
            let follows = follows(text, from, gap, after);
            let near = |row: &Range<usize>| from < row.end && row.start <= from + gap;
            prop_assert!(!follows || rows.iter().any(near), "{:?}", rows);
            // What is farther away decides nothing.
            let start = from.saturating_sub(BEFORE);
            let part = &text[start..text.len().min(from + after)];
            prop_assert_eq!(super::follows(part, from - start, gap, after), follows);
        }

        #[test]
        fn every_secret_is_such_a_row(before in "[a-z_=:\" ]{0,20}", secret in "[a-c1_/]{16,30}", behind in "[a-c1= \n]{0,20}") {
            let text = [before.as_str(), &secret, &behind].concat();
            let after = before.len() + secret.len();
            if secret.bytes().any(|byte| byte.is_ascii_digit()) {
                prop_assert!(follows(text.as_bytes(), 0, before.len(), after));
            }
        }
    }
}
