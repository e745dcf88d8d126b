//! Which commits hold what: reduced root trees numbered in the order of history, and for each path the runs of numbers
//! that hold it.

use super::graph::Graph;
use super::reduce::{Child, Contents, Node};
use super::refs::{Name, Way};
use super::walk::History;
use crate::sources::git::Trouble;
use crate::sources::limits::Limits;
use std::collections::BTreeMap;

/// Number of a state: 0 holds nothing, the others are in the order of the first commits that have them.
pub(super) type State = u32;

/// Ascending, disjoint, half-open runs of states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs(Vec<(State, State)>);

impl Runs {
    /// Adds a run. Out of order until [`Runs::settle`] is called.
    fn push(&mut self, (from, to): (State, State)) {
        match self.0.last_mut() {
            Some((first, end)) if *first <= from && from <= *end => *end = (*end).max(to),
            _ => self.0.push((from, to)),
        }
    }

    fn settle(&mut self) {
        if !self.0.is_sorted() {
            let mut all = std::mem::take(&mut self.0);
            all.sort_unstable();
            for run in all {
                self.push(run);
            }
        }
    }

    /// The states.
    pub(super) fn states(&self) -> impl Iterator<Item = State> {
        self.0.iter().flat_map(|(from, to)| *from..*to)
    }
}

/// The nodes a path had, each with the states that have it there.
type Versions = Vec<(Node, Runs)>;

/// The paths of a blob, each with the states that hold it there.
pub(super) type Paths = Vec<(Vec<u8>, Runs)>;

/// What the reduced root trees of a history are.
#[derive(Debug, Default)]
pub(super) struct States {
    /// The state of each commit, by position.
    pub(super) of: Vec<State>,
    /// The node of each state but 0.
    nodes: Vec<Node>,
    /// The best way to each state that has no commit.
    pub(super) without_commit: BTreeMap<State, Way>,
}

impl States {
    /// Numbers the nodes of the commits, then those of trees that no commit has.
    pub(super) fn number(
        of_commits: impl Iterator<Item = Node>,
        of_trees: impl Iterator<Item = (Node, Way)>,
    ) -> Self {
        let mut states = Self::default();
        let mut known: BTreeMap<Node, State> = BTreeMap::from([(0, 0)]);
        let mut state = |node: Node, nodes: &mut Vec<Node>| {
            *known.entry(node).or_insert_with(|| {
                nodes.push(node);
                nodes.len() as State
            })
        };
        for node in of_commits {
            let state = state(node, &mut states.nodes);
            states.of.push(state);
        }
        for (node, way) in of_trees {
            let state = state(node, &mut states.nodes);
            if state != 0 {
                let best = states.without_commit.entry(state).or_insert(way);
                *best = way.min(*best);
            }
        }
        states
    }

    /// Number of states, 0 included.
    pub(super) fn len(&self) -> usize {
        self.nodes.len() + 1
    }

    /// Unfolds the nodes path by path: for each wanted blob, its paths with the states that hold it there.
    pub(super) fn unfold(
        &self,
        graph: &Graph,
        contents: &Contents,
        wanted: usize,
        limits: &Limits,
        trouble: &Trouble,
    ) -> Vec<Paths> {
        let mut found: Vec<Paths> = vec![Vec::new(); wanted];
        let roots = self.nodes.iter().zip(1..);
        let roots = roots.map(|(node, state)| (*node, Runs(vec![(state, state + 1)])));
        let mut pending: Vec<(Vec<u8>, Versions)> = vec![(Vec::new(), roots.collect())];
        let mut paths = 0_usize;
        let mut dropped = 0_u64;
        while let Some((prefix, versions)) = pending.pop() {
            let mut below: BTreeMap<u32, BTreeMap<Child, Runs>> = BTreeMap::new();
            for (node, runs) in &versions {
                for (name, child) in contents.of(*node) {
                    let held = below.entry(name).or_default().entry(child).or_default();
                    for run in &runs.0 {
                        held.push(*run);
                    }
                }
            }
            let below = below.into_iter();
            let mut below: Vec<_> = below
                .map(|(name, children)| (graph.name(name), children))
                .collect();
            below.sort_unstable_by_key(|(name, _)| *name);
            // Taken from the end: reversed, so that paths come in their order and a cap cuts the last ones.
            for (name, children) in below.into_iter().rev() {
                let mut path = prefix.clone();
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
                let mut trees = Vec::new();
                for (child, mut runs) in children {
                    runs.settle();
                    match child {
                        Child::Tree(node) => trees.push((node, runs)),
                        Child::Blob(at) => {
                            let places = &mut found[at as usize];
                            if places.len() < limits.max_places {
                                places.push((path.clone(), runs));
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
                        // In the order of history, so that runs of what is below join as they come.
                        trees.sort_by(|(_, a), (_, b)| a.0.cmp(&b.0));
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
}

/// The best way to each commit: that of the best tip it leads to.
pub(super) fn ways(history: &History) -> Vec<Way> {
    let mut ways = vec![Way::Nothing; history.commits.len()];
    for (at, Name { way, .. }) in &history.tips {
        let known = &mut ways[*at as usize];
        *known = (*way).min(*known);
    }
    for at in (0..ways.len()).rev() {
        for &parent in history.parents.of(at) {
            ways[parent as usize] = ways[parent as usize].min(ways[at]);
        }
    }
    ways
}
