//! Assessments: should this access go just-in-time, and how sure are we.

use super::{AssessmentId, CredentialId, Evidence, Grade, IdentityId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Band of a risk score; bounds are in `rules/scoring.toml`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RiskBand {
    /// Below low.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl RiskBand {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// One factor of the risk vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RiskFactor {
    /// Letter in the vector: E, T, H, P, S, B.
    pub code: String,
    /// Name: exposure, standing time, hygiene, privilege, sensitivity, blast.
    pub name: String,
    /// Level, within the factor's range.
    pub level: u8,
    /// The level is the type's nature or a default, not seen; starred in the vector.
    pub assumed: bool,
    /// Why this level.
    pub evidence: Vec<Evidence>,
}

/// Risk as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Risk {
    /// 0–100.
    pub score: u8,
    /// Band of the score.
    pub band: RiskBand,
    /// `NHI:1/E4/T3/H0/P5/S2/B1`, assumed levels starred.
    pub vector: String,
    /// Likelihood 1–10.
    pub likelihood: u8,
    /// Impact 0–10.
    pub impact: u8,
    /// The six factors.
    pub factors: Vec<RiskFactor>,
    /// Floors that lifted the score, in words.
    pub floors: Vec<String>,
}

/// One factor of the JIT fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FitFactor {
    /// F1 … F7.
    pub code: String,
    /// Name.
    pub name: String,
    /// Points.
    pub points: u8,
    /// Most it can give.
    pub max: u8,
    /// Why.
    pub evidence: Vec<Evidence>,
}

/// How well just-in-time access would fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fit {
    /// 0–100.
    pub score: u8,
    /// The seven factors.
    pub factors: Vec<FitFactor>,
}

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Blocker {
    /// Id of domain: `vendor_static`, `shared_path`, `ambiguous_revocation`, …
    pub id: String,
    /// Why it is set.
    pub evidence: Evidence,
}

/// What to do, in the order the table is evaluated.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// Assume compromised: revoke, then replace.
    RevokeNow,
    /// Keep, sealed off.
    BreakGlassIsolate,
    /// Nobody uses it: remove.
    Decommission,
    /// Move to short-lived access now.
    MigrateNow,
    /// Keep a small stable identity, elevate just in time.
    Hybrid,
    /// Shorten, scope and compensate until a migration is possible.
    ShortenAndCompensate,
    /// Give each consumer its own, then judge again.
    SplitFirst,
    /// Standing access is justified, until a date.
    KeepStanding,
    /// Move in a later wave.
    PlanMigration,
    /// Not enough evidence to decide.
    Review,
}

impl Disposition {
    /// Every disposition, in the order the table is evaluated.
    pub const ALL: [Self; 10] = [
        Self::RevokeNow,
        Self::BreakGlassIsolate,
        Self::Decommission,
        Self::MigrateNow,
        Self::Hybrid,
        Self::ShortenAndCompensate,
        Self::SplitFirst,
        Self::KeepStanding,
        Self::PlanMigration,
        Self::Review,
    ];

    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RevokeNow => "revoke-now",
            Self::BreakGlassIsolate => "break-glass-isolate",
            Self::Decommission => "decommission",
            Self::MigrateNow => "migrate-now",
            Self::Hybrid => "hybrid",
            Self::ShortenAndCompensate => "shorten-and-compensate",
            Self::SplitFirst => "split-first",
            Self::KeepStanding => "keep-standing",
            Self::PlanMigration => "plan-migration",
            Self::Review => "review",
        }
    }

    /// The words people read.
    pub const fn title(self) -> &'static str {
        match self {
            Self::RevokeNow => "Revoke now",
            Self::BreakGlassIsolate => "Isolate break-glass",
            Self::Decommission => "Decommission",
            Self::MigrateNow => "Migrate now",
            Self::Hybrid => "Hybrid",
            Self::ShortenAndCompensate => "Shorten and compensate",
            Self::SplitFirst => "Split first",
            Self::KeepStanding => "Keep standing (justified)",
            Self::PlanMigration => "Plan migration",
            Self::Review => "Review: insufficient evidence",
        }
    }
}

/// Yes, no, or nobody knows.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Ternary {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Not known.
    #[default]
    Unknown,
}

impl Ternary {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// One condition of the decision table, as evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConditionResult {
    /// The condition in words, with the value it was evaluated on.
    pub text: String,
    /// Whether it held.
    pub held: Ternary,
}

/// One row of the decision table, as evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DispositionTrace {
    /// The row.
    pub disposition: Disposition,
    /// Its conditions.
    pub conditions: Vec<ConditionResult>,
    /// Whether the row as a whole held.
    pub matched: bool,
}

/// Whether access can be issued, observed and revoked by machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Readiness {
    /// Issued automatically.
    pub issue: Ternary,
    /// Observed in use.
    pub observe: Ternary,
    /// Revoked automatically.
    pub revoke: Ternary,
}

/// What a migration may claim.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mitigation {
    /// No reduction can be claimed.
    None,
    /// Some of the risk stays.
    Partial,
    /// Bounded, revocable, with context.
    Full,
}

impl Mitigation {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Partial => "partial",
            Self::Full => "full",
        }
    }
}

/// Proposed lifetime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ttl {
    /// Seconds; `None` when the platform issues and refreshes it by itself or there is nothing to issue.
    pub seconds: Option<u64>,
    /// The task window and the limits it was made from.
    pub evidence: String,
}

/// Where the task begins and ends, and how that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskBoundary {
    /// Whether the work ends by itself.
    pub bounded: Ternary,
    /// How long it takes, in seconds, where that was seen or declared.
    pub window_seconds: Option<u64>,
    /// Rhythm of its use, where logs show it.
    pub rhythm: Option<super::Rhythm>,
    /// Whether it can be shown that the work stopped using the access.
    pub stop_provable: Ternary,
    /// One line for each of these, and what the logs do not hold.
    pub evidence: Vec<Evidence>,
}

/// How long a stolen copy is worth something, in words, today and after the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExposureWindow {
    /// Today: `412 d, no expiry`.
    pub before: String,
    /// After: `15 min`.
    pub after: String,
}

/// Risk that stays after the plan item is done, by the same formula.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResidualRisk {
    /// 0–100.
    pub score: u8,
    /// Band.
    pub band: RiskBand,
    /// Vector of the target state.
    pub vector: String,
    /// Why the factors change, and which do not.
    pub evidence: Vec<String>,
}

/// Judgement on one credential, or on one identity that has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assessment {
    /// Stable id.
    pub id: AssessmentId,
    /// Identity judged, if known.
    pub identity: Option<IdentityId>,
    /// Credential judged, if the assessment is of one.
    pub credential: Option<CredentialId>,
    /// Name of the subject for people.
    pub subject: String,
    /// Risk today.
    pub risk: Risk,
    /// Fit for just-in-time access.
    pub fit: Fit,
    /// What stands in the way.
    pub blockers: Vec<Blocker>,
    /// What to do.
    pub disposition: Disposition,
    /// What to do about the replacement, after a revocation.
    pub follow_up: Option<Disposition>,
    /// Every row of the decision table that was evaluated, in order.
    pub trace: Vec<DispositionTrace>,
    /// Weakest grade among the factors that decided.
    pub confidence: Grade,
    /// Consumer class judged on.
    pub consumer_class: super::ConsumerClass,
    /// Risk × fit / 100: what to start with.
    pub priority: u8,
    /// Credential age over task duration to two figures; `None` when either is unknown.
    pub lifetime_ratio: Option<f64>,
    /// Worth of a stolen copy, before and after.
    pub exposure_window: ExposureWindow,
    /// Where the task begins and ends.
    #[serde(default)]
    pub task: TaskBoundary,
    /// Proposed lifetime.
    pub ttl: Ttl,
    /// Id of the target mechanism in `rules/targets/`.
    pub target: Option<String>,
    /// Why this target, or why none.
    pub target_reason: String,
    /// Condition coverage 0–4 of the identity's trust.
    pub condition_coverage: Option<u8>,
    /// What the migration may claim.
    pub mitigation: Mitigation,
    /// Can it be issued, observed, revoked by machines.
    pub readiness: Readiness,
    /// Can the consumer ask again safely.
    pub can_rerequest: Ternary,
    /// Is a failed renewal tolerable.
    pub renewal_failure_tolerable: Ternary,
    /// Risk after the plan.
    pub risk_after: ResidualRisk,
}
