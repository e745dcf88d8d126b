//! Every tree of a history reduced to what matters: the wanted blobs below it.
//!
//! Trees that hold the same wanted blobs under the same names are one node, so almost all commits share the node of their
//! root with their parents, and most trees are the empty node. A tree that is noted as a change of another in which
//! nothing wanted changed is that other; only the few that remain are looked at.

use super::census::Edge;
use super::graph::Graph;
use super::pack::{Bits, NONE};
use std::collections::{BTreeMap, BTreeSet};

/// Number of a node; 0 holds nothing.
pub(super) type Node = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Child {
    /// A wanted blob, by its position.
    Blob(u32),
    Tree(Node),
}

/// Name and target of everything wanted in a tree; names by number.
pub(super) type Children = Vec<(u32, Child)>;

/// The reduced trees.
pub(super) struct Reduced<'a> {
    graph: &'a Graph,
    /// Wanted blobs and the trees that lead to one.
    marked: Bits,
    /// Number and position of each wanted blob, by number.
    positions: Vec<(u32, u32)>,
    /// Of each noted tree, the place of its base, or `NONE`.
    bases: Vec<u32>,
    /// Of each noted tree, the first tree of its chain from which on nothing wanted changed.
    same: Vec<u32>,
    /// Of those, which of the lists has the entries that lead to a wanted blob; `NONE` where that is not known yet.
    entries: Vec<u32>,
    lists: Vec<Box<[Edge]>>,
    /// Their nodes, `NONE` as well.
    nodes: Vec<Node>,
    numbers: BTreeMap<Children, Node>,
}

impl<'a> Reduced<'a> {
    /// Prepares for these blobs: numbers with their positions.
    pub(super) fn new(graph: &'a Graph, mut wanted: Vec<(u32, u32)>) -> Self {
        wanted.sort_unstable();
        let bases = graph.bases();
        let marked = marked(graph, &bases, wanted.iter().map(|(number, _)| *number));
        Self {
            same: same(graph, &bases, &marked),
            marked,
            positions: wanted,
            entries: vec![NONE; bases.len()],
            lists: Vec::new(),
            nodes: vec![NONE; bases.len()],
            bases,
            numbers: BTreeMap::new(),
            graph,
        }
    }

    /// What is in each node, by number.
    pub(super) fn contents(self) -> Vec<Children> {
        let mut contents = vec![Children::new(); self.numbers.len() + 1];
        for (children, node) in self.numbers {
            contents[node as usize] = children;
        }
        contents
    }

    /// The node of a tree. An explicit stack: nesting is up to whoever wrote the repository.
    pub(super) fn node(&mut self, tree: u32) -> Node {
        let Some(root) = self.place(tree) else {
            return 0;
        };
        if let Some(node) = self.known(root) {
            return node;
        }
        // Trees on the stack. One inside itself can only come from an object stored under a false id.
        let mut open = BTreeSet::from([root]);
        let mut stack = vec![(root, 0_usize)];
        while let Some((at, next)) = stack.last_mut() {
            self.enter(*at);
            let edge = self.listed(*at).and_then(|edges| edges.get(*next));
            if let Some(edge) = edge.copied() {
                *next += 1;
                if edge.is_tree()
                    && let Some(below) = self.place(edge.child)
                    && self.known(below).is_none()
                    && open.insert(below)
                {
                    stack.push((below, 0));
                }
            } else {
                let at = *at;
                stack.pop();
                open.remove(&at);
                self.finish(at);
            }
        }
        self.known(root).unwrap_or(0)
    }

    /// The node of a tree at this place.
    fn known(&self, at: u32) -> Option<Node> {
        let node = self.nodes.get(at as usize).copied();
        node.filter(|node| *node != NONE)
    }

    /// The entries of a tree at this place that lead to a wanted blob.
    fn listed(&self, at: u32) -> Option<&[Edge]> {
        let list = *self.entries.get(at as usize)?;
        self.lists.get(list as usize).map(AsRef::as_ref)
    }

    fn list(&mut self, at: u32, entries: &[Edge]) {
        if let Some(slot) = self.entries.get_mut(at as usize) {
            *slot = self.lists.len() as u32;
            self.lists.push(entries.into());
        }
    }

    /// The place of the tree that stands for this one; `None` when it leads to nothing wanted.
    fn place(&self, tree: u32) -> Option<u32> {
        if !self.marked.has(tree) {
            return None;
        }
        let (at, _) = self.graph.tree(tree)?;
        self.same.get(at as usize).copied()
    }

    /// Works out which entries of a tree lead to a wanted blob.
    fn enter(&mut self, at: u32) {
        if self.listed(at).is_some() {
            return;
        }
        let mut chain = Vec::new();
        let mut next = Some(at);
        let mut entries = Vec::new();
        while let Some(at) = next {
            if let Some(known) = self.listed(at) {
                entries.extend_from_slice(known);
                break;
            }
            chain.push(at);
            next = base(&self.bases, at);
        }
        let Some((last, between)) = chain.split_first() else {
            return;
        };
        for at in between.iter().rev() {
            self.graph
                .apply(*at, &mut entries, |edge| matters(edge, &self.marked));
            // Others are likely made out of those in which something changed.
            if self.same.get(*at as usize) == Some(at) {
                self.list(*at, &entries);
            }
        }
        self.graph
            .apply(*last, &mut entries, |edge| matters(edge, &self.marked));
        self.list(at, &entries);
    }

    fn finish(&mut self, at: u32) {
        let edges = self.listed(at).unwrap_or_default().to_vec();
        let mut children: Children = edges
            .into_iter()
            .filter_map(|edge| {
                if edge.is_tree() {
                    let below = self.place(edge.child)?;
                    let node = self.known(below).filter(|node| *node != 0)?;
                    Some((edge.name(), Child::Tree(node)))
                } else {
                    let known = self
                        .positions
                        .binary_search_by_key(&edge.child, |(number, _)| *number)
                        .ok()?;
                    let (_, position) = self.positions.get(known)?;
                    Some((edge.name(), Child::Blob(*position)))
                }
            })
            .collect();
        children.sort_unstable();
        let node = if children.is_empty() {
            0
        } else {
            let next = self.numbers.len() as Node + 1;
            *self.numbers.entry(children).or_insert(next)
        };
        if let Some(slot) = self.nodes.get_mut(at as usize) {
            *slot = node;
        }
    }
}

/// The place of the tree that another is relative to.
fn base(bases: &[u32], at: u32) -> Option<u32> {
    let base = bases.get(at as usize).copied();
    base.filter(|base| *base != NONE)
}

/// Whether an entry leads to something wanted.
fn matters(edge: Edge, marked: &Bits) -> bool {
    edge.child != NONE && marked.has(edge.child)
}

/// Of each noted tree, the first tree of its chain from which on nothing wanted changed.
fn same(graph: &Graph, bases: &[u32], marked: &Bits) -> Vec<u32> {
    let mut same: Vec<u32> = Vec::with_capacity(bases.len());
    for at in 0..bases.len() as u32 {
        // A base is noted before what is made out of it.
        let first = base(bases, at).and_then(|base| same.get(base as usize).copied());
        let mut differ = graph.added(at).iter().chain(graph.removed(at));
        let changes = differ.any(|edge| matters(*edge, marked));
        same.push(first.filter(|_| !changes).unwrap_or(at));
    }
    same
}

/// These objects and every tree that leads to one of them.
fn marked(graph: &Graph, bases: &[u32], wanted: impl Iterator<Item = u32>) -> Bits {
    let mut marked = Bits::new(graph.len());
    let mut pending: Vec<u32> = wanted.filter(|number| marked.insert(*number)).collect();
    let holders = Holders::new(graph, bases, &marked);
    // Of one entry, the trees that were looked at: it may have come into a chain more than once.
    let mut below: Vec<u32> = Vec::new();
    while let Some(number) = pending.pop() {
        for &(at, place) in holders.of(number) {
            let Some(edge) = graph.added(at).get(place as usize) else {
                continue;
            };
            below.push(at);
            while let Some(at) = below.pop() {
                let Some(tree) = graph.noted(at) else {
                    continue;
                };
                if marked.insert(tree) {
                    pending.push(tree);
                }
                let made = holders.made_of(at).iter().copied();
                below.extend(made.filter(|child| !graph.removed(*child).contains(edge)));
            }
        }
    }
    marked
}

/// Which trees name a tree or a wanted blob for the first time in their chain, and which trees are noted as changes of
/// which.
struct Holders {
    /// `adding[starts[n]..starts[n + 1]]` are the places of the trees that add number `n`, and of the entry among what
    /// each adds.
    starts: Vec<u32>,
    adding: Vec<(u32, u32)>,
    made_starts: Vec<u32>,
    made: Vec<u32>,
}

impl Holders {
    fn new(graph: &Graph, bases: &[u32], wanted: &Bits) -> Self {
        let trees = 0..bases.len() as u32;
        let based = trees.clone().map(|at| (at, base(bases, at)));
        let based = based.filter_map(|(at, base)| Some((base?, at)));
        let (made_starts, made) = grouped(bases.len(), based);
        let added = trees.flat_map(|at| {
            let edges = graph.added(at).iter().zip(0..);
            edges.map(move |(edge, place)| (*edge, (at, place)))
        });
        let leads = |edge: Edge| edge.child != NONE && (edge.is_tree() || wanted.has(edge.child));
        let added = added.filter(|(edge, _)| leads(*edge));
        let (starts, adding) = grouped(graph.len(), added.map(|(edge, at)| (edge.child, at)));
        Self {
            starts,
            adding,
            made_starts,
            made,
        }
    }

    /// The trees that add an object, each with the place of the entry it adds.
    fn of(&self, number: u32) -> &[(u32, u32)] {
        group(&self.starts, &self.adding, number)
    }

    /// The trees noted as changes of this one.
    fn made_of(&self, at: u32) -> &[u32] {
        group(&self.made_starts, &self.made, at)
    }
}

fn group<'a, T>(starts: &[u32], items: &'a [T], of: u32) -> &'a [T] {
    let at = of as usize;
    match (starts.get(at), starts.get(at + 1)) {
        (Some(start), Some(end)) => items
            .get(*start as usize..*end as usize)
            .unwrap_or_default(),
        _ => &[],
    }
}

/// The items by the groups they are given with: where each group begins, and the items, in the order they had.
fn grouped<T: Copy + Default>(
    count: usize,
    items: impl Iterator<Item = (u32, T)> + Clone,
) -> (Vec<u32>, Vec<T>) {
    let mut starts = vec![0_u32; count + 2];
    for (group, _) in items.clone() {
        starts[group as usize + 2] += 1;
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let mut out = vec![T::default(); total as usize];
    for (group, item) in items {
        let next = &mut starts[group as usize + 1];
        out[*next as usize] = item;
        *next += 1;
    }
    (starts, out)
}
