//! What git tells of a text: when it came, when it went, what still leads to it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most names in a list of branches or clones; the total beside it counts the rest.
pub const MOST_NAMES: usize = 10;

/// What a text stands in.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// A file, today or in a commit.
    #[default]
    File,
    /// The message of a commit; the uri is `.git/commit/<id>`.
    CommitMessage,
    /// The message of an annotated tag; the uri is `.git/tag/<name>`.
    TagMessage,
    /// A git note; the uri is `.git/notes/<ref>/<id of what it annotates>`.
    Note,
    /// A blob that no tree names; the uri is the ref that leads to it, or `.git/blob/<id>`.
    Blob,
}

impl Medium {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::CommitMessage => "commit-message",
            Self::TagMessage => "tag-message",
            Self::Note => "note",
            Self::Blob => "blob",
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the form that serde calls"
    )]
    fn is_file(&self) -> bool {
        *self == Self::File
    }
}

/// What leads to a text in git, the most public way first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// A branch, local or of a remote, or HEAD.
    Branch,
    /// A tag.
    Tag,
    /// Another ref, such as that of a pull request or of notes.
    Ref,
    /// The stash of this clone.
    Stash,
    /// Only a reflog of this clone: the commit was amended, rebased or dropped.
    Reflog,
    /// Nothing; the object is still in the store.
    Unreachable,
}

impl Reach {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Tag => "tag",
            Self::Ref => "ref",
            Self::Stash => "stash",
            Self::Reflog => "reflog",
            Self::Unreachable => "unreachable",
        }
    }
}

/// What git tells of one text at one path, beside who brought it in and when. Empty outside git.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(default)]
pub struct Trail {
    /// What it stands in, unless that is a file.
    #[serde(skip_serializing_if = "Medium::is_file")]
    pub medium: Medium,
    /// What leads to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached_by: Option<Reach>,
    /// Commit that held it last (full id): HEAD where HEAD holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_commit: Option<String>,
    /// Commit that took it out of HEAD's line (full id); `None` while HEAD has it, and where HEAD never had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_in: Option<String>,
    /// Committer time of that commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
    /// Branches whose history holds it, by name, at most ten; where there is none, the other refs whose history does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    /// Number of those branches.
    #[serde(skip_serializing_if = "is_zero")]
    pub branches_total: u32,
    /// Repositories of this scan that share the commit, by name, at most ten; empty when there is only one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clones: Vec<String>,
    /// Number of those repositories.
    #[serde(skip_serializing_if = "is_zero")]
    pub clones_total: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What git tells of a credential over all its places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialTrail {
    /// Repository of its first commit.
    pub repository: String,
    /// Earliest commit that holds it, anywhere (full id).
    pub first_commit: Option<String>,
    /// Author of that commit.
    pub introduced_by: Option<String>,
    /// Committer time of that commit.
    pub introduced_at: Option<Timestamp>,
    /// Latest commit known to hold it (full id).
    pub last_commit: Option<String>,
    /// Whether a current file holds it, in any repository.
    pub at_head: bool,
    /// Commit that took the last of it out of HEAD's line (full id); `None` while a current file has it.
    pub removed_in: Option<String>,
    /// Committer time of that commit.
    pub removed_at: Option<Timestamp>,
    /// Branches whose history holds it, by name, at most ten.
    pub branches: Vec<String>,
    /// Number of those branches, as far as its places name them.
    pub branches_total: u32,
    /// Number of repositories and clones in this scan that hold it.
    pub repositories: u32,
    /// Number of places.
    pub sightings: u32,
}
