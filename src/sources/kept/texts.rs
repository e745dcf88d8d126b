//! Bytes and ids as texts that JSON can hold.

use git2::Oid;

/// Any bytes as a text: each becomes the character of its number.
pub(in crate::sources) fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes of such a text; `None` where it is none.
pub(in crate::sources) fn latin(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

/// The id of its hexadecimal digits.
pub(in crate::sources) fn id_of(text: &str) -> Option<Oid> {
    Oid::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_come_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(latin(&text_of(&all)), Some(all));
        assert_eq!(latin("€"), None);
    }
}
