//! What went wrong in one repository, and its words for the coverage.

use crate::sources::files::count;
use git2::Oid;
use std::sync::{Mutex, PoisonError};

/// Why one object could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Not in the object store.
    Missing,
    /// In the store and not readable.
    Corrupt,
    /// Above the cap.
    TooLarge,
}

/// Faults of one repository, gathered from several threads. Its totals do not depend on their order.
#[derive(Debug, Default)]
pub(in crate::sources) struct Trouble(Mutex<Totals>);

#[derive(Clone, Debug, Default)]
struct Totals {
    missing: u64,
    corrupt: u64,
    too_large: u64,
    too_deep: u64,
    too_many: u64,
    /// Smallest id of a missing or corrupt object.
    example: Option<Oid>,
    /// Words for what is wrong as a whole.
    notes: Vec<String>,
}

impl Trouble {
    fn with(&self, change: impl FnOnce(&mut Totals)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// One object that could not be used.
    pub(super) fn fault(&self, id: Oid, fault: Fault) {
        self.with(|totals| {
            match fault {
                Fault::Missing => totals.missing += 1,
                Fault::Corrupt => totals.corrupt += 1,
                Fault::TooLarge => {
                    totals.too_large += 1;
                    return;
                }
            }
            totals.example = Some(totals.example.map_or(id, |least| least.min(id)));
        });
    }

    /// One tree below the deepest level that is read.
    pub(super) fn too_deep(&self) {
        self.with(|totals| totals.too_deep += 1);
    }

    /// So many paths above the cap on paths or places.
    pub(super) fn too_many(&self, paths: u64) {
        self.with(|totals| totals.too_many += paths);
    }

    /// Something wrong with the repository as a whole, with what to do about it.
    pub(super) fn note(&self, words: impl Into<String>) {
        self.with(|totals| totals.notes.push(words.into()));
    }

    /// What makes the reading incomplete, each with what to do; empty when nothing does.
    pub(in crate::sources) fn losses(&self, partial_clone: bool) -> Vec<String> {
        let totals = self.totals();
        let mut out = totals.notes;
        let example = totals
            .example
            .map(|id| format!(" (first: {id})"))
            .unwrap_or_default();
        if totals.missing > 0 {
            let advice = if partial_clone {
                "this is a partial clone; `git fetch --refetch --no-filter` brings the rest"
            } else {
                "run `git fsck`, then fetch again or restore the alternates"
            };
            out.push(format!(
                "{} missing{example}: {advice}",
                count(totals.missing, "object")
            ));
        }
        if totals.corrupt > 0 {
            out.push(format!(
                "{} not readable{example}: run `git fsck`, then clone again",
                count(totals.corrupt, "object")
            ));
        }
        if totals.too_deep > 0 {
            out.push(format!(
                "{} nested deeper than is read",
                count(totals.too_deep, "tree")
            ));
        }
        if totals.too_many > 0 {
            out.push(format!(
                "{} beyond the cap left out",
                count(totals.too_many, "path")
            ));
        }
        out
    }

    /// Number of blobs above the size cap.
    pub(in crate::sources) fn too_large(&self) -> u64 {
        self.totals().too_large
    }

    fn totals(&self) -> Totals {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
