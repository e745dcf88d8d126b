//! Findings: what is wrong, with whom, where.

use super::{
    Confidence, CredentialId, Decided, Evidence, FindingId, IdentityId, Ignored, Location, Severity,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Framework name (`owasp-nhi`, `cwe`, `nist-800-53`, …) to the ids in it that a rule maps to.
pub type Frameworks = BTreeMap<String, Vec<String>>;

/// Where a finding stands, compared with earlier runs and people's decisions.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FindingStatus {
    /// Never seen before, or no state is kept.
    #[default]
    New,
    /// As it was when it was last looked for.
    Unchanged,
    /// More severe, riskier by a band, or with more in reach than when it was last looked for.
    Worsened,
    /// Less of all that.
    Improved,
    /// No longer there, though its source was read.
    Fixed,
    /// It had been fixed.
    Reappeared,
    /// A person accepted it.
    Accepted,
    /// A person accepted it until a day that has passed.
    AcceptedExpired,
    /// Every place of it is to be ignored, by a comment or the configuration.
    Ignored,
}

impl FindingStatus {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Worsened => "worsened",
            Self::Improved => "improved",
            Self::Fixed => "fixed",
            Self::Reappeared => "reappeared",
            Self::Accepted => "accepted",
            Self::AcceptedExpired => "accepted-expired",
            Self::Ignored => "ignored",
        }
    }

    /// Whether somebody still has to do something about it.
    pub const fn open(self) -> bool {
        !matches!(self, Self::Fixed | Self::Accepted | Self::Ignored)
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable id.
    pub id: FindingId,
    /// Id of the check.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// The fault in a few words, naming the subject.
    pub title: String,
    /// The fault in one or two sentences: what, who, since when, why it matters here.
    pub message: String,
    /// Identity concerned.
    pub identity: Option<IdentityId>,
    /// Credential concerned.
    pub credential: Option<CredentialId>,
    /// Where; the first is the primary one. Never empty.
    pub locations: Vec<Location>,
    /// What the finding rests on.
    pub evidence: Vec<Evidence>,
    /// Framework ids.
    pub frameworks: Frameworks,
    /// Compared with earlier runs.
    pub status: FindingStatus,
    /// Time of the first run that had it; `None` where no state is kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_seen: Option<Timestamp>,
    /// Time of the last run that had it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_seen: Option<Timestamp>,
    /// What made it worsen, improve, reappear or be fixed, in words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changes: Vec<String>,
    /// What people decided about it, if they did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<Decided>,
    /// Why it is ignored, if it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ignored: Option<Ignored>,
}

/// Why a finding could not be built: a fault of the check, not of the input.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FindingError {
    /// No location was given.
    #[error("check `{0}` built a finding without a location")]
    NoLocation(String),
    /// Title or message is empty.
    #[error("check `{0}` built a finding without a title or message")]
    NoText(String),
    /// Nothing is said about the check in `rules/posture/`.
    #[error("check `{0}` has no metadata")]
    NoMetadata(String),
}

/// Builds a finding and enforces what every finding must have.
#[derive(Clone, Debug)]
pub struct FindingBuilder {
    rule: String,
    first_called: String,
    severity: Severity,
    confidence: Confidence,
    title: String,
    message: String,
    identity: Option<IdentityId>,
    credential: Option<CredentialId>,
    discriminator: String,
    locations: Vec<Location>,
    evidence: Vec<Evidence>,
    frameworks: Frameworks,
}

impl Finding {
    /// Findings as JSON without when a run of this time saw them last: what every night would change of them.
    pub fn timeless(json: &[u8], now: Timestamp) -> Vec<u8> {
        let timed = format!("\"last_seen\":\"{now}\"");
        let mut out = Vec::with_capacity(json.len());
        let mut from = 0;
        // Inside a text the quotes would be escaped.
        for at in memchr::memmem::find_iter(json, timed.as_bytes()) {
            out.extend_from_slice(json.get(from..at).unwrap_or_default());
            out.extend_from_slice(b"\"last_seen\":null");
            from = at + timed.len();
        }
        out.extend_from_slice(json.get(from..).unwrap_or_default());
        out
    }

    /// Takes up the time that [`Finding::timeless`] has left out.
    pub fn timed(&mut self, now: Timestamp) {
        if self.first_seen.is_some() {
            self.last_seen.get_or_insert(now);
        }
    }
}

impl FindingBuilder {
    /// A finding of the check `rule`.
    pub fn new(rule: &str, severity: Severity) -> Self {
        Self {
            rule: rule.to_owned(),
            first_called: rule.to_owned(),
            severity,
            confidence: Confidence::High,
            title: String::new(),
            message: String::new(),
            identity: None,
            credential: None,
            discriminator: String::new(),
            locations: Vec::new(),
            evidence: Vec::new(),
            frameworks: Frameworks::new(),
        }
    }

    /// The name that the check had first, which the id is made from.
    #[must_use]
    pub fn first_called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.first_called);
        self
    }

    /// Title and message.
    #[must_use]
    pub fn text(mut self, title: impl Into<String>, message: impl Into<String>) -> Self {
        self.title = title.into();
        self.message = message.into();
        self
    }

    /// Identity concerned.
    #[must_use]
    pub fn identity(mut self, id: Option<&IdentityId>) -> Self {
        self.identity = id.cloned();
        self
    }

    /// Credential concerned.
    #[must_use]
    pub fn credential(mut self, id: Option<&CredentialId>) -> Self {
        self.credential = id.cloned();
        self
    }

    /// Tells apart several findings of one check about one subject (a policy's name, a trust's principal). Must be
    /// stable between runs and unique among them.
    #[must_use]
    pub fn discriminator(mut self, text: impl Into<String>) -> Self {
        self.discriminator = text.into();
        self
    }

    /// How sure; high unless said otherwise.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Adds places; the first added is the primary one.
    #[must_use]
    pub fn locations(mut self, locations: impl IntoIterator<Item = Location>) -> Self {
        self.locations.extend(locations);
        self
    }

    /// Adds evidence.
    #[must_use]
    pub fn evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Framework ids of the check.
    #[must_use]
    pub fn frameworks(mut self, frameworks: Frameworks) -> Self {
        self.frameworks = frameworks;
        self
    }

    /// The finding, if it has all a finding must have.
    ///
    /// # Errors
    /// When location, title or message is missing.
    pub fn build(self) -> Result<Finding, FindingError> {
        if self.locations.is_empty() {
            return Err(FindingError::NoLocation(self.rule));
        }
        if self.title.is_empty() || self.message.is_empty() {
            return Err(FindingError::NoText(self.rule));
        }
        let subject = |id: Option<&str>| id.unwrap_or_default().to_owned();
        let id = FindingId::of(&[
            &self.first_called,
            &subject(self.identity.as_ref().map(IdentityId::as_str)),
            &subject(self.credential.as_ref().map(CredentialId::as_str)),
            &self.discriminator,
        ]);
        Ok(Finding {
            id,
            rule: self.rule,
            severity: self.severity,
            confidence: self.confidence,
            title: self.title,
            message: self.message,
            identity: self.identity,
            credential: self.credential,
            locations: self.locations,
            evidence: self.evidence,
            frameworks: self.frameworks,
            status: FindingStatus::New,
            first_seen: None,
            last_seen: None,
            changes: Vec::new(),
            decision: None,
            ignored: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_needs_text_and_a_place() {
        let bare = FindingBuilder::new("x", Severity::Low);
        assert_eq!(
            bare.clone().build(),
            Err(FindingError::NoLocation("x".into()))
        );
        let placed = bare.locations([Location::file("r", "a", 1, 1)]);
        assert_eq!(
            placed.clone().build(),
            Err(FindingError::NoText("x".into()))
        );
        assert!(placed.text("t", "m").build().is_ok());
    }

    #[test]
    fn ids_ignore_lines_and_heed_discriminators() {
        let at = |line, tell: &str| {
            FindingBuilder::new("x", Severity::Low)
                .text("t", "m")
                .discriminator(tell)
                .locations([Location::file("r", "a", line, 1)])
                .build()
                .unwrap()
                .id
        };
        assert_eq!(at(1, "p"), at(9, "p"));
        assert_ne!(at(1, "p"), at(1, "q"));
    }
}
