//! Reading what only history holds.

use super::git::{self, History, Reading};
use super::site::Store;
use super::{Document, Origin, Progress, ReadOptions, Screen};
use git2::Oid;
use std::collections::BTreeSet;

/// Reads every blob once: from the first store, by name, that holds it, and from the next when that one's copy is
/// damaged.
pub(super) fn read_history<T: Send>(
    stores: &[Store<'_>],
    histories: &[History],
    on_disk: &BTreeSet<Oid>,
    options: &ReadOptions,
    progress: &dyn Progress,
    screen: &impl Screen,
    visit: &(impl Fn(&Document<'_>) -> Option<T> + Sync),
) -> Vec<(Oid, T)> {
    let mut done: Vec<Oid> = on_disk.iter().copied().collect();
    let mut out = Vec::new();
    for (store, history) in stores.iter().zip(histories) {
        let mut mine: Vec<Oid> = history
            .wanted
            .iter()
            .filter(|id| done.binary_search(id).is_err())
            .copied()
            .collect();
        progress.planned(mine.len() as u64);
        let read = git::read_blobs(
            store.repo,
            &mine,
            &options.limits,
            store.trouble,
            screen,
            || progress.done(1),
            |_, bytes| {
                visit(&Document {
                    repository: store.name,
                    uri: None,
                    bytes,
                    origin: Origin::History,
                })
            },
        );
        store.repo.rest();
        let mut unread = Vec::new();
        for (id, reading) in read {
            match reading {
                Reading::Value(value) => out.push((id, value)),
                Reading::Fault => unread.push(id),
                Reading::Quiet | Reading::TooLarge => {}
            }
        }
        mine.retain(|id| unread.binary_search(id).is_err());
        done.extend(mine);
        done.sort();
    }
    out.sort_by_key(|(id, _)| *id);
    out
}
