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
        let trees = graph.trees().count();
        Self {
            marked: marked(graph, wanted.iter().map(|(number, _)| *number)),
            positions: wanted,
            same: vec![NONE; trees],
            entries: vec![NONE; trees],
            lists: Vec::new(),
            nodes: vec![NONE; trees],
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
    fn place(&mut self, tree: u32) -> Option<u32> {
        if !self.marked.has(tree) {
            return None;
        }
        let (start, _) = self.graph.tree(tree)?;
        let mut chain = Vec::new();
        let mut at = start;
        let found = loop {
            let known = self.same.get(at as usize).copied().unwrap_or(NONE);
            if known != NONE {
                break known;
            }
            match self.graph.base(at) {
                Some(base) if !self.changes(at) => {
                    chain.push(at);
                    at = base;
                }
                _ => {
                    chain.push(at);
                    break at;
                }
            }
        };
        for at in chain {
            if let Some(slot) = self.same.get_mut(at as usize) {
                *slot = found;
            }
        }
        Some(found)
    }

    /// Whether a tree and its base differ in something wanted.
    fn changes(&self, at: u32) -> bool {
        let differ = self.graph.added(at).iter().chain(self.graph.removed(at));
        differ.copied().any(|edge| self.matters(edge))
    }

    fn matters(&self, edge: Edge) -> bool {
        edge.child != NONE && self.marked.has(edge.child)
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
            next = self.graph.base(at);
        }
        let Some((last, between)) = chain.split_first() else {
            return;
        };
        for at in between.iter().rev() {
            self.graph
                .apply(*at, &mut entries, |edge| self.matters(edge));
            // Others are likely made out of those in which something changed.
            if self.same.get(*at as usize) == Some(at) {
                self.list(*at, &entries);
            }
        }
        self.graph
            .apply(*last, &mut entries, |edge| self.matters(edge));
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

/// These objects and every tree that leads to one of them.
fn marked(graph: &Graph, wanted: impl Iterator<Item = u32>) -> Bits {
    let mut marked = Bits::new(graph.len());
    let mut pending: Vec<u32> = wanted.filter(|number| marked.insert(*number)).collect();
    let holders = Holders::new(graph);
    // Of one entry, the trees that were looked at: it may have come into a chain more than once.
    let mut below: Vec<u32> = Vec::new();
    while let Some(number) = pending.pop() {
        for (at, edge) in holders.of(graph, number) {
            below.push(at);
            while let Some(at) = below.pop() {
                let Some(tree) = holders.number(at) else {
                    continue;
                };
                if marked.insert(tree) {
                    pending.push(tree);
                }
                let made = holders.made_of(at).iter().copied();
                below.extend(made.filter(|child| !graph.removed(*child).contains(&edge)));
            }
        }
    }
    marked
}

/// Which trees name an object for the first time in their chain, and which trees are noted as changes of which.
struct Holders {
    numbers: Vec<u32>,
    /// `adding[starts[n]..starts[n + 1]]` are the places of the trees that add number `n`.
    starts: Vec<u32>,
    adding: Vec<u32>,
    made_starts: Vec<u32>,
    made: Vec<u32>,
}

impl Holders {
    fn new(graph: &Graph) -> Self {
        let numbers: Vec<u32> = graph.trees().map(|note| note.number).collect();
        let trees = 0..numbers.len() as u32;
        let bases = |at: u32| graph.base(at).into_iter();
        let (made_starts, made) = grouped(numbers.len(), trees.clone(), bases);
        let children = |at: u32| {
            let edges = graph.added(at).iter();
            edges.map(|edge| edge.child).filter(|child| *child != NONE)
        };
        let (starts, adding) = grouped(graph.len(), trees, children);
        Self {
            numbers,
            starts,
            adding,
            made_starts,
            made,
        }
    }

    /// The trees that add an object, each with the entry it adds.
    fn of(&self, graph: &Graph, number: u32) -> Vec<(u32, Edge)> {
        let mut out = Vec::new();
        let mut holders = group(&self.starts, &self.adding, number).to_vec();
        holders.dedup();
        for at in holders {
            let edges = graph.added(at).iter().copied();
            out.extend(
                edges
                    .filter(|edge| edge.child == number)
                    .map(|edge| (at, edge)),
            );
        }
        out
    }

    /// The number of the tree at a place.
    fn number(&self, at: u32) -> Option<u32> {
        self.numbers.get(at as usize).copied()
    }

    /// The trees noted as changes of this one.
    fn made_of(&self, at: u32) -> &[u32] {
        group(&self.made_starts, &self.made, at)
    }
}

fn group<'a>(starts: &[u32], items: &'a [u32], of: u32) -> &'a [u32] {
    let at = of as usize;
    match (starts.get(at), starts.get(at + 1)) {
        (Some(start), Some(end)) => items
            .get(*start as usize..*end as usize)
            .unwrap_or_default(),
        _ => &[],
    }
}

/// The items by the groups that `groups` says each belongs to: where each group begins, and the items, ascending in each.
fn grouped<I: Iterator<Item = u32>>(
    count: usize,
    items: impl Iterator<Item = u32> + Clone,
    groups: impl Fn(u32) -> I,
) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0_u32; count + 2];
    for item in items.clone() {
        for group in groups(item) {
            starts[group as usize + 2] += 1;
        }
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let mut out = vec![0; total as usize];
    for item in items {
        for group in groups(item) {
            let next = &mut starts[group as usize + 1];
            out[*next as usize] = item;
            *next += 1;
        }
    }
    (starts, out)
}
