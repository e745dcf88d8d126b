//! What went wrong in one repository, and its words for the coverage.

use crate::sources::files::count;
use crate::sources::kept::id_of;
use git2::Oid;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why one object could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sources) enum Fault {
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

/// The faults of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sources) struct Totals {
    /// Each object once, however often it was asked for.
    #[serde(serialize_with = "with_texts", deserialize_with = "of_texts")]
    faults: BTreeMap<Oid, Fault>,
    too_deep: u64,
    too_many: u64,
    /// Words for what is wrong as a whole.
    notes: BTreeSet<String>,
}

fn with_texts<S: Serializer>(faults: &BTreeMap<Oid, Fault>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(faults.iter().map(|(id, fault)| (id.to_string(), fault)))
}

fn of_texts<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Oid, Fault>, D::Error> {
    let faults: Vec<(String, Fault)> = Vec::deserialize(from)?;
    let faults = faults
        .into_iter()
        .map(|(id, fault)| Some((id_of(&id)?, fault)));
    let faults: Option<BTreeMap<Oid, Fault>> = faults.collect();
    faults.ok_or_else(|| de::Error::custom("not an id"))
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

    /// Whether nothing went wrong.
    pub(in crate::sources) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an object is there in no readable form.
    pub(in crate::sources) fn unreadable(&self, id: Oid) -> bool {
        matches!(self.faults.get(&id), Some(Fault::Missing | Fault::Corrupt))
    }

    /// Whether any object is there in no readable form.
    pub(in crate::sources) fn any_unreadable(&self) -> bool {
        self.faults.values().any(|fault| *fault != Fault::TooLarge)
    }

    /// Adds those of another part of the same repository.
    pub(in crate::sources) fn add(&mut self, other: &Self) {
        self.faults.extend(&other.faults);
        self.too_deep += other.too_deep;
        self.too_many += other.too_many;
        self.notes.extend(other.notes.iter().cloned());
    }

    /// Only the faults of objects that `which` takes, and everything that is not of one object.
    pub(in crate::sources) fn only(&self, which: impl Fn(Oid) -> bool) -> Self {
        let mut out = self.clone();
        out.faults.retain(|id, _| which(*id));
        out
    }

    /// Only objects above the size cap, and of these those that `which` takes.
    pub(in crate::sources) fn large(&self, which: impl Fn(Oid) -> bool) -> Self {
        let mut faults = self.faults.clone();
        faults.retain(|id, fault| *fault == Fault::TooLarge && which(*id));
        Self {
            faults,
            ..Self::default()
        }
    }

    /// What makes the reading incomplete, each with what to do; empty when nothing does.
    pub(in crate::sources) fn losses(&self, partial_clone: bool) -> Vec<String> {
        let mut out: Vec<String> = self.notes.iter().cloned().collect();
        let fetch = if partial_clone {
            "this is a partial clone; `git fetch --refetch --no-filter` brings the rest"
        } else {
            "run `git fsck`, then fetch again or restore the alternates"
        };
        out.extend(self.objects(Fault::Missing, "missing", fetch));
        out.extend(self.objects(
            Fault::Corrupt,
            "not readable",
            "run `git fsck`, then clone again",
        ));
        if self.too_deep > 0 {
            out.push(format!(
                "{} nested deeper than is read",
                count(self.too_deep, "tree")
            ));
        }
        if self.too_many > 0 {
            out.push(format!(
                "{} beyond the cap left out",
                count(self.too_many, "path")
            ));
        }
        out
    }

    /// Number of objects above the size cap.
    pub(in crate::sources) fn too_large(&self) -> u64 {
        self.number(Fault::TooLarge)
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
    pub(in crate::sources) fn note(&self, words: impl Into<String>) {
        self.totals().notes.insert(words.into());
    }

    /// All of it.
    pub(in crate::sources) fn told(&self) -> Totals {
        self.totals().clone()
    }
}
