//! What logs show of the use of identities and credentials.

use super::{CredentialId, Evidence, IdentityId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How use is spread over time.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rhythm {
    /// Runs that start at even distances.
    CronLike,
    /// Sessions with an end, at no fixed distance.
    Bursty,
    /// In use most of the time, or all around the clock.
    Continuous,
    /// Too few sessions, or too short a log, to tell.
    #[default]
    Unclear,
}

impl Rhythm {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CronLike => "cron-like",
            Self::Bursty => "bursty",
            Self::Continuous => "continuous",
            Self::Unclear => "unclear",
        }
    }
}

/// Sessions: runs of calls without a long pause between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sessions {
    /// How many.
    pub count: u32,
    /// Pause from which a new session begins, in seconds; found in the pauses themselves where they tell.
    pub gap_seconds: u64,
    /// Length that half of the sessions do not exceed, in seconds.
    pub p50_seconds: u64,
    /// Length that 95 of 100 sessions do not exceed, in seconds.
    pub p95_seconds: u64,
    /// Longest, in seconds.
    pub max_seconds: u64,
    /// Each temporary credential was followed by itself, so that runs at the same time are told apart.
    pub told_apart: bool,
}

/// A name and how often it was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// What was seen.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// What a call amounts to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// Lists and describes.
    #[default]
    Metadata,
    /// Writes the workload's own logs and metrics.
    Telemetry,
    /// Returns stored content.
    DataRead,
    /// Changes resources.
    Write,
    /// Hands out secrets.
    Secret,
    /// Becomes a role of another account.
    CrossAccount,
    /// Changes who may do what.
    Permissions,
}

impl ActionKind {
    /// It must not stand: it is asked for when it is needed.
    pub const fn elevated(self) -> bool {
        matches!(
            self,
            Self::Write | Self::Secret | Self::CrossAccount | Self::Permissions
        )
    }
}

/// An action that was called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ActionUse {
    /// The action as policies name it: `s3:GetObject`.
    pub action: String,
    /// What it amounts to.
    pub kind: ActionKind,
    /// Calls.
    pub count: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Last call.
    pub last: Timestamp,
    /// Resources that events name, sorted.
    pub resources: Vec<String>,
    /// There were more resources than are listed.
    pub more_resources: bool,
}

/// Who started sessions of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct CallerUse {
    /// `principal`, `service`, `account`, `oidc`, `saml`, `source-identity` or `session-name`.
    pub kind: String,
    /// ARN, service host, account, federated subject, or name.
    pub name: String,
    /// Sessions or, for names, calls.
    pub count: u64,
}

/// Use of one identity, or of one of its credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// Kind of log: `cloudtrail`.
    pub source: String,
    /// ARN of the user, role or root user.
    pub principal: String,
    /// Its account.
    pub account: Option<String>,
    /// Identity of the inventory.
    pub identity: Option<IdentityId>,
    /// Long-lived access key id the calls were signed with; `None` for temporary credentials and the console.
    pub access_key: Option<String>,
    /// Credential of the inventory.
    pub credential: Option<CredentialId>,
    /// Calls.
    pub events: u64,
    /// Calls that failed.
    pub failed: u64,
    /// First call in the logs.
    pub first: Timestamp,
    /// Last call in the logs.
    pub last: Timestamp,
    /// Sessions.
    pub sessions: Sessions,
    /// How the sessions are spread.
    pub rhythm: Rhythm,
    /// Usual distance between the starts of two sessions, in seconds, where it is even.
    pub every_seconds: Option<u64>,
    /// Why this rhythm.
    pub rhythm_evidence: String,
    /// Calls by hour of the day, UTC.
    pub hours: Vec<u64>,
    /// Calls by day of the week, Monday first.
    pub weekdays: Vec<u64>,
    /// Networks calls came from, most calls first.
    pub networks: Vec<Counted>,
    /// Hours in which calls came from two networks or more, of the first 400 active ones; `None` where nobody counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub overlap_hours: Option<u32>,
    /// Regions called.
    pub regions: Vec<Counted>,
    /// Programs that called, most calls first.
    pub user_agents: Vec<Counted>,
    /// Actions called, sorted.
    pub actions: Vec<ActionUse>,
    /// Errors with the action, most first: `AccessDenied s3:PutObject`.
    pub errors: Vec<Counted>,
    /// Who started its sessions, most first.
    pub callers: Vec<CallerUse>,
    /// Signs that a person works with it.
    pub by_hand: Vec<Evidence>,
    /// What caps left out, in words.
    pub left_out: Vec<String>,
}

impl Activity {
    /// Actions that succeeded at least once.
    pub fn succeeded(&self) -> impl Iterator<Item = &ActionUse> {
        self.actions.iter().filter(|used| used.failed < used.count)
    }
}

/// What the logs of one account cover.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct LogWindow {
    /// Account.
    pub account: String,
    /// First event.
    pub from: Timestamp,
    /// Last event.
    pub to: Timestamp,
    /// Events.
    pub events: u64,
    /// Of these, calls on data (objects, items, messages), which a trail logs only where it is told to.
    pub data_events: u64,
    /// Services of which calls on data are in the logs.
    pub data_services: Vec<String>,
    /// Regions seen.
    pub regions: Vec<String>,
}

/// Everything logs showed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observed {
    /// What the logs cover, by account.
    pub windows: Vec<LogWindow>,
    /// Use, sorted by principal and access key.
    pub activity: Vec<Activity>,
}

impl Observed {
    /// Whether nothing was observed.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty() && self.activity.is_empty()
    }

    /// What the logs of an account cover.
    pub fn window(&self, account: &str) -> Option<&LogWindow> {
        self.windows.iter().find(|window| window.account == account)
    }

    /// Use of an identity, whichever credential it came with.
    pub fn of_identity<'a>(&'a self, id: &'a IdentityId) -> impl Iterator<Item = &'a Activity> {
        self.activity
            .iter()
            .filter(move |activity| activity.identity.as_ref() == Some(id))
    }

    /// Use of a credential.
    pub fn of_credential(&self, id: &CredentialId) -> Option<&Activity> {
        self.activity
            .iter()
            .find(|activity| activity.credential.as_ref() == Some(id))
    }
}
