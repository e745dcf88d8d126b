//! Who brought a blob in, where, and until when it stayed.
//!
//! The trees are reduced to nodes first; those are then unfolded path by path, each carrying the states of the history
//! it was part of.

use super::graph::Graph;
use super::ids::bytes;
use super::open::Repo;
use super::reduce::Reduced;
use super::report::Trouble;
use super::states::{Paths, Runs, States};
use super::tell::{Teller, nameless};
use super::trails;
use super::walk::History;
use crate::model::Trail;
use crate::sources::limits::Limits;
use git2::Oid;
use rayon::prelude::*;
use std::collections::BTreeMap;

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

/// What the commits of one store say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sources) struct Said {
    /// Of blobs; of one that was asked for and that no path held, nothing.
    pub(in crate::sources) blobs: BTreeMap<Oid, Vec<Attribution>>,
    /// Of messages.
    pub(in crate::sources) messages: BTreeMap<Oid, Attribution>,
}

/// Resolves every path that ever held one of `wanted` (sorted, distinct).
pub(in crate::sources) fn attribute(
    repo: &Repo,
    history: &History,
    wanted: &[Oid],
    limits: &Limits,
    trouble: &Trouble,
) -> BTreeMap<Oid, Vec<Attribution>> {
    let (states, found) = match &history.graph {
        Some(graph) => holders(history, graph, wanted, limits, trouble),
        None => (States::default(), Vec::new()),
    };
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

/// The states of the history, and of each wanted blob, the paths with the states that hold it there.
fn holders(
    history: &History,
    graph: &Graph,
    wanted: &[Oid],
    limits: &Limits,
    trouble: &Trouble,
) -> (States, Vec<Paths>) {
    let positions = wanted.iter().zip(0..);
    let numbers = positions.filter_map(|(id, at)| Some((graph.known(&bytes(*id))?, at)));
    let reduced = Reduced::new(graph, numbers.collect());
    let of_commits: Vec<_> = history
        .commits
        .par_iter()
        .map(|one| reduced.place(one.tree))
        .collect();
    let of_trees: Vec<_> = history
        .trees
        .keys()
        .map(|tree| reduced.place(graph.known(&bytes(*tree))?))
        .collect();
    let ways = history.trees.values().map(|name| name.way);
    let commits = reduced.nodes(&of_commits).into_iter();
    let trees = reduced.nodes(&of_trees).into_iter().zip(ways);
    let states = States::number(commits, trees);
    let contents = reduced.contents();
    let found = states.unfold(graph, &contents, wanted.len(), limits, trouble);
    (states, found)
}
