//! What lies below trees.

use super::census::Edge;
use super::graph::Graph;
use super::object::{Objects, oid};
use super::pack::{NONE, SharedBits};
use super::report::{Fault, Trouble};
use crate::sources::limits::Limits;
use rayon::prelude::*;

/// Trees from which a thread sets out before it asks for more.
const TREES_AT_ONCE: usize = 256;

/// Looks at trees, none twice.
pub(super) struct Below<'a> {
    trees: SharedBits,
    objects: &'a Objects<'a>,
    limits: &'a Limits,
}

impl<'a> Below<'a> {
    pub(super) fn new(objects: &'a Objects<'a>, limits: &'a Limits) -> Self {
        Self {
            trees: SharedBits::default(),
            objects,
            limits,
        }
    }

    /// Whether a tree was looked at.
    pub(super) fn has_met(&self, tree: u32) -> bool {
        self.trees.has(tree)
    }

    /// Adds every blob below these trees that no tree before them had.
    pub(super) fn add(
        &mut self,
        graph: &mut Graph,
        mut pending: Vec<u32>,
        blobs: &mut SharedBits,
        trouble: &Trouble,
    ) {
        let mut parts: Vec<Part> = Vec::new();
        loop {
            self.trees.grow(graph.len());
            blobs.grow(graph.len());
            let follow = Follow {
                graph,
                trees: &self.trees,
                blobs,
            };
            let met = pending
                .par_chunks(TREES_AT_ONCE)
                .map(|trees| follow.from(trees))
                .reduce(Met::default, Met::and);
            for number in met.damaged {
                trouble.fault(oid(&graph.id(number)), Fault::Corrupt);
            }
            // What a tree shares with a base that was reached is reached through that.
            parts.extend(met.parts);
            parts.retain(|part| !self.trees.has(part.base));
            pending = self.fetched(graph, met.unknown, trouble);
            if !pending.is_empty() {
                continue;
            }
            if parts.is_empty() {
                return;
            }
            let follow = Follow {
                graph,
                trees: &self.trees,
                blobs,
            };
            pending = parts
                .par_drain(..)
                .flat_map_iter(|part| {
                    let mut trees = Vec::new();
                    follow.meet(&graph.whole(part.at, |_| true), &mut trees);
                    trees
                })
                .collect();
        }
    }

    /// Those of these trees that could be read, when no pack gave them.
    fn fetched(&self, graph: &mut Graph, mut trees: Vec<u32>, trouble: &Trouble) -> Vec<u32> {
        trees.sort_unstable();
        trees.dedup();
        trees.retain(|number| {
            let read = graph.fetch(*number, self.objects, self.limits, trouble);
            if read.is_none() {
                // It is not asked for again.
                self.trees.insert(*number);
            }
            read.is_some()
        });
        trees
    }
}

/// A noted tree whose base was not reached yet, without which only a part of it was looked at.
struct Part {
    at: u32,
    base: u32,
}

/// What a thread came across.
#[derive(Default)]
struct Met {
    parts: Vec<Part>,
    /// Trees that are not noted.
    unknown: Vec<u32>,
    /// Trees that could not be parsed to their end.
    damaged: Vec<u32>,
}

impl Met {
    fn and(mut self, mut other: Self) -> Self {
        self.parts.append(&mut other.parts);
        self.unknown.append(&mut other.unknown);
        self.damaged.append(&mut other.damaged);
        self
    }
}

/// Follows noted trees down.
struct Follow<'a> {
    graph: &'a Graph,
    trees: &'a SharedBits,
    blobs: &'a SharedBits,
}

impl Follow<'_> {
    fn from(&self, trees: &[u32]) -> Met {
        let mut met = Met::default();
        // The first is the first to be looked at.
        let mut pending: Vec<u32> = trees.iter().rev().copied().collect();
        while let Some(number) = pending.pop() {
            if self.trees.has(number) {
                continue;
            }
            let Some((at, note)) = self.graph.tree(number) else {
                met.unknown.push(number);
                continue;
            };
            if !self.trees.insert(number) {
                continue;
            }
            if !note.intact {
                met.damaged.push(number);
            }
            if note.base != NONE && !self.trees.has(note.base) {
                met.parts.push(Part {
                    at,
                    base: note.base,
                });
            }
            self.meet(self.graph.added(at), &mut pending);
        }
        met
    }

    /// Notes blobs, and hands over trees that are new.
    fn meet(&self, edges: &[Edge], trees: &mut Vec<u32>) {
        for edge in edges.iter().filter(|edge| edge.child != NONE) {
            if !edge.is_tree() {
                self.blobs.insert(edge.child);
            } else if !self.trees.has(edge.child) {
                trees.push(edge.child);
            }
        }
    }
}
