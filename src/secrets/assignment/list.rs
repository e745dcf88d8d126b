//! Lists: several texts under one name, or the bytes of one value.

use super::value::{Literal, Quote, quoted};
use super::{at, part};

/// Most elements that are read.
const MOST: usize = 64;
/// Longest type before a list: `new byte[] {`, `[]string{`.
const TYPE: usize = 40;
/// Fewest bytes that are a value.
const FEWEST: usize = 8;

/// Where the first element of a list that begins at `index` stands; a call may make bytes of it: `bytes([`.
pub(super) fn first(text: &[u8], index: usize, line_end: usize) -> Option<usize> {
    let end = line_end.min(index + TYPE);
    let mut at_open = None;
    for place in index..end {
        match at(text, place) {
            // `name["…"]` takes one out.
            b'[' if place > index
                && is_name(at(text, place - 1))
                && at(text, place + 1) != b']' =>
            {
                return None;
            }
            b'[' | b'{' => at_open = Some(place + 1),
            b']' => at_open = None,
            b' ' | b'\t' | b'(' => {}
            byte if at_open.is_none()
                && (byte.is_ascii_alphanumeric()
                    || matches!(byte, b'_' | b'.' | b'<' | b'>' | b'*' | b'&' | b':')) => {}
            // The size of an array: `[16]byte{`.
            byte if byte.is_ascii_digit() && at(text, place + 1) == b']' => {}
            byte if byte.is_ascii_digit() && at(text, place + 2) == b']' => {}
            _ => return at_open,
        }
    }
    None
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b']' | b')')
}

/// The texts of a list whose first element begins at `start`; empty where it is one of names and values.
pub(super) fn texts(text: &[u8], start: usize, line_end: usize, open: Option<u8>) -> Vec<Literal> {
    let mut out = Vec::new();
    let mut next = start;
    while out.len() < MOST {
        next = skip(text, next, line_end);
        let Some(found) = quoted(text, next, line_end, open) else {
            break;
        };
        next = skip(text, found.end, line_end);
        out.push(found);
        match at(text, next) {
            b',' => next += 1,
            b']' | b'}' => break,
            _ if next >= line_end => break,
            _ => return Vec::new(),
        }
    }
    out
}

/// The bytes of a list whose first element begins at `start`, as far as its first line goes.
pub(super) fn bytes(text: &[u8], start: usize, line_end: usize) -> Option<Literal> {
    let start = skip(text, start, line_end);
    let (mut next, mut end, mut count) = (start, start, 0);
    loop {
        next = skip(text, next, line_end);
        let Some((_, length)) = number(part(text, next..line_end)) else {
            break;
        };
        count += 1;
        end = next + length;
        next = skip(text, end, line_end);
        match at(text, next) {
            b',' => next += 1,
            b']' | b'}' => break,
            _ if next >= line_end => break,
            _ => return None,
        }
    }
    let ends = next >= line_end || matches!(at(text, next), b']' | b'}' | b'/' | b'\\' | b'\r');
    (count >= FEWEST && ends).then_some(Literal {
        range: start..end,
        quote: Quote::Bytes,
        end,
    })
}

fn skip(text: &[u8], index: usize, end: usize) -> usize {
    let blanks = part(text, index..end).iter();
    index
        + blanks
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count()
}

/// A byte as languages write it, and the length of that: `18`, `0x12`, `-42`, `(byte) 0x12`, `0x12u8`.
fn number(text: &[u8]) -> Option<(u8, usize)> {
    let cast = [&b"(byte)"[..], b"(byte) ", b"(char)", b"(char) "]
        .iter()
        .filter(|cast| text.starts_with(cast))
        .map(|cast| cast.len())
        .max()
        .unwrap_or(0);
    let rest = text.get(cast..)?;
    let (radix, prefix) = match rest {
        [b'0', b'x' | b'X', ..] => (16, 2),
        [b'-', ..] => (10, 1),
        _ => (10, 0),
    };
    let digits = part(rest, prefix..rest.len().min(prefix + 4));
    let length = digits
        .iter()
        .take_while(|byte| char::from(**byte).is_digit(radix))
        .count();
    let digits = std::str::from_utf8(digits.get(..length)?).ok()?;
    let value = u8::from_str_radix(digits, radix).ok()?;
    let signed = prefix == 1 && value <= 128;
    let mut end = cast + prefix + length;
    if text.get(end..end + 2) == Some(b"u8") {
        end += 2;
    } else if matches!(text.get(end), Some(b'u' | b'U')) {
        end += 1;
    }
    let ends = text
        .get(end)
        .is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_'));
    (ends && (prefix != 1 || signed)).then_some((value, end))
}

/// Whether the bytes of a list look like those of a key: many different ones, in no order, not all of them small.
pub(super) fn looks_random(list: &[u8]) -> bool {
    let values: Vec<u8> = list
        .split(|byte| *byte == b',')
        .filter_map(|one| Some(number(one.trim_ascii())?.0))
        .take(MOST)
        .collect();
    let mut different = values.clone();
    different.sort_unstable();
    different.dedup();
    let steps = values
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.abs_diff(*b) <= 1))
        .count();
    values.len() >= FEWEST
        && different.len() * 3 >= values.len() * 2
        && steps * 3 <= values.len()
        && values.iter().any(|value| *value > 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts_of(text: &str) -> Vec<&str> {
        let first = first(text.as_bytes(), 0, text.len());
        let texts = first.map(|first| texts(text.as_bytes(), first, text.len(), None));
        let texts = texts.into_iter().flatten();
        texts.map(|one| text.get(one.range).unwrap()).collect()
    }

    fn bytes_of(text: &str) -> Option<&str> {
        let first = first(text.as_bytes(), 0, text.len())?;
        let found = bytes(text.as_bytes(), first, text.len())?;
        text.get(found.range)
    }

    #[test]
    fn lists_of_texts_are_read() {
        for text in [
            "[\"ab\", 'cd']",
            "[]string{\"ab\", \"cd\"}",
            "new String[] { \"ab\", \"cd\" };",
            "{\"ab\",\"cd\"",
            "[\"ab\",\"cd\",",
            "vec![\"ab\", \"cd\"]",
        ] {
            let expected: &[&str] = if text.contains('!') {
                &[]
            } else {
                &["ab", "cd"]
            };
            assert_eq!(texts_of(text), expected, "{text}");
        }
        for text in [
            "{\"ab\": \"cd\"}",
            "conf[\"ab\"]",
            "f(conf[\"ab\"])",
            "f(\"ab\")",
            "[f(\"ab\")]",
            "[]",
            "x[0]",
            "",
        ] {
            assert_eq!(texts_of(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn lists_of_bytes_are_read() {
        for text in [
            "[]byte{1, 2, 3, 44, 5, 66, 77, 255}",
            "new byte[] { 1, 2, 3, 44, 5, 66, 77, 255 };",
            "[8]byte{1, 2, 3, 44, 5, 66, 77, 255,",
            "bytes([1, 2, 3, 44, 5, 66, 77, 255])",
            "Buffer.from([1, 2, 3, 44, 5, 66, 77, 255])",
            "[1, 2, 3, 44, 5, 66, 77, 255]",
        ] {
            assert_eq!(
                bytes_of(text),
                Some("1, 2, 3, 44, 5, 66, 77, 255"),
                "{text}"
            );
        }
        assert!(bytes_of("{0x12, (byte) 0x34, (byte)0xF0, -12, 5, 6, 0x7u8, 8U}").is_some());
        for text in [
            "[1, 2, 3, 4]",
            "[1, 2, 3, 44, 5, 66, 77, 256]",
            "[1, 2, 3, 44, 5, 66, 77, 1.5]",
            "[1, 2, 3, 44, 5, 66, 77, x]",
            "f(1, 2, 3, 44, 5, 66, 77, 255)",
        ] {
            assert_eq!(bytes_of(text), None, "{text}");
        }
        assert!(looks_random(b"18, 170, 22, 142, 90, 59, 56, 77"));
        for text in [
            "1, 2, 3, 4, 5, 6, 7, 8",
            "0, 0, 0, 90, 0, 0, 1, 0",
            "1, 9, 3, 30, 7, 2, 8, 20",
        ] {
            assert!(!looks_random(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[\\[\\]{}(),\"' a-f0-9x.-]{0,80}") {
            let Some(start) = first(text.as_bytes(), 0, text.len()) else {
                return Ok(());
            };
            for one in texts(text.as_bytes(), start, text.len(), None).iter().chain(&bytes(text.as_bytes(), start, text.len())) {
                prop_assert!(one.range.start <= one.range.end && one.end <= text.len() + 3);
            }
        }
    }
}
