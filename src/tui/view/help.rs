//! The help, drawn from the keymap.

use crate::tui::keymap::{self, BINDINGS};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};
use ratatui::widgets::Paragraph;

/// Draws one line an action, with all its keys.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect) {
    let mut lines: Vec<(&'static str, Vec<String>)> = Vec::new();
    for binding in BINDINGS {
        let key = keymap::name(binding);
        match lines.iter_mut().find(|(help, _)| *help == binding.help) {
            Some((_, keys)) if keys.contains(&key) => {}
            Some((_, keys)) => keys.push(key),
            None => lines.push((binding.help, vec![key])),
        }
    }
    let text = lines
        .into_iter()
        .map(|(help, keys)| Line::from(format!("  {:<22} {help}", keys.join("  "))));
    frame.render_widget(Paragraph::new(text.collect::<Text<'_>>()), area);
}
