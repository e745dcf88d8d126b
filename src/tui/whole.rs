//! What the page of an item is made of: its entries and those that belong to it, by their places in the report.

use super::data::{Data, Item};
use crate::model::{Assessment, Credential, Finding, Identity};
use crate::store::runs::Wanted;
use std::collections::BTreeSet;

/// Everything the page of an item tells.
pub(super) fn wanted(data: &Data<'_>, item: Item) -> Wanted {
    // The page of a decision is that of what was decided about.
    let item = match item {
        Item::Decision(_) => data.find(&data.id(item)).unwrap_or(item),
        _ => item,
    };
    let mut found = Gathered {
        data,
        wanted: Wanted::default(),
    };
    if let Some(finding) = data.finding(item) {
        found.finding(finding);
    }
    if let Some(credential) = data.credential(item) {
        found.credential(credential);
    }
    if let Some(identity) = data.identity(item) {
        found.identity(identity);
    }
    if let Some(assessment) = data.assessment(item) {
        found.assessment(assessment);
    }
    found.wanted
}

struct Gathered<'d, 'r> {
    data: &'d Data<'r>,
    wanted: Wanted,
}

/// The place of an entry in its list.
fn place<T>(list: &[T], entry: &T, into: &mut BTreeSet<u32>) {
    let place = list.element_offset(entry);
    into.extend(place.and_then(|place| u32::try_from(place).ok()));
}

impl Gathered<'_, '_> {
    fn identity(&mut self, identity: &Identity) {
        let (index, report) = (&self.data.index, self.data.report);
        place(&report.identities, identity, &mut self.wanted.identities);
        for grant in index.grants(&identity.grants) {
            place(&report.grants, grant, &mut self.wanted.grants);
        }
        for finding in index.findings_of_identity(&identity.id) {
            place(&report.findings, finding, &mut self.wanted.findings);
        }
        for assessment in index.assessments_of_identity(&identity.id) {
            self.assessment(assessment);
        }
        let own = index.consumers_that_are(identity).iter().copied();
        for consumer in index.consumers(&identity.consumers).into_iter().chain(own) {
            place(&report.consumers, consumer, &mut self.wanted.consumers);
        }
        let held = index.credentials_held_by(identity);
        for credential in index.credentials_of(identity).into_iter().chain(held) {
            self.credential(credential);
        }
    }

    fn credential(&mut self, credential: &Credential) {
        let (index, report) = (&self.data.index, self.data.report);
        place(
            &report.credentials,
            credential,
            &mut self.wanted.credentials,
        );
        for consumer in index.consumers(&credential.consumers) {
            place(&report.consumers, consumer, &mut self.wanted.consumers);
        }
        for finding in index.findings_of_credential(&credential.id) {
            place(&report.findings, finding, &mut self.wanted.findings);
        }
        if let Some(assessment) = index.assessment_of_credential(&credential.id) {
            self.assessment(assessment);
        }
    }

    fn finding(&mut self, finding: &Finding) {
        place(
            &self.data.report.findings,
            finding,
            &mut self.wanted.findings,
        );
        if let Some(assessment) = self.data.index.assessment_of(finding) {
            self.assessment(assessment);
        }
    }

    fn assessment(&mut self, assessment: &Assessment) {
        let report = self.data.report;
        place(
            &report.assessments,
            assessment,
            &mut self.wanted.assessments,
        );
        if let Some(item) = self.data.index.plan_of(assessment) {
            place(&report.plan, item, &mut self.wanted.plan);
        }
    }
}
