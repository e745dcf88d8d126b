//! What already proves identities, decides on requests or issues access for a while: runtime identity, policy, brokers.

use super::Location;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a capability does.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CapabilityKind {
    /// Gives workloads an identity they can prove: SPIFFE entries, workload certificates.
    RuntimeIdentity,
    /// Gives workloads of a service mesh an identity, or asks for it.
    MeshIdentity,
    /// Issues credentials on request: roles of a secrets engine.
    DynamicSecrets,
    /// Issues certificates.
    CertificateIssuer,
    /// A certificate that is renewed by machines.
    Certificate,
    /// Decides on requests by policy.
    Policy,
    /// Grants people or machines access for a while.
    Broker,
    /// Brings secrets from a store that keeps them.
    SecretStore,
}

impl CapabilityKind {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RuntimeIdentity => "runtime-identity",
            Self::MeshIdentity => "mesh-identity",
            Self::DynamicSecrets => "dynamic-secrets",
            Self::CertificateIssuer => "certificate-issuer",
            Self::Certificate => "certificate",
            Self::Policy => "policy",
            Self::Broker => "broker",
            Self::SecretStore => "secret-store",
        }
    }
}

/// One declared piece of runtime identity, policy or brokered access.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Capability {
    /// What it does.
    pub kind: CapabilityKind,
    /// Product: `spire`, `istio`, `vault`, `cert-manager`, `gatekeeper`, `teleport`, …
    pub product: String,
    /// Kind and name as declared: `ClusterSPIFFEID/backend`.
    pub name: String,
    /// What it says, in one sentence.
    pub says: String,
    /// Repository that declares it.
    pub repository: String,
    /// Kubernetes namespace it holds in; `None` for all, or where there are none.
    pub namespace: Option<String>,
    /// Identities it names, as providers call them; `*` stands for any text.
    pub subjects: Vec<String>,
    /// How long what it issues lasts, in seconds, as written or as the product has it by default.
    pub ttl_seconds: Option<u64>,
    /// How long it can be made to last by renewal, in seconds.
    pub max_ttl_seconds: Option<u64>,
    /// The lifetime is the product's default; nothing is written.
    pub ttl_assumed: bool,
    /// Where.
    pub location: Location,
}
