//! Forms and questions over what is behind them.

use super::menu::middle;
use super::theme;
use crate::tui::state::State;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

/// Draws the form.
pub(super) fn draw(state: &State<'_>, frame: &mut Frame<'_>, area: Rect) {
    let Some(form) = &state.form else { return };
    let mut lines = Vec::new();
    for (at, (field, needed, input)) in form.fields.iter().enumerate() {
        let here = at == form.at;
        let cursor = if here { "▏" } else { "" };
        let needed = if *needed { "" } else { " (may be empty)" };
        let style = if here { theme::heading() } else { Style::new() };
        lines.push(Line::styled(
            format!(
                "{:>10}: {}{cursor}{}",
                field.title(),
                input.text,
                if input.text.is_empty() { needed } else { "" }
            ),
            style,
        ));
    }
    let dim = Style::new().add_modifier(Modifier::DIM);
    let suggestions = form
        .fields
        .get(form.at)
        .map(|(_, _, input)| &input.suggestions);
    match (&form.error, suggestions) {
        (Some(error), _) => lines.push(Line::styled(error.clone(), theme::warning())),
        (None, Some(all)) if !all.is_empty() => {
            lines.push(Line::styled(format!("→ {}", all.join(" | ")), dim));
        }
        _ => lines.push(Line::default()),
    }
    lines.push(Line::styled(
        "enter: record · tab: next field · →: suggestion · esc: leave it",
        dim,
    ));
    framed(frame, area, &form.title, lines);
}

/// Draws the question.
pub(super) fn question(state: &State<'_>, frame: &mut Frame<'_>, area: Rect) {
    let Some(question) = &state.question else {
        return;
    };
    let mut lines = vec![Line::styled(question.text.clone(), theme::heading())];
    if let Some(draft) = question.drafts.first() {
        lines.push(Line::from(format!("reason: {}", draft.reason)));
        if let Some(day) = draft.expires {
            lines.push(Line::from(format!("until: {day}")));
        }
    }
    lines.push(Line::from("y: yes · n: no · one undo takes all of it back"));
    framed(frame, area, "Sure?", lines);
}

fn framed(frame: &mut Frame<'_>, area: Rect, title: &str, lines: Vec<Line<'_>>) {
    let height = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(3);
    let place = middle(area, 90, height);
    frame.render_widget(Clear, place);
    let block = Block::bordered().title(title.to_owned());
    let text = Paragraph::new(Text::from(lines)).wrap(Wrap { trim: false });
    frame.render_widget(text.block(block), place);
}
