//! The commits of a repository in topological order, and the distinct blobs their trees hold.

use super::object::{self, EntryKind, commit_fields, entries};
use super::open::Repo;
use super::refs::{Tips, tips};
use super::report::{Fault, Trouble};
use super::tree::Seen;
use crate::sources::limits::Limits;
use git2::{ObjectType, Oid};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// One commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) id: Oid,
    pub(super) tree: Oid,
    /// Committer time, seconds since 1970.
    pub(super) time: i64,
}

/// The history of one repository.
#[derive(Debug, Default)]
pub(in crate::sources) struct History {
    /// Commits, parents before children; ties by time, then id.
    pub(super) commits: Vec<Commit>,
    /// Trees that refs point at directly.
    pub(super) trees: BTreeMap<Oid, String>,
    /// Blobs that refs point at directly.
    pub(super) blobs: BTreeMap<Oid, String>,
    /// Position of HEAD's commit.
    pub(super) head: Option<usize>,
    /// Every distinct blob to read, sorted.
    pub(in crate::sources) wanted: Vec<Oid>,
}

impl History {
    /// Number of commits.
    pub(in crate::sources) fn commits(&self) -> u64 {
        self.commits.len() as u64
    }

    /// Committer time of HEAD's commit.
    pub(super) fn head_time(&self) -> Option<i64> {
        Some(self.commits.get(self.head?)?.time)
    }
}

/// Walks all refs. With `since`, only blobs that are not in the trees of earlier commits at the border are wanted.
pub(in crate::sources) fn walk(
    repo: &Repo,
    since: Option<i64>,
    limits: &Limits,
    trouble: &Trouble,
) -> History {
    let Ok(lease) = repo.lease() else {
        trouble.note("the repository cannot be opened a second time: run the scan again");
        return History::default();
    };
    let tips = tips(repo, &lease, limits.max_object_bytes, trouble);
    let graph = Graph::load(repo, &lease, &tips, limits, trouble);
    drop(lease);
    let order = graph.topological();
    let mut history = History {
        head: tips
            .head
            .and_then(|head| order.iter().position(|&at| graph.commits[at].id == head)),
        commits: order.iter().map(|&at| graph.commits[at]).collect(),
        trees: tips.trees,
        blobs: tips.blobs,
        wanted: Vec::new(),
    };
    history.wanted = match since {
        None => {
            let seen = Seen::default();
            collect(repo, &history.roots(|_| true), &seen, limits, trouble);
            seen.blobs.insert_all(history.blobs.keys().copied());
            seen.blobs.into_sorted()
        }
        Some(since) => {
            let seen = Seen::default();
            collect(repo, &graph.border(since), &seen, limits, trouble);
            let old = seen.blobs.drain_sorted();
            collect(
                repo,
                &history.roots(|commit| commit.time >= since),
                &seen,
                limits,
                trouble,
            );
            seen.blobs.insert_all(history.blobs.keys().copied());
            let mut wanted = seen.blobs.into_sorted();
            wanted.retain(|id| old.binary_search(id).is_err());
            wanted
        }
    };
    history
}

impl History {
    /// The root trees of the commits that `choose` takes, newest first, and those that refs point at.
    fn roots(&self, choose: impl Fn(&Commit) -> bool) -> Vec<Oid> {
        self.commits
            .iter()
            .rev()
            .filter(|commit| choose(commit))
            .map(|commit| commit.tree)
            .chain(self.trees.keys().copied())
            .collect()
    }
}

/// The commits as they were met, with their parents.
struct Graph {
    commits: Vec<Commit>,
    /// Positions of the parents of each commit.
    parents: Vec<Vec<u32>>,
}

impl Graph {
    fn load(
        repo: &Repo,
        lease: &super::open::Lease<'_>,
        tips: &Tips,
        limits: &Limits,
        trouble: &Trouble,
    ) -> Self {
        let mut graph = Self {
            commits: Vec::new(),
            parents: Vec::new(),
        };
        let Some(objects) = lease.objects() else {
            return graph;
        };
        let mut parents_of: Vec<Vec<Oid>> = Vec::new();
        let mut position: BTreeMap<Oid, Option<u32>> = BTreeMap::new();
        let mut pending: Vec<Oid> = tips.commits.iter().copied().collect();
        while let Some(id) = pending.pop() {
            if position.contains_key(&id) {
                continue;
            }
            let fields = match object::read(&objects, id, limits.max_object_bytes) {
                Ok(found) if found.kind() == ObjectType::Commit => {
                    commit_fields(found.data()).ok_or(Fault::Corrupt)
                }
                Ok(_) => Err(Fault::Corrupt),
                Err(fault) => Err(fault),
            };
            match fields {
                Err(fault) => {
                    trouble.fault(id, fault);
                    position.insert(id, None);
                }
                Ok(mut fields) => {
                    position.insert(id, u32::try_from(graph.commits.len()).ok());
                    graph.commits.push(Commit {
                        id,
                        tree: fields.tree,
                        time: fields.time,
                    });
                    if repo.shallow.contains(&id) {
                        fields.parents.clear();
                    }
                    pending.extend(&fields.parents);
                    parents_of.push(fields.parents);
                }
            }
        }
        graph.parents = parents_of
            .iter()
            .map(|parents| {
                parents
                    .iter()
                    .filter_map(|id| position.get(id).copied().flatten())
                    .collect()
            })
            .collect();
        graph
    }

    /// Positions, parents before children; among those that are free to go, the earliest, then the smallest id.
    fn topological(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.parents.iter().map(Vec::len).collect();
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); self.commits.len()];
        for (child, parents) in self.parents.iter().enumerate() {
            for &parent in parents {
                children[parent as usize].push(child as u32);
            }
        }
        let key = |at: usize| Reverse((self.commits[at].time, self.commits[at].id, at));
        let mut ready: BinaryHeap<_> = (0..self.commits.len())
            .filter(|&at| waiting[at] == 0)
            .map(key)
            .collect();
        let mut order = Vec::with_capacity(self.commits.len());
        while let Some(Reverse((_, _, at))) = ready.pop() {
            order.push(at);
            for &child in &children[at] {
                let child = child as usize;
                waiting[child] -= 1;
                if waiting[child] == 0 {
                    ready.push(key(child));
                }
            }
        }
        order
    }

    /// The root trees of commits before `since` that have a child at or after it.
    fn border(&self, since: i64) -> Vec<Oid> {
        let mut trees: Vec<Oid> = self
            .parents
            .iter()
            .zip(&self.commits)
            .filter(|(_, commit)| commit.time >= since)
            .flat_map(|(parents, _)| parents)
            .map(|&parent| &self.commits[parent as usize])
            .filter(|parent| parent.time < since)
            .map(|parent| parent.tree)
            .collect();
        trees.sort_unstable();
        trees.dedup();
        trees
    }
}

/// Adds every tree below `roots` and every blob in them to `seen`, each tree read once.
fn collect(repo: &Repo, roots: &[Oid], seen: &Seen, limits: &Limits, trouble: &Trouble) {
    roots.par_iter().with_min_len(32).for_each_init(
        || repo.lease().ok(),
        |lease, &root| {
            let Some(objects) = lease.as_ref().and_then(super::open::Lease::objects) else {
                trouble.fault(root, Fault::Corrupt);
                return;
            };
            let mut pending = vec![root];
            while let Some(id) = pending.pop() {
                if !seen.trees.insert(id) {
                    continue;
                }
                let found = match object::read(&objects, id, limits.max_object_bytes) {
                    Ok(found) if found.kind() == ObjectType::Tree => found,
                    Ok(_) => {
                        trouble.fault(id, Fault::Corrupt);
                        continue;
                    }
                    Err(fault) => {
                        trouble.fault(id, fault);
                        continue;
                    }
                };
                let mut all = entries(found.data());
                for entry in all.by_ref() {
                    match entry.kind {
                        EntryKind::Tree => pending.push(entry.id),
                        EntryKind::File | EntryKind::Link => {
                            seen.blobs.insert(entry.id);
                        }
                        EntryKind::Submodule => {}
                    }
                }
                if !all.intact() {
                    trouble.fault(id, Fault::Corrupt);
                }
            }
        },
    );
}
