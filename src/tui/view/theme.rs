//! Colours: the sixteen of every terminal, and never the only sign.

use ratatui::style::{Color, Modifier, Style};

/// Colour of a severity, band or status, whose word is always beside it.
pub(super) fn level(word: &str) -> Style {
    match word {
        "critical" | "failed" => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        "high" | "partial" | "unsupported" => Style::new().fg(Color::Red),
        "medium" => Style::new().fg(Color::Yellow),
        _ => Style::new(),
    }
}

/// A heading.
pub(super) fn heading() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

/// What people said.
pub(super) fn said() -> Style {
    Style::new().fg(Color::Cyan)
}

/// What is told.
pub(super) fn notice() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

/// What is wrong.
pub(super) fn warning() -> Style {
    Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD)
}

/// What is settled.
pub(super) fn settled() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

/// What is selected.
pub(super) fn selected(style: Style) -> Style {
    style.add_modifier(Modifier::REVERSED)
}

/// A key, in a file.
pub(super) fn key() -> Style {
    Style::new().fg(Color::Cyan)
}

/// A text, in a file.
pub(super) fn text() -> Style {
    Style::new().fg(Color::Green)
}

/// A number or a word with a meaning of its own, in a file.
pub(super) fn literal() -> Style {
    Style::new().fg(Color::Magenta)
}

/// A line that a patch adds; it begins with a sign.
pub(super) fn added() -> Style {
    Style::new().fg(Color::Green)
}

/// A line that a patch takes away; it begins with a sign.
pub(super) fn removed() -> Style {
    Style::new().fg(Color::Red)
}
