//! Where things stand in the text of an export.

use memchr::memmem;
use std::collections::BTreeMap;

/// Line starts of a text.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// Finds the line starts.
    pub(super) fn new(text: &[u8]) -> Self {
        Self(
            std::iter::once(0)
                .chain(memchr::memchr_iter(b'\n', text).map(|end| end + 1))
                .collect(),
        )
    }

    /// Offset of the first byte of a 1-based line; the last line's for one beyond the end.
    pub(super) fn start(&self, line: usize) -> usize {
        let last = self.0.last().copied().unwrap_or(0);
        self.0.get(line.saturating_sub(1)).copied().unwrap_or(last)
    }
}

/// A 1-based line and column, the column in Unicode code points.
pub(super) type Spot = (u32, u32);

/// First place of every string that is the value of one of [`KEYS`]: what an export names its entities by.
#[derive(Default)]
pub(super) struct Index(BTreeMap<String, Spot>);

/// Keys whose values are indexed, as they stand in the text.
const KEYS: [&[u8]; 5] = [
    b"\"Arn\"",
    b"\"AccessKeyId\"",
    b"\"ServiceSpecificCredentialId\"",
    b"\"SSHPublicKeyId\"",
    b"\"CertificateId\"",
];

impl Index {
    /// Indexes a JSON text in one pass.
    pub(super) fn new(text: &[u8]) -> Self {
        let mut keys: Vec<usize> = KEYS
            .iter()
            .flat_map(|key| memmem::find_iter(text, key).map(|at| at + key.len()))
            .collect();
        keys.sort_unstable();
        let mut spots = BTreeMap::new();
        let mut cursor = Cursor::new(text);
        for after_key in keys {
            if let Some((at, value)) = string_value(text, after_key) {
                let spot = cursor.advance(at);
                spots.entry(value).or_insert(spot);
            }
        }
        Self(spots)
    }

    /// Where the value stands, if the text has it.
    pub(super) fn find(&self, value: &str) -> Option<Spot> {
        self.0.get(value).copied()
    }
}

/// The string after a key's colon: its offset (inside the quote) and its value.
fn string_value(text: &[u8], after_key: usize) -> Option<(usize, String)> {
    let rest = text.get(after_key..)?;
    let blank = |bytes: &[u8]| bytes.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let colon = blank(rest);
    (rest.get(colon) == Some(&b':')).then_some(())?;
    let quote = colon + 1 + blank(rest.get(colon + 1..)?);
    (rest.get(quote) == Some(&b'"')).then_some(())?;
    let body = rest.get(quote + 1..)?;
    let mut end = 0;
    loop {
        match body.get(end)? {
            b'"' => break,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    // Quotes included: escapes such as `\/` are the JSON parser's to undo.
    let value = serde_json::from_slice(rest.get(quote..=quote + 1 + end)?).ok()?;
    Some((after_key + quote + 1, value))
}

/// Counts lines and columns forward through a text, so that a single line of any length costs one pass.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    column: u32,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            column: 1,
        }
    }

    /// The spot of an offset not before the last one asked for.
    fn advance(&mut self, to: usize) -> Spot {
        for byte in self.text.get(self.at..to).unwrap_or_default() {
            if *byte == b'\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else if byte & 0xC0 != 0x80 {
                self.column = self.column.saturating_add(1);
            }
        }
        self.at = self.at.max(to);
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spots_are_lines_and_code_points() {
        let text = "{\"ü\": 1,\n  \"Arn\" : \"arn:a\",\n \"x\":\"é\", \"Arn\":\"arn:b\\/c\", \"AccessKeyId\":\"K\"}";
        let index = Index::new(text.as_bytes());
        assert_eq!(index.find("arn:a"), Some((2, 12)));
        assert_eq!(index.find("arn:b/c"), Some((3, 18)));
        assert_eq!(index.find("K"), Some((3, 44)));
        assert_eq!(index.find("absent"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\"\\\\:\\{Arn \n]{0,60}") {
            Index::new(text.as_bytes());
        }
    }
}
