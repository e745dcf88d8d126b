//! The commits of a repository in topological order, and the distinct blobs their trees hold.

use super::ids::{Id, Ids, Shared, bytes};
use super::object::{self, EntryKind, commit_fields, entries, message, oid};
use super::open::{Lease, Repo};
use super::refs::{Name, Tips, Told, tips};
use super::report::{Fault, Trouble};
use super::unreachable::Stored;
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
    /// Positions of the parents of each commit.
    pub(super) parents: Vec<Vec<u32>>,
    /// Trees that refs point at directly, and those that nothing leads to.
    pub(super) trees: BTreeMap<Oid, Name>,
    /// Blobs that refs point at directly, and those that nothing leads to.
    pub(super) blobs: BTreeMap<Oid, Name>,
    /// Annotated tags.
    pub(super) tags: BTreeMap<Oid, Name>,
    /// Positions of the commits that something leads to directly, with every name for them.
    pub(super) tips: Vec<(u32, Name)>,
    /// Position of HEAD's commit.
    pub(super) head: Option<usize>,
    /// Full name of the branch HEAD stands on.
    pub(super) head_branch: Option<String>,
    /// Every distinct blob to read, sorted.
    pub(in crate::sources) wanted: Vec<Oid>,
}

impl History {
    /// Number of commits.
    pub(in crate::sources) fn commits(&self) -> u64 {
        self.commits.len() as u64
    }
}

/// Walks all refs. With `since`, only blobs that are not in the trees of earlier commits at the border are wanted; with
/// `unreachable`, also what nothing leads to. `told` is handed the message of every commit and annotated tag, and may be
/// handed messages of others in the same store.
pub(in crate::sources) fn walk(
    repo: &Repo,
    since: Option<i64>,
    unreachable: bool,
    limits: &Limits,
    trouble: &Trouble,
    told: Told<'_>,
) -> History {
    let Ok(lease) = repo.lease() else {
        trouble.note("the repository cannot be opened a second time: run the scan again");
        return History::default();
    };
    let cap = limits.max_object_bytes;
    let mut tips = tips(repo, &lease, cap, trouble, told);
    let mut graph = Graph::default();
    graph.load(repo, &lease, &tips, limits, trouble, told);
    let ordinary = graph.commits.len();
    let stored = unreachable.then(|| Stored::list(repo, &lease, trouble));
    // What nothing leads to may be half gone: git deletes it object by object.
    let quiet = Trouble::default();
    if let Some(stored) = &stored {
        stored.lost_tips(&mut tips, &lease, cap, &quiet, told, |id| {
            graph.position.contains_key(&bytes(id))
        });
        graph.load(repo, &lease, &tips, limits, &quiet, told);
    }
    let order = graph.topological();
    let mut history = graph.history(&order, tips);
    let read = Shared::default();
    let below = |roots: &[Oid], trouble| blobs_below(repo, roots, &read, limits, trouble);
    let led_to = |commit: &Commit| {
        let at = graph.at(commit.id);
        at.is_some_and(|at| (at as usize) < ordinary)
    };
    history.wanted = match since {
        None => below(&history.roots(led_to), trouble),
        Some(since) => {
            let old = below(&graph.border(since), trouble);
            let new = history.roots(|commit| led_to(commit) && commit.time >= since);
            let mut new = below(&new, trouble);
            new.retain(|id| old.binary_search(id).is_err());
            new
        }
    };
    if let (Some(stored), None) = (&stored, since) {
        let mut more = below(&history.roots(|_| true), &quiet);
        let trees = stored.lost_trees(&lease, cap, |id| read.get(&bytes(id)).is_some());
        more.extend(below(&trees, &quiet));
        more.retain(|id| stored.has_blob(*id));
        history.wanted.extend(more);
        history.wanted.sort_unstable();
        let blobs = stored.lost_blobs(&history.wanted);
        history.add_lost(trees, blobs);
    }
    drop(lease);
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

    /// Adds trees and blobs that nothing leads to.
    fn add_lost(&mut self, trees: Vec<Oid>, blobs: Vec<Oid>) {
        for (list, ids) in [(&mut self.trees, trees), (&mut self.blobs, blobs)] {
            for id in ids {
                list.entry(id).or_insert_with(Name::none);
            }
        }
    }
}

/// The commits as they were met, with their parents.
#[derive(Default)]
struct Graph {
    commits: Vec<Commit>,
    /// Parents as the commits name them.
    parents_of: Vec<Vec<Oid>>,
    /// Positions of the parents of each commit.
    parents: Vec<Vec<u32>>,
    /// Position of each commit; `None` for one that cannot be read.
    position: BTreeMap<Id, Option<u32>>,
}

impl Graph {
    /// Adds everything that the tips lead to.
    fn load(
        &mut self,
        repo: &Repo,
        lease: &Lease<'_>,
        tips: &Tips,
        limits: &Limits,
        trouble: &Trouble,
        told: Told<'_>,
    ) {
        let Some(objects) = lease.objects() else {
            return;
        };
        let mut pending: Vec<Oid> = tips.commits.keys().copied().collect();
        while let Some(id) = pending.pop() {
            if self.position.contains_key(&bytes(id)) {
                continue;
            }
            let fields = match object::read(&objects, id, limits.max_object_bytes) {
                Ok(found) if found.kind() == ObjectType::Commit => {
                    told(id, message(found.data()));
                    commit_fields(found.data()).ok_or(Fault::Corrupt)
                }
                Ok(_) => Err(Fault::Corrupt),
                Err(fault) => Err(fault),
            };
            match fields {
                Err(fault) => {
                    trouble.fault(id, fault);
                    self.position.insert(bytes(id), None);
                }
                Ok(mut fields) => {
                    self.position
                        .insert(bytes(id), u32::try_from(self.commits.len()).ok());
                    self.commits.push(Commit {
                        id,
                        tree: fields.tree,
                        time: fields.time,
                    });
                    if repo.shallow.contains(&id) {
                        fields.parents.clear();
                    }
                    pending.extend(&fields.parents);
                    self.parents_of.push(fields.parents);
                }
            }
        }
        self.parents = self
            .parents_of
            .iter()
            .map(|parents| parents.iter().filter_map(|id| self.at(*id)).collect())
            .collect();
    }

    fn at(&self, id: Oid) -> Option<u32> {
        self.position.get(&bytes(id)).copied().flatten()
    }

    /// The history in this order.
    fn history(&self, order: &[usize], tips: Tips) -> History {
        let mut place = vec![0_u32; order.len()];
        for (to, &from) in order.iter().enumerate() {
            place[from] = to as u32;
        }
        let at = |id: Oid| Some(place[self.at(id)? as usize]);
        let mut named: Vec<(u32, Name)> = tips
            .commits
            .iter()
            .filter_map(|(id, names)| Some((at(*id)?, names)))
            .flat_map(|(at, names)| names.iter().map(move |name| (at, name.clone())))
            .collect();
        named.sort();
        History {
            commits: order.iter().map(|&from| self.commits[from]).collect(),
            parents: order
                .iter()
                .map(|&from| {
                    let parents = self.parents[from].iter();
                    parents.map(|&parent| place[parent as usize]).collect()
                })
                .collect(),
            tips: named,
            head: tips.head.and_then(at).map(|at| at as usize),
            head_branch: tips.head_branch,
            trees: tips.trees,
            blobs: tips.blobs,
            tags: tips.tags,
            wanted: Vec::new(),
        }
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
