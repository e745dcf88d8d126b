//! Consumers: what runs and uses access.

use super::{ConsumerId, CredentialId, Evidence, IdentityId, Location};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of work a consumer does; decides how bounded its task is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ConsumerClass {
    /// A job of a CI system.
    Ci,
    /// A scheduled job: cron, systemd timer, Kubernetes CronJob.
    Scheduled,
    /// A run-to-completion batch: Kubernetes Job, one-shot script.
    Batch,
    /// A function started per event.
    Function,
    /// An AI agent or a tool server of one.
    Agent,
    /// A service that acts on requests.
    RequestDriven,
    /// A process that runs all the time.
    Daemon,
    /// A person.
    Human,
    /// Another organisation.
    Vendor,
    /// People and tools in an emergency.
    IncidentResponse,
    /// Nothing is known of it.
    #[default]
    Unknown,
}

impl ConsumerClass {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ci => "ci",
            Self::Scheduled => "scheduled",
            Self::Batch => "batch",
            Self::Function => "function",
            Self::Agent => "agent",
            Self::RequestDriven => "request-driven",
            Self::Daemon => "daemon",
            Self::Human => "human",
            Self::Vendor => "vendor",
            Self::IncidentResponse => "incident-response",
            Self::Unknown => "unknown",
        }
    }

    /// The work has an end that a scheduler or runner knows.
    pub const fn bounded(self) -> bool {
        matches!(
            self,
            Self::Ci | Self::Scheduled | Self::Batch | Self::Function
        )
    }

    /// The work never ends by itself.
    pub const fn continuous(self) -> bool {
        matches!(self, Self::Daemon | Self::RequestDriven)
    }
}

/// Whether the consumer can prove what it is without a stored secret.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Federation {
    /// Set up today: `id-token: write`, IRSA annotation, instance profile.
    Configured,
    /// The runtime offers it; nobody has set it up.
    Supported,
    /// The runtime has none.
    Unavailable,
    /// Not known.
    #[default]
    Unknown,
}

/// Words of a consumer's evidence before the provider that it signs in to by proving what it is.
pub const FEDERATES_TO: &str = "federates to ";

/// Words of a consumer's evidence before the name of a secret that it reaches other repositories with, `: ` and which.
pub const REACHES_BEYOND: &str = "reaches beyond its own repository with ";

/// Words of a consumer's evidence before the names of secrets, separated by `, `, beside which it installs packages and
/// publishes none.
pub const ONLY_INSTALLS: &str = "installs packages and publishes none, with ";

/// Words of a consumer's evidence before the host of a store that takes keys of AWS's form and is not AWS.
pub const OTHER_STORE: &str = "calls a store that speaks S3 and is not AWS: ";

/// The host of an address of a store, in lower case, unless it is one of AWS. Nothing but letters, digits, `.`, `-` and `_`,
/// and no more of it than a host name may have.
pub fn other_store(address: &str) -> Option<String> {
    const AWS: [&str; 3] = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];
    const LONGEST: usize = 253;
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))
        .unwrap_or(rest.len());
    let host = rest.get(..end)?.to_ascii_lowercase();
    let own = AWS.iter().any(|end| host.ends_with(end));
    (!host.is_empty() && host.len() <= LONGEST && !own).then_some(host)
}

/// Words of a tool server's note before a secret that its configuration gives it: `environment NAME`, `TYPE as a value`.
pub const IS_GIVEN: &str = "is given ";

/// The risk of a Kubernetes workload whose pods hold a token of the API.
pub const MOUNTS_TOKEN: &str = "mounts its service account's token";

/// What a consumer uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Uses {
    /// Credentials, by id after the join.
    pub credentials: Vec<CredentialId>,
    /// Identities it assumes or runs as, by id after the join.
    pub identities: Vec<IdentityId>,
    /// Native ids (role ARNs, service account names) it names, as declared.
    pub native_ids: Vec<String>,
    /// Refs of its repository that its triggers name (`refs/heads/main`, `refs/tags/*`), and `HEAD` for the default branch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<String>,
    /// Files that it runs as part of itself, such as reusable workflows, each with its repository: what these use it uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<String>,
}

/// Something that runs and uses access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consumer {
    /// Stable id.
    pub id: ConsumerId,
    /// Name: `deploy.yml/deploy`, `CronJob payments/nightly`.
    pub name: String,
    /// What kind of work it does.
    pub class: ConsumerClass,
    /// Where it runs: `github-actions`, `gitlab-ci`, `kubernetes`, `eks`, `ec2`, `lambda`, `agent-host`, …
    pub runtime: String,
    /// Repository that declares it.
    pub repository: Option<String>,
    /// Native id of the identity the consumer itself is (the CI job, the service account it runs as).
    pub identity: Option<IdentityId>,
    /// Schedule as declared, cron syntax.
    pub schedule: Option<String>,
    /// Longest run the declaration allows, in seconds.
    pub timeout_seconds: Option<u64>,
    /// How the class and the limits are known.
    pub evidence: Vec<Evidence>,
    /// Whether it can prove what it is without a stored secret.
    pub federation: Federation,
    /// What it uses.
    pub uses: Uses,
    /// Facts about the run that weaken context: `pull_request_target`, `self-hosted runner`, `unpinned action x/y@v1`.
    pub risks: Vec<String>,
    /// Where it is declared.
    pub location: Option<Location>,
    /// Deployment environment it names, as written.
    pub environment: Option<String>,
}

impl Consumer {
    /// Risk of an instance whose metadata service answers requests without a token, so that whatever makes the instance send
    /// a request gets the keys of its role.
    pub const OPEN_METADATA: &str = "instance metadata without a token (IMDSv1)";
}
