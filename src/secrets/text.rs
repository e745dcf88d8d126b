//! Encodings: what a file's bytes are before they are searched.

use std::borrow::Cow;

/// How far from the start a NUL byte makes a file binary.
const BINARY_PROBE: usize = 8 * 1024;

/// Text as it is searched.
pub(super) struct Text<'a> {
    /// The bytes; UTF-8 where the input was UTF-16 with a byte order mark.
    pub bytes: Cow<'a, [u8]>,
    /// A NUL byte near the start: only tokens that name their own type are searched for.
    pub binary: bool,
}

/// Takes a file's bytes.
pub(super) fn read(bytes: &[u8]) -> Text<'_> {
    let units = match bytes {
        [0xff, 0xfe, rest @ ..] => Some((rest, false)),
        [0xfe, 0xff, rest @ ..] => Some((rest, true)),
        _ => None,
    };
    if let Some((rest, big_endian)) = units {
        return Text {
            bytes: Cow::Owned(from_utf16(rest, big_endian)),
            binary: false,
        };
    }
    Text {
        bytes: Cow::Borrowed(bytes),
        binary: is_binary(bytes),
    }
}

/// Whether a NUL byte stands near the start.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    let probe = bytes.get(..BINARY_PROBE).unwrap_or(bytes);
    memchr::memchr(0, probe).is_some()
}

/// Whether the text begins with the byte order mark of UTF-16.
pub(super) const fn is_marked(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

fn from_utf16(bytes: &[u8], big_endian: bool) -> Vec<u8> {
    let units = bytes.chunks_exact(2).map(|pair| {
        let pair = [
            pair.first().copied().unwrap_or(0),
            pair.get(1).copied().unwrap_or(0),
        ];
        if big_endian {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
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
        assert!(read(b"a\0b").binary);
        assert!(!read(b"ab").binary);
    }
}
