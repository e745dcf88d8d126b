//! What reading some of the roots gave, whoever read them.

use super::bytes::{Reader, Writer};
use super::{Value, latin, text_of};
use crate::sources::ReadOptions;
use crate::sources::archives::Visited;
use crate::sources::current::CurrentHit;
use crate::sources::discover::RootKind;
use crate::sources::files::Omission;
use crate::sources::git::{Id, Refusal, Said, Totals, oid};
use crate::sources::kept::{HistoryMemory, id_of};
use serde::{Deserialize, Serialize};

/// Marks the form of a part.
const FORM: &[u8] = b"overstay part 2";

/// Whether a root has a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sources) enum Opened {
    /// None.
    No,
    /// One that was opened.
    Repository {
        /// Path of its object store.
        store: String,
        /// Objects were left out when it was cloned.
        partial: bool,
        /// Commits were left out when it was cloned.
        shallow: bool,
    },
    /// One that could not be opened.
    Refused(Refusal),
}

/// What reading the current files of a root gave.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sources) struct RootPart<T> {
    pub(in crate::sources) name: String,
    pub(in crate::sources) kind: RootKind,
    pub(in crate::sources) opened: Opened,
    /// Number of files that were read.
    pub(in crate::sources) files: u64,
    /// Their bytes.
    pub(in crate::sources) bytes: u64,
    /// Blobs that these files are.
    pub(in crate::sources) ids: Vec<Id>,
    /// The files of interest, by path.
    pub(in crate::sources) hits: Vec<CurrentHit<Visited<T>>>,
    pub(in crate::sources) omissions: Vec<Omission>,
    pub(in crate::sources) trouble: Totals,
}

/// What reading the history of an object store gave.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sources) struct StorePart<T> {
    /// Path of the store, by which roots name it.
    pub(in crate::sources) path: String,
    /// Name of the root that stands for it.
    pub(in crate::sources) name: String,
    /// Number of commits.
    pub(in crate::sources) commits: u64,
    /// Every blob of its history, sorted.
    pub(in crate::sources) wanted: Vec<Id>,
    /// Of these, what the visitor made something of, sorted.
    pub(in crate::sources) of_interest: Vec<(Id, Visited<T>)>,
    /// What the visitor made of messages.
    pub(in crate::sources) heard: Vec<(Id, Visited<T>)>,
    /// What its commits say.
    pub(in crate::sources) told: Said,
    /// What went wrong with the history as such.
    pub(in crate::sources) trouble: Totals,
    /// What went wrong with its blobs.
    pub(in crate::sources) faults: Totals,
}

/// What reading some of the roots gave.
#[derive(Clone, Debug)]
pub struct Parts<T> {
    pub(in crate::sources) roots: Vec<RootPart<T>>,
    pub(in crate::sources) stores: Vec<StorePart<T>>,
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            stores: Vec::new(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    name: String,
    kind: RootKind,
    opened: Opened,
    files: u64,
    bytes: u64,
    omissions: Vec<Omission>,
    trouble: Totals,
}

#[derive(Serialize, Deserialize)]
struct Hit<T> {
    path: String,
    ids: Vec<String>,
    value: T,
}

impl<T: Value> Parts<T> {
    /// Names of the roots.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(|root| root.name.as_str())
    }

    /// Number of files and of blobs of histories.
    pub fn documents(&self) -> u64 {
        let files: u64 = self.roots.iter().map(|root| root.files).sum();
        let blobs: usize = self.stores.iter().map(|store| store.wanted.len()).sum();
        files + blobs as u64
    }

    /// Adds what somebody else read; the order does not matter. A root that is there already is not added again.
    pub fn add(&mut self, other: Self) {
        self.roots.extend(other.roots);
        self.roots.sort_by(|a, b| a.name.cmp(&b.name));
        self.roots.dedup_by(|a, b| a.name == b.name);
        self.stores.extend(other.stores);
        self.stores.sort_by(|a, b| a.name.cmp(&b.name));
        self.stores.dedup_by(|a, b| a.name == b.name);
    }

    /// As bytes; `None` when something of it has no such form.
    pub fn pack(self, options: &ReadOptions) -> Option<Vec<u8>> {
        let mut writer = Writer::default();
        writer.section(FORM);
        writer.section(format!("{options:?}").as_bytes());
        writer.section(&(self.roots.len() as u64).to_le_bytes());
        for root in self.roots {
            writer.json(&Head {
                name: root.name,
                kind: root.kind,
                opened: root.opened,
                files: root.files,
                bytes: root.bytes,
                omissions: root.omissions,
                trouble: root.trouble,
            })?;
            writer.section(&root.ids.concat());
            let hits: Vec<Hit<Visited<T>>> = root
                .hits
                .into_iter()
                .map(|hit| Hit {
                    path: text_of(&hit.path),
                    ids: hit.ids.iter().map(ToString::to_string).collect(),
                    value: hit.value,
                })
                .collect();
            writer.json(&hits)?;
        }
        for part in self.stores {
            let memory = HistoryMemory {
                key: String::new(),
                borrowed: Vec::new(),
                part,
            };
            writer.section(&memory.pack()?);
        }
        Some(writer.done())
    }

    /// Reads it again; `None` when it is not whole, of another form, or was read with other options.
    pub fn unpack(packed: &[u8], options: &ReadOptions) -> Option<Self> {
        let mut reader = Reader(packed);
        if reader.section()? != FORM || reader.section()? != format!("{options:?}").as_bytes() {
            return None;
        }
        let many = u64::from_le_bytes(reader.section()?.try_into().ok()?);
        let mut parts = Self::default();
        for _ in 0..many {
            let head: Head = reader.json()?;
            let (ids, rest) = reader.section()?.as_chunks::<20>();
            if !rest.is_empty() {
                return None;
            }
            let ids = ids.to_vec();
            let hits: Vec<Hit<Visited<T>>> = reader.json()?;
            let hits: Option<Vec<_>> = hits
                .into_iter()
                .map(|hit| {
                    let ids: Option<Vec<_>> = hit.ids.iter().map(|id| id_of(id)).collect();
                    Some(CurrentHit {
                        path: latin(&hit.path)?,
                        ids: ids?,
                        value: hit.value,
                    })
                })
                .collect();
            parts.roots.push(RootPart {
                name: head.name,
                kind: head.kind,
                opened: head.opened,
                files: head.files,
                bytes: head.bytes,
                ids,
                hits: hits?,
                omissions: head.omissions,
                trouble: head.trouble,
            });
        }
        while !reader.0.is_empty() {
            let memory: HistoryMemory<T> = HistoryMemory::unpack(reader.section()?)?;
            parts.stores.push(memory.part);
        }
        Some(parts)
    }
}

impl<T> StorePart<T> {
    /// Whether a blob is of this history.
    pub(in crate::sources) fn has(&self, id: &Id) -> bool {
        self.wanted.binary_search(id).is_ok()
    }

    /// Whether a blob of this history could not be read here.
    pub(in crate::sources) fn lacks(&self, id: &Id) -> bool {
        self.faults.unreadable(oid(id))
    }
}
