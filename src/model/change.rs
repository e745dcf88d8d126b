//! What changed since the run before, and what people decided.

use super::{Finding, IdentityId, ItemProgress, ItemState, StandingDrift};
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A decision about a finding, as far as it is in force or has run out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    /// `accept-risk`, `false-positive`, `remediate`, `defer`, `break-glass` or `conflict`.
    pub verdict: String,
    /// What it was about: the finding, its credential, its identity, or a rule and a path.
    pub scope: String,
    /// Who; of a conflict, everybody.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Last day it holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<Date>,
    /// Where it is tracked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ticket: Option<String>,
}

/// A change of what an identity reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// The identity.
    pub identity: IdentityId,
    /// Its name.
    pub name: String,
    /// What it reaches now and did not before, at most twenty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub gained: Vec<String>,
    /// What it reached before and does not now, at most twenty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lost: Vec<String>,
    /// Number of both.
    pub total: u32,
}

/// What changed since the run before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// The run before, if there was one.
    pub since: Option<String>,
    /// Its time.
    pub since_time: Option<Timestamp>,
    /// Findings by status word, those that are fixed included.
    pub statuses: BTreeMap<String, u32>,
    /// Findings that are no longer there.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fixed: Vec<Finding>,
    /// Identities that reach more or less than before.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub drift: Vec<Drift>,
    /// What became of the items of earlier plans: those that came back first, then by state and id.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub plan: Vec<ItemProgress>,
    /// Standing access that came, or grew, since the plan that is being carried out; highest risk first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub standing: Vec<StandingDrift>,
}

impl Changes {
    /// The items of earlier plans that are in this state.
    pub fn planned(&self, state: ItemState) -> impl Iterator<Item = &ItemProgress> {
        self.plan.iter().filter(move |one| one.state == state)
    }

    /// Whether anything is worth telling.
    pub fn any(&self) -> bool {
        const QUIET: [&str; 3] = ["unchanged", "accepted", "ignored"];
        !self.drift.is_empty()
            || self
                .statuses
                .iter()
                .any(|(word, count)| *count > 0 && !QUIET.contains(&word.as_str()))
    }
}
