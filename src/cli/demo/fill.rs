//! Fills the placeholders of the demo's files: dates relative to the run, and tokens made from names, so that no
//! checked-in file holds anything shaped like a credential.

use jiff::{Timestamp, ToSpan as _};

/// Account every access key of the demo belongs to; the key ids really encode it.
pub(super) const ACCOUNT: u64 = 482_913_057_716;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Replaces every placeholder of `text`; text that is none stays as it is (workflows have `${{ … }}` of their own).
pub(super) fn fill(text: &str, now: Timestamp) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let inner = from.get(2..).unwrap_or_default();
        let filled = inner.find("}}").and_then(|end| {
            let value = placeholder(inner.get(..end)?, now)?;
            Some((value, inner.get(end + 2..)?))
        });
        if let Some((value, after)) = filled {
            out.push_str(&value);
            rest = after;
        } else {
            out.push_str("{{");
            rest = inner;
        }
    }
    out.push_str(rest);
    out
}

fn placeholder(text: &str, now: Timestamp) -> Option<String> {
    let (name, argument) = text.split_once(' ')?;
    Some(match name {
        "aws-key-id" => access_key_id(argument),
        "aws-secret" => token(argument, ALPHANUMERIC, 40),
        "anthropic-key" => format!(
            "sk-ant-{}-{}-{}AA",
            "api03",
            token(argument, ALPHANUMERIC, 86),
            token("tail", ALPHANUMERIC, 6)
        ),
        "ago" => ago(now, argument)?
            .strftime("%Y-%m-%dT%H:%M:%S+00:00")
            .to_string(),
        "ago-date" => ago(now, argument)?.strftime("%Y-%m-%d").to_string(),
        _ => return None,
    })
}

fn ago(now: Timestamp, days: &str) -> Option<Timestamp> {
    now.checked_sub((days.parse::<i64>().ok()? * 24).hours())
        .ok()
}

/// Bytes that follow from a name.
fn stream(name: &str) -> impl Iterator<Item = u8> {
    let mut reader = blake3::Hasher::new_derive_key("overstay 2026 demo")
        .update(name.as_bytes())
        .finalize_xof();
    std::iter::from_fn(move || {
        let mut byte = [0];
        reader.fill(&mut byte);
        Some(byte[0])
    })
}

fn token(name: &str, alphabet: &[u8], length: usize) -> String {
    stream(name)
        .take(length)
        .map(|byte| char::from(alphabet[usize::from(byte) % alphabet.len()]))
        .collect()
}

/// An access key id whose first bytes encode [`ACCOUNT`], as AWS's do.
fn access_key_id(name: &str) -> String {
    // The highest bit is set in every id that carries an account.
    let account = (1 << 47 | ACCOUNT << 7_u64).to_be_bytes();
    let bytes: Vec<u8> = account[2..]
        .iter()
        .copied()
        .chain(stream(name).take(4))
        .collect();
    let bits = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1)));
    let bits: Vec<usize> = bits.collect();
    let body = bits
        .chunks(5)
        .map(|chunk| char::from(BASE32[chunk.iter().fold(0, |value, bit| value << 1 | bit)]));
    std::iter::once("AKIA".to_owned())
        .chain(body.map(String::from))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_what_it_knows_and_leaves_the_rest() {
        let now: Timestamp = "2026-11-02T12:00:00Z".parse().unwrap();
        assert_eq!(
            fill("a {{ago-date 1}} ${{ secrets.X }} {{x y}} {{", now),
            "a 2026-11-01 ${{ secrets.X }} {{x y}} {{"
        );
        assert_eq!(fill("{{ago 2}}", now), "2026-10-31T12:00:00+00:00");
        assert_eq!(fill("{{ago-date -30}}", now), "2026-12-02");
    }

    #[test]
    fn tokens_have_the_right_shape_and_differ() {
        let one = access_key_id("one");
        assert_eq!(one.len(), 20);
        assert_ne!(one, access_key_id("two"));
        assert_eq!(token("n", ALPHANUMERIC, 40).len(), 40);
    }
}
