//! Every tree of a history reduced to what matters: the wanted blobs below it.
//!
//! Trees that hold the same wanted blobs under the same names are one node, so almost all commits share the node of their
//! root with their parents, and most trees are the empty node. A tree that is noted as a change of another in which
//! nothing wanted changed is that other; only the few that remain are looked at.

use super::census::Edge;
use super::graph::Graph;
use super::names::Names;
use super::pack::{Bits, NONE, SharedBits};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};

/// Root trees that a thread takes before it asks for more.
const ROOTS_AT_ONCE: usize = 256;
/// Wanted blobs from which a thread sets out before it asks for more.
const WANTED_AT_ONCE: usize = 64;
/// Most parts that it is told of apart which trees name what: each takes a number for every object.
const HOLDERS: usize = 4;

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
    fn node(&mut self, entries: &[u8]) -> Node {
        self.0.number(entries)
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
    nodes: Vec<AtomicU32>,
    contents: Mutex<Contents>,
}

/// What a thread writes the entries of one tree into.
#[derive(Default)]
struct Room {
    entries: Vec<Edge>,
    bytes: Vec<u8>,
}

impl<'a> Reduced<'a> {
    /// Prepares for these blobs: numbers with their positions.
    pub(super) fn new(graph: &'a Graph, mut wanted: Vec<(u32, u32)>) -> Self {
        wanted.sort_unstable();
        let bases = graph.bases();
        let numbers: Vec<u32> = wanted.iter().map(|(number, _)| *number).collect();
        let marked = marked(graph, &bases, &numbers);
        let mut trees = Trees::new(graph, &bases, &marked);
        trees.link(graph, &wanted);
        Self {
            nodes: bases.par_iter().map(|_| AtomicU32::new(NONE)).collect(),
            contents: Mutex::new(Contents::new()),
            graph,
            marked,
            trees,
        }
    }

    /// What is in each node.
    pub(super) fn contents(self) -> Contents {
        self.contents
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of the noted tree that stands for this one; `None` when it leads to nothing wanted.
    pub(super) fn place(&self, tree: u32) -> Option<u32> {
        if !self.marked.has(tree) {
            return None;
        }
        let (at, _) = self.graph.tree(tree)?;
        self.trees.same.get(at as usize).copied()
    }

    /// The nodes of the trees at these places; of none, the node that holds nothing. Those of one history stand beside each other
    /// and share most of what is below them, so a thread takes many in a row.
    pub(super) fn nodes(&self, places: &[Option<u32>]) -> Vec<Node> {
        let nodes = |places: &'_ [Option<u32>]| {
            let mut room = Room::default();
            let node = |place: &Option<u32>| place.map_or(0, |place| self.node(place, &mut room));
            places.iter().map(node).collect::<Vec<Node>>()
        };
        places
            .par_chunks(ROOTS_AT_ONCE)
            .flat_map_iter(nodes)
            .collect()
    }

    /// The node of the tree at a place. An explicit stack: nesting is up to whoever wrote the repository. Two threads that need
    /// the same tree at once both make its node, which is one.
    fn node(&self, root: u32, room: &mut Room) -> Node {
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
                self.finish(at, room);
            }
        }
        self.known(root).unwrap_or(0)
    }

    /// The node of a tree at this place.
    fn known(&self, at: u32) -> Option<Node> {
        let node = self.nodes.get(at as usize)?.load(Relaxed);
        (node != NONE).then_some(node)
    }

    fn finish(&self, at: u32, room: &mut Room) {
        let reduced = |edge: &Edge| {
            let to = if edge.is_tree() {
                self.known(edge.child).filter(|node| *node != 0)?
            } else {
                edge.child
            };
            (to != NONE).then(|| edge.renumbered(|name| name, |_| to))
        };
        let Room { entries, bytes } = room;
        entries.clear();
        entries.extend(self.trees.entries(at).iter().filter_map(reduced));
        entries.sort_unstable();
        bytes.clear();
        bytes.extend(entries.iter().flat_map(|edge| edge.to_bytes()));
        let contents = self.contents.lock();
        let node = contents.unwrap_or_else(PoisonError::into_inner).node(bytes);
        if let Some(slot) = self.nodes.get(at as usize) {
            slot.store(node, Relaxed);
        }
    }
}

/// What matters of the noted trees, by their places.
struct Trees {
    /// Of each tree, the first of its chain from which on nothing wanted changed.
    same: Vec<u32>,
    /// In the order of the places.
    parts: Vec<Part>,
}

/// The trees that one thread noted.
struct Part {
    /// The place of the first.
    first: u32,
    /// `entries[starts[t]..starts[t + 1]]` lead to a wanted blob, of the `t`th tree if it stands for itself.
    starts: Vec<usize>,
    entries: Vec<Edge>,
}

impl Trees {
    /// Those of a graph. What one thread noted is relative to what that thread noted, so threads can go through it.
    fn new(graph: &Graph, bases: &[u32], marked: &Bits) -> Self {
        let threads = graph.threads().into_par_iter();
        let parts: Vec<(Vec<u32>, Part)> = threads
            .map(|places| Part::new(graph, bases, marked, places))
            .collect();
        let (same, parts): (Vec<_>, _) = parts.into_iter().unzip();
        Self {
            same: same.concat(),
            parts,
        }
    }

    /// The entries of a tree that stands for itself.
    fn entries(&self, at: u32) -> &[Edge] {
        let behind = self.parts.partition_point(|part| part.first <= at);
        let part = behind.checked_sub(1).and_then(|part| self.parts.get(part));
        part.map_or(&[], |part| part.entries(at - part.first))
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
        let parts = self.parts.par_iter_mut();
        let entries = parts.flat_map(|part| part.entries.par_iter_mut());
        entries.for_each(|edge| {
            let to = if edge.is_tree() {
                place(edge.child)
            } else {
                position(edge.child)
            };
            edge.child = to.unwrap_or(NONE);
        });
    }
}

impl Part {
    /// Those at these places, and of each the one that stands for it.
    fn new(graph: &Graph, bases: &[u32], marked: &Bits, places: Range<u32>) -> (Vec<u32>, Self) {
        let first = places.start;
        let mut all_same: Vec<u32> = Vec::with_capacity(places.len());
        let mut part = Self {
            first,
            starts: Vec::with_capacity(places.len() + 1),
            entries: Vec::new(),
        };
        let matters = |edge: Edge| edge.child != NONE && marked.has(edge.child);
        let mut entries = Vec::new();
        // A base is noted before what is made out of it.
        for at in places {
            let before = base(bases, at).and_then(|base| base.checked_sub(first));
            let same = before.and_then(|before| all_same.get(before as usize).copied());
            let mut differ = graph.added(at).iter().chain(graph.removed(at));
            let changes = differ.any(|edge| matters(*edge));
            part.starts.push(part.entries.len());
            if let Some(same) = same.filter(|_| !changes) {
                all_same.push(same);
                continue;
            }
            all_same.push(at);
            if !graph.noted(at).is_some_and(|tree| marked.has(tree)) {
                continue;
            }
            entries.clear();
            entries.extend_from_slice(same.map_or(&[], |same| part.entries(same - first)));
            graph.apply(at, &mut entries, matters);
            part.entries.extend_from_slice(&entries);
        }
        part.starts.push(part.entries.len());
        (all_same, part)
    }

    /// Those of the tree that so many come before.
    fn entries(&self, at: u32) -> &[Edge] {
        group(&self.starts, &self.entries, at)
    }
}

/// The place of the tree that another is relative to.
fn base(bases: &[u32], at: u32) -> Option<u32> {
    let base = bases.get(at as usize).copied();
    base.filter(|base| *base != NONE)
}

/// These objects and every tree that may lead to one of them: each tree that names one of these, and what is noted as a
/// change of it, whether or not it still names it.
fn marked(graph: &Graph, bases: &[u32], wanted: &[u32]) -> Bits {
    let mut marked = SharedBits::default();
    marked.grow(graph.len());
    for number in wanted {
        marked.insert(*number);
    }
    let threads = graph.threads();
    let several = threads.len().div_ceil(HOLDERS).max(1);
    let all: Vec<Holders> = threads
        .par_chunks(several)
        .filter_map(|threads| Some(threads.first()?.start..threads.last()?.end))
        .map(|places| Holders::new(graph, bases, &marked, places))
        .collect();
    wanted.par_chunks(WANTED_AT_ONCE).for_each(|wanted| {
        let mut pending = wanted.to_vec();
        let mut below: Vec<u32> = Vec::new();
        while let Some(number) = pending.pop() {
            for holders in &all {
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
        }
    });
    marked.into_bits()
}

/// Of the trees that some threads noted, which name a tree or a wanted blob for the first time in their chain, and which are
/// noted as changes of which.
struct Holders {
    /// The place of the first of the trees.
    first: u32,
    /// `adding[starts[n]..starts[n + 1]]` are the places of the trees that add number `n`.
    starts: Vec<u32>,
    adding: Vec<u32>,
    /// The same of those that are changes of the `n`th tree.
    made_starts: Vec<u32>,
    made: Vec<u32>,
}

impl Holders {
    fn new(graph: &Graph, bases: &[u32], wanted: &SharedBits, places: Range<u32>) -> Self {
        let first = places.start;
        let of = |base: u32| base.checked_sub(first).filter(|_| base < places.end);
        let based = places.clone().map(|at| (at, base(bases, at)));
        let based = based.filter_map(|(at, base)| Some((of(base?)?, at)));
        let leads = |edge: &&Edge| edge.child != NONE && (edge.is_tree() || wanted.has(edge.child));
        let added = places.clone().flat_map(|at| {
            let edges = graph.added(at).iter().filter(leads);
            edges.map(move |edge| (edge.child, at))
        });
        let (made_starts, made) = grouped(places.len(), based);
        let (starts, adding) = grouped(graph.len(), added);
        Self {
            first,
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

    /// The trees noted as changes of the one at a place.
    fn made_of(&self, at: u32) -> &[u32] {
        let at = at.checked_sub(self.first);
        at.map_or(&[], |at| group(&self.made_starts, &self.made, at))
    }
}

/// The items of a group, when those of group `n` begin at `starts[n]`.
fn group<'t, S: Copy + TryInto<usize>, T>(starts: &[S], items: &'t [T], of: u32) -> &'t [T] {
    let bound = |at: usize| starts.get(at).and_then(|start| (*start).try_into().ok());
    let at = of as usize;
    match (bound(at), bound(at + 1)) {
        (Some(start), Some(end)) => items.get(start..end).unwrap_or_default(),
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
