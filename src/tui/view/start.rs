//! The first page: what is new, what is undecided, where things stand, where to start.

use super::theme;
use crate::model::Severity;
use crate::report::charts;
use crate::report::text::{line, plural, thousands};
use crate::tui::action::Action;
use crate::tui::mode::Mode;
use crate::tui::state::State;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Paragraph;

/// Draws the page.
pub(super) fn draw(state: &mut State<'_>, frame: &mut Frame<'_>, area: Rect) {
    state.height = usize::from(area.height).max(1);
    let mut lines = vec![Line::default()];
    decided(state, &mut lines, area.width);
    lines.push(Line::default());
    risk(state, &mut lines);
    lines.push(Line::default());
    wave(state, &mut lines);
    lines.push(Line::default());
    start(state, &mut lines);
    // What is said matters more than the room around it.
    while lines.len() > state.height
        && let Some(blank) = lines.iter().rposition(|line| line.width() == 0)
    {
        lines.remove(blank);
    }
    frame.render_widget(Paragraph::new(Text::from(lines)), area);
}

/// How far the review is, by severity, and what is new.
fn decided(state: &mut State<'_>, lines: &mut Vec<Line<'static>>, width: u16) {
    let progress = state.progress();
    let (open, settled, new) = (progress.open, progress.settled, progress.new);
    let all = open + settled;
    let since = if state.settings.reviewed.is_some() {
        " since the last review"
    } else {
        ""
    };
    let back = match progress.back {
        0 => String::new(),
        back => format!(", {} back that had been fixed", thousands(back)),
    };
    let text = format!("  {} new{since}{back}", thousands(new));
    lines.push(Line::styled(text, theme::heading()));
    lines.push(Line::from(format!(
        "  {} undecided of {}",
        thousands(open),
        thousands(all)
    )));
    for severity in [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Info,
    ] {
        let count = progress.of_severity(severity);
        if count > 0 {
            lines.push(Line::from(vec![
                Span::raw("    "),
                Span::styled(
                    format!("{severity:<9}{:>7}", thousands(count)),
                    theme::level(&severity.to_string()),
                ),
            ]));
        }
    }
    let room = usize::from(width.saturating_sub(30)).clamp(10, 50);
    let filled = if all == 0 {
        room
    } else {
        settled as usize * room / all as usize
    };
    lines.push(Line::from(format!(
        "  decided  {}{} {} of {}",
        "█".repeat(filled),
        "░".repeat(room - filled),
        thousands(settled),
        thousands(all)
    )));
}

/// Standing risk, its way so far, and what the plan takes off.
fn risk(state: &State<'_>, lines: &mut Vec<Line<'static>>) {
    let summary = &state.data.report.summary;
    lines.push(Line::from(format!(
        "  Standing risk {}, after the plan {}{}",
        thousands(u64::from(summary.standing_risk)),
        thousands(u64::from(summary.standing_risk_after)),
        sparkline(&state.settings.trend)
    )));
    lines.push(Line::from(format!(
        "  {}, {} without an owner; {} of {} long-lived",
        plural(
            u64::from(summary.machine_identities),
            "machine identity",
            "machine identities"
        ),
        thousands(u64::from(summary.without_owner)),
        thousands(u64::from(summary.long_lived_credentials)),
        plural(u64::from(summary.credentials), "credential", "credentials"),
    )));
    let gaps: u32 = ["partial", "failed", "unsupported"]
        .iter()
        .filter_map(|word| summary.coverage.get(*word))
        .sum();
    if gaps > 0 {
        lines.push(Line::styled(
            format!(
                "  {} not seen whole: see coverage",
                plural(u64::from(gaps), "source", "sources")
            ),
            theme::warning(),
        ));
    }
}

/// The figures of earlier runs as bars; nothing for fewer than two.
pub(super) fn sparkline(figures: &[u32]) -> String {
    if figures.len() < 2 {
        return String::new();
    }
    let last = figures.len().saturating_sub(30);
    let bars = charts::sparkline(figures.iter().skip(last).map(|figure| u64::from(*figure)));
    format!("   {bars} of the last runs")
}

fn wave(state: &State<'_>, lines: &mut Vec<Line<'static>>) {
    let plan = &state.data.brief.rows().plan;
    let first: Vec<_> = plan.iter().filter(|item| item.wave == 1).collect();
    if first.is_empty() {
        lines.push(Line::from("  The plan has nothing in its first wave"));
        return;
    }
    let removed: u64 = first
        .iter()
        .map(|item| u64::from(item.before.saturating_sub(item.after)))
        .sum();
    let text = format!(
        "  Wave 1: {}, takes {} off the risk",
        plural(first.len() as u64, "item", "items"),
        thousands(removed)
    );
    lines.push(Line::styled(text, theme::heading()));
    for item in first.iter().take(3) {
        lines.push(Line::from(format!(
            "    {} → {}  {}",
            item.before,
            item.after,
            line(state.data.text(item.title))
        )));
    }
}

fn start(state: &State<'_>, lines: &mut Vec<Line<'static>>) {
    lines.push(Line::styled("  Where to start", theme::heading()));
    let all = state.settings.keymap.help(Mode::List);
    let ways = [
        (
            Action::NextUndecided,
            "the first finding nobody decided about",
            Style::new(),
        ),
        (
            Action::View(1),
            "all findings, one row for each credential or identity",
            Style::new(),
        ),
        (Action::View(4), "the plan, wave by wave", Style::new()),
        (Action::Help, "what works here", Style::new()),
        (Action::Reload, "a newer run is there", theme::notice()),
    ];
    for (action, words, style) in ways {
        let key = all.iter().find(|(known, ..)| *known == action);
        let key = key.and_then(|(.., keys)| keys.first());
        if let Some(key) = key.filter(|_| state.offers(action)) {
            let key = key.to_string();
            lines.push(Line::styled(format!("    {key:<6} {words}"), style));
        }
    }
}
