//! The plan with what it rests on, for programs.

use super::super::{Emitter, ReportError};
use crate::model::{Assessment, ItemProgress, PlanItem, Report, Run, StandingDrift, WaveRisk};
use serde::Serialize;
use std::io::{BufWriter, Write};

/// Writes the plan as JSON.
pub(in super::super) struct PlanJson;

#[derive(Serialize)]
struct Whole<'a> {
    schema: &'static str,
    run: &'a Run,
    standing_risk: u32,
    standing_risk_after: u32,
    risk_by_wave: &'a [WaveRisk],
    plan: &'a [PlanItem],
    assessments: Vec<&'a Assessment>,
    progress: &'a [ItemProgress],
    standing: &'a [StandingDrift],
}

impl Emitter for PlanJson {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        let planned: std::collections::BTreeSet<_> =
            report.plan.iter().map(|item| &item.assessment).collect();
        let changes = report.changes.as_ref();
        let whole = Whole {
            schema: "overstay.plan/1",
            run: &report.run,
            standing_risk: report.summary.standing_risk,
            standing_risk_after: report.summary.standing_risk_after,
            risk_by_wave: &report.summary.risk_by_wave,
            plan: &report.plan,
            assessments: report
                .assessments
                .iter()
                .filter(|assessment| planned.contains(&assessment.id))
                .collect(),
            progress: changes.map_or(&[], |changes| &changes.plan),
            standing: changes.map_or(&[], |changes| &changes.standing),
        };
        let mut out = BufWriter::new(out);
        serde_json::to_writer_pretty(&mut out, &whole)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }
}
