//! `overstay diff`: two stored runs.

use super::args::{Diff, DiffFormat, Global};
use super::exit::{CommandResult, Failure, Outcome};
use super::keeping::plan_asked;
use super::{print, runs, tables};
use crate::model::{Changes, PlanMemory, Report};
use crate::report::changes;
use crate::scan::follow_plans;
use crate::store::change::{self, Past, known_of};
use crate::store::reach;
use crate::store::runs::Runs;
use anyhow::anyhow;

/// Compares two stored runs and prints what changed.
pub(super) fn run(args: &Diff, global: &Global) -> CommandResult {
    let store = runs::open(global)?;
    let list = store.list().map_err(runs::failed)?;
    let new = match &args.new {
        Some(id) => load(&store, id)?,
        None => store
            .latest()
            .map_err(runs::failed)?
            .ok_or_else(|| missing("there is no stored run"))?,
    };
    let old = if let Some(id) = &args.old {
        load(&store, id)?
    } else {
        let at = list.iter().position(|run| run.id == new.run.id);
        let before = at.and_then(|at| list.get(at + 1));
        let before =
            before.ok_or_else(|| missing("there is no run before the last one to compare with"))?;
        load(&store, &before.id)?
    };
    let report = compared(&store, &old, new)?;
    let any = report.changes.as_ref().is_some_and(Changes::any);
    let text = match args.format {
        DiffFormat::Text => changes::page(&report),
        DiffFormat::Json => format!("{:#}\n", changes::value(&report)),
        DiffFormat::Csv => {
            let header = [
                "change", "id", "severity", "class", "title", "changes", "place",
            ];
            tables::csv(&header, changes::rows(&report))?
        }
    };
    print(text.as_bytes())?;
    Ok(if args.exit_code && any {
        Outcome::Gate
    } else {
        Outcome::Done
    })
}

/// The newer report, marked against the older one and nothing else.
fn compared(store: &Runs, old: &Report, mut new: Report) -> Result<Report, Failure> {
    let asked = |report: &Report| store.asked(&report.run.id).map_err(runs::failed);
    let past = Past {
        run: Some((old.run.id.clone(), old.run.now)),
        findings: known_of(old, &asked(old)?, None).into_iter().collect(),
        reach: reach::of(old),
        ..Past::default()
    };
    let asked = asked(&new)?;
    let first: Vec<_> = new.findings.iter().map(|one| one.first_seen).collect();
    change::mark(&mut new, &past, &asked);
    let plans = match store.plans_after(&old.run.id).map_err(runs::failed)? {
        Some(plans) => plans,
        None => follow_plans(
            &mut old.clone(),
            PlanMemory::default(),
            &plan_asked(&store.asked(&old.run.id).map_err(runs::failed)?),
        )
        .map_err(damaged)?,
    };
    follow_plans(&mut new, plans, &plan_asked(&asked)).map_err(damaged)?;
    for (finding, first) in new.findings.iter_mut().zip(first) {
        finding.first_seen = first.or(finding.first_seen);
    }
    Ok(new)
}

fn damaged(error: crate::rules::RuleError) -> Failure {
    Failure::usage(error, "`overstay doctor` checks the rules")
}

fn load(store: &Runs, id: &str) -> Result<Report, Failure> {
    let found = store.load(id).map_err(runs::failed)?;
    found.ok_or_else(|| missing(&format!("there is no run `{id}`")))
}

fn missing(text: &str) -> Failure {
    Failure::usage(
        anyhow!(text.to_owned()),
        "`overstay history` lists the stored runs",
    )
}
