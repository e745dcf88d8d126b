//! What names and keys in manifests mean: `rules/manifests/`.

use super::agent_code::AgentCode;
use super::capabilities::Capabilities;
use super::ci::CiSystems;
use super::cloud_roles::CloudRoles;
use super::config::Pattern;
use super::credentials::{CredentialRules, Rule, compile};
use super::default_logins::DefaultLogins;
use super::edits::PipelineEdits;
use super::environments::EnvironmentWords;
use super::routines::Routines;
use super::secret_stores::SecretStores;
use super::workloads::Workloads;
use super::{RuleError, text};
use regex::bytes::Regex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

/// Everything the manifest readers look up.
#[derive(Debug)]
pub struct ManifestTables {
    /// What secret names tell.
    pub names: SecretNames,
    /// GitHub Actions.
    pub github: GithubActions,
    /// Other CI systems.
    pub ci: CiSystems,
    /// Changes of pipelines.
    pub edits: PipelineEdits,
    /// Agents' configuration files.
    pub agents: AgentConfigs,
    /// Agents that program code makes.
    pub agent_code: AgentCode,
    /// Kubernetes names.
    pub kubernetes: Kubernetes,
    /// What shows runtime identity, policy or brokered access.
    pub capabilities: Capabilities,
    /// RBAC rights that lead to more than they say.
    pub escalation: Vec<RbacEscalation>,
    /// Token forms that name their type.
    pub forms: TokenForms,
    /// Roles of other clouds.
    pub cloud_roles: CloudRoles,
    /// Logins that products come with.
    pub logins: DefaultLogins,
    /// What infrastructure code runs.
    pub workloads: Workloads,
    /// How texts say that credentials are replaced.
    pub routines: Routines,
    /// Resources that put a value into a store.
    pub secret_stores: SecretStores,
    /// Words by which names tell an environment.
    pub environments: &'static EnvironmentWords,
}

/// What secret names tell: `secret-names.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretNames {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    identifiers: Vec<Pattern>,
    secret_like: Vec<Pattern>,
    not_secret: Vec<Pattern>,
    pairs: Vec<Pair>,
    pub only_by_name: Vec<String>,
    name: Vec<SecretName>,
}

/// Halves of one credential.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    secret: String,
    id: String,
}

/// One pattern over names and what it tells.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretName {
    pattern: Pattern,
    /// Credential type.
    pub kind: String,
    /// Issuer.
    pub provider: String,
    /// Only a custom of speech: the variable it is put into knows better.
    #[serde(default)]
    pub weak: bool,
}

/// `AWS-access.key id` as the tables spell names.
fn normal(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '-' | '.' | ' ' => '_',
            c => c.to_ascii_uppercase(),
        })
        .collect()
}

impl SecretNames {
    /// Credential type and issuer a name tells.
    pub fn lookup(&self, name: &str) -> Option<&SecretName> {
        let name = normal(name);
        self.name.iter().find(|rule| rule.pattern.matches(&name))
    }

    /// Issuers that names tell.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.name.iter().map(|rule| rule.provider.as_str())
    }

    /// The name identifies something rather than proving it: an account number, a role ARN, a user name.
    pub fn identifies(&self, name: &str) -> bool {
        let name = normal(name);
        self.identifiers.iter().any(|rule| rule.matches(&name))
    }

    /// A literal under this name is a secret.
    pub fn secret_like(&self, name: &str) -> bool {
        let name = normal(name);
        self.secret_like.iter().any(|rule| rule.matches(&name))
            && !self.not_secret.iter().any(|rule| rule.matches(&name))
    }

    /// Names of the half that stands for the whole credential, for the name of its secret half; most likely first.
    pub fn other_halves(&self, name: &str) -> Vec<String> {
        let name = normal(name);
        self.pairs
            .iter()
            .filter(|pair| name.contains(&pair.secret))
            .map(|pair| name.replacen(&pair.secret, &pair.id, 1))
            .collect()
    }

    /// A name without what is only spelling.
    pub fn plain(name: &str) -> String {
        normal(name)
    }

    /// Two names that differ only in spelling.
    pub fn same(left: &str, right: &str) -> bool {
        normal(left) == normal(right)
    }
}

/// GitHub Actions: `github-actions.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GithubActions {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    /// Longest run of a job that declares no limit, in minutes.
    pub default_timeout_minutes: u64,
    /// Tier of a job's token where no permissions are declared, in the more restricted of the platform's two defaults.
    pub default_tier: u8,
    first_party: Vec<String>,
    scopes: BTreeMap<String, ScopeTiers>,
    action: Vec<ActionInputs>,
}

/// Privilege tiers of one `permissions:` scope.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeTiers {
    read: u8,
    write: u8,
}

/// Inputs of one action that take a credential or name an identity.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionInputs {
    uses: String,
    /// Issuer of what it takes.
    pub provider: String,
    /// Credential type it takes.
    pub kind: String,
    /// Inputs that take the credential.
    #[serde(default)]
    pub secret: Vec<String>,
    /// Inputs that complete it, and are no credential of their own.
    #[serde(default)]
    pub half: Vec<String>,
    /// Inputs that name the identity it becomes.
    #[serde(default)]
    pub identity: Vec<String>,
    /// Inputs whose presence shows that it gets its credential from the platform.
    #[serde(default)]
    pub federated_by: Vec<String>,
    /// The kind does not hold when this input is given.
    pub unless: Option<Unless>,
}

/// An input that changes what an action takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unless {
    /// Name of the input.
    pub input: String,
}

impl GithubActions {
    /// Privilege tier of one scope at one level (`read`, `write`, anything else gives nothing).
    pub fn tier(&self, scope: &str, level: &str) -> u8 {
        let tiers = self.scopes.get(scope);
        match level {
            "read" => tiers.map_or(1, |tiers| tiers.read),
            "write" => tiers.map_or(3, |tiers| tiers.write),
            _ => 0,
        }
    }

    /// Most any scope gives at one level.
    pub fn tier_of_all(&self, level: &str) -> u8 {
        self.scopes
            .keys()
            .map(|scope| self.tier(scope, level))
            .max()
            .unwrap_or(0)
    }

    /// What is known of an action, by `owner/name` in any case.
    pub fn action(&self, name: &str) -> Option<&ActionInputs> {
        self.action
            .iter()
            .find(|action| action.uses.eq_ignore_ascii_case(name))
    }

    /// The owner is the platform itself.
    pub fn first_party(&self, owner: &str) -> bool {
        self.first_party
            .iter()
            .any(|known| known.eq_ignore_ascii_case(owner))
    }
}

/// Agents' configuration: `agent-configs.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfigs {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    client: Vec<AgentClient>,
    /// Keys of a server that list tools run without asking.
    pub approvals: Vec<String>,
    /// Dotted paths of lists of tools that run without asking; `*` stands for any key.
    pub approval_lists: Vec<String>,
    /// Keys that, when true, let every tool run without asking.
    pub approve_all: Vec<String>,
    /// Settings that mean "never ask".
    pub never_ask: Vec<Setting>,
    /// What references look like, first match wins.
    pub reference: Vec<ReferenceForm>,
}

/// One client and its files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentClient {
    /// Short name.
    pub name: String,
    /// Name for people.
    pub title: String,
    files: Vec<String>,
    /// Keys under which servers are.
    pub servers: Vec<String>,
    /// Read only if the file holds one of these.
    #[serde(default)]
    pub marker: Vec<String>,
}

/// A key and the value that matters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Dotted path of keys.
    pub key: String,
    /// Value.
    pub value: String,
}

/// What a reference looks like and where the value is kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceForm {
    /// How it begins.
    pub prefix: String,
    /// `environment`, `vault`, `prompt`, `file`.
    pub store: String,
}

impl AgentConfigs {
    /// What stands for a client that is not known: the last entry.
    pub fn any_client(&self) -> Option<&AgentClient> {
        self.client.last()
    }

    /// The client that reads a file of this path.
    pub fn client_of(&self, uri: &str) -> Option<&AgentClient> {
        self.client
            .iter()
            .find(|client| client.files.iter().any(|ending| ends_with(uri, ending)))
    }
}

/// Whether a path is, or ends in, `ending` at a folder boundary; `folder/*` stands for every file of a folder.
fn ends_with(uri: &str, ending: &str) -> bool {
    let uri = match ending.strip_suffix("/*") {
        Some(folder) => {
            return uri
                .rsplit_once('/')
                .is_some_and(|(parent, _)| ends_with(parent, folder));
        }
        None => uri,
    };
    uri.strip_suffix(ending)
        .is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// Kubernetes names: `kubernetes.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kubernetes {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    /// Annotations that name a cloud identity.
    pub federation: Vec<FederationAnnotation>,
    tags: Vec<Pattern>,
    builtin_roles: Vec<BuiltinRole>,
}

/// An annotation that names the cloud identity a service account becomes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederationAnnotation {
    /// Key.
    pub annotation: String,
    /// Cloud.
    pub provider: String,
    /// Name of the mechanism.
    pub name: String,
}

/// A cluster role that every cluster has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BuiltinRole {
    name: String,
    tier: u8,
}

impl Kubernetes {
    /// Whether a label or annotation is kept as a tag.
    pub fn is_tag(&self, key: &str) -> bool {
        self.tags.iter().any(|pattern| pattern.matches(key))
    }

    /// Tier of a cluster role that every cluster has.
    pub fn builtin_tier(&self, name: &str) -> Option<u8> {
        self.builtin_roles
            .iter()
            .find(|role| role.name == name)
            .map(|role| role.tier)
    }
}

/// An RBAC right that leads to more than it says: one row of `k8s-escalation.tsv`.
#[derive(Debug, PartialEq, Eq)]
pub struct RbacEscalation {
    /// Privilege tier it gives.
    pub tier: u8,
    /// API group; empty for the core group (written `core`), `*` where the resource is `*`.
    pub group: String,
    /// Resource, `*` for all of them.
    pub resource: String,
    /// Verbs, any of which is enough; `*` asks for `*`.
    pub verbs: Vec<String>,
    /// What it leads to.
    pub leads_to: String,
}

/// Token forms that name their type: the credential rules that know a token by how it begins.
#[derive(Debug)]
pub struct TokenForms(Vec<TokenForm>);

/// One such form.
#[derive(Debug)]
pub struct TokenForm {
    /// Id of the rule.
    pub rule: String,
    /// Credential type.
    pub kind: String,
    /// Issuer.
    pub provider: String,
    /// Privilege tier of the type by default.
    pub default_tier: Option<u8>,
    /// Whether the type expires by nature.
    pub expires_by_nature: Option<bool>,
    literals: Vec<String>,
    pattern: String,
    /// Compiled when first needed: most scans need few.
    compiled: OnceLock<Option<Regex>>,
}

impl TokenForms {
    fn of(rules: &CredentialRules) -> Self {
        let whole = |rule: &&Arc<Rule>| {
            rule.pattern.contains("(?P<prefix>")
                && rule.pattern.contains("(?P<secret>")
                && rule.companions.is_empty()
        };
        let forms = rules.rules().iter().filter(whole).map(|rule| TokenForm {
            rule: rule.id.clone(),
            kind: rule.credential_type.clone(),
            provider: rule.provider.clone(),
            default_tier: rule.default_tier,
            expires_by_nature: rule.expires_by_nature,
            literals: rule.literals.clone(),
            pattern: rule.pattern.clone(),
            compiled: OnceLock::new(),
        });
        Self(forms.collect())
    }

    /// The form that a value as a whole has, and the part of it that only names its type.
    pub fn recognise<'v>(&self, value: &'v str) -> Option<(&TokenForm, &'v str)> {
        self.0.iter().find_map(|form| {
            if !form
                .literals
                .iter()
                .any(|literal| value.starts_with(literal.as_str()))
            {
                return None;
            }
            let compiled = form.compiled.get_or_init(|| compile(&form.pattern).ok());
            let captures = compiled.as_ref()?.captures(value.as_bytes())?;
            let secret = captures.name("secret")?;
            let prefix = captures.name("prefix")?;
            let shown = value.get(prefix.start()..prefix.end())?;
            (secret.start() == 0 && secret.end() == value.len()).then_some((form, shown))
        })
    }
}

impl ManifestTables {
    /// The tables built into the program.
    ///
    /// # Errors
    /// When a file is missing or has another shape.
    pub fn builtin() -> Result<&'static Self, RuleError> {
        static BUILTIN: LazyLock<Result<ManifestTables, RuleError>> =
            LazyLock::new(ManifestTables::embedded);
        BUILTIN.as_ref().map_err(Clone::clone)
    }

    fn embedded() -> Result<Self, RuleError> {
        let rules = CredentialRules::builtin()?;
        Ok(Self {
            names: super::read("manifests/secret-names.toml")?,
            github: super::read("manifests/github-actions.toml")?,
            ci: super::read("manifests/ci-systems.toml")?,
            edits: super::read("manifests/pipeline-edits.toml")?,
            agents: super::read("manifests/agent-configs.toml")?,
            agent_code: super::read("manifests/agent-code.toml")?,
            kubernetes: super::read("manifests/kubernetes.toml")?,
            environments: EnvironmentWords::builtin()?,
            capabilities: super::read("manifests/capabilities.toml")?,
            escalation: escalation("manifests/k8s-escalation.tsv")?,
            forms: TokenForms::of(&rules),
            cloud_roles: super::read("manifests/cloud-roles.toml")?,
            logins: super::read::<DefaultLogins>("manifests/default-logins.toml")?.spelled(),
            workloads: super::read("manifests/workloads.toml")?,
            routines: super::read("manifests/routines.toml")?,
            secret_stores: super::read("manifests/secret-stores.toml")?,
        })
    }
}

fn escalation(path: &str) -> Result<Vec<RbacEscalation>, RuleError> {
    let rows = text(path)?.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        let mut cells = line.split('\t');
        let mut cell = || {
            cells
                .next()
                .filter(|cell| !cell.is_empty())
                .ok_or_else(|| RuleError::invalid(path, format!("row `{line}` needs five cells")))
        };
        let tier: u8 = cell()?
            .parse()
            .ok()
            .filter(|tier| *tier <= 5)
            .ok_or_else(|| RuleError::invalid(path, format!("row `{line}` has no tier")))?;
        Ok(RbacEscalation {
            tier,
            group: match cell()? {
                "core" => String::new(),
                group => group.to_owned(),
            },
            resource: cell()?.to_owned(),
            verbs: cell()?.split(',').map(str::to_owned).collect(),
            leads_to: cell()?.to_owned(),
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> &'static ManifestTables {
        ManifestTables::builtin().unwrap()
    }

    #[test]
    fn names_tell_types() {
        let names = &tables().names;
        let kind = |name: &str| names.lookup(name).map(|rule| rule.kind.clone());
        assert_eq!(
            kind("prod-aws-access-key-id").as_deref(),
            Some("aws-access-key")
        );
        assert_eq!(kind("SLACK_WEBHOOK_URL").as_deref(), Some("slack-webhook"));
        assert_eq!(kind("NODE_AUTH_TOKEN").as_deref(), Some("npm-token"));
        assert_eq!(kind("FOO"), None);
        assert!(names.identifies("AZURE_TENANT_ID") && names.identifies("NETLIFY_SITE_ID"));
        assert!(!names.identifies("AWS_ACCESS_KEY_ID"));
        assert!(names.secret_like("Authorization") && !names.secret_like("TOKEN_FILE"));
        assert_eq!(
            names
                .other_halves("PROD_AWS_SECRET_ACCESS_KEY")
                .first()
                .map(String::as_str),
            Some("PROD_AWS_ACCESS_KEY_ID")
        );
    }

    #[test]
    fn types_and_issuers_are_those_of_the_credential_rules() {
        let tables = tables();
        let rules = CredentialRules::builtin().unwrap();
        let by_name = tables
            .names
            .name
            .iter()
            .map(|rule| (&rule.kind, &rule.provider));
        let by_use = tables
            .github
            .action
            .iter()
            .map(|rule| (&rule.kind, &rule.provider));
        for (kind, provider) in by_name.chain(by_use) {
            let mut known = rules
                .rules()
                .iter()
                .filter(|rule| rule.credential_type == *kind);
            if tables.names.only_by_name.contains(kind) {
                assert_eq!(known.next().map(|rule| &rule.id), None);
            } else {
                assert!(
                    known.any(|rule| rule.provider == *provider),
                    "{kind} of {provider}"
                );
            }
        }
    }

    #[test]
    fn tokens_are_recognised_whole() {
        let forms = &tables().forms;
        let token = ["gh", "p_", "16C7e42F292c6912E7710c838347Ae178B4a"].concat();
        let (form, prefix) = forms.recognise(&token).unwrap();
        assert_eq!((form.kind.as_str(), prefix), ("github-pat", &token[..4]));
        assert!(forms.recognise(&format!("{token}x")).is_none());
        assert!(forms.recognise(&format!("{token} x")).is_none());
        assert!(forms.recognise("é").is_none());
    }

    #[test]
    fn clients_are_known_by_path_endings_at_folder_boundaries() {
        let agents = &tables().agents;
        let name = |uri: &str| agents.client_of(uri).map(|client| client.name.clone());
        assert_eq!(name(".mcp.json").as_deref(), Some("claude-code"));
        assert_eq!(name("a/.cursor/mcp.json").as_deref(), Some("cursor"));
        assert_eq!(name("a/mcp.json").as_deref(), Some("mcp"));
        assert_eq!(
            name(".continue/mcpServers/x.yaml").as_deref(),
            Some("continue")
        );
        assert_eq!(name("a/xmcp.json"), None);
        assert_eq!(name("settings.json"), None);
    }

    #[test]
    fn every_escalation_row_says_where_it_leads() {
        let rows = &tables().escalation;
        assert!(rows.iter().any(|row| row.tier == 5 && row.resource == "*"));
        assert!(
            rows.iter()
                .all(|row| !row.verbs.is_empty() && row.tier >= 4)
        );
    }
}
