//! Everything a user can do in the review.

use serde::{Deserialize, Serialize};

/// One thing to do. Serialisable, so that key bindings are data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Select the next row, or scroll down.
    Down,
    /// Select the previous row, or scroll up.
    Up,
    /// One page down.
    PageDown,
    /// One page up.
    PageUp,
    /// First row.
    First,
    /// Last row.
    Last,
    /// Next view.
    NextView,
    /// Previous view.
    PreviousView,
    /// The view with this number, from 1.
    View(u8),
    /// Open the detail of the selected row.
    Open,
    /// Back to the list; from the list, clear the filter.
    Back,
    /// Type a filter.
    Filter,
    /// A letter typed into the filter.
    Type(char),
    /// Remove the last letter of the filter.
    Erase,
    /// Done typing.
    Accept,
    /// Show or hide the help.
    Help,
    /// Leave.
    Quit,
}

impl Action {
    /// Only moves: everybody tries these keys, so the line of keys leaves them to the help.
    pub const fn moves(self) -> bool {
        matches!(
            self,
            Self::Down
                | Self::Up
                | Self::PageDown
                | Self::PageUp
                | Self::First
                | Self::Last
                | Self::View(_)
                | Self::PreviousView
        )
    }
}
