//! Private keys in PEM: where a block ends, what it holds, whether it is encrypted.
//!
//! A block may stand in a string literal, a comment or a JSON value: escapes, quotes and indentation between its lines are
//! not part of the key, so that one key has one fingerprint however it is written.

use super::found::Found;
use super::{certificate, der, openssh};
use crate::model::SecretBytes;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::ops::Range;

/// Longest block read, in bytes.
const MAX_BLOCK: usize = 64 * 1024;
/// Fewest base64 characters that can be a key (an Ed25519 key takes 64).
const MIN_BODY: usize = 56;
/// Base64 as found in the wild: padding optional, stray last bits accepted.
pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A block that was read.
pub(super) struct Block {
    /// From the first dash to the last.
    pub span: Range<usize>,
    /// Its base64 characters alone.
    pub material: SecretBytes,
    encrypted: bool,
    complete: bool,
    parses: bool,
    opaque: bool,
    /// Algorithm and size, where the material says them.
    algorithm: Option<String>,
    /// Who or what an OpenSSH key says it is for.
    comment: Option<String>,
}

impl Block {
    /// Judges the match by what the block holds.
    pub(super) fn judge(&self, found: &mut Found) {
        if self.encrypted {
            found.discredit("the key is encrypted with a passphrase");
        } else if !self.complete {
            found.discredit("the block has no end");
        } else if self.parses {
            match &self.algorithm {
                Some(algorithm) => found.note(&format!("the key material parses ({algorithm})")),
                None => found.note("the key material parses"),
            }
        } else if self.opaque {
            found.doubt("whether a passphrase protects the key is not known");
        } else {
            found.doubt("the key material does not parse");
        }
        if found.subject.is_none() {
            found.subject.clone_from(&self.comment);
        }
    }
}

/// Reads the block whose `-----BEGIN` is at `start`; `None` where there is no key material.
pub(super) fn read(text: &[u8], start: usize) -> Option<Block> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let limit = text.len().min(start.saturating_add(MAX_BLOCK));
    let text = text.get(..limit)?;
    let label_start = start + BEGIN.len();
    if text.get(start..label_start) != Some(BEGIN) {
        return None;
    }
    let label_end = label_start + memchr::memmem::find(text.get(label_start..)?, b"-----")?;
    let label = text.get(label_start..label_end)?;
    memchr::memmem::find(label, b"PRIVATE KEY")?;
    let body_start = label_end + 5;
    let rest = text.get(body_start..)?;
    let mut tail = b"-----END ".to_vec();
    tail.extend_from_slice(label);
    tail.extend_from_slice(b"-----");
    let dashes = memchr::memmem::find(rest, b"-----").unwrap_or(rest.len());
    let complete = rest
        .get(dashes..)
        .is_some_and(|rest| rest.starts_with(&tail));
    let (body, end) = if complete {
        (rest.get(..dashes)?, body_start + dashes + tail.len())
    } else {
        let length = unfinished(rest.get(..dashes)?);
        (rest.get(..length)?, body_start + length)
    };
    let armoured = label.starts_with(b"PGP");
    let (headers, body) = split_headers(body);
    let mut base64 = characters(body);
    if armoured {
        // The checksum line of an OpenPGP armour is not part of the material.
        if let Some(at) = base64.iter().position(|byte| *byte == b'=') {
            base64.truncate(at);
        }
    }
    if base64.len() < MIN_BODY {
        return None;
    }
    let decoded = SecretBytes::new(LENIENT.decode(&base64).unwrap_or_default());
    let bytes = decoded.expose();
    let container = openssh::read(bytes);
    let locked = label.starts_with(b"ENCRYPTED");
    let encrypted = locked
        || memchr::memmem::find(headers, b"ENCRYPTED").is_some()
        || container.as_ref().is_some_and(|key| key.encrypted);
    let whole = container.as_ref().is_some_and(|key| key.whole);
    let key = if locked {
        None
    } else {
        der::private_key(bytes)
    };
    let parses = whole || key.is_some() || (locked && der::is_encrypted_key(bytes));
    let (algorithm, comment) =
        container.map_or((key, None), |key| (Some(key.algorithm), key.comment));
    Some(Block {
        span: start..end,
        encrypted,
        complete,
        parses,
        opaque: armoured && !bytes.is_empty(),
        algorithm,
        comment,
        material: SecretBytes::new(base64),
    })
}

/// Where a block without an end stops: at the first byte that no block has.
fn unfinished(rest: &[u8]) -> usize {
    rest.iter()
        .position(|byte| {
            !(byte.is_ascii_alphanumeric()
                || byte.is_ascii_whitespace()
                || matches!(byte, b'+' | b'/' | b'=' | b'\\' | b':' | b',' | b'-'))
        })
        .unwrap_or(rest.len())
}

/// `Proc-Type: 4,ENCRYPTED` and the like stand before the first empty line.
fn split_headers(body: &[u8]) -> (&[u8], &[u8]) {
    let head_end = body.len().min(400);
    let Some(colon) = body
        .get(..head_end)
        .and_then(|head| memchr::memrchr(b':', head))
    else {
        return (&[], body);
    };
    // The value of the last header runs to the end of its line, written out or escaped.
    let rest = body.get(colon..).unwrap_or_default();
    let line = rest
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\\'))
        .unwrap_or(rest.len());
    body.split_at(colon + line)
}

/// The base64 characters, without line ends, escapes, quotes, comment signs and concatenation.
fn characters(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut bytes = body.iter().copied().peekable();
    let mut last = b'\n';
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                while bytes.next_if_eq(&b'\\').is_some() {}
                bytes.next_if(|next| matches!(next, b'n' | b'r' | b't'));
                last = b'\n';
                continue;
            }
            // A plus sign that joins string literals has no base64 on either side.
            b'+' if apart(last) && bytes.peek().copied().is_none_or(apart) => {}
            _ if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') => {
                out.push(byte);
            }
            _ => {}
        }
        last = byte;
    }
    out
}

fn apart(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'')
}

/// Extends the match over the block and judges it.
pub(super) fn check(text: &[u8], found: &mut Found) -> bool {
    let Some(block) = read(text, found.span.start) else {
        return false;
    };
    block.judge(found);
    certificate::date(text, &block.span, block.material.expose(), found);
    found.span = block.span.clone();
    found.secret = Some(block.span);
    found.material = Some(block.material);
    true
}

/// As [`check`], for a block wrapped in base64.
pub(super) fn check_wrapped(text: &[u8], found: &mut Found) -> bool {
    let Some(span) = found.secret.clone() else {
        return false;
    };
    let rest = text.get(span.start..).unwrap_or_default();
    let rest = rest.get(..MAX_BLOCK).unwrap_or(rest);
    let length = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        .count();
    let Some(plain) = rest.get(..length).and_then(|run| LENIENT.decode(run).ok()) else {
        return false;
    };
    let plain = SecretBytes::new(plain);
    let Some(block) = memchr::memmem::find(plain.expose(), b"-----BEGIN ")
        .and_then(|start| read(plain.expose(), start))
    else {
        return false;
    };
    block.judge(found);
    found.secret = Some(span.start..span.start + length);
    found.span = found.span.start..span.start + length;
    found.material = Some(block.material);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::credentials::template;
    use proptest::prelude::*;

    fn expand(text: &str) -> Result<String, String> {
        template::expand("test", text)
    }

    fn material(text: &str) -> Vec<u8> {
        read(text.as_bytes(), text.find("-----").unwrap())
            .unwrap()
            .material
            .expose()
            .to_vec()
    }

    #[test]
    fn one_key_has_one_material_however_it_is_written() {
        let plain = expand("{{pem:RSA PRIVATE KEY:a}}").unwrap();
        let escaped = plain.replace('\n', "\\n");
        let twice = plain.replace('\n', "\\\\n");
        let windows = plain.replace('\n', "\r\n");
        let indented = plain.replace('\n', "\n    ");
        let joined = plain.replace('\n', "\\n' +\n  '");
        let quoted = plain.replace('\n', "\",\n\"");
        for text in [escaped, twice, windows, indented, joined, quoted] {
            assert_eq!(material(&text), material(&plain), "{text}");
        }
    }

    #[test]
    fn state_of_a_key_is_told() {
        let state = |text: &str| {
            read(text.as_bytes(), 0).map(|block| (block.encrypted, block.complete, block.parses))
        };
        let plain = expand("{{pem:PRIVATE KEY:a}}").unwrap();
        assert_eq!(state(&plain), Some((false, true, true)));
        assert_eq!(state(&plain[..300]), Some((false, false, false)));
        assert_eq!(
            state(&expand("{{openssh:none:a}}").unwrap()),
            Some((false, true, true))
        );
        assert_eq!(
            state(&expand("{{openssh:aes256-ctr:a}}").unwrap()),
            Some((true, true, true))
        );
        assert_eq!(
            state(&expand("{{pem:ENCRYPTED PRIVATE KEY:a}}").unwrap()),
            Some((true, true, true))
        );
        let legacy = expand("{{pem:RSA PRIVATE KEY:a}}").unwrap().replacen(
            "KEY-----\n",
            "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0011\n\n",
            1,
        );
        assert!(matches!(state(&legacy), Some((true, true, _))));
        let hollow = [
            "-----BEGIN RSA ",
            "PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
        ];
        assert_eq!(state(&hollow.concat()), None);
    }

    #[test]
    fn a_line_may_begin_with_any_character_of_base64() {
        for first in ["+abc", "nabc", "/abc"] {
            let text = format!("{}\\n{first}\n+{first}", "A".repeat(64));
            let plain = format!("{}{first}+{first}", "A".repeat(64));
            assert_eq!(characters(text.as_bytes()), plain.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut text = b"-----BEGIN PRIVATE KEY-----".to_vec();
            text.extend(body);
            let _ = read(&text, 0);
        }
    }
}
