//! One subject, explained.

use crate::tui::state::State;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Paragraph, Wrap};

/// Draws the page from the line it is scrolled to.
pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>, area: Rect) {
    state.page = usize::from(area.height).max(1);
    let lines = state
        .detail
        .iter()
        .skip(state.scroll)
        .take(state.page)
        .map(|line| Line::from(line.as_str()));
    frame.render_widget(
        Paragraph::new(lines.collect::<Text<'_>>()).wrap(Wrap { trim: false }),
        area,
    );
}
