//! What the keyboard does right now, and the views.

use serde::{Deserialize, Serialize};

/// What the keyboard does right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Moving in a list, or on the first page.
    List,
    /// Reading one subject.
    Detail,
    /// Typing a filter.
    Filter,
    /// Typing what to look for in a page.
    Find,
    /// Filling in what a decision needs.
    Prompt,
    /// Choosing from a menu.
    Menu,
    /// Saying yes or no.
    Confirm,
    /// Reading the help.
    Help,
}

/// The views, in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// Where things stand, and where to start.
    Start,
    /// What is wrong.
    Findings,
    /// Who acts.
    Identities,
    /// What lets them in.
    Credentials,
    /// What to do.
    Plan,
    /// What was not seen.
    Coverage,
    /// What people said.
    Decisions,
}

impl View {
    /// All views.
    pub const ALL: [Self; 7] = [
        Self::Start,
        Self::Findings,
        Self::Identities,
        Self::Credentials,
        Self::Plan,
        Self::Coverage,
        Self::Decisions,
    ];

    /// Title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Findings => "Findings",
            Self::Identities => "Identities",
            Self::Credentials => "Credentials",
            Self::Plan => "Plan",
            Self::Coverage => "Coverage",
            Self::Decisions => "Decisions",
        }
    }

    /// Place among all, which is its number.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|view| *view == self).unwrap_or(0)
    }
}
