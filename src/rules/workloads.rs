//! Resources of infrastructure code that run something: `rules/manifests/workloads.toml`.

use crate::model::ConsumerClass;
use serde::Deserialize;

/// Types of resources that run something.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workloads {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    helpers: Vec<String>,
    workload: Vec<Workload>,
}

/// One type of resource that runs something. Paths are dotted and look into the first item of lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    resource: String,
    /// Where it runs.
    pub runtime: String,
    /// What kind of work it does, as far as the type tells.
    pub class: ConsumerClass,
    /// Paths of what it runs as: a role, a profile, a service account.
    pub runs_as: Vec<String>,
    /// Its longest run.
    pub limit: Option<Limit>,
    /// Path of its schedule.
    pub schedule: Option<String>,
    /// Paths of mappings of variables, of lists of them, or of documents of containers.
    #[serde(default)]
    pub given: Vec<String>,
    /// Path of the setting by which the metadata service asks for a token first.
    pub metadata_tokens: Option<String>,
}

/// Where the longest run is said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Path of the number.
    pub path: String,
    /// Seconds in one of it.
    pub seconds: u64,
}

impl Workloads {
    /// What is known of a type.
    pub fn of(&self, resource: &str) -> Option<&Workload> {
        let plain = resource.replacen("_windows_", "_linux_", 1);
        self.workload.iter().find(|known| known.resource == plain)
    }

    /// Whether a type runs something or says of others when and how long.
    pub fn interesting(&self, resource: &str) -> bool {
        self.helpers.iter().any(|helper| helper == resource) || self.of(resource).is_some()
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::manifests::ManifestTables;

    #[test]
    fn a_type_for_linux_stands_for_that_for_windows() {
        let workloads = &ManifestTables::builtin().unwrap().workloads;
        let app = workloads.of("azurerm_windows_web_app").unwrap();
        assert_eq!(app.runtime, "app-service");
        assert!(workloads.of("aws_ecs_service").is_none());
        assert!(workloads.interesting("aws_ecs_service"));
        assert!(!workloads.interesting("aws_s3_bucket"));
    }
}
