//! Writes the invented organisation: git repositories with scripted history, an account snapshot, a configuration.

use super::fill::fill;
use crate::store::atomic;
use anyhow::{Context as _, Result, anyhow};
use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature, Time};
use include_dir::{Dir, include_dir};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The demo's source files.
static DEMO: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/demo");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Organisation {
    commit: Vec<Commit>,
}

/// One commit of the script.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Commit {
    repository: String,
    days_ago: i64,
    author: String,
    message: String,
    #[serde(default)]
    write: BTreeMap<String, String>,
    #[serde(default)]
    remove: Vec<String>,
}

/// Builds everything below `folder`.
pub(super) fn build(folder: &Path, now: Timestamp) -> Result<()> {
    let script: Organisation =
        toml::from_str(source("organisation.toml")?).context("reading the demo's script")?;
    let repositories = folder.join("organisation/repositories");
    for commit in &script.commit {
        commit_to(&repositories.join(&commit.repository), commit, now)
            .with_context(|| format!("making a commit in {}", commit.repository))?;
    }
    let aws = DEMO
        .get_dir("aws")
        .ok_or_else(|| anyhow!("the demo has no account"))?;
    for file in aws.files() {
        let name = file
            .path()
            .file_name()
            .ok_or_else(|| anyhow!("a file without a name"))?;
        let text = file
            .contents_utf8()
            .ok_or_else(|| anyhow!("the demo's account is not text"))?;
        atomic::write(
            &folder.join("organisation/aws").join(name),
            fill(text, now).as_bytes(),
        )?;
    }
    atomic::write(
        &folder.join("overstay.toml"),
        fill(source("overstay.toml")?, now).as_bytes(),
    )?;
    // The demo's secrets are invented and public, so its key may be as well: every demo has the same fingerprints.
    atomic::write(
        &folder.join("fingerprint.key"),
        format!("{}\n", "0d".repeat(32)).as_bytes(),
    )?;
    Ok(())
}

fn source(path: &str) -> Result<&'static str> {
    DEMO.get_file(path)
        .and_then(|file| file.contents_utf8())
        .ok_or_else(|| anyhow!("the demo has no file {path}"))
}

fn commit_to(folder: &Path, commit: &Commit, now: Timestamp) -> Result<()> {
    let repository = match Repository::open(folder) {
        Ok(repository) => repository,
        Err(_) => Repository::init_opts(
            folder,
            RepositoryInitOptions::new()
                .initial_head("main")
                .external_template(false),
        )?,
    };
    for (path, from) in &commit.write {
        let text = fill(source(&format!("files/{from}"))?, now);
        atomic::write(&folder.join(path), text.as_bytes())?;
    }
    for path in &commit.remove {
        std::fs::remove_file(folder.join(path))?;
    }
    let mut index = repository.index()?;
    index.add_all(["*"], IndexAddOption::FORCE, None)?;
    index.update_all(["*"], None)?;
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let (name, mail) = commit
        .author
        .split_once(" <")
        .ok_or_else(|| anyhow!("an author without a mail address"))?;
    let when = Time::new(now.as_second() - commit.days_ago * 86_400, 0);
    let author = Signature::new(name, mail.trim_end_matches('>'), &when)?;
    let parent = repository
        .head()
        .ok()
        .and_then(|head| head.peel_to_commit().ok());
    let parents: Vec<_> = parent.iter().collect();
    repository.commit(
        Some("HEAD"),
        &author,
        &author,
        &commit.message,
        &tree,
        &parents,
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_script_exists() {
        let script: Organisation = toml::from_str(source("organisation.toml").unwrap()).unwrap();
        for from in script
            .commit
            .iter()
            .flat_map(|commit| commit.write.values())
        {
            assert!(source(&format!("files/{from}")).is_ok(), "{from}");
        }
    }

    #[test]
    fn the_same_moment_builds_the_same_history() {
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        let head = |folder: &Path| {
            build(folder, now).unwrap();
            let repository =
                Repository::open(folder.join("organisation/repositories/payments-api")).unwrap();
            repository.head().unwrap().target().unwrap()
        };
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(head(one.path()), head(two.path()));
    }
}
