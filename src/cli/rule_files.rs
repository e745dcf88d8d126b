//! Rule files of a user's own.

use super::environment::LoadedConfig;
use super::exit::Failure;
use anyhow::{Context as _, anyhow};
use std::path::{Path, PathBuf};

/// The rule files that the command line and the configuration name, as name and text.
pub(super) fn own(
    given: &[PathBuf],
    config: &LoadedConfig,
) -> Result<Vec<(String, String)>, Failure> {
    let beside = |path: &PathBuf| {
        config
            .folder()
            .map_or_else(|| path.clone(), |folder| folder.join(path))
    };
    let configured = config.config.rules.files.iter().map(beside);
    let paths: Vec<PathBuf> = given.iter().cloned().chain(configured).collect();
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    read(&paths)
}

/// Every rule file named, or directly in a folder named, as name and text.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let hint = "name rule files (.toml) or folders of them";
    let mut files = Vec::new();
    for path in paths {
        let mut found = Vec::new();
        if path.is_dir() {
            let entries =
                std::fs::read_dir(path).with_context(|| format!("listing {}", path.display()));
            for entry in entries.map_err(|error| Failure::usage(error, hint))? {
                let entry = entry
                    .with_context(|| format!("listing {}", path.display()))?
                    .path();
                if entry
                    .extension()
                    .is_some_and(|extension| extension == "toml")
                {
                    found.push(entry);
                }
            }
            found.sort();
        } else {
            found.push(path.clone());
        }
        for file in found {
            files.push((
                file.display().to_string(),
                text(&file).map_err(|error| Failure::usage(error, hint))?,
            ));
        }
    }
    if files.is_empty() {
        return Err(Failure::usage(anyhow!("no rule files there"), hint));
    }
    Ok(files)
}

/// The text of one rule file.
pub(super) fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}
