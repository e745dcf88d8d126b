//! When something came into a history, when it left it, and on which branches it was: for many things at once, in a few
//! passes over the commits.

use super::refs::{Name, Way};
use super::states::{Runs, States, ways};
use super::walk::History;
use crate::model::MOST_NAMES;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// What the commits say of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trail {
    /// The best way to it.
    pub(super) way: Way,
    /// Earliest commit that has it, by position: of those that a ref leads to if there is one.
    pub(super) first: Option<u32>,
    /// HEAD's commit where it has it, else the latest that does, in the same way.
    pub(super) last: Option<u32>,
    pub(super) at_head: bool,
    /// The commit that took it out of HEAD's line.
    pub(super) removed: Option<u32>,
    /// Branches whose history has it; where none has, other refs.
    pub(super) branches: Vec<String>,
    pub(super) branches_total: u32,
}

/// The commits of one state.
#[derive(Clone, Copy, Debug)]
struct Span {
    way: Way,
    first: Option<u32>,
    /// Time and position.
    last: Option<(i64, u32)>,
    first_hidden: Option<u32>,
    last_hidden: Option<(i64, u32)>,
    at_head: bool,
}

impl Span {
    const NONE: Self = Self {
        way: Way::Nothing,
        first: None,
        last: None,
        first_hidden: None,
        last_hidden: None,
        at_head: false,
    };

    fn join(&mut self, other: &Self) {
        let least = |a: Option<u32>, b: Option<u32>| a.into_iter().chain(b).min();
        self.way = self.way.min(other.way);
        self.first = least(self.first, other.first);
        self.first_hidden = least(self.first_hidden, other.first_hidden);
        self.last = self.last.max(other.last);
        self.last_hidden = self.last_hidden.max(other.last_hidden);
        self.at_head |= other.at_head;
    }
}

/// A ref as it is shown.
struct Shown {
    at: usize,
    name: String,
    branch: bool,
    /// Position of the local branch of the same name, which speaks for a remote one.
    local: Option<usize>,
}

/// Things that are followed in one pass: a bit each.
type Things = u128;
/// Most of these.
const WIDTH: usize = Things::BITS as usize;

/// Follows things, each given by the states that hold it, through the history.
pub(super) fn follow(history: &History, states: &States, held: &[&Runs]) -> Vec<Trail> {
    let spans = spans(history, states);
    let names = shown(history);
    held.par_chunks(WIDTH)
        .flat_map_iter(|held| pass(history, states, &spans, &names, held))
        .collect()
}

fn spans(history: &History, states: &States) -> Vec<Span> {
    let mut spans = vec![Span::NONE; states.len()];
    let ways = ways(history);
    for (at, (state, way)) in states.of.iter().zip(ways).enumerate() {
        let position = Some(at as u32);
        let time = history
            .commits
            .get(at)
            .map(|commit| (commit.time, at as u32));
        let hidden = way.hidden();
        spans[*state as usize].join(&Span {
            way,
            first: position.filter(|_| !hidden),
            last: time.filter(|_| !hidden),
            first_hidden: position.filter(|_| hidden),
            last_hidden: time.filter(|_| hidden),
            at_head: history.head == Some(at),
        });
    }
    for (state, way) in &states.without_commit {
        spans[*state as usize].join(&Span {
            way: *way,
            ..Span::NONE
        });
    }
    spans
}

/// The refs in the order in which they are named: the branch of HEAD, other local ones, remote ones, the rest.
fn shown(history: &History) -> Vec<Shown> {
    let locals: BTreeMap<&str, usize> = history
        .tips
        .iter()
        .filter_map(|(at, name)| Some((name.name.strip_prefix("refs/heads/")?, *at as usize)))
        .collect();
    let mut tips: Vec<&(u32, Name)> = history
        .tips
        .iter()
        .filter(|(_, name)| !name.name.is_empty() && !name.way.hidden())
        .collect();
    tips.sort_by_key(|(_, name)| {
        (
            name.way,
            history.head_branch.as_deref() != Some(&name.name),
            name.name.starts_with("refs/remotes/"),
            &name.name,
        )
    });
    tips.into_iter()
        .map(|(at, Name { way, name })| {
            let remote = name.strip_prefix("refs/remotes/");
            let short = name.strip_prefix("refs/heads/").or(remote).unwrap_or(name);
            Shown {
                at: *at as usize,
                name: short.to_owned(),
                branch: *way == Way::Branch,
                local: remote
                    .and_then(|name| name.split_once('/'))
                    .and_then(|(_, branch)| locals.get(branch).copied()),
            }
        })
        .collect()
}

fn bits(mut mask: Things) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (bit < WIDTH).then_some(bit)
    })
}

/// One pass over the commits for at most [`WIDTH`] things.
fn pass(
    history: &History,
    states: &States,
    spans: &[Span],
    names: &[Shown],
    held: &[&Runs],
) -> Vec<Trail> {
    let mut of_state = vec![Things::default(); states.len()];
    for (bit, runs) in held.iter().enumerate() {
        for state in runs.states() {
            of_state[state as usize] |= 1 << bit;
        }
    }
    let here = |at: usize| of_state[states.of[at] as usize];
    // What each commit or one before it has.
    let mut ever: Vec<Things> = Vec::with_capacity(history.commits.len());
    for (at, parents) in history.parents.iter().enumerate() {
        let before = parents
            .iter()
            .fold(0, |mask, &parent| mask | ever[parent as usize]);
        ever.push(here(at) | before);
    }

    let mut trails: Vec<Trail> = held
        .iter()
        .map(|runs| summary(runs, spans, history))
        .collect();
    removals(history, &here, &ever, |bit, at| {
        if let Some(trail) = trails.get_mut(bit) {
            trail.removed = Some(at);
        }
    });
    for (trail, (list, total)) in trails.iter_mut().zip(leading(names, &ever, held.len())) {
        (trail.branches, trail.branches_total) = (list, total);
    }
    trails
}

/// Names, at most [`MOST_NAMES`], and how many there are.
type Names = (Vec<String>, u32);

/// The branches whose history has each thing; where none has, the other refs.
fn leading(names: &[Shown], ever: &[Things], things: usize) -> Vec<Names> {
    let mut branches: Vec<Names> = vec![Names::default(); things];
    let mut others = branches.clone();
    for shown in names {
        let told = shown.local.map_or(0, |local| ever[local]);
        let lists = if shown.branch {
            &mut branches
        } else {
            &mut others
        };
        for bit in bits(ever[shown.at] & !told) {
            if let Some((list, total)) = lists.get_mut(bit) {
                *total += 1;
                if list.len() < MOST_NAMES {
                    list.push(shown.name.clone());
                }
            }
        }
    }
    branches
        .into_iter()
        .zip(others)
        .map(|(branches, others)| if branches.1 > 0 { branches } else { others })
        .collect()
}

/// The branches, or else other refs, whose history has each of these commits.
pub(super) fn holders(history: &History, commits: &[u32]) -> Vec<Names> {
    let names = shown(history);
    commits
        .par_chunks(WIDTH)
        .flat_map_iter(|commits| {
            let mut ever = vec![Things::default(); history.commits.len()];
            for (bit, &at) in commits.iter().enumerate() {
                ever[at as usize] |= 1 << bit;
            }
            for (at, parents) in history.parents.iter().enumerate() {
                ever[at] |= parents
                    .iter()
                    .fold(0, |mask, &parent| mask | ever[parent as usize]);
            }
            leading(&names, &ever, commits.len())
        })
        .collect()
}

fn summary(runs: &Runs, spans: &[Span], history: &History) -> Trail {
    let mut all = Span::NONE;
    for state in runs.states() {
        all.join(&spans[state as usize]);
    }
    let head = history.head.map(|head| head as u32);
    let latest = all.last.or(all.last_hidden).map(|(_, at)| at);
    Trail {
        way: all.way,
        first: all.first.or(all.first_hidden),
        last: if all.at_head { head } else { latest },
        at_head: all.at_head,
        removed: None,
        branches: Vec::new(),
        branches_total: 0,
    }
}

/// Goes back from HEAD for everything that HEAD has not and its history has: from a commit without it to the first
/// parent that is also without it and has it in its history. Where there is none such, the commit is the one that
/// removed it.
fn removals(
    history: &History,
    here: &impl Fn(usize) -> Things,
    ever: &[Things],
    mut removed: impl FnMut(usize, u32),
) {
    let Some(head) = history.head else {
        return;
    };
    let gone = |at: usize| ever[at] & !here(at);
    let mut open = vec![Things::default(); head + 1];
    open[head] = gone(head);
    for at in (0..=head).rev() {
        let mut left = open[at];
        if left == 0 {
            continue;
        }
        for &parent in history.parents.of(at) {
            let taken = left & gone(parent as usize);
            open[parent as usize] |= taken;
            left &= !taken;
        }
        for bit in bits(left) {
            removed(bit, at as u32);
        }
    }
}
