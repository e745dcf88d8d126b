//! A match while it is being judged.

use crate::model::{Confidence, SecretBytes};
use jiff::Timestamp;
use std::ops::Range;

/// What is known of one match. Holds raw secret material, so it has no `Debug`.
pub(super) struct Found {
    /// Index of the rule.
    pub rule: usize,
    /// Whole match: where the sighting is, and what is claimed.
    pub span: Range<usize>,
    /// Place of the secret in the text; `None` where only the public part was there.
    pub secret: Option<Range<usize>>,
    /// The secret in its plain form, where that is not the text itself (unwrapped base64, joined PEM lines).
    pub material: Option<SecretBytes>,
    /// The part of the secret that names its type.
    pub prefix: String,
    /// What stands between the name and the secret it announces.
    pub gap: Option<Range<usize>>,
    /// Public identifier.
    pub public_id: Option<String>,
    /// Identity the material names.
    pub subject: Option<String>,
    /// Account.
    pub account: Option<String>,
    /// Issue time.
    pub created_at: Option<Timestamp>,
    /// Expiry.
    pub expires_at: Option<Timestamp>,
    /// Whether it expires by nature.
    pub expires_by_nature: Option<bool>,
    /// Confidence so far.
    pub confidence: Confidence,
    /// Why.
    pub reasons: Vec<String>,
}

impl Found {
    /// One step less sure, with the reason.
    pub(super) fn doubt(&mut self, reason: &str) {
        self.confidence = lower(self.confidence);
        self.reasons.push(reason.to_owned());
    }

    /// As unsure as can be, with the reason.
    pub(super) fn discredit(&mut self, reason: &str) {
        self.confidence = Confidence::Low;
        self.reasons.push(reason.to_owned());
    }

    /// A reason that supports the match.
    pub(super) fn note(&mut self, reason: &str) {
        self.reasons.push(reason.to_owned());
    }

    /// The secret's bytes.
    pub(super) fn secret_bytes<'a>(&'a self, text: &'a [u8]) -> Option<&'a [u8]> {
        match &self.material {
            Some(material) => Some(material.expose()),
            None => self.secret.clone().and_then(|span| text.get(span)),
        }
    }
}

/// The next lower confidence.
pub(super) const fn lower(confidence: Confidence) -> Confidence {
    match confidence {
        Confidence::High => Confidence::Medium,
        Confidence::Medium | Confidence::Low => Confidence::Low,
    }
}
