//! Files that hold private keys in a binary form: PKCS #12 (RFC 7292), Java's key stores, and DER.

use super::der;
use super::found::Found;
use crate::rules::credentials::Container;
use jiff::Timestamp;

/// Longest file that is looked into, in bytes.
const MAX_LENGTH: usize = 4 << 20;
/// Most bytes that may follow a PKCS #12 file, such as a line end.
const PADDING: usize = 8;
/// Most entries of a key store that are walked over.
const MAX_ENTRIES: u32 = 4096;

/// Content types of RFC 5652 that a PKCS #12 file wraps: plain data, which a password protects, and signed data.
const PKCS7_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const PKCS7_SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// The bags of a PKCS #12 file that hold keys (plain, encrypted) or secrets, which stand there to be read; certificates are
/// encrypted as a whole.
const KEY_BAGS: [&[u8]; 3] = [
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x05",
];

/// Object ids that encryption with a password has (RFC 8018, RFC 7292 appendix C).
const PKCS5: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05";
const PKCS12_PBE: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01";

/// What a file says of the keys in it.
pub(super) struct Contents {
    /// For people: which keys.
    what: String,
    /// A password protects the keys.
    encrypted: bool,
    /// When the first key was put in, where the format tells.
    created_at: Option<Timestamp>,
}

impl Contents {
    /// Adds what is known to a match.
    pub(super) fn tell(self, found: &mut Found) {
        found.note(&self.what);
        if self.encrypted {
            found.doubt("a password protects the keys");
        }
        found.created_at = self.created_at;
    }
}

/// Whether a document is a container with private keys.
pub(super) fn read(container: Container, bytes: &[u8]) -> Option<Contents> {
    if bytes.len() > MAX_LENGTH {
        return None;
    }
    match container {
        Container::Pkcs12 => pkcs12(bytes),
        Container::JavaKeyStore => java(bytes),
        Container::Der => der_key(bytes),
    }
}

/// `PFX ::= SEQUENCE { version INTEGER (3), authSafe ContentInfo, … }` with a key in it. Of what follows the beginning, which
/// may be in BER with lengths left open and is mostly encrypted, only the kinds of its bags are looked for.
fn pkcs12(bytes: &[u8]) -> Option<Contents> {
    let left_open = bytes.get(1) == Some(&0x80);
    if !left_open && der::element(bytes).is_none_or(|file| file.rest.len() > PADDING) {
        return None;
    }
    let rest = opened(bytes, der::SEQUENCE)?;
    let rest = rest.strip_prefix(&[der::INTEGER, 1, 3])?;
    let rest = opened(rest, der::SEQUENCE)?;
    let rest = opened(rest, der::OBJECT_ID)?;
    // Certificates that are trusted are no credential. What is signed or in BER may hide the bags.
    let has_bag = |bag: &&[u8]| memchr::memmem::find(rest, bag).is_some();
    let has_keys = left_open || KEY_BAGS.iter().any(has_bag);
    let known = (rest.starts_with(PKCS7_DATA) && has_keys) || rest.starts_with(PKCS7_SIGNED_DATA);
    known.then(|| Contents {
        what: "it is a PKCS #12 file".to_owned(),
        encrypted: true,
        created_at: None,
    })
}

/// What follows a tag and its length, whether definite or not.
fn opened(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(&[tag])?;
    let (&length, rest) = rest.split_first()?;
    match length {
        0..=0x80 => Some(rest),
        0x81..=0x84 => rest.get(usize::from(length & 0x7f)..),
        _ => None,
    }
}

/// JKS and JCEKS: a mark, a version, a count, and entries of which only some are keys: a store of certificates that are
/// trusted holds no credential.
fn java(bytes: &[u8]) -> Option<Contents> {
    const JKS: u32 = 0xfeed_feed;
    const JCEKS: u32 = 0xcece_cece;
    const PRIVATE_KEY: u32 = 1;
    const CERTIFICATE: u32 = 2;
    const SECRET_KEY: u32 = 3;
    let mut rest = Fields(bytes);
    if ![JKS, JCEKS].contains(&rest.number()?) || !(1..=2).contains(&rest.number()?) {
        return None;
    }
    let entries = rest.number()?.min(MAX_ENTRIES);
    let (mut keys, mut created_at) = (0_u32, None);
    for _ in 0..entries {
        let entry = rest.number()?;
        rest.short_text()?;
        let made = Timestamp::from_millisecond(rest.milliseconds()?).ok();
        match entry {
            PRIVATE_KEY => {
                keys += 1;
                created_at = created_at.or(made);
                rest.long()?;
                for _ in 0..rest.number()?.min(MAX_ENTRIES) {
                    rest.certificate()?;
                }
            }
            CERTIFICATE => rest.certificate()?,
            // A serialised object, whose length is nowhere told.
            SECRET_KEY => {
                keys += 1;
                created_at = created_at.or(made);
                break;
            }
            _ => return None,
        }
    }
    (keys > 0).then(|| Contents {
        what: match keys {
            1 => "it is a Java key store with a private key".to_owned(),
            _ => format!("it is a Java key store with {keys} private keys"),
        },
        encrypted: true,
        created_at,
    })
}

fn der_key(bytes: &[u8]) -> Option<Contents> {
    if let Some(kind) = der::private_key(bytes) {
        return Some(Contents {
            what: format!("the key parses: {kind}"),
            encrypted: false,
            created_at: None,
        });
    }
    let parts = der::sequence(bytes)?;
    let [algorithm, key] = parts.as_slice() else {
        return None;
    };
    let id = der::element(algorithm.content)?;
    let by_password = id.content.starts_with(PKCS5) || id.content.starts_with(PKCS12_PBE);
    let encrypted = algorithm.tag == der::SEQUENCE
        && key.tag == der::OCTET_STRING
        && id.tag == der::OBJECT_ID
        && by_password;
    encrypted.then(|| Contents {
        what: "it is an encrypted key in DER".to_owned(),
        encrypted: true,
        created_at: None,
    })
}

/// What is left of a key store: numbers with the most significant byte first.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A time in milliseconds since 1970.
    fn milliseconds(&mut self) -> Option<i64> {
        Some(i64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn short_text(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        self.take(usize::from(length))
    }

    fn long(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    /// The name of its format and the certificate.
    fn certificate(&mut self) -> Option<()> {
        self.short_text()?;
        self.long().map(drop)
    }
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

    fn pfx(version: u8, kind: &[u8]) -> Vec<u8> {
        let id = [&[der::OBJECT_ID, kind.len() as u8], kind].concat();
        let bags = [&[7; 600], KEY_BAGS[1]].concat();
        let safe = tlv(der::SEQUENCE, &[id, tlv(0xa0, &bags)].concat());
        let body = [
            vec![der::INTEGER, 1, version],
            safe,
            tlv(der::SEQUENCE, &[1; 60]),
        ]
        .concat();
        tlv(der::SEQUENCE, &body)
    }

    fn store(mark: u32, entries: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let mut out = [mark, 2, entries.len() as u32]
            .map(u32::to_be_bytes)
            .concat();
        for (kind, body) in entries {
            out.extend(kind.to_be_bytes());
            out.extend(b"\x00\x05alias");
            out.extend(1_600_000_000_000_i64.to_be_bytes());
            out.extend(body);
        }
        out
    }

    fn long(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
    }

    fn certificate() -> Vec<u8> {
        [b"\x00\x05X.509".to_vec(), long(&[9; 300])].concat()
    }

    fn private_key() -> Vec<u8> {
        [long(&[8; 400]), vec![0, 0, 0, 1], certificate()].concat()
    }

    #[test]
    fn pkcs12_is_known_by_its_beginning() {
        assert!(pkcs12(&pfx(3, PKCS7_DATA)).is_some());
        assert!(pkcs12(&pfx(1, PKCS7_DATA)).is_none());
        assert!(pkcs12(&pfx(3, PKCS7_DATA)[..300]).is_none());
        assert!(pkcs12(&pfx(3, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06")).is_none());
        let mut trusted = pfx(3, PKCS7_DATA);
        let bag = memchr::memmem::find(&trusted, KEY_BAGS[1]).unwrap();
        trusted[bag + KEY_BAGS[1].len() - 1] = 3;
        assert!(pkcs12(&trusted).is_none(), "a store of certificates");
        let mut open = vec![der::SEQUENCE, 0x80, der::INTEGER, 1, 3, der::SEQUENCE, 0x80];
        open.extend([der::OBJECT_ID, 9]);
        open.extend(PKCS7_DATA);
        assert!(pkcs12(&open).is_some());
    }

    #[test]
    fn a_key_store_needs_a_private_key() {
        let keys = store(0xfeed_feed, &[(2, certificate()), (1, private_key())]);
        let contents = java(&keys).unwrap();
        assert_eq!(contents.what, "it is a Java key store with a private key");
        assert_eq!(
            contents.created_at.unwrap().to_string(),
            "2020-09-13T12:26:40Z"
        );
        assert!(java(&store(0xcece_cece, &[(3, b"\xac\xed".to_vec())])).is_some());
        assert!(java(&store(0xfeed_feed, &[(2, certificate())])).is_none());
        assert!(java(&keys[..keys.len() - 1]).is_none());
        assert!(java(b"\xca\xfe\xba\xbe\x00\x00\x00\x34").is_none());
    }

    #[test]
    fn keys_in_der_are_told_from_other_der() {
        let integers: Vec<u8> = std::iter::repeat_n(tlv(der::INTEGER, &[0x11; 128]), 9)
            .flatten()
            .collect();
        assert!(!der_key(&tlv(der::SEQUENCE, &integers)).unwrap().encrypted);
        let locked = |id: &[u8]| {
            let algorithm = tlv(der::SEQUENCE, &tlv(der::OBJECT_ID, id));
            let key = tlv(der::OCTET_STRING, &[5; 200]);
            tlv(der::SEQUENCE, &[algorithm, key].concat())
        };
        assert!(
            der_key(&locked(&[PKCS5, b"\x0d"].concat()))
                .unwrap()
                .encrypted
        );
        assert!(der_key(&locked(b"\x55\x1d\x0f")).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(
            start in prop::sample::select(vec![&b"\x30\x82"[..], b"\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00", b""]),
            rest in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [start, &rest].concat();
            for container in [Container::Pkcs12, Container::JavaKeyStore, Container::Der] {
                let _ = read(container, &bytes);
            }
        }
    }
}
