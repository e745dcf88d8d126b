//! The certificate that stands beside a private key says from when until when the key is accepted, and for whom.

use super::der::{self, BIT_STRING, Element, INTEGER, OBJECT_ID, SEQUENCE};
use super::found::Found;
use super::pem::LENIENT;
use base64::Engine as _;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::ops::Range;

/// How far from the key a certificate is looked for.
const REACH: usize = 64 * 1024;
/// Most certificates looked at: a chain and a few roots.
const MOST: usize = 16;
/// Longest certificate, in base64.
const MAX_BODY: usize = 16 * 1024;
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const COMMON_NAME: &[u8] = b"\x55\x04\x03";

struct Certificate {
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    common_name: Option<String>,
    /// The part of the public key that the private key repeats: the modulus or the curve point.
    public: Vec<u8>,
}

/// Adds the validity and the name of the certificate whose public key the private key holds.
pub(super) fn date(text: &[u8], key: &Range<usize>, material: &[u8], found: &mut Found) {
    let from = key.start.saturating_sub(REACH);
    let to = text.len().min(key.end.saturating_add(REACH));
    let around = text.get(from..to).unwrap_or_default();
    let mut places = memchr::memmem::find_iter(around, BEGIN)
        .take(MOST)
        .peekable();
    if places.peek().is_none() {
        return;
    }
    let private = LENIENT.decode(material).unwrap_or_default();
    for start in places {
        let Some(certificate) = read(around.get(start + BEGIN.len()..).unwrap_or_default()) else {
            continue;
        };
        if certificate.public.len() < 32
            || memchr::memmem::find(&private, &certificate.public).is_none()
        {
            continue;
        }
        found.created_at = certificate.not_before;
        found.expires_at = certificate.not_after;
        found.subject = certificate.common_name;
        found.note("the certificate beside it holds its public key");
        return;
    }
}

/// Reads the certificate whose base64 begins at `body` (RFC 5280).
fn read(body: &[u8]) -> Option<Certificate> {
    let body = body.get(..MAX_BODY).unwrap_or(body);
    let body = body.get(..memchr::memmem::find(body, b"-----")?)?;
    let mut base64 = Vec::with_capacity(body.len());
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' {
            bytes.next_if(|next| matches!(next, b'n' | b'r'));
        } else if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') {
            base64.push(byte);
        }
    }
    let bytes = LENIENT.decode(base64).ok()?;
    let outer = der::sequence(&bytes)?;
    let signed = outer.first().filter(|part| part.tag == SEQUENCE)?;
    let mut parts = der::elements(signed.content).into_iter().peekable();
    parts.next_if(|part| part.tag == VERSION);
    parts.next().filter(|serial| serial.tag == INTEGER)?;
    let _algorithm = parts.next()?;
    let _issuer = parts.next()?;
    let validity = der::elements(parts.next()?.content);
    let subject = parts.next()?;
    let key = der::elements(parts.next()?.content);
    let bits = key.get(1).filter(|bits| bits.tag == BIT_STRING)?.content;
    Some(Certificate {
        not_before: validity.first().and_then(time),
        not_after: validity.get(1).and_then(time),
        common_name: common_name(subject.content),
        public: public(bits.get(1..)?),
    })
}

/// The modulus of an RSA key, or the point of an elliptic one without its form byte.
fn public(bits: &[u8]) -> Vec<u8> {
    let modulus = der::sequence(bits).and_then(|parts| {
        parts
            .first()
            .filter(|part| part.tag == INTEGER)
            .map(|n| n.content)
    });
    match (modulus, bits) {
        (Some(modulus), _) => modulus.to_vec(),
        (None, [0x04, point @ ..]) => point.to_vec(),
        (None, other) => other.to_vec(),
    }
}

fn common_name(name: &[u8]) -> Option<String> {
    der::elements(name)
        .into_iter()
        .filter(|set| set.tag == SET)
        .flat_map(|set| der::elements(set.content))
        .find_map(|pair| match der::elements(pair.content).as_slice() {
            [id, value, ..] if id.tag == OBJECT_ID && id.content == COMMON_NAME => {
                super::structure::plain(value.content)
            }
            _ => None,
        })
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(element: &Element<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(element.content)
        .ok()?
        .strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match element.tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| -> Option<i8> { rest.get(at..at + 2)?.parse().ok() };
    let civil = DateTime::new(
        year,
        part(0)?,
        part(2)?,
        part(4)?,
        part(6)?,
        part(8).unwrap_or(0),
        0,
    )
    .ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn timestamp(tag: u8, text: &str) -> Option<String> {
        time(&Element {
            tag,
            content: text.as_bytes(),
            rest: &[],
        })
        .map(|time| time.to_string())
    }

    #[test]
    fn both_forms_of_time_are_read() {
        assert_eq!(
            timestamp(UTC_TIME, "261122040500Z").as_deref(),
            Some("2026-11-22T04:05:00Z")
        );
        assert_eq!(
            timestamp(UTC_TIME, "991231235959Z").as_deref(),
            Some("1999-12-31T23:59:59Z")
        );
        assert_eq!(
            timestamp(GENERALIZED_TIME, "20500101000000Z").as_deref(),
            Some("2050-01-01T00:00:00Z")
        );
        assert_eq!(timestamp(UTC_TIME, "261399040500Z"), None);
        assert_eq!(timestamp(UTC_TIME, "26"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
            let _ = read(format!("{encoded}-----END").as_bytes());
        }
    }
}
