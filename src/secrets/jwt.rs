//! JSON Web Tokens: where one ends and what it says of itself (RFC 7519), and the claims Kubernetes puts into those of
//! service accounts.

use super::found::Found;
use super::pem::LENIENT;
use super::structure::plain;
use crate::model::SecretBytes;
use crate::rules::credentials::context;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::ops::Range;

/// Longest token read, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// Fewer characters than this are no signature: the shortest is that of 16 bytes.
const SHORTEST_SIGNATURE: usize = 20;

type Object = Map<String, Value>;

struct Token {
    span: Range<usize>,
    claims: Object,
    signed: bool,
}

/// Reads the token at `start`; `None` where header or claims are not JSON objects.
fn read(text: &[u8], start: usize) -> Option<Token> {
    let rest = text.get(start..)?;
    let rest = rest.get(..MAX_TOKEN).unwrap_or(rest);
    let run = |from: usize| {
        let part = rest.get(from..).unwrap_or_default();
        from + part
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            .count()
    };
    let header_end = run(0);
    if rest.get(header_end) != Some(&b'.') {
        return None;
    }
    let claims_end = run(header_end + 1);
    let signature_end = if rest.get(claims_end) == Some(&b'.') {
        run(claims_end + 1)
    } else {
        claims_end
    };
    // One that ends before the second dot may have been cut short.
    let signature = signature_end.checked_sub(claims_end + 1);
    if signature.is_some_and(|length| length < SHORTEST_SIGNATURE) {
        return None;
    }
    let header = object(rest.get(..header_end)?)?;
    // What anyone can write lets nobody in.
    if header.get("alg")?.as_str()?.eq_ignore_ascii_case("none") {
        return None;
    }
    Some(Token {
        span: start..start + signature_end,
        claims: object(rest.get(header_end + 1..claims_end)?)?,
        signed: signature.is_some(),
    })
}

fn object(part: &[u8]) -> Option<Object> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

fn text_claim(claims: &Object, name: &str) -> Option<String> {
    claims
        .get(name)?
        .as_str()
        .and_then(|text| plain(text.as_bytes()))
}

fn time_claim(claims: &Object, name: &str) -> Option<Timestamp> {
    let value = claims.get(name)?;
    let seconds = value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
    Timestamp::from_second(seconds).ok()
}

/// The service account a Kubernetes token is for, with the Secret that holds a token that never expires.
fn kubernetes(claims: &Object) -> Option<(String, Option<String>)> {
    if let Some(projected) = claims.get("kubernetes.io").and_then(Value::as_object) {
        let namespace = text_claim(projected, "namespace")?;
        let account = projected
            .get("serviceaccount")
            .and_then(Value::as_object)
            .and_then(|account| text_claim(account, "name"))?;
        return Some((format!("system:serviceaccount:{namespace}:{account}"), None));
    }
    let namespace = text_claim(claims, "kubernetes.io/serviceaccount/namespace")?;
    let account = text_claim(claims, "kubernetes.io/serviceaccount/service-account.name")?;
    let secret = text_claim(claims, "kubernetes.io/serviceaccount/secret.name")
        .map(|secret| format!("{namespace}/{secret}"));
    Some((
        format!("system:serviceaccount:{namespace}:{account}"),
        secret,
    ))
}

fn judge(token: &Token, found: &mut Found, want_kubernetes: bool) -> bool {
    let account = kubernetes(&token.claims);
    if want_kubernetes && account.is_none() {
        return false;
    }
    found.created_at =
        time_claim(&token.claims, "iat").or_else(|| time_claim(&token.claims, "nbf"));
    found.expires_at = time_claim(&token.claims, "exp");
    found.expires_by_nature = Some(found.expires_at.is_some());
    match account {
        Some((subject, secret)) => {
            found.subject = Some(subject);
            found.public_id = secret;
        }
        None => found.subject = text_claim(&token.claims, "sub"),
    }
    if token.signed {
        found.note("header and claims decode");
    } else {
        found.discredit("the token is not signed");
    }
    if found
        .subject
        .as_ref()
        .is_some_and(|subject| context().placeholders.jwt_subjects.contains(subject))
    {
        found.discredit("the subject is that of documentation examples");
    }
    true
}

/// Extends the match over the token and judges it.
pub(super) fn check(text: &[u8], found: &mut Found, want_kubernetes: bool) -> bool {
    let start = found
        .secret
        .as_ref()
        .map_or(found.span.start, |span| span.start);
    let Some(token) = read(text, start) else {
        return false;
    };
    if !judge(&token, found, want_kubernetes) {
        return false;
    }
    found.secret = Some(token.span.clone());
    found.span = token.span;
    true
}

/// As [`check`] for a Kubernetes token wrapped in base64.
pub(super) fn check_wrapped(text: &[u8], found: &mut Found) -> bool {
    let start = found
        .secret
        .as_ref()
        .map_or(found.span.start, |span| span.start);
    let rest = text.get(start..).unwrap_or_default();
    let rest = rest.get(..MAX_TOKEN).unwrap_or(rest);
    let length = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        .count();
    let Some(inner) = rest.get(..length).and_then(|run| LENIENT.decode(run).ok()) else {
        return false;
    };
    let inner = SecretBytes::new(inner);
    let Some(token) = read(inner.expose(), 0) else {
        return false;
    };
    if !judge(&token, found, true) {
        return false;
    }
    let material = inner.expose().get(token.span).unwrap_or_default().to_vec();
    found.material = Some(SecretBytes::new(material));
    found.secret = Some(start..start + length);
    found.span = start..start + length;
    true
}
