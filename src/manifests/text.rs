//! Text of one manifest, and where in it an offset lies.

use std::borrow::Cow;
use std::sync::OnceLock;

/// Longest stretch of one line without a mark, in bytes: what a position costs at most.
const STRETCH: usize = 1_024;

/// Decoded text with marks to find lines and columns. Bytes that are not UTF-8 become one replacement character each run,
/// so lines stay right and columns stay counts of code points.
pub(super) struct Text<'a> {
    text: Cow<'a, str>,
    /// Worked out when somebody asks where something is: of most texts nobody does.
    marks: OnceLock<Vec<Mark>>,
}

/// A known position: every line start, and places within very long lines.
#[derive(Clone, Copy)]
struct Mark {
    offset: usize,
    line: u32,
    column: u32,
}

/// The bytes as UTF-8, where a mark at their start says that they are UTF-16.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let (rest, little) = match bytes {
        [0xFF, 0xFE, rest @ ..] => (rest, true),
        [0xFE, 0xFF, rest @ ..] => (rest, false),
        _ => return Cow::Borrowed(bytes),
    };
    let (pairs, _) = rest.as_chunks::<2>();
    let units = pairs.iter().map(|pair| {
        if little {
            u16::from_le_bytes(*pair)
        } else {
            u16::from_be_bytes(*pair)
        }
    });
    let text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Cow::Owned(text.into_bytes())
}

impl<'a> Text<'a> {
    /// Decodes the bytes; a byte order mark is left out.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        // Much faster than to look for what is to be replaced, where there is nothing.
        let text = std::str::from_utf8(bytes)
            .map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        Self {
            text,
            marks: OnceLock::new(),
        }
    }

    /// A text put together of pieces of another: offset here, line and column there, where each begins; in order.
    pub(super) fn pieced(text: String, places: &[(usize, u32, u32)]) -> Text<'static> {
        let marks = places.iter().map(|(offset, line, column)| Mark {
            offset: *offset,
            line: *line,
            column: *column,
        });
        Text {
            marks: OnceLock::from(marks.collect::<Vec<Mark>>()),
            text: Cow::Owned(text),
        }
    }

    fn marks(&self) -> &[Mark] {
        self.marks.get_or_init(|| marks(&self.text))
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The part between two byte offsets; empty when they are not offsets of this text.
    pub(super) fn slice(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Byte offset of a 1-based line and column; the end of what there is where the text has no such place.
    pub(super) fn offset(&self, line: u32, column: u32) -> usize {
        let marks = self.marks();
        let next = marks.partition_point(|mark| (mark.line, mark.column) <= (line, column));
        let Some(mark) = next.checked_sub(1).and_then(|at| marks.get(at)) else {
            return 0;
        };
        let past = usize::try_from(column - mark.column.min(column)).unwrap_or(0);
        let rest = self.text.get(mark.offset..).unwrap_or_default();
        rest.char_indices()
            .nth(past)
            .map_or(self.text.len(), |(at, _)| mark.offset + at)
    }

    /// 1-based line and column (code points) of a byte offset.
    pub(super) fn position(&self, offset: usize) -> (u32, u32) {
        let marks = self.marks();
        let next = marks.partition_point(|mark| mark.offset <= offset);
        let Some(mark) = next.checked_sub(1).and_then(|at| marks.get(at)) else {
            return (1, 1);
        };
        let past = self
            .text
            .get(mark.offset..offset)
            .map_or(0, |before| before.chars().count());
        (mark.line, mark.column.saturating_add(saturate(past)))
    }
}

fn marks(text: &str) -> Vec<Mark> {
    let bytes = text.as_bytes();
    let mut marks = Vec::new();
    let mut start = 0;
    let mut line = 1;
    let mut add_line = |start: usize, end: usize| {
        let mut mark = Mark {
            offset: start,
            line,
            column: 1,
        };
        marks.push(mark);
        while end - mark.offset > STRETCH {
            let mut next = mark.offset + STRETCH;
            while !text.is_char_boundary(next) {
                next += 1;
            }
            let past = text
                .get(mark.offset..next)
                .unwrap_or_default()
                .chars()
                .count();
            mark.offset = next;
            mark.column = mark.column.saturating_add(saturate(past));
            marks.push(mark);
        }
        line = line.saturating_add(1);
    };
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        // YAML counts a lone carriage return as a line break.
        if bytes.get(at) == Some(&b'\n') || bytes.get(at + 1) != Some(&b'\n') {
            add_line(start, at + 1);
            start = at + 1;
        }
    }
    add_line(start, bytes.len());
    marks
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

    #[test]
    fn long_lines_count_as_exactly_as_short_ones() {
        let line = format!("x\n{}!", "aé".repeat(3_000));
        let text = Text::new(line.as_bytes());
        assert_eq!(text.position(line.find('!').unwrap()), (2, 6_001));
        assert_eq!(text.position(line.len()), (2, 6_002));
        assert_eq!(text.position(2), (2, 1));
        for offset in [0, 2, 3, line.find('!').unwrap()] {
            let (line, column) = text.position(offset);
            assert_eq!(text.offset(line, column), offset);
        }
    }
}
