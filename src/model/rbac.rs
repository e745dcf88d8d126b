//! Roles and bindings as declared: those of Kubernetes, which point at each other across files and are kept apart until
//! every file of a repository was read, and those that infrastructure code makes in Google Cloud and Azure.

use super::{Evidence, Location};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One rule of a role.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct RbacRule {
    /// API groups; the empty text is the core group, `*` any.
    pub api_groups: Vec<String>,
    /// Resources, with subresources as `pods/exec`; `*` any.
    pub resources: Vec<String>,
    /// Verbs; `*` any.
    pub verbs: Vec<String>,
    /// Names of the objects it is limited to; empty for no limit.
    pub resource_names: Vec<String>,
    /// Paths outside the resource tree.
    pub non_resource_urls: Vec<String>,
}

/// Provider of roles and bindings where none is written.
fn kubernetes() -> String {
    "kubernetes".to_owned()
}

/// A `Role` or `ClusterRole`, or a custom role of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RbacRole {
    /// Repository that declares it.
    pub repository: String,
    /// `kubernetes`, `gcp` or `azure`.
    #[serde(default = "kubernetes")]
    pub provider: String,
    /// Its chart's values, or a count of nought, switch it off: it is declared and not made.
    #[serde(default)]
    pub switched_off: bool,
    /// Namespace of a `Role`; `None` for a `ClusterRole` and outside Kubernetes.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// Labels, by which other cluster roles aggregate it.
    pub labels: BTreeMap<String, String>,
    /// Label selectors of the cluster roles it aggregates.
    pub aggregates: Vec<BTreeMap<String, String>>,
    /// What it allows; the permissions of a cloud's role are the verbs of one rule.
    pub rules: Vec<RbacRule>,
    /// Privilege tier a holder has by it, cluster-wide for a `ClusterRole`.
    pub tier: u8,
    /// Why that tier.
    pub evidence: Vec<Evidence>,
    /// Where.
    pub location: Location,
}

/// A `RoleBinding` or `ClusterRoleBinding`, or what gives a role of a cloud to its members.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RbacBinding {
    /// Repository that declares it.
    pub repository: String,
    /// `kubernetes`, `gcp` or `azure`.
    #[serde(default = "kubernetes")]
    pub provider: String,
    /// Its chart's values, or a count of nought, switch it off: it is declared and not made.
    #[serde(default)]
    pub switched_off: bool,
    /// Namespace of a `RoleBinding`; `None` for a `ClusterRoleBinding`; in clouds what the role is given on.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// The role is a `ClusterRole`.
    pub cluster_role: bool,
    /// Name of the role.
    pub role: String,
    /// Machine subjects as Kubernetes calls them: `system:serviceaccount:<namespace>:<name>`,
    /// `system:serviceaccounts:<namespace>`, `system:serviceaccounts`; as a cloud calls them otherwise. Those that code
    /// does not tell are named `<var.members>`.
    pub subjects: Vec<String>,
    /// Other subjects, kind and name: `User jane`, `Group system:authenticated`.
    pub people: Vec<String>,
    /// Privilege tier it gives; 0 also where its role is not declared and not known.
    pub tier: u8,
    /// Where.
    pub location: Location,
}

impl RbacRole {
    /// Of Kubernetes, and made.
    #[must_use]
    pub fn of_cluster(&self) -> bool {
        self.provider == "kubernetes" && !self.switched_off
    }
}

impl RbacBinding {
    /// Of Kubernetes, and made.
    #[must_use]
    pub fn of_cluster(&self) -> bool {
        self.provider == "kubernetes" && !self.switched_off
    }
}
