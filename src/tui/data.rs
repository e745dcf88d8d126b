//! What is under review: a report in brief, and what people decided about it.

use super::ledger::{self, Ledger};
use super::mode::View;
use crate::model::brief::{
    AssessmentRow, Brief, CredentialRow, Entry, FindingRow, IdentityRow, PlanRow, Text,
};
use crate::model::{Coverage, PlanItemId, Renames, Report};
use crate::query::Subject;
use crate::report::Index;
use crate::store::decisions::{Event, Standing};
use crate::store::runs::Wanted;
use jiff::civil::Date;
use std::borrow::Cow;
use std::sync::OnceLock;

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

/// A stored run: its report in brief, and where the whole entries are.
pub trait Whole: std::fmt::Debug + Sync {
    /// The report in brief.
    fn brief(&self) -> &Brief;

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
    /// The report; without its long lists, where these are stored.
    pub report: &'r Report,
    /// The report in brief.
    pub brief: Cow<'r, Brief>,
    /// What people decided.
    pub ledger: Ledger,
    /// Where the whole entries are; `None` where the report is whole.
    pub whole: Option<&'r dyn Whole>,
    index: OnceLock<Index<'r>>,
}

impl std::fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.report.run.id)
    }
}

impl<'r> Data<'r> {
    /// Opens a report.
    pub fn new(
        report: &'r Report,
        whole: Option<&'r dyn Whole>,
        standing: Standing,
        today: Date,
        renames: Renames,
    ) -> Self {
        let brief = whole.map_or_else(
            || Cow::Owned(Brief::of(report)),
            |whole| Cow::Borrowed(whole.brief()),
        );
        let ledger = Ledger::new(standing, today, renames, &brief);
        Self {
            report,
            brief,
            ledger,
            whole,
            index: OnceLock::new(),
        }
    }

    /// A report that is whole, looked up by id.
    pub(super) fn index(&self) -> &Index<'r> {
        self.index.get_or_init(|| Index::new(self.report))
    }

    /// What a number stands for.
    pub fn text(&self, text: Text) -> &str {
        self.brief.text(text)
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
            View::Findings => all(self.brief.rows().findings.len(), Item::Finding),
            View::Identities => all(self.brief.rows().identities.len(), Item::Identity),
            View::Credentials => all(self.brief.rows().credentials.len(), Item::Credential),
            View::Plan => all(self.brief.rows().plan.len(), Item::Plan),
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
    pub fn finding(&self, item: Item) -> Option<&FindingRow> {
        match item {
            Item::Finding(at) => self.brief.finding(at),
            _ => None,
        }
    }

    /// The item of the plan that an item is.
    pub fn plan(&self, item: Item) -> Option<&PlanRow> {
        match item {
            Item::Plan(at) => self.brief.plan(at),
            _ => None,
        }
    }

    /// The unit of coverage that an item is.
    pub fn coverage(&self, item: Item) -> Option<&'r Coverage> {
        match item {
            Item::Coverage(at) => self.report.coverage.get(at as usize),
            _ => None,
        }
    }

    /// The decision that an item is.
    pub fn event(&self, item: Item) -> Option<&Event> {
        match item {
            Item::Decision(at) => self.ledger.events().get(at as usize).map(|one| &one.event),
            _ => None,
        }
    }

    /// The place of the identity that an item is, or is about.
    pub fn identity_at(&self, item: Item) -> Option<u32> {
        match item {
            Item::Identity(at) => Some(at),
            Item::Finding(_) => self.brief.holder(self.finding(item)?),
            Item::Credential(_) => self.brief.identity_of(self.credential(item)?.identity),
            Item::Plan(_) => self.brief.identity_of(self.plan(item)?.identity),
            Item::Coverage(_) | Item::Decision(_) => None,
        }
    }

    /// The identity that an item is, or is about.
    pub fn identity(&self, item: Item) -> Option<&IdentityRow> {
        self.brief.identity(self.identity_at(item)?)
    }

    /// The place of the credential that an item is, or is about.
    pub fn credential_at(&self, item: Item) -> Option<u32> {
        match item {
            Item::Credential(at) => Some(at),
            Item::Finding(_) => self.brief.credential_of(self.finding(item)?.credential),
            Item::Plan(_) => self.brief.credential_of(self.plan(item)?.credential),
            _ => None,
        }
    }

    /// The credential that an item is, or is about.
    pub fn credential(&self, item: Item) -> Option<&CredentialRow> {
        self.brief.credential(self.credential_at(item)?)
    }

    /// The place of what was judged of an item: of its credential, else of its identity the worst.
    pub fn assessment_at(&self, item: Item) -> Option<u32> {
        let brief = &self.brief;
        if let Some(plan) = self.plan(item) {
            return brief.assessment_of_id(plan.assessment);
        }
        if let Some(finding) = self.finding(item) {
            return brief.assessment_of(finding);
        }
        let credential = self.credential_at(item);
        if let Some(found) = credential.and_then(|at| brief.assessment_of_credential(at)) {
            return Some(found);
        }
        let all = brief.assessments_of_identity(self.identity_at(item)?);
        let score = |at: &&u32| brief.assessment(**at).map(|row| row.score);
        all.iter().max_by_key(score).copied()
    }

    /// What was judged of an item.
    pub fn assessment(&self, item: Item) -> Option<&AssessmentRow> {
        self.brief.assessment(self.assessment_at(item)?)
    }

    /// Findings about an item, by their places.
    pub fn findings(&self, item: Item) -> &[u32] {
        let brief = &self.brief;
        match item {
            Item::Credential(at) => brief.findings_of_credential(at),
            Item::Identity(at) => brief.findings_with(at),
            Item::Plan(_) => match (self.credential_at(item), self.identity_at(item)) {
                (Some(at), _) => brief.findings_of_credential(at),
                (None, Some(at)) => brief.findings_of_identity(at),
                (None, None) => &[],
            },
            Item::Finding(_) | Item::Coverage(_) | Item::Decision(_) => &[],
        }
    }

    /// An item as a filter sees it; `None` where there is nothing but its text.
    pub fn subject(&self, item: Item) -> Option<Subject<'_>> {
        let (brief, said) = (self.brief.as_ref(), Some(self.ledger.said()));
        Some(match item {
            Item::Finding(at) => Subject::finding(brief, said, at),
            Item::Identity(at) => Subject::identity(brief, said, at),
            Item::Credential(at) => Subject::credential(brief, said, at),
            Item::Plan(_) => Subject::assessment(brief, said, self.assessment_at(item)?),
            Item::Coverage(_) | Item::Decision(_) => return None,
        })
    }

    /// Its id, as commands take it; of a unit of coverage its name.
    pub fn id(&self, item: Item) -> String {
        match item {
            Item::Finding(_) => self.finding(item).map(|row| self.text(row.id).to_owned()),
            Item::Identity(_) => self.identity(item).map(|row| self.text(row.id).to_owned()),
            Item::Credential(_) => self
                .credential(item)
                .map(|row| self.text(row.id).to_owned()),
            Item::Plan(_) => self.plan(item).map(|row| self.text(row.id).to_owned()),
            Item::Coverage(_) => self.coverage(item).map(|each| each.unit.clone()),
            Item::Decision(_) => self.event(item).map(ledger::about),
        }
        .unwrap_or_default()
    }

    /// The item of an id, whatever it is.
    pub fn find(&self, id: &str) -> Option<Item> {
        match self.brief.find(id)? {
            Entry::Finding(at) => Some(Item::Finding(at)),
            Entry::Identity(at) => Some(Item::Identity(at)),
            Entry::Credential(at) => Some(Item::Credential(at)),
            Entry::Plan(at) => Some(Item::Plan(at)),
            Entry::Grant(_) | Entry::Consumer(_) | Entry::Assessment(_) => None,
        }
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
