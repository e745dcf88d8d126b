//! A menu over what is behind it.

use super::theme;
use crate::report::text::line;
use crate::tui::state::State;
use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Clear, Paragraph};

/// A box in the middle of an area.
pub(super) fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let [column] = Layout::horizontal([Constraint::Max(width)])
        .flex(Flex::Center)
        .areas(area);
    let [row] = Layout::vertical([Constraint::Max(height)])
        .flex(Flex::Center)
        .areas(column);
    row
}

/// Draws the menu.
pub(super) fn draw(state: &State<'_>, frame: &mut Frame<'_>, area: Rect) {
    let menu = &state.menu;
    let count = menu.shown().count();
    let wanted = u16::try_from(count).unwrap_or(u16::MAX).saturating_add(3);
    let place = middle(area, 84, wanted.max(5));
    let height = usize::from(place.height.saturating_sub(3)).max(1);
    let first = menu.at.saturating_sub(height - 1);
    let width = usize::from(place.width.saturating_sub(2));
    let mut lines = vec![Line::from(format!("{}▏", menu.typed))];
    for (at, entry) in menu.shown().enumerate().skip(first).take(height) {
        let note = line(&entry.note);
        let label = line(&entry.label);
        let room = width.saturating_sub(note.chars().count() + 1);
        let label: String = label.chars().take(room).collect();
        let text = format!("{label:<room$} {note}");
        let style = ratatui::style::Style::new();
        let style = if at == menu.at {
            theme::selected(style)
        } else {
            style
        };
        lines.push(Line::styled(text, style));
    }
    if count == 0 {
        lines.push(Line::from("nothing is like that"));
    }
    frame.render_widget(Clear, place);
    let block = Block::bordered().title(menu.title.as_str());
    frame.render_widget(Paragraph::new(Text::from(lines)).block(block), place);
}
