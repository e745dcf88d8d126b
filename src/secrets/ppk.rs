//! PuTTY's private key files.

use super::found::Found;
use super::pem::LENIENT;
use super::structure::plain;
use crate::model::SecretBytes;
use base64::Engine as _;

/// Longest file read, in bytes.
const MAX_FILE: usize = 32 * 1024;

/// Extends the match over the whole key and judges it; false where there is no key material.
pub(super) fn check(text: &[u8], found: &mut Found) -> bool {
    let start = found.span.start;
    let rest = text.get(start..).unwrap_or_default();
    let rest = rest.get(..MAX_FILE).unwrap_or(rest);
    let mut offset = 0;
    let mut encrypted = None;
    let mut private = Vec::new();
    let mut wanted = 0_usize;
    for line in rest.split_inclusive(|byte| *byte == b'\n') {
        offset += line.len();
        let line = line.trim_ascii();
        if wanted > 0 {
            private.extend_from_slice(line);
            wanted -= 1;
            if wanted == 0 {
                break;
            }
            continue;
        }
        let Some((name, value)) = field(line) else {
            continue;
        };
        match name {
            b"Encryption" => encrypted = Some(value != b"none"),
            b"Comment" => found.subject = plain(value),
            b"Private-Lines" => wanted = count(value),
            _ => {}
        }
    }
    let Some(encrypted) = encrypted else {
        return false;
    };
    if private.len() < 24 || wanted > 0 {
        return false;
    }
    if encrypted {
        found.discredit("the key is encrypted with a passphrase");
    } else if LENIENT.decode(&private).is_ok() {
        found.note("the key material is whole");
    } else {
        found.doubt("the key material does not parse");
    }
    let end = start + offset.min(rest.len());
    found.span = start..end;
    found.secret = Some(start..end);
    found.material = Some(SecretBytes::new(private));
    true
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    Some((line.get(..colon)?, line.get(colon + 1..)?.trim_ascii()))
}

/// A number of lines; 0 for what is none or too many.
fn count(value: &[u8]) -> usize {
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|lines| *lines <= 400)
        .unwrap_or(0)
}
