//! How texts say that credentials are replaced or taken back: `rules/manifests/routines.toml`.

use serde::Deserialize;

/// The words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routines {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    /// What is done to a credential, as the beginning of a word.
    pub verbs: Vec<String>,
    /// What it is done to.
    pub nouns: Vec<String>,
    /// What says that a person does it.
    pub by_hand: Vec<String>,
    /// What says that a machine does it.
    pub by_machine: Vec<String>,
    /// Before one of these, they say the opposite.
    pub not: Vec<String>,
    /// Endings of files that people write for people.
    pub texts: Vec<String>,
    /// Resources that have a machine rotate what they name.
    pub resources: Vec<String>,
    /// Commands and calls that make a new one.
    pub makes: Vec<String>,
    /// Commands and calls that end the old one.
    pub ends: Vec<String>,
    /// What runs without a person.
    pub schedules: Vec<String>,
}
