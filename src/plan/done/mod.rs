//! Proof of completion: what a run shows of the items of earlier plans, and the standing access that came after them.
//!
//! Pure: what is remembered of earlier plans and a report in, judgements out. Where it is kept is the store's business.

mod later;
mod proof;
#[cfg(test)]
mod tests;

use crate::model::evidence::day;
use crate::model::{
    Assessment, AssessmentId, Credential, Disposition, FirstSeen, ItemProgress, ItemState, LastUse,
    PlanItem, PlanItemId, PlanMemory, Planned, Report, StandingDrift, Unfinished as Rest,
};
use crate::rules::targets::{Proof, StepText, Target, Targets};
use jiff::Timestamp;
use later::Later;
pub use later::View;
use proof::{Seen, proofs};
use std::collections::{BTreeMap, BTreeSet};

/// What a run was asked, as far as it decides what it can tell of earlier plans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Stands for the arguments that name sources.
    pub scope: String,
    /// The history of repositories was read whole.
    pub history: bool,
}

/// What became of earlier plans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The items, those that came back first.
    pub items: Vec<ItemProgress>,
    /// Standing access since the plan.
    pub standing: Vec<StandingDrift>,
    /// How many items more there are, of places that the run was not asked to look at.
    pub elsewhere: usize,
    /// What the next run has to know.
    pub memory: PlanMemory,
}

/// Moves that earlier plans began and that are not finished, by the assessment that each settles.
pub type Unfinished = BTreeMap<AssessmentId, (Planned, Rest)>;

/// The moves of earlier plans that are not finished, with what is left of each, as far as a run looked where it would show.
pub fn unfinished(
    view: View<'_>,
    memory: &PlanMemory,
    asked: &Asked,
    targets: &Targets,
) -> Unfinished {
    let begun = |planned: &&Planned| {
        planned.progress.state != ItemState::Done
            && Course::of(planned.progress.disposition) == Course::Move
    };
    let later = Later::new(view);
    let mut all = Unfinished::new();
    for planned in memory.items.iter().filter(begun) {
        if not_looked(planned, &later, asked).is_some()
            || later.assessment(&planned.assessment).is_none()
        {
            continue;
        }
        let seen = Seen {
            planned,
            credential: kept(planned, &later),
            identity: later.identity(planned.identity.as_ref()),
            later: &later,
        };
        let proofs = proofs(planned, targets);
        if seen.all(&proofs).0 {
            continue;
        }
        let (held, left) = seen.apart(&proofs);
        // The consumers are where the plan wants them: what is left is to take the old access away.
        let new_way = held.contains(&Proof::NotNamed) && !planned.users.is_empty();
        // What nobody has begun is judged anew like anything else.
        if !new_way && (planned.credential.is_some() || held.is_empty()) {
            continue;
        }
        let rest = Rest {
            planned_at: planned.progress.planned_at,
            new_way,
            settled: settled(targets.get(&planned.progress.mechanism), &held),
            left,
        };
        all.insert(planned.assessment.clone(), (planned.clone(), rest));
    }
    all
}

/// The steps of a mechanism that what holds already shows to be done.
fn settled(target: Option<&Target>, held: &[Proof]) -> Vec<String> {
    let Some(target) = target else {
        return Vec::new();
    };
    let steps = [
        ("create", &target.create),
        ("grant", &target.grant),
        ("switch", &target.switch),
    ];
    let done = |step: &StepText| {
        !step.settled_by.is_empty() && step.settled_by.iter().all(|proof| held.contains(proof))
    };
    let done = steps.into_iter().filter(|(_, step)| done(step));
    done.map(|(name, _)| name.to_owned()).collect()
}

/// What an item is about. While that stays the same, the plan does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    Remove,
    Move,
    Shorten,
    Split,
    Seal,
    /// Questions and exceptions: nothing is moved.
    Rest,
}

impl Course {
    const fn of(disposition: Disposition) -> Self {
        match disposition {
            Disposition::RevokeNow | Disposition::Decommission => Self::Remove,
            Disposition::MigrateNow | Disposition::PlanMigration | Disposition::Hybrid => {
                Self::Move
            }
            Disposition::ShortenAndCompensate => Self::Shorten,
            Disposition::SplitFirst => Self::Split,
            Disposition::BreakGlassIsolate => Self::Seal,
            Disposition::KeepStanding | Disposition::Review => Self::Rest,
        }
    }
}

/// Why the plan of an item no longer stands; `None` while it does.
fn overtaken(planned: &Planned, item: Option<&PlanItem>, later: &Later<'_>) -> Option<String> {
    let was = planned.progress.disposition;
    if matches!(
        planned.progress.state,
        ItemState::Done | ItemState::Reopened
    ) {
        return None;
    }
    let now = later.assessment(&planned.assessment)?;
    let used = || {
        let since = planned.progress.planned_at;
        let last = kept(planned, later).map_or_else(
            || Some(later.identity(planned.identity.as_ref())?.last_use),
            |one| Some(one.last_use),
        );
        match last {
            Some(LastUse::At(at)) if at > since => {
                Some(format!("it is in use again, last on {}", day(at)))
            }
            _ => None,
        }
    };
    let asks = |item: &PlanItem| format!("the plan now asks for: {}", item.title);
    match (
        Course::of(was),
        item.map(|item| (Course::of(item.disposition), item)),
    ) {
        // What is left of a move or a revocation keeps the proof of it.
        (Course::Move, Some((Course::Rest | Course::Remove, _))) => None,
        (Course::Remove, Some((Course::Rest, item))) => {
            let used = used().filter(|_| was == Disposition::Decommission)?;
            Some(format!("{used}; {}", asks(item)))
        }
        (before, Some((course, item))) if before != course => Some(asks(item)),
        (Course::Remove, None) if was == Disposition::Decommission && now.disposition != was => {
            let words = now.disposition.title().to_lowercase();
            Some(format!("{}; it is judged: {words}", used()?))
        }
        _ => None,
    }
}

/// Judges every item of earlier plans by a report, and takes in what the report plans.
pub fn progress(report: &Report, memory: PlanMemory, asked: &Asked, targets: &Targets) -> Progress {
    let now = report.run.now;
    let mut standing = drift(report, &memory);
    let later = Later::new(report);
    let places = Places::new(&memory, &later);
    let mut back: BTreeSet<AssessmentId> = BTreeSet::new();
    let current: BTreeMap<&PlanItemId, &PlanItem> =
        report.plan.iter().map(|item| (&item.id, item)).collect();
    let mut remembered: BTreeMap<PlanItemId, Planned> = BTreeMap::new();
    let mut items = Vec::new();
    let mut elsewhere = 0;
    for mut planned in memory.items {
        let id = planned.progress.item.clone();
        let item = current.get(&id).copied();
        let overtaken = overtaken(&planned, item, &later);
        let followed = item.filter(|_| overtaken.is_none());
        let (mut state, mut evidence) = judge(&planned, followed, &later, asked, targets);
        if let Some(why) = overtaken
            && !matches!(state, ItemState::NotSeen | ItemState::Done)
        {
            state = ItemState::Superseded;
            evidence = vec![why];
        }
        // Not having looked changes nothing of what was known.
        if state == ItemState::NotSeen {
            if planned.scope == asked.scope || places.read.contains(&planned.scope) {
                items.push(ItemProgress {
                    state,
                    evidence,
                    ..planned.progress.clone()
                });
            } else {
                elsewhere += 1;
            }
            remembered.insert(id, planned);
            continue;
        }
        if state != planned.progress.state {
            planned.progress.state = state;
            planned.progress.since = now;
        }
        planned.progress.evidence = evidence;
        if kept(&planned, &later).is_some() {
            planned.rules.clone_from(&report.run.rules_digest);
        }
        if state == ItemState::Superseded || followed.is_none() && item.is_some() {
            // Told once; from here on the new plan is followed.
            items.push(planned.progress.clone());
            if let Some(item) = item {
                remembered.insert(id, self::planned(&later, item, asked));
            }
            continue;
        }
        if let Some(item) = item {
            let scope = planned.scope.clone();
            renew(&mut planned, &later, item, asked);
            // A look at a part of the places does not become the whole that later ones are held against.
            if places.missed.contains(&scope) {
                planned.scope = scope;
            }
        }
        if state == ItemState::Reopened {
            back.insert(planned.assessment.clone());
        }
        items.push(planned.progress.clone());
        remembered.insert(id, planned);
    }
    for item in &report.plan {
        remembered
            .entry(item.id.clone())
            .or_insert_with(|| planned(&later, item, asked));
    }
    // What came back is told as that.
    standing.retain(|one| !back.contains(&one.assessment));
    items.sort_by(|a, b| (a.state, &a.item).cmp(&(b.state, &b.item)));
    let mut seen = memory.standing;
    for assessment in report.assessments.iter().filter(|one| stands(one)) {
        let risk = assessment.risk.score;
        let first = FirstSeen { at: now, risk };
        let first = seen.entry(assessment.id.clone()).or_insert(first);
        first.risk = first.risk.min(risk);
    }
    Progress {
        items,
        standing,
        elsewhere,
        memory: PlanMemory {
            items: remembered.into_values().collect(),
            standing: seen,
        },
    }
}

/// Places that earlier runs were asked to look at, by what stands for them.
struct Places {
    /// This run read some of what is known from there,
    read: BTreeSet<String>,
    /// and did not read some.
    missed: BTreeSet<String>,
}

impl Places {
    fn new(memory: &PlanMemory, later: &Later<'_>) -> Self {
        let of = |read: bool| {
            let items = memory.items.iter();
            let items =
                items.filter(|planned| planned.needs.iter().any(|need| later.has(need) == read));
            items.map(|planned| planned.scope.clone()).collect()
        };
        Self {
            read: of(true),
            missed: of(false),
        }
    }
}

/// The item as it is planned now. What is left of a move keeps the proof of the move: an access that nothing uses any more
/// is one to ask about and then to remove.
fn renew(planned: &mut Planned, report: &Later<'_>, item: &PlanItem, asked: &Asked) {
    let rest = |disposition| {
        matches!(
            disposition,
            Disposition::Decommission | Disposition::Review | Disposition::KeepStanding
        )
    };
    if rest(item.disposition) && !rest(planned.progress.disposition) {
        return;
    }
    let mut fresh = self::planned(report, item, asked);
    // Once no consumer names the old access, nothing tells any more where they run: they move the way that was planned.
    if fresh.users.is_empty() && !planned.users.is_empty() && !rest(item.disposition) {
        let known = &planned.progress;
        fresh.progress.mechanism.clone_from(&known.mechanism);
        fresh.progress.detect_done.clone_from(&known.detect_done);
    }
    let mut users = std::mem::take(&mut planned.users);
    users.extend(fresh.users.clone());
    users.sort();
    users.dedup();
    *planned = Planned {
        progress: ItemProgress {
            mechanism: fresh.progress.mechanism,
            detect_done: fresh.progress.detect_done,
            ..planned.progress.clone()
        },
        users,
        ..fresh
    };
}

/// What is to be remembered of an item.
fn planned(later: &Later<'_>, item: &PlanItem, asked: &Asked) -> Planned {
    let run = later.view.run;
    let identity = later.identity(item.identity.as_ref());
    let credential = later.credential(item.credential.as_ref());
    let using = later.consumers_of(item).into_iter();
    let users: Vec<(String, Option<String>)> = using
        .map(|consumer| (consumer.name.clone(), consumer.repository.clone()))
        .collect();
    let account = credential
        .and_then(|one| one.account.as_deref())
        .or_else(|| identity.and_then(|one| one.account.as_deref()))
        .map(|account| format!("aws/{account}"));
    let sightings = credential
        .into_iter()
        .flat_map(|one| &one.sightings)
        .map(|sighting| sighting.repository.clone());
    let declared = identity
        .into_iter()
        .flat_map(|one| &one.locations)
        .filter_map(|place| place.repository.clone());
    let needs: BTreeSet<String> = account
        .into_iter()
        .chain(sightings)
        .chain(declared)
        .chain(
            users
                .iter()
                .filter_map(|(_, repository)| repository.clone()),
        )
        .filter(|input| later.has(input))
        .collect();
    let history = credential.is_some_and(|one| {
        !one.sightings.is_empty() && one.sightings.iter().all(|sighting| !sighting.at_head)
    });
    Planned {
        progress: ItemProgress {
            item: item.id.clone(),
            title: item.title.clone(),
            mechanism: item.mechanism.clone(),
            disposition: item.disposition,
            state: ItemState::Open,
            since: run.now,
            planned_at: run.now,
            detect_done: item.detect_done.clone(),
            evidence: Vec::new(),
            risk_before: item.risk_before,
        },
        assessment: item.assessment.clone(),
        identity: item.identity.clone(),
        credential: item.credential.clone(),
        risk_after: item.risk_after,
        users,
        needs: needs.into_iter().collect(),
        history,
        scope: asked.scope.clone(),
        rules: run.rules_digest.clone(),
    }
}

/// Where an item stands, and what that rests on.
fn judge(
    planned: &Planned,
    item: Option<&PlanItem>,
    later: &Later<'_>,
    asked: &Asked,
    targets: &Targets,
) -> (ItemState, Vec<String>) {
    if let Some(why) = not_looked(planned, later, asked) {
        return (ItemState::NotSeen, vec![why]);
    }
    let credential = kept(planned, later);
    let seen = Seen {
        planned,
        credential,
        identity: later.identity(planned.identity.as_ref()),
        later,
    };
    let (mut proven, mut evidence) = seen.all(&proofs(planned, targets));
    if let Some(item) = item {
        proven = false;
        evidence.push(match &item.unfinished {
            Some(_) => "the plan goes on with what is left of it".to_owned(),
            None => format!(
                "the plan still has it: {}",
                item.disposition.title().to_lowercase()
            ),
        });
    }
    if proven {
        return (ItemState::Done, evidence);
    }
    let was_done = matches!(
        planned.progress.state,
        ItemState::Done | ItemState::Reopened
    );
    if was_done {
        evidence.insert(0, "it was done before: the old access is back".to_owned());
        return (ItemState::Reopened, evidence);
    }
    let works = credential.is_some_and(|one| !ended(one, later.view.run.now));
    let way = works.then(|| new_way(planned, later)).flatten();
    if let Some(way) = way {
        evidence.insert(0, way);
        return (ItemState::DualPath, evidence);
    }
    (ItemState::Open, evidence)
}

/// Why the report cannot tell; `None` when it read what the access is known from.
fn not_looked(planned: &Planned, later: &Later<'_>, asked: &Asked) -> Option<String> {
    let missing: Vec<&str> = planned
        .needs
        .iter()
        .map(String::as_str)
        .filter(|input| !later.has(input))
        .collect();
    // A source that is gone from the same places is gone with what it held.
    if !missing.is_empty() && planned.scope != asked.scope {
        return Some(format!("this run did not read {}", missing.join(", ")));
    }
    if planned.needs.is_empty() && planned.scope != asked.scope {
        return Some("this run was asked to look at other places".to_owned());
    }
    if let Some(entry) = later.unread(&planned.needs) {
        return Some(format!("{} could not be read whole", entry.unit));
    }
    if other_rules(planned, later) {
        return Some(
            "it is no longer found, but the detection rules are not those that found it: only a run with those can tell"
                .to_owned(),
        );
    }
    (planned.history && !asked.history)
        .then(|| "it was seen in history, which this run did not read".to_owned())
}

/// The credential of an item, where a report still has it.
fn kept<'r>(planned: &Planned, later: &Later<'r>) -> Option<&'r Credential> {
    later.credential(planned.credential.as_ref())
}

/// A credential that only detection rules know of is gone with the rule that found it, which says nothing of the credential.
fn other_rules(planned: &Planned, later: &Later<'_>) -> bool {
    let listed = planned.needs.iter().any(|need| need.starts_with("aws/"));
    planned.progress.state != ItemState::Done
        && planned.credential.is_some()
        && !listed
        && !planned.rules.is_empty()
        && planned.rules != later.view.run.rules_digest
        && kept(planned, later).is_none()
}

/// The issuer no longer accepts it.
fn ended(credential: &Credential, now: Timestamp) -> bool {
    credential.status == crate::model::CredentialStatus::Inactive
        || credential.expires_at.is_some_and(|at| at <= now)
}

/// What is known of the old credential beside the new way.
fn old_way(planned: &Planned, later: &Later<'_>) -> &'static str {
    match kept(planned, later).map(|credential| credential.status) {
        Some(crate::model::CredentialStatus::Active) => "the old credential still works",
        _ => "nothing shows that the old credential has ended",
    }
}

/// A way in by which the consumers could do without the old credential.
fn new_way(planned: &Planned, later: &Later<'_>) -> Option<String> {
    if let Some(consumer) = later.configured(&planned.users) {
        return Some(format!(
            "{} can prove what it is now, and {}",
            consumer.name,
            old_way(planned, later)
        ));
    }
    let repositories = planned.users.iter();
    let repositories = repositories.filter_map(|(_, repository)| repository.as_deref());
    let role = later.trusting(repositories.map(|name| name.rsplit('/').next().unwrap_or(name)))?;
    Some(format!(
        "{} trusts the consumer's repository, and {}",
        role.name,
        old_way(planned, later)
    ))
}

/// Access that does not end by itself within a day.
fn stands(assessment: &Assessment) -> bool {
    assessment
        .risk
        .factors
        .iter()
        .any(|factor| factor.code == "T" && factor.level >= 2)
}

/// Standing access that came, or grew, since the plan that is being carried out: that of the oldest item which is not
/// done and which this report can tell of. Highest risk first.
fn drift(report: &Report, memory: &PlanMemory) -> Vec<StandingDrift> {
    let inputs: BTreeSet<&str> = report.run.inputs.iter().map(String::as_str).collect();
    let plan = memory
        .items
        .iter()
        .filter(|planned| planned.progress.state != ItemState::Done)
        .filter(|planned| {
            planned
                .needs
                .iter()
                .any(|need| inputs.contains(need.as_str()))
        })
        .map(|planned| planned.progress.planned_at)
        .min();
    let Some(plan) = plan.filter(|at| *at < report.run.now) else {
        return Vec::new();
    };
    // What the plan itself says of an access is what it is held against, however low it was before or after.
    let mut at_plan: BTreeMap<&AssessmentId, u8> = BTreeMap::new();
    for planned in memory
        .items
        .iter()
        .filter(|one| one.progress.planned_at <= plan)
    {
        let risk = at_plan.entry(&planned.assessment).or_default();
        *risk = (*risk).max(planned.progress.risk_before);
    }
    let mut list: Vec<StandingDrift> = report
        .assessments
        .iter()
        .filter(|assessment| stands(assessment))
        .filter_map(|assessment| {
            let risk = assessment.risk.score;
            let first = memory.standing.get(&assessment.id);
            let (before, since) = match first {
                None => (None, report.run.now),
                Some(first) if first.at > plan => (None, first.at),
                Some(first) => {
                    let known = at_plan.get(&assessment.id).copied();
                    let before = known.unwrap_or(first.risk);
                    if risk <= before {
                        return None;
                    }
                    (Some(before), first.at)
                }
            };
            Some(StandingDrift {
                assessment: assessment.id.clone(),
                subject: assessment.subject.clone(),
                risk,
                before,
                since,
            })
        })
        .collect();
    list.sort_by(|a, b| {
        b.risk
            .cmp(&a.risk)
            .then_with(|| a.assessment.cmp(&b.assessment))
    });
    list
}
