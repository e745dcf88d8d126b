//! The first page: what is new, what is undecided, where things stand, where to start.

use super::theme;
use crate::model::Severity;
use crate::report::charts;
use crate::report::text::{line, plural};
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
        back => format!(", {back} back that had been fixed"),
    };
    let text = format!("  {new} new{since}{back}");
    lines.push(Line::styled(text, theme::heading()));
    lines.push(Line::from(format!("  {open} undecided of {all}")));
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
                    format!("{severity:<9}{count:>6}"),
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
        "  decided  {}{} {settled} of {all}",
        "█".repeat(filled),
        "░".repeat(room - filled)
    )));
}

/// Standing risk, its way so far, and what the plan takes off.
fn risk(state: &State<'_>, lines: &mut Vec<Line<'static>>) {
    let summary = &state.data.report.summary;
    lines.push(Line::from(format!(
        "  Standing risk {}, after the plan {}{}",
        summary.standing_risk,
        summary.standing_risk_after,
        sparkline(&state.settings.trend)
    )));
    lines.push(Line::from(format!(
        "  {}, {} without an owner; {} of {} long-lived",
        plural(
            u64::from(summary.machine_identities),
            "machine identity",
            "machine identities"
        ),
        summary.without_owner,
        summary.long_lived_credentials,
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
        "  Wave 1: {}, takes {removed} off the risk",
        plural(first.len() as u64, "item", "items")
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
    let keys = |text: &'static str| Line::styled(text, Style::new());
    lines.push(keys("    ]      the first finding nobody decided about"));
    lines.push(keys(
        "    2      all findings, one row for each credential or identity",
    ));
    lines.push(keys("    5      the plan, wave by wave"));
    lines.push(keys("    ?      what works here"));
    if !state.settings.trend.is_empty() && state.newer.is_some() {
        lines.push(Line::styled(
            "    ctrl-r a newer run is there",
            theme::notice(),
        ));
    }
}
