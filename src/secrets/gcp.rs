//! Google service account keys: a JSON object around its `private_key_id`, or its members as YAML, a language's dictionary or
//! an environment file have them.

use super::found::Found;
use super::{json, pem};
use std::ops::Range;

/// How far around the id the other members are searched, in bytes: the key itself takes about 1,700.
const REACH: usize = 4096;

/// Completes the match with the key and the account's mail address; without a key there is only the public id.
pub(super) fn check(text: &[u8], found: &mut Found) -> bool {
    let after_end = text.len().min(found.span.end + REACH);
    let after = text.get(found.span.end..after_end).unwrap_or_default();
    let after = cut_at_next(after);
    let before_start = found.span.start.saturating_sub(REACH);
    let before = text.get(before_start..found.span.start).unwrap_or_default();
    let value = |key: &str| {
        member(after, key)
            .map(|range| found.span.end + range.start..found.span.end + range.end)
            .or_else(|| {
                member(before, key)
                    .map(|range| before_start + range.start..before_start + range.end)
            })
    };
    let key = value("private_key");
    let mail = value("client_email");
    found.subject = mail.and_then(|range| super::structure::plain(text.get(range)?));
    found.account = value("project_id").and_then(|range| super::structure::plain(text.get(range)?));
    let Some(key) = key else {
        found.doubt("the key id only; no private key stands beside it");
        return true;
    };
    let Some(block) = text.get(key.clone()) else {
        return true;
    };
    match pem::read(block, 0) {
        Some(read) => {
            read.judge(found);
            found.material = Some(read.material);
            found.secret = Some(key);
            true
        }
        None => false,
    }
}

/// Up to the next key id, which begins another service account.
fn cut_at_next(after: &[u8]) -> &[u8] {
    [b"private_key_id".as_slice(), b"PRIVATE_KEY_ID"]
        .iter()
        .filter_map(|id| memchr::memmem::find(after, id))
        .min()
        .and_then(|end| after.get(..end))
        .unwrap_or(after)
}

/// Place of the value of the first member of this name.
fn member(text: &[u8], key: &str) -> Option<Range<usize>> {
    json::string_value(text, key)
        .or_else(|| places(text, key).find_map(|end| value_behind(text, end)))
        .or_else(|| {
            let key = key.to_ascii_uppercase();
            places(text, &key).find_map(|end| value_behind(text, end))
        })
}

/// Where a name ends, each time that it stands there.
fn places(text: &[u8], key: &str) -> impl Iterator<Item = usize> {
    memchr::memmem::find_iter(text, key.as_bytes()).map(|at| at + key.len())
}

/// The value assigned to a name that ends at `end`: quoted, a block of YAML with a key in PEM, or the rest of the line.
fn value_behind(text: &[u8], end: usize) -> Option<Range<usize>> {
    let mut at = end + usize::from(matches!(text.get(end), Some(b'"' | b'\'')));
    at = skip(text, at, |byte| byte == b' ');
    at += match text.get(at..)? {
        [b'=', b'>', ..] => 2,
        [b'=' | b':', ..] => 1,
        _ => return None,
    };
    at = skip(text, at, |byte| byte == b' ');
    if let Some(sign @ (b'|' | b'>')) = text.get(at) {
        let sign = *sign;
        at = skip(text, at, |byte| byte == sign || matches!(byte, b'-' | b'+'));
        at = skip(text, at, |byte| byte.is_ascii_whitespace());
    }
    let quote = text.get(at).filter(|byte| matches!(byte, b'"' | b'\''));
    let from = at + usize::from(quote.is_some());
    let rest = text.get(from..)?;
    let length = if rest.starts_with(b"-----BEGIN ") {
        const END: &[u8] = b"-----END ";
        let label = memchr::memmem::find(rest, END)? + END.len();
        label + memchr::memmem::find(rest.get(label..)?, b"-----")? + 5
    } else if let Some(quote) = quote {
        memchr::memchr2(*quote, b'\n', rest)?
    } else {
        let line = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        rest.get(..line)?.trim_ascii_end().len()
    };
    (length > 0).then_some(from..from + length)
}

fn skip(text: &[u8], from: usize, over: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| over(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_are_read_in_every_notation() {
        for text in [
            "{\"key_id\": \"a\", \"key\": \"x1\"}",
            "key_id: a\n  key: x1\n",
            "key: 'x1'\n",
            "{'key_id': 'a', 'key': 'x1'}",
            ":key => \"x1\",",
            "GCP_KEY=x1\n",
        ] {
            let found = member(text.as_bytes(), "key");
            assert_eq!(
                found.and_then(|range| text.get(range)),
                Some("x1"),
                "{text}"
            );
        }
        let pem = ["-----BEGIN ", "KEY-----\n  x1\n  -----END ", "KEY-----"].concat();
        for text in [
            format!("key: |\n  {pem}\nother: y"),
            format!("KEY=\"{pem}\\n\""),
        ] {
            let found = member(text.as_bytes(), "key");
            assert_eq!(
                found.and_then(|range| text.get(range)),
                Some(pem.as_str()),
                "{text}"
            );
        }
        assert!(member(b"key_id: a\nkeys\n", "key").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text in "(key|[\"'=:>| \n-]|-----BEGIN |-----END ){0,20}") {
            if let Some(range) = member(text.as_bytes(), "key") {
                prop_assert!(range.start < range.end && range.end <= text.len());
            }
        }
    }
}
