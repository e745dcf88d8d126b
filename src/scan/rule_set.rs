//! The rules and settings of a scan.

use super::Detection;
use crate::jit::JitContext;
use crate::model::Inventory;
use crate::rules::config::Config;
use crate::rules::credentials::CredentialRules;
use crate::rules::posture::Posture;
use crate::rules::scoring::Scoring;
use crate::rules::targets::Targets;
use crate::rules::{self, RuleError};
use jiff::Timestamp;

/// Every rule the pipeline judges by.
pub struct RuleSet {
    /// Digest of the rules.
    pub digest: String,
    /// Detection rules.
    pub detection: Detection,
    /// Metadata of the checks.
    pub posture: Posture,
    /// What is judged and planned with.
    pub measures: Measures,
}

/// What an inventory is judged and planned with.
#[derive(Debug)]
pub struct Measures {
    /// Thresholds and weights, the user's overrides applied.
    pub scoring: Scoring,
    /// Target mechanisms.
    pub targets: Targets,
    /// What the user says of their organisation.
    pub config: Config,
}

impl Measures {
    /// Those of the user's configuration.
    ///
    /// # Errors
    /// When an override names an unknown key or a value out of range.
    pub fn load(config: Config) -> Result<Self, RuleError> {
        Ok(Self {
            scoring: Scoring::with_overrides(&config.scoring)?,
            targets: Targets::builtin()?,
            config,
        })
    }

    /// What an inventory is judged and planned with, at a time.
    pub(super) fn judging<'a>(
        &'a self,
        inventory: &'a Inventory,
        now: Timestamp,
    ) -> JitContext<'a> {
        JitContext {
            inventory,
            scoring: &self.scoring,
            targets: &self.targets,
            config: &self.config,
            now,
        }
    }
}

impl RuleSet {
    /// Digest of the thresholds, weights and annotations that a report made with them names.
    pub fn policy_digest(&self) -> String {
        let measures = &self.measures;
        let policy = format!("{}\n{}", measures.scoring.digest(), measures.config.digest);
        blake3::hash(policy.as_bytes()).to_hex()[..16].to_owned()
    }

    /// The built-in rules under the user's configuration, and rules of the user's own, as name and text of their files.
    ///
    /// # Errors
    /// When a rule of the user's own is faulty or has the id of a built-in one that is not disabled; when an override names an unknown key or a value out of range.
    pub fn load(config: Config, own: &[(String, String)]) -> Result<Self, RuleError> {
        let posture = Posture::builtin()?;
        let unwanted = config.rules.disable.iter();
        let unwanted: Vec<String> = unwanted
            .map(|id| posture.renames().now(id).to_owned())
            .collect();
        let mut detection = Detection::default();
        if !unwanted.is_empty() {
            detection = CredentialRules::builtin()?.without(&unwanted)?.into();
        }
        let mut digest = rules::digest();
        if !unwanted.is_empty() {
            let mut left_out = unwanted.clone();
            left_out.sort();
            left_out.dedup();
            let both =
                blake3::hash(format!("{digest}\nwithout {}", left_out.join("\n")).as_bytes());
            both.to_hex()[..16].clone_into(&mut digest);
        }
        if !own.is_empty() {
            let beside = CredentialRules::load(own.iter().map(|(name, text)| (name, text)))?;
            if let Some(problem) = beside.check().first() {
                return Err(RuleError::invalid(&problem.file, problem.to_string()));
            }
            let all = detection.rules()?.clone().and(beside)?;
            // What is wrong with a pattern of the user's own is told before anything is read.
            detection = all.into();
            detection.engine()?;
            let texts: Vec<&str> = own.iter().map(|(_, text)| text.as_str()).collect();
            let both = blake3::hash(format!("{digest}\n{}", texts.join("\n")).as_bytes());
            both.to_hex()[..16].clone_into(&mut digest);
        }
        Ok(Self {
            digest,
            detection,
            posture,
            measures: Measures::load(config)?,
        })
    }
}
