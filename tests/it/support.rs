//! What the integration tests share: the command in a clean environment, scripted repositories, secrets made at run time.

use assert_cmd::Command;
use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature, Time};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The time every test scan is made at.
pub(crate) const NOW: &str = "2026-11-01T00:00:00Z";

/// A place to work in, with a home of its own.
pub(crate) struct Workplace {
    folder: TempDir,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The program, with nothing of the caller's environment.
    pub(crate) fn overstay(&self) -> Command {
        let mut command = Command::cargo_bin("overstay").unwrap();
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .current_dir(self.folder.path());
        command
    }

    /// A scan of `paths` into `out`, at [`NOW`].
    pub(crate) fn scan(&self, paths: &[&Path], out: &str) -> Command {
        let mut command = self.overstay();
        command
            .arg("scan")
            .args(paths)
            .arg("--out")
            .arg(self.path(out))
            .args(["--now", NOW]);
        command
    }

    /// The report of `out`.
    pub(crate) fn report(&self, out: &str) -> Value {
        let text = fs::read(self.path(out).join("report.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// A file with its folders.
    pub(crate) fn write(&self, below: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A new repository.
    pub(crate) fn repository(&self, below: &str) -> TestRepository {
        let path = self.path(below);
        let repository = Repository::init_opts(
            &path,
            RepositoryInitOptions::new()
                .initial_head("main")
                .external_template(false),
        )
        .unwrap();
        TestRepository {
            path,
            repository,
            clock: 1_760_000_000,
        }
    }
}

/// A repository under construction; each commit is a day after the one before.
pub(crate) struct TestRepository {
    pub(crate) path: PathBuf,
    repository: Repository,
    clock: i64,
}

impl TestRepository {
    pub(crate) fn write(&self, below: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path.join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn remove(&self, below: &str) {
        fs::remove_file(self.path.join(below)).unwrap();
    }

    /// Commits everything; returns the commit's id.
    pub(crate) fn commit(&mut self, message: &str) -> String {
        self.clock += 86_400;
        let mut index = self.repository.index().unwrap();
        index.add_all(["*"], IndexAddOption::FORCE, None).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = self
            .repository
            .find_tree(index.write_tree().unwrap())
            .unwrap();
        let author =
            Signature::new("Ada Test", "ada@example.com", &Time::new(self.clock, 0)).unwrap();
        let parent = self
            .repository
            .head()
            .ok()
            .map(|head| head.peel_to_commit().unwrap());
        let parents: Vec<_> = parent.iter().collect();
        self.repository
            .commit(Some("HEAD"), &author, &author, message, &tree, &parents)
            .unwrap()
            .to_string()
    }
}

/// Characters that follow from a seed, so that no test file holds a token.
fn letters(seed: u64, alphabet: &[u8], length: usize) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..length)
        .map(|_| char::from(alphabet[(next() % alphabet.len() as u64) as usize]))
        .collect()
}

/// An AWS access key id; its first characters encode an account number that exists.
pub(crate) fn aws_key_id(seed: u64) -> String {
    format!(
        "AK{}{}",
        "IA",
        letters(seed, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
    )
}

/// An AWS secret access key.
pub(crate) fn aws_secret(seed: u64) -> String {
    letters(
        seed,
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        40,
    )
}

/// A password no scanner takes for a placeholder.
pub(crate) fn password(seed: u64) -> String {
    letters(
        seed,
        b"ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789",
        24,
    )
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
