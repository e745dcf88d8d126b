//! The rows of a view.

use super::theme;
use crate::report::text;
use crate::tui::columns::{self, Column};
use crate::tui::data::{Data, Item};
use crate::tui::list::{Group, List, Row as Line, is_undecided};
use crate::tui::state::State;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Span;
use ratatui::widgets::Paragraph;

/// Draws only the rows on screen, so that the cost of a frame does not grow with the report.
pub(super) fn draw(state: &mut State<'_>, frame: &mut Frame<'_>, area: Rect) {
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let Some(list) = state.list() else { return };
    let count = list.rows().len();
    let first = list
        .selected()
        .saturating_sub(height / 2)
        .min(count.saturating_sub(height));
    if count == 0 {
        let text = if list.filter.is_empty() {
            "Nothing here."
        } else {
            "No row passes the filter; esc clears it."
        };
        frame.render_widget(Paragraph::new(text), area);
    } else {
        rows(&state.data, list, state.wide, frame, area, first);
    }
    state.height = height;
    state.top = first;
}

fn rows(data: &Data<'_>, list: &List, wide: bool, frame: &mut Frame<'_>, area: Rect, first: usize) {
    let columns: Vec<&Column> = columns::of(list.view)
        .iter()
        .filter(|column| wide || column.from <= area.width)
        .collect();
    let [margin, rest] =
        Layout::horizontal([Constraint::Length(2), Constraint::Min(1)]).areas(area);
    let widths = columns.iter().map(|column| match column.width {
        0 => Constraint::Fill(1),
        width => Constraint::Length(width),
    });
    let areas = Layout::horizontal(widths).spacing(1).split(rest);
    let line = |area: Rect, at: usize| Rect {
        y: area.y + u16::try_from(at).unwrap_or(u16::MAX),
        height: 1,
        ..area
    };
    for (column, area) in columns.iter().zip(areas.iter()) {
        let sorted = columns::of(list.view)
            .iter()
            .position(|known| known.title == column.title && known.width == column.width)
            .zip(list.sort)
            .filter(|(place, (sorted, _))| place == sorted);
        let sign = match sorted {
            Some((_, (_, false))) => "↓",
            Some((_, (_, true))) => "↑",
            None => "",
        };
        let title = Span::styled(format!("{}{sign}", column.title), theme::heading());
        frame.render_widget(title, line(*area, 0));
    }
    let range = list.range.map(|from| {
        let to = list.selected();
        from.min(to)..=from.max(to)
    });
    let shown = list
        .rows()
        .iter()
        .enumerate()
        .skip(first)
        .take(usize::from(area.height.saturating_sub(1)));
    for (on_screen, (at, row)) in shown.enumerate() {
        let on_screen = on_screen + 1;
        let selected = at == list.selected();
        let style = |style: Style| {
            if selected {
                theme::selected(style)
            } else {
                style
            }
        };
        let inside = range.as_ref().is_some_and(|range| range.contains(&at));
        match row {
            Line::Group(group) => {
                let Some(group) = list.group(*group) else {
                    continue;
                };
                let marked = group.items.iter().all(|item| list.marks.contains(item));
                let sign = sign(marked, inside, if group.open { '▾' } else { '▸' });
                frame.render_widget(
                    Span::styled(sign, style(theme::heading())),
                    line(margin, on_screen),
                );
                let words = heading(group, usize::from(rest.width));
                let tone = if group.undecided == 0 {
                    theme::settled()
                } else {
                    theme::level(group.level)
                };
                let blank = usize::from(rest.width).saturating_sub(text::width(&words));
                let full = format!("{words}{}", " ".repeat(blank));
                frame.render_widget(Span::styled(full, style(tone)), line(rest, on_screen));
            }
            Line::Item(item) => {
                let marked = list.marks.contains(item);
                let settled = if is_settled(data, *item) { '✓' } else { ' ' };
                let sign = sign(marked, inside, settled);
                frame.render_widget(
                    Span::styled(sign, style(Style::new())),
                    line(margin, on_screen),
                );
                let tone = tone(data, *item);
                if selected {
                    let blank = " ".repeat(usize::from(rest.width));
                    frame.render_widget(Span::styled(blank, style(tone)), line(rest, on_screen));
                }
                for (column, area) in columns.iter().zip(areas.iter()) {
                    let cell = (column.cell)(data, *item);
                    frame.render_widget(Span::styled(cell, style(tone)), line(*area, on_screen));
                }
            }
        }
    }
}

fn sign(marked: bool, in_range: bool, otherwise: char) -> String {
    let sign = match (marked, in_range) {
        (true, _) => '*',
        (false, true) => '│',
        (false, false) => otherwise,
    };
    format!("{sign} ")
}

/// The worst of the group, what its rows have in common, how many there are and how many of them are open.
fn heading(group: &Group, width: usize) -> String {
    let open = match group.undecided {
        0 => ", settled".to_owned(),
        open if open == group.items.len() => String::new(),
        open => format!(", {open} open"),
    };
    let level = format!("{:<8}", group.level);
    let count = format!("({}{open})", group.items.len());
    let around = text::width(&level) + text::width(&count) + 2;
    let title = text::fit(&group.title, width.saturating_sub(around));
    format!("{level} {title} {count}")
}

/// Whether nothing about it is left to decide: colour is not the only sign of it.
fn is_settled(data: &Data<'_>, item: Item) -> bool {
    let has = matches!(item, Item::Finding(_)) || !data.findings(item).is_empty();
    has && !is_undecided(data, item)
}

fn tone(data: &Data<'_>, item: Item) -> Style {
    if matches!(item, Item::Finding(_)) && !is_undecided(data, item) {
        theme::settled()
    } else {
        theme::level(columns::level(data, item))
    }
}
