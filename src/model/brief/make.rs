//! Takes from a report what its rows in brief hold.

use super::{
    AssessmentRow, ConsumerRow, CredentialRow, FindingRow, IdentityRow, Place, PlanRow, Rows, Span,
    Text, Texts,
};
use crate::model::evidence::days_between;
use crate::model::{
    Assessment, BreakGlass, Consumer, ConsumerClass, ConsumerId, Credential, CredentialId,
    Declared, Environment, Finding, GrantId, Identity, IdentityId, OwnerSource, PlanItem, Redacted,
    Report,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Rows {
    /// Takes from a report what lists and filters need.
    pub fn of(report: &Report) -> Self {
        // Numbers have the order of the texts, so all of them have to be known before the first is given.
        let mut maker = Maker::new(report.run.now, None);
        maker.rows(report);
        let (texts, numbers) = numbered(&maker.heard);
        let mut rows = Maker::new(report.run.now, Some(numbers.into_iter())).rows(report);
        rows.texts = texts;
        rows
    }
}

/// All texts in order, each of them once, and the number of each that was heard.
fn numbered(heard: &[&str]) -> (Texts, Vec<Text>) {
    // Most texts differ in their first bytes: those are compared without looking at the text.
    let first = |text: &str| {
        let mut first = [0; 8];
        for (to, byte) in first.iter_mut().zip(text.bytes()) {
            *to = byte;
        }
        u64::from_be_bytes(first)
    };
    let order = heard.iter().copied().zip(0..);
    let mut order: Vec<(u64, &str, usize)> =
        order.map(|(text, at)| (first(text), text, at)).collect();
    order.sort_unstable();
    let mut numbers = vec![Text::NONE; heard.len()];
    let mut known = Vec::new();
    for (_, text, at) in order {
        if known.last() != Some(&text) {
            known.push(text);
        }
        if let Some(number) = numbers.get_mut(at) {
            *number = Text::at(known.len() - 1);
        }
    }
    (Texts::of(known), numbers)
}

struct Maker<'r> {
    now: Timestamp,
    /// Numbers of the texts, as they are heard; `None` while they are collected.
    numbers: Option<std::vec::IntoIter<Text>>,
    heard: Vec<&'r str>,
    rows: Rows,
    lists: BTreeMap<Vec<Text>, Span>,
    places: BTreeMap<Vec<(Text, Text, Option<u32>)>, Span>,
}

/// Where a list stands among those before it.
fn span(before: usize, length: usize) -> Span {
    Span(
        u32::try_from(before).unwrap_or(u32::MAX),
        u32::try_from(length).unwrap_or(0),
    )
}

impl<'r> Maker<'r> {
    fn new(now: Timestamp, numbers: Option<std::vec::IntoIter<Text>>) -> Self {
        Self {
            now,
            numbers,
            heard: Vec::new(),
            rows: Rows::default(),
            lists: BTreeMap::new(),
            places: BTreeMap::new(),
        }
    }

    fn rows(&mut self, report: &'r Report) -> Rows {
        let findings = report.findings.iter().map(|each| self.finding(each));
        let findings = findings.collect();
        let identities = report.identities.iter().map(|each| self.identity(each));
        let identities = identities.collect();
        let credentials = report.credentials.iter().map(|each| self.credential(each));
        let credentials = credentials.collect();
        let grants = report.grants.iter().map(|each| self.text(each.id.as_str()));
        let grants = grants.collect();
        let consumers = report.consumers.iter().map(|each| self.consumer(each));
        let consumers = consumers.collect();
        let assessments = report.assessments.iter().map(|each| self.assessment(each));
        let assessments = assessments.collect();
        let plan = report.plan.iter().map(|each| self.plan(each)).collect();
        Rows {
            findings,
            identities,
            credentials,
            grants,
            consumers,
            assessments,
            plan,
            ..std::mem::take(&mut self.rows)
        }
    }

    fn text(&mut self, text: &'r str) -> Text {
        // An empty text tells as much as none.
        if text.is_empty() {
            return Text::NONE;
        }
        if let Some(numbers) = &mut self.numbers {
            return numbers.next().unwrap_or_default();
        }
        self.heard.push(text);
        Text::NONE
    }

    fn maybe(&mut self, text: Option<&'r str>) -> Text {
        text.map_or(Text::NONE, |text| self.text(text))
    }

    fn list(&mut self, texts: impl Iterator<Item = &'r str>) -> Span {
        let list: Vec<Text> = texts.map(|text| self.text(text)).collect();
        if list.is_empty() {
            return Span::default();
        }
        if let Some(known) = self.lists.get(&list) {
            return *known;
        }
        let made = span(self.rows.lists.len(), list.len());
        self.rows.lists.extend(&list);
        self.lists.insert(list, made);
        made
    }

    fn places(
        &mut self,
        places: impl Iterator<Item = (Option<&'r str>, &'r str, Option<u32>)>,
    ) -> Span {
        let list: Vec<_> = places
            .map(|(repository, uri, line)| (self.maybe(repository), self.text(uri), line))
            .collect();
        if list.is_empty() {
            return Span::default();
        }
        if let Some(known) = self.places.get(&list) {
            return *known;
        }
        let made = span(self.rows.places.len(), list.len());
        let all = list.iter().map(|(repository, uri, line)| Place {
            repository: *repository,
            uri: *uri,
            line: *line,
        });
        self.rows.places.extend(all);
        self.places.insert(list, made);
        made
    }

    fn days_since(&self, at: Option<Timestamp>) -> Option<i64> {
        at.map(|at| days_between(at, self.now))
    }

    fn identity_id(&mut self, id: Option<&'r IdentityId>) -> Text {
        self.maybe(id.map(IdentityId::as_str))
    }

    fn credential_id(&mut self, id: Option<&'r CredentialId>) -> Text {
        self.maybe(id.map(CredentialId::as_str))
    }

    fn finding(&mut self, each: &'r Finding) -> FindingRow {
        FindingRow {
            id: self.text(each.id.as_str()),
            rule: self.text(&each.rule),
            title: self.text(&each.title),
            identity: self.identity_id(each.identity.as_ref()),
            credential: self.credential_id(each.credential.as_ref()),
            severity: each.severity,
            status: each.status,
            first_seen: each.first_seen.map(Timestamp::as_second),
            places: self.places(each.locations.iter().map(|at| {
                let repository = at.repository.as_deref();
                (repository, at.uri.as_str(), at.line)
            })),
            controls: self.list(each.frameworks.values().flatten().map(String::as_str)),
        }
    }

    fn identity(&mut self, each: &'r Identity) -> IdentityRow {
        let environment =
            (each.environment != Environment::Unknown).then(|| each.environment.as_str());
        let owner_source =
            (each.owner_source != OwnerSource::None).then(|| each.owner_source.as_str());
        let class =
            (each.consumer_class != ConsumerClass::Unknown).then(|| each.consumer_class.as_str());
        let break_glass = each.break_glass.map(|it| match it {
            BreakGlass::Declared => "declared",
            BreakGlass::Suspected => "suspected",
        });
        let tags = each.tags.iter();
        IdentityRow {
            id: self.text(each.id.as_str()),
            provider: self.text(&each.provider),
            kind: self.text(each.kind.as_str()),
            name: self.text(&each.name),
            native_id: self.text(&each.native_id),
            account: self.maybe(each.account.as_deref()),
            environment: self.maybe(environment),
            owner: self.maybe(each.owner.as_deref()),
            owner_source: self.maybe(owner_source),
            purpose: self.maybe(each.purpose.as_deref()),
            class: self.maybe(class),
            grade: self.text(each.grade.as_str()),
            break_glass: self.maybe(break_glass),
            declared: self.maybe(each.declared.map(Declared::as_str)),
            human: each.human,
            admin: each.privilege.admin,
            tier: each.privilege.tier,
            age: self.days_since(each.created_at),
            idle: each.last_use.idle_days(self.now),
            tags: self.list(tags.flat_map(|(key, value)| [key.as_str(), value.as_str()])),
            places: self.places(each.locations.iter().map(|at| {
                let repository = at.repository.as_deref();
                (repository, at.uri.as_str(), at.line)
            })),
            notes: self.list(each.notes.iter().map(|note| note.text.as_str())),
            credentials: self.list(each.credentials.iter().map(CredentialId::as_str)),
            grants: self.list(each.grants.iter().map(GrantId::as_str)),
            consumers: self.list(each.consumers.iter().map(ConsumerId::as_str)),
        }
    }

    fn credential(&mut self, each: &'r Credential) -> CredentialRow {
        let introduced = each.trail.as_ref().and_then(|trail| trail.introduced_at);
        CredentialRow {
            id: self.text(each.id.as_str()),
            provider: self.text(&each.provider),
            kind: self.text(&each.kind),
            public_id: self.maybe(each.public_id.as_deref()),
            reference: self.maybe(each.reference.as_deref()),
            redacted: self.maybe(each.redacted.as_ref().map(Redacted::as_str)),
            identity: self.identity_id(each.identity.as_ref()),
            storage: self.text(each.storage.as_str()),
            status: each.status,
            age: self.days_since(each.created_at),
            introduced: self.days_since(introduced),
            idle: each.last_use.idle_days(self.now),
            expires: each.expires_at.map(|at| days_between(self.now, at)),
            places: self.places(each.sightings.iter().map(|at| {
                let repository = at.repository.as_str();
                (Some(repository), at.uri.as_str(), Some(at.line))
            })),
            consumers: self.list(each.consumers.iter().map(ConsumerId::as_str)),
        }
    }

    fn consumer(&mut self, each: &'r Consumer) -> ConsumerRow {
        let location = each.location.as_ref();
        ConsumerRow {
            id: self.text(each.id.as_str()),
            name: self.text(&each.name),
            runtime: self.text(&each.runtime),
            repository: self.maybe(each.repository.as_deref()),
            path: self.maybe(location.map(|at| at.uri.as_str())),
            identity: self.identity_id(each.identity.as_ref()),
            risks: self.list(each.risks.iter().map(String::as_str)),
            credentials: self.list(each.uses.credentials.iter().map(CredentialId::as_str)),
        }
    }

    fn assessment(&mut self, each: &'r Assessment) -> AssessmentRow {
        AssessmentRow {
            id: self.text(each.id.as_str()),
            identity: self.identity_id(each.identity.as_ref()),
            credential: self.credential_id(each.credential.as_ref()),
            score: each.risk.score,
            band: each.risk.band,
            fit: each.fit.score,
            disposition: each.disposition,
        }
    }

    fn plan(&mut self, each: &'r PlanItem) -> PlanRow {
        PlanRow {
            id: self.text(each.id.as_str()),
            assessment: self.text(each.assessment.as_str()),
            identity: self.identity_id(each.identity.as_ref()),
            credential: self.credential_id(each.credential.as_ref()),
            title: self.text(&each.title),
            effort: self.text(&each.effort.size),
            wave: each.wave,
            disposition: each.disposition,
            before: each.risk_before,
            after: each.risk_after,
            issue: each.readiness.issue,
            observe: each.readiness.observe,
            revoke: each.readiness.revoke,
        }
    }
}
