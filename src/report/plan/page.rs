//! The plan as a page for a terminal: the curve, then the items wave by wave.

use super::super::summary::{COLUMNS, Style};
use super::super::text::{fit, line, thousands, wrap};
use super::super::{Emitter, ReportError, progress};
use super::curve;
use crate::model::{Changes, ItemState, PlanItem, Report};
use std::io::{BufWriter, Write};

/// Items shown of one wave.
const MOST_ITEMS: usize = 25;
/// Waves shown.
const MOST_WAVES: u32 = 6;

/// Writes the page.
pub(in super::super) struct PlanPage {
    pub(in super::super) colour: bool,
}

impl Emitter for PlanPage {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        let style = Style(self.colour);
        let mut out = BufWriter::new(out);
        let summary = &report.summary;
        if report.plan.is_empty() {
            if let Some(changes) = &report.changes {
                since(&mut out, style, changes)?;
            }
            writeln!(
                out,
                "There is nothing to plan: no access calls for a change."
            )?;
            return Ok(out.flush()?);
        }
        writeln!(
            out,
            "{}  run {}, policy {}",
            style.heading("Migration plan"),
            line(&report.run.id),
            line(&report.run.policy_digest)
        )?;
        writeln!(out, "\n{}", style.heading("Standing risk"))?;
        for bar in curve::bars(summary) {
            writeln!(out, "  {bar}")?;
        }
        if let Some(changes) = &report.changes {
            since(&mut out, style, changes)?;
        }
        let last = report.plan.iter().map(|item| item.wave).max().unwrap_or(0);
        for wave in 1..=last.min(MOST_WAVES) {
            let items: Vec<&PlanItem> = report
                .plan
                .iter()
                .filter(|item| item.wave == wave)
                .collect();
            if items.is_empty() {
                continue;
            }
            writeln!(out, "\n{}", style.heading(&format!("Wave {wave}")))?;
            for item in items.iter().take(MOST_ITEMS) {
                entry(&mut out, report, item)?;
            }
            if items.len() > MOST_ITEMS {
                writeln!(out, "  … and {} more", items.len() - MOST_ITEMS)?;
            }
        }
        if last > MOST_WAVES {
            let more = report
                .plan
                .iter()
                .filter(|item| item.wave > MOST_WAVES)
                .count();
            writeln!(
                out,
                "\n{} items of later waves are in plan.md and plan.csv.",
                thousands(more as u64)
            )?;
        }
        writeln!(
            out,
            "\n`overstay explain ID` tells why, `overstay simulate ID --target MECHANISM --ttl 1h` what would be otherwise."
        )?;
        Ok(out.flush()?)
    }
}

/// What became of earlier plans: what is told of is what moved.
fn since(out: &mut impl Write, style: Style, changes: &Changes) -> Result<(), ReportError> {
    let Some(tally) = progress::tally(changes) else {
        return Ok(());
    };
    let day = progress::planned_since(changes);
    let heading = day.map_or_else(
        || "Since the plan".to_owned(),
        |day| format!("Since the plan of {day}"),
    );
    writeln!(out, "\n{}  {tally}", style.heading(&heading))?;
    let moved = [
        ItemState::Reopened,
        ItemState::DualPath,
        ItemState::Done,
        ItemState::Superseded,
    ];
    for state in moved {
        for one in changes.planned(state).take(MOST_ITEMS) {
            let title = format!("{}: {}", progress::state(one), line(&one.title));
            writeln!(out, "  {}", fit(&title, COLUMNS - 2))?;
            for text in &one.evidence {
                writeln!(out, "      {}", fit(&line(text), COLUMNS - 6))?;
            }
        }
    }
    for one in changes.standing.iter().take(MOST_ITEMS) {
        let text = format!(
            "standing access, {}: {}",
            progress::standing(one),
            line(&one.subject)
        );
        writeln!(out, "  {}", fit(&text, COLUMNS - 2))?;
    }
    Ok(())
}

fn entry(out: &mut impl Write, report: &Report, item: &PlanItem) -> Result<(), ReportError> {
    writeln!(
        out,
        "  {:>2}. {}",
        item.position,
        fit(&line(&item.title), COLUMNS - 6)
    )?;
    let state = progress::of(report, &item.id)
        .map_or_else(String::new, |one| format!("{} · ", progress::state(one)));
    let ready = format!(
        "issue {} · observe {} · revoke {}",
        item.readiness.issue.as_str(),
        item.readiness.observe.as_str(),
        item.readiness.revoke.as_str()
    );
    let facts = format!(
        "{state}risk {} → {} · effort {} · {} · {} · mitigation {} · {ready} · {}",
        item.risk_before,
        item.risk_after,
        item.effort.size,
        line(&item.mechanism_title),
        line(&item.approval.duration),
        item.mitigation.as_str(),
        item.id.as_str(),
    );
    for text in wrap(&facts, COLUMNS - 6) {
        writeln!(out, "      {text}")?;
    }
    Ok(())
}
