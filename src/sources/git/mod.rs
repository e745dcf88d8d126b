//! Git repositories: opening them, walking their history, reading each blob once, saying who brought it in.

mod attribute;
mod blobs;
mod census;
mod graph;
mod ids;
mod index;
mod key;
mod loose;
mod names;
mod object;
mod open;
mod owner;
mod pack;
mod parents;
mod reach;
mod reduce;
mod reflogs;
mod refs;
mod report;
mod staged;
mod states;
mod tell;
mod trails;
mod tree;
mod unreachable;
mod walk;

pub(super) use attribute::{Attribution, Said, attribute};
pub(super) use blobs::{Reading as BlobReading, read_blobs};
pub(super) use ids::{Id, bytes};
pub(super) use index::{Known, WorkTreeIndex, index_file};
pub(super) use key::key;
pub(super) use object::{hash_blob, oid, prepare};
pub(super) use open::{Access, Refusal, Repo, common_dir, default_branch, open, origin};
pub(super) use report::{Totals, Trouble};
pub use staged::{Staged, StagedError, staged};
pub(super) use tell::attribute_messages;
pub(super) use tree::{HeadFile, head_files};
pub(super) use walk::{History, walk};

#[cfg(test)]
mod packed_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trail_tests;
