//! Thresholds, weights and gates of the judgement: `rules/scoring.toml`, overridable in `overstay.toml`.

#[cfg(test)]
mod tests;

mod digest;
mod overrides;
mod ranges;

use super::RuleError;
use crate::model::{RiskBand, Ternary};
use digest::digest;
use overrides::{culprit, merge};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Path of the data below `rules/`.
const FILE: &str = "scoring.toml";
/// What errors in a user's overrides are attributed to.
const OVERRIDES: &str = "overstay.toml [scoring]";

/// Ages and lengths from which something counts as long-lived, unused, long and so on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Days after which a credential is long-lived.
    pub long_lived_days: i64,
    /// Days without use, with telemetry, after which something is unused.
    pub unused_days: i64,
    /// Days without use, with telemetry, after which hygiene is poor.
    pub idle_days: i64,
    /// Days after which something named temporary is not.
    pub temporary_days: i64,
    /// Days within which a renewed credential counts as rotated.
    pub rotation_days: i64,
    /// Seconds beyond which a session is long.
    pub long_session_seconds: u64,
    /// Seconds up to which a session is short.
    pub short_session_seconds: u64,
    /// Seconds up to which a session ends within a working day.
    pub medium_session_seconds: u64,
    /// Seconds within which emergency access must end.
    pub break_glass_max_session_seconds: u64,
    /// Days to wait between deactivation and deletion.
    pub quiet_days: i64,
    /// Consumers from which a credential is shared.
    pub shared_consumers: usize,
    /// Providers without a common broker from which an agent's systems are disconnected.
    pub disconnected_providers: usize,
    /// Days for which accepted standing access stays accepted.
    pub exception_days: i64,
    /// Days ahead up to which an exception of the configuration counts.
    pub exception_most_days: i64,
    /// Days for which the way back stays open after a cut-over.
    pub rollback_days: i64,
}

/// Lowest score of each band; below `low` is info.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// Critical from here.
    pub critical: u8,
    /// High from here.
    pub high: u8,
    /// Medium from here.
    pub medium: u8,
    /// Low from here.
    pub low: u8,
}

/// Least scores that certain combinations have, whatever the product says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floors {
    /// Access key of an account's root user.
    pub root_key: u8,
    /// Exposure ≥ 4 and privilege ≥ 4.
    pub exposed_privileged: u8,
    /// Exposure 5 and privilege ≥ 2.
    pub public_usable: u8,
    /// Exposure ≥ 4 and privilege ≥ 1.
    pub exposed_usable: u8,
}

/// Points of the seven fit factors, by level name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitPoints {
    /// F1: by class of the target mechanism.
    pub mechanism: BTreeMap<String, u8>,
    /// F2: by how bounded the task is.
    pub boundedness: BTreeMap<String, u8>,
    /// F3: by how access ends.
    pub revocation: BTreeMap<String, u8>,
    /// F4: by whether the runtime can prove what it is.
    pub federation: BTreeMap<String, u8>,
    /// F5: by consumer and owner.
    pub ownership: BTreeMap<String, u8>,
    /// F6: by evidence of use.
    pub instrumentation: BTreeMap<String, u8>,
    /// F7: by tolerance of renewal.
    pub renewal: BTreeMap<String, u8>,
}

/// Values at which a row of the decision table opens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gates {
    /// Fit from which a migration can start now.
    pub migrate_fit: u8,
    /// Fit from which a migration is worth planning.
    pub plan_fit: u8,
    /// Mechanism points from which elevation can be issued on demand.
    pub hybrid_mechanism_points: u8,
    /// Risk from which a migration starts now without an action class that requires it.
    pub migrate_risk: u8,
    /// Most privilege that may stand.
    pub keep_max_privilege: u8,
    /// Most sensitivity that may stand.
    pub keep_max_sensitivity: u8,
    /// Most blast that may stand.
    pub keep_max_blast: u8,
    /// Answered context questions from which a condition set counts as context.
    pub full_condition_coverage: u8,
    /// Exposure that stays after a migration with fewer.
    pub residual_exposure: u8,
}

/// Task windows and the lifetimes on offer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TtlRules {
    /// Lifetimes a plan may propose, in seconds, ascending.
    pub allowed_seconds: Vec<u64>,
    /// Window of bounded work that states no length.
    pub default_window_seconds: u64,
    /// Session budget of an agent.
    pub agent_window_seconds: u64,
    /// Working session of a person.
    pub human_window_seconds: u64,
    /// Length of one renewable grant of continuous work.
    pub service_window_seconds: u64,
}

/// How the task boundary is told from logs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskRules {
    /// Pause from which a new session begins, where the pauses do not tell.
    pub session_gap_seconds: u64,
    /// How many times longer a pause between sessions is than any within one.
    pub pause_jump: u64,
    /// Of a hundred hours, those with calls from which use is continuous.
    pub continuous_percent: u8,
    /// Sessions from which a rhythm is told.
    pub least_sessions: usize,
    /// Sessions from which their length is the task window.
    pub window_sessions: u32,
    /// Uneven sessions up to this length are bounded work.
    pub bursty_seconds: u64,
    /// Days of logs after which permissions may be narrowed to what was used.
    pub narrow_after_days: i64,
}

/// From when on logs show that several people or places share an administrator that no declared consumer accounts for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedRules {
    /// Networks that are places of work.
    pub networks: usize,
    /// Programs that call.
    pub programs: usize,
    /// Of a hundred calls, those from which a network is a place of work.
    pub network_percent: u64,
    /// Hours with calls from two networks or more.
    pub overlap_hours: u32,
}

/// How plans are cut into waves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRules {
    /// Most items in a wave.
    pub wave_size: usize,
    /// Sensitivity from which an item belongs to the first waves.
    pub narrow_target_sensitivity: u8,
    /// Privilege from which an item belongs to the first waves.
    pub narrow_target_privilege: u8,
    /// Risk from which an unclear case gets an item of its own.
    pub review_from_risk: u8,
    /// Points of the sizes S, M and L.
    pub effort_points: BTreeMap<String, u8>,
}

/// Sensitivity × privilege from which approval gets stricter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRules {
    /// One approver, before.
    pub strict_from: u8,
    /// One approver, afterwards if need be.
    pub light_from: u8,
    /// Privilege from which one approves before, however sensitive what it is used on.
    pub strict_privilege: u8,
}

/// How sensitivity is told from names, tags and types.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensitivityRules {
    /// Level by credential type; a key may end in `*`.
    pub types: BTreeMap<String, u8>,
    /// Words that mark a crown jewel.
    pub crown_words: Vec<String>,
    /// Words that mark production.
    pub production_words: Vec<String>,
    /// Types whose holder can change what others install.
    pub publish_types: Vec<String>,
    /// Words that mark staging.
    pub staging_words: Vec<String>,
    /// Words that mark development.
    pub development_words: Vec<String>,
    /// Tags that hold a level or a word of `tag_levels`.
    pub tags: Vec<String>,
    /// Level by tag value, lower case.
    pub tag_levels: BTreeMap<String, u8>,
}

/// What a credential type is by nature, for credentials that are only named and that no detection rule describes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatureRules {
    /// Privilege tier by credential type; a key may end in `*`.
    pub tiers: BTreeMap<String, u8>,
    /// Types that never expire by themselves; a name may end in `*`.
    pub never_expire: Vec<String>,
}

/// All of `rules/scoring.toml`, after overrides.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scoring {
    /// Date of the data.
    pub as_of: String,
    /// Where the values come from.
    pub source: String,
    /// Ages and lengths.
    pub thresholds: Thresholds,
    /// Bands of the score.
    pub bands: Bands,
    /// Floors of the score.
    pub floors: Floors,
    /// Fit points.
    pub fit: FitPoints,
    /// Gates of the decision table.
    pub gates: Gates,
    /// Lifetimes.
    pub ttl: TtlRules,
    /// Task boundary.
    pub task: TaskRules,
    /// Sharing, as logs show it.
    pub shared: SharedRules,
    /// Waves.
    pub plan: PlanRules,
    /// Approval tiers.
    pub approval: ApprovalRules,
    /// Sensitivity.
    pub sensitivity: SensitivityRules,
    /// Nature of credential types.
    pub nature: NatureRules,
    /// Digest of the merged data.
    #[serde(skip)]
    digest: String,
}

impl Scoring {
    /// The values as shipped.
    ///
    /// # Errors
    /// When the embedded data is not valid; a test rules that out for a release.
    pub fn builtin() -> Result<Self, RuleError> {
        Self::from_table(base()?, FILE)
    }

    /// The values as shipped, with a user's overrides merged over them.
    ///
    /// # Errors
    /// For a key that does not exist, a value of the wrong type and a value out of its range, naming the key.
    pub fn with_overrides(overrides: &Table) -> Result<Self, RuleError> {
        let mut table = base()?;
        merge(&mut table, overrides, "")?;
        Self::from_table(table, OVERRIDES).map_err(|error| culprit(overrides).unwrap_or(error))
    }

    /// Names the merged values: two runs with the same digest judged by the same numbers.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Band of a score.
    pub const fn band(&self, score: u8) -> RiskBand {
        if score >= self.bands.critical {
            RiskBand::Critical
        } else if score >= self.bands.high {
            RiskBand::High
        } else if score >= self.bands.medium {
            RiskBand::Medium
        } else if score >= self.bands.low {
            RiskBand::Low
        } else {
            RiskBand::Info
        }
    }

    /// Points of F7 for what is known of the consumer.
    pub fn renewal_points(&self, tolerant: Ternary) -> u8 {
        let level = match tolerant {
            Ternary::Yes => "tolerant",
            Ternary::No => "intolerant",
            Ternary::Unknown => "unknown",
        };
        points(&self.fit.renewal, level)
    }

    fn from_table(table: Table, file: &str) -> Result<Self, RuleError> {
        let digest = digest(&table);
        let mut scoring: Self = Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| RuleError::invalid(file, error.message()))?;
        scoring.digest = digest;
        scoring.check(file)?;
        Ok(scoring)
    }
}

/// Points of one level; 0 for a level the table does not have.
pub fn points(table: &BTreeMap<String, u8>, level: &str) -> u8 {
    table.get(level).copied().unwrap_or(0)
}

fn base() -> Result<Table, RuleError> {
    super::read(FILE)
}
