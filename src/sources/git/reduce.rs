//! Every tree of a history reduced to what matters: the wanted blobs below it.
//!
//! Trees that hold the same wanted blobs under the same names are one node, so almost all commits share the node of their
//! root with their parents, and most trees are the empty node. A tree that is noted as a change of another in which
//! nothing wanted changed is that other; only the few that remain are looked at.

use super::census::Edge;
use super::graph::Graph;
use super::names::Names;
use super::pack::{Bits, NONE};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::ops::Range;

/// Number of a node; 0 holds nothing.
pub(super) type Node = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Child {
    /// A wanted blob, by its position.
    Blob(u32),
    Tree(Node),
}

/// What is in each node: the entries of a tree that lead to something wanted, as bytes.
pub(super) struct Contents(Names);

impl Contents {
    /// Those of the node that holds nothing.
    fn new() -> Self {
        let mut entries = Names::default();
        entries.number(&[]);
        Self(entries)
    }

    /// The node with these entries.
    fn node(&mut self, entries: &[Edge], room: &mut Vec<u8>) -> Node {
        room.clear();
        room.extend(entries.iter().flat_map(|edge| edge.to_bytes()));
        self.0.number(room)
    }

    /// Name and target of everything wanted in a node; names by number.
    pub(super) fn of(&self, node: Node) -> impl Iterator<Item = (u32, Child)> {
        let (entries, _) = self.0.get(node).as_chunks();
        entries.iter().map(|entry| {
            let edge = Edge::of_bytes(*entry);
            let child = if edge.is_tree() {
                Child::Tree(edge.child)
            } else {
                Child::Blob(edge.child)
            };
            (edge.name(), child)
        })
    }
}

/// The reduced trees.
pub(super) struct Reduced<'a> {
    graph: &'a Graph,
    /// Wanted blobs and the trees that lead to one.
    marked: Bits,
    trees: Trees,
    /// Of each noted tree, its node, or `NONE` as long as it is not known.
    nodes: Vec<Node>,
    contents: Contents,
    /// What one of them is written into.
    room: Vec<u8>,
}

impl<'a> Reduced<'a> {
    /// Prepares for these blobs: numbers with their positions.
    pub(super) fn new(graph: &'a Graph, mut wanted: Vec<(u32, u32)>) -> Self {
        wanted.sort_unstable();
        let bases = graph.bases();
        let marked = marked(graph, &bases, wanted.iter().map(|(number, _)| *number));
        let mut trees = Trees::new(graph, &bases, &marked);
        trees.link(graph, &wanted);
        Self {
            nodes: vec![NONE; bases.len()],
            contents: Contents::new(),
            room: Vec::new(),
            graph,
            marked,
            trees,
        }
    }

    /// What is in each node.
    pub(super) fn contents(self) -> Contents {
        self.contents
    }

    /// The place of the noted tree that stands for this one; `None` when it leads to nothing wanted.
    pub(super) fn place(&self, tree: u32) -> Option<u32> {
        if !self.marked.has(tree) {
            return None;
        }
        let (at, _) = self.graph.tree(tree)?;
        self.trees.same.get(at as usize).copied()
    }

    /// The node of the tree at a place. An explicit stack: nesting is up to whoever wrote the repository.
    pub(super) fn node(&mut self, root: u32) -> Node {
        if let Some(node) = self.known(root) {
            return node;
        }
        // Trees on the stack. One inside itself can only come from an object stored under a false id.
        let mut open = BTreeSet::from([root]);
        let mut stack = vec![(root, 0_usize)];
        while let Some((at, next)) = stack.last_mut() {
            if let Some(edge) = self.trees.entries(*at).get(*next) {
                *next += 1;
                let is_new =
                    edge.is_tree() && edge.child != NONE && self.known(edge.child).is_none();
                if is_new && open.insert(edge.child) {
                    stack.push((edge.child, 0));
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

    fn finish(&mut self, at: u32) {
        let reduced = |edge: &Edge| {
            let to = if edge.is_tree() {
                self.known(edge.child).filter(|node| *node != 0)?
            } else {
                edge.child
            };
            (to != NONE).then(|| edge.renumbered(|name| name, |_| to))
        };
        let mut entries: Vec<Edge> = self.trees.entries(at).iter().filter_map(reduced).collect();
        entries.sort_unstable();
        let node = self.contents.node(&entries, &mut self.room);
        if let Some(slot) = self.nodes.get_mut(at as usize) {
            *slot = node;
        }
    }
}

/// What matters of the noted trees, by their places.
#[derive(Default)]
struct Trees {
    /// Of each tree, the first of its chain from which on nothing wanted changed.
    same: Vec<u32>,
    /// `entries[starts[t]..starts[t + 1]]` lead to a wanted blob, of a tree that stands for itself.
    starts: Vec<usize>,
    entries: Vec<Edge>,
}

impl Trees {
    /// Those of a graph. What one thread noted is relative to what that thread noted, so threads can go through it.
    fn new(graph: &Graph, bases: &[u32], marked: &Bits) -> Self {
        let parts: Vec<Self> = graph
            .threads()
            .into_par_iter()
            .map(|places| Self::part(graph, bases, marked, places))
            .collect();
        let mut parts = parts.into_iter();
        let mut all = parts.next().unwrap_or_default();
        let more = parts.as_slice().iter().map(|part| part.entries.len()).sum();
        all.entries.reserve_exact(more);
        for part in parts {
            let before = all.entries.len();
            all.same.extend(part.same);
            all.starts
                .extend(part.starts.iter().map(|start| before + start));
            all.entries.extend(part.entries);
        }
        all.starts.push(all.entries.len());
        all
    }

    /// Those that one thread noted, at these places.
    fn part(graph: &Graph, bases: &[u32], marked: &Bits, places: Range<u32>) -> Self {
        let mut part = Self::default();
        let matters = |edge: Edge| edge.child != NONE && marked.has(edge.child);
        let first = places.start;
        // A base is noted before what is made out of it.
        for at in places {
            let before = base(bases, at).and_then(|base| base.checked_sub(first));
            let same = before.and_then(|before| part.same.get(before as usize).copied());
            let mut differ = graph.added(at).iter().chain(graph.removed(at));
            let changes = differ.any(|edge| matters(*edge));
            part.starts.push(part.entries.len());
            if let Some(same) = same.filter(|_| !changes) {
                part.same.push(same);
                continue;
            }
            part.same.push(at);
            if !graph.noted(at).is_some_and(|tree| marked.has(tree)) {
                continue;
            }
            let known = same.map_or(0..0, |same| part.range(same - first));
            let mut entries = part.entries.get(known).unwrap_or_default().to_vec();
            graph.apply(at, &mut entries, matters);
            part.entries.append(&mut entries);
        }
        part
    }

    fn range(&self, at: u32) -> Range<usize> {
        let at = at as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(start), Some(end)) => *start..*end,
            _ => 0..0,
        }
    }

    /// The entries of a tree that stands for itself.
    fn entries(&self, at: u32) -> &[Edge] {
        self.entries.get(self.range(at)).unwrap_or_default()
    }

    /// Lets entries lead to the place of the tree that stands for theirs, and to the position of a wanted blob; `NONE` where what
    /// they name is not of the kind that they call it.
    fn link(&mut self, graph: &Graph, positions: &[(u32, u32)]) {
        let same = &self.same;
        let position = |number: u32| {
            let known = positions.binary_search_by_key(&number, |(number, _)| *number);
            positions.get(known.ok()?).map(|(_, position)| *position)
        };
        let place = |number| {
            let (at, _) = graph.tree(number)?;
            same.get(at as usize).copied()
        };
        self.entries.par_iter_mut().for_each(|edge| {
            let to = if edge.is_tree() {
                place(edge.child)
            } else {
                position(edge.child)
            };
            edge.child = to.unwrap_or(NONE);
        });
    }
}

/// The place of the tree that another is relative to.
fn base(bases: &[u32], at: u32) -> Option<u32> {
    let base = bases.get(at as usize).copied();
    base.filter(|base| *base != NONE)
}

/// These objects and every tree that may lead to one of them: each tree that names one of these, and what is noted as a
/// change of it, whether or not it still names it.
fn marked(graph: &Graph, bases: &[u32], wanted: impl Iterator<Item = u32>) -> Bits {
    let mut marked = Bits::new(graph.len());
    let mut pending: Vec<u32> = wanted.filter(|number| marked.insert(*number)).collect();
    let holders = Holders::new(graph, bases, &marked);
    let mut below: Vec<u32> = Vec::new();
    while let Some(number) = pending.pop() {
        below.extend_from_slice(holders.of(number));
        while let Some(at) = below.pop() {
            if let Some(tree) = graph.noted(at)
                && marked.insert(tree)
            {
                pending.push(tree);
                below.extend_from_slice(holders.made_of(at));
            }
        }
    }
    marked
}

/// Which trees name a tree or a wanted blob for the first time in their chain, and which trees are noted as changes of
/// which.
struct Holders {
    /// `adding[starts[n]..starts[n + 1]]` are the places of the trees that add number `n`.
    starts: Vec<u32>,
    adding: Vec<u32>,
    made_starts: Vec<u32>,
    made: Vec<u32>,
}

impl Holders {
    fn new(graph: &Graph, bases: &[u32], wanted: &Bits) -> Self {
        let trees = 0..bases.len() as u32;
        let based = trees.clone().map(|at| (at, base(bases, at)));
        let based = based.filter_map(|(at, base)| Some((base?, at)));
        let leads = |edge: &&Edge| edge.child != NONE && (edge.is_tree() || wanted.has(edge.child));
        let added = trees.flat_map(|at| {
            let edges = graph.added(at).iter().filter(leads);
            edges.map(move |edge| (edge.child, at))
        });
        let ((made_starts, made), (starts, adding)) = rayon::join(
            || grouped(bases.len(), based),
            || grouped(graph.len(), added),
        );
        Self {
            starts,
            adding,
            made_starts,
            made,
        }
    }

    /// The trees that add an object.
    fn of(&self, number: u32) -> &[u32] {
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
