//! What stands in the way of just-in-time access.

use super::JitContext;
use super::fit::FitResult;
use super::subject::Subject;
use crate::model::{Blocker, BreakGlass, ConsumerClass, Evidence, Grade, LastUse, Ternary};
use crate::rules::targets::{MechanismClass, Revocation};

/// Blockers that send a subject to shortening and compensating controls.
pub const COMPENSATE: [&str; 9] = [
    "vendor_static",
    "cached_secret",
    "no_session_authz",
    "renewal_intolerant",
    "ambiguous_revocation",
    "shared_admin",
    "no_live_signal",
    "manual_revocation_only",
    "brittle_dependency",
];

/// Blockers that say how little is seen of continuous work. They limit the claim; what may be done about it is to take the
/// static secret away all the same, to shorten what stays, to watch it and to have a way of ending it.
pub const UNSEEN: [&str; 2] = ["cannot_prove_stop", "unbounded_and_uninstrumented"];

/// The mechanism that is tried is none of the place where the subject runs.
pub const RUNTIME_MISMATCH: &str = "runtime_mismatch";

/// Blockers that limit the claim of a migration without stopping it.
pub const ADVISORY: [&str; 1] = ["no_intent_policy"];

/// Every blocker with its evidence, sorted by id.
pub fn blockers(context: &JitContext<'_>, subject: &Subject<'_>, fit: &FitResult) -> Vec<Blocker> {
    let mut found = Vec::new();
    let mut block = |id: &str, grade: Grade, text: String| {
        found.push(Blocker {
            id: id.to_owned(),
            evidence: Evidence::new(grade, text),
        });
    };
    declared(subject, &mut block);
    of_target(subject, &mut block);
    if let Some(text) = subject.misfit() {
        block(RUNTIME_MISMATCH, Grade::B, text);
    }
    let continuous = subject.class.continuous();
    let unknown = subject.class == ConsumerClass::Unknown;
    let used =
        super::factors::last_use(subject) != LastUse::Unknown || !subject.activity.is_empty();
    let paths = subject.paths();
    if paths.len() >= context.scoring.thresholds.shared_consumers {
        let list: Vec<&str> = paths.iter().take(3).map(String::as_str).collect();
        block(
            "shared_path",
            Grade::B,
            format!("{} paths share it: {}", paths.len(), list.join("; ")),
        );
    }
    if let Some(evidence) = super::shared::administrator(context, subject, paths.len()) {
        block("shared_admin", evidence.grade, evidence.text);
    }
    if continuous && !fit.instrumented {
        block(
            "unbounded_and_uninstrumented",
            Grade::B,
            format!(
                "{} work without an end, and no telemetry of its use",
                subject.class.as_str()
            ),
        );
    }
    if subject.credential.is_some() && (continuous || unknown) && !used {
        block(
            "cannot_prove_stop",
            Grade::B,
            "no last-used data: nobody can show that the old credential is no longer used".into(),
        );
    }
    if unknown && subject.consumers.is_empty() && !callers_known(subject) {
        block(
            "consumer_unknown",
            Grade::B,
            "nothing was seen that uses it".into(),
        );
    }
    if subject.annotated(|note| note.renewal_failure_tolerable) == Some(Ternary::No)
        || subject.annotated(|note| note.can_rerequest) == Some(Ternary::No)
    {
        block(
            "renewal_intolerant",
            Grade::B,
            "declared: it cannot ask again, or a failed renewal is not tolerable".into(),
        );
    }
    if subject.break_glass() == Some(BreakGlass::Declared) {
        block("break_glass", Grade::B, "declared emergency access".into());
    }
    if subject.agent() && !intent_policy(context, subject) {
        block(
            "no_intent_policy",
            Grade::B,
            "no policy is named that judges what the agent intends".into(),
        );
    }
    found.sort();
    found.dedup_by(|a, b| a.id == b.id);
    found
}

/// Logs name who starts its sessions.
fn callers_known(subject: &Subject<'_>) -> bool {
    subject
        .activity
        .iter()
        .flat_map(|activity| &activity.callers)
        .any(|caller| caller.kind != "session-name")
}

/// A policy that judges the agent's intent is named.
pub fn intent_policy(context: &JitContext<'_>, subject: &Subject<'_>) -> bool {
    let agents = subject.agent_identities(context);
    subject
        .annotated(|note| note.intent_policy.clone())
        .is_some()
        || agents.iter().any(|identity| {
            let names = [
                identity.native_id.as_str(),
                identity.name.as_str(),
                identity.id.as_str(),
            ];
            context
                .config
                .annotated(&names, |note| note.intent_policy.clone())
                .is_some()
        })
        || (!agents.is_empty()
            && agents.iter().all(|identity| {
                identity
                    .agent
                    .as_ref()
                    .is_some_and(|agent| agent.intent_policy)
            }))
}

fn declared(subject: &Subject<'_>, block: &mut impl FnMut(&str, Grade, String)) {
    type Field = fn(&crate::rules::config::Annotation) -> Option<bool>;
    let declarations: [(&str, Field, &str); 5] = [
        (
            "vendor_static",
            |note| note.vendor_static,
            "the vendor accepts nothing but a static key",
        ),
        (
            "cached_secret",
            |note| note.cached_secret,
            "the consumer caches the secret out of the issuer's sight",
        ),
        (
            "no_session_authz",
            |note| note.no_session_authz,
            "the system cannot authorize per session",
        ),
        (
            "no_live_signal",
            |note| note.no_live_signal,
            "the system has no live signal about posture or context",
        ),
        (
            "brittle_dependency",
            |note| note.brittle_dependency,
            "production breaks if the access changes",
        ),
    ];
    for (id, field, text) in declarations {
        if subject.annotated(field) == Some(true) {
            block(id, Grade::B, format!("declared: {text}"));
        }
    }
}

fn of_target(subject: &Subject<'_>, block: &mut impl FnMut(&str, Grade, String)) {
    let Some(target) = subject.choice.target else {
        return;
    };
    // Root keys are removed and emergency access is sealed: neither has a mechanism that could be missing.
    if target.class == MechanismClass::None
        && subject.situation != crate::rules::targets::Situation::Identity
    {
        return;
    }
    if target.vendor_static && subject.annotated(|note| note.vendor_static) != Some(false) {
        block(
            "vendor_static",
            Grade::C,
            format!(
                "the catalogue knows no mechanism but static keys for {} (as of {})",
                subject.kind(),
                target.as_of
            ),
        );
    }
    if !target.session_authz {
        block(
            "no_session_authz",
            Grade::C,
            format!("{} does not authorize per session", target.title),
        );
    }
    if target.revocation == Revocation::Manual {
        block("manual_revocation_only", Grade::C, target.revoke.clone());
    }
    let ends = matches!(target.revocation, Revocation::Ttl | Revocation::TtlAndApi);
    if !ends && subject.class.continuous() {
        block(
            "ambiguous_revocation",
            Grade::B,
            "no job end, no timeout and no lease: nothing tells when access should end".into(),
        );
    }
}
