//! What is under review: a report, looked up by id, and what people decided about it.

use super::ledger::{self, Ledger, Verdict};
use super::mode::View;
use crate::model::{
    Assessment, AssessmentId, Coverage, Credential, Finding, Identity, PlanItem, PlanItemId, Report,
};
use crate::query::Subject;
use crate::report::{Index, select};
use crate::store::decisions::{Decisions, Event};
use crate::store::runs::Wanted;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// One thing that a row stands for, by its place in the report or in the decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A finding.
    Finding(u32),
    /// An identity.
    Identity(u32),
    /// A credential.
    Credential(u32),
    /// An item of the plan.
    Plan(u32),
    /// A unit of coverage.
    Coverage(u32),
    /// A decision.
    Decision(u32),
}

/// Where the whole entries of a report are, of which the lists hold only what rows and filters need.
pub trait Whole: std::fmt::Debug + Sync {
    /// Reads a report that has these entries, whole, and no others.
    ///
    /// # Errors
    /// When they cannot be read.
    fn with(&self, wanted: &Wanted, read: &mut dyn FnMut(&Report)) -> Result<(), String>;

    /// The files made for an item of the plan, from the entries that belong to it.
    ///
    /// # Errors
    /// When they cannot be made.
    fn files(&self, wanted: &Wanted, id: &PlanItemId) -> Result<Vec<File>, String>;
}

/// A file made for an item of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is beside the reports.
    pub path: String,
    /// What it is for.
    pub about: String,
    /// What is in it.
    pub text: String,
}

/// A report and its decisions.
pub struct Data<'r> {
    /// The report.
    pub report: &'r Report,
    /// The report, looked up by id.
    pub index: Index<'r>,
    /// What people decided.
    pub ledger: Ledger,
    /// Where the rest of each entry is; `None` where the report is whole.
    pub whole: Option<&'r dyn Whole>,
    ids: BTreeMap<&'r str, Item>,
    judged: BTreeMap<&'r AssessmentId, &'r Assessment>,
}

impl std::fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.report.run.id)
    }
}

/// The entry at a place.
fn at<T>(all: &[T], place: u32) -> Option<&T> {
    all.get(usize::try_from(place).ok()?)
}

impl<'r> Data<'r> {
    /// Indexes a report.
    pub fn new(
        report: &'r Report,
        whole: Option<&'r dyn Whole>,
        decisions: Decisions,
        today: Date,
    ) -> Self {
        let mut ids = BTreeMap::new();
        for (at, each) in (0..).zip(&report.plan) {
            ids.insert(each.id.as_str(), Item::Plan(at));
        }
        for (at, each) in (0..).zip(&report.credentials) {
            ids.insert(each.id.as_str(), Item::Credential(at));
        }
        for (at, each) in (0..).zip(&report.identities) {
            ids.insert(each.id.as_str(), Item::Identity(at));
        }
        for (at, each) in (0..).zip(&report.findings) {
            ids.insert(each.id.as_str(), Item::Finding(at));
        }
        Self {
            report,
            index: Index::new(report),
            ledger: Ledger::new(decisions, today),
            whole,
            ids,
            judged: report
                .assessments
                .iter()
                .map(|each| (&each.id, each))
                .collect(),
        }
    }

    /// Everything a view lists, in the order of the report.
    pub fn items(&self, view: View) -> Vec<Item> {
        let all = |count: usize, item: fn(u32) -> Item| {
            (0..u32::try_from(count).unwrap_or(u32::MAX))
                .map(item)
                .collect()
        };
        match view {
            View::Start => Vec::new(),
            View::Findings => all(self.report.findings.len(), Item::Finding),
            View::Identities => all(self.report.identities.len(), Item::Identity),
            View::Credentials => all(self.report.credentials.len(), Item::Credential),
            View::Plan => all(self.report.plan.len(), Item::Plan),
            View::Coverage => all(self.report.coverage.len(), Item::Coverage),
            View::Decisions => {
                // The last one first.
                let mut items = all(self.ledger.events().len(), Item::Decision);
                items.reverse();
                items
            }
        }
    }

    /// The finding that an item is.
    pub fn finding(&self, item: Item) -> Option<&'r Finding> {
        match item {
            Item::Finding(place) => at(&self.report.findings, place),
            _ => None,
        }
    }

    /// The item of the plan that an item is.
    pub fn plan(&self, item: Item) -> Option<&'r PlanItem> {
        match item {
            Item::Plan(place) => at(&self.report.plan, place),
            _ => None,
        }
    }

    /// The unit of coverage that an item is.
    pub fn coverage(&self, item: Item) -> Option<&'r Coverage> {
        match item {
            Item::Coverage(place) => at(&self.report.coverage, place),
            _ => None,
        }
    }

    /// The decision that an item is.
    pub fn event(&self, item: Item) -> Option<&Event> {
        match item {
            Item::Decision(place) => at(self.ledger.events(), place).map(|one| &one.event),
            _ => None,
        }
    }

    /// The identity that an item is, or is about.
    pub fn identity(&self, item: Item) -> Option<&'r Identity> {
        let index = &self.index;
        match item {
            Item::Identity(place) => at(&self.report.identities, place),
            Item::Finding(_) => {
                let finding = self.finding(item)?;
                let of_credential = || {
                    index
                        .credential(finding.credential.as_ref())?
                        .identity
                        .as_ref()
                };
                index.identity(finding.identity.as_ref().or_else(of_credential))
            }
            Item::Credential(_) => index.identity(self.credential(item)?.identity.as_ref()),
            Item::Plan(_) => {
                let plan = self.plan(item)?;
                index.identity(plan.identity.as_ref())
            }
            Item::Coverage(_) | Item::Decision(_) => None,
        }
    }

    /// The credential that an item is, or is about.
    pub fn credential(&self, item: Item) -> Option<&'r Credential> {
        match item {
            Item::Credential(place) => at(&self.report.credentials, place),
            Item::Finding(_) => self
                .index
                .credential(self.finding(item)?.credential.as_ref()),
            Item::Plan(_) => self.index.credential(self.plan(item)?.credential.as_ref()),
            _ => None,
        }
    }

    /// What was judged of an item: of its credential, else of its identity the worst.
    pub fn assessment(&self, item: Item) -> Option<&'r Assessment> {
        if let Some(plan) = self.plan(item) {
            return self.judged.get(&plan.assessment).copied();
        }
        if let Some(finding) = self.finding(item) {
            return self.index.assessment_of(finding);
        }
        if let Some(found) = self
            .credential(item)
            .and_then(|credential| self.index.assessment_of_credential(&credential.id))
        {
            return Some(found);
        }
        let identity = self.identity(item)?;
        self.index
            .assessments_of_identity(&identity.id)
            .iter()
            .copied()
            .max_by_key(|each| each.risk.score)
    }

    /// Findings about an item.
    pub fn findings(&self, item: Item) -> Vec<&'r Finding> {
        match item {
            Item::Finding(_) => self.finding(item).into_iter().collect(),
            Item::Credential(_) => self.credential(item).map_or_else(Vec::new, |credential| {
                self.index.findings_of_credential(&credential.id).to_vec()
            }),
            Item::Identity(_) => self.identity(item).map_or_else(Vec::new, |identity| {
                select::of_identity(&self.index, identity).findings
            }),
            Item::Plan(_) => match (self.credential(item), self.identity(item)) {
                (Some(credential), _) => self.index.findings_of_credential(&credential.id).to_vec(),
                (None, Some(identity)) => self.index.findings_of_identity(&identity.id).to_vec(),
                (None, None) => Vec::new(),
            },
            Item::Coverage(_) | Item::Decision(_) => Vec::new(),
        }
    }

    /// An item as a filter sees it; `None` where there is nothing but its text.
    pub fn subject(&self, item: Item) -> Option<Subject<'r>> {
        let index = &self.index;
        let mut subject = match item {
            Item::Finding(_) => select::of_finding(index, self.finding(item)?),
            Item::Identity(_) => select::of_identity(index, self.identity(item)?),
            Item::Credential(_) => select::of_credential(index, self.credential(item)?),
            Item::Plan(_) => select::of_assessment(index, self.assessment(item)?),
            Item::Coverage(_) | Item::Decision(_) => return None,
        };
        for finding in &subject.findings {
            subject.said.push(match self.ledger.verdict(finding) {
                Some(Verdict::Decided(event)) => ledger::word(&event.decision),
                Some(Verdict::Expired(_)) => "expired",
                Some(Verdict::Conflict(_)) => "conflict",
                None => finding.status.as_str(),
            });
            subject.said.push(if self.ledger.is_undecided(finding) {
                "undecided"
            } else {
                "decided"
            });
        }
        Some(subject)
    }

    /// Its id, as commands take it; of a unit of coverage its name.
    pub fn id(&self, item: Item) -> String {
        match item {
            Item::Finding(_) => self.finding(item).map(|each| each.id.to_string()),
            Item::Identity(_) => self.identity(item).map(|each| each.id.to_string()),
            Item::Credential(_) => self.credential(item).map(|each| each.id.to_string()),
            Item::Plan(_) => self.plan(item).map(|each| each.id.to_string()),
            Item::Coverage(_) => self.coverage(item).map(|each| each.unit.clone()),
            Item::Decision(_) => self.event(item).map(ledger::about),
        }
        .unwrap_or_default()
    }

    /// The item of an id, whatever it is.
    pub fn find(&self, id: &str) -> Option<Item> {
        self.ids.get(id).copied()
    }
}

impl Item {
    /// The view that lists it.
    pub const fn view(self) -> View {
        match self {
            Self::Finding(_) => View::Findings,
            Self::Identity(_) => View::Identities,
            Self::Credential(_) => View::Credentials,
            Self::Plan(_) => View::Plan,
            Self::Coverage(_) => View::Coverage,
            Self::Decision(_) => View::Decisions,
        }
    }
}
