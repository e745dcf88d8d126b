//! The state after the plan, scored by the same formula, so that a migration that changes nothing shows it.

use super::JitContext;
use super::risk::{Factors, Level};
use super::subject::Subject;
use crate::model::{ActionKind, Disposition, Evidence, Grade, IdentityKind, ResidualRisk, Ttl};
use crate::rules::targets::{MechanismClass, Target};

/// Context questions answered after the move: what the target's conditions answer and what is answered today.
pub fn coverage_after(subject: &Subject<'_>, target: &Target) -> u8 {
    let mut answers: std::collections::BTreeSet<&str> =
        target.answers.iter().map(String::as_str).collect();
    if let Some(identity) = subject.identity {
        let today = identity.condition_coverage();
        let held = [
            (today.subject, "subject"),
            (today.origin, "origin"),
            (today.session, "session"),
            (today.resource, "resource"),
        ];
        answers.extend(
            held.into_iter()
                .filter_map(|(held, name)| held.then_some(name)),
        );
    }
    u8::try_from(answers.len()).unwrap_or(4)
}

/// Privilege tier of what logs show in use, where they are long enough to narrow permissions by.
pub fn used_tier(context: &JitContext<'_>, subject: &Subject<'_>) -> Option<(u8, String)> {
    let window = context.inventory.observed.window(subject.account()?)?;
    let days = crate::model::evidence::days_between(window.from, window.to);
    // A log proves what was used, not that nothing else is needed: it has to be long, and to have the last of it.
    if days < context.scoring.task.narrow_after_days {
        return None;
    }
    let mut written = std::collections::BTreeSet::new();
    let mut tier = None;
    for used in subject
        .activity
        .iter()
        .flat_map(|activity| activity.succeeded())
    {
        let own = match used.kind {
            ActionKind::Permissions => 4,
            ActionKind::Write => {
                written.extend(used.resources.iter());
                if used.resources.is_empty() || written.len() > 1 {
                    3
                } else {
                    2
                }
            }
            ActionKind::Secret | ActionKind::CrossAccount | ActionKind::DataRead => 2,
            ActionKind::Telemetry | ActionKind::Metadata => 1,
        };
        tier = tier.max(Some(own));
    }
    let tier = tier?;
    let count = subject
        .activity
        .iter()
        .flat_map(|activity| activity.succeeded())
        .count();
    Some((
        tier,
        format!("{days} d of CloudTrail show {count} actions in use: the new grant names those"),
    ))
}

/// What carries out a disposition: for a leaked credential, what becomes of its replacement.
pub const fn carried_out(disposition: Disposition, follow_up: Option<Disposition>) -> Disposition {
    match (disposition, follow_up) {
        (Disposition::RevokeNow, Some(next)) => next,
        _ => disposition,
    }
}

/// Factors of the target state, and why each changed or did not.
pub fn residual(
    context: &JitContext<'_>,
    subject: &Subject<'_>,
    factors: &Factors,
    disposition: Disposition,
    follow_up: Option<Disposition>,
    ttl: &Ttl,
) -> ResidualRisk {
    let mut after = factors.clone();
    let mut why = Vec::new();
    let target = subject.choice.target;
    let next = carried_out(disposition, follow_up);
    let revoked = disposition == Disposition::RevokeNow;
    if next == Disposition::Decommission || (revoked && follow_up.is_none()) {
        return removed(context, factors);
    }
    if revoked {
        set(
            &mut after.exposure,
            &mut why,
            "E",
            1,
            "the exposed copy no longer works; its replacement is kept in a secrets manager",
        );
    }
    match next {
        Disposition::MigrateNow | Disposition::Hybrid | Disposition::PlanMigration => {
            if let Some(target) = target {
                migrate(context, subject, target, ttl, &mut after, &mut why);
            }
        }
        Disposition::ShortenAndCompensate => {
            let place = "kept in a secrets manager instead of where it is";
            let (place, time, lasts) = if target.is_some_and(|target| in_hours(target, ttl)) {
                (place, 1, "replaced by tokens that last for hours")
            } else if subject.credential.is_some() {
                (place, 2, "rotated on a schedule")
            } else {
                let place = "its trust names who may, and what they have to show";
                (place, 1, "its sessions are limited")
            };
            set(&mut after.exposure, &mut why, "E", 1, place);
            set(&mut after.standing, &mut why, "T", time, lasts);
            if narrows(subject)
                && let Some((tier, reason)) = used_tier(context, subject)
            {
                set(&mut after.privilege, &mut why, "P", tier, &reason);
            }
        }
        Disposition::SplitFirst => {
            why.push(
                "E and T stay: each path's own access is of the same kind until it is judged by itself"
                    .to_owned(),
            );
            let blast = after.blast.level.saturating_sub(1);
            set(
                &mut after.blast,
                &mut why,
                "B",
                blast,
                "each path gets its own access",
            );
            let hygiene = u8::from(subject.owner.is_none());
            set(
                &mut after.hygiene,
                &mut why,
                "H",
                hygiene,
                "no longer shared",
            );
        }
        Disposition::KeepStanding if subject.credential.is_some() => {
            set(
                &mut after.standing,
                &mut why,
                "T",
                2,
                "rotated while the exception lasts",
            );
        }
        Disposition::KeepStanding if ttl.seconds.is_some_and(|seconds| seconds <= 3_600) => {
            set(
                &mut after.standing,
                &mut why,
                "T",
                u8::from(!conditioned(context, subject)),
                "its sessions are limited to the task",
            );
        }
        Disposition::BreakGlassIsolate => {
            set(
                &mut after.exposure,
                &mut why,
                "E",
                1,
                "sealed, with hardware MFA",
            );
            set(
                &mut after.standing,
                &mut why,
                "T",
                1,
                "a session of at most 1 h",
            );
        }
        _ => why.push("nothing changes until the evidence is there".to_owned()),
    }
    if after.privilege.level == factors.privilege.level && factors.privilege.level > 0 {
        why.push(stays(context, subject, factors.privilege.level));
    }
    if after.hygiene.level > 0 && subject.owner.is_none() {
        why.push("no owner yet: that stays until someone takes it".to_owned());
    }
    finish(context, &after, why)
}

/// What is issued in its place expires within a working day.
fn in_hours(target: &Target, ttl: &Ttl) -> bool {
    target.class == MechanismClass::ExpiringToken && ttl.seconds.is_some_and(|at| at <= 43_200)
}

/// Why its privilege is not narrowed.
fn stays(context: &JitContext<'_>, subject: &Subject<'_>, level: u8) -> String {
    let least = context.scoring.task.narrow_after_days;
    let days = subject
        .account()
        .and_then(|account| context.inventory.observed.window(account))
        .map(|window| crate::model::evidence::days_between(window.from, window.to));
    let used: std::collections::BTreeSet<&str> = subject
        .activity
        .iter()
        .flat_map(|activity| activity.succeeded())
        .map(|used| used.action.as_str())
        .collect();
    match (used_tier(context, subject), days) {
        (Some((tier, _)), Some(days)) if tier >= level => format!(
            "P{level} stays: what {days} d of CloudTrail show in use ({} actions) is of that tier; the \
             new grant still names no more than those",
            used.len()
        ),
        (Some((tier, _)), Some(days)) => format!(
            "P{level} stays: {days} d of CloudTrail show use of tier {tier} only, and this disposition \
             does not narrow what it may do"
        ),
        (None, Some(days)) if !used.is_empty() => format!(
            "P{level} stays: CloudTrail shows {} actions in use, and its {days} d are fewer than the \
             {least} d from which permissions are narrowed",
            used.len()
        ),
        (_, Some(days)) if days >= least => format!(
            "P{level} stays: {days} d of CloudTrail show no successful call by it, so what of it is \
             needed is not known"
        ),
        _ => format!("P{level} stays: no evidence of use allows narrowing it"),
    }
}

/// Whether the plan has narrower policies for what stays.
fn narrows(subject: &Subject<'_>) -> bool {
    subject.identity.is_some_and(|identity| {
        matches!(identity.kind, IdentityKind::IamUser | IdentityKind::IamRole)
    })
}

/// Enough of who, from where, which session and what is asked for today.
fn conditioned(context: &JitContext<'_>, subject: &Subject<'_>) -> bool {
    subject.identity.is_some_and(|identity| {
        identity.condition_coverage().count() >= context.scoring.gates.full_condition_coverage
    })
}

fn finish(context: &JitContext<'_>, after: &Factors, evidence: Vec<String>) -> ResidualRisk {
    let scored = after.score(context.scoring);
    ResidualRisk {
        score: scored.score,
        band: scored.band,
        vector: scored.vector,
        evidence,
    }
}

/// Nothing is left that could be abused.
fn removed(context: &JitContext<'_>, factors: &Factors) -> ResidualRisk {
    let gone = |level: &Level| level.changed(0, Evidence::new(Grade::B, "removed"));
    let after = Factors {
        exposure: gone(&factors.exposure),
        standing: gone(&factors.standing),
        hygiene: gone(&factors.hygiene),
        privilege: gone(&factors.privilege),
        sensitivity: gone(&factors.sensitivity),
        blast: gone(&factors.blast),
        root_key: false,
    };
    finish(
        context,
        &after,
        vec!["the access is removed and nothing takes its place".to_owned()],
    )
}

/// Lowers a factor, never raises it: a plan that makes something worse is not a plan.
fn set(level: &mut Level, why: &mut Vec<String>, code: &str, to: u8, reason: &str) {
    if to < level.level {
        why.push(format!("{code}{} → {code}{to}: {reason}", level.level));
        *level = level.changed(to, Evidence::new(Grade::B, reason));
    }
}

fn migrate(
    context: &JitContext<'_>,
    subject: &Subject<'_>,
    target: &Target,
    ttl: &Ttl,
    after: &mut Factors,
    why: &mut Vec<String>,
) {
    let gates = &context.scoring.gates;
    let t = &context.scoring.thresholds;
    let coverage = coverage_after(subject, target);
    let context_enough = coverage >= gates.full_condition_coverage;
    let mut exposure = target.exposure_after;
    if !context_enough && exposure < gates.residual_exposure {
        exposure = gates.residual_exposure;
        why.push(format!(
            "E stays at {exposure} or more: the conditions answer {coverage} of four questions"
        ));
    }
    set(
        &mut after.exposure,
        why,
        "E",
        exposure,
        &format!("replaced by: {}", target.title),
    );
    let standing = match ttl.seconds {
        Some(seconds) if seconds <= t.short_session_seconds && context_enough => 0,
        Some(seconds) if seconds <= t.medium_session_seconds => 1,
        None if target.class == MechanismClass::Ambient => 1,
        Some(seconds) if seconds <= u64::try_from(t.rotation_days).unwrap_or_default() * 86_400 => {
            2
        }
        _ => 3,
    };
    let lasts = ttl.seconds.map_or_else(
        || "renewed by the platform while the workload lives".to_owned(),
        |seconds| format!("lasts {}", super::ttl::human(seconds)),
    );
    set(&mut after.standing, why, "T", standing, &lasts);
    if after.hygiene.level > 0 && subject.owner.is_some() {
        set(
            &mut after.hygiene,
            why,
            "H",
            0,
            "one consumer, each with its own access",
        );
    }
    if subject.only_installs() {
        let reason = "it only installs packages: a token that may read them does";
        set(&mut after.privilege, why, "P", 2, reason);
        set(
            &mut after.blast,
            why,
            "B",
            0,
            "it publishes nothing any more",
        );
        return;
    }
    if let Some((tier, reason)) = used_tier(context, subject) {
        set(&mut after.privilege, why, "P", tier, &reason);
        return;
    }
    let use_known = subject.identity.and_then(|identity| {
        let used = identity.privilege.services_used?;
        let granted = u32::try_from(identity.privilege.services.len()).unwrap_or(u32::MAX);
        (identity.privilege.admin && used > 0 && (used < granted || granted == 0 || granted == 1))
            .then_some(used)
    });
    if let Some(used) = use_known {
        set(
            &mut after.privilege,
            why,
            "P",
            4,
            &format!(
                "last-accessed data shows {used} services in use: the new grant names those, without administration"
            ),
        );
    }
}
