//! Everything a user can do in the review.

use serde::{Deserialize, Serialize};

/// One thing to do. Serialisable, so that key bindings are data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// The view with this number, from 0.
    View(u8),
    /// Open the selected row: fold or unfold a group, else its page.
    Open,
    /// Back: to the list, or without the filter.
    Back,
    /// To where the last jump came from.
    Return,
    /// Choose something related to jump to.
    Related,
    /// Jump to a related subject, by its place in the menu.
    Jump(u16),
    /// Type a filter.
    Filter,
    /// Filter by a value of the selected row.
    Facets,
    /// Add a facet of the selected row to the filter, by its place in the menu.
    Facet(u16),
    /// Choose a saved filter.
    Views,
    /// Use a saved filter, by its place in the menu.
    SavedView(u16),
    /// Look for a text in the page.
    Find,
    /// Next place of the text.
    FindNext,
    /// Previous place of the text.
    FindPrevious,
    /// Choose the column to sort by.
    Sort,
    /// Sort by a column, by its place.
    SortBy(u8),
    /// Turn the order round.
    Reverse,
    /// Choose what to group by.
    Group,
    /// Group by a property, by its place in the menu; 0 does not group.
    GroupBy(u8),
    /// Fold or unfold every group.
    FoldAll,
    /// Mark the row and go to the next.
    Mark,
    /// Begin or end a range of rows.
    Range,
    /// Mark every row that the filter lets through.
    MarkAll,
    /// Unmark everything.
    Unmark,
    /// Accept the risk.
    AcceptRisk,
    /// It is not what the finding says.
    FalsePositive,
    /// It will be fixed.
    Remediate,
    /// Look again later.
    Defer,
    /// Say who owns it.
    Owner,
    /// Say what it is for.
    Purpose,
    /// Say that it is emergency access.
    BreakGlass,
    /// Choose another disposition.
    Disposition,
    /// Take back what was decided.
    Reopen,
    /// Decide the same as last time.
    Repeat,
    /// Undo the last decision.
    Undo,
    /// Decide again what was undone.
    Redo,
    /// Next row nobody decided about.
    NextUndecided,
    /// Previous row nobody decided about.
    PreviousUndecided,
    /// Copy the id.
    Copy,
    /// Copy the path or the native id.
    CopyPath,
    /// Open the place in an editor.
    Edit,
    /// Write the rows that the filter lets through to a file.
    Export,
    /// Show more columns.
    Wide,
    /// Everything that can be done here, by name.
    Palette,
    /// Show or hide the help.
    Help,
    /// Read the newer run.
    Reload,
    /// Back to the shell; `fg` returns.
    Suspend,
    /// Leave.
    Quit,
    /// A letter typed.
    Type(char),
    /// Remove the last letter.
    Erase,
    /// Remove the last word.
    EraseWord,
    /// Complete the word, or the next suggestion.
    Complete,
    /// Next field, or next suggestion.
    NextField,
    /// Previous field, or previous suggestion.
    PreviousField,
    /// Done typing, chosen, or confirmed.
    Accept,
    /// Not so.
    Cancel,
    /// A click on a cell of the screen: column and row.
    Click(u16, u16),
    /// The wheel: down, or up.
    Wheel(bool),
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
                | Self::NextView
                | Self::PreviousView
        )
    }

    /// Writes a decision, which a review that is only read does not offer.
    pub const fn decides(self) -> bool {
        matches!(
            self,
            Self::AcceptRisk
                | Self::FalsePositive
                | Self::Remediate
                | Self::Defer
                | Self::Owner
                | Self::Purpose
                | Self::BreakGlass
                | Self::Disposition
                | Self::Reopen
                | Self::Repeat
                | Self::Undo
                | Self::Redo
        )
    }
}
