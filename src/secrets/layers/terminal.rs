//! Text with the control sequences of terminals, such as colours: `ESC [ 32 m`. A letter ends most of them, so a token
//! behind one would read like the end of a longer word.

use super::map::Mapped;
use std::ops::Range;

/// What begins a sequence.
const ESCAPE: u8 = 0x1b;
/// Most bytes from one sequence to the next of what is read as one text, so that lines that belong together stay together.
const APART: usize = 1024;
/// Longest sequence.
const SEQUENCE: usize = 256;
/// Longest text that is made at once.
const LONGEST: usize = super::LONGEST;

/// Hands out the parts of a text with control sequences, without them. Whole lines.
pub(super) fn each(text: &[u8], mut visit: impl FnMut(Mapped)) {
    let mut from = 0;
    while let Some(first) = memchr::memchr(ESCAPE, text.get(from..).unwrap_or_default()) {
        let first = from + first;
        let start = line_start(text, from, first);
        let end = end_of_lines(text, first);
        from = end;
        if let Some(mapped) = stripped(text, start..end) {
            visit(mapped);
        }
    }
}

/// The lines around those of `slice` out of which [`each`] makes the same texts that touch it as out of all lines.
pub(super) fn around(text: &[u8], slice: Range<usize>) -> Range<usize> {
    let mut start = slice.start;
    while start > 0 {
        let left = start.saturating_sub(APART);
        match memchr::memchr(ESCAPE, text.get(left..start).unwrap_or_default()) {
            Some(at) => start = line_start(text, 0, left + at),
            None => break,
        }
    }
    let right = text.len().min(slice.end + APART);
    let near = text.get(slice.start..right).unwrap_or_default();
    let end = memchr::memrchr(ESCAPE, near).map_or(0, |at| end_of_lines(text, slice.start + at));
    start..end.max(slice.end)
}

fn line_start(text: &[u8], from: usize, at: usize) -> usize {
    let before = text.get(from..at).unwrap_or_default();
    memchr::memrchr(b'\n', before).map_or(from, |end| from + end + 1)
}

/// The end of the line of the last of the sequences that follow one another from `first` on.
fn end_of_lines(text: &[u8], first: usize) -> usize {
    let mut last = first;
    loop {
        let behind = text.get(last + 1..).unwrap_or_default();
        let line = memchr::memchr(b'\n', behind).map_or(behind.len(), |end| end + 1);
        let next = behind.get(..line.max(APART.min(behind.len())));
        match memchr::memrchr(ESCAPE, next.unwrap_or_default()) {
            Some(at) if last + 1 + at - first < LONGEST => last += 1 + at,
            _ => return last + 1 + line,
        }
    }
}

/// A part of a text without its sequences; `None` where it has none.
fn stripped(text: &[u8], part: Range<usize>) -> Option<Mapped> {
    let mut mapped = Mapped::default();
    let mut plain = part.start;
    let mut at = part.start;
    let mut any = false;
    while let Some(next) = memchr::memchr(ESCAPE, text.get(at..part.end)?) {
        at += next;
        let length = sequence(text.get(at..part.end)?);
        if length == 0 {
            at += 1;
            continue;
        }
        mapped.push(text.get(plain..at)?, plain..at);
        at += length;
        plain = at;
        any = true;
    }
    mapped.push(text.get(plain..part.end)?, plain..part.end);
    any.then_some(mapped)
}

/// Length of the sequence that begins a text, 0 where none does: parameters and a letter behind `ESC [`, a title or an
/// address behind `ESC ]`, a set of characters behind `ESC (`, else one character.
/// ECMA-48, 5th edition, 5.4 and 5.6.
fn sequence(text: &[u8]) -> usize {
    let rest = text.get(2..text.len().min(SEQUENCE)).unwrap_or_default();
    match text.get(1) {
        Some(b'[') => {
            let parameters = rest
                .iter()
                .take_while(|byte| matches!(byte, 0x20..=0x3f))
                .count();
            match rest.get(parameters) {
                Some(0x40..=0x7e) => parameters + 3,
                _ => 0,
            }
        }
        Some(b']') => match rest
            .iter()
            .position(|byte| matches!(*byte, 0x07 | ESCAPE | b'\n'))
        {
            Some(end) if rest.get(end) == Some(&0x07) => end + 3,
            Some(end) if rest.get(end..end + 2) == Some(b"\x1b\\") => end + 4,
            _ => 0,
        },
        Some(b'(' | b')') if !rest.is_empty() => 3,
        Some(b'7' | b'8' | b'=' | b'>' | b'c' | b'D' | b'E' | b'H' | b'M') => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &[u8]) -> Vec<(Vec<u8>, Range<usize>)> {
        let mut out = Vec::new();
        each(text, |mapped| {
            out.push((mapped.bytes.clone(), mapped.whole()));
        });
        out
    }

    #[test]
    fn lines_are_read_without_their_colours() {
        let text = b"plain\n\x1b[32mtoken\x1b[0m: \x1b[1;33mabc\x1b[0m\nnext \x1b]8;;http://x\x07link\x1b]8;;\x1b\\\nplain\n";
        let found = all(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, b"token: abc\nnext link\n");
        assert!(all(b"a \x1b b").is_empty());
        let apart = [
            &b"\x1b[mfirst\n"[..],
            &b"x".repeat(2 * APART),
            b"\n\x1b[mlast\n",
        ]
        .concat();
        let texts: Vec<Vec<u8>> = all(&apart).into_iter().map(|(text, _)| text).collect();
        assert_eq!(texts, [b"first\n".to_vec(), b"last\n".to_vec()]);
    }

    #[test]
    fn places_lead_back_to_the_coloured_text() {
        let text = b"a\x1b[1mbc\x1b[0md";
        each(text, |mapped| {
            assert_eq!(mapped.bytes, b"abcd");
            assert_eq!(mapped.place(&(1..3)), 5..11);
            assert_eq!(mapped.there(1), 5);
            assert_eq!(mapped.there(3), 11);
        });
    }

    proptest! {
        #[test]
        fn what_is_around_a_part_gives_the_same_texts(
            text in proptest::collection::vec(prop_oneof!["\u{1b}\\[[0-9;]{0,3}m", "[a-z \n]{0,8}", Just("x".repeat(1200)), Just("\n".to_owned())], 0..24),
            cut in (0_usize..6_000, 0_usize..6_000),
        ) {
            let text = text.concat();
            let text = text.as_bytes();
            let at = |place: usize| place.min(text.len());
            let (from, to) = (at(cut.0.min(cut.1)), at(cut.0.max(cut.1)));
            let start = line_start(text, 0, from);
            let end = memchr::memchr(b'\n', &text[to..]).map_or(text.len(), |end| to + end + 1);
            let slice = around(text, start..end);
            let part = all(&text[slice.clone()]);
            for (bytes, whole) in all(text) {
                if whole.start < to && from < whole.end {
                    prop_assert!(part.iter().any(|(other, at)| *other == bytes && at.start + slice.start == whole.start), "{whole:?} {slice:?}");
                }
            }
        }
    }
}
