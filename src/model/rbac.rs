//! Kubernetes roles and bindings as declared. They point at each other across files, so they are kept apart until every
//! file of a repository was read.

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

/// A `Role` or `ClusterRole`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RbacRole {
    /// Repository that declares it.
    pub repository: String,
    /// Namespace of a `Role`; `None` for a `ClusterRole`.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// Labels, by which other cluster roles aggregate it.
    pub labels: BTreeMap<String, String>,
    /// Label selectors of the cluster roles it aggregates.
    pub aggregates: Vec<BTreeMap<String, String>>,
    /// What it allows.
    pub rules: Vec<RbacRule>,
    /// Privilege tier a holder has by it, cluster-wide for a `ClusterRole`.
    pub tier: u8,
    /// Why that tier.
    pub evidence: Vec<Evidence>,
    /// Where.
    pub location: Location,
}

/// A `RoleBinding` or `ClusterRoleBinding`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RbacBinding {
    /// Repository that declares it.
    pub repository: String,
    /// Namespace of a `RoleBinding`; `None` for a `ClusterRoleBinding`.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// The role is a `ClusterRole`.
    pub cluster_role: bool,
    /// Name of the role.
    pub role: String,
    /// Machine subjects as Kubernetes calls them: `system:serviceaccount:<namespace>:<name>`,
    /// `system:serviceaccounts:<namespace>`, `system:serviceaccounts`.
    pub subjects: Vec<String>,
    /// Other subjects, kind and name: `User jane`, `Group system:authenticated`.
    pub people: Vec<String>,
    /// Privilege tier it gives; 0 also where its role is not declared and not known.
    pub tier: u8,
    /// Where.
    pub location: Location,
}
