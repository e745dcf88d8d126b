//! What was read, in a form that outlasts the run: so that the next one reads only what changed, and so that what several
//! programs read can be put together.

mod bytes;
mod files;
mod history;
mod memory;
mod part;
mod table;
mod texts;

pub use bytes::{Reader, Writer};
pub(super) use files::{FileKept, FileMemory, Packed, SETTLED, Stamp, pack};
pub(super) use history::HistoryMemory;
pub use memory::{Facts, Kind, Memory, NoMemory};
pub use part::Parts;
pub(super) use part::{Opened, RootPart, StorePart};
pub(super) use table::Table;
pub(super) use texts::{id_of, latin, text_of};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a visitor makes of a document.
pub trait Value: Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned {
    /// Whether it matters wherever else the document's content stands or stood, and not only where it was read.
    fn everywhere(&self) -> bool;

    /// Whether it may be kept for the next run: what may hold secrets may not.
    fn keepable(&self) -> bool {
        true
    }
}

#[cfg(test)]
impl Value for String {
    fn everywhere(&self) -> bool {
        true
    }
}

#[cfg(test)]
impl Value for usize {
    fn everywhere(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
