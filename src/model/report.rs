//! The report: everything one run found, in the shape `report.json` has.

use super::{
    Assessment, Capability, Changes, Consumer, Coverage, Credential, Finding, Grant, Identity,
    PlanItem, RbacBinding, RbacRole,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name and version of the report's shape. Changes within a version only add fields.
pub const SCHEMA: &str = "overstay.report/1";

/// The program that made a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `overstay`.
    pub name: String,
    /// Version of the program.
    pub version: String,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Derived from inputs, rules, policy and time: the same run has the same id.
    pub id: String,
    /// The time every age in the report is measured to.
    pub now: Timestamp,
    /// Inputs by the names they have in the report, sorted; never absolute paths.
    pub inputs: Vec<String>,
    /// Digest of all rule data.
    pub rules_digest: String,
    /// Digest of thresholds, weights and annotations after the configuration was applied.
    pub policy_digest: String,
    /// Public name of the key the fingerprints were made with.
    pub fingerprint_key: String,
    /// Every source was read whole.
    pub complete: bool,
}

/// What one wave does to the standing risk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaveRisk {
    /// Wave.
    pub wave: u32,
    /// Items in it.
    pub items: u32,
    /// Standing risk it removes.
    pub removed: u32,
    /// Standing risk that is left when it is done.
    pub left: u32,
    /// Effort points it takes.
    pub effort: u32,
}

/// Counts a newcomer reads first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Machine identities.
    pub machine_identities: u32,
    /// Human identities.
    pub human_identities: u32,
    /// Machine identities per human identity; `None` without humans.
    pub machine_to_human_ratio: Option<f64>,
    /// Credentials.
    pub credentials: u32,
    /// Credentials that never expire or are older than the long-lived threshold.
    pub long_lived_credentials: u32,
    /// Findings by severity word.
    pub findings_by_severity: BTreeMap<String, u32>,
    /// Findings by rule.
    pub findings_by_rule: BTreeMap<String, u32>,
    /// Assessments by disposition word.
    pub dispositions: BTreeMap<String, u32>,
    /// Sum of all risk scores.
    pub standing_risk: u32,
    /// Sum of all risk scores after the plan.
    pub standing_risk_after: u32,
    /// What each wave does to the standing risk, from wave 1.
    #[serde(default)]
    pub risk_by_wave: Vec<WaveRisk>,
    /// Plan items per wave, from wave 1.
    pub waves: Vec<u32>,
    /// Distinct mechanisms the plan uses.
    pub mechanisms: u32,
    /// Machine identities without an owner.
    pub without_owner: u32,
    /// Share of machine identities with grants that are administrators or hold a full service, 0–1; `None` without any.
    pub over_privileged_share: Option<f64>,
    /// Coverage entries by status word.
    pub coverage: BTreeMap<String, u32>,
}

/// Everything one run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program.
    pub tool: Tool,
    /// The run.
    pub run: Run,
    /// What was read and what was not, sorted.
    pub coverage: Vec<Coverage>,
    /// Counts.
    pub summary: Summary,
    /// Identities, sorted by provider, account, kind, native id.
    pub identities: Vec<Identity>,
    /// Credentials, sorted by provider, type, public id, id.
    pub credentials: Vec<Credential>,
    /// Grants, sorted by id.
    pub grants: Vec<Grant>,
    /// Consumers, sorted by runtime, repository, name.
    pub consumers: Vec<Consumer>,
    /// Kubernetes roles as declared, by repository, namespace and name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub roles: Vec<RbacRole>,
    /// Kubernetes bindings as declared, by repository, namespace and name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub bindings: Vec<RbacBinding>,
    /// Runtime identity, policy and brokered access that is set up already.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub capabilities: Vec<Capability>,
    /// What logs showed of the use of identities and credentials.
    #[serde(default, skip_serializing_if = "super::Observed::is_empty")]
    pub observed: super::Observed,
    /// How jobs of pipelines get access without a stored secret; the patches of the plan are made from them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<super::PipelineEdit>,
    /// Host and path that repositories were cloned from, by their name in this scan, and after `#` the default branch
    /// where the clone knows it: `github.com/owner/name#main`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub origins: BTreeMap<String, String>,
    /// Findings, most severe first, then by rule and id.
    pub findings: Vec<Finding>,
    /// Assessments, highest risk first, then by id.
    pub assessments: Vec<Assessment>,
    /// Plan, by wave and position.
    pub plan: Vec<PlanItem>,
    /// What changed since the run before; `None` where no state is kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub changes: Option<Changes>,
}

impl Report {
    /// Adds to what is told of what was looked at.
    pub fn tell(&mut self, entry: Coverage) {
        self.run.complete &= !entry.status.incomplete();
        let many = self
            .summary
            .coverage
            .entry(entry.status.as_str().to_owned());
        *many.or_default() += 1;
        let at = self.coverage.partition_point(|other| *other <= entry);
        self.coverage.insert(at, entry);
    }

    /// The report without its long lists.
    #[must_use]
    pub fn head(&self) -> Self {
        Self {
            schema: self.schema.clone(),
            tool: self.tool.clone(),
            run: self.run.clone(),
            coverage: self.coverage.clone(),
            summary: self.summary.clone(),
            identities: Vec::new(),
            credentials: Vec::new(),
            grants: Vec::new(),
            consumers: Vec::new(),
            roles: self.roles.clone(),
            bindings: self.bindings.clone(),
            capabilities: self.capabilities.clone(),
            observed: self.observed.clone(),
            edits: self.edits.clone(),
            origins: self.origins.clone(),
            findings: Vec::new(),
            assessments: Vec::new(),
            plan: Vec::new(),
            changes: self.changes.clone(),
        }
    }
}
