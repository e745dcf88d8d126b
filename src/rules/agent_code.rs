//! How program code makes agents: `rules/manifests/agent-code.toml`.

use serde::Deserialize;

/// The calls, and what their arguments mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentCode {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    /// Frameworks, each with the calls that make an agent.
    pub framework: Vec<AgentFramework>,
    /// Arguments that name an agent, best first.
    pub names: Vec<String>,
    /// Arguments that say what it is for, best first.
    pub purposes: Vec<String>,
    /// Arguments under which its tools stand.
    pub tools: Vec<String>,
    /// Arguments under which its tool servers stand.
    pub servers: Vec<String>,
    /// Arguments with other agents.
    pub others: Vec<String>,
    /// Arguments under which its model stands.
    pub models: Vec<String>,
    /// What names the model there, best first.
    pub model_names: Vec<String>,
    /// Calls that stand for a tool server.
    pub server_calls: Vec<String>,
    /// Of these the first argument is a mapping of names to servers.
    pub server_groups: Vec<String>,
    /// Arguments of such a call under which the way to reach the server stands.
    pub server_settings: Vec<String>,
    /// Arguments with which nobody is asked before a tool runs.
    pub never_ask: Vec<AgentSetting>,
    /// Arguments whose tools run without asking.
    pub approvals: Vec<String>,
    /// Arguments with which an agent runs code that it writes.
    pub runs_code: Vec<String>,
    /// Calls with which it does.
    pub code_runners: Vec<String>,
    /// Whose model it is.
    pub model_of: Vec<ModelOf>,
}

/// One framework of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentFramework {
    /// Name for people.
    pub title: String,
    /// Modules from which the calls are imported.
    pub modules: Vec<String>,
    /// Classes and functions that make an agent.
    pub calls: Vec<String>,
    /// Classes that are not made as they are, but extended.
    #[serde(default)]
    pub bases: Vec<String>,
    /// One of these arguments has to be given; empty: none.
    #[serde(default)]
    pub with: Vec<String>,
}

/// An argument with a value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSetting {
    /// Name of the argument.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Whose model a name stands for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelOf {
    /// How the name begins.
    pub prefix: String,
    /// Its provider.
    pub provider: String,
}

impl AgentFramework {
    /// Whether a module is one of its own.
    fn has(&self, module: &str) -> bool {
        self.modules.iter().any(|known| {
            module
                .strip_prefix(known.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
        })
    }
}

impl AgentCode {
    /// The framework of which a call by this name, imported from this module, makes an agent.
    pub fn framework(&self, module: &str, call: &str) -> Option<&AgentFramework> {
        self.framework.iter().find(|framework| {
            framework.calls.iter().any(|known| known == call) && framework.has(module)
        })
    }

    /// The framework whose agents extend a class of this name, imported from this module.
    pub fn extended(&self, module: &str, class: &str) -> Option<&AgentFramework> {
        self.framework.iter().find(|framework| {
            let classes = framework.calls.iter().chain(&framework.bases);
            let class = classes.into_iter().any(|known| known == class);
            class && framework.has(module)
        })
    }

    /// Whose model this is.
    pub fn provider_of(&self, model: &str) -> Option<&str> {
        let model = model.to_lowercase();
        self.model_of
            .iter()
            .find(|known| model.starts_with(&known.prefix))
            .map(|known| known.provider.as_str())
    }
}
