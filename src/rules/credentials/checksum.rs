//! CRC-32 in base 62, the checksum inside GitHub and npm tokens.
//!
//! Format: <https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>.

use flate2::Crc;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Length of the checksum in characters.
pub const LENGTH: usize = 6;

/// The checksum of a token's random part.
pub fn of(body: &[u8]) -> [u8; LENGTH] {
    let mut crc = Crc::new();
    crc.update(body);
    let mut rest = crc.sum() as usize;
    let mut out = [b'0'; LENGTH];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET.get(rest % 62).copied().unwrap_or(b'0');
        rest /= 62;
    }
    out
}

/// Whether the last characters of `text` are the checksum of those before them.
pub fn holds(text: &[u8]) -> bool {
    text.split_last_chunk::<LENGTH>()
        .is_some_and(|(body, checksum)| !body.is_empty() && of(body) == *checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_published_revoked_token() {
        let body = ["zQWBuTSOoRi4A9s", "pHcVY5ncnsDkxkJ"].concat();
        assert_eq!(&of(body.as_bytes()), b"0mLq17");
        assert!(holds(format!("{body}0mLq17").as_bytes()));
        assert!(!holds(format!("{body}0mLq18").as_bytes()));
        assert!(!holds(b"0mLq17"));
    }
}
