//! Reading what only history holds.

use super::git::{self, History, Reading};
use super::site::Store;
use super::{Document, Origin, Progress, ReadOptions, Screen};
use git2::Oid;
use std::collections::BTreeSet;

/// What only history holds, as far as it was read.
pub(super) struct Past<T> {
    /// Blobs that need not be read again, sorted.
    done: Vec<Oid>,
    found: Vec<(Oid, T)>,
}

impl<T: Send> Past<T> {
    /// Before anything was read but what is on disk.
    pub(super) fn new(on_disk: BTreeSet<Oid>) -> Self {
        Self {
            done: on_disk.into_iter().collect(),
            found: Vec::new(),
        }
    }

    /// Reads every blob of a store that no store before it has given.
    pub(super) fn read(
        &mut self,
        store: &Store<'_>,
        history: &History,
        options: &ReadOptions,
        progress: &dyn Progress,
        screen: &impl Screen,
        visit: &(impl Fn(&Document<'_>) -> Option<T> + Sync),
    ) {
        let mut mine: Vec<Oid> = history
            .wanted
            .iter()
            .filter(|id| self.done.binary_search(id).is_err())
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
                Reading::Value(value) => self.found.push((id, value)),
                Reading::Fault => unread.push(id),
                Reading::Quiet | Reading::TooLarge => {}
            }
        }
        mine.retain(|id| unread.binary_search(id).is_err());
        self.done.extend(mine);
        self.done.sort();
    }

    /// What was of interest, by id.
    pub(super) fn found(mut self) -> Vec<(Oid, T)> {
        self.found.sort_by_key(|(id, _)| *id);
        self.found
    }
}
