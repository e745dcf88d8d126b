//! Base64, in both alphabets, with or without padding, on one line or wrapped over many.

use super::letters::is_letter;
use super::prose::begins_as_text;
use super::runs::end_of_run;
use std::ops::Range;

/// Letters decoded to see whether the rest is worth it.
const HEAD: usize = 96;
/// Groups of four whose first letter is looked at before anything is decoded.
const GROUPS: usize = 8;
/// Shortest line that may go on in the next one.
const WRAPPED: usize = 40;
/// The encoded text, without what wraps it.
pub(super) struct Encoded {
    pub(super) letters: Vec<u8>,
    /// From the first letter to the last, or its padding.
    pub(super) place: Range<usize>,
}

/// Reads base64 that begins with the run, if it plausibly is some.
pub(super) fn read(text: &[u8], run: &Range<usize>) -> Option<Encoded> {
    let mut start = run.start;
    if !plausible(text.get(start..run.end)?) {
        // The letter of an escaped line end belongs to the backslash.
        let escaped = start.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'\\');
        start += 1;
        if !escaped || !plausible(text.get(start..run.end)?) {
            return None;
        }
    }
    let mut letters = text.get(start..run.end)?.to_vec();
    let mut end = run.end;
    let width = letters.len();
    if width >= WRAPPED {
        while let Some(line) = next_line(text, end).filter(|line| line.len() <= width) {
            letters.extend_from_slice(text.get(line.clone())?);
            end = line.end;
            if line.len() < width {
                break;
            }
        }
    }
    for _ in 0..2 {
        if text.get(end) == Some(&b'=') {
            end += 1;
        }
    }
    Some(Encoded {
        letters,
        place: start..end,
    })
}

/// The letters of the next line, where the one that ends at `end` has nothing behind it and the next nothing but letters. Line
/// ends may be written as escapes of a quoted text, and lines as quoted texts that are joined.
fn next_line(text: &[u8], end: usize) -> Option<Range<usize>> {
    let rest = text.get(end..)?;
    let start = match rest.first()? {
        b'\r' | b'\n' => {
            let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
            let rest = rest.strip_prefix(b"\n")?;
            text.len() - rest.len() + blanks(rest)
        }
        b'\\' => {
            let rest = escaped_line_end(rest)?;
            text.len() - joined(rest).unwrap_or(rest).len()
        }
        _ => text.len() - joined(rest)?.len(),
    };
    let stop = end_of_run(text, start);
    let padding = text
        .get(stop..)?
        .iter()
        .take_while(|byte| **byte == b'=')
        .count();
    let ended = matches!(
        text.get(stop + padding),
        None | Some(b'\r' | b'\n' | b'"' | b'\'' | b'\\')
    );
    (stop > start && ended).then_some(start..stop)
}

fn blanks(text: &[u8]) -> usize {
    let blanks = text.iter();
    blanks
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count()
}

/// What follows the escape of a line end, be the text that has it escaped as well.
fn escaped_line_end(rest: &[u8]) -> Option<&[u8]> {
    [&b"\\n"[..], b"\\r\\n", b"\\\\n", b"\\\\r\\\\n"]
        .iter()
        .find_map(|escape| rest.strip_prefix(*escape))
}

/// Signs that join texts, before or behind the end of a line.
const JOINS: &[u8] = b"+.&\\";

/// What follows the quote that opens the text which is joined to the one that closes here.
fn joined(rest: &[u8]) -> Option<&[u8]> {
    /// Most bytes between the two.
    const BETWEEN: usize = 100;
    let (quote, mut rest) = rest.split_first()?;
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let mut signs = 0;
    let mut lines = 0;
    for _ in 0..BETWEEN {
        let (first, behind) = rest.split_first()?;
        match first {
            b' ' | b'\t' | b'\r' => {}
            b'\n' => lines += 1,
            sign if JOINS.contains(sign) => signs += 1,
            first if first == quote => {
                return (signs <= 1 && lines <= 1 && signs + lines > 0).then_some(behind);
            }
            _ => return None,
        }
        rest = behind;
    }
    None
}

/// A line without what joins a quoted text to those of other lines, and without its quotes.
fn unjoined(line: &[u8]) -> &[u8] {
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || JOINS.contains(byte);
    let mut line = line.trim_ascii();
    let signs = line.iter().take_while(|byte| is_between(byte)).count();
    if line.get(signs).is_some_and(is_quote) {
        line = line.get(signs + 1..).unwrap_or_default();
    }
    let signs = line
        .iter()
        .rev()
        .take_while(|byte| is_between(byte))
        .count();
    let end = line.len() - signs;
    match line.get(..end) {
        Some([line @ .., quote]) if is_quote(quote) => line.strip_suffix(b"\\n").unwrap_or(line),
        _ => line,
    }
}

/// Start of the block of wrapped base64 that the line at `start` may go on: of the lines above it that end in so many
/// letters that they may be wrapped, and are nothing else but for the first.
pub(super) fn block_start(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while at > 0 {
        let above = text.get(..at - 1).unwrap_or_default();
        let line = memchr::memrchr(b'\n', above).map_or(0, |end| end + 1);
        let content = unjoined(above.get(line..).unwrap_or_default());
        let tail = content.iter().rev().take_while(|byte| is_letter(**byte));
        let tail = tail.count();
        if tail < WRAPPED {
            break;
        }
        at = line;
        if tail < content.len() {
            break;
        }
    }
    at
}

/// End of the block of wrapped base64 that the line that ends at `end` may begin.
pub(super) fn block_end(text: &[u8], end: usize) -> usize {
    let mut at = end;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = rest.get(..length).unwrap_or_default().trim_ascii();
        let plain = unjoined(line);
        let letters = plain.iter().take_while(|byte| is_letter(**byte)).count();
        let behind = plain.get(letters..).unwrap_or_default();
        let padded = behind.iter().take_while(|byte| **byte == b'=').count();
        if letters == 0 || !matches!(behind.get(padded), None | Some(b'"' | b'\'' | b'\\')) {
            break;
        }
        at += length;
        if letters < WRAPPED || !behind.is_empty() {
            break;
        }
    }
    at
}

/// Whether letters begin as those do in which something packed is written: gzip, zip, bzip2, xz, Zstandard, private keys.
const fn is_packed(run: &[u8]) -> bool {
    matches!(
        run,
        [b'H', b'4', b's', b'I', ..]
            | [b'U', b'E', b's', b'D', b'B', ..]
            | [b'Q', b'l', b'p', b'o', b'O', ..]
            | [b'/', b'T', b'd', b'6', b'W', b'F', b'o', b'A', ..]
            | [b'K', b'L', b'U', b'v', b'/', ..]
            | [b'M', b'I', b'I' | b'G', ..]
            | [b'M', b'H', b'c', ..]
            | [b'M', b'C', b'4', ..]
    )
}

/// Whether the first letters may be those of text or of something packed. In text every first of four letters tells the
/// upper six bits of an ASCII character (or of the NUL beside it in UTF-16).
fn plausible(run: &[u8]) -> bool {
    if is_packed(run) {
        return true;
    }
    let mut groups = 0;
    let mut good = 0;
    for first in run.iter().step_by(4).take(GROUPS) {
        groups += 1;
        good += usize::from(matches!(first, b'A' | b'C' | b'D' | b'I'..=b'Z' | b'a'..=b'f'));
    }
    good + 1 >= groups && groups > 4
}

/// Decodes when the beginning decodes to text or to something that `is_packed` knows.
pub(super) fn decode(letters: &[u8], most: usize, is_packed: fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let head = unpack(letters.get(..HEAD).unwrap_or(letters));
    if !begins_as_text(&head) && !is_packed(&head) && !super::is_wide(&head) {
        return None;
    }
    let usable = match letters.len() % 4 {
        1 => letters.len() - 1,
        _ => letters.len(),
    };
    if usable / 4 * 3 > most {
        return None;
    }
    Some(unpack(letters.get(..usable)?))
}

/// Bytes of so many letters; those left over at the end are dropped.
fn unpack(letters: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(letters.len() / 4 * 3 + 3);
    for group in letters.chunks(4) {
        let mut word = 0_u32;
        for at in 0..4 {
            word = word << 6 | group.get(at).map_or(0, |letter| value(*letter));
        }
        let [_, a, b, c] = word.to_be_bytes();
        let bytes = [a, b, c];
        let whole = group.len().saturating_sub(1);
        out.extend_from_slice(bytes.get(..whole).unwrap_or_default());
    }
    out
}

const fn value(letter: u8) -> u32 {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    };
    value as u32
}

/// Decodes a short value as a whole: letters and padding, nothing else.
pub(super) fn decode_value(value: &[u8]) -> Option<Vec<u8>> {
    let letters = value
        .strip_suffix(b"==")
        .or_else(|| value.strip_suffix(b"="));
    let letters = letters.unwrap_or(value);
    let exact = value.len().is_multiple_of(4) && letters.iter().all(|byte| is_letter(*byte));
    exact.then(|| unpack(letters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decodes_what_was_encoded(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let letters = URL_SAFE_NO_PAD.encode(&bytes);
            prop_assert_eq!(unpack(letters.as_bytes()), bytes.clone());
            prop_assert_eq!(decode_value(STANDARD.encode(&bytes).as_bytes()), Some(bytes));
        }
    }

    #[test]
    fn lines_are_joined_as_files_and_languages_join_them() {
        let letters = STANDARD.encode("user: someone\npassword: of no use\n".repeat(5));
        let lines: Vec<&str> = letters
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        for between in [
            "\n",
            "\r\n  ",
            "\\n",
            "\\r\\n",
            "\\\\n",
            "\" +\n  \"",
            "\"\n  \"",
            "\" + \"",
            "\"\n  + \"",
            "\\n\" +\n \"",
            "\" \\\n\"",
            "\" .\n\"",
        ] {
            let text = format!("x = \"{}\"", lines.join(between));
            let found = read(text.as_bytes(), &(5..5 + 64)).unwrap();
            let all = letters.trim_end_matches('=');
            assert_eq!(
                std::str::from_utf8(&found.letters).unwrap(),
                all,
                "{between}"
            );
            // A change in the middle is looked at with all of it.
            let middle = text.len() / 2;
            let line = text[..middle].rfind('\n').map_or(0, |end| end + 1);
            assert_eq!(block_start(text.as_bytes(), line), 0, "{between}");
            let end = text[middle..]
                .find('\n')
                .map_or(text.len(), |end| middle + end + 1);
            assert_eq!(block_end(text.as_bytes(), end), text.len(), "{between}");
        }
        for between in [
            "\", \"",
            "\"\n\n\"",
            "\"\"",
            "\"; y = \"",
            "\" + y + \"",
            "\" + '",
        ] {
            let text = format!("x = \"{}\"", lines.join(between));
            let found = read(text.as_bytes(), &(5..5 + 64)).unwrap();
            assert_eq!(found.letters.len(), 64, "{between}");
        }
    }

    #[test]
    fn only_what_may_be_text_is_decoded() {
        assert!(plausible(
            STANDARD.encode("user: me, word: none").as_bytes()
        ));
        assert!(!plausible(b"node_modules/components/button"));
        assert!(!plausible(b"------------------------------"));
        assert!(!plausible(b"iVBORw0KGgoAAAANSUhEUgAAAAUA"));
    }
}
