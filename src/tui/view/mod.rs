//! Draws the state.
//!
//! ```text
//! ┌ title: run, counts ─────────────────────────┐
//! │ 1 Findings  2 Identities  …                 │
//! │ rows of the view, or one subject            │
//! │ filter, or the keys that work here          │
//! └─────────────────────────────────────────────┘
//! ```

mod detail;
mod help;
mod list;

use super::keymap::{self, BINDINGS};
use super::state::{Mode, State, View};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

/// Draws one frame; tells the state how many rows fit.
pub fn draw(state: &mut State, frame: &mut Frame<'_>) {
    let [title, tabs, body, bottom] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(title_line(state), title);
    frame.render_widget(tab_line(state), tabs);
    match state.mode {
        Mode::List | Mode::Filter => list::draw(state, frame, body),
        Mode::Detail => detail::draw(state, frame, body),
        Mode::Help => help::draw(frame, body),
    }
    frame.render_widget(bottom_line(state), bottom);
}

fn title_line(state: &State) -> Line<'static> {
    let summary = &state.report.summary;
    let count = |word: &str| summary.findings_by_severity.get(word).copied().unwrap_or(0);
    let incomplete = if state.report.run.complete {
        ""
    } else {
        " · incomplete, see coverage"
    };
    Line::styled(
        format!(
            "overstay · {} · {} critical, {} high · risk {} → {}{incomplete}",
            state.report.run.id,
            count("critical"),
            count("high"),
            summary.standing_risk,
            summary.standing_risk_after,
        ),
        Style::new().add_modifier(Modifier::BOLD),
    )
}

fn tab_line(state: &State) -> Line<'static> {
    let mut spans = Vec::new();
    for (number, view) in View::ALL.iter().enumerate() {
        let style = if *view == state.view {
            Style::new().add_modifier(Modifier::REVERSED)
        } else {
            Style::new()
        };
        spans.push(Span::styled(
            format!(" {} {} ", number + 1, view.title()),
            style,
        ));
    }
    Line::from(spans)
}

fn bottom_line(state: &State) -> Line<'static> {
    if state.mode == Mode::Filter {
        return Line::from(format!(
            "/{}▏  {} of {}",
            state.filter,
            state.visible.len(),
            state.rows.len()
        ));
    }
    let mut parts = Vec::new();
    if !state.filter.is_empty() {
        parts.push(format!(
            "/{}  {} of {}",
            state.filter,
            state.visible.len(),
            state.rows.len()
        ));
    }
    let mut told = Vec::new();
    for binding in BINDINGS
        .iter()
        .filter(|binding| binding.modes.contains(&state.mode))
    {
        if !(binding.action.moves() || told.contains(&binding.action)) {
            told.push(binding.action);
            parts.push(format!("{} {}", keymap::name(binding), binding.help));
        }
    }
    Line::styled(parts.join(" · "), Style::new().add_modifier(Modifier::DIM))
}
