//! Google service account keys: a JSON object around its `private_key_id`.

use super::found::Found;
use super::{json, pem};

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
        json::string_value(after, key)
            .map(|range| found.span.end + range.start..found.span.end + range.end)
            .or_else(|| {
                json::string_value(before, key)
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
    memchr::memmem::find(after, b"private_key_id")
        .and_then(|end| after.get(..end))
        .unwrap_or(after)
}
