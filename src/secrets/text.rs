//! Encodings: what a file's bytes are before they are searched.

use std::borrow::Cow;

/// How far from the start a NUL byte makes a file binary.
const BINARY_PROBE: usize = 8 * 1024;

/// How far from the start the NUL bytes of UTF-16 without a mark are looked for.
const WIDE_PROBE: usize = 1024;
/// Fewest characters that tell UTF-16 without a mark.
const WIDE_LEAST: usize = 8;

/// Text as it is searched.
pub(super) struct Text<'a> {
    /// The bytes; UTF-8 where the input was UTF-16 or UTF-32.
    pub bytes: Cow<'a, [u8]>,
    /// A NUL byte near the start: only tokens that name their own type are searched for.
    pub binary: bool,
}

/// Takes a file's bytes.
pub(super) fn read(bytes: &[u8]) -> Text<'_> {
    match wide(bytes) {
        Some(wide) => Text {
            bytes: Cow::Owned(wide.decode(bytes)),
            binary: false,
        },
        None => Text {
            bytes: Cow::Borrowed(bytes),
            binary: is_binary(bytes),
        },
    }
}

/// Order of the bytes of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// A text whose units have more than one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wide {
    Utf16(Order),
    Utf32(Order),
}

impl Wide {
    /// Its name in the path of layers.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Utf16(_) => "utf-16",
            Self::Utf32(_) => "utf-32",
        }
    }

    /// Decodes bytes, with or without their mark.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Utf16(order) => from_utf16(bytes, order),
            Self::Utf32(order) => from_utf32(bytes, order),
        }
    }
}

/// Whether bytes are UTF-32: four for each character, of which at least two are NUL. Without a mark, every character near the
/// start is one that texts have, and some are letters or blanks of ASCII.
fn is_utf32(bytes: &[u8]) -> Option<Wide> {
    let (order, marked) = match bytes {
        [0xff, 0xfe, 0, 0, ..] => (Order::Little, true),
        [0, 0, 0xfe, 0xff, ..] => (Order::Big, true),
        [0, 0, _, _, ..] => (Order::Big, false),
        [_, _, 0 | 1, 0, ..] => (Order::Little, false),
        _ => return None,
    };
    let probe = bytes.get(..WIDE_PROBE).unwrap_or(bytes);
    let (mut all, mut plain) = (0, 0);
    for character in quads(probe, order) {
        let character = character.filter(|one| !one.is_control() || one.is_whitespace())?;
        all += 1;
        plain += usize::from(character.is_ascii_alphanumeric() || character.is_ascii_whitespace());
    }
    (all >= WIDE_LEAST && (marked || plain * 5 >= all)).then_some(Wide::Utf32(order))
}

/// The characters of UTF-32.
fn quads(bytes: &[u8], order: Order) -> impl Iterator<Item = Option<char>> {
    bytes.as_chunks().0.iter().map(move |quad| {
        char::from_u32(match order {
            Order::Big => u32::from_be_bytes(*quad),
            Order::Little => u32::from_le_bytes(*quad),
        })
    })
}

/// Decodes UTF-32, with or without its mark.
fn from_utf32(bytes: &[u8], order: Order) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 4);
    for (at, character) in quads(bytes, order).enumerate() {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        if at > 0 || character != '\u{feff}' {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    out
}

/// Whether bytes are UTF-32 or UTF-16: of the latter, they begin with its mark, or nearly every second byte near the start is NUL
/// and hardly any other is, as in text of mostly ASCII characters.
pub(super) fn wide(bytes: &[u8]) -> Option<Wide> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] if let Some(wide) = is_utf32(bytes) => return Some(wide),
        [0xff, 0xfe, rest @ ..] if !is_narrow(rest) => return Some(Wide::Utf16(Order::Little)),
        [0xfe, 0xff, rest @ ..] if !is_narrow(rest) => return Some(Wide::Utf16(Order::Big)),
        // Neither of the first two is NUL: nothing to count in ordinary text.
        [first, second, ..] if *first != 0 && *second != 0 => return None,
        _ => {}
    }
    if let Some(wide) = is_utf32(bytes) {
        return Some(wide);
    }
    let probe = bytes.get(..WIDE_PROBE).unwrap_or(bytes);
    let pairs = probe.len() / 2;
    if pairs < WIDE_LEAST {
        return None;
    }
    let (mut first, mut second) = (0, 0);
    for pair in probe.chunks_exact(2) {
        first += usize::from(pair.first() == Some(&0));
        second += usize::from(pair.get(1) == Some(&0));
    }
    let most = |count: usize| count * 10 >= pairs * 8;
    let few = |count: usize| count * 50 <= pairs;
    if most(second) && few(first) {
        Some(Wide::Utf16(Order::Little))
    } else if most(first) && few(second) {
        Some(Wide::Utf16(Order::Big))
    } else {
        None
    }
}

/// Whether what follows a mark is text of single bytes after all: hardly anything but printable ASCII, and no NUL, of which
/// every line end of UTF-16 has one.
fn is_narrow(rest: &[u8]) -> bool {
    let probe = rest.get(..WIDE_PROBE).unwrap_or(rest);
    let plain = probe
        .iter()
        .filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
        .count();
    probe.len() >= 2 * WIDE_LEAST
        && memchr::memchr(0, probe).is_none()
        && plain * 20 >= probe.len() * 17
}

/// Whether a NUL byte stands near the start.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    let probe = bytes.get(..BINARY_PROBE).unwrap_or(bytes);
    memchr::memchr(0, probe).is_some()
}

/// Decodes UTF-16, with or without its mark.
fn from_utf16(bytes: &[u8], order: Order) -> Vec<u8> {
    let bytes = match bytes {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => rest,
        _ => bytes,
    };
    let units = bytes.chunks_exact(2).map(|pair| {
        let pair = [
            pair.first().copied().unwrap_or(0),
            pair.get(1).copied().unwrap_or(0),
        ];
        match order {
            Order::Big => u16::from_be_bytes(pair),
            Order::Little => u16::from_le_bytes(pair),
        }
    });
    let mut out = Vec::with_capacity(bytes.len() / 2);
    for character in char::decode_utf16(units) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_of_either_order_is_read() {
        for big_endian in [false, true] {
            let mut bytes = if big_endian {
                vec![0xfe, 0xff]
            } else {
                vec![0xff, 0xfe]
            };
            for unit in "añ😀\n".encode_utf16() {
                bytes.extend(if big_endian {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                });
            }
            bytes.push(0);
            let text = read(&bytes);
            assert_eq!(text.bytes.as_ref(), "añ😀\n".as_bytes());
            assert!(!text.binary);
        }
        for order in [Order::Little, Order::Big] {
            let bytes: Vec<u8> = "key = größe\r\n"
                .encode_utf16()
                .flat_map(|unit| match order {
                    Order::Little => unit.to_le_bytes(),
                    Order::Big => unit.to_be_bytes(),
                })
                .collect();
            assert_eq!(wide(&bytes), Some(Wide::Utf16(order)));
            assert_eq!(read(&bytes).bytes.as_ref(), "key = größe\r\n".as_bytes());
        }
        assert_eq!(wide(&[0; 64]), None);
        assert_eq!(wide(&1_u32.to_le_bytes().repeat(20)), None);
        let narrow = [&[0xff, 0xfe][..], b"key = value of single bytes"].concat();
        assert_eq!(wide(&narrow), None);
        let chinese: Vec<u8> = std::iter::once(0xfeff)
            .chain(
                "\u{5bc6}\u{7801}\u{662f}\u{4ec0}\u{4e48}"
                    .repeat(4)
                    .encode_utf16(),
            )
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(wide(&chinese), Some(Wide::Utf16(Order::Little)));
        for mark in ["", "\u{feff}"] {
            for order in [Order::Little, Order::Big] {
                let wide_text: Vec<u8> = [mark, "key = größe \u{5bc6}\r\n"]
                    .concat()
                    .chars()
                    .flat_map(|one| match order {
                        Order::Little => u32::from(one).to_le_bytes(),
                        Order::Big => u32::from(one).to_be_bytes(),
                    })
                    .collect();
                assert_eq!(wide(&wide_text), Some(Wide::Utf32(order)));
                let text = read(&wide_text);
                assert_eq!(text.bytes.as_ref(), "key = größe \u{5bc6}\r\n".as_bytes());
            }
        }
        for numbers in [0..40_u32, 200..300, 70_000..70_100] {
            let bytes: Vec<u8> = numbers.flat_map(u32::to_le_bytes).collect();
            assert_eq!(wide(&bytes), None);
        }
        assert!(read(b"a\0b").binary);
        assert!(!read(b"ab").binary);
    }
}
