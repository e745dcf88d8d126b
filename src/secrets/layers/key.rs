//! Private keys in base64 without the lines that PEM puts around them.

use super::base64::Encoded;
use crate::secrets::der;

/// Letters of a line of PEM.
const LINE: usize = 64;

/// Whether DER begins as private keys do: a sequence whose first element is a small version number.
pub(super) fn begins(head: &[u8]) -> bool {
    let ([0x30, 0x82, _, _, content @ ..]
    | [0x30, 0x81, _, content @ ..]
    | [0x30, 0..=0x7f, content @ ..]) = head
    else {
        return false;
    };
    matches!(content, [2, 1, 0 | 1, ..])
}

/// The key as PEM has it, so that the rules for keys read it; `None` where it is none, or where PEM is around it already.
pub(super) fn armored(decoded: &[u8], text: &[u8], encoded: &Encoded) -> Option<Vec<u8>> {
    let start = encoded.place.start;
    let before = text
        .get(start.saturating_sub(10)..start)
        .unwrap_or_default();
    if !begins(decoded)
        || memchr::memmem::find(before, b"-----").is_some()
        || der::private_key(decoded).is_none()
    {
        return None;
    }
    let mut out = b"-----BEGIN PRIVATE KEY-----\n".to_vec();
    for line in encoded.letters.chunks(LINE) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    if !encoded.letters.len().is_multiple_of(4) {
        let missing = 4 - encoded.letters.len() % 4;
        out.pop();
        out.extend(std::iter::repeat_n(b'=', missing.min(2)));
        out.push(b'\n');
    }
    out.extend_from_slice(b"-----END PRIVATE KEY-----\n");
    Some(out)
}
