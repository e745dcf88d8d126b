//! What an AWS key id says by itself.
//!
//! The 16 characters after the type prefix are base 32. Ids issued since 2019 carry the account in bits 1–39 of the first
//! six bytes; older ids, which all begin with `I` or `J` after the prefix, carry none.

use super::found::Found;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const PREFIX: usize = 4;
/// Characters that make the six bytes which hold the account.
const USED: usize = 10;

/// The 12-digit account of a key id; `None` for an id that does not carry one.
pub(super) fn account(key_id: &str) -> Option<String> {
    let body = key_id.as_bytes().get(PREFIX..PREFIX + USED)?;
    if matches!(body.first(), Some(b'I' | b'J')) {
        return None;
    }
    let mut bits: u64 = 0;
    for byte in body {
        let value = ALPHABET.iter().position(|letter| letter == byte)?;
        bits = (bits << 5) | value as u64;
    }
    // Ten characters are 50 bits; the first 48 are the six bytes.
    let first = bits >> 2;
    Some(format!("{:012}", (first & 0x7fff_ffff_ff80) >> 7))
}

/// Adds the account; a key id outside the alphabet is less likely real.
pub(super) fn check(found: &mut Found) {
    let Some(id) = found.public_id.as_deref() else {
        return;
    };
    let body = id.as_bytes().get(PREFIX..).unwrap_or_default();
    if body.iter().any(|byte| !ALPHABET.contains(byte)) {
        found.doubt("the key id is not base 32");
        return;
    }
    found.account = account(id).filter(|account| account.len() == 12);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_decoded() {
        let id = ["ASIA", "QNZGKIQY", "56JQ7WML"].concat();
        assert_eq!(account(&id).as_deref(), Some("029608264753"));
        let old = ["AKIA", "IOSFODNN", "7QWERTYU"].concat();
        assert_eq!(account(&old), None);
        assert_eq!(account("AKIA"), None);
        assert_eq!(account(""), None);
    }
}
