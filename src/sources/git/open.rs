//! Opening a repository, or saying why not.

use super::loose::Loose;
use super::object::Objects;
use super::owner::open_repository;
use super::pack::{Packs, bytes_of_indexes};
use crate::model::CoverageStatus;
use crate::sources::discover::{Root, RootKind};
use git2::{ErrorClass, ErrorCode, Oid, Repository};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A repository that can be read.
pub(in crate::sources) struct Repo {
    location: PathBuf,
    bare: bool,
    trust_owner: bool,
    /// Where objects and refs are: the same for all work trees of one repository.
    pub(in crate::sources) common: PathBuf,
    /// This root holds the objects itself rather than linking to them.
    pub(in crate::sources) main: bool,
    /// Objects were left out when it was cloned.
    pub(in crate::sources) partial: bool,
    /// Commits whose parents were left out when it was cloned.
    pub(in crate::sources) shallow: BTreeSet<Oid>,
    /// Its loose objects.
    loose: Loose,
    /// Its packs, once somebody asked for them.
    packs: Mutex<Option<Arc<Packs>>>,
    /// Handles not in use. Opening one costs far more than reading an object.
    idle: Mutex<Vec<Repository>>,
}

/// Why the git part of a root is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sources) struct Refusal {
    pub(in crate::sources) status: CoverageStatus,
    pub(in crate::sources) reason: String,
}

/// What opening a root's repository gave.
pub(in crate::sources) enum Access {
    /// Not a repository.
    None,
    /// Readable.
    Open(Box<Repo>),
    /// A repository that cannot be read.
    Refused(Refusal),
}

/// A handle borrowed from its repository.
pub(super) struct Lease<'a> {
    repo: &'a Repo,
    handle: Option<Repository>,
}

impl Repo {
    /// A handle of one's own for as long as it is held.
    pub(super) fn lease(&self) -> Result<Lease<'_>, git2::Error> {
        let idle = self.idle().pop();
        let handle = match idle {
            Some(handle) => handle,
            None => open_repository(&self.location, self.bare, self.trust_owner)?,
        };
        Ok(Lease {
            repo: self,
            handle: Some(handle),
        })
    }

    /// The packs it has and borrows.
    pub(super) fn packs(&self) -> Arc<Packs> {
        let mut packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        let packs = packs.get_or_insert_with(|| Arc::new(Packs::open(self.loose.folders())));
        Arc::clone(packs)
    }

    /// Whether the packs are open.
    pub(super) fn holds_packs(&self) -> bool {
        let packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        packs.is_some()
    }

    /// Where its objects are: its own folder, and those it borrows from.
    pub(super) fn object_folders(&self) -> &[PathBuf] {
        self.loose.folders()
    }

    /// The loose objects there, in order.
    pub(super) fn loose_objects(&self) -> impl Iterator<Item = &Oid> {
        self.loose.ids()
    }

    /// Lets go of the packs until somebody asks for them again.
    pub(in crate::sources) fn close_packs(&self) {
        *self.packs.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A measure of how many objects are packed.
    pub(in crate::sources) fn bytes_of_indexes(&self) -> u64 {
        bytes_of_indexes(self.loose.folders())
    }

    /// Closes the handles that are not in use, and the packs they hold open.
    pub(in crate::sources) fn rest(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Repository>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            self.repo.idle().push(handle);
        }
    }
}

impl Lease<'_> {
    /// The handle.
    pub(super) fn repository(&self) -> Option<&Repository> {
        self.handle.as_ref()
    }

    /// The object store.
    pub(super) fn objects(&self) -> Option<Objects<'_>> {
        let odb = self.handle.as_ref()?.odb().ok()?;
        Some(Objects {
            odb,
            loose: &self.repo.loose,
            packs: self.repo.packs(),
        })
    }
}

/// Opens the repository of a root.
pub(in crate::sources) fn open(root: &Root, trust_owner: bool) -> Access {
    let bare = match root.kind {
        RootKind::Folder | RootKind::File => return Access::None,
        RootKind::WorkTree => false,
        RootKind::Bare => true,
    };
    match try_open(root, bare, trust_owner) {
        Ok(repo) => Access::Open(Box::new(repo)),
        Err(mut refusal) => {
            let rest = if bare {
                "nothing of this repository was read"
            } else {
                "history was not read; the work tree was"
            };
            refusal.reason = format!("{}; {rest}", refusal.reason);
            Access::Refused(refusal)
        }
    }
}

fn try_open(root: &Root, bare: bool, trust_owner: bool) -> Result<Repo, Refusal> {
    let git_dir = if bare {
        root.path.clone()
    } else {
        git_dir_of(&root.path).ok_or_else(|| {
            failed(
                "the .git file does not lead to a repository: run `git worktree repair` or `git submodule update \
                 --init`, or scan a complete clone",
            )
        })?
    };
    let common = common_dir_of(&git_dir);
    let partial = formats(&common)?;
    let handle = open_repository(&root.path, bare, trust_owner).map_err(|error| refusal(&error))?;
    let shallow = shallow_commits(&common);
    Ok(Repo {
        location: root.path.clone(),
        bare,
        trust_owner,
        main: common == git_dir,
        loose: Loose::list(&common.join("objects")),
        packs: Mutex::default(),
        common,
        partial,
        shallow,
        idle: Mutex::new(vec![handle]),
    })
}

/// Where the objects of a root's repository are.
pub(in crate::sources) fn common_dir(root: &Root) -> Option<PathBuf> {
    match root.kind {
        RootKind::Folder | RootKind::File => None,
        RootKind::WorkTree => git_dir_of(&root.path).map(|found| common_dir_of(&found)),
        RootKind::Bare => Some(root.path.clone()),
    }
}

/// The host and path that a repository was cloned from, however that was written and by whom.
pub(in crate::sources) fn origin(common: &Path) -> Option<String> {
    let path = common.join("config");
    let config = path.is_file().then(|| git2::Config::open(&path).ok())??;
    let url = config.get_string("remote.origin.url").ok()?;
    // `scheme://user:word@host:port/path`, or ssh's short form `user@host:path`.
    let (authority, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        None => url.split_once(':')?,
    };
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = host.split(':').next().unwrap_or(host).to_lowercase();
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then(|| format!("{host}/{path}"))
}

/// The default branch of where a repository was cloned from: what the clone noted of it, else its own if that is a usual one.
pub(in crate::sources) fn default_branch(common: &Path) -> Option<String> {
    let reference = |path: &str, prefix: &str| {
        let path = common.join(path);
        let small = path.metadata().is_ok_and(|file| file.len() <= 1024);
        let text = small.then(|| fs::read_to_string(path).ok())??;
        let branch = text
            .strip_prefix("ref: ")?
            .trim_end()
            .strip_prefix(prefix)?;
        (!branch.is_empty()).then(|| branch.to_owned())
    };
    reference("refs/remotes/origin/HEAD", "refs/remotes/origin/").or_else(|| {
        reference("HEAD", "refs/heads/")
            .filter(|branch| matches!(branch.as_str(), "main" | "master" | "trunk" | "develop"))
    })
}

fn failed(reason: &str) -> Refusal {
    Refusal {
        status: CoverageStatus::Failed,
        reason: reason.to_owned(),
    }
}

fn unsupported(reason: &str) -> Refusal {
    Refusal {
        status: CoverageStatus::Unsupported,
        reason: reason.to_owned(),
    }
}

/// Words for an error of opening. Never libgit2's own, which quote what they could not parse.
fn refusal(error: &git2::Error) -> Refusal {
    match (error.code(), error.class()) {
        (ErrorCode::Owner, _) => failed(
            "the repository belongs to another user: run the scan as that user, or pass --trust-repo-owner",
        ),
        (_, ErrorClass::Config) => failed(
            "the repository's configuration cannot be parsed: `git config --list` in it shows where",
        ),
        (_, ErrorClass::Repository) if error.message().starts_with("unsupported") => unsupported(
            "the repository uses a format extension this version does not know: scan a plain clone of it",
        ),
        (ErrorCode::NotFound, _) => failed(
            "it looks like a repository and is not a complete one: run `git fsck`, or scan a fresh clone",
        ),
        _ => failed("the repository cannot be opened: run `git fsck`, or scan a fresh clone"),
    }
}

/// Reads what the configuration says of the format before libgit2 refuses it in other words. Returns whether the clone
/// is partial.
fn formats(common: &Path) -> Result<bool, Refusal> {
    let path = common.join("config");
    if !path.is_file() {
        return Ok(false);
    }
    let Ok(config) = git2::Config::open(&path) else {
        // Opening the repository meets the same error.
        return Ok(false);
    };
    if config
        .get_string("extensions.objectformat")
        .is_ok_and(|format| !format.eq_ignore_ascii_case("sha1"))
    {
        return Err(unsupported(
            "its object format is SHA-256, which this version cannot read: scan a clone in the SHA-1 format if there is \
             one",
        ));
    }
    if config
        .get_string("extensions.refstorage")
        .is_ok_and(|format| !format.eq_ignore_ascii_case("files"))
    {
        return Err(unsupported(
            "it keeps its refs as a reftable, which this version cannot read: run `git refs migrate --ref-format=files` \
             in a copy and scan that",
        ));
    }
    let mut partial = config.get_string("extensions.partialclone").is_ok();
    if let Ok(entries) = config.entries(Some("remote\\..*\\.(promisor|partialclonefilter)")) {
        let _ = entries.for_each(|_| partial = true);
    }
    Ok(partial)
}

/// The git folder of a work tree: `.git` itself, or where the `.git` file leads.
fn git_dir_of(work_tree: &Path) -> Option<PathBuf> {
    let dot_git = work_tree.join(".git");
    if dot_git.is_dir() {
        return fs::canonicalize(dot_git).ok();
    }
    let text = small_file(&dot_git)?;
    let target = text.strip_prefix("gitdir:")?.trim();
    let found = fs::canonicalize(work_tree.join(target)).ok()?;
    found.is_dir().then_some(found)
}

/// Where the objects are: linked work trees name it in `commondir`.
fn common_dir_of(git_dir: &Path) -> PathBuf {
    small_file(&git_dir.join("commondir"))
        .and_then(|text| fs::canonicalize(git_dir.join(text.trim())).ok())
        .unwrap_or_else(|| git_dir.to_path_buf())
}

/// The text of a file of at most 4 KiB.
pub(super) fn small_file(path: &Path) -> Option<String> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    File::open(path)
        .ok()?
        .take(4096)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

/// The commits at which a shallow clone ends. At most a million are read.
fn shallow_commits(common: &Path) -> BTreeSet<Oid> {
    let mut text = String::new();
    if let Ok(file) = File::open(common.join("shallow")) {
        let _ = file.take(41 << 20).read_to_string(&mut text);
    }
    text.lines()
        .filter_map(|line| Oid::from_str(line.trim()).ok())
        .collect()
}
