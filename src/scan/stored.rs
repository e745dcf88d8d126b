//! What is asked of a report that was judged before.

use super::{Made, Measures, RuleSet, SimulateError, Simulation, Trial, done};
use crate::model::aws::AwsAccount;
use crate::model::{AssessmentId, Coverage, CoverageStatus, PlanItem, PlanMemory, Report};
use crate::plan;
use crate::report::text;
use crate::rules::RuleError;
use crate::rules::targets::Targets;
use crate::sources::Halt;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tells in a report that was compared what became of the items of earlier plans, and what stands since; returns what the
/// next run has to know.
///
/// # Errors
/// When the embedded catalogue is not valid.
pub fn follow_plans(
    report: &mut Report,
    memory: PlanMemory,
    asked: &done::Asked,
) -> Result<PlanMemory, RuleError> {
    let progress = done::progress(report, memory, asked, &Targets::builtin()?);
    if progress.elsewhere > 0 {
        report.tell(Coverage::new(
            "plan",
            "earlier plans",
            CoverageStatus::Noted,
            format!(
                "{} of earlier plans belong to places that this run was not asked to look at: they stay as they were, and the \
                 next run over those places tells of them",
                text::plural(progress.elsewhere as u64, "item", "items")
            ),
        ));
    }
    let changes = report.changes.get_or_insert_default();
    changes.plan = progress.items;
    changes.standing = progress.standing;
    Ok(progress.memory)
}

/// Judges one subject of a stored run as it stands and as tried.
///
/// # Errors
/// When there is no such subject or mechanism.
pub fn simulate(
    report: &Report,
    accounts: &[AwsAccount],
    rules: &RuleSet,
    id: &AssessmentId,
    trial: &Trial,
) -> Result<Simulation, SimulateError> {
    let inventory = plan::simulate::inventory_of(report, issuers(accounts));
    let context = rules.measures.judging(&inventory, report.run.now);
    let mut simulation = plan::simulate::simulate(&context, id, trial)?;
    // What the run says is what its plan says, people's decisions among it.
    if let Some(stored) = report.assessments.iter().find(|one| one.id == *id)
        && *stored != simulation.planned
    {
        let before = std::mem::replace(&mut simulation.planned, stored.clone());
        if trial == &Trial::default() {
            simulation.tried = stored.clone();
        } else {
            simulation.notes.push(format!(
                "judged anew, by the present rules, configuration and decisions: without a trial the \
                 disposition is {}, and the risk after it {}",
                before.disposition.as_str(),
                before.risk_after.score
            ));
        }
    }
    Ok(simulation)
}

/// Makes the files of each item of a plan, lists them in the item, and hands them over, on all threads and in any order.
/// Once it is late no more are made, and the report tells of how many there are none.
///
/// # Errors
/// When what takes the files refuses.
pub fn make_artefacts<E: Send>(
    report: &mut Report,
    accounts: &[AwsAccount],
    measures: &Measures,
    late: &Halt,
    take: impl Fn(&PlanItem, Vec<Made>) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let inventory = plan::simulate::inventory_of(report, issuers(accounts));
    let context = measures.judging(&inventory, report.run.now);
    let Some(maker) = plan::artefacts::Maker::new(&context) else {
        return Ok(());
    };
    let without = AtomicUsize::new(0);
    let items = report.plan.len();
    report.plan.par_iter_mut().try_for_each(|item| {
        if late.called() {
            without.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let made = maker.item(item);
        item.artefacts = made.iter().map(Made::listed).collect();
        take(item, made)
    })?;
    let without = without.into_inner();
    if without > 0 {
        report.tell(Coverage::new(
            "plan",
            "plan/",
            CoverageStatus::Partial,
            format!(
                "the time of the run was over before the files of {without} of {items} items were made: give it more time, \
                 or make them with `overstay plan --artefacts DIR`"
            ),
        ));
    }
    Ok(())
}

/// Issuers of the OIDC providers of each account.
pub(super) fn issuers(accounts: &[AwsAccount]) -> BTreeMap<String, Vec<String>> {
    let urls = |account: &AwsAccount| {
        let providers = account.oidc_providers.iter();
        providers.map(|provider| provider.url.clone()).collect()
    };
    accounts
        .iter()
        .map(|account| (account.account_id.clone(), urls(account)))
        .collect()
}
