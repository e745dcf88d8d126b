//! What people decided, as the review looks it up: what stands about each subject.

use crate::model::{CredentialId, Finding, FindingStatus, IdentityId};
use crate::store::decisions::{
    Decision, Decisions, Event, Held, Recorded, Register, RuleAt, Scope, Standing, Topic,
};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Decisions by time, and what stands of them today.
#[derive(Debug)]
pub struct Ledger {
    today: Date,
    recorded: Vec<Recorded>,
    of: BTreeMap<(Scope, Topic), Vec<usize>>,
    standing: Standing,
    /// Rules and paths that were decided about.
    rules: Vec<(Scope, RuleAt)>,
}

/// What stands about a finding.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'a> {
    /// This was decided.
    Decided(&'a Event),
    /// This was, until a day that has passed.
    Expired(&'a Event),
    /// People decided differently and did not know of each other.
    Conflict(&'a [Recorded]),
}

impl Ledger {
    /// Reads decisions.
    pub fn new(decisions: Decisions, today: Date) -> Self {
        let mut ledger = Self {
            today,
            standing: Standing::of(&decisions),
            recorded: Vec::new(),
            of: BTreeMap::new(),
            rules: Vec::new(),
        };
        for one in decisions.events {
            ledger.note(one);
        }
        ledger
    }

    fn note(&mut self, one: Recorded) -> (Scope, Topic) {
        let scope = one.event.scope.clone();
        if let Scope::RulePath(at) = &scope
            && self.rules.iter().all(|(known, _)| *known != scope)
            && let Some(at) = RuleAt::new(at)
        {
            self.rules.push((scope.clone(), at));
        }
        let about = (scope, Topic::of(&one.event.decision));
        self.of
            .entry(about.clone())
            .or_default()
            .push(self.recorded.len());
        self.recorded.push(one);
        about
    }

    /// Every event, by time.
    pub fn events(&self) -> &[Recorded] {
        &self.recorded
    }

    /// Adds events.
    pub fn add(&mut self, events: Vec<Recorded>) {
        for one in events {
            let about = self.note(one);
            let places = self.of.get(&about).into_iter().flatten();
            let events: Vec<&Recorded> = places.filter_map(|at| self.recorded.get(*at)).collect();
            let register = Register::of(&events);
            self.standing.registers.insert(about, register);
        }
    }

    /// Everything that was said about a subject, in order.
    pub fn about<'a>(&'a self, scope: &Scope) -> Vec<&'a Event> {
        let topics = [Topic::Verdict, Topic::Owner, Topic::Purpose];
        let mut places: Vec<usize> = topics
            .into_iter()
            .filter_map(|topic| self.of.get(&(scope.clone(), topic)))
            .flatten()
            .copied()
            .collect();
        places.sort_unstable();
        let events = places.into_iter().filter_map(|at| self.recorded.get(at));
        events.map(|one| &one.event).collect()
    }

    /// The last event on a topic, where it takes nothing back.
    pub fn stands(&self, scope: &Scope, topic: Topic) -> Option<&Event> {
        let register = self.standing.registers.get(&(scope.clone(), topic))?;
        let last = register.heads.last()?;
        (!last.event.decision.takes_back()).then_some(&last.event)
    }

    /// What stands about a finding: what was said of itself, else of its credential, else of its identity, else of its rule and place.
    pub fn verdict(&self, finding: &Finding) -> Option<Verdict<'_>> {
        let registers = &self.standing.registers;
        if registers.is_empty() {
            return None;
        }
        let register = scopes(finding)
            .find_map(|scope| registers.get(&(scope, Topic::Verdict)))
            .or_else(|| {
                let (scope, _) = self.rules.iter().find(|(_, at)| at.covers(finding))?;
                registers.get(&(scope.clone(), Topic::Verdict))
            })?;
        match register.held(self.today)? {
            Held::InForce(one, _) | Held::Expired(one) if one.event.decision.takes_back() => None,
            Held::InForce(one, _) => Some(Verdict::Decided(&one.event)),
            Held::Expired(one) => Some(Verdict::Expired(&one.event)),
            Held::Conflict(heads) => Some(Verdict::Conflict(heads)),
        }
    }

    /// Whether somebody still has to say something about a finding.
    pub fn is_undecided(&self, finding: &Finding) -> bool {
        match self.verdict(finding) {
            Some(Verdict::Decided(_)) => false,
            Some(_) => true,
            None => match finding.status {
                FindingStatus::Fixed | FindingStatus::Ignored => false,
                // It was accepted when the run was made; since then, that may have been taken back.
                FindingStatus::Accepted => !self.history(finding).is_empty(),
                _ => true,
            },
        }
    }

    /// Everything that was said about a finding, in order.
    pub fn history(&self, finding: &Finding) -> Vec<&Event> {
        let rules = self.rules.iter().filter(|(_, at)| at.covers(finding));
        let mut events: Vec<&Event> = scopes(finding)
            .chain(rules.map(|(scope, _)| scope.clone()))
            .flat_map(|scope| self.about(&scope))
            .collect();
        events.sort_by_key(|event| event.at);
        events
    }

    /// The owner that was last said of an identity.
    pub fn owner(&self, identity: &IdentityId) -> Option<&str> {
        let event = self.stands(&Scope::Identity(identity.clone()), Topic::Owner)?;
        match &event.decision {
            Decision::Owner { owner } => Some(owner),
            _ => None,
        }
    }
}

/// The subjects a decision about a finding can name.
fn scopes(finding: &Finding) -> impl Iterator<Item = Scope> + '_ {
    let credential = finding.credential.iter().cloned().map(Scope::Credential);
    let identity = finding.identity.iter().cloned().map(Scope::Identity);
    std::iter::once(Scope::Finding(finding.id.clone()))
        .chain(credential)
        .chain(identity)
}

/// The id of what a decision is about.
pub(super) fn about(event: &Event) -> String {
    match &event.scope {
        Scope::Finding(id) => id.to_string(),
        Scope::Credential(id) => CredentialId::to_string(id),
        Scope::Identity(id) => IdentityId::to_string(id),
        rule @ Scope::RulePath(_) => rule.to_string(),
    }
}

/// The word of a decision in filters.
pub(super) const fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::AcceptRisk => "accepted",
        Decision::FalsePositive => "false-positive",
        Decision::Remediate => "remediate",
        Decision::Defer => "deferred",
        Decision::Owner { .. } => "owner",
        Decision::Purpose { .. } => "purpose",
        Decision::BreakGlass { .. } => "break-glass",
        Decision::Disposition { .. } => "disposition",
        Decision::Reopen => "reopened",
    }
}

/// A decision in a few words.
pub(super) fn words(decision: &Decision) -> String {
    match decision {
        Decision::AcceptRisk => "accepted".to_owned(),
        Decision::FalsePositive => "false positive".to_owned(),
        Decision::Remediate => "will be fixed".to_owned(),
        Decision::Defer => "deferred".to_owned(),
        Decision::Owner { owner } => format!("owner: {owner}"),
        Decision::Purpose { purpose } => format!("purpose: {purpose}"),
        Decision::BreakGlass { confirmed: true } => "emergency access".to_owned(),
        Decision::BreakGlass { confirmed: false } => "no emergency access".to_owned(),
        Decision::Disposition { disposition } => disposition.title().to_owned(),
        Decision::Reopen => "taken back".to_owned(),
    }
}
