//! The whole state of the review.

use super::rows::{self, Row};
use crate::model::Report;

/// What the keyboard does right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Moving in a list.
    List,
    /// Reading one subject.
    Detail,
    /// Typing a filter.
    Filter,
    /// Reading the help.
    Help,
}

/// The views, in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
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
}

impl View {
    /// All views.
    pub const ALL: [Self; 5] = [
        Self::Findings,
        Self::Identities,
        Self::Credentials,
        Self::Plan,
        Self::Coverage,
    ];

    /// Title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Findings => "Findings",
            Self::Identities => "Identities",
            Self::Credentials => "Credentials",
            Self::Plan => "Plan",
            Self::Coverage => "Coverage",
        }
    }
}

/// State of the review.
#[derive(Debug)]
pub struct State {
    /// The run under review.
    pub report: Report,
    /// Mode.
    pub mode: Mode,
    /// View.
    pub view: View,
    /// Filter as typed; matches rows that hold every word of it.
    pub filter: String,
    /// Every row of the view.
    pub rows: Vec<Row>,
    /// Rows the filter lets through, as indexes into `rows`.
    pub visible: Vec<usize>,
    /// Selected row, as index into `visible`.
    pub selected: usize,
    /// Lines of the detail.
    pub detail: Vec<String>,
    /// First line of the detail on screen.
    pub scroll: usize,
    /// Rows or lines the screen can show; the view sets it when it draws.
    pub page: usize,
    /// The user wants to leave.
    pub quit: bool,
}

impl State {
    /// Opens on the findings.
    pub fn new(report: Report) -> Self {
        let mut state = Self {
            report,
            mode: Mode::List,
            view: View::Findings,
            filter: String::new(),
            rows: Vec::new(),
            visible: Vec::new(),
            selected: 0,
            detail: Vec::new(),
            scroll: 0,
            page: 1,
            quit: false,
        };
        state.show(View::Findings);
        state
    }

    /// Changes to a view.
    pub fn show(&mut self, view: View) {
        self.view = view;
        self.rows = rows::of(&self.report, view);
        self.selected = 0;
        self.refilter();
    }

    /// Applies the filter again; the selection stays on its row if the row is still there.
    pub fn refilter(&mut self) {
        let kept = self.visible.get(self.selected).copied();
        let words: Vec<String> = self
            .filter
            .to_lowercase()
            .split_whitespace()
            .map(ToOwned::to_owned)
            .collect();
        self.visible = (0..self.rows.len())
            .filter(|index| {
                self.rows
                    .get(*index)
                    .is_some_and(|row| words.iter().all(|word| row.text.contains(word)))
            })
            .collect();
        let still = kept.and_then(|row| self.visible.iter().position(|index| *index == row));
        self.selected = still.unwrap_or(0);
    }

    /// The selected row.
    pub fn row(&self) -> Option<&Row> {
        self.rows.get(*self.visible.get(self.selected)?)
    }
}
