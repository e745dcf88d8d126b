//! Scripted repositories for tests.

use super::{Everything, Located, NoProgress, ReadOptions, ReadOutcome, Root, discover, read};
use crate::model::{Medium, Reach};
use git2::{Commit, Oid, Repository, Signature, Time};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What the visitor of these tests looks for.
pub(super) const MARK: &str = "SECRET";

/// A temporary folder, removed at the end of the test.
pub(super) struct Place(TempDir);

impl Place {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        let root = fs::canonicalize(self.0.path()).unwrap();
        if below.is_empty() {
            root
        } else {
            root.join(below)
        }
    }

    pub(super) fn file(&self, below: &str, text: &str) -> PathBuf {
        let path = self.path(below);
        put(&path, text);
        path
    }

    pub(super) fn folder(&self, below: &str) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(&path).unwrap();
        path
    }

    pub(super) fn repo(&self, below: &str) -> Repo {
        Repo(Repository::init(self.folder(below)).unwrap())
    }
}

pub(super) fn put(path: &Path, text: &str) {
    put_bytes(path, text.as_bytes());
}

#[expect(clippy::disallowed_methods, reason = "test input, not an output")]
pub(super) fn put_bytes(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A repository with a scripted history.
pub(super) struct Repo(pub(super) Repository);

impl Repo {
    /// Commits a whole tree on `reference` at `time`, with the given parents; the work tree is left alone.
    pub(super) fn commit(
        &self,
        reference: &str,
        time: i64,
        parents: &[Oid],
        files: &[(&str, &str)],
    ) -> Oid {
        let tree = self.tree(files);
        let tree = self.0.find_tree(tree).unwrap();
        let who = Signature::new("Ada", "ada@example.com", &Time::new(time - 5, 0)).unwrap();
        let by = Signature::new("Bot", "bot@example.com", &Time::new(time, 0)).unwrap();
        let parents: Vec<Commit<'_>> = parents
            .iter()
            .map(|id| self.0.find_commit(*id).unwrap())
            .collect();
        let id = self
            .0
            .commit(
                None,
                &who,
                &by,
                "change",
                &tree,
                &parents.iter().collect::<Vec<_>>(),
            )
            .unwrap();
        self.0.reference(reference, id, true, "test").unwrap();
        id
    }

    /// One commit after another on main, then HEAD there and the last tree checked out.
    pub(super) fn line(&self, trees: &[&[(&str, &str)]]) -> Vec<Oid> {
        let mut ids: Vec<Oid> = Vec::new();
        for (at, files) in trees.iter().enumerate() {
            let parents: Vec<Oid> = ids.last().copied().into_iter().collect();
            ids.push(self.commit("refs/heads/main", 1_000 + at as i64 * 100, &parents, files));
        }
        self.check_out("refs/heads/main");
        ids
    }

    pub(super) fn check_out(&self, reference: &str) {
        self.0.set_head(reference).unwrap();
        if !self.0.is_bare() {
            self.0
                .checkout_head(Some(git2::build::CheckoutBuilder::new().force()))
                .unwrap();
        }
    }

    pub(super) fn blob(&self, text: &str) -> Oid {
        self.0.blob(text.as_bytes()).unwrap()
    }

    /// A tree of files at `/`-separated paths.
    pub(super) fn tree(&self, files: &[(&str, &str)]) -> Oid {
        let mut builder = self.0.treebuilder(None).unwrap();
        let mut folders: Vec<&str> = Vec::new();
        for (path, text) in files {
            if let Some((folder, _)) = path.split_once('/') {
                if !folders.contains(&folder) {
                    folders.push(folder);
                    let below: Vec<(&str, &str)> = files
                        .iter()
                        .filter_map(|(path, text)| {
                            Some((path.strip_prefix(folder)?.strip_prefix('/')?, *text))
                        })
                        .collect();
                    builder
                        .insert(folder, self.tree(&below), 0o040_000)
                        .unwrap();
                }
            } else {
                builder.insert(*path, self.blob(text), 0o100_644).unwrap();
            }
        }
        builder.write().unwrap()
    }

    pub(super) fn git_dir(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }
}

/// Reads everything below `paths` and keeps the lines that hold [`MARK`].
pub(super) fn scan_with(paths: &[PathBuf], options: &ReadOptions) -> ReadOutcome<String> {
    let roots = discover(paths).unwrap().roots;
    scan_roots(&roots, options)
}

pub(super) fn scan_roots(roots: &[Root], options: &ReadOptions) -> ReadOutcome<String> {
    read(roots, options, &NoProgress, &Everything, |document| {
        let text = String::from_utf8_lossy(document.bytes);
        text.lines()
            .find(|line| line.contains(MARK))
            .map(ToOwned::to_owned)
    })
}

pub(super) fn scan(paths: &[PathBuf]) -> ReadOutcome<String> {
    scan_with(paths, &ReadOptions::default())
}

/// One line per place: `value | repository/uri commit first..last head`, commits by their position in `known`.
pub(super) fn lines(items: &[Located<String>], known: &[Oid]) -> String {
    let time = |time: Option<jiff::Timestamp>| {
        time.map_or("-".to_owned(), |time| time.as_second().to_string())
    };
    let short = |id: &str| {
        let mut known = known.iter();
        let at = known.position(|known| known.to_string() == id);
        at.map_or("?".to_owned(), |at| format!("c{at}"))
    };
    let mut lines = Vec::new();
    for item in items {
        for place in &item.places {
            let commit = place.commit.as_deref().map_or("-".to_owned(), short);
            lines.push(format!(
                "{} | {}/{} {commit} {}..{}{}{}",
                item.value,
                place.repository,
                place.uri,
                time(place.first_seen),
                time(place.last_seen),
                if place.at_head { " head" } else { "" },
                story(place, &short),
            ));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// What else is said of a place: its medium, what leads to it unless that is the branch main alone, and its removal.
fn story(place: &super::Place, short: &impl Fn(&str) -> String) -> String {
    let trail = &place.trail;
    let mut out = String::new();
    if trail.medium != Medium::File {
        let _ = write!(out, " [{}]", trail.medium.as_str());
    }
    if let Some(commit) = &trail.removed_in {
        let at = trail.removed_at.unwrap().as_second();
        let _ = write!(out, " until {} {at}", short(commit));
    }
    if !trail.branches.is_empty() && !trail.branches.iter().eq(["main"]) {
        let _ = write!(out, " on {}", trail.branches.join("+"));
    }
    if let Some(reach) = trail.reached_by.filter(|reach| *reach != Reach::Branch) {
        let _ = write!(out, " by {}", reach.as_str());
    }
    out
}

/// One line per coverage entry.
pub(super) fn coverage(outcome: &ReadOutcome<String>) -> String {
    let lines: Vec<String> = outcome
        .coverage
        .iter()
        .map(|entry| {
            format!(
                "{} {} {}: {}",
                entry.source,
                entry.unit,
                entry.status.as_str(),
                entry.reason
            )
        })
        .collect();
    lines.join("\n")
}
