//! What changed since the run before: one line for a mail's subject, a page for people, CSV and JSON for programs.

use super::{progress, text};
use crate::model::{
    Drift, Finding, FindingStatus, ItemProgress, ItemState, Location, Report, Severity,
    StandingDrift,
};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Findings listed of each kind.
const LISTED: usize = 50;

/// What is told of, in this order.
const NEWS: [(FindingStatus, &str); 6] = [
    (FindingStatus::New, "new"),
    (FindingStatus::Reappeared, "reappeared"),
    (FindingStatus::Worsened, "worsened"),
    (FindingStatus::AcceptedExpired, "acceptance ran out"),
    (FindingStatus::Improved, "improved"),
    (FindingStatus::Fixed, "fixed"),
];

/// The findings of a status, those that were fixed included.
fn of(report: &Report, status: FindingStatus) -> Vec<&Finding> {
    let fixed = report.changes.iter().flat_map(|changes| &changes.fixed);
    let all = report.findings.iter().chain(fixed);
    all.filter(|finding| finding.status == status).collect()
}

fn drift(report: &Report) -> &[Drift] {
    report.changes.as_ref().map_or(&[], |one| &one.drift)
}

/// Items of earlier plans whose state is another one since this run.
fn moved(report: &Report) -> impl Iterator<Item = &ItemProgress> {
    let plan = report.changes.iter().flat_map(|changes| &changes.plan);
    plan.filter(|one| one.since == report.run.now && one.planned_at != one.since)
}

fn standing(report: &Report) -> &[StandingDrift] {
    report.changes.as_ref().map_or(&[], |one| &one.standing)
}

/// The change in one line.
pub fn line(report: &Report) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (status, word) in NEWS {
        let found = of(report, status);
        if found.is_empty() {
            continue;
        }
        let critical = found
            .iter()
            .filter(|one| one.severity == Severity::Critical)
            .count();
        let worst = if critical > 0 && status != FindingStatus::Fixed {
            format!(" ({critical} critical)")
        } else {
            String::new()
        };
        parts.push(format!("{} {word}{worst}", found.len()));
    }
    let gained = drift(report)
        .iter()
        .filter(|one| !one.gained.is_empty())
        .count();
    if gained > 0 {
        let words = if gained == 1 {
            "identity reaches"
        } else {
            "identities reach"
        };
        parts.push(format!("{gained} {words} more"));
    }
    let lost = drift(report).iter().filter(|one| one.gained.is_empty());
    let lost = lost.count();
    if lost > 0 {
        let words = if lost == 1 {
            "identity reaches"
        } else {
            "identities reach"
        };
        parts.push(format!("{lost} {words} less"));
    }
    for (state, words) in [
        (ItemState::Done, "of the plan done"),
        (ItemState::Reopened, "of the plan came back"),
        (ItemState::DualPath, "of the plan with both ways open"),
    ] {
        match moved(report).filter(|one| one.state == state).count() {
            0 => {}
            count => parts.push(format!("{count} {words}")),
        }
    }
    if parts.is_empty() {
        parts.push("nothing changed".to_owned());
    }
    let open: Vec<_> = report
        .findings
        .iter()
        .filter(|one| one.status.open())
        .collect();
    let severe = |severity| open.iter().filter(|one| one.severity == severity).count();
    let incomplete = if report.run.complete {
        ""
    } else {
        "; INCOMPLETE: a source could not be read"
    };
    format!(
        "overstay: {}; {} open ({} critical, {} high), standing risk {}{incomplete}",
        parts.join(", "),
        open.len(),
        severe(Severity::Critical),
        severe(Severity::High),
        text::thousands(report.summary.standing_risk.into()),
    )
}

/// The change as a page: the line, then what is behind each of its figures.
pub fn page(report: &Report) -> String {
    let mut out = line(report);
    out.push('\n');
    if let Some((id, time)) = report
        .changes
        .as_ref()
        .and_then(|one| one.since.as_ref().zip(one.since_time))
    {
        let _ = writeln!(
            out,
            "run {} at {}, compared with {} at {time}",
            report.run.id,
            report.run.now,
            text::line(id)
        );
    }
    for (status, word) in NEWS {
        let found = of(report, status);
        if found.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{word}:");
        for finding in found.iter().take(LISTED) {
            let place = finding.locations.first();
            let place = place.map_or_else(String::new, |place| {
                format!("  {}", text::line(&place.display()))
            });
            let _ = writeln!(
                out,
                "  {:<8} {}  {}{place}",
                finding.severity.as_str(),
                finding.id,
                text::line(&finding.title),
            );
            if !finding.changes.is_empty() {
                let _ = writeln!(
                    out,
                    "           {}",
                    text::line(&finding.changes.join("; "))
                );
            }
        }
        if found.len() > LISTED {
            let _ = writeln!(out, "  and {} more", found.len() - LISTED);
        }
    }
    if !drift(report).is_empty() {
        out.push_str("\nreach:\n");
    }
    for one in drift(report).iter().take(LISTED) {
        let _ = writeln!(
            out,
            "  {} ({}), {} changes",
            text::line(&one.name),
            one.identity,
            one.total
        );
        for (sign, lines) in [('+', &one.gained), ('-', &one.lost)] {
            for line in lines {
                let _ = writeln!(out, "    {sign} {}", text::line(line));
            }
        }
    }
    if drift(report).len() > LISTED {
        let _ = writeln!(out, "  and {} more", drift(report).len() - LISTED);
    }
    plan(&mut out, report);
    out
}

/// What became of the plan, and what stands since.
fn plan(out: &mut String, report: &Report) {
    let tally = report.changes.as_ref().and_then(progress::tally);
    let Some(tally) = tally else { return };
    let _ = writeln!(out, "\nplan: {tally}");
    for one in moved(report).take(LISTED) {
        let _ = writeln!(
            out,
            "  {:<9} {}  {}",
            one.state.as_str(),
            one.item,
            text::line(&one.title)
        );
        for line in &one.evidence {
            let _ = writeln!(out, "            {}", text::line(line));
        }
    }
    for one in standing(report).iter().take(LISTED) {
        let _ = writeln!(
            out,
            "  standing  {}  {}: {}",
            one.assessment,
            text::line(&one.subject),
            progress::standing(one)
        );
    }
}

/// The change for programs.
pub fn value(report: &Report) -> Value {
    let mut findings = Vec::new();
    for (status, _) in NEWS {
        findings.extend(of(report, status).into_iter().map(|finding| {
            json!({
                "id": finding.id,
                "rule": finding.rule,
                "severity": finding.severity,
                "status": finding.status,
                "title": finding.title,
                "first_seen": finding.first_seen,
                "last_seen": finding.last_seen,
                "changes": finding.changes,
                "location": finding.locations.first(),
            })
        }));
    }
    let changes = report.changes.as_ref();
    json!({
        "schema": "overstay.changes/1",
        "summary": line(report),
        "run": report.run.id,
        "now": report.run.now,
        "complete": report.run.complete,
        "since": changes.and_then(|one| one.since.clone()),
        "since_time": changes.and_then(|one| one.since_time),
        "statuses": changes.map(|one| one.statuses.clone()),
        "findings": findings,
        "drift": drift(report),
        "plan": changes.map(|one| &one.plan),
        "standing": standing(report),
    })
}

/// The change as rows: kind, id, severity, rule, title, what changed, place.
pub fn rows(report: &Report) -> Vec<[String; 7]> {
    let mut rows = Vec::new();
    for (status, _) in NEWS {
        for finding in of(report, status) {
            let place = finding.locations.first();
            rows.push([
                status.as_str().to_owned(),
                finding.id.to_string(),
                finding.severity.as_str().to_owned(),
                finding.rule.clone(),
                finding.title.clone(),
                finding.changes.join("; "),
                place.map_or_else(String::new, Location::display),
            ]);
        }
    }
    for one in drift(report) {
        for (kind, lines) in [("reach-gained", &one.gained), ("reach-lost", &one.lost)] {
            for line in lines {
                rows.push([
                    kind.to_owned(),
                    one.identity.to_string(),
                    String::new(),
                    String::new(),
                    one.name.clone(),
                    line.clone(),
                    String::new(),
                ]);
            }
        }
    }
    for one in moved(report) {
        rows.push([
            format!("plan-{}", one.state.as_str()),
            one.item.to_string(),
            String::new(),
            String::new(),
            one.title.clone(),
            one.evidence.join("; "),
            String::new(),
        ]);
    }
    for one in standing(report) {
        rows.push([
            "standing".to_owned(),
            one.assessment.to_string(),
            String::new(),
            String::new(),
            one.subject.clone(),
            progress::standing(one),
            String::new(),
        ]);
    }
    rows
}
