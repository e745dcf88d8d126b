//! What people decided, as the review looks it up: what stands about each subject.

use crate::model::brief::{Brief, FindingRow, Text};
use crate::model::{CredentialId, FindingId, FindingStatus, IdentityId, Renames};
use crate::query::Said;
use crate::store::decisions::{Decision, Event, Held, Recorded, RuleAt, Scope, Standing, Topic};
use jiff::civil::Date;
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Decisions by time, and what stands of them today.
#[derive(Debug)]
pub struct Ledger {
    today: Date,
    standing: Standing,
    renames: Renames,
    /// Rules and paths that were decided about.
    rules: Vec<(Scope, RuleAt)>,
    /// Findings, credentials and identities of the report that were decided about, by their ids.
    decided: BTreeSet<Text>,
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
    Conflict,
}

impl Ledger {
    /// Reads decisions about a report.
    pub fn new(standing: Standing, today: Date, renames: Renames, brief: &Brief) -> Self {
        let mut ledger = Self {
            today,
            standing,
            renames,
            rules: Vec::new(),
            decided: BTreeSet::new(),
            said: Vec::new(),
        };
        ledger.note(0, brief);
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
            Some(Verdict::Conflict) => "conflict",
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

    /// Notes what the events from a place on are about.
    fn note(&mut self, from: usize, brief: &Brief) -> BTreeSet<Text> {
        let mut ids = BTreeSet::new();
        for one in self.standing.events().iter().skip(from) {
            for scope in one.event.scope.each() {
                ids.extend(brief.rows().texts.find(scope.id()));
                if let Scope::RulePath(at) = &scope
                    && self.rules.iter().all(|(known, _)| *known != scope)
                    && let Some(at) = RuleAt::new(at, &self.renames)
                {
                    self.rules.push((scope, at));
                }
            }
        }
        self.decided.extend(&ids);
        ids
    }

    /// Every event, by time.
    pub fn events(&self) -> &[Recorded] {
        self.standing.events()
    }

    /// What stands, by what it is about.
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Rules that had other names.
    pub const fn renames(&self) -> &Renames {
        &self.renames
    }

    /// Adds events.
    pub fn add(&mut self, events: Vec<Recorded>, brief: &Brief) {
        let rules = self.rules.len();
        let from = self.events().len();
        self.standing.add(events);
        let ids = self.note(from, brief);
        let mut new = self.events().iter().skip(from);
        let ruled = |one: &Recorded| matches!(one.event.scope.one(), Some(Scope::RulePath(_)));
        if rules != self.rules.len() || new.any(ruled) {
            self.tell(brief);
        } else {
            self.tell_of(brief, &ids);
        }
    }

    /// Everything that was said about a subject, in order.
    pub fn about<'a>(&'a self, scope: &Scope) -> Vec<&'a Event> {
        let topics = [Topic::Verdict, Topic::Owner, Topic::Purpose];
        let mut places: Vec<u32> = topics
            .into_iter()
            .flat_map(|topic| self.standing.about(scope, topic))
            .copied()
            .collect();
        places.sort_unstable();
        let events = places
            .into_iter()
            .filter_map(|at| self.events().get(at as usize));
        events.map(|one| &one.event).collect()
    }

    /// The last event on a topic, where it takes nothing back.
    pub fn stands(&self, scope: &Scope, topic: Topic) -> Option<&Event> {
        let register = self.standing.register(scope, topic)?;
        let last = register.heads.last()?;
        (!last.event.decision.takes_back()).then_some(&last.event)
    }

    /// What stands about a finding: what was said of itself, else of its credential, else of its identity, else of its rule and
    /// place.
    pub fn verdict(&self, brief: &Brief, row: &FindingRow) -> Option<Verdict<'_>> {
        if self.standing.is_empty() {
            return None;
        }
        let register = |scope: &Scope| self.standing.register(scope, Topic::Verdict);
        let decided = |text: Text| self.decided.contains(&text).then(|| brief.text(text));
        let own = || register(&Scope::Finding(FindingId::named(decided(row.id)?)));
        let credential = || {
            let id = decided(row.credential)?;
            register(&Scope::Credential(CredentialId::named(id)))
        };
        let identity = || register(&Scope::Identity(IdentityId::named(decided(row.identity)?)));
        let register = own()
            .or_else(credential)
            .or_else(identity)
            .or_else(|| register(self.ruled(brief, row).next()?))?;
        match register.held(self.today)? {
            Held::InForce(one, _) | Held::Expired(one) if one.event.decision.takes_back() => None,
            Held::InForce(one, _) => Some(Verdict::Decided(&one.event)),
            Held::Expired(one) => Some(Verdict::Expired(&one.event)),
            Held::Conflict(_) => Some(Verdict::Conflict),
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
    pub fn owner(&self, brief: &Brief, id: Text) -> Option<&str> {
        if !self.decided.contains(&id) {
            return None;
        }
        let scope = Scope::Identity(IdentityId::named(brief.text(id)));
        match &self.stands(&scope, Topic::Owner)?.decision {
            Decision::Owner { owner } => Some(owner),
            _ => None,
        }
    }
}

/// The id of what a decision is about; of many, how many.
pub(super) fn about(event: &Event) -> String {
    match event.scope.one() {
        Some(rule @ Scope::RulePath(_)) => rule.to_string(),
        Some(scope) => scope.id().to_owned(),
        None => event.scope.to_string(),
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
