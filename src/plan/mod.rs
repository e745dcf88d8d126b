//! How each access moves: mechanism, lifetime, approval, steps, tests, in waves.

pub mod approval;
pub mod artefacts;
pub mod commands;
pub mod done;
pub mod item;
pub mod permissions;
pub mod simulate;
pub mod steps;
pub mod waves;

#[cfg(test)]
mod tests;

use crate::jit::subject::{Subject, subjects};
use crate::jit::{JitContext, id_of};
use crate::model::{Assessment, AssessmentId, Disposition, PlanItem};
use std::collections::BTreeMap;
use waves::Candidate;

/// What planning needs: the same as judgement.
pub type PlanContext<'a> = JitContext<'a>;

/// Plans every assessment that calls for something to be done, by wave and position.
///
/// No item comes of access that is already short-lived and conditioned, nor of an unclear case whose risk is below
/// `plan.review_from_risk`; their assessments say so. Which files an item has is listed when they are made.
pub fn build(context: &PlanContext<'_>, assessments: &[Assessment]) -> Vec<PlanItem> {
    let subjects: BTreeMap<AssessmentId, Subject<'_>> = subjects(context)
        .into_iter()
        .map(|subject| (id_of(&subject), subject))
        .collect();
    let candidates = assessments
        .iter()
        .filter_map(|assessment| Some((subjects.get(&assessment.id)?, assessment)))
        .filter(|(subject, assessment)| calls_for_work(context, subject, assessment))
        .map(|(subject, assessment)| candidate(context, subject, assessment))
        .collect();
    waves::cut(context, candidates)
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
        }
        Disposition::Review => assessment.risk.score >= context.scoring.plan.review_from_risk,
        _ => true,
    }
}

fn candidate(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
) -> Candidate {
    let rules = &context.scoring.plan;
    let item = item::item(context, subject, assessment);
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
