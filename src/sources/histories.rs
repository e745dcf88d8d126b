//! The histories of many stores, of which only some are held at a time: those that were let go are walked again when
//! somebody asks what their commits say.

use super::ReadOptions;
use super::git::{self, History, Said, Trouble};
use super::site::Store;
use git2::Oid;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes of histories that are held while others are read.
const HELD: usize = if cfg!(test) { 1 } else { 192 << 20 };
/// Most stores that are walked at the same time.
const TOGETHER: usize = if cfg!(test) { 2 } else { 16 };
/// Bytes of pack indexes from which on no more stores are walked at the same time.
const MANY: u64 = 16 << 20;

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
pub(super) fn let_go(stores: &[Store<'_>], histories: &mut [&mut History], group: Range<usize>) {
    let held: usize = histories.iter().map(|history| history.weight()).sum();
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

/// What is asked of the commits of one store.
pub(super) struct Asked<'a> {
    /// Blobs, sorted and distinct.
    pub(super) blobs: &'a [Oid],
    /// Messages, sorted and distinct.
    pub(super) messages: &'a [Oid],
    /// The history has messages of interest.
    pub(super) heard: bool,
    /// What an earlier run was told of the same history.
    pub(super) known: Option<Said>,
}

/// What the commits of a store say, and whether that is more than was known.
pub(super) fn attribute(
    store: &Store<'_>,
    history: &History,
    mut asked: Asked<'_>,
    options: &ReadOptions,
) -> (Said, bool) {
    if !history.is_let_go() {
        return (tell(store, history, &asked, options), true);
    }
    let here = |id: &&Oid| history.wanted.binary_search(id).is_ok();
    let was_known = asked.known.is_some();
    if let Some(known) = asked.known.take() {
        let mut all = asked.blobs.iter().filter(here);
        if all.all(|id| known.blobs.contains_key(id)) {
            return (known, false);
        }
    }
    // With `since`, blobs that were not to be read may be asked for.
    let any = options.since.is_some() || asked.heard || asked.blobs.iter().any(|id| here(&id));
    if !any {
        return (Said::default(), true);
    }
    // What is wrong with it was noted the first time, unless that was in an earlier run.
    let quiet = Trouble::default();
    let trouble = if was_known { &store.trouble } else { &quiet };
    let again = walk(store, options, trouble, &|_, _| {});
    let told = tell(store, &again, &asked, options);
    drop(again);
    store.repo.close_packs();
    (told, true)
}

fn tell(store: &Store<'_>, history: &History, asked: &Asked<'_>, options: &ReadOptions) -> Said {
    let limits = &options.limits;
    let mut blobs = if asked.blobs.is_empty() {
        BTreeMap::new()
    } else {
        git::attribute(store.repo, history, asked.blobs, limits, &store.trouble)
    };
    for id in asked.blobs {
        if history.wanted.binary_search(id).is_ok() {
            blobs.entry(*id).or_default();
        }
    }
    let told = Said {
        blobs,
        messages: git::attribute_messages(
            store.repo,
            history,
            asked.messages,
            limits,
            &store.trouble,
        ),
    };
    store.repo.rest();
    told
}
