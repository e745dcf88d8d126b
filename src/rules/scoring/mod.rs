//! Thresholds, weights and gates of the judgement: `rules/scoring.toml`, overridable in `overstay.toml`.

#[cfg(test)]
mod tests;

mod overrides;

use super::RuleError;
use crate::model::{RiskBand, Ternary};
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

    fn check(&self, file: &str) -> Result<(), RuleError> {
        let t = &self.thresholds;
        let day = 86_400;
        let ranges: [(&str, i128, i128, i128); 54] = [
            ("shared.networks", self.shared.networks as i128, 2, 1000),
            ("shared.programs", self.shared.programs as i128, 1, 1000),
            (
                "shared.network_percent",
                self.shared.network_percent.into(),
                1,
                100,
            ),
            (
                "shared.overlap_hours",
                self.shared.overlap_hours.into(),
                1,
                400,
            ),
            (
                "task.session_gap_seconds",
                self.task.session_gap_seconds.into(),
                60,
                day,
            ),
            ("task.pause_jump", self.task.pause_jump.into(), 2, 100),
            (
                "task.continuous_percent",
                self.task.continuous_percent.into(),
                1,
                100,
            ),
            (
                "task.least_sessions",
                self.task.least_sessions as i128,
                2,
                1000,
            ),
            (
                "task.window_sessions",
                self.task.window_sessions.into(),
                1,
                1000,
            ),
            (
                "task.bursty_seconds",
                self.task.bursty_seconds.into(),
                60,
                7 * day,
            ),
            (
                "task.narrow_after_days",
                self.task.narrow_after_days.into(),
                1,
                3650,
            ),
            (
                "thresholds.long_lived_days",
                t.long_lived_days.into(),
                1,
                3650,
            ),
            ("thresholds.unused_days", t.unused_days.into(), 1, 3650),
            ("thresholds.idle_days", t.idle_days.into(), 1, 3650),
            (
                "thresholds.temporary_days",
                t.temporary_days.into(),
                1,
                3650,
            ),
            ("thresholds.rotation_days", t.rotation_days.into(), 1, 3650),
            (
                "thresholds.long_session_seconds",
                t.long_session_seconds.into(),
                900,
                day,
            ),
            (
                "thresholds.short_session_seconds",
                t.short_session_seconds.into(),
                60,
                day,
            ),
            (
                "thresholds.medium_session_seconds",
                t.medium_session_seconds.into(),
                60,
                7 * day,
            ),
            (
                "thresholds.break_glass_max_session_seconds",
                t.break_glass_max_session_seconds.into(),
                900,
                day,
            ),
            ("thresholds.quiet_days", t.quiet_days.into(), 1, 365),
            (
                "thresholds.shared_consumers",
                t.shared_consumers as i128,
                2,
                1000,
            ),
            (
                "thresholds.disconnected_providers",
                t.disconnected_providers as i128,
                2,
                1000,
            ),
            ("thresholds.exception_days", t.exception_days.into(), 1, 730),
            (
                "thresholds.exception_most_days",
                t.exception_most_days.into(),
                1,
                3_650,
            ),
            ("thresholds.rollback_days", t.rollback_days.into(), 1, 365),
            ("bands.low", self.bands.low.into(), 1, 100),
            (
                "bands.medium",
                self.bands.medium.into(),
                i128::from(self.bands.low) + 1,
                100,
            ),
            (
                "bands.high",
                self.bands.high.into(),
                i128::from(self.bands.medium) + 1,
                100,
            ),
            (
                "bands.critical",
                self.bands.critical.into(),
                i128::from(self.bands.high) + 1,
                100,
            ),
            ("floors.root_key", self.floors.root_key.into(), 0, 100),
            (
                "floors.exposed_privileged",
                self.floors.exposed_privileged.into(),
                0,
                100,
            ),
            (
                "floors.public_usable",
                self.floors.public_usable.into(),
                0,
                100,
            ),
            (
                "floors.exposed_usable",
                self.floors.exposed_usable.into(),
                0,
                100,
            ),
            ("gates.migrate_fit", self.gates.migrate_fit.into(), 0, 100),
            (
                "gates.plan_fit",
                self.gates.plan_fit.into(),
                0,
                self.gates.migrate_fit.into(),
            ),
            (
                "gates.hybrid_mechanism_points",
                self.gates.hybrid_mechanism_points.into(),
                0,
                25,
            ),
            ("gates.migrate_risk", self.gates.migrate_risk.into(), 0, 100),
            (
                "gates.keep_max_privilege",
                self.gates.keep_max_privilege.into(),
                0,
                5,
            ),
            (
                "gates.keep_max_sensitivity",
                self.gates.keep_max_sensitivity.into(),
                0,
                3,
            ),
            (
                "gates.keep_max_blast",
                self.gates.keep_max_blast.into(),
                0,
                2,
            ),
            (
                "gates.full_condition_coverage",
                self.gates.full_condition_coverage.into(),
                0,
                4,
            ),
            (
                "gates.residual_exposure",
                self.gates.residual_exposure.into(),
                0,
                5,
            ),
            (
                "ttl.default_window_seconds",
                self.ttl.default_window_seconds.into(),
                60,
                day,
            ),
            (
                "ttl.agent_window_seconds",
                self.ttl.agent_window_seconds.into(),
                60,
                day,
            ),
            (
                "ttl.human_window_seconds",
                self.ttl.human_window_seconds.into(),
                60,
                day,
            ),
            (
                "ttl.service_window_seconds",
                self.ttl.service_window_seconds.into(),
                60,
                day,
            ),
            ("plan.wave_size", self.plan.wave_size as i128, 1, 100_000),
            (
                "plan.narrow_target_sensitivity",
                self.plan.narrow_target_sensitivity.into(),
                0,
                3,
            ),
            (
                "plan.narrow_target_privilege",
                self.plan.narrow_target_privilege.into(),
                0,
                5,
            ),
            (
                "plan.review_from_risk",
                self.plan.review_from_risk.into(),
                0,
                100,
            ),
            (
                "approval.strict_from",
                self.approval.strict_from.into(),
                0,
                15,
            ),
            (
                "approval.light_from",
                self.approval.light_from.into(),
                0,
                self.approval.strict_from.into(),
            ),
            (
                "approval.strict_privilege",
                self.approval.strict_privilege.into(),
                0,
                6,
            ),
        ];
        for (key, value, least, most) in ranges {
            in_range(file, key, value, least, most)?;
        }
        for (key, levels, most) in self.fit_tables() {
            for (level, value) in levels {
                in_range(
                    file,
                    &format!("fit.{key}.{level}"),
                    (*value).into(),
                    0,
                    most,
                )?;
            }
        }
        for (name, value) in &self.nature.tiers {
            in_range(file, &format!("nature.tiers.{name}"), (*value).into(), 0, 5)?;
        }
        for (size, value) in &self.plan.effort_points {
            let key = format!("plan.effort_points.{size}");
            in_range(file, &key, (*value).into(), 1, 100)?;
        }
        let levels = self.sensitivity.types.iter().map(|entry| ("types", entry));
        let levels = levels.chain(
            self.sensitivity
                .tag_levels
                .iter()
                .map(|entry| ("tag_levels", entry)),
        );
        for (key, (name, value)) in levels {
            in_range(
                file,
                &format!("sensitivity.{key}.{name}"),
                (*value).into(),
                0,
                3,
            )?;
        }
        let allowed = &self.ttl.allowed_seconds;
        let ascending = allowed.windows(2).all(|pair| pair[0] < pair[1]);
        if allowed.is_empty() || !ascending || allowed[0] < 60 {
            return Err(RuleError::invalid(
                file,
                "`ttl.allowed_seconds` must be a list of seconds, each at least 60, in ascending order",
            ));
        }
        Ok(())
    }

    /// The seven fit tables with the most each may give; the maxima add up to 100.
    fn fit_tables(&self) -> [(&'static str, &BTreeMap<String, u8>, i128); 7] {
        [
            ("mechanism", &self.fit.mechanism, 25),
            ("boundedness", &self.fit.boundedness, 20),
            ("revocation", &self.fit.revocation, 15),
            ("federation", &self.fit.federation, 15),
            ("ownership", &self.fit.ownership, 10),
            ("instrumentation", &self.fit.instrumentation, 10),
            ("renewal", &self.fit.renewal, 5),
        ]
    }
}

/// Points of one level; 0 for a level the table does not have.
pub fn points(table: &BTreeMap<String, u8>, level: &str) -> u8 {
    table.get(level).copied().unwrap_or(0)
}

fn base() -> Result<Table, RuleError> {
    super::read(FILE)
}

fn in_range(file: &str, key: &str, value: i128, least: i128, most: i128) -> Result<(), RuleError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(RuleError::invalid(
            file,
            format!("`{key}` is {value}; it must lie between {least} and {most}"),
        ))
    }
}

/// Hashes values in key order; comments and the order of lines do not matter.
fn digest(table: &Table) -> String {
    let sorted: BTreeMap<&String, &Value> = table.iter().collect();
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 scoring digest");
    hash_entries(&mut hasher, sorted);
    hasher.finalize().to_hex()[..16].to_owned()
}

fn hash_entries(hasher: &mut blake3::Hasher, entries: BTreeMap<&String, &Value>) {
    hasher.update(&(entries.len() as u64).to_le_bytes());
    for (key, value) in entries {
        hash_text(hasher, key);
        hash_value(hasher, value);
    }
}

fn hash_value(hasher: &mut blake3::Hasher, value: &Value) {
    hash_text(hasher, value.type_str());
    match value {
        Value::Table(table) => hash_entries(hasher, table.iter().collect()),
        Value::Array(items) => {
            hasher.update(&(items.len() as u64).to_le_bytes());
            for item in items {
                hash_value(hasher, item);
            }
        }
        Value::String(text) => hash_text(hasher, text),
        other => hash_text(hasher, &other.to_string()),
    }
}

fn hash_text(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}
