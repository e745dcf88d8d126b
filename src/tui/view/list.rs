//! The rows of a view.

use crate::tui::rows;
use crate::tui::state::State;
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::{Paragraph, Row, Table};

/// Draws only the rows on screen, so that the cost of a frame does not grow with the report.
pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>, area: Rect) {
    state.page = usize::from(area.height.saturating_sub(1)).max(1);
    if state.visible.is_empty() {
        let text = if state.rows.is_empty() {
            "Nothing here."
        } else {
            "No row matches the filter; esc clears it."
        };
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let first = state
        .selected
        .saturating_sub(state.page / 2)
        .min(state.visible.len().saturating_sub(state.page));
    let columns = rows::columns(state.view);
    let shown = state
        .visible
        .iter()
        .enumerate()
        .skip(first)
        .take(state.page)
        .filter_map(|(at, index)| {
            let row = state.rows.get(*index)?;
            let mut style = level_style(&row.level);
            if at == state.selected {
                style = style.add_modifier(Modifier::REVERSED);
            }
            Some(Row::new(row.cells.iter().map(String::as_str)).style(style))
        });
    let widths = columns.iter().map(|column| match column.width {
        0 => Constraint::Fill(1),
        width => Constraint::Length(width),
    });
    let header = Row::new(columns.iter().map(|column| column.title))
        .style(Style::new().add_modifier(Modifier::BOLD));
    frame.render_widget(
        Table::new(shown, widths).header(header).column_spacing(1),
        area,
    );
}

/// Colour of a level; the word itself is always in the row as well.
fn level_style(level: &str) -> Style {
    match level {
        "critical" | "failed" => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        "high" | "partial" | "unsupported" => Style::new().fg(Color::Red),
        "medium" => Style::new().fg(Color::Yellow),
        _ => Style::new(),
    }
}
