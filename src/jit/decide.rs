//! The ordered decision table: the first row that holds decides, and every row looked at is kept with its values.

use super::JitContext;
use super::already::already_just_in_time;
use super::blockers::{ADVISORY, COMPENSATE, UNSEEN};
use super::factors::{born, inactive, last_use};
use super::fit::FitResult;
use super::risk::{Factors, Scored};
use super::subject::Subject;
use crate::model::evidence::{day, days_between};
use crate::model::{
    Blocker, BreakGlass, ConditionResult, Confidence, CredentialStatus, Disposition,
    DispositionTrace, Grade, IdentityKind, Ternary,
};

/// Everything a decision is made on.
pub struct Facts<'s, 'a> {
    /// Inventory, rules and time.
    pub context: &'s JitContext<'a>,
    /// What is judged.
    pub subject: &'s Subject<'a>,
    /// Its factors.
    pub factors: &'s Factors,
    /// Its score.
    pub scored: &'s Scored,
    /// Its fit.
    pub fit: &'s FitResult,
    /// What stands in the way.
    pub blockers: &'s [Blocker],
    /// Its risk after a migration.
    pub migrated: u8,
}

/// The decision, how it was reached and how sure it is.
pub struct Decision {
    /// The row that held.
    pub disposition: Disposition,
    /// Every row looked at.
    pub trace: Vec<DispositionTrace>,
    /// Weakest grade among what decided.
    pub confidence: Grade,
}

struct Row {
    disposition: Disposition,
    conditions: Vec<ConditionResult>,
    matched: bool,
    grades: Vec<Grade>,
}

/// Walks the table.
pub fn decide(facts: &Facts<'_, '_>) -> Decision {
    let rows: [fn(&Facts<'_, '_>) -> Row; 9] = [
        revoke_now,
        break_glass,
        decommission,
        migrate_now,
        hybrid,
        shorten,
        split_first,
        keep_standing,
        plan_migration,
    ];
    let mut trace = Vec::new();
    let mut suspected = false;
    for row in rows {
        let row = row(facts);
        let decided = row.matched;
        trace.push(DispositionTrace {
            disposition: row.disposition,
            conditions: row.conditions,
            matched: decided,
        });
        if decided {
            return Decision {
                disposition: row.disposition,
                trace,
                confidence: row.grades.into_iter().max().unwrap_or(Grade::D),
            };
        }
        if row.disposition == Disposition::BreakGlassIsolate
            && facts.subject.break_glass() == Some(BreakGlass::Suspected)
        {
            suspected = true;
            break;
        }
    }
    let text = if suspected {
        "the name suggests emergency access and nobody has confirmed it: confirm or deny it first"
            .to_owned()
    } else {
        let nearest = super::nearest::nearest(&trace);
        let nearest = nearest.map_or_else(String::new, |text| format!("; {text}"));
        format!("no row before this one holds{nearest}")
    };
    trace.push(DispositionTrace {
        disposition: Disposition::Review,
        conditions: vec![condition(text, true)],
        matched: true,
    });
    Decision {
        disposition: Disposition::Review,
        trace,
        confidence: Grade::D,
    }
}

fn condition(text: impl Into<String>, held: bool) -> ConditionResult {
    ternary(text, if held { Ternary::Yes } else { Ternary::No })
}

fn ternary(text: impl Into<String>, held: Ternary) -> ConditionResult {
    ConditionResult {
        text: text.into(),
        held,
    }
}

/// A row whose conditions all have to hold.
fn all(disposition: Disposition, conditions: Vec<ConditionResult>, grades: Vec<Grade>) -> Row {
    Row {
        matched: conditions
            .iter()
            .all(|condition| condition.held == Ternary::Yes),
        disposition,
        conditions,
        grades,
    }
}

/// What is more than a guess: not every piece of evidence is a heuristic.
fn grounded(grades: &[Grade]) -> ConditionResult {
    let best = grades.iter().min().copied().unwrap_or(Grade::D);
    condition(
        format!(
            "rests on more than heuristics: best evidence is of grade {}",
            best.as_str()
        ),
        best < Grade::D,
    )
}

/// What calls for work now: no piece of evidence it rests on is a heuristic.
fn no_guess(grades: &[Grade]) -> ConditionResult {
    let worst = grades.iter().max().copied().unwrap_or(Grade::D);
    condition(
        format!(
            "nothing it rests on is a guess: weakest evidence is of grade {}",
            worst.as_str()
        ),
        worst < Grade::D,
    )
}

fn weakest(level: &super::risk::Level) -> Grade {
    level
        .evidence
        .iter()
        .map(|e| e.grade)
        .max()
        .unwrap_or(Grade::D)
}

fn revoke_now(facts: &Facts<'_, '_>) -> Row {
    let credential = facts.subject.credential;
    let exposure = &facts.factors.exposure;
    let material = credential.is_some_and(crate::model::Credential::material_seen);
    let sure = credential.is_some_and(|c| c.confidence != Confidence::Low);
    let status = credential.map_or(CredentialStatus::Unknown, |c| c.status);
    let live = match status {
        CredentialStatus::Active => "status active".to_owned(),
        CredentialStatus::Inactive => "status inactive".to_owned(),
        CredentialStatus::Unknown => "status unknown, treated as live".to_owned(),
    };
    let root = facts.subject.root_key();
    let leak = vec![
        condition(
            format!("exposure E{} ≥ 4", exposure.level),
            exposure.level >= 4,
        ),
        condition(
            format!("secret material was seen: {}", yes_no(material)),
            material,
        ),
        condition(
            format!("not known inactive: {live}"),
            status != CredentialStatus::Inactive,
        ),
        condition(
            format!("more than a heuristic match: {}", yes_no(sure)),
            sure,
        ),
    ];
    let leaked = leak.iter().all(|condition| condition.held == Ternary::Yes);
    let mut conditions = leak;
    conditions.push(condition(
        format!("or access key of a root user: {}", yes_no(root)),
        root,
    ));
    let grades = if root && !leaked {
        vec![
            facts
                .subject
                .identity
                .map_or(Grade::B, |identity| identity.grade),
        ]
    } else {
        vec![weakest(exposure)]
    };
    Row {
        disposition: Disposition::RevokeNow,
        conditions,
        matched: leaked || root,
        grades,
    }
}

fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn break_glass(facts: &Facts<'_, '_>) -> Row {
    let state = facts.subject.break_glass();
    let (text, held) = match state {
        Some(BreakGlass::Declared) => ("declared as emergency access", Ternary::Yes),
        Some(BreakGlass::Suspected) => (
            "declared as emergency access: only the name suggests it",
            Ternary::Unknown,
        ),
        None => ("declared as emergency access: no", Ternary::No),
    };
    all(
        Disposition::BreakGlassIsolate,
        vec![ternary(text, held)],
        vec![Grade::B],
    )
}

/// A user of AWS whose account shows neither key nor password.
fn nothing_acts_as_it(subject: &Subject<'_>) -> bool {
    let user = subject
        .identity
        .filter(|identity| identity.kind == IdentityKind::IamUser && identity.grade == Grade::A);
    subject.credential.is_none()
        && user
            .is_some_and(|user| user.console_password == Some(false) && user.credentials.is_empty())
}

fn decommission(facts: &Facts<'_, '_>) -> Row {
    let t = &facts.context.scoring.thresholds;
    let now = facts.context.now;
    let empty = nothing_acts_as_it(facts.subject);
    let off = inactive(facts.subject) || empty;
    let used = last_use(facts.subject);
    let idle = used.idle_days(now);
    let unused = if empty {
        condition(
            "unused: it has no key and no password, so nothing can act as it",
            true,
        )
    } else if off {
        condition("unused: the issuer says inactive", true)
    } else {
        match idle.zip(used.idle_since()) {
            Some((days, since)) => condition(
                format!(
                    "unused for ≥ {} d, by telemetry: since {}",
                    t.unused_days,
                    day(since)
                ),
                days >= t.unused_days,
            ),
            None => ternary(
                format!(
                    "unused for ≥ {} d: no telemetry, so it is not known",
                    t.unused_days
                ),
                Ternary::Unknown,
            ),
        }
    };
    let old = match born(facts.subject) {
        _ if off => condition(
            "older than the tracking period: not needed, nothing works as it",
            true,
        ),
        Some(at) => condition(
            format!("exists for ≥ {} d: since {}", t.unused_days, day(at)),
            days_between(at, now) >= t.unused_days,
        ),
        // Idle telemetry that long implies an age that long.
        None => ternary(
            "age unknown; idle time stands for it",
            if idle.is_some_and(|days| days >= t.unused_days) {
                Ternary::Yes
            } else {
                Ternary::Unknown
            },
        ),
    };
    let users = facts.subject.consumers.len();
    // Whom a trust policy lets in may use a role; its telemetry says whether anyone does.
    let declared = facts
        .subject
        .consumers
        .iter()
        .filter(|consumer| consumer.repository.is_some())
        .count();
    let (live, but) = match users.saturating_sub(declared) {
        0 => (users, String::new()),
        _ if idle.is_none_or(|days| days < t.unused_days) => (users, String::new()),
        let_in => (
            declared,
            format!(", and {let_in} that may use it and did not"),
        ),
    };
    let free = condition(
        format!("no live consumer was found: {live} consumers{but}"),
        live == 0 || off,
    );
    all(
        Disposition::Decommission,
        vec![unused, old, free],
        vec![facts.subject.credential.map_or_else(
            || {
                facts
                    .subject
                    .identity
                    .map_or(Grade::D, |identity| identity.grade)
            },
            |credential| credential.grade.min(Grade::B),
        )],
    )
}

fn stopping(blockers: &[Blocker]) -> Vec<&str> {
    blockers
        .iter()
        .map(|blocker| blocker.id.as_str())
        .filter(|id| !ADVISORY.contains(id))
        .collect()
}

fn no_blockers(facts: &Facts<'_, '_>) -> ConditionResult {
    let stopping = stopping(facts.blockers);
    let list = if stopping.is_empty() {
        "none".to_owned()
    } else {
        stopping.join(", ")
    };
    condition(format!("no blockers: {list}"), stopping.is_empty())
}

/// Whether it may do what must never stand: seen in grants, or told by the type's usual privilege.
fn action_class(facts: &Facts<'_, '_>) -> (Ternary, String) {
    let privilege = &facts.factors.privilege;
    if let Some(identity) = facts.subject.identity.filter(|_| !privilege.assumed) {
        let p = &identity.privilege;
        let classes: Vec<&str> = [
            (p.admin || p.permissions_management, "administration"),
            (p.write, "write"),
            (p.secret_read, "secret retrieval"),
            (p.cross_account, "reach into other accounts"),
        ]
        .into_iter()
        .filter_map(|(held, name)| held.then_some(name))
        .collect();
        if !classes.is_empty() {
            return (Ternary::Yes, classes.join(", "));
        }
    }
    if privilege.level >= 3 {
        let how = if privilege.assumed {
            " (assumed from its type)"
        } else {
            ""
        };
        return (Ternary::Yes, format!("privilege P{}{how}", privilege.level));
    }
    if privilege.assumed {
        (Ternary::Unknown, "what it may do is not known".to_owned())
    } else {
        (Ternary::No, "none".to_owned())
    }
}

fn gain(facts: &Facts<'_, '_>) -> ConditionResult {
    let (now, after) = (facts.scored.score, facts.migrated);
    let (text, held) = if already_just_in_time(facts) {
        ("already short-lived and conditioned".to_owned(), false)
    } else if after >= now {
        let what = if facts.factors.privilege.level >= 3 {
            "; what is left to take is privilege, and nothing shows what of it is used"
        } else {
            ""
        };
        (format!("no, the risk stays {now}{what}"), false)
    } else {
        (format!("yes, risk {now} → {after}"), true)
    };
    condition(format!("something is left to gain: {text}"), held)
}

fn fit_grades(facts: &Facts<'_, '_>) -> Vec<Grade> {
    facts
        .fit
        .fit
        .factors
        .iter()
        .filter(|factor| matches!(factor.code.as_str(), "F1" | "F2" | "F4"))
        .flat_map(|factor| factor.evidence.iter().map(|evidence| evidence.grade))
        .chain([if facts.factors.privilege.assumed {
            weakest(&facts.factors.privilege)
        } else {
            Grade::B
        }])
        .collect()
}

fn migrate_now(facts: &Facts<'_, '_>) -> Row {
    let gates = &facts.context.scoring.gates;
    let fit = facts.fit.fit.score;
    let (class, classes) = action_class(facts);
    let risk = facts.scored.score;
    let needed = risk >= gates.migrate_risk || class == Ternary::Yes;
    let answered = facts.fit.can_rerequest == Ternary::Yes
        && facts.fit.renewal_failure_tolerable == Ternary::Yes;
    let unanswered = facts.fit.can_rerequest == Ternary::Unknown
        || facts.fit.renewal_failure_tolerable == Ternary::Unknown;
    let renewal = ternary(
        format!(
            "it can ask again ({}) and a failed renewal is tolerable ({})",
            facts.fit.can_rerequest.as_str(),
            facts.fit.renewal_failure_tolerable.as_str()
        ),
        match (answered, unanswered) {
            (true, _) => Ternary::Yes,
            (_, true) => Ternary::Unknown,
            _ => Ternary::No,
        },
    );
    let grades = fit_grades(facts);
    let conditions = vec![
        condition(
            format!("fit {fit} ≥ {}", gates.migrate_fit),
            fit >= gates.migrate_fit,
        ),
        no_blockers(facts),
        condition(
            format!(
                "risk {risk} ≥ {} or an action class that requires it: {classes}",
                gates.migrate_risk
            ),
            needed,
        ),
        renewal,
        condition(
            format!(
                "the work ends, or has no privileged verbs to split off: {}",
                facts.subject.class.as_str()
            ),
            !facts.subject.class.continuous() || class != Ternary::Yes,
        ),
        gain(facts),
        no_guess(&grades),
    ];
    all(Disposition::MigrateNow, conditions, grades)
}

fn hybrid(facts: &Facts<'_, '_>) -> Row {
    let subject = facts.subject;
    let least = facts.context.scoring.gates.hybrid_mechanism_points;
    let continuous = subject.class.continuous();
    let stable = subject.agent()
        && (subject
            .identity
            .is_some_and(|identity| identity.kind != IdentityKind::Unresolved)
            || subject
                .consumers
                .iter()
                .any(|consumer| consumer.identity.is_some()));
    let (class, classes) = action_class(facts);
    let points = mechanism_points(facts);
    let grades = fit_grades(facts);
    let conditions = vec![
        condition(
            format!(
                "continuous work, or an agent with an identity of its own: {}",
                subject.class.as_str()
            ),
            continuous || stable,
        ),
        ternary(
            format!("an action class that requires elevation on demand: {classes}"),
            class,
        ),
        condition(
            format!("mechanism points {points} ≥ {least}"),
            points >= least,
        ),
        grounded(&grades),
    ];
    all(Disposition::Hybrid, conditions, grades)
}

/// Nothing stands in the way but that little is seen of work which is known to go on.
fn only_unseen(facts: &Facts<'_, '_>) -> bool {
    let stopping = stopping(facts.blockers);
    !stopping.is_empty()
        && stopping.iter().all(|id| UNSEEN.contains(id))
        && facts.subject.class.continuous()
}

/// Points of the mechanism.
fn mechanism_points(facts: &Facts<'_, '_>) -> u8 {
    let first = facts.fit.fit.factors.first();
    first.map_or(0, |factor| factor.points)
}

fn shorten(facts: &Facts<'_, '_>) -> Row {
    // Of work that is not seen, what cannot be given up for an identity is at least made shorter.
    let shortens = only_unseen(facts)
        && (1..facts.context.scoring.gates.hybrid_mechanism_points)
            .contains(&mechanism_points(facts))
        && !keep_standing(facts).matched;
    let compensates = |id: &str| COMPENSATE.contains(&id) || (shortens && UNSEEN.contains(&id));
    let found: Vec<&Blocker> = facts
        .blockers
        .iter()
        .filter(|blocker| compensates(&blocker.id))
        .collect();
    let list: Vec<&str> = found.iter().map(|blocker| blocker.id.as_str()).collect();
    let text = if list.is_empty() {
        "none".to_owned()
    } else {
        list.join(", ")
    };
    all(
        Disposition::ShortenAndCompensate,
        vec![condition(
            format!("a blocker that has to be compensated: {text}"),
            !found.is_empty(),
        )],
        found.iter().map(|blocker| blocker.evidence.grade).collect(),
    )
}

fn split_first(facts: &Facts<'_, '_>) -> Row {
    let shared = facts
        .blockers
        .iter()
        .find(|blocker| blocker.id == "shared_path");
    let environments = facts.subject.consumer_environments(facts.context);
    let list: Vec<&str> = environments
        .iter()
        .map(|environment| environment.as_str())
        .collect();
    let crossing = environments.len() >= 2;
    let first = match shared {
        Some(blocker) => condition(blocker.evidence.text.clone(), true),
        None => condition("several paths share it: no", false),
    };
    let named = if list.is_empty() {
        "none named".to_owned()
    } else {
        list.join(", ")
    };
    let second = condition(format!("or reuse across environments: {named}"), crossing);
    Row {
        disposition: Disposition::SplitFirst,
        matched: shared.is_some() || crossing,
        conditions: vec![first, second],
        grades: vec![shared.map_or(Grade::B, |blocker| blocker.evidence.grade)],
    }
}

fn keep_standing(facts: &Facts<'_, '_>) -> Row {
    let gates = &facts.context.scoring.gates;
    let (class, classes) = action_class(facts);
    let levels = &facts.factors;
    let most = facts.context.scoring.thresholds.exception_most_days;
    let expiry = facts.subject.annotated(|note| note.exception_expires);
    let ahead = expiry
        .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .filter(|date| date.timestamp() > facts.context.now)
        .map(|date| days_between(facts.context.now, date.timestamp()));
    let far = ahead.is_some_and(|days| days > most);
    let valid = ahead.is_some() && !far;
    let none = match class {
        Ternary::Yes => Ternary::No,
        Ternary::No => Ternary::Yes,
        Ternary::Unknown => Ternary::Unknown,
    };
    let answers = facts
        .subject
        .annotated(|note| note.exception_owner.clone())
        .or_else(|| facts.subject.owner.clone());
    let owner = answers.as_deref().unwrap_or("none");
    let why = facts
        .subject
        .annotated(|note| note.exception_reason.clone())
        .map_or_else(String::new, |why| format!(" ({why})"));
    let small = |name: &str, level: u8, most: u8| {
        condition(format!("{name}{level} ≤ {most}"), level <= most)
    };
    let mut conditions = vec![
        ternary(
            format!("no action class that requires elevation on demand: {classes}"),
            none,
        ),
        small("P", levels.privilege.level, gates.keep_max_privilege),
        small("S", levels.sensitivity.level, gates.keep_max_sensitivity),
        small("B", levels.blast.level, gates.keep_max_blast),
        condition(format!("owner: {owner}"), answers.is_some()),
        condition(
            format!(
                "exception that has not run out: {}{}{why}",
                expiry.map_or_else(|| "none".to_owned(), |date| date.to_string()),
                if far {
                    format!(", which is more than {most} d ahead and does not count")
                } else {
                    String::new()
                }
            ),
            valid,
        ),
        condition("not an agent with tools", !facts.subject.agent()),
    ];
    let standing = conditions
        .iter()
        .all(|condition| condition.held == Ternary::Yes);
    let already = already_just_in_time(facts);
    conditions.push(condition(
        format!(
            "or already short-lived, conditioned and below administration: {}",
            yes_no(already)
        ),
        already,
    ));
    Row {
        disposition: Disposition::KeepStanding,
        conditions,
        matched: standing || already,
        grades: vec![weakest(&levels.privilege), weakest(&levels.sensitivity)],
    }
}

/// Its trust asks for nothing but time: what it has to ask for does not depend on who uses it.
fn timer_only(facts: &Facts<'_, '_>) -> bool {
    facts.subject.credential.is_none()
        && facts.factors.exposure.level >= 3
        && facts.subject.identity.is_some_and(|identity| {
            identity.kind == IdentityKind::IamRole
                && !identity.trust.is_empty()
                && identity.condition_coverage().count() == 0
        })
}

/// No blockers, but that a trust can be narrowed before every user of it is known, and that a static secret can give way to
/// what its consumer can prove, or to what a broker hands out, before anyone sees when the work is done.
fn no_blockers_to_move(facts: &Facts<'_, '_>) -> ConditionResult {
    if timer_only(facts) && stopping(facts.blockers) == ["consumer_unknown"] {
        return condition(
            "no blockers but consumer_unknown, and its trust asks for nothing but time: conditions \
             come first, whoever uses it",
            true,
        );
    }
    if only_unseen(facts)
        && mechanism_points(facts) >= facts.context.scoring.gates.hybrid_mechanism_points
    {
        return condition(
            format!(
                "no blockers but {}, which limit what may be claimed: the static secret goes, and \
                 telemetry and a rehearsed revocation come with it",
                stopping(facts.blockers).join(" and ")
            ),
            true,
        );
    }
    no_blockers(facts)
}

fn plan_migration(facts: &Facts<'_, '_>) -> Row {
    let least = facts.context.scoring.gates.plan_fit;
    let fit = facts.fit.fit.score;
    let grades = fit_grades(facts);
    let conditions = vec![
        condition(format!("fit {fit} ≥ {least}"), fit >= least),
        no_blockers_to_move(facts),
        gain(facts),
        grounded(&grades),
    ];
    all(Disposition::PlanMigration, conditions, grades)
}
