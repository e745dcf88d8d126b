//! Every byte that comes in: file trees, git objects, AWS snapshots. Knows limits, hostility and coverage; knows no rule.
//!
//! [`discover`] turns the paths a user gave into [`Root`]s, [`read`] hands every document below them to a visitor once.

mod archives;
pub mod aws;
mod buffer;
pub mod cloudtrail;
mod combine;
mod current;
mod discover;
mod entries;
mod files;
mod folders;
mod git;
mod git_coverage;
mod given;
mod histories;
mod identity;
mod kept;
pub mod limits;
mod load;
mod locate;
mod messages;
mod names;
mod past;
mod place;
mod read;
mod screen;
mod site;
mod state;
#[cfg(test)]
mod testing;

pub use combine::combine;
pub use discover::{DiscoverError, Discovery, Root, RootKind, discover, discover_except};
pub use git::{Staged, StagedError, staged};
pub use given::{Given, read_given};
pub use identity::{origins, shard};
pub use kept::{Facts, Kind, Memory, NoMemory, Parts, Reader, Value, Writer};
pub use limits::{Halt, Limits};
pub use place::{Located, Place};
pub use read::{Looked, ReadOutcome, collect, look, read};
pub use screen::{Everything, Screen};

use jiff::Timestamp;
use std::any::Any;

/// Where a document stands: only what is current is what a user of the repository sees today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// In the folder or work tree, or in HEAD's tree of a bare repository.
    Current,
    /// A blob that only history holds.
    History,
    /// Inside an archive, wherever that stands.
    Member,
    /// What a commit or a tag says.
    Message,
}

/// One document on its way through the visitor.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Name of the root it was read from; for a blob that several hold, the first of them that gave its bytes.
    pub repository: &'a str,
    /// Path below the root, percent-encoded; `None` for blobs of history, whose paths are resolved afterwards.
    pub uri: Option<&'a str>,
    /// Content, whole.
    pub bytes: &'a [u8],
    /// Where it stands.
    pub origin: Origin,
    /// What the [`Screen`] kept of it, where it was screened.
    pub marks: Option<&'a (dyn Any + Send + Sync)>,
}

/// What to read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Read git history. Without it only current documents are read, and they carry no commit.
    pub history: bool,
    /// Also read what no ref and no reflog leads to any more. Without a meaning together with `since`.
    pub unreachable: bool,
    /// Of history, only blobs introduced by commits at or after this time (committer's clock).
    pub since: Option<Timestamp>,
    /// Also read repositories that belong to another user.
    pub trust_repo_owner: bool,
    /// Caps on what hostile input can cost.
    pub limits: Limits,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            history: true,
            unreachable: false,
            since: None,
            trust_repo_owner: false,
            limits: Limits::default(),
        }
    }
}

/// The stage in which the histories of repositories are read.
pub const HISTORY: &str = "history";

/// Told how far reading has come. Called from several threads.
pub trait Progress: Sync {
    /// So many more documents will be read.
    fn planned(&self, units: u64);
    /// So many documents were read.
    fn done(&self, units: u64);
    /// A new stage begins.
    fn stage(&self, name: &str);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn planned(&self, _units: u64) {}
    fn done(&self, _units: u64) {}
    fn stage(&self, _name: &str) {}
}
