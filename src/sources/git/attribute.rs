//! Who brought a blob in, where, and until when it stayed.
//!
//! Every tree is reduced to what matters: the wanted blobs below it. Trees that hold the same wanted blobs under the
//! same names are one node, so almost all commits share the node of their root with their parents, and most trees are
//! the empty node. The nodes are then unfolded path by path, each carrying the span of commits it was part of.

use super::ids::{Id, Shared, Wanted, bytes};
use super::object::{self, EntryKind, Objects, author, entries, oid};
use super::open::{Lease, Repo};
use super::report::Trouble;
use super::walk::History;
use crate::sources::limits::Limits;
use git2::{ObjectType, Oid};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// One path that held a blob.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sources) struct Attribution {
    /// Path below the root, `/`-separated; the name of the ref for a blob that no tree holds.
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
}

/// Number of a node; 0 holds nothing.
type Node = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Child {
    /// A wanted blob, by its position.
    Blob(u32),
    Tree(Node),
}

/// Name and target of everything wanted in a tree.
type Children = Vec<(Box<[u8]>, Child)>;

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

/// The commits that something was part of.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// Position of the earliest commit; `None` when only a ref to a tree holds it.
    first: Option<u32>,
    /// Time of the latest.
    last: Option<i64>,
    at_head: bool,
}

impl Span {
    fn join(&mut self, other: &Self) {
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
        self.at_head |= other.at_head;
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
    let found = unfold(
        root_spans(history, &node_of),
        &contents,
        wanted.len(),
        limits,
        trouble,
    );
    let mut out = resolve(repo, history, wanted, found, limits, trouble);
    for (id, name) in &history.blobs {
        if wanted.binary_search(id).is_ok() {
            out.entry(*id).or_insert_with(|| {
                vec![Attribution {
                    path: name.as_bytes().to_vec(),
                    commit: None,
                    author: None,
                    first_seen: None,
                    last_seen: None,
                    at_head: false,
                }]
            });
        }
    }
    out
}

/// The span of each root node.
fn root_spans(history: &History, node_of: &Shared<Node>) -> BTreeMap<Node, Span> {
    let mut spans: BTreeMap<Node, Span> = BTreeMap::new();
    let mut add = |tree: &Oid, span: Span| {
        let node = node_of.get(&bytes(*tree)).unwrap_or(0);
        if node != 0 {
            spans
                .entry(node)
                .and_modify(|known| known.join(&span))
                .or_insert(span);
        }
    };
    for (position, commit) in history.commits.iter().enumerate() {
        add(
            &commit.tree,
            Span {
                first: u32::try_from(position).ok(),
                last: Some(commit.time),
                at_head: history.head == Some(position),
            },
        );
    }
    for tree in history.trees.keys() {
        add(
            tree,
            Span {
                first: None,
                last: None,
                at_head: false,
            },
        );
    }
    spans
}

/// Unfolds the nodes path by path: for each wanted blob, its paths with their spans.
fn unfold(
    roots: BTreeMap<Node, Span>,
    contents: &[Children],
    wanted: usize,
    limits: &Limits,
    trouble: &Trouble,
) -> Vec<Vec<(Vec<u8>, Span)>> {
    let mut found: Vec<Vec<(Vec<u8>, Span)>> = vec![Vec::new(); wanted];
    let mut pending: Vec<(Vec<u8>, BTreeMap<Node, Span>)> = vec![(Vec::new(), roots)];
    let mut paths = 0_usize;
    let mut dropped = 0_u64;
    while let Some((prefix, versions)) = pending.pop() {
        let mut below: BTreeMap<&[u8], BTreeMap<Child, Span>> = BTreeMap::new();
        for (node, span) in &versions {
            for (name, child) in &contents[*node as usize] {
                below
                    .entry(name)
                    .or_default()
                    .entry(*child)
                    .and_modify(|known| known.join(span))
                    .or_insert(*span);
            }
        }
        // Taken from the end: reversed, so that paths come in their order and a cap cuts the last ones.
        for (name, children) in below.into_iter().rev() {
            let mut path = prefix.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            let mut trees = BTreeMap::new();
            for (child, span) in children {
                match child {
                    Child::Tree(node) => {
                        trees.insert(node, span);
                    }
                    Child::Blob(at) => {
                        let places = &mut found[at as usize];
                        if places.len() < limits.max_places {
                            places.push((path.clone(), span));
                        } else {
                            dropped += 1;
                        }
                    }
                }
            }
            if !trees.is_empty() {
                paths += 1;
                if paths > limits.max_paths {
                    dropped += 1;
                } else {
                    pending.push((path, trees));
                }
            }
        }
    }
    if dropped > 0 {
        trouble.too_many(dropped);
    }
    found
}

/// Adds commit ids and authors.
fn resolve(
    repo: &Repo,
    history: &History,
    wanted: &[Oid],
    found: Vec<Vec<(Vec<u8>, Span)>>,
    limits: &Limits,
    trouble: &Trouble,
) -> BTreeMap<Oid, Vec<Attribution>> {
    let lease = repo.lease().ok();
    let objects = lease.as_ref().and_then(Lease::objects);
    let mut authors: BTreeMap<u32, Option<String>> = BTreeMap::new();
    let mut author_of = |position: u32, id: Oid| {
        authors
            .entry(position)
            .or_insert_with(|| {
                let objects = objects.as_ref()?;
                match object::read(objects, id, limits.max_object_bytes) {
                    Ok(found) => author(found.data()),
                    Err(fault) => {
                        trouble.fault(id, fault);
                        None
                    }
                }
            })
            .clone()
    };
    let mut out = BTreeMap::new();
    for (id, places) in wanted.iter().zip(found) {
        if places.is_empty() {
            continue;
        }
        let mut attributions: Vec<Attribution> = places
            .into_iter()
            .map(|(path, span)| {
                let first = span
                    .first
                    .and_then(|at| Some((at, history.commits.get(at as usize)?)));
                Attribution {
                    path,
                    commit: first.map(|(_, commit)| commit.id),
                    author: first.and_then(|(at, commit)| author_of(at, commit.id)),
                    first_seen: first.map(|(_, commit)| commit.time),
                    // Clocks differ: a later commit can carry an earlier time.
                    last_seen: first.map(|(_, commit)| commit.time).max(if span.at_head {
                        history.head_time()
                    } else {
                        span.last
                    }),
                    at_head: span.at_head,
                }
            })
            .collect();
        attributions.sort();
        out.insert(*id, attributions);
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
