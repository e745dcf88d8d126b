//! Caps on what hostile or odd input can cost.

use crate::unpack::Caps;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says, from any thread, that no more is to be read.
#[derive(Clone, Default)]
pub struct Halt(Arc<AtomicBool>);

impl Halt {
    /// Says so.
    pub fn call(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody said so.
    pub fn called(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Halt")
    }
}

/// It is no option of reading: what was read does not depend on it.
impl PartialEq for Halt {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Halt {}

/// Caps on reading. Everything above a cap is left out and named in the coverage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest file that is read, in bytes.
    pub max_file_bytes: u64,
    /// Largest blob of git history that is read, in bytes.
    pub max_blob_bytes: u64,
    /// Largest commit, tag or tree that is read, in bytes.
    pub max_object_bytes: u64,
    /// Deepest folder below a root, and deepest nesting of git trees.
    pub max_depth: usize,
    /// Most paths one tree of a bare repository, or one history's wanted content, is unfolded to. A few objects can
    /// describe billions of paths.
    pub max_paths: usize,
    /// Most places reported for one blob in one repository.
    pub max_places: usize,
    /// Most coverage entries about single files of one root; the rest is summed up in one more entry.
    pub max_notes: usize,
    /// What one archive may cost.
    pub archives: Caps,
    /// Ends the reading before it is done.
    pub halt: Halt,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_file_bytes: 64 << 20,
            max_blob_bytes: 64 << 20,
            max_object_bytes: 64 << 20,
            max_depth: 512,
            max_paths: 4_000_000,
            max_places: 1_000,
            max_notes: 200,
            archives: Caps::default(),
            halt: Halt::default(),
        }
    }
}
