//! Values that are no key of the vendor whose name or prefix they bear.
//!
//! What a vendor issues has a form, and the rules of that vendor know it and take precedence. So a value that only looks
//! like a key of a vendor, cut short or with a letter that is not of the alphabet, is a mistyped or made-up one.

use super::key::Key;
use super::part;
use crate::rules;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde::Deserialize;
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes of the line before a name that may speak of a vendor.
const BEFORE: usize = 100;
/// Bytes of the lines before the one of an assignment, and of those behind it, that may speak of a vendor.
const AHEAD: usize = 400;
const BEHIND: usize = 150;
/// Names up to this length must be whole words.
const SHORT: usize = 4;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vendors {
    names: Vec<String>,
    prefixes: Vec<String>,
}

static VENDORS: LazyLock<Vendors> =
    LazyLock::new(|| rules::read("vendor-names.toml").unwrap_or_default());

static NAMES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(&VENDORS.names)
        .ok()
});

/// The prefixes by their first letter.
static PREFIXES: LazyLock<Vec<Vec<&'static str>>> = LazyLock::new(|| {
    let mut table = vec![Vec::new(); 256];
    for prefix in &VENDORS.prefixes {
        let first = prefix.bytes().next().unwrap_or_default();
        if let Some(slot) = table.get_mut(usize::from(first.to_ascii_lowercase())) {
            slot.push(prefix.as_str());
        }
    }
    table
});

/// Whether a value that no rule of a vendor claims is assigned to a vendor's name or begins as its tokens do.
pub(super) fn is_of_another_form(
    text: &[u8],
    key: &Key,
    line: &Range<usize>,
    value: &[u8],
) -> bool {
    if !matches!(
        key.name.family.id.as_str(),
        "key" | "token" | "secret" | "auth" | "credential"
    ) {
        return false;
    }
    let start = line.start.max(key.range.start.saturating_sub(BEFORE));
    has_prefix(value) || speaks_of_vendor(part(text, start..key.range.end))
}

/// Whether the lines around `line` speak of a vendor.
pub(super) fn are_near(text: &[u8], line: &Range<usize>) -> bool {
    let end = text.len().min(line.end + BEHIND);
    speaks_of_vendor(part(text, line.start.saturating_sub(AHEAD)..line.start))
        || speaks_of_vendor(part(text, line.end..end))
}

fn has_prefix(value: &[u8]) -> bool {
    let among = value
        .first()
        .and_then(|first| PREFIXES.get(usize::from(first.to_ascii_lowercase())));
    among.into_iter().flatten().any(|prefix| {
        value
            .get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
    })
}

/// Whether a vendor's name begins at a word of `text`.
fn speaks_of_vendor(text: &[u8]) -> bool {
    let mut letters = Vec::with_capacity(text.len());
    let mut starts = Vec::with_capacity(text.len() + 1);
    let mut last = 0_u8;
    for byte in text {
        if byte.is_ascii_alphanumeric() {
            let turns = last.is_ascii_lowercase() && byte.is_ascii_uppercase();
            letters.push(byte.to_ascii_lowercase());
            starts.push(turns || !last.is_ascii_alphanumeric());
        }
        last = *byte;
    }
    starts.push(true);
    let at = |index: usize| starts.get(index).copied().unwrap_or(true);
    NAMES.as_ref().is_some_and(|names| {
        names
            .find_overlapping_iter(&letters)
            .any(|found| at(found.start()) && (found.len() > SHORT || at(found.end())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendors_name_begins_a_word() {
        for text in [
            "BITMEX_KEY",
            "myBitmexKey",
            "bitmexapikey",
            "x-airtable-token",
            "ai21 token",
            "the \"blazeMeter\" secret",
        ] {
            assert!(speaks_of_vendor(text.as_bytes()), "{text}");
        }
        for text in ["orbitmex_key", "token", "", "ai213_key", "SetSysctl", "é"] {
            assert!(!speaks_of_vendor(text.as_bytes()), "{text}");
        }
        assert!(has_prefix(b"HVS.abc") && has_prefix(b"hvs.abc") && !has_prefix(b"hv"));
    }

    #[test]
    fn names_are_written_as_they_are_compared() {
        assert!(VENDORS.names.len() > 500 && VENDORS.prefixes.len() > 100);
        for name in &VENDORS.names {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert!(name.len() >= SHORT && name.bytes().all(plain), "{name}");
        }
        assert!(VENDORS.prefixes.iter().all(|prefix| prefix.len() >= 4));
    }
}
