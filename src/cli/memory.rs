//! What earlier runs read, in the state folder.

use super::environment;
use crate::model::FingerprintKey;
use crate::scan::RuleSet;
use crate::sources::{Facts, Kind, Memory, ReadOptions};
use crate::store::runs::{Runs, RunsError, ScannedRow};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The part of the database that knows what was read, while a scan runs.
pub(super) struct Remembered {
    key: FingerprintKey,
    digest: String,
    began: i64,
    /// Nothing is handed out: everything is to be read again.
    full: bool,
    /// Nothing but what is read of the paths is joined.
    alone: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    runs: Runs,
    kept: Vec<ScannedRow>,
    asked: Vec<(&'static str, String)>,
}

impl Remembered {
    /// What is known under these rules, this key, these options and this program.
    pub(super) fn new(
        runs: Runs,
        rules: &RuleSet,
        key: &FingerprintKey,
        options: &ReadOptions,
        (program, began, full, alone): (&str, i64, bool, bool),
    ) -> Self {
        let parts = [
            rules.digest.as_str(),
            &format!("{:?}", rules.measures.config.rules.disable),
            &key.id(),
            &format!("{options:?}"),
            program,
        ];
        let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 what is read with");
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self {
            key: key.clone(),
            digest: hasher.finalize().to_hex()[..32].to_owned(),
            began,
            full,
            alone,
            inner: Mutex::new(Inner {
                runs,
                kept: Vec::new(),
                asked: Vec::new(),
            }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, kind: Kind, path: &Path) -> String {
        let path = path.as_os_str().as_encoded_bytes();
        self.key.name(&[kind.as_str().as_bytes(), path].concat())
    }

    /// Writes what is to be kept, and gives the database back.
    pub(super) fn save(self) -> (Runs, Result<(), RunsError>) {
        let Inner {
            mut runs,
            kept,
            asked,
        } = self
            .inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let saved = runs.keep_scanned(&kept, &asked, self.began);
        (runs, saved)
    }
}

impl Memory for Remembered {
    fn recall(&self, kind: Kind, path: &Path) -> Option<Vec<u8>> {
        if self.full {
            return None;
        }
        let place = self.place(kind, path);
        let mut inner = self.inner();
        let found = inner.runs.scanned(kind.as_str(), &place, &self.digest);
        inner.asked.push((kind.as_str(), place));
        drop(inner);
        match found {
            Ok(sealed) => sealed.and_then(|sealed| self.key.unseal(&sealed)),
            Err(error) => {
                tracing::warn!("what was read before cannot be used: {error}");
                None
            }
        }
    }

    fn keep(&self, kind: Kind, path: &Path, facts: Facts, packed: Vec<u8>) {
        let row = ScannedRow {
            kind: kind.as_str(),
            place: self.place(kind, path),
            digest: self.digest.clone(),
            documents: facts.documents,
            of_interest: facts.of_interest,
            commits: facts.commits,
            packed: self.key.seal(packed),
        };
        self.inner().kept.push(row);
    }

    fn joins(&self) -> bool {
        self.alone
    }

    fn began(&self) -> i64 {
        self.began
    }

    fn now(&self) -> i64 {
        environment::clock()
    }
}
