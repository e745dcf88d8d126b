//! What became of the items of earlier plans, and access that came after them.

use super::{AssessmentId, CredentialId, Disposition, IdentityId, PlanItemId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// State of an item of an earlier plan, as a later run shows it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    /// It was done, and the old access is back.
    Reopened,
    /// The new way is there and the old one still works: the migration is not finished.
    DualPath,
    /// The old access still stands, or nobody can say that it does not.
    #[default]
    Open,
    /// What proves completion holds.
    Done,
    /// The plan no longer stands: judgement asks for something else now, or for nothing.
    Superseded,
    /// The run did not look where it would have to.
    NotSeen,
}

impl ItemState {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reopened => "reopened",
            Self::DualPath => "dual-path",
            Self::Open => "open",
            Self::Done => "done",
            Self::Superseded => "superseded",
            Self::NotSeen => "not-seen",
        }
    }
}

/// What became of an item of an earlier plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemProgress {
    /// The item.
    pub item: PlanItemId,
    /// Its title when it was planned.
    pub title: String,
    /// The mechanism that it goes by.
    pub mechanism: String,
    /// The disposition it carried out.
    pub disposition: Disposition,
    /// Where it stands.
    pub state: ItemState,
    /// Time of the run that showed this state first.
    pub since: Timestamp,
    /// Time of the run that planned it first.
    pub planned_at: Timestamp,
    /// How a scan sees that it is done.
    pub detect_done: String,
    /// What of that holds and what does not.
    pub evidence: Vec<String>,
    /// Risk when it was planned first.
    pub risk_before: u8,
}

/// Standing access that came, or grew, after the plan that is being carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandingDrift {
    /// Its assessment.
    pub assessment: AssessmentId,
    /// Name of the subject.
    pub subject: String,
    /// Risk now.
    pub risk: u8,
    /// Risk when the plan was made, of access that was there already.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<u8>,
    /// Time of the run that showed it first.
    pub since: Timestamp,
}

/// An item as later runs need it to tell what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Where it stands.
    pub progress: ItemProgress,
    /// Assessment it settles.
    pub assessment: AssessmentId,
    /// Identity.
    pub identity: Option<IdentityId>,
    /// Credential.
    pub credential: Option<CredentialId>,
    /// Risk it is to end at.
    pub risk_after: u8,
    /// Consumers that used the access: name and repository.
    pub users: Vec<(String, Option<String>)>,
    /// Inputs that have to be read again to tell.
    pub needs: Vec<String>,
    /// It was seen in the history of a repository only.
    pub history: bool,
    /// What the run was asked that planned it.
    pub scope: String,
    /// Digest of the rules by which it was seen last; empty where an older version noted none.
    #[serde(default)]
    pub rules: String,
}

/// Standing access when it was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSeen {
    /// Time of the run.
    pub at: Timestamp,
    /// Lowest risk it was seen with.
    pub risk: u8,
}

/// All that is remembered of the plans of earlier runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanMemory {
    /// Every item ever planned, by id.
    pub items: Vec<Planned>,
    /// Standing access ever seen.
    pub standing: BTreeMap<AssessmentId, FirstSeen>,
}
