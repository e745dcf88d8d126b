//! Loads and validates the data in the top-level `rules/` folder, which is embedded in the binary.
//!
//! One submodule reads one kind of data. What a user may change comes from `overstay.toml` ([`config`]).

pub mod agent_code;
pub mod artefacts;
pub mod aws;
pub mod capabilities;
pub mod ci;
pub mod cloud_roles;
pub mod config;
pub mod credentials;
pub mod default_logins;
pub mod edits;
pub mod environments;
mod exceptions;
pub mod import;
pub mod inventory;
pub mod manifests;
mod pattern;
pub mod people;
pub mod posture;
pub mod renames;
pub mod routines;
pub mod scoring;
pub mod secret_stores;
pub mod targets;
pub mod workloads;

use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The embedded `rules/` folder, in which the build has written TOML as JSON.
static DATA: Dir<'static> = include_dir!("$OUT_DIR/rules");

/// Why rule data could not be used.
#[derive(Clone, Debug, Error)]
pub enum RuleError {
    /// A file the program needs is not in the embedded folder.
    #[error("rule data `{0}` is missing from this build")]
    Missing(String),
    /// A file does not have the shape its reader expects.
    #[error("rule data `{file}`: {reason}")]
    Invalid {
        /// Path below `rules/`.
        file: String,
        /// What is wrong, naming the entry.
        reason: String,
    },
}

impl RuleError {
    /// An invalid entry in `file`.
    pub fn invalid(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            file: file.into(),
            reason: reason.into(),
        }
    }
}

/// Text of one embedded file, by its path below `rules/`.
///
/// # Errors
/// When the file is not there or is not UTF-8.
pub fn text(path: &str) -> Result<&'static str, RuleError> {
    DATA.get_file(path)
        .and_then(|file| file.contents_utf8())
        .ok_or_else(|| RuleError::Missing(path.to_owned()))
}

/// One embedded file that is written in TOML, by its path below `rules/`.
///
/// # Errors
/// When the file is not there or does not have the shape asked for.
pub fn read<T: DeserializeOwned>(path: &str) -> Result<T, RuleError> {
    of(path, text(path)?)
}

/// What the text of a file says.
fn of<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, RuleError> {
    serde_json::from_str(text).map_err(|error| RuleError::invalid(path, error.to_string()))
}

/// All embedded files directly in one folder below `rules/`, which are written in TOML, sorted by path.
///
/// # Errors
/// When the folder is not there or a file in it does not have the shape asked for.
pub fn folder<T: DeserializeOwned>(path: &str) -> Result<Vec<(&'static str, T)>, RuleError> {
    let missing = || RuleError::Missing(path.to_owned());
    let dir = DATA.get_dir(path).ok_or_else(missing)?;
    let mut files = dir
        .files()
        .map(|file| Some((file.path().to_str()?, file.contents_utf8()?)))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(missing)?;
    files.sort_unstable();
    files
        .into_iter()
        .map(|(path, text)| Ok((path, of(path, text)?)))
        .collect()
}

/// Digest of every embedded rule file: two builds with the same digest judge alike.
pub fn digest() -> String {
    include_str!(concat!(env!("OUT_DIR"), "/rules.digest")).to_owned()
}
