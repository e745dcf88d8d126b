//! One subject.

use super::{code, theme};
use crate::tui::list::List;
use crate::tui::page::{Page, Tone};
use crate::tui::state::State;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Wrap};

/// Draws the page from the line it is scrolled to.
pub(super) fn draw(state: &mut State<'_>, frame: &mut Frame<'_>, area: Rect) {
    state.height = usize::from(area.height).max(1);
    state.columns = usize::from(area.width);
    if let Some(page) = &mut state.page {
        if page.columns != state.columns {
            page.columns = state.columns;
            page.write(&state.data);
        }
        show(page, frame, area);
    }
}

/// Draws the beginning of the page of the selected row.
pub(super) fn preview(state: &mut State<'_>, frame: &mut Frame<'_>, area: Rect) {
    let Some(item) = state.list().and_then(List::item) else {
        return;
    };
    let columns = usize::from(area.width);
    let stale = |page: &Page| page.item != item || page.columns != columns;
    if state.preview.as_ref().is_none_or(stale) {
        state.preview = Some(Page::preview(&state.data, item, columns));
    }
    if let Some(page) = &state.preview {
        show(page, frame, area);
    }
}

fn show(page: &Page, frame: &mut Frame<'_>, area: Rect) {
    let lines = page
        .lines
        .iter()
        .skip(page.scroll)
        .take(usize::from(area.height))
        .map(|(tone, text)| {
            let style = match tone {
                Tone::Heading => theme::heading(),
                Tone::Said => theme::said(),
                Tone::Plain | Tone::File(_) => Style::new(),
            };
            match tone {
                Tone::File(language) if page.find.is_empty() => {
                    Line::from(code::spans(*language, text))
                }
                _ => line(text, style, &page.find),
            }
        });
    let text: Text<'_> = lines.collect();
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), area);
}

/// A line in which what is looked for stands out, and the words of a level have their colour.
fn line<'a>(text: &'a str, style: Style, find: &str) -> Line<'a> {
    let lower = text.to_lowercase();
    // Lower case can change the length of a text; then nothing stands out.
    if !find.is_empty() && lower.len() == text.len() && lower.contains(find) {
        let mut spans = Vec::new();
        let mut from = 0;
        for (at, found) in lower.match_indices(find) {
            let parts = (text.get(from..at), text.get(at..at + found.len()));
            if let (Some(before), Some(hit)) = parts {
                spans.push(Span::styled(before, style));
                spans.push(Span::styled(hit, style.add_modifier(Modifier::REVERSED)));
                from = at + found.len();
            }
        }
        spans.push(Span::styled(text.get(from..).unwrap_or_default(), style));
        return Line::from(spans);
    }
    let first = text.split_whitespace().next().unwrap_or_default();
    let level = theme::level(first.trim_end_matches([':', ',']));
    Line::styled(text, style.patch(level))
}
