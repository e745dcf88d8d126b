//! Artefacts: files made ready for one item of the plan, and changes to pipelines that they rest on.

use super::ConsumerId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a file of an item is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ArtefactKind {
    /// What is in the folder, in which order it is used, and what has to be filled in first.
    Readme,
    /// The request to be approved: system, reason, duration, approver.
    ApprovalRequest,
    /// Who may become the new identity.
    TrustPolicy,
    /// What it may do.
    PermissionPolicy,
    /// What it can never be given.
    PermissionsBoundary,
    /// What one session of it may do.
    SessionPolicy,
    /// Identity, trust and permissions as code.
    Terraform,
    /// Change of a pipeline, for `git apply`.
    PipelinePatch,
    /// Objects of a Kubernetes cluster.
    KubernetesManifest,
    /// Configuration of a broker, a vendor or a workload.
    Configuration,
    /// Ends the access that was issued.
    Revocation,
    /// Stops every use at once.
    KillSwitch,
    /// Shows use, and use that should not be.
    MonitoringQuery,
    /// Fails unless what must be refused is refused.
    NegativeTest,
    /// Goes back.
    Rollback,
    /// What was checked of the policies, and how it came out.
    Validation,
}

impl ArtefactKind {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Readme => "readme",
            Self::ApprovalRequest => "approval-request",
            Self::TrustPolicy => "trust-policy",
            Self::PermissionPolicy => "permission-policy",
            Self::PermissionsBoundary => "permissions-boundary",
            Self::SessionPolicy => "session-policy",
            Self::Terraform => "terraform",
            Self::PipelinePatch => "pipeline-patch",
            Self::KubernetesManifest => "kubernetes-manifest",
            Self::Configuration => "configuration",
            Self::Revocation => "revocation",
            Self::KillSwitch => "kill-switch",
            Self::MonitoringQuery => "monitoring-query",
            Self::NegativeTest => "negative-test",
            Self::Rollback => "rollback",
            Self::Validation => "validation",
        }
    }
}

/// One file of an item; its text is made from the report when it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artefact {
    /// Name in the item's folder.
    pub path: String,
    /// What it is.
    pub kind: ArtefactKind,
    /// What it is for, in a few words.
    pub description: String,
}

/// How one job of a pipeline gets access without a stored secret: a change of the file that declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PipelineEdit {
    /// The job.
    pub consumer: ConsumerId,
    /// Mechanism that it sets up, by its id in the catalogue.
    pub mechanism: String,
    /// Repository by its name in this scan.
    pub repository: String,
    /// Path in the repository, as git has it.
    pub path: String,
    /// First line of the file that the change shows, from 1.
    pub from: u32,
    /// Last line of the file that the change shows.
    pub to: u32,
    /// The change as a unified diff with `{placeholders}`; `None` where none can be made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub patch: Option<String>,
    /// What is left to do by hand, or why there is no change.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}
