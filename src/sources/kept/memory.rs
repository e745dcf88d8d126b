//! Where what was read is kept between runs.

use std::path::Path;

/// What is kept of a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Its current files.
    Files,
    /// The history of its object store.
    History,
    /// What everything that was read of all roots came to.
    Joined,
}

impl Kind {
    /// Lower-case word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::History => "history",
            Self::Joined => "joined",
        }
    }
}

/// Counts of what is kept, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Files, or blobs.
    pub documents: u64,
    /// Of these, those of which the content is kept because a report needs it.
    pub of_interest: u64,
    /// Commits.
    pub commits: u64,
}

/// Keeps what was read. Everything kept must have been read under the same rules, by the same program and with the same
/// options, or not be handed out.
pub trait Memory: Sync {
    /// What is kept of the root at this path.
    fn recall(&self, kind: Kind, path: &Path) -> Option<Vec<u8>>;

    /// Keeps something in place of what was kept.
    fn keep(&self, kind: Kind, path: &Path, facts: Facts, packed: Vec<u8>);

    /// Whether there is any use in handing it something.
    fn keeps(&self) -> bool {
        true
    }

    /// Whether what was joined may be taken from an earlier run and kept for the next one.
    fn joins(&self) -> bool {
        self.keeps()
    }

    /// When the run began, in seconds since 1970, by the clock of the file system.
    fn began(&self) -> i64;

    /// What time it is by that clock.
    fn now(&self) -> i64;
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn recall(&self, _: Kind, _: &Path) -> Option<Vec<u8>> {
        None
    }

    fn keep(&self, _: Kind, _: &Path, _: Facts, _: Vec<u8>) {}

    fn keeps(&self) -> bool {
        false
    }

    fn began(&self) -> i64 {
        i64::MIN
    }

    fn now(&self) -> i64 {
        i64::MIN
    }
}
