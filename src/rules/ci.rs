//! What CI systems give their jobs: `rules/manifests/ci-systems.toml`.

use super::config::Pattern;
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CiSystems {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    service_connections: Vec<ServiceConnection>,
    implied: Vec<Implied>,
    federating_plugins: Vec<String>,
    bindings: Vec<Binding>,
    /// Bitbucket Pipelines.
    pub bitbucket: CiSystem,
    /// CircleCI.
    pub circleci: CiSystem,
    /// Azure Pipelines.
    pub azure: CiSystem,
    /// Buildkite.
    pub buildkite: CiSystem,
    /// Jenkins.
    pub jenkins: CiSystem,
}

/// One system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CiSystem {
    /// What holds when a job declares no limit, for people.
    pub default_timeout: String,
    ephemeral: Vec<String>,
    proofs: Vec<String>,
    first_party: Vec<String>,
}

impl CiSystem {
    /// The system makes this variable for one job.
    pub fn ephemeral(&self, name: &str) -> bool {
        has(&self.ephemeral, name)
    }

    /// The variable proves what the job is.
    pub fn proof(&self, name: &str) -> bool {
        has(&self.proofs, name)
    }

    /// The publisher of an extension is the system itself.
    pub fn first_party(&self, publisher: &str) -> bool {
        has(&self.first_party, publisher)
    }
}

fn has(list: &[String], name: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceConnection {
    input: Pattern,
    provider: String,
}

/// A variable that an orb reads without being told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Implied {
    orb: String,
    /// Name of the variable.
    pub name: String,
    /// Parameters in whose presence it is not read.
    pub unless: Vec<String>,
}

/// A binding of a credential, and its type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    name: String,
    /// Credential type.
    pub kind: String,
    /// Issuer.
    pub provider: String,
}

impl CiSystems {
    /// Issuer behind an input that names a service connection; `unknown` where the input does not tell it.
    pub fn service_connection(&self, input: &str) -> Option<&str> {
        let input = input.to_ascii_lowercase();
        self.service_connections
            .iter()
            .find(|known| known.input.matches(&input))
            .map(|known| known.provider.as_str())
    }

    /// Variables that an orb reads, by `namespace/name`.
    pub fn implied<'s>(&'s self, orb: &'s str) -> impl Iterator<Item = &'s Implied> {
        self.implied.iter().filter(move |known| known.orb == orb)
    }

    /// The plugin exchanges the job's own identity for access; by its bare name.
    pub fn federates(&self, plugin: &str) -> bool {
        has(&self.federating_plugins, plugin)
    }

    /// Type of what a binding binds, by its symbol or class.
    pub fn binding(&self, name: &str) -> Option<&Binding> {
        self.bindings
            .iter()
            .find(|binding| name == binding.name || name.ends_with(&format!(".{}", binding.name)))
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::manifests::ManifestTables;

    #[test]
    fn inputs_and_bindings_tell_the_issuer() {
        let ci = &ManifestTables::builtin().unwrap().ci;
        assert_eq!(ci.service_connection("azureSubscription"), Some("azure"));
        assert_eq!(
            ci.service_connection("ConnectedServiceNameARM"),
            Some("azure")
        );
        assert_eq!(ci.service_connection("awscredentials"), Some("aws"));
        assert_eq!(ci.service_connection("scriptLocation"), None);
        let class =
            "com.cloudbees.jenkins.plugins.awscredentials.AmazonWebServicesCredentialsBinding";
        assert_eq!(
            ci.binding(class).map(|b| b.kind.as_str()),
            Some("aws-access-key")
        );
        assert!(ci.binding("string").is_none());
        assert!(ci.circleci.proof("circle_oidc_token"));
        assert!(ci.federates("aws-assume-role-with-web-identity"));
    }
}
