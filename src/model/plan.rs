//! Plan items: how one access moves, step by step.

use super::{
    Artefact, AssessmentId, CredentialId, Disposition, IdentityId, Mitigation, PlanItemId,
    Readiness, Ternary, Ttl,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much approval a request needs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalTier {
    /// Policy decides alone.
    Auto,
    /// One approver, afterwards if need be.
    Light,
    /// One approver, before.
    Strict,
}

impl ApprovalTier {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Strict => "strict",
        }
    }
}

/// The approval every item goes through: four fixed fields and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// What access is asked for.
    pub system: String,
    /// Why.
    pub reason: String,
    /// For how long, in words: `15 min`.
    pub duration: String,
    /// Who approves: the owner, or `unassigned`.
    pub approver: String,
    /// How strict.
    pub tier: ApprovalTier,
    /// Which logic applies: automation, vendor, incident-response, agent, service, human.
    pub logic: String,
    /// `pending` until someone decides.
    pub status: String,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
}

/// What ends the access.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RevocationTrigger {
    /// The lifetime runs out.
    TtlExpiry,
    /// The task reports completion.
    TaskComplete,
    /// The pipeline ends.
    PipelineEnd,
    /// A crash is noticed.
    CrashDetected,
    /// The orchestrator ends or moves the work.
    OrchestrationEvent,
    /// Subject, origin, session or resource is no longer what was approved.
    ContextChange,
    /// A person does it; never the only one.
    ManualFallback,
}

impl RevocationTrigger {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TtlExpiry => "ttl_expiry",
            Self::TaskComplete => "task_complete",
            Self::PipelineEnd => "pipeline_end",
            Self::CrashDetected => "crash_detected",
            Self::OrchestrationEvent => "orchestration_event",
            Self::ContextChange => "context_change",
            Self::ManualFallback => "manual_fallback",
        }
    }

    /// What happens, as a text for people says it after "when".
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::TtlExpiry => "its lifetime is over",
            Self::TaskComplete => "the task is done",
            Self::PipelineEnd => "the pipeline has ended",
            Self::CrashDetected => "the work crashed",
            Self::OrchestrationEvent => "the platform stops or replaces what uses it",
            Self::ContextChange => {
                "it is asked for by others, from elsewhere or for something else than was approved"
            }
            Self::ManualFallback => "somebody has reason to",
        }
    }
}

/// What is left of a move that an earlier plan began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unfinished {
    /// Time of the run that planned it.
    pub planned_at: Timestamp,
    /// The new way is there: nothing of it has to be made again.
    pub new_way: bool,
    /// Which of the catalogue's steps are done, though not all of the new way is: `create`, `grant`, `switch`.
    #[serde(default)]
    pub settled: Vec<String>,
    /// What does not hold yet of what proves completion.
    pub left: Vec<String>,
}

/// What the new access is, in the three questions a decision answers and what is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GrantSpec {
    /// Who is asking.
    pub subject: String,
    /// What the task is.
    pub task: String,
    /// What proves that it is needed now.
    pub context_proof: String,
    /// On what.
    pub resources: Vec<String>,
    /// Which actions; a proposal where use is not known.
    pub actions: Vec<String>,
}

/// Actions and the resources they are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionLine {
    /// Actions.
    pub actions: Vec<String>,
    /// Resources; `*` where no event names any.
    pub resources: Vec<String>,
}

/// What the new access may do, made from what was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionSets {
    /// Where it is known from, and for which time.
    pub source: String,
    /// What may stay: reads, and the workload's own logs and metrics.
    pub baseline: Vec<PermissionLine>,
    /// What is asked for when it is needed: writes, administration, secrets, other accounts.
    pub elevated: Vec<PermissionLine>,
    /// What these sources cannot show.
    pub gaps: Vec<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanStep {
    /// 1-based place in the order of work.
    pub number: u8,
    /// What to do.
    pub title: String,
    /// How, and what to look for.
    pub detail: String,
    /// Command to run, where one can be given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub command: Option<String>,
}

/// Size of the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Effort {
    /// `S`, `M` or `L`.
    pub size: String,
    /// Points behind the size, for risk removed per effort.
    pub points: u8,
    /// Why.
    pub reason: String,
}

/// A control that makes up for access that cannot be shortened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CompensatingControl {
    /// What it is.
    pub control: String,
    /// Whether it is there.
    pub present: Ternary,
}

/// One item of the migration plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanItem {
    /// Stable id.
    pub id: PlanItemId,
    /// Wave, from 1.
    pub wave: u32,
    /// Position in the wave, from 1.
    pub position: u32,
    /// Assessment it settles.
    pub assessment: AssessmentId,
    /// Identity.
    pub identity: Option<IdentityId>,
    /// Credential.
    pub credential: Option<CredentialId>,
    /// What is done to what, in a few words.
    pub title: String,
    /// Disposition it carries out.
    pub disposition: Disposition,
    /// Id of the target mechanism in `rules/targets/`, or of the non-migrating procedure.
    pub mechanism: String,
    /// The mechanism in words.
    pub mechanism_title: String,
    /// Date of the catalogue entry.
    pub catalogue_as_of: String,
    /// The catalogue entry has facts nobody has verified.
    pub unverified: Vec<String>,
    /// Proposed lifetime.
    pub ttl: Ttl,
    /// Subject, task, proof, resources, actions.
    pub grant: GrantSpec,
    /// Who approves what, why and for how long.
    pub approval: Approval,
    /// What ends the access. Never empty.
    pub revocation_triggers: Vec<RevocationTrigger>,
    /// What must be there first.
    pub prerequisites: Vec<String>,
    /// Questions only the owner can answer; the item is not ready before.
    pub open_questions: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<PlanStep>,
    /// What must fail once the access has ended.
    pub negative_test: String,
    /// What must work, without leaving a permanent entitlement.
    pub acceptance_test: String,
    /// How to go back, and until when.
    pub rollback: String,
    /// Copy and paste to revoke.
    pub revoke_command: Option<String>,
    /// Controls required in place of, or beside, the migration.
    pub compensating_controls: Vec<CompensatingControl>,
    /// How a later scan proves that it is done.
    pub detect_done: String,
    /// Can it be issued, observed, revoked by machines.
    pub readiness: Readiness,
    /// What may be claimed.
    pub mitigation: Mitigation,
    /// Size of the work.
    pub effort: Effort,
    /// Risk score today.
    pub risk_before: u8,
    /// Risk score after.
    pub risk_after: u8,
    /// The difference.
    pub risk_removed: u8,
    /// When a justified exception runs out and must be reviewed.
    pub exception_expires: Option<Timestamp>,
    /// Extra fields of an agent's item: intent policy and the three things to log.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub agent_requirements: Vec<String>,
    /// What it was seen using, as two sets of permissions; `None` where nothing tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub permissions: Option<PermissionSets>,
    /// What an earlier plan has left to do of it, where judgement alone no longer asks for the move.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unfinished: Option<Unfinished>,
    /// Folder of its artefacts beside the reports: `plan/wave-01/p-…`.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub folder: String,
    /// Files made ready for it, by name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub artefacts: Vec<Artefact>,
}

impl PlanItem {
    /// Folder of the artefacts of an item of this wave.
    pub fn folder_in(&self, wave: u32) -> String {
        format!("plan/wave-{wave:02}/{}", self.id)
    }
}
