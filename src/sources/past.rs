//! Reading what only history holds.

use super::archives::Visited;
use super::git::{self, BlobReading, History, Id, Totals, Trouble, bytes, oid};
use super::kept::{HistoryMemory, Value};
use super::site::Store;
use super::{Document, Origin, Progress, ReadOptions, Screen};
use git2::Oid;
use std::collections::BTreeSet;

/// Which blobs were given already.
pub(super) struct Past {
    /// Sorted.
    done: Vec<Id>,
}

/// What reading the blobs of one store gave.
pub(super) struct PastRead<T> {
    /// What the visitor made something of, sorted.
    pub(super) of_interest: Vec<(Id, Visited<T>)>,
    /// Blobs that were not read here because something else had given them, sorted.
    pub(super) borrowed: Vec<Id>,
    pub(super) faults: Totals,
    /// Blobs that were read.
    pub(super) fresh: usize,
}

impl Past {
    /// Before anything was read but what is on disk.
    pub(super) fn new(on_disk: BTreeSet<Id>) -> Self {
        Self {
            done: on_disk.into_iter().collect(),
        }
    }

    /// Adds sorted ids.
    #[expect(
        clippy::stable_sort_primitive,
        reason = "two runs that are sorted already are merged by the stable sort in linear time"
    )]
    fn give(&mut self, ids: &[Id]) {
        self.done.extend_from_slice(ids);
        self.done.sort();
    }

    /// Reads every blob of a store that neither a store before it has given nor an earlier run has read.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one thing that reading needs"
    )]
    pub(super) fn read<T: Value>(
        &mut self,
        store: &Store<'_>,
        history: &History,
        (kept, same): (Option<&mut HistoryMemory<T>>, bool),
        options: &ReadOptions,
        progress: &dyn Progress,
        screen: &impl Screen,
        visit: &(impl Fn(&Document<'_>) -> Option<Visited<T>> + Sync),
    ) -> PastRead<T> {
        let kept = match (kept, same) {
            (Some(kept), true) => match self.again(kept) {
                Some(read) => return read,
                None => Some(&*kept),
            },
            (kept, _) => kept.map(|kept| &*kept),
        };
        let wanted: Vec<Id> = history.wanted.iter().map(|id| bytes(*id)).collect();
        let was_read = |id: &Id| {
            kept.is_some_and(|kept| {
                kept.part.has(id)
                    && !kept.part.lacks(id)
                    && kept.borrowed.binary_search(id).is_err()
            })
        };
        // Both ascend.
        let mut done = self.done.iter().peekable();
        let (borrowed, mut mine): (Vec<Id>, Vec<Id>) = wanted.iter().partition(|id| {
            while done.next_if(|given| given < id).is_some() {}
            done.peek() == Some(id)
        });
        let to_read: Vec<Oid> = mine.iter().filter(|id| !was_read(id)).map(oid).collect();
        progress.planned(to_read.len() as u64);
        let trouble = Trouble::default();
        let read = if to_read.is_empty() {
            Vec::new()
        } else {
            git::read_blobs(
                store.repo,
                &to_read,
                &options.limits,
                &trouble,
                screen,
                || progress.done(1),
                |_, bytes, marks| {
                    visit(&Document {
                        repository: store.name,
                        uri: None,
                        bytes,
                        origin: Origin::History,
                        marks: Some(marks),
                    })
                },
            )
        };
        store.repo.rest();
        let mut of_interest: Vec<(Id, Visited<T>)> = Vec::new();
        let mut faults = trouble.told();
        if let Some(kept) = kept {
            let still = |id: &Id| wanted.binary_search(id).is_ok() && was_read(id);
            let known = kept.part.of_interest.iter();
            of_interest.extend(known.filter(|(id, _)| still(id)).cloned());
            faults.add(&kept.part.faults.large(|id| still(&bytes(id))));
        }
        let mut unread = Vec::new();
        for (id, reading) in read {
            match reading {
                BlobReading::Value(value) => of_interest.push((bytes(id), value)),
                BlobReading::Fault => unread.push(bytes(id)),
                BlobReading::Quiet | BlobReading::TooLarge => {}
            }
        }
        of_interest.sort_by_key(|(id, _)| *id);
        mine.retain(|id| unread.binary_search(id).is_err());
        self.give(&mine);
        PastRead {
            of_interest,
            borrowed: borrowed.into_iter().filter(|id| !was_read(id)).collect(),
            faults,
            fresh: to_read.len(),
        }
    }

    /// Takes what an earlier run read of the same history; `None` when that was not all there is to read now.
    fn again<T: Value>(&mut self, kept: &mut HistoryMemory<T>) -> Option<PastRead<T>> {
        let given = |id: &Id| self.done.binary_search(id).is_ok();
        if !kept.borrowed.iter().all(given) || kept.part.faults.any_unreadable() {
            return None;
        }
        self.give(&kept.part.wanted);
        Some(PastRead {
            of_interest: std::mem::take(&mut kept.part.of_interest),
            borrowed: kept.borrowed.clone(),
            faults: kept.part.faults.clone(),
            fresh: 0,
        })
    }
}
