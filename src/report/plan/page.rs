//! The plan as a page for a terminal: the curve, then the items wave by wave.

use super::super::summary::{COLUMNS, Style};
use super::super::text::{fit, line, thousands, wrap};
use super::super::{Emitter, ReportError};
use super::curve;
use crate::model::{PlanItem, Report};
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
                entry(&mut out, item)?;
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

fn entry(out: &mut impl Write, item: &PlanItem) -> Result<(), ReportError> {
    writeln!(
        out,
        "  {:>2}. {}",
        item.position,
        fit(&line(&item.title), COLUMNS - 6)
    )?;
    let ready = format!(
        "issue {} · observe {} · revoke {}",
        item.readiness.issue.as_str(),
        item.readiness.observe.as_str(),
        item.readiness.revoke.as_str()
    );
    let facts = format!(
        "risk {} → {} · effort {} · {} · {} · mitigation {} · {ready} · {}",
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
