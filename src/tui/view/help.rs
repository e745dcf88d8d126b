//! The help: what works here, from the keymap.

use super::theme;
use crate::query;
use crate::tui::state::State;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};
use ratatui::widgets::Paragraph;

/// Draws one line an action, with all its keys.
pub(super) fn draw(state: &mut State<'_>, frame: &mut Frame<'_>, area: Rect) {
    state.height = usize::from(area.height).max(1);
    let mut lines = vec![Line::styled("Keys that work here", theme::heading())];
    for (action, help, keys) in state.settings.keymap.help(state.from) {
        if state.offers(action) {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            lines.push(Line::from(format!("  {:<22} {help}", keys.join("  "))));
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled("Filters", theme::heading()));
    lines.push(Line::from(
        "  field:value  -field:value  field:>90  field:none  a or b  \"words\"",
    ));
    for line in query::help().lines() {
        lines.push(Line::from(line.to_owned()));
    }
    let last = lines.len().saturating_sub(state.height);
    state.help = state.help.min(last);
    let shown: Text<'_> = lines
        .into_iter()
        .skip(state.help)
        .take(state.height)
        .collect();
    frame.render_widget(Paragraph::new(shown), area);
}
