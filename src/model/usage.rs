//! What an identity uses of what it is granted, by the provider's records.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Granted against used. Unknown is not unused: what the provider does not track is counted apart and never proposed for
/// removal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionUse {
    /// From when on a use would have been recorded.
    pub since: Timestamp,
    /// When the record was made.
    pub until: Timestamp,
    /// Why nothing can be called unused yet, where that is so: the identity is younger than a period that proves it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub too_early: Option<String>,
    /// Services granted and used.
    pub services_used: Vec<String>,
    /// Services granted and not used in the period.
    pub services_unused: Vec<String>,
    /// Services granted of which the record says nothing.
    pub services_untracked: Vec<String>,
    /// Services used of whose actions the record says nothing.
    pub services_without_actions: Vec<String>,
    /// Actions granted after denies and boundaries.
    pub actions_granted: u32,
    /// Those of them used.
    pub actions_used: u32,
    /// Those of them not used in the period.
    pub actions_unused: u32,
    /// Those of them nobody tracks.
    pub actions_unknown: u32,
    /// Unused actions by access level.
    pub unused_by_level: BTreeMap<String, u32>,
    /// What each statement that gives permissions gives for nothing.
    pub statements: Vec<StatementUse>,
    /// The smaller policies that keep what is used.
    pub smaller: Vec<SmallerPolicy>,
}

impl PermissionUse {
    /// Unused actions in hundredths of those granted; `None` where nothing is known. What nobody tracks counts as used.
    pub fn unused_share(&self) -> Option<u32> {
        let known = self.actions_used > 0 || self.actions_unused > 0;
        if self.too_early.is_some() || !known || self.actions_granted == 0 {
            return None;
        }
        u32::try_from(u64::from(self.actions_unused) * 100 / u64::from(self.actions_granted)).ok()
    }
}

/// One statement that allows, and how much of it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementUse {
    /// Policy, as people find it.
    pub policy: String,
    /// Statement, by `Sid` or position.
    pub statement: String,
    /// Actions it allows.
    pub granted: u32,
    /// Those of them not used in the period.
    pub unused: u32,
    /// Those of them nobody tracks.
    pub unknown: u32,
}

/// A policy reduced to what is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SmallerPolicy {
    /// Policy it takes the place of, as people find it.
    pub policy: String,
    /// The provider's id of that policy, or the path by which it is reached.
    pub replaces: String,
    /// Where the documents belong: `inline` or `managed`.
    pub form: String,
    /// The documents: several where one would be larger than the provider allows, none where nothing is left.
    pub documents: Vec<Value>,
    /// Length of each document as the provider counts it, without white space.
    pub sizes: Vec<u32>,
    /// Services removed as a whole.
    pub removed_services: Vec<String>,
    /// Actions removed of other services, by access level.
    pub removed_actions: BTreeMap<String, Vec<String>>,
    /// Number of actions removed, by access level.
    pub removed_by_level: BTreeMap<String, u32>,
    /// What has to be known before it is put in place.
    pub notes: Vec<String>,
}
