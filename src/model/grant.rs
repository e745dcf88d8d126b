//! Grants: what an identity may do, and through what.

use super::{Evidence, GrantId, IdentityId, Location};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Through what a grant reaches its holder.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum GrantSource {
    /// Written into the identity itself.
    Inline,
    /// A managed policy attached to the identity.
    Managed,
    /// Through membership in a group.
    Group,
    /// A Kubernetes role binding or a cloud role binding.
    Binding,
    /// A trust policy: who may become the identity.
    Trust,
    /// Declared in a workflow or configuration (`permissions:`, allowed tools).
    Declared,
}

impl GrantSource {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Managed => "managed",
            Self::Group => "group",
            Self::Binding => "binding",
            Self::Trust => "trust",
            Self::Declared => "declared",
        }
    }
}

/// One grant: a policy, a binding or a declaration that gives an identity something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    /// Stable id.
    pub id: GrantId,
    /// Who holds it.
    pub identity: IdentityId,
    /// Through what.
    pub source: GrantSource,
    /// Name of the policy, role or permission set.
    pub name: String,
    /// The provider's id of it (policy ARN), or the path by which it is reached (`group deployers → policy X`).
    pub native_id: String,
    /// Actions it allows, as written (patterns kept), sorted, at most 50; `actions_total` has the count.
    pub actions: Vec<String>,
    /// Number of action patterns as written.
    pub actions_total: u32,
    /// Resources it covers, as written, sorted, at most 20.
    pub resources: Vec<String>,
    /// Conditions it hangs on, in words.
    pub conditions: Vec<String>,
    /// Privilege tier this grant alone would give (0–5).
    pub tier: u8,
    /// Why that tier.
    pub evidence: Vec<Evidence>,
    /// Where it is written.
    pub location: Option<Location>,
}
