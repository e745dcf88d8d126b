//! Whether a key of AWS's form is one of another store that speaks S3: its address stands beside it.

use super::found::Found;
use crate::model::consumer::{OTHER_STORE, other_store};
use std::ops::Range;

/// How far around a key an address is looked for, in bytes.
pub(super) const AROUND: usize = 400;
/// How far behind its name an address may stand.
const BEHIND: usize = 160;
/// Names that are about nothing but a store (or all of AWS), in lower case.
const NAMES: [&str; 8] = [
    "endpoint_url",
    "endpoint-url",
    "endpointurl",
    "s3_endpoint",
    "s3endpoint",
    "aws_endpoint",
    "host_base",
    "serviceurl",
];
/// Names that may be about anything: they count where they stand in the same block as the key.
const ANY: [&str; 2] = ["endpoint", "endpoints"];

/// Notes the store whose address stands beside a key. The match holds whatever is found.
pub(super) fn check(text: &[u8], found: &mut Found) {
    let around = block(text, &found.span);
    let Some(Ok(block)) = text.get(around.clone()).map(std::str::from_utf8) else {
        return;
    };
    let line = indent(text, found.span.start);
    if let Some(host) = beside(&block.to_ascii_lowercase(), line) {
        found.note(&format!("{OTHER_STORE}{host}"));
    }
}

/// The text around a match up to where another section, document or block begins or ends, on boundaries of characters.
fn block(text: &[u8], span: &Range<usize>) -> Range<usize> {
    let mut from = span.start.saturating_sub(AROUND);
    let mut to = span.end.saturating_add(AROUND).min(text.len());
    while from < span.start && text.get(from).is_some_and(|byte| byte & 0xC0 == 0x80) {
        from += 1;
    }
    while to > span.end && text.get(to).is_some_and(|byte| byte & 0xC0 == 0x80) {
        to -= 1;
    }
    let ends = |line: &[u8]| line.starts_with(b"[") || line.starts_with(b"}") || line == b"---";
    let mut at = from;
    for line in text
        .get(from..span.start)
        .unwrap_or_default()
        .split_inclusive(|byte| *byte == b'\n')
    {
        at += line.len();
        if ends(line.trim_ascii_end()) && line.ends_with(b"\n") {
            from = at;
        }
    }
    let mut at = span.end;
    for (index, line) in text
        .get(span.end..to)
        .unwrap_or_default()
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
    {
        if index > 0 && ends(line.trim_ascii_end()) {
            to = at;
            break;
        }
        at += line.len();
    }
    from..to
}

/// Blanks before the line of a place.
fn indent(text: &[u8], at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let line = before.get(start..).unwrap_or_default();
    line.iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'-'))
        .count()
}

/// The host that a block of text in lower case names as a store, for a key on a line with this indent.
fn beside(block: &str, line: usize) -> Option<String> {
    let own = NAMES
        .iter()
        .flat_map(|name| block.match_indices(name))
        .find_map(|(at, name)| {
            let ahead = block.get(..at).unwrap_or_default();
            let ahead = ahead
                .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
            // Of the endpoints of AWS's own services a program sets for each, only that of S3 is one of a store.
            let whole = block.get(ahead.len()..at).unwrap_or_default();
            let stores = [
                "", "aws_", "aws_s3_", "s3_", "s3-", "s3", "--", "minio_", "r2_", "spaces_",
                "storage_",
            ];
            let tail = block.get(at + name.len()..).unwrap_or_default();
            let more = tail
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
                .unwrap_or(tail.len());
            let more = tail.get(..more).unwrap_or_default();
            let other = !["", "s", "url", "_url", "-url", "_s3", "_url_s3"].contains(&more);
            (stores.contains(&whole) && !other)
                .then(|| address(tail))
                .flatten()
        });
    own.or_else(|| {
        ANY.iter()
            .flat_map(|name| block.match_indices(name))
            .find_map(|(at, name)| {
                let ahead = block.get(..at).unwrap_or_default();
                let tail = block.get(at + name.len()..)?;
                let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
                if ahead.ends_with(word) || tail.starts_with(word) {
                    return None;
                }
                let start = ahead.rfind('\n').map_or(0, |end| end + 1);
                let lead = ahead.get(start..).unwrap_or_default();
                let blanks = lead
                    .chars()
                    .take_while(|c| matches!(c, ' ' | '\t' | '-'))
                    .count();
                // Another indent is another block; on one line everything belongs together.
                (blanks == line || !block.contains('\n'))
                    .then(|| address(tail))
                    .flatten()
            })
    })
}

/// The address that follows a name: with a scheme, or behind an assignment.
fn address(tail: &str) -> Option<String> {
    let to = tail
        .char_indices()
        .map(|(at, _)| at)
        .take_while(|at| *at <= BEHIND)
        .last()?;
    let tail = tail.get(..to).unwrap_or(tail);
    let tail = tail
        .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '"' | '\''));
    let rest = tail.trim_start_matches([' ', '\t']);
    let value = rest
        .strip_prefix([':', '=', ' ', '{', '('])
        .or_else(|| tail.strip_prefix(' '))?;
    // A block or a mapping of services: that of S3 counts.
    let nested = value.trim_start_matches([' ', '=', '{', '\n', '\t', '\r']);
    let value = match nested.strip_prefix("s3") {
        Some(rest) if rest.trim_start().starts_with(['=', ':']) => rest.trim_start().get(1..)?,
        _ => value.split('\n').next()?,
    };
    let value = value.trim_start_matches([' ', '\t', '"', '\'', '=', '>']);
    let end =
        value.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | ')' | '}'));
    let value = value.get(..end.unwrap_or(value.len()))?;
    let bare = value.split_once("://").map_or(value, |(_, rest)| rest);
    // A word alone is no address.
    (value.contains("://") || bare.contains(['.', ':']))
        .then(|| other_store(value))
        .flatten()
}

#[cfg(test)]
mod tests {
    use crate::model::FingerprintKey;
    use crate::model::consumer::OTHER_STORE;
    use crate::rules::credentials::CredentialRules;
    use crate::secrets::Engine;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static ENGINE: LazyLock<Engine> =
        LazyLock::new(|| Engine::new(&CredentialRules::builtin().unwrap()).unwrap());

    fn told(text: &str) -> Vec<String> {
        let id = ["AKIA", "T7Q2BUT7", "SJ6BH4PS"].concat();
        let secret = ["q3Zr8VbN1mXc", "K5tYw0LpA9sD", "f7Gh2Jk4Pe6RiuTo"].concat();
        let text = text.replace("{id}", &id).replace("{secret}", &secret);
        let key = FingerprintKey::new([7; 32]);
        let mut seen = ENGINE.scan(text.as_bytes(), &key);
        // A pair is told on the lines of both its halves.
        seen.dedup_by_key(|one| one.fingerprint.clone());
        seen.iter()
            .filter(|one| one.kind == "aws-access-key")
            .map(|one| {
                let mut reasons = one.confidence_reason.split("; ");
                let store = reasons.find_map(|one| one.strip_prefix(OTHER_STORE));
                store.unwrap_or("aws").to_owned()
            })
            .collect()
    }

    #[test]
    fn the_address_of_another_store_beside_a_key_is_noted() {
        for (text, store) in [
            (
                "provider \"aws\" {\n  access_key = \"{id}\"\n  secret_key = \"{secret}\"\n  endpoints {\n    s3 = \"https://minio.example:9000\"\n  }\n}\n",
                "minio.example",
            ),
            (
                "  backend \"s3\" {\n    access_key = \"{id}\"\n    secret_key = \"{secret}\"\n    endpoints = { s3 = \"https://fra1.digitaloceanspaces.com\" }\n  }\n",
                "fra1.digitaloceanspaces.com",
            ),
            (
                "[wasabi]\ntype = s3\naccess_key_id = {id}\nsecret_access_key = {secret}\nendpoint = s3.eu-central-1.wasabisys.com\n",
                "s3.eu-central-1.wasabisys.com",
            ),
            (
                "[default]\naccess_key = {id}\nsecret_key = {secret}\nhost_base = nyc3.digitaloceanspaces.com\n",
                "nyc3.digitaloceanspaces.com",
            ),
            (
                "AWS_ENDPOINT_URL=https://s3.us-west-004.backblazeb2.com\nAWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n",
                "s3.us-west-004.backblazeb2.com",
            ),
            (
                "s3:\n  access-key: {id}\n  secret-key: {secret}\n  endpoint: minio:9000\n",
                "minio",
            ),
            (
                "{\"AccessKey\":\"{id}\",\"SecretKey\":\"{secret}\",\"ServiceURL\":\"https://s3.wasabisys.com\"}",
                "s3.wasabisys.com",
            ),
            (
                "c = boto3.client(\"s3\", endpoint_url=\"https://abc.r2.cloudflarestorage.com\",\n  aws_access_key_id=\"{id}\", aws_secret_access_key=\"{secret}\")\n",
                "abc.r2.cloudflarestorage.com",
            ),
            // Without its id.
            (
                "AWS_SECRET_ACCESS_KEY={secret}\nAWS_ENDPOINT_URL=https://abc.r2.cloudflarestorage.com\n",
                "abc.r2.cloudflarestorage.com",
            ),
            // AWS's own addresses, addresses of something else, of another block, of another service.
            (
                "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nAWS_ENDPOINT_URL=https://s3.eu-west-1.amazonaws.com\n",
                "aws",
            ),
            (
                "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nOTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4317\n",
                "aws",
            ),
            (
                "aws:\n  access-key: {id}\n  secret-key: {secret}\notel:\n    endpoint: http://otel:4317\n",
                "aws",
            ),
            (
                "[r2]\nendpoint_url = https://abc.r2.cloudflarestorage.com\n[real]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n",
                "aws",
            ),
            (
                "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nAWS_ENDPOINT_URL_SQS=http://localhost:9324\n",
                "aws",
            ),
        ] {
            assert_eq!(told(text), [store], "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(endpoint|s3|[a-z_ :={}\n\"é/.\\[]|https://a\\.b){0,80}", at in 0usize..90) {
            let _ = super::beside(&text, at % 5);
            let _ = super::address(&text);
            let to = text.len().min(at + 3);
            let from = at.min(to);
            let around = super::block(text.as_bytes(), &(from..to));
            prop_assert!(around.start <= from && around.end >= to && around.end <= text.len());
        }
    }
}
