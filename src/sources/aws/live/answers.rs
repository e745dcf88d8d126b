//! Where answers are kept: in memory, or in a folder that somebody else writes.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

/// A place for answers, by their path in the snapshot (`111122223333/list-roles.json`).
pub trait Answers: Sync {
    /// The answer kept at a path, if there is one.
    fn read(&self, path: &str) -> Option<Vec<u8>>;
    /// Keeps an answer; it is there whole or not at all.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()>;
    /// Lets go of every answer below a folder.
    ///
    /// # Errors
    /// When they cannot be removed.
    fn forget(&self, folder: &str) -> io::Result<()>;
}

/// Answers that are gone with the program.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Memory {
    /// All of them, by path.
    pub fn into_files(self) -> BTreeMap<String, Vec<u8>> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for Memory {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(path).cloned()
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn forget(&self, folder: &str) -> io::Result<()> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|path, _| path.split('/').next() != Some(folder));
        Ok(())
    }
}

/// The JSON of an answer kept earlier; `None` where there is none or it is damaged.
pub(super) fn kept(answers: &dyn Answers, path: &str) -> Option<Value> {
    serde_json::from_slice(&answers.read(path)?).ok()
}

/// A name as it may stand in a path: what IAM allows in names stays, everything else is an underscore.
pub(super) fn file_name(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() => c,
            '+' | '=' | ',' | '.' | '@' | '-' | '_' => c,
            _ => '_',
        })
        .take(200)
        .collect()
}
