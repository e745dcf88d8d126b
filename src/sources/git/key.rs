//! A digest of everything in a repository that its history rests on: what its refs say, and which objects there are.

use super::open::Repo;
use std::fs::{self, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Largest file of which the content counts; of a larger one, its times and its length do.
const MAX_CONTENT: u64 = 64 << 20;

/// The digest. The same means: the same refs, reflogs, settings and objects, of which the loose ones are those that were
/// there when the repository was opened and that are read.
pub(in crate::sources) fn key(repo: &Repo) -> String {
    let mut state = State(blake3::Hasher::new());
    let common = &repo.common;
    for name in ["HEAD", "packed-refs", "shallow", "config", "info/grafts"] {
        state.content(name, &common.join(name));
    }
    state.below(common, "refs", State::content);
    state.below(common, "logs", State::stamp);
    let work_trees = sorted(&common.join("worktrees"));
    for work_tree in &work_trees {
        let name = work_tree.to_string_lossy();
        state.content(&name, &work_tree.join("HEAD"));
        state.below(work_tree, "logs", State::stamp);
    }
    for folder in repo.object_folders() {
        state.content("alternates", &folder.join("info/alternates"));
        for pack in sorted(&folder.join("pack")) {
            state.stamp(&pack.to_string_lossy(), &pack);
        }
        state.text(folder.as_os_str().as_encoded_bytes());
    }
    for object in repo.loose_objects() {
        state.text(object.as_bytes());
    }
    state.0.finalize().to_hex()[..32].to_owned()
}

struct State(blake3::Hasher);

impl State {
    fn text(&mut self, text: &[u8]) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text);
    }

    fn content(&mut self, name: &str, path: &Path) {
        let metadata = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata,
            _ => return,
        };
        if metadata.len() > MAX_CONTENT {
            return self.stamp(name, path);
        }
        self.text(name.as_bytes());
        let mut text = Vec::new();
        let read =
            fs::File::open(path).and_then(|file| file.take(MAX_CONTENT).read_to_end(&mut text));
        self.text(if read.is_ok() { &text } else { b"unreadable" });
    }

    fn stamp(&mut self, name: &str, path: &Path) {
        if let Ok(metadata) = fs::metadata(path) {
            self.text(name.as_bytes());
            self.text(&metadata.len().to_le_bytes());
            self.text(&times(&metadata));
        }
    }

    fn below(&mut self, folder: &Path, name: &str, add: fn(&mut Self, &str, &Path)) {
        let walk = walkdir::WalkDir::new(folder.join(name)).sort_by_file_name();
        for entry in walk.into_iter().flatten() {
            if !entry.file_type().is_dir() {
                let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
                add(self, &below.to_string_lossy(), entry.path());
            }
        }
    }
}

#[cfg(unix)]
fn times(metadata: &Metadata) -> Vec<u8> {
    use std::os::unix::fs::MetadataExt;
    let all = [
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
        metadata.ino().cast_signed(),
    ];
    all.iter().flat_map(|number| number.to_le_bytes()).collect()
}

#[cfg(not(unix))]
fn times(metadata: &Metadata) -> Vec<u8> {
    format!("{:?}", metadata.modified().ok()).into_bytes()
}

/// What is in a folder, by name.
fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::discover;
    use crate::sources::git::{Access, open};
    use crate::sources::testing::Place;

    #[test]
    fn whatever_changes_the_history_changes_the_key() {
        let place = Place::new();
        let repo = place.repo("w");
        let ids = repo.line(&[&[("a", "1")], &[("a", "2")]]);
        let now = || {
            let roots = discover(&[place.path("w")]).unwrap().roots;
            let Access::Open(repo) = open(&roots[0], false) else {
                panic!("it can be opened");
            };
            key(&repo)
        };
        let mut seen = vec![now()];
        assert_eq!(seen[0], now());
        let mut next = |what: &str| {
            let key = now();
            assert!(!seen.contains(&key), "{what}");
            seen.push(key);
        };
        repo.0
            .reference("refs/heads/old", ids[0], true, "x")
            .unwrap();
        next("a branch");
        repo.0
            .reference("refs/heads/main", ids[0], true, "x")
            .unwrap();
        next("a branch moved back");
        repo.blob("new");
        next("an object");
        repo.0.set_head("refs/heads/old").unwrap();
        next("HEAD");
        repo.0
            .find_reference("refs/heads/main")
            .unwrap()
            .delete()
            .unwrap();
        next("a branch less");
    }
}
