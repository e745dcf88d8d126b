//! Should this access go just-in-time, and how sure are we: risk, fit, blockers, disposition, lifetime.

pub mod after;
mod already;
pub mod blockers;
mod capability;
pub mod decide;
pub mod exposure;
pub mod factors;
pub mod fit;
mod index;
mod nearest;
mod needs;
pub mod risk;
mod seen;
mod shared;
pub mod subject;
pub mod task;
pub mod ttl;
mod whose;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod tests;

use crate::model::evidence::day;
use crate::model::{
    Assessment, AssessmentId, Blocker, ConsumerClass, Credential, Disposition, ExposureWindow,
    Inventory, LastUse, Mitigation, Readiness, Risk, Ternary, Ttl,
};
use crate::rules::config::Config;
use crate::rules::scoring::Scoring;
use crate::rules::targets::{MechanismClass, Revocation, Targets};
use blockers::{ADVISORY, COMPENSATE};
use decide::{Facts, decide};
use jiff::Timestamp;
use rayon::prelude::*;
use risk::{Factors, Level};
use subject::Subject;

/// What judgement needs.
#[derive(Clone, Copy, Debug)]
pub struct JitContext<'a> {
    /// The joined inventory.
    pub inventory: &'a Inventory,
    /// Thresholds, weights and gates.
    pub scoring: &'a Scoring,
    /// The target catalogue.
    pub targets: &'a Targets,
    /// What the user says about their organisation.
    pub config: &'a Config,
    /// The time every age is measured to.
    pub now: Timestamp,
}

/// Judges subjects, which are every credential, and every machine identity that has access and no credential. Highest risk
/// first, then by id.
pub fn assess(context: &JitContext<'_>, subjects: &[Subject<'_>]) -> Vec<Assessment> {
    let mut assessments: Vec<Assessment> = subjects
        .par_iter()
        .map(|subject| assess_one(context, subject))
        .collect();
    assessments.sort_by(|a, b| {
        b.risk
            .score
            .cmp(&a.risk.score)
            .then_with(|| a.id.cmp(&b.id))
    });
    assessments
}

/// Id of the assessment of a subject.
pub fn id_of(subject: &Subject<'_>) -> AssessmentId {
    let identity = subject.identity.map_or("", |identity| identity.id.as_str());
    let credential = subject
        .credential
        .map_or("", |credential| credential.id.as_str());
    // A credential keeps its assessment when a later scan finds out whose it is.
    if credential.is_empty() {
        AssessmentId::of(&["identity", identity])
    } else {
        AssessmentId::of(&["credential", credential])
    }
}

/// One subject as it stands, and as it would be with another mechanism or lifetime; `None` when nothing with this id is
/// judged.
///
/// With neither, both are the same. What is removed stays removed and what is sealed stays sealed, whatever is tried; what
/// another mechanism is tried for is taken as moved to it, even where the table sends it elsewhere.
pub fn compare<'a>(
    context: &JitContext<'a>,
    id: &AssessmentId,
    target: Option<&'a crate::rules::targets::Target>,
    lifetime: Option<u64>,
) -> Option<(Assessment, Assessment)> {
    let mut subject = subject::subjects(context)
        .into_iter()
        .find(|subject| id_of(subject) == *id)?;
    let planned = assess_one(context, &subject);
    if target.is_none() && lifetime.is_none() {
        let tried = planned.clone();
        return Some((planned, tried));
    }
    if let Some(target) = target {
        subject.choice.target = Some(target);
        "as tried".clone_into(&mut subject.choice.reason);
        subject.choice.exact_runtime = target.runs_in(&subject.runtime) == Some(true);
        subject.tried = true;
    } else {
        subject = subject.settled(context.targets, &planned);
    }
    let mut tried = assess_one(context, &subject);
    if gated(&subject, &tried) {
        tried.target.clone_from(&planned.target);
        tried.target_reason.clone_from(&planned.target_reason);
        tried.risk_after = planned.risk_after.clone();
        tried.exposure_window = planned.exposure_window.clone();
        tried.ttl = planned.ttl.clone();
        tried.mitigation = planned.mitigation;
        if tried.disposition != Disposition::BreakGlassIsolate {
            return Some((planned, tried));
        }
    }
    if let (Some(seconds), Some(limits)) = (
        lifetime,
        subject
            .choice
            .target
            .filter(|target| tried.target.as_ref() == Some(&target.id))
            .and_then(|target| target.ttl.as_ref()),
    ) {
        let window = ttl::window(context, &subject);
        tried.ttl = Ttl {
            seconds: Some(seconds.clamp(limits.min, limits.max)),
            evidence: format!("as tried; the task: {}", window.text),
        };
    }
    let factors = factors::factors(context, &subject);
    let moved = match subject.choice.target.map(|target| target.class) {
        Some(MechanismClass::RotateOnly | MechanismClass::None) => {
            Disposition::ShortenAndCompensate
        }
        _ => Disposition::PlanMigration,
    };
    let carried = |stands: Disposition| match stands {
        Disposition::MigrateNow
        | Disposition::Hybrid
        | Disposition::PlanMigration
        | Disposition::BreakGlassIsolate => stands,
        _ if target.is_some() => moved,
        _ => stands,
    };
    let (disposition, next) = match tried.disposition {
        Disposition::RevokeNow => (
            Disposition::RevokeNow,
            tried.follow_up.map(carried).or(Some(moved)),
        ),
        stands => (carried(stands), None),
    };
    tried.risk_after = after::residual(context, &subject, &factors, disposition, next, &tried.ttl);
    tried.exposure_window = exposure_window(context, &subject, disposition, next, &tried.ttl);
    tried.mitigation = mitigation(context, &subject, &tried.blockers, disposition, next);
    Some((planned, tried))
}

/// A judgement with the disposition of an earlier plan in the place of its own: what the rest of that plan leads to.
pub fn carried_on(
    context: &JitContext<'_>,
    subject: &Subject<'_>,
    judged: &Assessment,
    disposition: Disposition,
) -> Assessment {
    let factors = factors::factors(context, subject);
    let window = ttl::window(context, subject);
    let ttl = ttl::propose(context, &window, subject.choice.target);
    Assessment {
        disposition,
        follow_up: None,
        target: subject.choice.target.map(|target| target.id.clone()),
        target_reason: subject.choice.reason.clone(),
        risk_after: after::residual(context, subject, &factors, disposition, None, &ttl),
        exposure_window: exposure_window(context, subject, disposition, None, &ttl),
        mitigation: mitigation(context, subject, &judged.blockers, disposition, None),
        ttl,
        ..judged.clone()
    }
}

/// What is removed or sealed has no other mechanism.
fn gated(subject: &Subject<'_>, judged: &Assessment) -> bool {
    subject.root_key()
        || matches!(
            judged.disposition,
            Disposition::Decommission | Disposition::BreakGlassIsolate
        )
}

fn assess_one(context: &JitContext<'_>, subject: &Subject<'_>) -> Assessment {
    let factors = factors::factors(context, subject);
    let scored = factors.score(context.scoring);
    let window = ttl::window(context, subject);
    let fit = fit::fit(context, subject, &window);
    let blockers = blockers::blockers(context, subject, &fit);
    let facts = Facts {
        context,
        subject,
        factors: &factors,
        scored: &scored,
        fit: &fit,
        blockers: &blockers,
        migrated: migrated(context, subject, &factors, &window),
    };
    let decision = decide(&facts);
    let disposition = decision.disposition;
    let follow_up = follow_up(&facts, disposition, &window);
    let hindered = blockers
        .iter()
        .any(|blocker| COMPENSATE.contains(&blocker.id.as_str()));
    let kept = hindered
        .then(|| subject.kept(context.targets, after::carried_out(disposition, follow_up)))
        .flatten();
    let subject = kept.as_ref().unwrap_or(subject);
    let ttl = match after::carried_out(disposition, follow_up) {
        Disposition::Decommission => nothing("it is removed; nothing is issued in its place"),
        _ if subject.root_key() => nothing("it is removed; nothing is issued in its place"),
        _ => ttl::propose(context, &window, subject.choice.target),
    };
    let risk_after = after::residual(context, subject, &factors, disposition, follow_up, &ttl);
    let age = factors::born(subject)
        .map(|at| context.now.as_second().saturating_sub(at.as_second()))
        .filter(|seconds| *seconds >= 0);
    let lifetime_ratio = match age {
        Some(age) if window.declared && window.seconds > 0 && subject.credential.is_some() => {
            // What takes less than a minute says nothing by its seconds.
            Some(rough(age as f64 / window.seconds.max(60) as f64))
        }
        _ => None,
    };
    let priority = u16::from(scored.score) * u16::from(fit.fit.score) / 100;
    Assessment {
        id: id_of(subject),
        identity: subject.identity.map(|identity| identity.id.clone()),
        credential: subject.credential.map(|credential| credential.id.clone()),
        subject: subject.name(),
        disposition,
        follow_up,
        trace: decision.trace,
        confidence: decision.confidence,
        consumer_class: subject.class,
        priority: u8::try_from(priority).unwrap_or(100),
        lifetime_ratio,
        exposure_window: exposure_window(context, subject, disposition, follow_up, &ttl),
        target: subject.choice.target.map(|target| target.id.clone()),
        target_reason: subject.choice.reason.clone(),
        condition_coverage: subject
            .identity
            .filter(|identity| !identity.trust.is_empty())
            .map(|identity| identity.condition_coverage().count()),
        mitigation: mitigation(context, subject, &blockers, disposition, follow_up),
        readiness: readiness(context, subject),
        can_rerequest: fit.can_rerequest,
        renewal_failure_tolerable: fit.renewal_failure_tolerable,
        task: task::boundary(context, subject, &window),
        ttl,
        risk_after,
        risk: Risk {
            score: scored.score,
            band: scored.band,
            vector: scored.vector,
            likelihood: scored.likelihood,
            impact: scored.impact,
            factors: factors.report(),
            floors: scored.floors,
        },
        fit: fit.fit,
        blockers,
    }
}

/// Its risk once it is moved to the mechanism chosen: a move that takes nothing away is none.
fn migrated(
    context: &JitContext<'_>,
    subject: &Subject<'_>,
    factors: &Factors,
    window: &ttl::Window,
) -> u8 {
    let ttl = ttl::propose(context, window, subject.choice.target);
    let next = Disposition::PlanMigration;
    after::residual(context, subject, factors, next, None, &ttl).score
}

fn nothing(evidence: &str) -> Ttl {
    Ttl {
        seconds: None,
        evidence: evidence.to_owned(),
    }
}

/// What becomes of the replacement of a credential that is revoked: decided as if the leak were gone.
fn follow_up(
    facts: &Facts<'_, '_>,
    disposition: Disposition,
    window: &ttl::Window,
) -> Option<Disposition> {
    if disposition != Disposition::RevokeNow || facts.subject.root_key() {
        return None;
    }
    let healed = Factors {
        exposure: Level::assumed(
            facts.factors.exposure.level.min(2),
            crate::model::Evidence::new(
                crate::model::Grade::D,
                "as if the leak were gone: the replacement is kept in a secret store",
            ),
        ),
        ..facts.factors.clone()
    };
    let scored = healed.score(facts.context.scoring);
    Some(
        decide(&Facts {
            factors: &healed,
            scored: &scored,
            migrated: migrated(facts.context, facts.subject, &healed, window),
            ..*facts
        })
        .disposition,
    )
}

fn exposure_window(
    context: &JitContext<'_>,
    subject: &Subject<'_>,
    disposition: Disposition,
    follow_up: Option<Disposition>,
    ttl: &Ttl,
) -> ExposureWindow {
    let before = match subject.credential {
        Some(credential) => of_credential(context, subject, credential),
        None => subject
            .identity
            .and_then(crate::model::Identity::session_limit)
            .map_or_else(
                || "one session, renewed without end".to_owned(),
                |seconds| format!("{} a session, renewed without end", ttl::human(seconds)),
            ),
    };
    let lasts = || {
        ttl.seconds
            .map_or_else(|| "as long as the workload runs".to_owned(), ttl::human)
    };
    let after = match after::carried_out(disposition, follow_up) {
        Disposition::Decommission => "none".to_owned(),
        Disposition::RevokeNow => "none once revoked".to_owned(),
        Disposition::Review => before.clone(),
        Disposition::SplitFirst => format!("{before}, for one path at a time"),
        Disposition::ShortenAndCompensate | Disposition::KeepStanding => {
            let longest = u64::try_from(context.scoring.thresholds.rotation_days)
                .unwrap_or_default()
                * 86_400;
            // A key that stays is worth something until it is changed, however short the sessions of what would replace it.
            let issued = subject.credential.is_none()
                || subject
                    .choice
                    .target
                    .is_some_and(|target| target.class >= MechanismClass::ExpiringToken);
            match ttl.seconds.filter(|_| issued) {
                Some(seconds) => ttl::human(seconds.clamp(1, longest.max(1))),
                None if subject.credential.is_some() => ttl::human(longest),
                None => before.clone(),
            }
        }
        _ => lasts(),
    };
    ExposureWindow { before, after }
}

/// A ratio to two figures: it tells of magnitudes, and stays what it was until one of them moves.
fn rough(ratio: f64) -> f64 {
    if ratio < 10.0 {
        return (ratio * 10.0).round() / 10.0;
    }
    let unit = 10_f64.powf(ratio.log10().floor() - 1.0);
    (ratio / unit).round() * unit
}

fn of_credential(
    context: &JitContext<'_>,
    subject: &Subject<'_>,
    credential: &Credential,
) -> String {
    if index::unlisted(credential) {
        return "none, it no longer works".to_owned();
    }
    // A date, not an age: what is judged reads the same every night until something of it changes.
    let since = factors::born(subject).map_or_else(
        || "age unknown".to_owned(),
        |at| format!("since {}", day(at)),
    );
    match credential.expires_at {
        Some(at) if at <= context.now => format!("{since}, expired"),
        Some(at) => format!("{since}, until {}", day(at)),
        None if credential.expires_by_nature == Some(true) => format!("{since}, expiry unknown"),
        None if credential.expires_by_nature.is_none() => format!("{since}, no expiry known"),
        None => format!("{since}, no expiry"),
    }
}

fn mitigation(
    context: &JitContext<'_>,
    subject: &Subject<'_>,
    blockers: &[Blocker],
    disposition: Disposition,
    follow_up: Option<Disposition>,
) -> Mitigation {
    let next = after::carried_out(disposition, follow_up);
    match next {
        Disposition::Decommission => return Mitigation::Full,
        Disposition::RevokeNow if subject.root_key() => return Mitigation::Full,
        Disposition::Review | Disposition::KeepStanding => {
            // A revocation ends the leak even where nothing is known of what follows.
            return if disposition == Disposition::RevokeNow {
                Mitigation::Partial
            } else {
                Mitigation::None
            };
        }
        _ => {}
    }
    let bounded = subject.class.bounded()
        || matches!(subject.class, ConsumerClass::Agent | ConsumerClass::Human);
    let target = subject.choice.target;
    let revoked = target.is_some_and(|target| target.revocation != Revocation::Manual);
    let coverage = target.map_or(0, |target| after::coverage_after(subject, target));
    let hindered = blockers.iter().any(|blocker| {
        ADVISORY.contains(&blocker.id.as_str())
            || COMPENSATE.contains(&blocker.id.as_str())
            || matches!(
                blocker.id.as_str(),
                "shared_path" | blockers::RUNTIME_MISMATCH
            )
            || blockers::UNSEEN.contains(&blocker.id.as_str())
    });
    let migrating = matches!(next, Disposition::MigrateNow | Disposition::PlanMigration);
    let enough = coverage >= context.scoring.gates.full_condition_coverage;
    if migrating && bounded && revoked && enough && !hindered {
        Mitigation::Full
    } else {
        Mitigation::Partial
    }
}

fn readiness(context: &JitContext<'_>, subject: &Subject<'_>) -> Readiness {
    let target = subject.choice.target;
    let issued = capability::issues(context, subject);
    let known = |held: bool| if held { Ternary::Yes } else { Ternary::No };
    let observed = factors::last_use(subject) != LastUse::Unknown
        || !subject.activity.is_empty()
        || subject.annotated(|note| note.logged) == Some(true);
    Readiness {
        issue: match target {
            _ if issued => Ternary::Yes,
            None => Ternary::Unknown,
            Some(target) => known(!matches!(
                target.class,
                MechanismClass::RotateOnly | MechanismClass::None
            )),
        },
        observe: if observed {
            Ternary::Yes
        } else {
            Ternary::Unknown
        },
        revoke: target.map_or(
            if issued {
                Ternary::Yes
            } else {
                Ternary::Unknown
            },
            |target| known(issued || target.revocation != Revocation::Manual),
        ),
    }
}
