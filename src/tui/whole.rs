//! What the page of an item is made of: its entries and those that belong to it, by their places in the report.

use super::data::{Data, Item};
use crate::model::brief::Brief;
use crate::store::runs::Wanted;

/// Everything the page of an item tells.
pub(super) fn wanted(data: &Data<'_>, item: Item) -> Wanted {
    // The page of a decision is that of what was decided about.
    let item = match item {
        Item::Decision(_) => data.find(&data.id(item)).unwrap_or(item),
        _ => item,
    };
    let mut found = Gathered {
        brief: &data.brief,
        wanted: Wanted::default(),
    };
    if let Item::Finding(at) = item {
        found.finding(at);
    }
    if let Some(at) = data.credential_at(item) {
        found.credential(at);
    }
    if let Some(at) = data.identity_at(item) {
        found.identity(at);
    }
    if let Some(at) = data.assessment_at(item) {
        found.assessment(at);
    }
    found.wanted
}

struct Gathered<'b> {
    brief: &'b Brief,
    wanted: Wanted,
}

impl Gathered<'_> {
    fn identity(&mut self, at: u32) {
        let brief = self.brief;
        self.wanted.identities.insert(at);
        if let Some(row) = brief.identity(at) {
            self.wanted.grants.extend(brief.grants_of(row));
        }
        self.wanted
            .findings
            .extend(brief.findings_of_identity(at).iter().copied());
        for assessment in brief.assessments_of_identity(at) {
            self.assessment(*assessment);
        }
        let consumers = brief.consumers_of_identity(at).iter();
        let consumers = consumers.chain(brief.consumers_that_are(at));
        self.wanted.consumers.extend(consumers.copied());
        for credential in brief.credentials_with(at) {
            self.credential(*credential);
        }
    }

    fn credential(&mut self, at: u32) {
        let brief = self.brief;
        self.wanted.credentials.insert(at);
        let consumers = brief.consumers_of_credential(at).iter();
        self.wanted.consumers.extend(consumers.copied());
        let findings = brief.findings_of_credential(at).iter();
        self.wanted.findings.extend(findings.copied());
        if let Some(assessment) = brief.assessment_of_credential(at) {
            self.assessment(assessment);
        }
    }

    fn finding(&mut self, at: u32) {
        self.wanted.findings.insert(at);
        let row = self.brief.finding(at);
        if let Some(assessment) = row.and_then(|row| self.brief.assessment_of(row)) {
            self.assessment(assessment);
        }
    }

    fn assessment(&mut self, at: u32) {
        self.wanted.assessments.insert(at);
        self.wanted.plan.extend(self.brief.plan_of(at));
    }
}
