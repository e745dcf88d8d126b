//! How jobs of pipelines get access without a stored secret: `rules/manifests/pipeline-edits.toml`.

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineEdits {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    /// Mechanisms in GitHub Actions.
    pub github: Vec<GithubEdit>,
    /// Mechanisms in systems whose jobs are lists of commands.
    pub script: Vec<ScriptEdit>,
    /// Mechanisms of which the job names a profile of its agent.
    pub profile: Vec<ProfileEdit>,
    /// Mechanisms by which the job uses the token that the platform makes for it.
    pub own_token: Vec<OwnTokenEdit>,
}

/// One mechanism by which the job uses the token that the platform makes for it, in place of a stored one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnTokenEdit {
    /// Runtime, as consumers name it.
    pub system: String,
    /// Target of the catalogue.
    pub mechanism: String,
    /// Issuer of the stored tokens it takes the place of.
    pub provider: String,
    /// How a stored token is named (`NAME` stands for its name), and what comes in its place.
    pub swap: Vec<(String, String)>,
    /// What changes on a line where a token did.
    pub beside: Vec<(String, String)>,
    /// The user that goes with the token.
    pub user: String,
    /// Variables that hold a user, each with that which holds its token.
    pub users: Vec<(String, String)>,
    /// Words of a job, and the permission of its token that they tell.
    pub scopes: Vec<(String, String)>,
    /// What else there is to do.
    pub notes: Vec<String>,
}

/// One mechanism in GitHub Actions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GithubEdit {
    /// Target of the catalogue.
    pub mechanism: String,
    /// Variables that go where they hold a secret.
    pub env: Vec<String>,
    /// Action that signs in.
    pub action: Option<String>,
    /// Inputs of it that go.
    pub drop: Vec<String>,
    /// Inputs of it that go because others come in their place.
    pub replace: Vec<String>,
    /// Inputs that come.
    pub put: Vec<String>,
    /// A step that signs in, for jobs without one; `put` follows it.
    pub step: Vec<String>,
    /// Indentation of `put` behind `step`.
    pub put_indent: String,
    /// Variables that tell the region.
    pub region: Vec<String>,
    /// Commands that go.
    pub shell: Vec<String>,
    /// The step that comes is named by a version that has to be pinned.
    pub pin: bool,
    /// Types of credentials whose place in a step is taken by what the step that signs in gives.
    pub kinds: Vec<String>,
    /// What it gives.
    pub swap: String,
    /// What else there is to do.
    pub notes: Vec<String>,
}

/// One mechanism in a system whose jobs are lists of commands.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScriptEdit {
    /// Runtime, as consumers name it.
    pub system: String,
    /// Target of the catalogue.
    pub mechanism: String,
    /// Variables that go.
    pub env: Vec<String>,
    /// Commands that go.
    pub shell: Vec<String>,
    /// Key of the job that asks for a token.
    pub declares: Option<String>,
    /// Lines of that key.
    pub declare: Vec<String>,
    /// Inputs of a prepared command that come in place of `env`.
    pub pipe: Vec<String>,
    /// Commands that come first.
    pub script: Vec<String>,
}

/// One mechanism of which the job names a profile of its agent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileEdit {
    /// Runtime, as consumers name it.
    pub system: String,
    /// Target of the catalogue.
    pub mechanism: String,
    /// Variables that go.
    pub env: Vec<String>,
    /// What stands between a name and its value.
    pub sign: char,
    /// The line that comes in their place.
    pub put: String,
    /// A step around others that binds the key to variables.
    #[serde(default)]
    pub binds: Option<Binds>,
    /// What else there is to do.
    pub notes: Vec<String>,
}

/// A step around others that binds secrets to variables, in brackets: `withCredentials([…]) {`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binds {
    /// Its name.
    pub step: String,
    /// Words by which a binding is one of the key, besides those that name the variables.
    pub by: Vec<String>,
    /// What comes in its place, where it binds nothing else.
    pub put: String,
}
