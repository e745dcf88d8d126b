//! Exit codes and the failures that lead to them.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done; no gate was set or none was tripped.
    Done,
    /// A finding at or above `--fail-on` or `--fail-on-new`.
    Gate,
    /// Wrong usage, configuration or rules.
    Usage,
    /// There was nothing to scan.
    Nothing,
    /// Finished, but a source could not be read whole.
    Incomplete,
    /// A fault of this program.
    Internal,
    /// Another run holds the state folder.
    Busy,
    /// A signal, by its number, ended it.
    Interrupted(i32),
}

impl Outcome {
    /// The documented number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Gate => 1,
            Self::Usage => 2,
            Self::Nothing => 3,
            Self::Incomplete => 4,
            Self::Internal => 70,
            Self::Busy => 75,
            Self::Interrupted(signal) => 128 + (signal as u8 & 0x7f),
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}

/// A failure that ends a command: what the user sees, and the code.
#[derive(Debug)]
pub(super) struct Failure {
    /// The code.
    pub outcome: Outcome,
    /// What was being done, to what, and why it failed.
    pub error: anyhow::Error,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// Wrong usage or configuration, with what to do about it.
    pub(super) fn usage(error: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Usage,
            error: error.into(),
            hint: Some(hint.into()),
        }
    }

    /// Any failure with its code and what to do about it.
    pub(super) fn new(
        outcome: Outcome,
        error: impl Into<anyhow::Error>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            outcome,
            error: error.into(),
            hint: Some(hint.into()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self {
            outcome: Outcome::Internal,
            error,
            hint: None,
        }
    }
}

/// What a command returns.
pub(super) type CommandResult = Result<Outcome, Failure>;
