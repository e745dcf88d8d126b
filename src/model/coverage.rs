//! What was looked at and what was not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of one unit of a source.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CoverageStatus {
    /// Read whole.
    Read,
    /// Read in part; what is missing is named in the reason.
    Partial,
    /// Left out on purpose: a setting, a size cap, a binary file. Does not make the scan incomplete.
    Skipped,
    /// Could not be read. Makes the scan incomplete.
    Failed,
    /// Of a kind this version cannot read. Makes the scan incomplete.
    Unsupported,
    /// Nothing is missing, but somebody should look: an exception that no longer matches anything.
    Noted,
    /// Evidence that would have helped and was not given, such as a credential report. Does not make the scan
    /// incomplete.
    Absent,
}

impl CoverageStatus {
    /// Whether a unit in this state makes the whole scan incomplete (exit code 4).
    pub const fn incomplete(self) -> bool {
        matches!(self, Self::Partial | Self::Failed | Self::Unsupported)
    }

    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Partial => "partial",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Unsupported => "unsupported",
            Self::Noted => "noted",
            Self::Absent => "absent",
        }
    }
}

/// One unit of one source and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Kind of source: `git`, `files`, `aws-snapshot`, `manifests`, …
    pub source: String,
    /// What was read: a repository's name, `repository/path`, `aws/<account>/<file>`.
    pub unit: String,
    /// What became of it.
    pub status: CoverageStatus,
    /// Counts for a unit that was read (`1,204 blobs, 310 commits`), the reason for one that was not, with what to do
    /// about it. Never a parser's own message and never content.
    pub reason: String,
}

impl Coverage {
    /// A coverage entry.
    pub fn new(
        source: impl Into<String>,
        unit: impl Into<String>,
        status: CoverageStatus,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            source: source.into(),
            unit: unit.into(),
            status,
            reason: reason.into(),
        }
    }
}
