//! What shows that runtime identity, policy or brokered access is set up: `rules/manifests/capabilities.toml`.

use super::config::Pattern;
use crate::model::CapabilityKind;
use serde::Deserialize;

/// The tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    resource: Vec<ResourceForm>,
    teleport: Vec<ResourceForm>,
    terraform: Vec<TerraformForm>,
    /// What annotations and labels of pods show.
    pub workload: Vec<WorkloadForm>,
    /// What drivers of volumes show.
    pub driver: Vec<DriverForm>,
}

/// A kind of resource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceForm {
    /// API group.
    pub group: String,
    kind: Pattern,
    /// Product.
    pub product: String,
    /// What it does.
    pub capability: CapabilityKind,
    /// In a few words.
    pub says: String,
    /// Dotted paths of its lifetime.
    #[serde(default)]
    pub ttl: Vec<String>,
    /// Dotted paths of the longest lifetime.
    #[serde(default)]
    pub max_ttl: Vec<String>,
    /// Lifetime where none is written.
    pub default_seconds: Option<u64>,
}

/// A resource of a Terraform provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerraformForm {
    #[serde(rename = "type")]
    kind: Pattern,
    /// Product.
    pub product: String,
    /// What it does.
    pub capability: CapabilityKind,
    /// In a few words.
    pub says: String,
    /// Attributes of its lifetime; dotted below other attributes.
    #[serde(default)]
    pub ttl: Vec<String>,
    /// Attributes of the longest lifetime.
    #[serde(default)]
    pub max_ttl: Vec<String>,
    /// Lifetime where none is written.
    pub default_seconds: Option<u64>,
    /// Numbers are minutes.
    #[serde(default)]
    pub minutes: bool,
}

/// An annotation or label of a pod.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadForm {
    /// Key.
    pub key: String,
    /// Value it has to have.
    pub value: Option<String>,
    /// Product.
    pub product: String,
    /// What it shows, to follow the workload's name.
    pub says: String,
}

/// A driver of volumes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriverForm {
    /// Name of the driver.
    pub driver: String,
    /// Product.
    pub product: String,
    /// What it shows, to follow the workload's name.
    pub says: String,
}

impl Capabilities {
    /// The form of a Kubernetes resource.
    pub fn resource(&self, group: &str, kind: &str) -> Option<&ResourceForm> {
        self.resource
            .iter()
            .find(|form| form.group == group && form.kind.matches(kind))
    }

    /// The form of a resource of Teleport.
    pub fn teleport(&self, kind: &str) -> Option<&ResourceForm> {
        self.teleport.iter().find(|form| form.kind.matches(kind))
    }

    /// The form of a resource of a Terraform provider.
    pub fn terraform(&self, kind: &str) -> Option<&TerraformForm> {
        self.terraform.iter().find(|form| form.kind.matches(kind))
    }

    /// How the types of the resources of Terraform providers begin.
    pub fn terraform_kinds(&self) -> impl Iterator<Item = &str> {
        let kinds = self.terraform.iter().map(|form| form.kind.as_str());
        kinds.map(|kind| kind.split('*').next().unwrap_or_default())
    }

    /// API groups of the resources known.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.resource.iter().map(|form| form.group.as_str())
    }
}
