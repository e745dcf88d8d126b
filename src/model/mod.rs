//! The nouns of the program. No I/O, no logic beyond their own invariants; every other room speaks in these types.
//!
//! What a report contains ([`Report`]) derives `Serialize` and `JsonSchema` here, so that the schema under
//! `reports/schema/` is generated from the same definitions the program works with.

pub mod activity;
pub mod artefact;
pub mod assessment;
pub mod aws;
pub mod brief;
pub mod capability;
pub mod change;
pub mod consumer;
pub mod copied;
pub mod coverage;
pub mod credential;
pub mod evidence;
mod exposure;
pub mod finding;
pub mod grant;
pub mod id;
pub mod identity;
pub mod infra;
pub mod inventory;
pub mod location;
mod moment;
pub mod plan;
pub mod progress;
pub mod rbac;
mod renames;
pub mod report;
pub mod routine;
pub mod secret;
pub mod severity;
pub mod trail;
mod unread;
pub mod usage;
pub mod written;

pub use activity::{
    ActionKind, ActionUse, Activity, CallerUse, Counted, LogWindow, Observed, Rhythm, Sessions,
};
pub use artefact::{Artefact, ArtefactKind, PipelineEdit};
pub use assessment::{
    Assessment, Blocker, ConditionResult, Disposition, DispositionTrace, ExposureWindow, Fit,
    FitFactor, Mitigation, Readiness, ResidualRisk, Risk, RiskBand, RiskFactor, TaskBoundary,
    Ternary, Ttl,
};
pub use capability::{Capability, CapabilityKind};
pub use change::{Changes, Decided, Drift};
pub use consumer::{Consumer, ConsumerClass, FEDERATES_TO, Federation, Uses};
pub use copied::Copied;
pub use coverage::{Coverage, CoverageStatus};
pub use credential::{Credential, CredentialStatus, SeenCredential, Storage};
pub use evidence::{Confidence, Evidence, Grade, LastUse};
pub use exposure::{ExposedTo, ResourceExposure};
pub use finding::{Finding, FindingBuilder, FindingError, FindingStatus, Frameworks};
pub use grant::{Grant, GrantSource};
pub use id::{AssessmentId, ConsumerId, CredentialId, FindingId, GrantId, IdentityId, PlanItemId};
pub use identity::{
    AgentReach, BreakGlass, ConditionCoverage, Declared, Environment, EscalationCertainty,
    EscalationGoal, EscalationPath, EscalationStep, Identity, IdentityKind, OwnerSource,
    PrincipalKind, Privilege, TrustPath,
};
pub use infra::{DeclaredPrincipal, DeclaredStack, KeptText, UNKNOWN_ACCOUNT};
pub use inventory::{
    Call, DEFINED, Declarations, FilledSecret, Inventory, PlacedSecret, SecretReference,
};
pub use location::{Ignored, IgnoredBy, Location, Sighting};
pub use moment::Moment;
pub use plan::{
    Approval, ApprovalTier, CompensatingControl, Effort, GrantSpec, PermissionLine, PermissionSets,
    PlanItem, PlanStep, RevocationTrigger, Unfinished,
};
pub use progress::{FirstSeen, ItemProgress, ItemState, PlanMemory, Planned, StandingDrift};
pub use rbac::{RbacBinding, RbacRole, RbacRule};
pub use renames::Renames;
pub use report::{Report, Run, Summary, Tool, WaveRisk};
pub use routine::{Routine, RoutineBy};
pub use secret::{Fingerprint, FingerprintKey, Redacted, SecretBytes};
pub use severity::Severity;
pub use trail::{CredentialTrail, MOST_NAMES, Medium, Reach, Trail};
pub use unread::Unread;
pub use usage::{PermissionUse, SmallerPolicy, StatementUse};
pub use written::Written;
