//! The little of DER (ITU-T X.690) that tells a private key from random bytes.

/// Deepest nesting looked into; a PKCS #8 key has five levels.
const MAX_DEPTH: usize = 8;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_ID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

const RSA_ENCRYPTION: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const EC_PUBLIC_KEY: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
const ED25519: &[u8] = b"\x2b\x65\x70";
const DSA: &[u8] = b"\x2a\x86\x48\xce\x38\x04\x01";
/// One element: its tag, its content and what follows it.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub rest: &'a [u8],
}

/// The element at the start of `bytes`; `None` where its stated length is longer than what is there.
pub(super) fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(count)?;
        let length = digits
            .iter()
            .fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some(Element { tag, content, rest })
}

/// The elements of a content, as far as they are well formed.
pub(super) fn elements(mut content: &[u8]) -> Vec<Element<'_>> {
    const MOST: usize = 32;
    let mut out = Vec::new();
    while out.len() < MOST
        && let Some(found) = element(content)
    {
        content = found.rest;
        out.push(found);
    }
    out
}

/// The content of the sequence that `bytes` are, padding behind it allowed.
pub(super) fn sequence(bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let outer = element(bytes).filter(|outer| outer.tag == SEQUENCE && outer.rest.len() <= 8)?;
    Some(elements(outer.content))
}

/// Which private key the bytes are, in words: PKCS #1 (RFC 8017), SEC 1 (RFC 5915), PKCS #8 (RFC 5958), or the form
/// OpenSSL gives DSA keys.
pub(super) fn private_key(bytes: &[u8]) -> Option<String> {
    key_in(bytes, 0)
}

fn key_in(bytes: &[u8], depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    let parts = sequence(bytes)?;
    let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
    match tags.as_slice() {
        [
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            ..,
        ] => {
            let modulus = parts.get(1)?.content;
            Some(format!("RSA, {} bits", bits(modulus)))
        }
        [INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER] => {
            Some(format!("DSA, {} bits", bits(parts.get(1)?.content)))
        }
        [INTEGER, OCTET_STRING, ..] => {
            let length = parts.get(1)?.content.len();
            (16..=66)
                .contains(&length)
                .then(|| format!("EC, {} bits", length * 8))
        }
        [INTEGER, SEQUENCE, OCTET_STRING, ..] => {
            let algorithm = elements(parts.get(1)?.content);
            let id = algorithm.first().filter(|id| id.tag == OBJECT_ID)?.content;
            let inner = parts.get(2)?.content;
            match id {
                RSA_ENCRYPTION | EC_PUBLIC_KEY => key_in(inner, depth + 1),
                ED25519 => {
                    let seed = element(inner).filter(|seed| seed.tag == OCTET_STRING)?;
                    (seed.content.len() == 32).then(|| "Ed25519".to_owned())
                }
                DSA => Some("DSA".to_owned()),
                // Algorithms are named below ISO members (1.2), organisations (1.3) and countries (2.16).
                [0x2a | 0x2b | 0x60, ..] => Some("of another algorithm".to_owned()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether the bytes are an `EncryptedPrivateKeyInfo`: an algorithm and the encrypted key.
pub(super) fn is_encrypted_key(bytes: &[u8]) -> bool {
    sequence(bytes).is_some_and(|parts| {
        matches!(
            parts.as_slice(),
            [algorithm, key, ..] if algorithm.tag == SEQUENCE && key.tag == OCTET_STRING
        )
    })
}

/// Length of an unsigned integer in bits, rounded up to whole bytes.
fn bits(integer: &[u8]) -> usize {
    let leading = integer.iter().take_while(|byte| **byte == 0).count();
    (integer.len() - leading) * 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag, 0x82, (content.len() >> 8) as u8, content.len() as u8];
        out.extend(content);
        out
    }

    fn integers(count: usize, length: usize) -> Vec<u8> {
        std::iter::repeat_n(tlv(INTEGER, &vec![0x11; length]), count)
            .flatten()
            .collect()
    }

    #[test]
    fn kinds_of_key_are_told() {
        let rsa = tlv(SEQUENCE, &integers(9, 256));
        assert_eq!(private_key(&rsa).as_deref(), Some("RSA, 2048 bits"));
        let ec = [tlv(INTEGER, &[1]), tlv(OCTET_STRING, &[7; 32])].concat();
        let ec = tlv(SEQUENCE, &ec);
        assert_eq!(private_key(&ec).as_deref(), Some("EC, 256 bits"));
        let wrapped = |id: &[u8], key: &[u8]| {
            let algorithm = tlv(SEQUENCE, &tlv(OBJECT_ID, id));
            let parts = [tlv(INTEGER, &[0]), algorithm, tlv(OCTET_STRING, key)].concat();
            tlv(SEQUENCE, &parts)
        };
        assert_eq!(
            private_key(&wrapped(RSA_ENCRYPTION, &rsa)).as_deref(),
            Some("RSA, 2048 bits")
        );
        assert_eq!(
            private_key(&wrapped(ED25519, &tlv(OCTET_STRING, &[3; 32]))).as_deref(),
            Some("Ed25519")
        );
        assert_eq!(private_key(&wrapped(ED25519, b"short")), None);
        let other = private_key(&wrapped(b"\x2b\x65\x71", b"key"));
        assert_eq!(other.as_deref(), Some("of another algorithm"));
        assert_eq!(private_key(&wrapped(b"\x28\x05\x70", b"key")), None);
        assert_eq!(private_key(&rsa[..rsa.len() - 1]), None);
        assert_eq!(private_key(&tlv(SEQUENCE, &[0x77; 300])), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (private_key(&bytes), is_encrypted_key(&bytes));
        }
    }
}
