//! Text of one manifest, and where in it an offset lies.

use std::borrow::Cow;

/// Decoded text with its line starts. Bytes that are not UTF-8 become one replacement character each run, so lines stay
/// right and columns stay counts of code points.
pub(super) struct Text<'a> {
    text: Cow<'a, str>,
    starts: Vec<usize>,
}

impl<'a> Text<'a> {
    /// Decodes the bytes; a byte order mark is left out.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let text = String::from_utf8_lossy(bytes);
        let raw = text.as_bytes();
        let mut starts = vec![0];
        for at in memchr::memchr2_iter(b'\n', b'\r', raw) {
            // YAML counts a lone carriage return as a line break.
            if raw.get(at) == Some(&b'\n') || raw.get(at + 1) != Some(&b'\n') {
                starts.push(at + 1);
            }
        }
        Self { text, starts }
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The part between two byte offsets; empty when they are not offsets of this text.
    pub(super) fn slice(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// 1-based line and column (code points) of a byte offset.
    pub(super) fn position(&self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let column = self
            .text
            .get(start..offset)
            .map_or(0, |before| before.chars().count());
        (saturate(line), saturate(column + 1))
    }
}

/// A count as the model holds it.
pub(super) fn saturate(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_code_points_and_lines_count_every_break() {
        let text = Text::new("\u{feff}é: ü\r\nb\rc\n".as_bytes());
        let at = |what: &str| text.position(text.as_str().find(what).unwrap());
        assert_eq!(at("é"), (1, 1));
        assert_eq!(at("ü"), (1, 4));
        assert_eq!(at("b"), (2, 1));
        assert_eq!(at("c"), (3, 1));
    }
}
