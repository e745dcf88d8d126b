//! What people decided, as the review looks it up: what stands about each subject.

use crate::model::brief::{Brief, FindingRow, Text};
use crate::model::{CredentialId, FindingId, FindingStatus, IdentityId};
use crate::query::Said;
use crate::store::decisions::{
    Decision, Decisions, Event, Held, Recorded, Register, RuleAt, Scope, Standing, Topic,
};
use jiff::civil::Date;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Decisions by time, and what stands of them today.
#[derive(Debug)]
pub struct Ledger {
    today: Date,
    recorded: Vec<Recorded>,
    of: BTreeMap<(Scope, Topic), Vec<usize>>,
    standing: Standing,
    /// Rules and paths that were decided about.
    rules: Vec<(Scope, RuleAt)>,
    /// Findings, credentials and identities of the report that were decided about, by their ids.
    decided: BTreeMap<Text, Scope>,
    /// What stands about each finding, in words.
    said: Vec<Said>,
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
    /// Reads decisions about a report.
    pub fn new(decisions: Decisions, today: Date, brief: &Brief) -> Self {
        let mut ledger = Self {
            today,
            standing: Standing::of(&decisions),
            recorded: Vec::new(),
            of: BTreeMap::new(),
            rules: Vec::new(),
            decided: BTreeMap::new(),
            said: Vec::new(),
        };
        for one in decisions.events {
            ledger.note(one, brief);
        }
        ledger.tell(brief);
        ledger
    }

    /// Writes down what stands about each finding.
    fn tell(&mut self, brief: &Brief) {
        let rows = brief.rows().findings.par_iter();
        self.said = rows.map(|row| self.stands_now(brief, row)).collect();
    }

    /// Writes it down anew for findings that are, or are about, one of these.
    fn tell_of(&mut self, brief: &Brief, ids: &BTreeSet<Text>) {
        let mut said = std::mem::take(&mut self.said);
        for (row, said) in brief.rows().findings.iter().zip(&mut said) {
            let about = [row.id, row.credential, row.identity];
            if about.iter().any(|id| ids.contains(id)) {
                *said = self.stands_now(brief, row);
            }
        }
        self.said = said;
    }

    fn stands_now(&self, brief: &Brief, row: &FindingRow) -> Said {
        let verdict = self.verdict(brief, row);
        let word = match verdict {
            Some(Verdict::Decided(event)) => word(&event.decision),
            Some(Verdict::Expired(_)) => "expired",
            Some(Verdict::Conflict(_)) => "conflict",
            None => row.status.as_str(),
        };
        let decided = match verdict {
            Some(Verdict::Decided(_)) => true,
            Some(_) => false,
            None => match row.status {
                FindingStatus::Fixed | FindingStatus::Ignored => true,
                // It was accepted when the run was made; since then, that may have been taken back.
                FindingStatus::Accepted => self.history(brief, row).is_empty(),
                _ => false,
            },
        };
        Said { word, decided }
    }

    /// What stands about each finding, in words, by its place.
    pub fn said(&self) -> &[Said] {
        &self.said
    }

    fn note(&mut self, one: Recorded, brief: &Brief) -> (Scope, Topic) {
        let scope = one.event.scope.clone();
        if let Some(id) = brief.rows().texts.find(id(&scope)) {
            self.decided.insert(id, scope.clone());
        }
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
    pub fn add(&mut self, events: Vec<Recorded>, brief: &Brief) {
        let rules = events
            .iter()
            .any(|one| matches!(one.event.scope, Scope::RulePath(_)));
        let mut ids = BTreeSet::new();
        for one in events {
            let about = self.note(one, brief);
            ids.extend(brief.rows().texts.find(id(&about.0)));
            let places = self.of.get(&about).into_iter().flatten();
            let events: Vec<&Recorded> = places.filter_map(|at| self.recorded.get(*at)).collect();
            let register = Register::of(&events);
            self.standing.registers.insert(about, register);
        }
        if rules {
            self.tell(brief);
        } else {
            self.tell_of(brief, &ids);
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

    /// What stands about a finding: what was said of itself, else of its credential, else of its identity, else of its rule and
    /// place.
    pub fn verdict(&self, brief: &Brief, row: &FindingRow) -> Option<Verdict<'_>> {
        let registers = &self.standing.registers;
        if registers.is_empty() {
            return None;
        }
        let register = |scope: &Scope| registers.get(&(scope.clone(), Topic::Verdict));
        let register = [row.id, row.credential, row.identity]
            .into_iter()
            .find_map(|id| register(self.decided.get(&id)?))
            .or_else(|| register(self.ruled(brief, row).next()?))?;
        match register.held(self.today)? {
            Held::InForce(one, _) | Held::Expired(one) if one.event.decision.takes_back() => None,
            Held::InForce(one, _) => Some(Verdict::Decided(&one.event)),
            Held::Expired(one) => Some(Verdict::Expired(&one.event)),
            Held::Conflict(heads) => Some(Verdict::Conflict(heads)),
        }
    }

    /// The rules and paths that a finding falls under.
    fn ruled<'l>(
        &'l self,
        brief: &'l Brief,
        row: &'l FindingRow,
    ) -> impl Iterator<Item = &'l Scope> {
        let covers = |(_, rule): &&(Scope, RuleAt)| {
            let places = brief.places(row.places).iter();
            let places = places.map(|at| (brief.maybe(at.repository), brief.text(at.uri)));
            rule.covers_all(brief.text(row.rule), places)
        };
        self.rules.iter().filter(covers).map(|(scope, _)| scope)
    }

    /// Whether somebody still has to say something about the finding at a place.
    pub fn is_undecided(&self, at: u32) -> bool {
        self.said.get(at as usize).is_some_and(|said| !said.decided)
    }

    /// Everything that was said about a finding, in order.
    pub fn history(&self, brief: &Brief, row: &FindingRow) -> Vec<&Event> {
        let named = |text| brief.maybe(text);
        let own = named(row.id).map(|id| Scope::Finding(FindingId::named(id)));
        let credential = named(row.credential);
        let credential = credential.map(|id| Scope::Credential(CredentialId::named(id)));
        let identity = named(row.identity).map(|id| Scope::Identity(IdentityId::named(id)));
        let subjects = [own, credential, identity].into_iter().flatten();
        let rules = self.ruled(brief, row).cloned();
        let mut events: Vec<&Event> = subjects
            .chain(rules)
            .flat_map(|scope| self.about(&scope))
            .collect();
        events.sort_by_key(|event| event.at);
        events
    }

    /// The owner that was last said of the identity of this id.
    pub fn owner(&self, id: Text) -> Option<&str> {
        let event = self.stands(self.decided.get(&id)?, Topic::Owner)?;
        match &event.decision {
            Decision::Owner { owner } => Some(owner),
            _ => None,
        }
    }
}

/// The id of a subject; nothing for a rule and a path.
fn id(scope: &Scope) -> &str {
    match scope {
        Scope::Finding(id) => id.as_str(),
        Scope::Credential(id) => id.as_str(),
        Scope::Identity(id) => id.as_str(),
        Scope::RulePath(_) => "",
    }
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
