//! How languages and formats write that something is assigned to a name.

use super::value::Quote;
use super::{at, before, block, part, table};
use std::ops::Range;

/// Bytes of a line before a name that are looked at.
const LINE_BEFORE: usize = 400;
/// Bytes of a line after a name that are looked at.
const LINE_AFTER: usize = 2000;
/// Bytes between the line of a name and what is assigned to it in a line behind.
pub(super) const SKIPPED: usize = 200;
/// Blanks between a name and its operator.
pub(super) const BLANKS: usize = 40;

/// The syntax of an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `name = value`, `name := value`, `name=value`.
    Equals,
    /// `name: value`.
    Colon,
    /// `"name": value`.
    Member,
    /// `name => value`.
    Arrow,
    /// `name == value`, `name != value`.
    Compare,
    /// `name(value)`.
    Call,
    /// `f("name", value)`.
    Argument,
    /// `<name>value</name>`.
    Markup,
    /// `name="name" value="value"`, `name: NAME` and `value: value` on the next line.
    Paired,
    /// `--name value`, `--name=value`.
    Flag,
    /// `?name=value`, `&name=value`, `;name=value`.
    Query,
    /// `ENV NAME value`, `NAME 'value'`.
    Beside,
    /// The head of a column of a table and a value below it.
    Column,
}

/// One way to read what is assigned to a name.
#[derive(Debug)]
pub(super) struct Reading {
    /// The syntax.
    pub form: Form,
    /// What the value stands in.
    pub quote: Quote,
    /// The value, without quotes.
    pub value: Range<usize>,
    /// The line of the name.
    pub line: Range<usize>,
    /// The name stands inside a quoted text.
    pub inside: bool,
    /// A type stands between the name and the value.
    pub typed: bool,
    /// The value is one literal in a longer expression: a default, an argument.
    pub indirect: bool,
    /// Blanks stand on both sides of the operator.
    pub spaced: bool,
    /// Something other than a comment follows on the line.
    pub more: bool,
    /// A colon is in the operator, as few languages have it where something is computed.
    pub announced: bool,
    /// One of several values in a list or a column.
    pub listed: bool,
    /// What the table tells that the value is in.
    pub table: Option<table::Beside>,
}

/// The line around a name, cut to size.
pub(super) fn line_of(text: &[u8], name: &Range<usize>) -> Range<usize> {
    let left = name.start.saturating_sub(LINE_BEFORE);
    let start =
        memchr::memrchr(b'\n', part(text, left..name.start)).map_or(left, |at| left + at + 1);
    let right = text.len().min(name.end + LINE_AFTER);
    let end = memchr::memchr(b'\n', part(text, name.end..right)).map_or(right, |at| name.end + at);
    let end = if before(text, end) == b'\r' && end > name.end {
        end - 1
    } else {
        end
    };
    start..end
}

/// Most digits of the size of an array.
const SIZE: usize = 5;

/// Where `[16]` or `[]` ends, the size of an array that begins at `index`; `index` where there is none.
pub(super) fn behind_size(text: &[u8], index: usize) -> usize {
    if at(text, index) != b'[' {
        return index;
    }
    let digits = part(text, index + 1..text.len().min(index + 1 + SIZE))
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let end = index + 1 + digits;
    if at(text, end) == b']' {
        end + 1
    } else {
        index
    }
}

/// Whether something may be assigned to the name that ends at `index`.
pub(super) fn plausible(text: &[u8], index: usize) -> bool {
    let mut index = behind_size(text, index);
    for _ in 0..5 {
        match at(text, index) {
            b'"' | b'\'' | b'`' | b'\\' | b']' | b'*' | b')' | b'&' | b'}' => index += 1,
            _ => break,
        }
    }
    let blanks = index;
    while matches!(at(text, index), b' ' | b'\t') && index < blanks + BLANKS {
        index += 1;
    }
    match at(text, index) {
        b'=' | b':' | b'(' | b',' | b'>' | b'|' | b'?' | b'!' | b'+' | b'%' => {
            !matches!(at(text, index + 1), b')' | b';')
        }
        // Between the heads of a table.
        b';' => at(text, index + 1).is_ascii_alphanumeric() || at(text, index + 1) == b'"',
        b'"' | b'\'' => true,
        b'<' => at(text, index + 1) == b'/' || index > blanks,
        b'{' => index > blanks || matches!(at(text, index + 1), b'"' | b'\''),
        b'\n' | b'\r' => index == blanks || at(text, blanks) == b' ',
        0 => false,
        _ => index > blanks,
    }
}

/// Where what is read of an assignment ends: with the line of its name or, where that says nothing or its operator waits
/// for more, with the next line that says something. `None` where a text in triple quotes may begin, and where a line is
/// too long to see its end.
pub(super) fn end_of_reading(
    text: &[u8],
    name: &Range<usize>,
    line: &Range<usize>,
) -> Option<usize> {
    let has_triple = |part: &[u8]| {
        let mut quotes = memchr::memchr3_iter(b'"', b'\'', b'`', part);
        quotes.any(|at| matches!(part.get(at..at + 3), Some([a, b, c]) if a == b && b == c))
    };
    let rest = part(text, name.end..line.end);
    if has_triple(rest) {
        return None;
    }
    let said = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let opens = block::opens(rest);
    let waits = opens
        || rest.starts_with(b"</")
        || rest
            .trim_ascii_end()
            .last()
            .is_none_or(|last| matches!(last, b'=' | b':' | b'>' | b'(' | b','));
    if !waits && rest.iter().any(said) {
        return Some(line.end);
    }
    // What stands before a name or a value in the next line, and the lines without any.
    let between = |byte: &u8| {
        matches!(
            byte,
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b'"' | b'\'' | b'-'
        )
    };
    let skipped = part(text, line.end..text.len().min(line.end + SKIPPED));
    let next = line.end + skipped.iter().take_while(|byte| between(byte)).count();
    let right = next + LINE_AFTER;
    let end = match memchr::memchr(b'\n', part(text, next..text.len().min(right))) {
        Some(at) => next + at,
        None if text.len() < right => text.len(),
        None => return None,
    };
    // What closes an element may stand below its text.
    let further = match rest.trim_ascii_end().last() {
        Some(b'>') => end + SKIPPED,
        _ if opens => line.end + block::BELOW,
        _ => end,
    };
    let end = end.max(text.len().min(further));
    (!has_triple(part(text, line.end..end))).then_some(end)
}
