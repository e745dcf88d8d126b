//! Text in which characters are written as escapes: `%3D`, `\u003d`, `\x3d`, `\"`, `&#61;`.
//!
//! One search finds the bytes that begin an escape. A stretch of a line that holds enough of them is decoded, the rest of
//! it as it stands, with the way back to every byte.

use super::hex::pair_value;
use super::map::Mapped;
use std::ops::Range;

/// Longest stretch that is decoded at once.
const LONGEST: usize = 16 << 10;

/// A way to write characters as escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// `%3D`.
    Url,
    /// `\u003d`, `\u{3d}`, `\U0000003d`, `\x3d`, `\075` and the escapes of JSON.
    Backslash,
    /// `&#61;`, `&#x3d;`, `&quot;`.
    Entity,
}

impl Kind {
    /// Its name in the path of layers.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Url => "url-encoding",
            Self::Backslash => "escapes",
            Self::Entity => "entities",
        }
    }

    /// Escapes that make a stretch worth decoding.
    const fn least(self) -> usize {
        match self {
            Self::Url => 1,
            Self::Entity => 2,
            Self::Backslash => 4,
        }
    }
}

/// Hands out the stretches with escapes, decoded.
pub(super) fn each(text: &[u8], mut visit: impl FnMut(Kind, Mapped)) {
    // Of each kind, up to where it was looked at.
    let mut done = [0_usize; 3];
    for at in memchr::memchr3_iter(b'%', b'\\', b'&', text) {
        let Some(kind) = escape_at(text, at) else {
            continue;
        };
        let Some(floor) = done.get_mut(kind as usize) else {
            continue;
        };
        if at < *floor {
            continue;
        }
        let stretch = stretch_around(text, kind, at, *floor);
        *floor = stretch.end;
        if let Some(mapped) = decode(text, kind, stretch) {
            visit(kind, mapped);
        }
    }
}

/// The kind of the escape that begins at `at`, if it is one that says something for its stretch being encoded.
fn escape_at(text: &[u8], at: usize) -> Option<Kind> {
    let rest = text.get(at..)?;
    let (kind, escape) = match rest {
        [b'%', ..] => (Kind::Url, url(rest)?),
        [b'&', b'#' | b'q' | b'a' | b'l' | b'g', ..] => (Kind::Entity, entity(rest)?),
        [b'\\', b'u' | b'U' | b'x' | b'"' | b'0'..=b'1', ..] => (Kind::Backslash, backslash(rest)?),
        _ => return None,
    };
    (escape.weight > 0).then_some(kind)
}

/// The stretch that is decoded around an escape: of an address up to what cannot be part of one, else the line.
fn stretch_around(text: &[u8], kind: Kind, at: usize, floor: usize) -> Range<usize> {
    let ends = |byte: &u8| match kind {
        Kind::Url => {
            byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | 0)
        }
        Kind::Backslash | Kind::Entity => *byte == b'\n',
    };
    let left = at.saturating_sub(LONGEST / 4).max(floor);
    let before = text.get(left..at).unwrap_or_default();
    let start = before
        .iter()
        .rposition(&ends)
        .map_or(left, |end| left + end + 1);
    let right = text.len().min(at + LONGEST);
    let after = text.get(at..right).unwrap_or_default();
    let end = after.iter().position(ends).map_or(right, |end| at + end);
    start..end
}

fn decode(text: &[u8], kind: Kind, stretch: Range<usize>) -> Option<Mapped> {
    let mut mapped = Mapped::default();
    let weight = append(text, kind, stretch, &mut mapped)?;
    (weight >= kind.least()).then_some(mapped)
}

/// Appends the content of a JSON string.
pub(super) fn unescape(text: &[u8], content: Range<usize>, mapped: &mut Mapped) -> Option<()> {
    append(text, Kind::Backslash, content, mapped).map(|_| ())
}

/// Appends a stretch with its escapes decoded, and tells what they weigh together.
fn append(text: &[u8], kind: Kind, stretch: Range<usize>, mapped: &mut Mapped) -> Option<usize> {
    let mut weight = 0;
    let mut at = stretch.start;
    let mut plain = at;
    while let Some(rest) = text.get(at..stretch.end).filter(|rest| !rest.is_empty()) {
        let escape = match (kind, rest.first()) {
            (Kind::Url, Some(b'%')) => url(rest),
            (Kind::Backslash, Some(b'\\')) => backslash(rest),
            (Kind::Entity, Some(b'&')) => entity(rest),
            _ => None,
        };
        let Some(escape) = escape else {
            at += 1;
            continue;
        };
        mapped.push(text.get(plain..at)?, plain..at);
        let there = at..at + escape.length;
        match escape.byte {
            Some(byte) => mapped.push(&[byte], there),
            None => mapped.push(escape.character.encode_utf8(&mut [0; 4]).as_bytes(), there),
        }
        weight += escape.weight;
        at += escape.length;
        plain = at;
    }
    mapped.push(text.get(plain..stretch.end)?, plain..stretch.end);
    Some(weight)
}

/// One escape.
struct Escape {
    length: usize,
    character: char,
    /// A byte that is no character by itself.
    byte: Option<u8>,
    /// How much it says for the stretch being encoded: nothing where any source code has it.
    weight: usize,
}

fn escape(length: usize, character: char, weight: usize) -> Escape {
    Escape {
        length,
        character,
        byte: None,
        weight,
    }
}

fn printable(character: char) -> bool {
    matches!(character, ' '..='~' | '\n' | '\r' | '\t')
}

fn url(rest: &[u8]) -> Option<Escape> {
    let byte = pair_value(*rest.get(1)?, *rest.get(2)?)?;
    let character = char::from(byte);
    Some(Escape {
        length: 3,
        character,
        byte: Some(byte),
        weight: usize::from(printable(character)),
    })
}

/// A character by its number in hexadecimal digits, of an escape of `length` bytes.
fn scalar(length: usize, digits: &[u8]) -> Option<Escape> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let number = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    let character = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
    let weight = if printable(character) { 4 } else { 0 };
    Some(escape(length, character, weight))
}

/// `\u{3d}`.
fn braced(rest: &[u8]) -> Option<Escape> {
    let digits = rest.get(3..rest.len().min(10))?;
    let end = memchr::memchr(b'}', digits)?;
    if end == 0 {
        return None;
    }
    scalar(end + 4, digits.get(..end)?)
}

/// `\075`, of ASCII.
fn octal(rest: &[u8]) -> Option<Escape> {
    let digits = rest.get(1..4)?;
    if !digits.iter().all(|digit| matches!(digit, b'0'..=b'7')) {
        return None;
    }
    let number = digits
        .iter()
        .fold(0, |number, digit| number * 8 + (digit - b'0'));
    let character = char::from(number);
    Some(escape(4, character, usize::from(printable(character))))
}

fn backslash(rest: &[u8]) -> Option<Escape> {
    let character = match rest.get(1)? {
        b'u' if rest.get(2) == Some(&b'{') => return braced(rest),
        b'U' => {
            let digits = rest.get(2..10)?;
            return scalar(10, digits);
        }
        b'u' => {
            let high = pair_value(*rest.get(2)?, *rest.get(3)?)?;
            let low = pair_value(*rest.get(4)?, *rest.get(5)?)?;
            let unit = u32::from(high) << 8 | u32::from(low);
            let character = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
            // Coloured lines in JSON; code writes colours in octal or hexadecimal digits.
            let weight = if printable(character) || character == '\u{1b}' {
                4
            } else {
                0
            };
            return Some(escape(6, character, weight));
        }
        b'x' => {
            let byte = pair_value(*rest.get(2)?, *rest.get(3)?)?;
            let character = char::from(byte);
            return Some(Escape {
                length: 4,
                character,
                byte: Some(byte),
                weight: usize::from(printable(character)),
            });
        }
        b'0'..=b'1' => return octal(rest),
        b'"' => return Some(escape(2, '"', 1)),
        b'\\' => '\\',
        b'/' => '/',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    };
    Some(escape(2, character, 0))
}

fn entity(rest: &[u8]) -> Option<Escape> {
    const NAMED: &[(&[u8], char)] = &[
        (b"&quot;", '"'),
        (b"&amp;", '&'),
        (b"&apos;", '\''),
        (b"&lt;", '<'),
        (b"&gt;", '>'),
    ];
    if let Some((name, character)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some(escape(name.len(), *character, 1));
    }
    let digits = rest.strip_prefix(b"&#")?;
    let (digits, radix, prefix) = match digits {
        [b'x' | b'X', hex @ ..] => (hex, 16, 3),
        _ => (digits, 10, 2),
    };
    let length = digits.iter().take(8).position(|byte| *byte == b';')?;
    let number = std::str::from_utf8(digits.get(..length)?).ok()?;
    let character = char::from_u32(u32::from_str_radix(number, radix).ok()?)?;
    Some(escape(
        prefix + length + 1,
        character,
        usize::from(printable(character)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(text: &[u8]) -> Vec<(Kind, Mapped)> {
        let mut out = Vec::new();
        each(text, |kind, mapped| out.push((kind, mapped)));
        out
    }

    fn decoded(text: &str) -> Vec<String> {
        find(text.as_bytes())
            .into_iter()
            .map(|(kind, mapped)| {
                format!(
                    "{}: {}",
                    kind.name(),
                    String::from_utf8_lossy(&mapped.bytes)
                )
            })
            .collect()
    }

    #[test]
    fn stretches_are_decoded() {
        assert_eq!(
            decoded("see https://x/?u=postgres%3A%2F%2Fme%40host now"),
            ["url-encoding: https://x/?u=postgres://me@host"]
        );
        assert_eq!(
            decoded(r#"{"k": "a\u002Bb\u003d", "l": 1}"#),
            [r#"escapes: {"k": "a+b=", "l": 1}"#]
        );
        assert_eq!(
            decoded(r#"x = "\x41\x4b\x49\x41""#),
            [r#"escapes: x = "AKIA""#]
        );
        assert_eq!(
            decoded(r#"x = "\u{41}\u{00004b}\U00000049\101""#),
            [r#"escapes: x = "AKIA""#]
        );
        assert_eq!(
            decoded(r"x = $'\101\113\111\101'"),
            ["escapes: x = $'AKIA'"]
        );
        assert_eq!(
            decoded("<a k=&quot;v&#61;&#x3D;&quot;>"),
            [r#"entities: <a k="v==">"#]
        );
        assert_eq!(
            decoded(r#"s = "{\"a\":\"b\\n\"}""#),
            [r#"escapes: s = "{"a":"b\n"}""#]
        );
    }

    #[test]
    fn ordinary_code_is_left_alone() {
        for text in [
            r#"printf("%d%% %s\n", a & b, "\x1b[0m");"#,
            r"let c = '\\'; a && b || &mut c",
            r#"x = "日本 \u65e5\u672c""#,
            "fish &amp; chips",
            r#"print("\033[1m\033[0m\033[2m\033[0m", "\u{}\u{41", "\0\1\189")"#,
            r"C:\Users\U\100\111",
        ] {
            assert_eq!(decoded(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn places_lead_back() {
        let text = "a b%3Dc%3Dd";
        let (_, mapped) = find(text.as_bytes()).remove(0);
        assert_eq!(mapped.bytes, b"b=c=d");
        assert_eq!(mapped.place(&(4..5)), 10..11);
        assert_eq!(mapped.place(&(0..2)), 2..6);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[a-z%&#;x\\\\u0-9\" \n]{0,120}") {
            for (_, mapped) in find(text.as_bytes()) {
                let whole = mapped.whole();
                prop_assert!(whole.end <= text.len());
                let mut last = 0;
                for at in 0..=mapped.bytes.len() {
                    let there = mapped.there(at);
                    prop_assert!(there >= last && there <= text.len());
                    last = there;
                }
            }
        }
    }
}
