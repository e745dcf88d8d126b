//! How each access moves: mechanism, lifetime, approval, steps, tests, in waves.

pub mod approval;
pub mod artefacts;
pub mod commands;
pub mod done;
pub mod item;
pub mod permissions;
pub mod revocation;
pub mod simulate;
pub mod steps;
pub mod waves;

#[cfg(test)]
mod tests;

use crate::jit::subject::Subject;
use crate::jit::{JitContext, id_of};
use crate::model::{Assessment, AssessmentId, Disposition, PlanItem, Unfinished};
use std::collections::BTreeMap;
use waves::Candidate;

/// What planning needs: the same as judgement.
pub type PlanContext<'a> = JitContext<'a>;

/// Plans every assessment that calls for something to be done, by wave and position.
///
/// No item comes of access that is already short-lived and conditioned, unless its sessions may outlast the task, nor of an
/// unclear case whose risk is below `plan.review_from_risk`; their assessments say so. Which files an item has is listed when
/// they are made.
///
/// A move that an earlier plan began goes on where judgement alone would only ask or let it be: half of it is done, and what
/// is left is as certain as it was.
pub fn build(
    context: &PlanContext<'_>,
    subjects: &[Subject<'_>],
    assessments: &[Assessment],
    unfinished: &done::Unfinished,
) -> Vec<PlanItem> {
    let subjects: BTreeMap<AssessmentId, &Subject<'_>> = subjects
        .iter()
        .map(|subject| (id_of(subject), subject))
        .collect();
    let candidates = assessments
        .iter()
        .filter_map(|assessment| {
            let subject = subjects.get(&assessment.id)?;
            if let Some(candidate) = going_on(context, subject, assessment, unfinished) {
                return Some(candidate);
            }
            calls_for_work(context, subject, assessment).then(|| {
                let subject = Subject::clone(subject).settled(context.targets, assessment);
                candidate(context, &subject, assessment, None)
            })
        })
        .collect();
    waves::cut(context, candidates)
}

/// What is left of a move that an earlier plan began.
fn going_on(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
    unfinished: &done::Unfinished,
) -> Option<Candidate> {
    let (planned, left) = unfinished.get(&assessment.id)?;
    let goes_on = match assessment.disposition {
        Disposition::Review | Disposition::KeepStanding => true,
        // Nothing tells any more where it ran: judged anew, it would be moved once more.
        Disposition::MigrateNow | Disposition::PlanMigration | Disposition::Hybrid => {
            left.new_way && subject.consumers.is_empty()
        }
        _ => false,
    };
    if !goes_on {
        return None;
    }
    let target = context.targets.get(&planned.progress.mechanism)?;
    let subject = subject.clone().with(target, "as an earlier plan has it");
    let judged =
        crate::jit::carried_on(context, &subject, assessment, planned.progress.disposition);
    Some(candidate(context, &subject, &judged, Some(left)))
}

fn calls_for_work(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
) -> bool {
    match assessment.disposition {
        Disposition::KeepStanding => {
            subject.credential.is_some()
                || subject.annotated(|note| note.exception_expires).is_some()
                || sessions_outlast(context, subject, assessment)
        }
        // What no longer works and stands in no current file needs nothing more, as far as anyone can see.
        Disposition::Decommission => !subject.credential.is_some_and(|credential| {
            credential.status == crate::model::CredentialStatus::Inactive
                && credential.grade > crate::model::Grade::A
                && credential.consumers.is_empty()
                && credential.sightings.iter().all(|seen| !seen.at_head)
        }),
        Disposition::Review => assessment.risk.score >= context.scoring.plan.review_from_risk,
        _ => true,
    }
}

/// Access that is as it should be, but for sessions that may last longer than an hour and than its task.
fn sessions_outlast(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
) -> bool {
    let longest = subject
        .identity
        .and_then(crate::model::Identity::session_limit);
    let short = context.scoring.thresholds.short_session_seconds;
    longest.is_some_and(|longest| longest > short.max(assessment.ttl.seconds.unwrap_or(longest)))
}

fn candidate(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
    unfinished: Option<&Unfinished>,
) -> Candidate {
    let rules = &context.scoring.plan;
    let item = item::item(context, subject, assessment, unfinished);
    let narrow = waves::narrow(rules, assessment, &item);
    Candidate {
        item,
        band: assessment.risk.band,
        narrow,
        account: subject.account().map(str::to_owned),
        break_glass: item::is_break_glass(subject),
        root_key: subject.root_key(),
    }
}
