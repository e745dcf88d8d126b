//! Where a value begins and ends.

use super::{at, before, contains, part};
use std::ops::Range;

/// Longest value.
const LONGEST: usize = 2000;

/// What a value stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    /// Quotes of its own.
    Own,
    /// Quotes that are escaped, or of a longer text that the name is part of.
    Text,
    /// Nothing: text in a configuration file, an expression in code.
    Bare,
    /// Nothing: numbers, each a byte.
    Bytes,
}

/// A value and what delimits it.
pub(super) struct Literal {
    /// The value without its quotes.
    pub range: Range<usize>,
    /// What it stands in.
    pub quote: Quote,
    /// One past the closing quote.
    pub end: usize,
}

pub(super) const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Bytes from where a quoted text begins among which its quote is, or that of an entity.
pub(super) const OPENING: usize = 4;

/// The quoted text that begins at `index`, with an optional prefix (`b"…"`, `@"…"`). `open` is the quote of a text that
/// all of this stands in.
pub(super) fn quoted(
    text: &[u8],
    index: usize,
    line_end: usize,
    open: Option<u8>,
) -> Option<Literal> {
    let mut start = index;
    while start < index + 2
        && matches!(
            at(text, start),
            b'b' | b'r' | b'u' | b'f' | b'L' | b'R' | b'U' | b'B' | b'@' | b'$' | b'N'
        )
    {
        start += 1;
    }
    if part(text, start..start + 6) == b"&quot;" {
        let from = start + 6;
        let length = memchr::memmem::find(part(text, from..line_end), b"&quot;")?;
        return Some(Literal {
            range: from..from + length,
            quote: Quote::Text,
            end: from + length + 6,
        });
    }
    if at(text, start) == b'\\' && is_quote(at(text, start + 1)) {
        let quote = at(text, start + 1);
        let from = start + 2;
        let mut end = from;
        while end < line_end && !(at(text, end) == b'\\' && at(text, end + 1) == quote) {
            if at(text, end) == quote {
                return None;
            }
            end += 1;
        }
        return (end < line_end).then_some(Literal {
            range: from..end,
            quote: Quote::Text,
            end: end + 2,
        });
    }
    let quote = at(text, start);
    if !is_quote(quote) || open == Some(quote) || is_odd(text, start) {
        return None;
    }
    let triple = at(text, start + 1) == quote && at(text, start + 2) == quote;
    if triple {
        let from = start + 3;
        let most = text.len().min(from + LONGEST);
        let close = [quote; 3];
        let length = memchr::memmem::find(part(text, from..most), &close)?;
        let inner = from..from + length;
        return Some(Literal {
            range: trim(text, inner),
            quote: Quote::Own,
            end: from + length + 3,
        });
    }
    let from = start + 1;
    let mut end = from;
    while end < line_end {
        match at(text, end) {
            b'\\' => end += 1,
            byte if byte == quote => {
                return Some(Literal {
                    range: unwrapped(text, from..end),
                    quote: Quote::Own,
                    end: end + 1,
                });
            }
            _ => {}
        }
        end += 1;
    }
    None
}

/// The text between double brackets that begins at `index`, as Lua writes it.
pub(super) fn bracketed(text: &[u8], index: usize, line_end: usize) -> Option<Literal> {
    let rest = part(text, index..line_end).strip_prefix(b"[[")?;
    let length = memchr::memmem::find(rest, b"]]")?;
    let inner = rest.get(..length)?;
    let plain =
        |byte: &u8| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b',' | b'[');
    let range = index + 2..index + 2 + length;
    (!inner.is_empty() && inner.iter().all(plain)).then(|| Literal {
        end: range.end + 2,
        range,
        quote: Quote::Own,
    })
}

/// `@'` opens no text of one line in any language.
fn is_odd(text: &[u8], quote: usize) -> bool {
    at(text, quote) == b'\'' && before(text, quote) == b'@'
}

/// A value without quotes of its own inside those it stands in: `'"value"'`, `"\"value\""`.
fn unwrapped(text: &[u8], within: Range<usize>) -> Range<usize> {
    let inner = match part(text, within.clone()) {
        [b'\\', open, .., b'\\', close] if open == close && is_quote(*open) => 2,
        [open, .., close] if open == close && is_quote(*open) => 1,
        _ => return within,
    };
    let unwrapped = within.start + inner..within.end - inner;
    if unwrapped.start < unwrapped.end {
        unwrapped
    } else {
        within
    }
}

/// The value inside a longer text: up to a blank or something that separates. What follows a header's colon may have
/// blanks after the name of its scheme only.
pub(super) fn in_text(
    text: &[u8],
    within: Range<usize>,
    open: Option<u8>,
    header: bool,
) -> Literal {
    let mut end = within.start;
    let scheme = usize::from(header) * scheme(part(text, within.clone()));
    end += scheme;
    while end < within.end {
        let byte = at(text, end);
        if byte.is_ascii_whitespace()
            || is_quote(byte)
            || matches!(
                byte,
                b'&' | b';' | b'<' | b'>' | b'\\' | b',' | b')' | b'}' | b']' | b'|'
            )
            || Some(byte) == open
        {
            break;
        }
        end += 1;
    }
    Literal {
        range: within.start..end,
        quote: if open.is_some() {
            Quote::Text
        } else {
            Quote::Bare
        },
        end,
    }
}

/// Length of the name of an authentication scheme and the blanks after it.
pub(super) fn scheme(value: &[u8]) -> usize {
    const SCHEMES: [&[u8]; 8] = [
        b"bearer ", b"basic ", b"token ", b"apikey ", b"key ", b"digest ", b"oauth ", b"bot ",
    ];
    let head = part(value, 0..value.len().min(8)).to_ascii_lowercase();
    SCHEMES
        .iter()
        .find(|scheme| head.starts_with(scheme))
        .map_or(0, |scheme| {
            scheme.len()
                + part(value, scheme.len()..value.len())
                    .iter()
                    .take_while(|byte| **byte == b' ')
                    .count()
        })
}

/// The rest of a line that is not quoted: the value up to a blank, and no comma, semicolon or bracket at its end that
/// belongs to the line.
pub(super) fn bare(text: &[u8], within: Range<usize>) -> Literal {
    let value = part(text, within.clone());
    let scheme = scheme(value);
    let length = value
        .iter()
        .skip(scheme)
        .position(u8::is_ascii_whitespace)
        .map_or(value.len(), |at| scheme + at);
    let length = listed(part(value, 0..length)).unwrap_or(length);
    // The end of the element that all of this is the text of.
    let length = memchr::memmem::find(part(value, 0..length), b"</").unwrap_or(length);
    let mut end = within.start + length;
    while end > within.start && matches!(before(text, end), b',' | b';' | b'"' | b'\'' | b'`') {
        end -= 1;
    }
    // Brackets that close what was opened before the name.
    while end > within.start {
        let (open, close) = match before(text, end) {
            b')' => (b'(', b')'),
            b'}' => (b'{', b'}'),
            b']' => (b'[', b']'),
            _ => break,
        };
        let value = part(text, within.start..end);
        let count = |byte: u8| memchr::memchr_iter(byte, value).count();
        if count(close) <= count(open) {
            break;
        }
        end -= 1;
    }
    Literal {
        range: within.start..end,
        quote: Quote::Bare,
        end: within.start + length,
    }
}

/// The length of the first of several values in a list of settings: `value,name=value`.
fn listed(value: &[u8]) -> Option<usize> {
    let is_name = |rest: &[u8]| {
        let name = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        name > 1 && rest.first().is_some_and(u8::is_ascii_alphabetic) && at(rest, name) == b'='
    };
    memchr::memchr_iter(b',', value)
        .find(|comma| *comma > 0 && is_name(part(value, comma + 1..value.len())))
}

/// A value between two marks, without the blanks around it.
pub(super) fn trimmed(text: &[u8], within: Range<usize>) -> Literal {
    let end = within.end;
    Literal {
        range: trim(text, within),
        quote: Quote::Own,
        end,
    }
}

fn trim(text: &[u8], mut within: Range<usize>) -> Range<usize> {
    while within.start < within.end && at(text, within.start).is_ascii_whitespace() {
        within.start += 1;
    }
    while within.start < within.end && before(text, within.end).is_ascii_whitespace() {
        within.end -= 1;
    }
    within
}

/// The text that a call decodes: `Base64.decode("…")`, `Buffer.from("…", "hex")`.
pub(super) fn decoded(text: &[u8], index: usize, line_end: usize) -> Option<Literal> {
    const DECODERS: [&[u8]; 6] = [b"decode", b"hex", b"from", b"b64", b"base64", b"bytes"];
    let rest = part(text, index..line_end);
    let length = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':'))
        .count();
    if at(rest, length) != b'(' {
        return None;
    }
    let name = part(rest, 0..length).to_ascii_lowercase();
    let decodes = DECODERS.iter().any(|decoder| contains(&name, decoder));
    decodes
        .then(|| quoted(text, index + length + 1, line_end, None))
        .flatten()
}

/// The first literal of an expression that may be what it comes to: `read() || "…"`, `get("NAME", "…")`, `new Key("…")`.
pub(super) fn default(text: &[u8], within: Range<usize>) -> Option<Literal> {
    if matches!(part(text, within.clone()), [b'[', b'{', ..]) {
        return None;
    }
    let mut index = within.start;
    let mut last = None;
    while index < within.end {
        if is_quote(at(text, index)) {
            let head = part(text, within.start..index);
            let compares = |mark: &[u8]| contains(head, mark);
            // Of a list, each is for itself.
            let is_listed = head.trim_ascii_end().ends_with(b"{");
            if compares(b"==") || compares(b"!=") || is_listed || is_odd(text, index) {
                return None;
            }
            let found = quoted(text, index, within.end, None)?;
            index = found.end;
            // `read("NAME") or "value"`: the name comes first.
            let rest = part(text, index..within.end);
            let otherwise = [b") or ".as_slice(), b") || ", b") ?? ", b") ?: "];
            if otherwise.iter().any(|mark| rest.starts_with(mark)) {
                continue;
            }
            let next = at(text, index + usize::from(at(text, index) == b' '));
            if matches!(next, b')' | b';' | b',' | 0 | b'\n' | b'\r' | b'}') || index >= within.end
            {
                last = Some(found);
                if next != b',' {
                    break;
                }
            }
            continue;
        }
        index += 1;
    }
    last
}

/// Whether something other than the end of a statement or a comment follows a value on its line.
pub(super) fn more(text: &[u8], found: &Literal, line_end: usize) -> bool {
    let rest = part(text, found.end..line_end.max(found.end)).trim_ascii();
    match found.quote {
        Quote::Own => {
            let rest = rest.strip_prefix(b".freeze").unwrap_or(rest);
            matches!(rest.first(), Some(b'+' | b'.' | b'%' | b'[' | b'?'))
                || rest.starts_with(b"in ")
                || rest.first().is_some_and(u8::is_ascii_alphanumeric)
        }
        Quote::Text | Quote::Bytes => false,
        Quote::Bare => {
            !rest.is_empty()
                && !rest.starts_with(b"#")
                && !rest.starts_with(b"//")
                && !rest.starts_with(b"\\")
        }
    }
}
