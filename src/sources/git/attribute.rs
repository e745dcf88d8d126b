//! Who brought a blob in, where, and until when it stayed.
//!
//! Every tree is reduced to what matters: the wanted blobs below it. Trees that hold the same wanted blobs under the
//! same names are one node, so almost all commits share the node of their root with their parents, and most trees are
//! the empty node. The nodes are then unfolded path by path, each carrying the states of the history it was part of.

use super::ids::{Id, Shared, Wanted, bytes};
use super::object::{self, EntryKind, Objects, entries, oid};
use super::open::{Lease, Repo};
use super::report::Trouble;
use super::states::{Runs, States};
use super::tell::{Teller, nameless};
use super::trails;
use super::walk::History;
use crate::model::Trail;
use crate::sources::limits::Limits;
use git2::{ObjectType, Oid};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// One path that held a blob, or one message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sources) struct Attribution {
    /// Path below the root, `/`-separated; for what has no path, what stands for one.
    pub(in crate::sources) path: Vec<u8>,
    /// The earliest commit, parents before children, that has the blob at this path.
    pub(in crate::sources) commit: Option<Oid>,
    /// Author of that commit.
    pub(in crate::sources) author: Option<String>,
    /// Committer time of that commit.
    pub(in crate::sources) first_seen: Option<i64>,
    /// Committer time of HEAD, or else of the latest commit that has it.
    pub(in crate::sources) last_seen: Option<i64>,
    /// HEAD has it at this path.
    pub(in crate::sources) at_head: bool,
    /// What else the history tells.
    pub(in crate::sources) trail: Trail,
}

/// Number of a node; 0 holds nothing.
pub(super) type Node = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Child {
    /// A wanted blob, by its position.
    Blob(u32),
    Tree(Node),
}

/// Name and target of everything wanted in a tree.
pub(super) type Children = Vec<(Box<[u8]>, Child)>;

/// The reduced trees. The numbers of the nodes depend on the timing of threads; nothing that leaves does.
#[derive(Default)]
struct Reduced {
    node_of: Shared<Node>,
    number: Mutex<BTreeMap<Children, Node>>,
}

impl Reduced {
    fn learn(&self, tree: Id, children: Children) {
        let node = if children.is_empty() {
            0
        } else {
            let mut number = self.number.lock().unwrap_or_else(PoisonError::into_inner);
            let next = number.len() as Node + 1;
            *number.entry(children).or_insert(next)
        };
        self.node_of.insert(tree, node);
    }

    /// The node of each tree, and what is in each node, by number.
    fn contents(self) -> (Shared<Node>, Vec<Children>) {
        let number = self
            .number
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut contents = vec![Children::new(); number.len() + 1];
        for (children, node) in number {
            contents[node as usize] = children;
        }
        (self.node_of, contents)
    }
}

/// Resolves every path that ever held one of `wanted` (sorted, distinct).
pub(in crate::sources) fn attribute(
    repo: &Repo,
    history: &History,
    wanted: &[Oid],
    limits: &Limits,
    trouble: &Trouble,
) -> BTreeMap<Oid, Vec<Attribution>> {
    let reduced = Reduced::default();
    let lookup = Wanted::new(wanted);
    let roots: Vec<Oid> = history
        .commits
        .iter()
        .rev()
        .map(|commit| commit.tree)
        .chain(history.trees.keys().copied())
        .collect();
    roots.par_iter().with_min_len(32).for_each_init(
        || repo.lease().ok(),
        |lease, &root| {
            if let Some(objects) = lease.as_ref().and_then(Lease::objects) {
                let reducer = Reducer {
                    objects: &objects,
                    wanted: &lookup,
                    limits,
                    reduced: &reduced,
                };
                reducer.reduce(bytes(root));
            }
        },
    );
    let (node_of, contents) = reduced.contents();
    let node = |tree: &Oid| node_of.get(&bytes(*tree)).unwrap_or(0);
    let states = States::number(
        history.commits.iter().map(|commit| node(&commit.tree)),
        history
            .trees
            .iter()
            .map(|(tree, name)| (node(tree), name.way)),
    );
    let found = states.unfold(&contents, wanted.len(), limits, trouble);
    drop(contents);
    let held: Vec<&Runs> = found.iter().flatten().map(|(_, runs)| runs).collect();
    let trails = trails::follow(history, &states, &held);
    let mut out = Teller::new(repo, history, limits, trouble).tell(wanted, &found, trails);
    for (id, name) in &history.blobs {
        if wanted.binary_search(id).is_ok() {
            out.entry(*id).or_insert_with(|| vec![nameless(*id, name)]);
        }
    }
    out
}

/// Reduces trees, each once.
struct Reducer<'a> {
    objects: &'a Objects<'a>,
    wanted: &'a Wanted,
    limits: &'a Limits,
    reduced: &'a Reduced,
}

/// A tree whose subtrees are being reduced.
struct Frame {
    tree: Id,
    /// What is in it that may matter.
    parts: Vec<(Box<[u8]>, Part)>,
    /// Next of `parts` to look at.
    next: usize,
}

enum Part {
    Blob(u32),
    Tree(Id),
}

impl Reducer<'_> {
    /// Reduces a tree and everything below it. An explicit stack: nesting is up to whoever wrote the repository.
    fn reduce(&self, root: Id) {
        if self.reduced.node_of.get(&root).is_some() {
            return;
        }
        // Ids on the stack. A tree inside itself can only come from an object stored under a false id.
        let mut open = BTreeSet::from([root]);
        let mut stack = vec![self.load(root)];
        while let Some(frame) = stack.last_mut() {
            let unknown = frame.parts[frame.next..]
                .iter()
                .position(|(_, part)| match part {
                    Part::Tree(tree) => {
                        self.reduced.node_of.get(tree).is_none() && !open.contains(tree)
                    }
                    Part::Blob(_) => false,
                })
                .map(|ahead| frame.next + ahead);
            if let Some(at) = unknown
                && let Some((_, Part::Tree(tree))) = frame.parts.get(at)
            {
                let tree = *tree;
                frame.next = at + 1;
                open.insert(tree);
                stack.push(self.load(tree));
            } else if let Some(frame) = stack.pop() {
                open.remove(&frame.tree);
                self.finish(frame);
            }
        }
    }

    /// What may matter of a tree. What cannot be read holds nothing; the walk before has reported it.
    fn load(&self, tree: Id) -> Frame {
        let mut parts = Vec::new();
        if let Ok(found) = object::read(self.objects, oid(&tree), self.limits.max_object_bytes)
            && found.kind() == ObjectType::Tree
        {
            for entry in entries(found.data()) {
                let part = match entry.kind {
                    // Most subtrees are known to hold nothing.
                    EntryKind::Tree => (self.reduced.node_of.get(&entry.id) != Some(0))
                        .then_some(Part::Tree(entry.id)),
                    EntryKind::File | EntryKind::Link => {
                        self.wanted.position(&entry.id).map(Part::Blob)
                    }
                    EntryKind::Submodule => None,
                };
                if let Some(part) = part {
                    parts.push((entry.name.into(), part));
                }
            }
        }
        Frame {
            tree,
            parts,
            next: 0,
        }
    }

    fn finish(&self, frame: Frame) {
        let mut children: Children = frame
            .parts
            .into_iter()
            .filter_map(|(name, part)| match part {
                Part::Blob(at) => Some((name, Child::Blob(at))),
                Part::Tree(tree) => match self.reduced.node_of.get(&tree) {
                    None | Some(0) => None,
                    Some(node) => Some((name, Child::Tree(node))),
                },
            })
            .collect();
        children.sort();
        self.reduced.learn(frame.tree, children);
    }
}
