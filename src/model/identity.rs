//! Identities: who acts. Machines first; people are kept so that counts and joins are right.

use super::{
    ConsumerClass, ConsumerId, CredentialId, Evidence, Grade, GrantId, IdentityId, LastUse,
    Location, PermissionUse,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What kind of identity it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityKind {
    /// AWS account root.
    AwsRoot,
    /// AWS IAM user.
    IamUser,
    /// AWS IAM role.
    IamRole,
    /// AWS IAM role only an AWS service or Identity Center can use or change.
    ServiceLinkedRole,
    /// AWS account known only by its number (decoded from a key, or named in a trust).
    AwsAccount,
    /// Kubernetes service account.
    KubernetesServiceAccount,
    /// Google Cloud service account.
    GcpServiceAccount,
    /// Azure application or service principal.
    AzureServicePrincipal,
    /// Job of a CI system.
    CiJob,
    /// AI agent: a client with tools.
    Agent,
    /// Tool server an agent talks to.
    McpServer,
    /// Workload named by a manifest that has no service account of its own.
    Workload,
    /// Holder of a credential that no inventory names.
    Unresolved,
}

impl IdentityKind {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwsRoot => "aws-root",
            Self::IamUser => "iam-user",
            Self::IamRole => "iam-role",
            Self::ServiceLinkedRole => "service-linked-role",
            Self::AwsAccount => "aws-account",
            Self::KubernetesServiceAccount => "kubernetes-service-account",
            Self::GcpServiceAccount => "gcp-service-account",
            Self::AzureServicePrincipal => "azure-service-principal",
            Self::CiJob => "ci-job",
            Self::Agent => "agent",
            Self::McpServer => "mcp-server",
            Self::Workload => "workload",
            Self::Unresolved => "unresolved",
        }
    }
}

/// How the owner is known, best first (the order of resolution).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OwnerSource {
    /// Annotated in `overstay.toml`.
    Annotation,
    /// A tag or label on the identity.
    Tag,
    /// CODEOWNERS of the file that declares it.
    Codeowners,
    /// A catalogue's descriptor beside or above the file that declares it.
    Catalog,
    /// Authorship of the code that declares it.
    IacAuthor,
    /// Who created it, as a hint.
    Creator,
    /// No owner was found.
    #[default]
    None,
}

impl OwnerSource {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Annotation => "annotation",
            Self::Tag => "tag",
            Self::Codeowners => "codeowners",
            Self::Catalog => "catalog",
            Self::IacAuthor => "iac-author",
            Self::Creator => "creator",
            Self::None => "none",
        }
    }
}

/// Deployment environment, least sensitive first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Development, sandbox.
    Development,
    /// Staging, test, internal.
    Staging,
    /// Not known.
    #[default]
    Unknown,
    /// Production.
    Production,
}

impl Environment {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Unknown => "unknown",
            Self::Production => "production",
        }
    }
}

/// What a way to higher privilege leads to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum EscalationGoal {
    /// The permission is held; what it would take besides is not there today.
    #[default]
    Nothing,
    /// A principal that may do what it may not, with no more privilege on the whole.
    Peer,
    /// A principal with more privilege, or more privilege for itself.
    Principal,
    /// Full control of the account.
    Administrator,
}

/// How sure it is that a way to higher privilege is open.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum EscalationCertainty {
    /// Every step is allowed, and what it needs is there.
    Open,
    /// It hangs on conditions, or on small things the account's description does not show.
    #[default]
    Conditional,
    /// It needs something to exist that the account's description does not show, or that is not there.
    Unseen,
}

/// One step of a way to higher privilege.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct EscalationStep {
    /// Id of the rule, as in [`EscalationPath::id`].
    pub id: String,
    /// ARN of who takes it.
    pub from: String,
    /// ARN of who it makes them; their own where it gives them permissions.
    pub to: String,
    /// Actions that it takes.
    pub actions: Vec<String>,
    /// What is done.
    pub text: String,
    /// Statements that allow it, in words.
    pub because: Vec<String>,
    /// Conditions it hangs on that a scan cannot decide.
    pub depends_on: Vec<String>,
    /// What it needs and the account's description does not show.
    pub unknown: Vec<String>,
}

/// A way to higher privilege.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct EscalationPath {
    /// Id in `rules/aws/escalation.tsv` (pathfinding.cloud's where it has one) of its first step.
    pub id: String,
    /// Actions that open it.
    pub actions: Vec<String>,
    /// What it leads to, or what it still needs.
    pub note: String,
    /// Conditions it hangs on that a scan cannot decide; empty when open as granted.
    pub depends_on: Vec<String>,
    /// What is at its end.
    #[serde(default)]
    pub reaches: EscalationGoal,
    /// How sure it is.
    #[serde(default)]
    pub certainty: EscalationCertainty,
    /// ARN of the principal at its end, where it is another one.
    #[serde(default)]
    pub target: Option<String>,
    /// What it needs and the account's description does not show, or what is not there.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Its steps in order; of ways that are longer or less sure than others only the first few are told.
    #[serde(default)]
    pub steps: Vec<EscalationStep>,
}

/// What the identity can do, judged from its grants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Privilege {
    /// 0 none · 1 list and metadata · 2 data read or write to one resource · 3 write at service level · 4 escalation,
    /// secret stores, publish · 5 administrator.
    pub tier: u8,
    /// Full control of the account, cluster or organisation.
    pub admin: bool,
    /// The tier was assumed from the type, not seen in grants.
    pub assumed: bool,
    /// Deny rules, boundaries or organisation policies outside the scan may make it less.
    pub upper_bound: bool,
    /// Allows changing resources (access level Write).
    pub write: bool,
    /// Allows changing permissions (access level Permissions management).
    pub permissions_management: bool,
    /// Reads secrets: Secrets Manager, parameters, decryption.
    pub secret_read: bool,
    /// Reads stored data.
    pub data_read: bool,
    /// May become roles of other accounts.
    pub cross_account: bool,
    /// Services on which every action is allowed on every resource; `*` for all.
    pub full_services: Vec<String>,
    /// Services the grants reach at all.
    pub services: Vec<String>,
    /// Blanket managed policies held (`AdministratorAccess`, `PowerUserAccess`, `…FullAccess`).
    pub blanket_policies: Vec<String>,
    /// Ways to higher privilege.
    pub escalation: Vec<EscalationPath>,
    /// Services granted, and services used in the tracking period, where the provider tells.
    pub services_used: Option<u32>,
    /// What of it was used, where the provider tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usage: Option<PermissionUse>,
    /// Why this tier.
    pub evidence: Vec<Evidence>,
}

impl Privilege {
    /// Any of the action classes that must never stand permanently: write, administration, secret retrieval, reach into
    /// other domains.
    pub const fn jit_required(&self) -> bool {
        self.admin
            || self.write
            || self.permissions_management
            || self.secret_read
            || self.cross_account
    }
}

/// Who is named as able to become an identity.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// `*`: anyone.
    Anyone,
    /// A whole account (`:root` or its number).
    Account,
    /// One user or role.
    #[default]
    Principal,
    /// An OIDC provider.
    Oidc,
    /// A SAML provider.
    Saml,
    /// A service of the cloud provider.
    Service,
    /// A principal that was deleted: only its unique id is left.
    Dangling,
}

/// Which of the four questions a trust's conditions answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConditionCoverage {
    /// Who: an exact subject, principal or tag.
    pub subject: bool,
    /// From where: address, VPC, runner.
    pub origin: bool,
    /// Under what session: MFA, age, session name, source identity, tags.
    pub session: bool,
    /// For which resource: the permissions name resources or resource tags.
    pub resource: bool,
    /// Until when, besides the four: a time after which nobody gets in.
    #[serde(default)]
    pub time: bool,
    /// From which environment, besides the four: a deployment environment, an organizational unit or a tag of it.
    #[serde(default)]
    pub environment: bool,
}

impl ConditionCoverage {
    /// How many of the four are answered.
    pub const fn count(self) -> u8 {
        self.subject as u8 + self.origin as u8 + self.session as u8 + self.resource as u8
    }
}

/// One way to become an identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrustPath {
    /// Kind of the principal named.
    pub principal_kind: PrincipalKind,
    /// The principal as written.
    pub principal: String,
    /// Account of the principal, where it has one.
    pub account: Option<String>,
    /// The principal lies outside every account of this scan and is not the identity's own account.
    pub external: bool,
    /// Vendor that owns the account, from the list of known accounts.
    pub vendor: Option<String>,
    /// `sts:` action allowed.
    pub action: String,
    /// Issuer host of an OIDC principal.
    pub issuer: Option<String>,
    /// Subject patterns required; empty when none.
    pub subjects: Vec<String>,
    /// Audiences required; empty when none.
    pub audiences: Vec<String>,
    /// An `sts:ExternalId` is required.
    pub external_id: bool,
    /// MFA is required.
    pub mfa: bool,
    /// What the conditions cover.
    pub coverage: ConditionCoverage,
    /// Conditions in words.
    pub conditions: Vec<String>,
}

/// Where an identity is found, of code that declares an account and the account itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Declared {
    /// In code and in the account.
    Both,
    /// In code; the account was read and does not have it.
    CodeOnly,
    /// In an account part of which is declared in code, and in none of the code.
    AccountOnly,
}

impl Declared {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::CodeOnly => "code-only",
            Self::AccountOnly => "account-only",
        }
    }
}

/// Emergency use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BreakGlass {
    /// Declared in the configuration.
    Declared,
    /// The name suggests it; nobody has confirmed.
    Suspected,
}

/// What an agent can reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentReach {
    /// Tool servers configured.
    pub servers: Vec<String>,
    /// Tools allowed without asking; `*` for all.
    pub auto_approved: Vec<String>,
    /// Distinct providers behind its credentials and servers.
    pub providers: Vec<String>,
    /// Tools its configuration names, those of a server as `server:tool`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tools: Vec<String>,
    /// Credentials by name: `environment GITHUB_TOKEN`, and `github-pat as a value` for those that stand in the file.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub credentials: Vec<String>,
    /// Number of static credentials it holds.
    pub static_credentials: u32,
    /// A policy that judges intent is named for it.
    pub intent_policy: bool,
}

/// Longest session AWS gives to a role that is taken with another role's session.
const CHAINED_SECONDS: u64 = 3_600;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Stable id.
    pub id: IdentityId,
    /// `aws`, `kubernetes`, `github`, `gcp`, `azure`, `agent`, …
    pub provider: String,
    /// Kind of identity.
    #[serde(rename = "type")]
    pub kind: IdentityKind,
    /// Short name.
    pub name: String,
    /// What the provider calls it: the ARN, `system:serviceaccount:ns:name`, `repository/workflow.yml/job`.
    pub native_id: String,
    /// Account, project, cluster or repository it lives in.
    pub account: Option<String>,
    /// Deployment environment.
    pub environment: Environment,
    /// Owner, if any source names one.
    pub owner: Option<String>,
    /// How the owner is known.
    pub owner_source: OwnerSource,
    /// What it is for.
    pub purpose: Option<String>,
    /// A person uses it to sign in; machine checks read this first.
    pub human: bool,
    /// Why it is judged human or machine.
    pub human_evidence: Option<String>,
    /// Class of its consumers: the least bounded of them.
    pub consumer_class: ConsumerClass,
    /// What it can do.
    pub privilege: Privilege,
    /// Ways to become it.
    pub trust: Vec<TrustPath>,
    /// Longest session it allows, in seconds.
    pub max_session_seconds: Option<u64>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Last use.
    pub last_use: LastUse,
    /// Console password: `None` when unknown.
    pub console_password: Option<bool>,
    /// MFA device: `None` when unknown.
    pub mfa: Option<bool>,
    /// Permission boundary's ARN.
    pub boundary: Option<String>,
    /// Tags, labels and annotations.
    pub tags: BTreeMap<String, String>,
    /// Emergency use.
    pub break_glass: Option<BreakGlass>,
    /// What it reaches, for agents.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<AgentReach>,
    /// Credentials that let in as it.
    pub credentials: Vec<CredentialId>,
    /// What gives it permissions.
    pub grants: Vec<GrantId>,
    /// Who uses it.
    pub consumers: Vec<ConsumerId>,
    /// Where it is declared.
    pub locations: Vec<Location>,
    /// Strength of the evidence it rests on.
    pub grade: Grade,
    /// Facts of this identity that later rooms use as evidence, such as `automounts its token`.
    pub notes: Vec<Evidence>,
    /// Declared, deployed, or both, where code and the account it declares were read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub declared: Option<Declared>,
}

impl Identity {
    /// Note of an identity that logs name and its account no longer lists.
    pub const DELETED: &str = "logs name it, and its account no longer lists it: deleted";

    /// Whether its account no longer lists it.
    pub fn is_deleted(&self) -> bool {
        self.notes.iter().any(|note| note.text == Self::DELETED)
    }

    /// Id from what names an identity everywhere.
    pub fn id_of(provider: &str, native_id: &str) -> IdentityId {
        IdentityId::of(&[provider, native_id])
    }

    /// An identity of which only its names are known; everything else is unknown until a source says more.
    pub fn named(
        provider: &str,
        kind: IdentityKind,
        name: &str,
        native_id: &str,
        grade: Grade,
    ) -> Self {
        Self {
            id: Self::id_of(provider, native_id),
            provider: provider.to_owned(),
            kind,
            name: name.to_owned(),
            native_id: native_id.to_owned(),
            account: None,
            environment: Environment::Unknown,
            owner: None,
            owner_source: OwnerSource::None,
            purpose: None,
            human: false,
            human_evidence: None,
            consumer_class: ConsumerClass::Unknown,
            privilege: Privilege::default(),
            trust: Vec::new(),
            max_session_seconds: None,
            created_at: None,
            last_use: LastUse::Unknown,
            console_password: None,
            mfa: None,
            boundary: None,
            tags: BTreeMap::new(),
            break_glass: None,
            agent: None,
            credentials: Vec::new(),
            grants: Vec::new(),
            consumers: Vec::new(),
            locations: Vec::new(),
            grade,
            notes: Vec::new(),
            declared: None,
        }
    }

    /// Whether only roles may become it: AWS ends a session taken from another role's after an hour.
    pub fn only_by_chaining(&self) -> bool {
        !self.trust.is_empty()
            && self.trust.iter().all(|path| {
                path.principal_kind == PrincipalKind::Principal
                    && (path.principal.contains(":role/")
                        || path.principal.contains(":assumed-role/"))
            })
    }

    /// Longest session anybody can have, in seconds: what it allows, or less where only roles may become it.
    pub fn session_limit(&self) -> Option<u64> {
        if self.only_by_chaining() {
            return Some(
                self.max_session_seconds
                    .map_or(CHAINED_SECONDS, |longest| longest.min(CHAINED_SECONDS)),
            );
        }
        self.max_session_seconds
    }

    /// What the conditions cover over all ways in: a question counts as answered only if every way in answers it.
    pub fn condition_coverage(&self) -> ConditionCoverage {
        let all = |answered: fn(&ConditionCoverage) -> bool| {
            !self.trust.is_empty() && self.trust.iter().all(|path| answered(&path.coverage))
        };
        ConditionCoverage {
            subject: all(|c| c.subject),
            origin: all(|c| c.origin),
            session: all(|c| c.session),
            resource: all(|c| c.resource),
            time: all(|c| c.time),
            environment: all(|c| c.environment),
        }
    }
}
