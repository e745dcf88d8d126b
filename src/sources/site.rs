//! Roots with their repositories, and the object stores they share.

use super::ReadOptions;
use super::discover::{Root, RootKind};
use super::folders::Batch;
use super::git::{self, Access, HeadFile, Repo, Trouble, WorkTreeIndex};
use super::place::os_of;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A root with its opened repository.
pub(super) struct Site<'a> {
    pub(super) root: &'a Root,
    pub(super) access: Access,
    pub(super) trouble: Trouble,
}

/// What there is to read of a root as it is today.
pub(super) enum Work<'a> {
    Files(WorkTreeIndex),
    Head(&'a Repo, Vec<HeadFile>),
    /// A bare repository that is as it was.
    Same(&'a Repo),
}

impl<'a> Site<'a> {
    pub(super) fn open(root: &'a Root, options: &ReadOptions) -> Self {
        let needed = options.history || root.kind == RootKind::Bare;
        let access = if needed {
            git::open(root, options.trust_repo_owner)
        } else {
            Access::None
        };
        Self {
            root,
            access,
            trouble: Trouble::default(),
        }
    }

    pub(super) fn repo(&self) -> Option<&Repo> {
        match &self.access {
            Access::Open(repo) => Some(repo),
            Access::None | Access::Refused(_) => None,
        }
    }

    /// Where the files of a batch stand on the disk.
    pub(super) fn folder_of(&self, batch: &Batch) -> PathBuf {
        let mut folder = self.root.path.clone();
        if self.root.kind == RootKind::File {
            folder.pop();
        }
        let parts = batch.folder().split(|byte| *byte == b'/');
        folder.extend(parts.filter(|part| !part.is_empty()).map(os_of));
        folder
    }

    /// Lets go of handles that the next stage of another root needs more.
    pub(super) fn rest(&self) {
        if let Some(repo) = self.repo() {
            repo.rest();
        }
    }

    /// A digest of the repository's state, of a bare one.
    pub(super) fn key(&self) -> String {
        match self.repo() {
            Some(repo) if self.root.kind == RootKind::Bare => git::key(repo),
            _ => String::new(),
        }
    }

    /// What is to be read; `known` is the state in which everything current was read before.
    pub(super) fn plan(&self, options: &ReadOptions, key: &str, known: &str) -> Work<'_> {
        let work = match self.repo() {
            Some(repo) if !key.is_empty() && key == known => Work::Same(repo),
            Some(repo) if self.root.kind == RootKind::Bare => {
                Work::Head(repo, git::head_files(repo, &options.limits, &self.trouble))
            }
            Some(repo) => Work::Files(WorkTreeIndex::load(repo, &self.trouble)),
            None => Work::Files(WorkTreeIndex::default()),
        };
        self.rest();
        work
    }
}

/// One object store, with the root that stands for it: of several work trees of one repository, the one it lives in.
pub(super) struct Store<'a> {
    pub(super) name: &'a str,
    pub(super) repo: &'a Repo,
    /// What went wrong with its history.
    pub(super) trouble: Trouble,
}

impl<'a> Store<'a> {
    /// The stores of all roots, in their order.
    pub(super) fn group(sites: &'a [Site<'a>]) -> Vec<Self> {
        let mut by_place: BTreeMap<&PathBuf, usize> = BTreeMap::new();
        for (index, site) in sites.iter().enumerate() {
            if let Some(repo) = site.repo() {
                let standing = by_place.entry(&repo.common).or_insert(index);
                if repo.main {
                    *standing = index;
                }
            }
        }
        let chosen: BTreeSet<usize> = by_place.into_values().collect();
        chosen
            .into_iter()
            .filter_map(|index| {
                let site = &sites[index];
                Some(Self {
                    name: &site.root.name,
                    repo: site.repo()?,
                    trouble: Trouble::default(),
                })
            })
            .collect()
    }
}
