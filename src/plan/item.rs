//! One plan item, every field from evidence.

use super::PlanContext;
use super::approval::{approval, grant, level, triggers};
use super::commands::Values;
use super::revocation;
use super::steps::Steps;
use crate::jit::after::carried_out;
use crate::jit::blockers::{UNSEEN, intent_policy};
use crate::jit::subject::Subject;
use crate::jit::ttl;
use crate::model::{
    Assessment, BreakGlass, CompensatingControl, Disposition, Effort, PlanItem, PlanItemId,
    Ternary, Unfinished,
};
use crate::rules::targets::Target;
use jiff::Timestamp;

/// What the plan says that nobody has held against a primary source.
fn unverified(context: &PlanContext<'_>, subject: &Subject<'_>) -> Vec<String> {
    let of_target = subject.choice.target.into_iter();
    let ending = revocation::disabling(context, subject)
        .filter(|entry| entry.source.is_none())
        .zip(subject.credential)
        .map(|(_, credential)| {
            let issuer = match credential.provider.as_str() {
                "" | "unknown" => "its issuer",
                known => known,
            };
            format!(
                "How the credential of today is ended: compare it with the documentation of {issuer} before it is needed."
            )
        });
    of_target
        .flat_map(|target| target.unverified.iter().cloned())
        .chain(ending)
        .collect()
}

/// Builds the item that settles an assessment; wave and position are set when waves are cut.
pub fn item(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
    unfinished: Option<&Unfinished>,
) -> PlanItem {
    let values = Values::of(subject, &assessment.ttl);
    let steps = Steps {
        context,
        subject,
        assessment,
        disabling: revocation::disabling(context, subject),
        values: &values,
        unfinished,
    };
    let target = subject.choice.target;
    let (mechanism, mechanism_title) = mechanism(subject, assessment);
    let risk_before = assessment.risk.score;
    let risk_after = assessment.risk_after.score;
    PlanItem {
        id: PlanItemId::of(&[assessment.id.as_str()]),
        wave: 0,
        position: 0,
        assessment: assessment.id.clone(),
        identity: assessment.identity.clone(),
        credential: assessment.credential.clone(),
        title: match unfinished {
            Some(_) => format!("Finish the migration: {}", assessment.subject),
            None => format!("{}: {}", assessment.disposition.title(), assessment.subject),
        },
        disposition: assessment.disposition,
        mechanism,
        mechanism_title,
        catalogue_as_of: target
            .map(|target| target.as_of.clone())
            .unwrap_or_default(),
        unverified: unverified(context, subject),
        ttl: assessment.ttl.clone(),
        grant: grant(context, subject),
        approval: approval(context, subject, assessment),
        revocation_triggers: triggers(subject, assessment),
        prerequisites: prerequisites(subject, assessment),
        open_questions: open_questions(context, subject, assessment),
        steps: steps.list(),
        negative_test: steps.negative_text(),
        acceptance_test: acceptance(assessment),
        rollback: rollback(context, subject, assessment, &values),
        revoke_command: revoke_command(context, subject, assessment, &values),
        compensating_controls: controls(subject, assessment),
        detect_done: detect_done(assessment, target, &values),
        readiness: assessment.readiness,
        mitigation: assessment.mitigation,
        effort: effort(context, subject, assessment),
        risk_before,
        risk_after,
        risk_removed: risk_before.saturating_sub(risk_after),
        exception_expires: exception(context, subject, assessment),
        agent_requirements: agent_requirements(context, subject),
        permissions: super::permissions::sets(context, subject),
        unfinished: unfinished.cloned(),
        folder: String::new(),
        artefacts: Vec::new(),
    }
}

/// Whether something takes the place of the access.
pub(super) fn migrates(assessment: &Assessment) -> bool {
    matches!(
        carried_out(assessment.disposition, assessment.follow_up),
        Disposition::MigrateNow | Disposition::PlanMigration | Disposition::Hybrid
    )
}

/// Whether the item carries out its mechanism.
pub(super) fn applies(assessment: &Assessment) -> bool {
    migrates(assessment)
        || matches!(
            assessment.disposition,
            Disposition::ShortenAndCompensate | Disposition::BreakGlassIsolate
        )
}

/// Id and words of the mechanism, or of the procedure where nothing migrates.
fn mechanism(subject: &Subject<'_>, assessment: &Assessment) -> (String, String) {
    let target = subject.choice.target;
    let by_target = migrates(assessment)
        || subject.root_key()
        || matches!(
            assessment.disposition,
            Disposition::BreakGlassIsolate | Disposition::ShortenAndCompensate
        );
    if let Some(target) = target.filter(|_| by_target) {
        return (target.id.clone(), target.title.clone());
    }
    let (id, title) = match assessment.disposition {
        Disposition::RevokeNow => (
            "revoke-and-replace",
            "Revocation, and a new credential where one is needed",
        ),
        Disposition::Decommission => ("decommission", "Removal after a quiet period"),
        Disposition::SplitFirst => ("split", "One access for each path"),
        Disposition::KeepStanding => (
            "keep-standing",
            "Standing access, shortened and scoped, until a date",
        ),
        Disposition::ShortenAndCompensate => ("shorten", "Shorter life and compensating controls"),
        _ => ("collect-evidence", "Collection of the missing evidence"),
    };
    (id.to_owned(), title.to_owned())
}

fn prerequisites(subject: &Subject<'_>, assessment: &Assessment) -> Vec<String> {
    let mut list = Vec::new();
    if assessment
        .blockers
        .iter()
        .any(|blocker| blocker.id == "shared_path")
    {
        list.push("Split the shared path: one access for each".to_owned());
    }
    if assessment
        .blockers
        .iter()
        .any(|blocker| blocker.id == "consumer_unknown")
    {
        list.push("Find what uses it".to_owned());
    }
    let applies = applies(assessment);
    if let Some(target) = subject.choice.target.filter(|_| applies) {
        list.extend(target.prerequisites.iter().cloned());
        list.extend(
            target
                .gotchas
                .iter()
                .map(|gotcha| format!("Mind: {gotcha}")),
        );
    }
    list
}

fn open_questions(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
) -> Vec<String> {
    let mut list = Vec::new();
    if subject.owner.is_none() {
        list.push("Who owns it and answers for this change?".to_owned());
    }
    if subject.consumers.is_empty() {
        list.push("What uses it, and for which task?".to_owned());
    }
    if assessment.can_rerequest == Ternary::Unknown {
        list.push("Can the consumer ask for access again safely? (can_rerequest)".to_owned());
    }
    if assessment.renewal_failure_tolerable == Ternary::Unknown {
        list.push("Is a failed renewal tolerable? (renewal_failure_tolerable)".to_owned());
    }
    if migrates(assessment) && !ttl::window(context, subject).declared {
        list.push("How long does the task take at most? (task_seconds)".to_owned());
    }
    if subject.agent() && !intent_policy(context, subject) {
        list.push("Which policy judges what the agent intends? (intent_policy)".to_owned());
    }
    if level(assessment, "P") >= 4 && migrates(assessment) {
        list.push(
            "Are device trust and session posture checked at every privileged request? No scan can see that; attest it."
                .to_owned(),
        );
    }
    list
}

fn acceptance(assessment: &Assessment) -> String {
    let next = carried_out(assessment.disposition, assessment.follow_up);
    match next {
        Disposition::Decommission => "One full schedule period passes without a denied call that the work needed.",
        Disposition::Review => "Owner, consumer and use are on record and the next scan decides.",
        Disposition::KeepStanding => "The work goes on, with fewer permissions and a shorter life than today.",
        Disposition::SplitFirst => "Each path works with its own access, and switching one off stops no other.",
        Disposition::BreakGlassIsolate => "An exercise gets in within minutes, the alarm sounds, and nothing stays open afterwards.",
        Disposition::ShortenAndCompensate => "The work goes on with what it needs and no more, from known places, and ending it takes minutes.",
        Disposition::RevokeNow => "The old credential is refused and no consumer depends on it.",
        _ => "The work gets the right access through the one request path, finishes, and leaves no entitlement behind.",
    }
    .to_owned()
}

fn rollback(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
    values: &Values,
) -> String {
    let days = context.scoring.thresholds.rollback_days;
    if assessment.disposition == Disposition::RevokeNow {
        return "No way back to an exposed credential. If work stops, issue a new one to that consumer alone, with the least scope and an expiry of a day, while it moves.".to_owned();
    }
    if assessment.disposition == Disposition::Review {
        return "Nothing is changed.".to_owned();
    }
    if subject.credential.is_none() {
        return format!(
            "Put the old trust and policies back from file; possible for {days} days, until what is left of them is deleted."
        );
    }
    if subject.keeps_credential() {
        return "The credential stays, so what goes back is what was taken off it: rollback.sh puts policies and groups back and lifts the network boundary. After a renewal, the one before it can be switched on again until it is deleted.".to_owned();
    }
    match revocation::disabling(context, subject).and_then(|entry| entry.reactivate.as_ref()) {
        Some(command) => format!(
            "Until it is deleted, at most {days} days: {}",
            values.command(command)
        ),
        None => format!(
            "Until it is deleted, at most {days} days: put the old credential back into the one consumer that fails."
        ),
    }
}

/// Ends the access at once: of what others may have, the credential alone.
fn revoke_command(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
    values: &Values,
) -> Option<String> {
    let retires =
        assessment.disposition == Disposition::Decommission && subject.credential.is_none();
    if let Some((off, _)) = super::steps::retiring(subject.kind()).filter(|_| retires) {
        return Some(values.command(off));
    }
    let issues = migrates(assessment) && assessment.disposition != Disposition::RevokeNow;
    revocation::of(context, subject, issues, values).text()
}

fn controls(subject: &Subject<'_>, assessment: &Assessment) -> Vec<CompensatingControl> {
    let known = |state: Option<bool>| match state {
        Some(true) => Ternary::Yes,
        Some(false) => Ternary::No,
        None => Ternary::Unknown,
    };
    let control = |text: &str, present| CompensatingControl {
        control: text.to_owned(),
        present,
    };
    let logged = known(subject.annotated(|note| note.logged));
    let origin = subject
        .identity
        .filter(|identity| !identity.trust.is_empty())
        .map(|identity| identity.condition_coverage().origin);
    match assessment.disposition {
        Disposition::ShortenAndCompensate => vec![
            control(
                "Monitoring: its use is logged, and unusual use raises an alarm",
                logged,
            ),
            control(
                "Secret scanning: every repository and store that could hold a copy is scanned",
                Ternary::Unknown,
            ),
            control(
                "Network boundary: the issuer accepts it from known addresses only",
                known(origin),
            ),
        ],
        Disposition::KeepStanding => vec![control(
            "Monitoring: its use is logged, and unusual use raises an alarm",
            logged,
        )],
        Disposition::BreakGlassIsolate => {
            let alone = subject.consumers.is_empty();
            let mfa = subject.identity.and_then(|identity| {
                identity.mfa.or_else(|| {
                    (!identity.trust.is_empty()).then(|| identity.trust.iter().all(|path| path.mfa))
                })
            });
            vec![
                control(
                    "Separate principal that no routine work uses",
                    known(if alone { None } else { Some(false) }),
                ),
                control("Hardware MFA", known(mfa)),
                control("An alarm on every use", logged),
            ]
        }
        Disposition::MigrateNow | Disposition::PlanMigration | Disposition::Hybrid
            if assessment
                .blockers
                .iter()
                .any(|blocker| UNSEEN.contains(&blocker.id.as_str())) =>
        {
            vec![
                control(
                    "Telemetry: its use is logged, so that it shows when the work has stopped using it",
                    logged,
                ),
                control(
                    "Fallback revocation: rehearsed, with the person who ends it by hand when nothing else does",
                    Ternary::Unknown,
                ),
            ]
        }
        _ => Vec::new(),
    }
}

fn detect_done(assessment: &Assessment, target: Option<&Target>, values: &Values) -> String {
    let next = carried_out(assessment.disposition, assessment.follow_up);
    match (next, target) {
        (Disposition::Decommission, _) => "The access is gone from the inventory and no file names it.".to_owned(),
        (Disposition::SplitFirst, _) => "Each path has its own access: no credential or role is used by two, and the shared one has ended or serves one path.".to_owned(),
        (Disposition::KeepStanding, _) => "A later scan shows a younger credential and fewer permissions, before the exception runs out.".to_owned(),
        (Disposition::Review, _) if assessment.disposition == Disposition::Review => {
            "A later scan shows an owner, a consumer or usage data, and decides.".to_owned()
        }
        (Disposition::Review | Disposition::RevokeNow, _) => "The issuer shows it inactive or gone, and no file at head holds it.".to_owned(),
        (_, Some(target)) => values.text(&target.detect_done),
        (_, None) => "The access is gone from the inventory.".to_owned(),
    }
}

fn effort(context: &PlanContext<'_>, subject: &Subject<'_>, assessment: &Assessment) -> Effort {
    let applies = applies(assessment);
    let users = subject.consumers.len();
    let (mut size, mut reason) = match (assessment.disposition, subject.choice.target) {
        (Disposition::SplitFirst, _) => {
            ("M", format!("{} paths to separate", subject.paths().len()))
        }
        (_, Some(target)) if applies => (target.effort.size.as_str(), target.effort.reason.clone()),
        (Disposition::Decommission, _) => ("S", "switch off, wait, delete".to_owned()),
        (Disposition::KeepStanding, _) => ("S", "two settings and a date".to_owned()),
        (Disposition::Review, _) => ("S", "questions to the owner".to_owned()),
        _ => ("S", "revoke and replace".to_owned()),
    };
    if users > 3 {
        size = if size == "S" { "M" } else { "L" };
        reason = format!("{reason}; {users} consumers to move");
    }
    let points = context.scoring.plan.effort_points.get(size).copied();
    Effort {
        size: size.to_owned(),
        points: points.unwrap_or(1).max(1),
        reason,
    }
}

fn exception(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
) -> Option<Timestamp> {
    let standing = matches!(
        assessment.disposition,
        Disposition::KeepStanding | Disposition::ShortenAndCompensate
    );
    if !standing {
        return None;
    }
    let declared = subject
        .annotated(|note| note.exception_expires)
        .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|date| date.timestamp())
        // What has run out, or never would, is asked for anew.
        .filter(|at| {
            let most = context.scoring.thresholds.exception_most_days;
            *at > context.now && crate::model::evidence::days_between(context.now, *at) <= most
        });
    declared.or_else(|| exception_end(context.now, context.scoring.thresholds.exception_days))
}

/// When an exception without a date of its own ends: on a day that stays the same for half of the longest time it may
/// last, so that a request for it reads the same from one night to the next.
fn exception_end(now: Timestamp, days: i64) -> Option<Timestamp> {
    const DAY: i64 = 86_400;
    let step = (days / 2).max(1);
    let last = now.as_second().div_euclid(DAY).checked_add(days)?;
    let end = last.div_euclid(step).checked_mul(step)?;
    Timestamp::from_second(end.checked_mul(DAY)?).ok()
}

fn agent_requirements(context: &PlanContext<'_>, subject: &Subject<'_>) -> Vec<String> {
    if !subject.agent() {
        return Vec::new();
    }
    let policy = subject.annotated(|note| note.intent_policy.clone());
    let first = match policy {
        Some(policy) => format!("Intent policy: {policy} decides before access is issued"),
        None if intent_policy(context, subject) => {
            "Intent policy: named; it decides before access is issued".to_owned()
        }
        None => {
            "Intent policy: missing. Name the file or engine that decides before access is issued"
                .to_owned()
        }
    };
    vec![
        first,
        "Log: issued intent".to_owned(),
        "Log: granted scope".to_owned(),
        "Log: revocation event".to_owned(),
    ]
}

/// Whether emergency access is declared; such items come before the removal of root keys in their account.
pub fn is_break_glass(subject: &Subject<'_>) -> bool {
    subject.break_glass() == Some(BreakGlass::Declared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_ends_on_one_day_for_many_nights_and_never_too_late() {
        const DAY: i64 = 86_400;
        for days in [1, 2, 7, 90, 365] {
            let mut ends = Vec::new();
            for night in 0..200 {
                let now = Timestamp::from_second((20_000 + night) * DAY + 7_777).unwrap();
                let end = exception_end(now, days).unwrap();
                let left = (end.as_second() - now.as_second() + 7_777) / DAY;
                assert!(left <= days && left > days / 2 - 1, "{days}: {left}");
                assert!(end > now || days == 1, "{days}");
                ends.push(end);
            }
            ends.dedup();
            let most = 2 + 200 / usize::try_from((days / 2).max(1)).unwrap();
            assert!(ends.len() <= most, "{days}: {}", ends.len());
        }
        assert_eq!(exception_end(Timestamp::MAX, i64::MAX), None);
    }
}
