//! Literal values that are credentials, as sightings: fingerprint, mask and place, never the value.
//!
//! Where the form of a token names its type, type and fingerprinted bytes are those of the text engine (the whole token),
//! so that both make the same credential of it.

use super::context::Context;
use super::node::Node;
use crate::model::{Confidence, Redacted, SecretBytes, SeenCredential, Sighting};
use crate::rules::manifests::TokenForm;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Type of a Kubernetes service account's stored token.
pub(super) const SERVICE_ACCOUNT_TOKEN: &str = "kubernetes-service-account-token";
/// Longest value looked at, in bytes.
const MAX_VALUE: usize = 16_384;
/// Shortest value taken for a secret by its name alone.
const MIN_VALUE: usize = 8;

/// Words that show a value is there to be replaced.
const PLACEHOLDERS: [&str; 15] = [
    "your",
    "xxxx",
    "changeme",
    "change-me",
    "change_me",
    "example",
    "placeholder",
    "...",
    "…",
    "todo",
    "insert",
    "replace",
    "dummy",
    "redacted",
    "****",
];

/// What is known of a value before it becomes a sighting.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// Id of what matched.
    pub(super) rule: &'a str,
    /// Credential type.
    pub(super) kind: &'a str,
    /// Issuer.
    pub(super) provider: &'a str,
    /// Part of the value that only names its type.
    pub(super) prefix: &'a str,
    /// Privilege tier of the type by default.
    pub(super) default_tier: Option<u8>,
    /// Whether the type expires by nature.
    pub(super) expires_by_nature: Option<bool>,
    /// How sure.
    pub(super) confidence: Confidence,
    /// Why.
    pub(super) reason: &'a str,
}

/// What a token's form names: as the text engine's rule does, so that both sightings are of one credential.
pub(super) fn recognise<'a>(
    context: &Context<'a>,
    value: &'a str,
    reason: &'a str,
) -> Option<Told<'a>> {
    if value.len() > MAX_VALUE || placeholder(value) {
        return None;
    }
    let (form, prefix): (&TokenForm, &str) = context.tables.forms.recognise(value)?;
    Some(Told {
        rule: &form.rule,
        kind: &form.kind,
        provider: &form.provider,
        prefix,
        default_tier: form.default_tier,
        expires_by_nature: form.expires_by_nature,
        confidence: Confidence::High,
        reason,
    })
}

/// The value stands for one that is still to come.
pub(super) fn placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let mut chars = value.chars();
    let first = chars.next();
    PLACEHOLDERS.iter().any(|word| lower.contains(word))
        || has_name_in_brackets(value)
        || chars.all(|c| Some(c) == first)
}

/// `<password>`, `x-<your name>`: words between angle brackets, which a made-up password may hold as well.
fn has_name_in_brackets(value: &str) -> bool {
    value.split('<').skip(1).any(|rest| {
        let name = rest.split('>').next().unwrap_or(rest);
        let is_word = |c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '_' | ' ' | '.' | ':');
        name.len() < rest.len() && name.len() > 2 && name.chars().all(is_word)
    })
}

/// A value that its name alone makes a secret: long enough, no placeholder, no path or address.
pub(super) fn plausible(value: &str) -> bool {
    (MIN_VALUE..=MAX_VALUE).contains(&value.len())
        && !value.contains(char::is_whitespace)
        && !value.starts_with(['/', '.', '~'])
        && !placeholder(value)
}

/// The token of a header such as `Bearer …`.
pub(super) fn bare(value: &str) -> &str {
    let value = value.trim();
    ["bearer ", "token ", "basic ", "apikey "]
        .iter()
        .find(|scheme| {
            value
                .get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
        .and_then(|scheme| value.get(scheme.len()..))
        .map_or(value, str::trim)
}

/// A sighting of a value at its place in a scalar.
pub(super) fn seen(
    context: &Context<'_>,
    node: &Node,
    value: &str,
    told: &Told<'_>,
) -> SeenCredential {
    let (from, to) = node.span;
    let inside = context.text.slice(from, to).find(value);
    let (line, column) = match inside {
        Some(at) => context.text.position(from + at),
        None => (node.line, node.column),
    };
    SeenCredential {
        rule: told.rule.to_owned(),
        provider: told.provider.to_owned(),
        kind: told.kind.to_owned(),
        public_id: None,
        fingerprint: Some(context.key.fingerprint(told.kind, value.as_bytes())),
        redacted: Redacted::new(told.prefix),
        account: None,
        subject: None,
        created_at: None,
        expires_at: None,
        expires_by_nature: told.expires_by_nature,
        default_tier: told.default_tier,
        confidence: told.confidence,
        confidence_reason: told.reason.to_owned(),
        sighting: Sighting::in_file(context.repository, context.uri, (line, column), told.rule),
    }
}

/// A value of a Kubernetes Secret: the stored token of a service account (`subject`), or a token whose form names its type.
pub(super) fn kubernetes_value(
    context: &Context<'_>,
    node: &Node,
    text: &str,
    encoded: bool,
    subject: Option<&str>,
) -> Option<SeenCredential> {
    if text.len() > MAX_VALUE * 2 {
        return None;
    }
    let bytes = if encoded {
        let packed: String = text.split_whitespace().collect();
        SecretBytes::new(STANDARD.decode(packed).ok()?)
    } else {
        SecretBytes::new(text.as_bytes().to_vec())
    };
    let value = std::str::from_utf8(bytes.expose()).ok()?.trim();
    let layers = if encoded {
        vec!["base64".to_owned()]
    } else {
        Vec::new()
    };
    if let Some(subject) = subject {
        let signed = value.starts_with("eyJ") && value.split('.').count() == 3;
        if !signed {
            return None;
        }
        let told = Told {
            rule: "kubernetes-secret-token",
            kind: SERVICE_ACCOUNT_TOKEN,
            provider: "kubernetes",
            prefix: "eyJ",
            default_tier: None,
            expires_by_nature: Some(false),
            confidence: Confidence::High,
            reason: "token of a Secret of type service-account-token",
        };
        let mut seen = seen(context, node, value, &told);
        seen.sighting.layers = layers;
        seen.subject = Some(subject.to_owned());
        return Some(seen);
    }
    let told = recognise(context, value, "form of the token, in a Secret")?;
    let mut seen = seen(context, node, value, &told);
    seen.sighting.layers = layers;
    Some(seen)
}
