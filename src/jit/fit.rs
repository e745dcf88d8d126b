//! F1–F7: how well just-in-time access would fit.

use super::JitContext;
use super::capability;
use super::factors::last_use;
use super::subject::Subject;
use super::ttl::Window;
use crate::model::evidence::day;
use crate::model::{
    ConsumerClass, Evidence, Federation, Fit, FitFactor, Grade, LastUse, PrincipalKind, Ternary,
};
use crate::rules::scoring::points;
use crate::rules::targets::{MechanismClass, Refresh, Target};
use std::collections::BTreeMap;

/// The fit and the answers it rests on.
#[derive(Clone, Debug)]
pub struct FitResult {
    /// Score and factors.
    pub fit: Fit,
    /// Can the consumer ask again safely.
    pub can_rerequest: Ternary,
    /// Is a failed renewal tolerable.
    pub renewal_failure_tolerable: Ternary,
    /// Use was observed, is logged, or neither.
    pub instrumented: bool,
}

/// Judges the fit for the chosen target.
pub fn fit(context: &JitContext<'_>, subject: &Subject<'_>, window: &Window) -> FitResult {
    let tables = &context.scoring.fit;
    let misfit = subject.misfit();
    // What cannot be set up where it runs issues nothing there and ends nothing.
    let target = subject.choice.target.filter(|_| misfit.is_none());
    let (rerequest, tolerable, renewal_evidence) = renewal(subject, target, window);
    let both = match (rerequest, tolerable) {
        (Ternary::No, _) | (_, Ternary::No) => Ternary::No,
        (Ternary::Yes, Ternary::Yes) => Ternary::Yes,
        _ => Ternary::Unknown,
    };
    let instrumentation = instrumentation(subject);
    let factor =
        |code: &str, name: &str, table: &BTreeMap<String, u8>, level: &str, evidence| FitFactor {
            code: code.to_owned(),
            name: name.to_owned(),
            points: points(table, level),
            max: table.values().copied().max().unwrap_or(0),
            evidence: vec![evidence],
        };
    let class = target.map_or(MechanismClass::None, |target| target.class);
    let mechanism_grade = if subject.runtime == "unknown" {
        Grade::C
    } else {
        Grade::B
    };
    let (bounded, bounded_evidence) = boundedness(context, subject);
    let (revocation, revocation_text) = match target {
        Some(target) => (target.revocation.as_str(), target.revoke.clone()),
        None if misfit.is_some() => (
            "manual",
            "a mechanism that does not fit ends nothing".to_owned(),
        ),
        None => ("manual", "no mechanism is known".to_owned()),
    };
    let (federated, federated_evidence) = federation(context, subject, target);
    let (owned, owned_evidence) = ownership(subject);
    let factors = vec![
        factor(
            "F1",
            "mechanism available",
            &tables.mechanism,
            class.as_str(),
            Evidence::new(
                mechanism_grade,
                misfit.unwrap_or_else(|| subject.choice.reason.clone()),
            ),
        ),
        factor(
            "F2",
            "bounded task",
            &tables.boundedness,
            bounded,
            bounded_evidence,
        ),
        factor(
            "F3",
            "automated revocation",
            &tables.revocation,
            revocation,
            Evidence::new(Grade::B, revocation_text),
        ),
        factor(
            "F4",
            "provable runtime identity",
            &tables.federation,
            federated,
            federated_evidence,
        ),
        factor(
            "F5",
            "one consumer and an owner",
            &tables.ownership,
            owned,
            owned_evidence,
        ),
        factor(
            "F6",
            "instrumentation",
            &tables.instrumentation,
            instrumentation.0,
            instrumentation.1,
        ),
        FitFactor {
            code: "F7".to_owned(),
            name: "renewal tolerance".to_owned(),
            points: context.scoring.renewal_points(both),
            max: tables.renewal.values().copied().max().unwrap_or(0),
            evidence: vec![renewal_evidence],
        },
    ];
    let score = factors
        .iter()
        .fold(0u8, |sum, factor| sum.saturating_add(factor.points));
    FitResult {
        fit: Fit {
            score: score.min(100),
            factors,
        },
        can_rerequest: rerequest,
        renewal_failure_tolerable: tolerable,
        instrumented: instrumentation.0 != "none",
    }
}

fn boundedness(context: &JitContext<'_>, subject: &Subject<'_>) -> (&'static str, Evidence) {
    let evidence = subject.class_evidence.clone();
    let level = match subject.class {
        class if class.bounded() => "bounded",
        ConsumerClass::Agent => {
            let least = context.scoring.thresholds.disconnected_providers;
            let scattered = subject
                .agent_identities(context)
                .into_iter()
                .filter_map(|identity| identity.agent.as_ref())
                .map(|agent| agent.providers.len())
                .max()
                .filter(|providers| *providers >= least);
            if let Some(providers) = scattered {
                return (
                    "agent-disconnected",
                    Evidence::new(
                        Grade::B,
                        format!(
                            "the agent spans {providers} systems that share no policy decision: revocation and context checks differ between them"
                        ),
                    ),
                );
            }
            "agent"
        }
        ConsumerClass::Human => "human",
        ConsumerClass::IncidentResponse => "incident-response",
        ConsumerClass::Vendor => "vendor",
        ConsumerClass::RequestDriven => "request-driven",
        ConsumerClass::Daemon => "daemon",
        _ => "unknown",
    };
    (level, evidence)
}

fn federation(
    context: &JitContext<'_>,
    subject: &Subject<'_>,
    target: Option<&Target>,
) -> (&'static str, Evidence) {
    if let Some(consumer) = subject
        .consumers
        .iter()
        .find(|consumer| consumer.federation == Federation::Configured)
    {
        return (
            "configured",
            Evidence::new(
                Grade::B,
                format!("{} can already prove what it is", consumer.name),
            ),
        );
    }
    let set_up = capability::of(context, subject);
    if let Some((capability, true)) = set_up {
        return (
            "configured",
            Evidence::new(Grade::B, capability::words(capability, true)),
        );
    }
    let proven = subject
        .identity
        .filter(|_| subject.credential.is_none())
        .and_then(|identity| {
            identity.trust.iter().find(|path| {
                matches!(
                    path.principal_kind,
                    PrincipalKind::Oidc
                        | PrincipalKind::Saml
                        | PrincipalKind::Service
                        | PrincipalKind::Principal
                        | PrincipalKind::Account
                )
            })
        });
    if let Some(path) = proven {
        return (
            "configured",
            Evidence::new(
                Grade::B,
                format!("it is reached through {}", path.principal),
            ),
        );
    }
    if let Some(issuer) = target
        .and_then(|target| target.issuer.as_ref())
        .filter(|issuer| subject.issuers.contains(*issuer))
    {
        return (
            "configured",
            Evidence::new(
                Grade::A,
                format!("the account has an OIDC provider for {issuer}"),
            ),
        );
    }
    if let Some(consumer) = subject
        .consumers
        .iter()
        .find(|consumer| consumer.federation == Federation::Supported)
    {
        return (
            "supported",
            Evidence::new(
                Grade::B,
                format!(
                    "{} runs in {}, which can prove what it is; nobody has set it up",
                    consumer.name, consumer.runtime
                ),
            ),
        );
    }
    if let Some((capability, false)) = set_up {
        return (
            "supported",
            Evidence::new(Grade::B, capability::words(capability, false)),
        );
    }
    let unavailable = !subject.consumers.is_empty()
        && subject
            .consumers
            .iter()
            .all(|c| c.federation == Federation::Unavailable);
    let by_platform = target.is_some_and(|target| {
        subject.class == ConsumerClass::Human
            || target.class == MechanismClass::Ambient && subject.runtime != "unknown"
            || target.class == MechanismClass::Federation && subject.choice.exact_runtime
    });
    if by_platform && !unavailable {
        return (
            "supported",
            Evidence::new(
                Grade::B,
                format!(
                    "{} offers it; that it is set up was not seen",
                    subject.runtime
                ),
            ),
        );
    }
    (
        "none",
        Evidence::new(
            Grade::D,
            "nothing seen by which the consumer could prove what it is",
        ),
    )
}

fn ownership(subject: &Subject<'_>) -> (&'static str, Evidence) {
    let consumers = subject.consumers.len();
    let owner = subject.owner.as_deref();
    let clear = consumers == 1 || (consumers > 1 && subject.paths().len() == 1);
    let level = match (clear, owner.is_some()) {
        (true, true) => "both",
        (false, false) => "none",
        _ => "one",
    };
    let who = owner.map_or_else(|| "no owner".to_owned(), |owner| format!("owner {owner}"));
    (
        level,
        Evidence::new(Grade::B, format!("consumers seen: {consumers}, {who}")),
    )
}

fn instrumentation(subject: &Subject<'_>) -> (&'static str, Evidence) {
    if let Some(activity) = subject.main_activity() {
        return (
            "observed",
            Evidence::new(Grade::A, super::task::in_words(activity)),
        );
    }
    match last_use(subject) {
        LastUse::At(at) => (
            "observed",
            Evidence::new(Grade::A, format!("last used {}", day(at))),
        ),
        LastUse::NeverSince(at) => (
            "observed",
            Evidence::new(Grade::A, format!("tracked since {}, never used", day(at))),
        ),
        LastUse::Unknown if subject.annotated(|note| note.logged) == Some(true) => (
            "declared",
            Evidence::new(
                Grade::B,
                "the configuration says that logs of its use are kept and watched",
            ),
        ),
        LastUse::Unknown => (
            "none",
            Evidence::new(Grade::D, "no telemetry of its use in the input"),
        ),
    }
}

/// Whether the consumer can ask again, whether a failed renewal is tolerable, and why.
fn renewal(
    subject: &Subject<'_>,
    target: Option<&Target>,
    window: &Window,
) -> (Ternary, Ternary, Evidence) {
    let declared = (
        subject.annotated(|note| note.can_rerequest),
        subject.annotated(|note| note.renewal_failure_tolerable),
    );
    let (rerequest, tolerable, why) = inferred(subject, target, window);
    let (first, second) = (
        declared.0.unwrap_or(rerequest),
        declared.1.unwrap_or(tolerable),
    );
    let evidence = if declared.0.is_some() && declared.1.is_some() {
        Evidence::new(Grade::B, "declared in the configuration")
    } else {
        Evidence::new(Grade::C, why)
    };
    (first, second, evidence)
}

fn inferred(
    subject: &Subject<'_>,
    target: Option<&Target>,
    window: &Window,
) -> (Ternary, Ternary, &'static str) {
    let longest = target
        .and_then(|target| target.ttl.as_ref())
        .map(|ttl| ttl.max);
    let one_grant = longest
        .is_some_and(|longest| (window.declared || window.observed) && window.seconds <= longest);
    if target.is_some_and(|target| target.refresh == Refresh::Platform) {
        return (
            Ternary::Yes,
            Ternary::Yes,
            "the platform renews it without the consumer noticing",
        );
    }
    match subject.class {
        ConsumerClass::Ci => (
            Ternary::Yes,
            Ternary::Yes,
            "a failed job is run again and asks anew",
        ),
        ConsumerClass::Human => (Ternary::Yes, Ternary::Yes, "a person signs in again"),
        class if class.bounded() && one_grant => (
            Ternary::Yes,
            Ternary::Yes,
            "one grant covers the longest run; each run asks anew",
        ),
        class if class.bounded() => (
            Ternary::Yes,
            Ternary::Unknown,
            "each run asks anew; whether one may fail is not known",
        ),
        // An identity that is already reached by sessions renews them today.
        _ if subject.credential.is_none()
            && subject
                .identity
                .is_some_and(|identity| !identity.trust.is_empty()) =>
        {
            (
                Ternary::Yes,
                Ternary::Yes,
                "it is reached by sessions that are renewed today",
            )
        }
        _ => (
            Ternary::Unknown,
            Ternary::Unknown,
            "whether it can ask again, and whether that may fail, is not known",
        ),
    }
}
