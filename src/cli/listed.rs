//! `--repos-from`: paths in a file.

use super::args::Scan;
use super::exit::Failure;
use crate::model::{Coverage, CoverageStatus};
use anyhow::{Context as _, anyhow};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Largest list that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// What is to be scanned, and what was listed and is not there.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) paths: Vec<PathBuf>,
    pub(super) coverage: Vec<Coverage>,
}

/// The paths of the arguments and those of the list.
pub(super) fn paths(args: &Scan) -> Result<Listed, Failure> {
    let mut listed = Listed {
        paths: args.paths.clone(),
        coverage: Vec::new(),
    };
    let Some(file) = &args.many.repos_from else {
        return Ok(listed);
    };
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().take(LARGEST).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LARGEST).read_to_string(&mut text))
    };
    read.with_context(|| format!("reading the list of repositories {}", file.display()))
        .map_err(|error| Failure::usage(error, "name a text file with a path on each line"))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut any = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        any = true;
        let here = PathBuf::from(line);
        let path = if here.exists() {
            here
        } else {
            folder.join(line)
        };
        if path.exists() {
            listed.paths.push(path);
        } else {
            let name = path.file_name().map(|name| name.to_string_lossy());
            listed.coverage.push(Coverage::new(
                "files",
                name.map_or_else(|| "listed".to_owned(), std::borrow::Cow::into_owned),
                CoverageStatus::Failed,
                "it is in the list of --repos-from and does not exist: clone it, or take it out of the list",
            ));
        }
    }
    if !any && listed.paths.is_empty() {
        return Err(Failure::usage(
            anyhow!("{} names nothing to scan", file.display()),
            "write a path on each line",
        ));
    }
    Ok(listed)
}
