//! Credentials: what a machine shows to get in.

use super::{
    Confidence, ConsumerId, CredentialId, CredentialTrail, Evidence, Fingerprint, Grade,
    IdentityId, LastUse, Redacted, Sighting,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the issuer would accept the credential today.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialStatus {
    /// The issuer's inventory says active.
    Active,
    /// The issuer's inventory says inactive, or the credential is past its own expiry.
    Inactive,
    /// Nobody has said. Treated as live.
    #[default]
    Unknown,
}

impl CredentialStatus {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Unknown => "unknown",
        }
    }
}

/// The most exposed place a credential was seen in, least exposed first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Storage {
    /// Known from the issuer only; no copy was seen.
    #[default]
    NotSeen,
    /// Reference into a secrets manager.
    Vault,
    /// Held in a CI system's or SaaS's own secret store, known by name.
    CiStore,
    /// Injected as an environment variable from a place this scan did not see.
    Environment,
    /// In a plain file that git does not track.
    PlainFile,
    /// In commits that are no longer at HEAD.
    History,
    /// Committed and still at HEAD.
    Committed,
    /// Committed in a repository declared public, or baked into an image or client bundle.
    Public,
}

impl Storage {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSeen => "not-seen",
            Self::Vault => "vault",
            Self::CiStore => "ci-store",
            Self::Environment => "environment",
            Self::PlainFile => "plain-file",
            Self::History => "history",
            Self::Committed => "committed",
            Self::Public => "public",
        }
    }
}

/// One credential, joined over every place it was seen in and every inventory that knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Credential {
    /// Stable id.
    pub id: CredentialId,
    /// Issuer: `aws`, `github`, `stripe`, …
    pub provider: String,
    /// Credential type of the rules: `aws-access-key`, `github-pat`, `private-key`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The part that is not secret, where there is one: an access key id, a `private_key_id`.
    pub public_id: Option<String>,
    /// Keyed fingerprint of the secret part, where it was seen.
    pub fingerprint: Option<Fingerprint>,
    /// What to show in place of the secret.
    pub redacted: Option<Redacted>,
    /// Name it is referred to by where only a reference was seen: `secrets.AWS_ACCESS_KEY_ID`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<String>,
    /// Identity it lets in as, if the join found it.
    pub identity: Option<IdentityId>,
    /// How that join was made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub join: Option<Evidence>,
    /// Account the credential belongs to, if known or decoded.
    pub account: Option<String>,
    /// Whether the issuer would accept it today.
    pub status: CredentialStatus,
    /// When it was issued.
    pub created_at: Option<Timestamp>,
    /// Last use.
    pub last_use: LastUse,
    /// Last use as a plain time, for readers of the report; `None` when unknown or never.
    pub last_used_at: Option<Timestamp>,
    /// Service of the last use, where the issuer says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used_service: Option<String>,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// `Some(false)`: the type never expires by nature; `Some(true)`: it always does; `None`: it depends.
    pub expires_by_nature: Option<bool>,
    /// Most exposed place it was seen in.
    pub storage: Storage,
    /// Who uses it.
    pub consumers: Vec<ConsumerId>,
    /// Privilege tier its type has by default, when no inventory tells more.
    pub default_tier: Option<u8>,
    /// Confidence that it is a real credential, with the reason.
    pub confidence: Confidence,
    /// Why this confidence.
    pub confidence_reason: String,
    /// Strength of the evidence it rests on.
    pub grade: Grade,
    /// Every place it was seen in, sorted.
    pub sightings: Vec<Sighting>,
    /// What git tells of it over all these places; `None` where no commit holds it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trail: Option<CredentialTrail>,
}

impl Credential {
    /// Secret material lies in a file or a commit that was scanned.
    pub fn material_seen(&self) -> bool {
        self.fingerprint.is_some() && !self.sightings.is_empty()
    }
}

/// One credential at one place, as the text engine or a manifest reader hands it to the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeenCredential {
    /// Id of the rule that matched.
    pub rule: String,
    /// Issuer.
    pub provider: String,
    /// Credential type.
    pub kind: String,
    /// Public identifier, if the type has one.
    pub public_id: Option<String>,
    /// Keyed fingerprint of the secret part; `None` when only the public part was there.
    pub fingerprint: Option<Fingerprint>,
    /// What to show in its place.
    pub redacted: Redacted,
    /// Account decoded from the credential itself.
    pub account: Option<String>,
    /// Identity the material itself names (`client_email`, JWT `sub`), in the provider's form.
    pub subject: Option<String>,
    /// Issue time the material itself states.
    pub created_at: Option<Timestamp>,
    /// Expiry the material itself states.
    pub expires_at: Option<Timestamp>,
    /// Whether the type expires by nature.
    pub expires_by_nature: Option<bool>,
    /// Privilege tier of the type by default (0–5).
    pub default_tier: Option<u8>,
    /// Confidence that it is real.
    pub confidence: Confidence,
    /// Why this confidence.
    pub confidence_reason: String,
    /// Where.
    pub sighting: Sighting,
}
