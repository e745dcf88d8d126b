//! The histories of many stores, of which only some are held at a time: those that were let go are walked again when
//! somebody asks what their commits say.

use super::ReadOptions;
use super::git::{self, Attribution, History, Trouble};
use super::messages::Heard;
use super::site::Store;
use git2::Oid;
use jiff::Timestamp;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes of histories that are held while others are read.
const HELD: usize = if cfg!(test) { 1 } else { 192 << 20 };
/// Most stores that are walked at the same time.
const TOGETHER: usize = if cfg!(test) { 2 } else { 16 };
/// Bytes of pack indexes from which on no more stores are walked at the same time.
const MANY: u64 = 16 << 20;

/// What the commits of one store say.
#[derive(Default)]
pub(super) struct Told {
    /// Of blobs.
    pub(super) blobs: BTreeMap<Oid, Vec<Attribution>>,
    /// Of messages.
    pub(super) messages: BTreeMap<Oid, Attribution>,
}

/// The stores in groups that are dealt with together: many small ones, a large one by itself.
pub(super) fn groups(stores: &[Store<'_>]) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (at, store) in stores.iter().enumerate() {
        let more = store.repo.bytes_of_indexes();
        match out.last_mut() {
            Some(group) if group.len() < TOGETHER && bytes + more <= MANY => {
                group.end = at + 1;
                bytes += more;
            }
            _ => {
                out.push(at..at + 1);
                bytes = more;
            }
        }
    }
    out
}

/// Walks one store.
pub(super) fn walk(
    store: &Store<'_>,
    options: &ReadOptions,
    trouble: &Trouble,
    told: &(dyn Fn(Oid, &[u8]) + Sync),
) -> History {
    let history = git::walk(
        store.repo,
        options.since.map(Timestamp::as_second),
        options.unreachable,
        &options.limits,
        trouble,
        told,
    );
    store.repo.rest();
    history
}

/// Lets go of the histories of a group that was read, unless little is held.
pub(super) fn let_go(stores: &[Store<'_>], histories: &mut [History], group: Range<usize>) {
    let held: usize = histories.iter().map(History::weight).sum();
    if held <= HELD {
        return;
    }
    for at in group {
        if let (Some(store), Some(history)) = (stores.get(at), histories.get_mut(at)) {
            history.let_go();
            store.repo.close_packs();
        }
    }
}

/// What the commits of each store say of blobs and messages (sorted, distinct). `heard` is what each of them was told.
pub(super) fn attribute<T: Send>(
    stores: &[Store<'_>],
    histories: &[History],
    heard: &[Heard<T>],
    blobs: &[Oid],
    messages: &[Oid],
    options: &ReadOptions,
) -> Vec<Told> {
    let mut out = Vec::with_capacity(stores.len());
    for group in groups(stores) {
        let some: Vec<Told> = group
            .into_par_iter()
            .map(|at| {
                let (Some(store), Some(history)) = (stores.get(at), histories.get(at)) else {
                    return Told::default();
                };
                if !history.is_let_go() {
                    return tell(store, history, blobs, messages, options);
                }
                // With `since`, blobs that were not to be read may be asked for.
                let asked = options.since.is_some()
                    || heard.get(at).is_some_and(|heard| !heard.is_empty())
                    || blobs
                        .iter()
                        .any(|id| history.wanted.binary_search(id).is_ok());
                if !asked {
                    return Told::default();
                }
                // What is wrong with it was noted the first time.
                let again = walk(store, options, &Trouble::default(), &|_, _| {});
                let told = tell(store, &again, blobs, messages, options);
                drop(again);
                store.repo.close_packs();
                told
            })
            .collect();
        out.extend(some);
    }
    out
}

fn tell(
    store: &Store<'_>,
    history: &History,
    blobs: &[Oid],
    messages: &[Oid],
    options: &ReadOptions,
) -> Told {
    let limits = &options.limits;
    let told = Told {
        blobs: if blobs.is_empty() {
            BTreeMap::new()
        } else {
            git::attribute(store.repo, history, blobs, limits, store.trouble)
        },
        messages: git::attribute_messages(store.repo, history, messages, limits, store.trouble),
    };
    store.repo.rest();
    told
}
