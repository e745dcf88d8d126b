//! Telling decoded text from decoded noise.

/// Share of control characters that text may have: one of so many bytes.
const CONTROLS: usize = 50;
/// Share of bytes beyond ASCII that may be: three of four.
const FOREIGN: usize = 4;

/// Whether decoded bytes are something a person or a program wrote as text: UTF-8 with hardly any control characters.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    if bytes.is_empty() || std::str::from_utf8(bytes).is_err() {
        return false;
    }
    let controls = bytes.iter().filter(|byte| is_control(**byte)).count();
    let foreign = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    controls <= bytes.len() / CONTROLS && foreign * FOREIGN <= bytes.len() * (FOREIGN - 1)
}

/// The same of the beginning of something longer, which may be cut inside a character.
pub(super) fn begins_as_text(head: &[u8]) -> bool {
    let whole = match std::str::from_utf8(head) {
        Ok(_) => head.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => return false,
    };
    head.get(..whole).is_some_and(is_text)
}

const fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 11 | 12 | 14..=26 | 28..=31 | 127)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_noise() {
        assert!(is_text(b"DB_PASSWORD=x\n"));
        assert!(is_text("größe: 5\r\n".as_bytes()));
        assert!(!is_text(b""));
        assert!(!is_text(b"a\xffb"));
        assert!(!is_text(b"a\x01b\x02c"));
        assert!(begins_as_text("größe".as_bytes().get(..3).unwrap()));
        assert!(!begins_as_text(b"\xff\xfe"));
    }
}
