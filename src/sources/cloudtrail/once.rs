//! Events that are delivered twice count once: by their ids, whichever files they stand in.

use super::SOURCE;
use super::names::plural;
use crate::model::{Coverage, CoverageStatus};
use std::collections::BTreeSet;

/// Most ids that are remembered.
const MAX_IDS: usize = 16_000_000;

/// Ids of every event counted so far, in the order of the files.
#[derive(Default)]
pub(super) struct Once {
    ids: BTreeSet<u64>,
    more: bool,
}

impl Once {
    /// Whether one of these was counted.
    pub(super) fn any(&self, ids: &[u64]) -> bool {
        ids.iter().any(|id| self.ids.contains(id))
    }

    /// Remembers what a file counted.
    pub(super) fn learn(&mut self, ids: &[u64]) {
        if self.ids.len() + ids.len() > MAX_IDS {
            self.more = true;
            return;
        }
        self.ids.extend(ids);
    }

    /// What the coverage says of it.
    pub(super) fn told(&self, again: u64) -> Vec<Coverage> {
        let note = |text: String| Coverage::new(SOURCE, "logs", CoverageStatus::Noted, text);
        let mut list = Vec::new();
        if again > 0 {
            list.push(note(format!(
                "{} there more than once; each counts once",
                plural(again, "event")
            )));
        }
        if self.more {
            list.push(note(format!(
                "there are more than {MAX_IDS} events: of the rest, one that is there twice counts twice"
            )));
        }
        list
    }
}

/// What one file knows: what was counted before it, and its own.
pub(super) struct Known<'a> {
    before: &'a Once,
    own: BTreeSet<u64>,
}

impl<'a> Known<'a> {
    pub(super) const fn new(before: &'a Once) -> Self {
        Self {
            before,
            own: BTreeSet::new(),
        }
    }

    /// Whether it is the first time; it is remembered.
    pub(super) fn is_new(&mut self, id: u64) -> bool {
        if self.before.ids.contains(&id) {
            return false;
        }
        self.own.len() >= MAX_IDS || self.own.insert(id)
    }

    pub(super) fn into_ids(self) -> Vec<u64> {
        self.own.into_iter().collect()
    }
}
