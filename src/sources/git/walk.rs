//! The commits of a repository in topological order, and the distinct blobs their trees hold.

use super::ids::{Id, Ids, Shared, bytes};
use super::object::{self, EntryKind, commit_fields, entries, oid};
use super::open::{Lease, Repo};
use super::refs::{Tips, tips};
use super::report::{Fault, Trouble};
use crate::sources::limits::Limits;
use git2::{ObjectType, Oid};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Mutex, PoisonError};

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
    let read = Shared::default();
    let blobs_below = |roots: &[Oid]| blobs_below(repo, roots, &read, limits, trouble);
    history.wanted = match since {
        None => blobs_below(&history.roots(|_| true)),
        Some(since) => {
            let old = blobs_below(&graph.border(since));
            let mut new = blobs_below(&history.roots(|commit| commit.time >= since));
            new.retain(|id| old.binary_search(id).is_err());
            new
        }
    };
    history.wanted.extend(history.blobs.keys());
    history.wanted.sort_unstable();
    history.wanted.dedup();
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
        lease: &Lease<'_>,
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
        let mut position: BTreeMap<Id, Option<u32>> = BTreeMap::new();
        let mut pending: Vec<Oid> = tips.commits.iter().copied().collect();
        while let Some(id) = pending.pop() {
            if position.contains_key(&bytes(id)) {
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
                    position.insert(bytes(id), None);
                }
                Ok(mut fields) => {
                    position.insert(bytes(id), u32::try_from(graph.commits.len()).ok());
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
                    .filter_map(|id| position.get(&bytes(*id)).copied().flatten())
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

/// The blobs of every tree below `roots` that is not in `read` yet, sorted. Each tree is read once.
fn blobs_below(
    repo: &Repo,
    roots: &[Oid],
    read: &Shared<()>,
    limits: &Limits,
    trouble: &Trouble,
) -> Vec<Oid> {
    let idle: Mutex<Vec<Met>> = Mutex::default();
    roots.par_iter().with_min_len(32).for_each_init(
        || Worker::new(repo, &idle),
        |worker, root| {
            let Some(objects) = worker.lease.as_ref().and_then(Lease::objects) else {
                trouble.fault(*root, Fault::Corrupt);
                return;
            };
            let met = &mut worker.met;
            let mut pending = vec![bytes(*root)];
            while let Some(id) = pending.pop() {
                if !met.trees.insert(id) || !read.insert(id, ()) {
                    continue;
                }
                let tree = oid(&id);
                let found = match object::read(&objects, tree, limits.max_object_bytes) {
                    Ok(found) if found.kind() == ObjectType::Tree => found,
                    Ok(_) => {
                        trouble.fault(tree, Fault::Corrupt);
                        continue;
                    }
                    Err(fault) => {
                        trouble.fault(tree, fault);
                        continue;
                    }
                };
                let mut all = entries(found.data());
                for entry in all.by_ref() {
                    match entry.kind {
                        EntryKind::Tree => {
                            if !met.trees.contains(&entry.id) {
                                pending.push(entry.id);
                            }
                        }
                        EntryKind::File | EntryKind::Link => {
                            met.blobs.insert(entry.id);
                        }
                        EntryKind::Submodule => {}
                    }
                }
                if !all.intact() {
                    trouble.fault(tree, Fault::Corrupt);
                }
            }
        },
    );
    let mut blobs: Vec<Oid> = idle
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .flat_map(|met| met.blobs.iter().map(oid))
        .collect();
    blobs.sort_unstable();
    blobs.dedup();
    blobs
}

/// What one worker has met: most of what a tree holds was in the tree before it, and is found here without a lock.
#[derive(Default)]
struct Met {
    trees: Ids,
    blobs: Ids,
}

/// A worker with a handle and a memory of its own for as long as it runs.
struct Worker<'a> {
    lease: Option<Lease<'a>>,
    met: Met,
    idle: &'a Mutex<Vec<Met>>,
}

impl<'a> Worker<'a> {
    fn new(repo: &'a Repo, idle: &'a Mutex<Vec<Met>>) -> Self {
        let met = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self {
            lease: repo.lease().ok(),
            met: met.unwrap_or_default(),
            idle,
        }
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(std::mem::take(&mut self.met));
    }
}
