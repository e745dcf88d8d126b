//! Draws the state.
//!
//! ```text
//! ┌ run, counts, risk, what is told ────────────┐
//! │ 1 Start  2 Findings  3 Identities  …        │
//! │ rows of the view, or one subject            │
//! │ what is typed, or the keys that work here   │
//! └─────────────────────────────────────────────┘
//! ```

mod code;
mod form;
mod help;
mod list;
mod menu;
mod page;
mod start;
mod theme;

use super::action::Action;
use super::mode::{Mode, View};
use super::state::State;
use crate::report::text::{plural, thousands};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr as _;

/// Least width of a screen that shows the page of the selected row beside the rows.
const PREVIEW: u16 = 160;

/// What the line of keys names first.
const USUAL: [Action; 10] = [
    Action::Open,
    Action::Back,
    Action::Filter,
    Action::NextUndecided,
    Action::AcceptRisk,
    Action::FalsePositive,
    Action::Remediate,
    Action::Mark,
    Action::Related,
    Action::Undo,
];

/// Draws one frame; tells the state how many rows fit.
pub fn draw(state: &mut State<'_>, frame: &mut Frame<'_>) {
    let typing = matches!(state.mode, Mode::Filter);
    let [title, tabs, body, bottom] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(if typing { 3 } else { 1 }),
    ])
    .areas(frame.area());
    frame.render_widget(title_line(state, title.width), title);
    frame.render_widget(tab_line(state), tabs);
    let behind = match state.mode {
        Mode::Prompt | Mode::Menu | Mode::Confirm | Mode::Help => state.from,
        mode => mode,
    };
    match (state.mode, behind) {
        (Mode::Help, _) => help::draw(state, frame, body),
        (_, Mode::Detail | Mode::Find) if state.page.is_some() => page::draw(state, frame, body),
        _ if state.view == View::Start => start::draw(state, frame, body),
        _ if body.width >= PREVIEW && state.list().is_some_and(|list| !list.rows().is_empty()) => {
            let halves = [Constraint::Percentage(55), Constraint::Min(1)];
            let [rows, beside] = Layout::horizontal(halves).spacing(2).areas(body);
            page::preview(state, frame, beside);
            list::draw(state, frame, rows);
        }
        _ => list::draw(state, frame, body),
    }
    match state.mode {
        Mode::Menu => menu::draw(state, frame, body),
        Mode::Prompt => form::draw(state, frame, body),
        Mode::Confirm => form::question(state, frame, body),
        _ => {}
    }
    bottom_lines(state, frame, bottom);
}

fn title_line(state: &State<'_>, width: u16) -> Line<'static> {
    let run = &state.data.report.run;
    let summary = &state.data.report.summary;
    let incomplete = if run.complete {
        ""
    } else {
        " · incomplete, see coverage"
    };
    let reading = if state.settings.read_only {
        " · read only"
    } else {
        ""
    };
    let reload = state.settings.keymap.help(Mode::List).into_iter();
    let newer = reload
        .filter(|(action, ..)| *action == Action::Reload && state.newer.is_some())
        .find_map(|(.., keys)| keys.first().map(ToString::to_string))
        .map_or_else(String::new, |key| format!(" · a newer run is there: {key}"));
    let risk = format!(
        "risk {} → {}",
        thousands(u64::from(summary.standing_risk)),
        thousands(u64::from(summary.standing_risk_after))
    );
    let whole = format!("overstay · {} · {risk}{incomplete}{reading}{newer}", run.id);
    let text = if whole.width() <= usize::from(width) {
        whole
    } else {
        format!("overstay · {risk}{newer}{reading}{incomplete}")
    };
    Line::styled(text, Style::new().add_modifier(Modifier::BOLD))
}

fn tab_line(state: &State<'_>) -> Line<'static> {
    let spans = View::ALL.iter().enumerate().map(|(number, view)| {
        let style = if *view == state.view {
            Style::new().add_modifier(Modifier::REVERSED)
        } else {
            Style::new()
        };
        Span::styled(format!(" {} {}", number + 1, view.title()), style)
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// What is typed, what is told, or the keys that work here.
fn bottom_lines(state: &State<'_>, frame: &mut Frame<'_>, area: Rect) {
    let dim = Style::new().add_modifier(Modifier::DIM);
    let lines = match state.mode {
        Mode::Filter => {
            let error = state.list().and_then(|list| list.error.as_ref());
            let first = match error {
                Some(error) => {
                    // The filter begins behind the slash.
                    let marks = " ".repeat(error.at + 1) + "^";
                    Line::styled(format!("{marks} {}", error.message), theme::warning())
                }
                None => Line::styled(suggestions(&state.line.suggestions), dim),
            };
            vec![
                Line::from(format!("/{}▏", state.line.text)),
                first,
                Line::styled(counts(state), dim),
            ]
        }
        Mode::Find => vec![Line::from(format!("look for: {}▏", state.line.text))],
        _ => vec![match &state.notice {
            Some(notice) => Line::styled(notice.clone(), theme::notice()),
            None => Line::styled(keys(state, area.width), dim),
        }],
    };
    frame.render_widget(Paragraph::new(lines), area);
}

fn suggestions(all: &[String]) -> String {
    if all.is_empty() {
        "tab completes; owner:none age:>365 severity:high -status:decided path:infra/* \"words\""
            .to_owned()
    } else {
        let ends = all.iter().filter_map(|each| each.split_whitespace().last());
        format!("tab: {}", ends.collect::<Vec<_>>().join("  "))
    }
}

/// How many rows the filter lets through, how many are marked.
fn counts(state: &State<'_>) -> String {
    let Some(list) = state.list() else {
        return String::new();
    };
    let (passing, all) = list.passing();
    let mut parts = vec![if passing.len() == all {
        plural(all as u64, "row", "rows")
    } else {
        format!(
            "{} of {}",
            thousands(passing.len() as u64),
            plural(all as u64, "row", "rows")
        )
    }];
    if !list.marks.is_empty() {
        parts.push(format!("{} marked", thousands(list.marks.len() as u64)));
    }
    if let Some(from) = list.range {
        let count = from.abs_diff(list.selected()) as u64 + 1;
        parts.push(format!("range of {}", plural(count, "row", "rows")));
    }
    parts.join(", ")
}

fn keys(state: &State<'_>, width: u16) -> String {
    let mut parts = Vec::new();
    if let Some(list) = state.list().filter(|_| state.mode == Mode::List) {
        if !list.filter.is_empty() {
            parts.push(format!("/{}", list.filter));
        }
        parts.push(counts(state));
    }
    let mut length: usize = parts.iter().map(|part| part.width() + 3).sum();
    let help = state
        .settings
        .keymap
        .help(state.mode)
        .into_iter()
        .find(|(action, ..)| *action == Action::Help);
    let last = help.map_or_else(String::new, |(_, words, keys)| {
        let key = keys.first().map_or_else(String::new, ToString::to_string);
        format!("{key} {words}")
    });
    length += last.width();
    let mut all = state.settings.keymap.help(state.mode);
    // What is pressed most is named first.
    all.sort_by_key(|(action, ..)| {
        let place = USUAL.iter().position(|usual| usual == action);
        place.unwrap_or(USUAL.len())
    });
    for (action, help, keys) in all {
        if action.moves() || action == Action::Help || !state.offers(action) {
            continue;
        }
        let Some(key) = keys.first() else { continue };
        let part = format!("{key} {help}");
        length += part.width() + 3;
        if length > usize::from(width) {
            break;
        }
        parts.push(part);
    }
    parts.extend((!last.is_empty()).then_some(last));
    parts.join(" · ")
}
