//! What comes from the machine rather than from arguments: the environment, the clock, the default places of files.

use super::args::Global;
use super::exit::Failure;
use crate::rules::config::Config;
use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Name of the configuration file.
pub(super) const CONFIG_FILE: &str = "overstay.toml";

/// Name of the state folder beside a configuration file.
pub(super) const STATE_FOLDER: &str = ".overstay";

/// A non-empty environment variable.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the environment is read"
)]
pub(super) fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The time a run measures ages to: `--now`, else the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the clock is read"
)]
pub(super) fn now(given: Option<Timestamp>) -> Timestamp {
    given.unwrap_or_else(Timestamp::now)
}

/// Today, in the time zone of the world.
pub(super) fn today() -> jiff::civil::Date {
    now(None).to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The name of whoever runs the program, as the machine has it.
pub(super) fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(variable)
        .map_or_else(
            || "unknown".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
}

/// The time by the clock of the system, in seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "what files are stamped with can only be compared with the same clock"
)]
pub(super) fn clock() -> i64 {
    Timestamp::now().as_second()
}

/// Stands for this build of the program: what another one has read is read again.
pub(super) fn program() -> String {
    let built = std::env::current_exe()
        .and_then(std::fs::metadata)
        .map(|found| format!("{} {:?}", found.len(), found.modified().ok()));
    format!(
        "{} {}",
        env!("CARGO_PKG_VERSION"),
        built.unwrap_or_default()
    )
}

/// An XDG base folder: its variable if absolute, else the fallback below the home folder.
fn base_folder(name: &str, below_home: &str) -> Option<PathBuf> {
    variable(name)
        .filter(|path| path.is_absolute())
        .or_else(|| variable("HOME").map(|home| home.join(below_home)))
}

/// A configuration and where it came from.
#[derive(Debug, Default)]
pub(super) struct LoadedConfig {
    /// The configuration; all defaults when there is no file.
    pub config: Config,
    /// The file, if there is one.
    pub path: Option<PathBuf>,
}

impl LoadedConfig {
    /// Folder of the configuration file.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.path.as_deref().and_then(Path::parent)
    }
}

/// Reads the configuration: the file given, else `overstay.toml` in the current folder or one above it.
pub(super) fn configuration(given: Option<&Path>) -> Result<LoadedConfig, Failure> {
    let path = match given {
        Some(path) => Some(path.to_owned()),
        None => discover()?,
    };
    let Some(path) = path else {
        return Ok(LoadedConfig::default());
    };
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("reading the configuration {}", path.display()))
        .map_err(|error| {
            Failure::usage(
                error,
                "give an existing TOML file with --config, or leave the option out",
            )
        })?;
    let config = Config::parse(&text)
        .with_context(|| format!("the configuration {} is not valid", path.display()))
        .map_err(|error| {
            Failure::usage(
                error,
                "docs/configuration.md lists every key, docs/scoring.md those of scoring",
            )
        })?;
    Ok(LoadedConfig {
        config,
        path: Some(path),
    })
}

fn discover() -> Result<Option<PathBuf>, Failure> {
    let start = std::env::current_dir().context("finding the current folder")?;
    Ok(start
        .ancestors()
        .map(|folder| folder.join(CONFIG_FILE))
        .find(|path| path.is_file()))
}

/// The state folder: the one given, else `.overstay` beside the configuration file, else the user's state folder.
pub(super) fn state_folder(
    given: Option<&Path>,
    config: &LoadedConfig,
) -> Result<PathBuf, Failure> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    if let Some(folder) = config.folder() {
        return Ok(folder.join(STATE_FOLDER));
    }
    base_folder("XDG_STATE_HOME", ".local/state")
        .map(|base| base.join("overstay"))
        .ok_or_else(|| {
            Failure::usage(
                anyhow!("no place for the state folder: neither XDG_STATE_HOME nor HOME is set"),
                "name one with --state DIR",
            )
        })
}

/// Path of the decisions: the one given, else in the state folder.
pub(super) fn decisions_file(global: &Global, state: &Path) -> PathBuf {
    let given = global.decisions.clone();
    given.unwrap_or_else(|| state.join(crate::store::decisions::FILE))
}

/// Path of the fingerprint key: the one given, the configuration's, else the user's configuration folder.
pub(super) fn key_file(given: Option<&Path>, config: &LoadedConfig) -> Result<PathBuf, Failure> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    if let Some(path) = &config.config.fingerprint_key_file {
        return Ok(config
            .folder()
            .map_or_else(|| path.clone(), |folder| folder.join(path)));
    }
    base_folder("XDG_CONFIG_HOME", ".config")
        .map(|base| base.join("overstay/fingerprint.key"))
        .ok_or_else(|| {
            Failure::usage(
                anyhow!(
                    "no place for the fingerprint key: neither XDG_CONFIG_HOME nor HOME is set"
                ),
                "name one with --key-file FILE",
            )
        })
}
