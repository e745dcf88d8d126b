//! What people decided, as the review looks it up: the last word about each subject.

use crate::model::{CredentialId, Finding, IdentityId};
use crate::store::decisions::{Decision, Event, Scope};
use std::collections::BTreeMap;

/// Decisions in the order of their file, and the last word on each subject.
#[derive(Debug, Default)]
pub struct Ledger {
    events: Vec<Event>,
    of: BTreeMap<Scope, Vec<usize>>,
}

impl Ledger {
    /// Reads events.
    pub fn new(events: Vec<Event>) -> Self {
        let mut ledger = Self::default();
        ledger.add(events);
        ledger
    }

    /// Every event, in the order of the file.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Adds events.
    pub fn add(&mut self, events: Vec<Event>) {
        for event in events {
            self.of
                .entry(event.scope.clone())
                .or_default()
                .push(self.events.len());
            self.events.push(event);
        }
    }

    /// What was said about a subject, in order.
    pub fn about<'a>(&'a self, scope: &Scope) -> impl DoubleEndedIterator<Item = &'a Event> {
        self.of
            .get(scope)
            .into_iter()
            .flatten()
            .filter_map(|at| self.events.get(*at))
    }

    /// The verdict about a subject itself that still stands.
    pub fn stands(&self, scope: &Scope) -> Option<&Event> {
        self.about(scope)
            .rev()
            .find(|event| is_verdict(&event.decision) || event.decision == Decision::Reopen)
            .filter(|event| event.decision != Decision::Reopen)
    }

    /// The verdict about a finding: its own, else that of its credential, else that of its identity.
    pub fn verdict(&self, finding: &Finding) -> Option<&Event> {
        scopes(finding).find_map(|scope| self.stands(&scope))
    }

    /// Everything that was said about a finding, in order.
    pub fn history(&self, finding: &Finding) -> Vec<&Event> {
        let mut places: Vec<usize> = scopes(finding)
            .filter_map(|scope| self.of.get(&scope))
            .flatten()
            .copied()
            .collect();
        places.sort_unstable();
        places
            .into_iter()
            .filter_map(|at| self.events.get(at))
            .collect()
    }

    /// The owner, or other fact of this kind, that was last said of an identity.
    pub fn fact(&self, identity: &IdentityId, kind: fn(&Decision) -> Option<&str>) -> Option<&str> {
        let scope = Scope::Identity(identity.clone());
        self.about(&scope)
            .rev()
            .find_map(|event| kind(&event.decision))
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

/// Whether a decision settles a finding.
pub(super) const fn is_verdict(decision: &Decision) -> bool {
    matches!(
        decision,
        Decision::AcceptRisk
            | Decision::FalsePositive
            | Decision::Remediate
            | Decision::Defer
            | Decision::BreakGlass { .. }
            | Decision::Disposition { .. }
    )
}

/// The owner that a decision names.
pub(super) fn owner(decision: &Decision) -> Option<&str> {
    match decision {
        Decision::Owner { owner } => Some(owner),
        _ => None,
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
