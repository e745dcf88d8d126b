//! What went wrong in one repository, and its words for the coverage.

use crate::sources::files::count;
use git2::Oid;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

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

#[derive(Debug, Default)]
struct Totals {
    /// Each object once, however often it was asked for.
    faults: BTreeMap<Oid, Fault>,
    too_deep: u64,
    too_many: u64,
    /// Words for what is wrong as a whole.
    notes: BTreeSet<String>,
}

impl Totals {
    fn number(&self, fault: Fault) -> u64 {
        self.of(fault).count() as u64
    }

    fn of(&self, fault: Fault) -> impl Iterator<Item = &Oid> {
        self.faults
            .iter()
            .filter(move |(_, known)| **known == fault)
            .map(|(id, _)| id)
    }

    /// `3 objects missing (first: …)`, with the advice; nothing when there are none.
    fn objects(&self, fault: Fault, word: &str, advice: &str) -> Option<String> {
        let first = self.of(fault).next()?;
        let objects = count(self.number(fault), "object");
        Some(format!("{objects} {word} (first: {first}): {advice}"))
    }
}

impl Trouble {
    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One object that could not be used.
    pub(super) fn fault(&self, id: Oid, fault: Fault) {
        self.totals().faults.insert(id, fault);
    }

    /// One tree below the deepest level that is read.
    pub(super) fn too_deep(&self) {
        self.totals().too_deep += 1;
    }

    /// So many paths above the cap on paths or places.
    pub(super) fn too_many(&self, paths: u64) {
        self.totals().too_many += paths;
    }

    /// Something wrong with the repository as a whole, with what to do about it.
    pub(super) fn note(&self, words: impl Into<String>) {
        self.totals().notes.insert(words.into());
    }

    /// What makes the reading incomplete, each with what to do; empty when nothing does.
    pub(in crate::sources) fn losses(&self, partial_clone: bool) -> Vec<String> {
        let totals = self.totals();
        let mut out: Vec<String> = totals.notes.iter().cloned().collect();
        let fetch = if partial_clone {
            "this is a partial clone; `git fetch --refetch --no-filter` brings the rest"
        } else {
            "run `git fsck`, then fetch again or restore the alternates"
        };
        out.extend(totals.objects(Fault::Missing, "missing", fetch));
        out.extend(totals.objects(
            Fault::Corrupt,
            "not readable",
            "run `git fsck`, then clone again",
        ));
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

    /// Number of objects above the size cap.
    pub(in crate::sources) fn too_large(&self) -> u64 {
        self.totals().number(Fault::TooLarge)
    }
}
