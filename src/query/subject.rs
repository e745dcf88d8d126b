//! What a filter is asked of.

use super::field::Value;
use crate::model::brief::{
    AssessmentRow, Brief, ConsumerRow, CredentialRow, FindingRow, IdentityRow, Place, PlanRow, Text,
};
use crate::model::{CredentialStatus, FindingStatus};

/// Places of rows: a list of the report's, or the one in question.
#[derive(Clone, Copy, Debug)]
pub(super) enum Places<'a> {
    /// This one.
    One(u32),
    /// These.
    Many(&'a [u32]),
}

impl Places<'_> {
    const NONE: Self = Places::Many(&[]);

    fn one(at: Option<u32>) -> Self {
        at.map_or(Self::NONE, Places::One)
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        let all = match self {
            Places::One(at) => std::slice::from_ref(at),
            Places::Many(all) => all,
        };
        all.iter().copied()
    }
}

/// What people said of a finding since its report was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Where it stands, in a word.
    pub word: &'static str,
    /// Nobody has to say anything about it any more.
    pub decided: bool,
}

/// An identity, a credential, a finding or an item of the plan, with what belongs to it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The report it is in.
    pub brief: &'a Brief,
    /// What people said of each finding; it takes the place of the findings' own status.
    said: Option<&'a [Said]>,
    identity: Option<&'a IdentityRow>,
    /// Its credentials, or the one in question.
    credentials: Places<'a>,
    /// What uses it.
    consumers: Places<'a>,
    findings: Places<'a>,
    assessments: Places<'a>,
    plan: Places<'a>,
}

impl<'a> Subject<'a> {
    /// An identity with everything that belongs to it.
    pub fn identity(brief: &'a Brief, said: Option<&'a [Said]>, at: u32) -> Self {
        Self {
            brief,
            said,
            identity: brief.identity(at),
            credentials: Places::Many(brief.credentials_with(at)),
            consumers: Places::Many(brief.consumers_of_identity(at)),
            findings: Places::Many(brief.findings_with(at)),
            assessments: Places::Many(brief.assessments_with(at)),
            plan: Places::Many(brief.plan_with(at)),
        }
    }

    /// A credential, with its identity.
    pub fn credential(brief: &'a Brief, said: Option<&'a [Said]>, at: u32) -> Self {
        let identity = brief.credential(at).map(|row| row.identity);
        let assessment = brief.assessment_of_credential(at);
        Self {
            brief,
            said,
            identity: identity
                .and_then(|id| brief.identity_of(id))
                .and_then(|at| brief.identity(at)),
            credentials: Places::One(at),
            consumers: Places::Many(brief.consumers_of_credential(at)),
            findings: Places::Many(brief.findings_of_credential(at)),
            assessments: Places::one(assessment),
            plan: Places::one(assessment.and_then(|at| brief.plan_of(at))),
        }
    }

    /// A finding, with what it is about.
    pub fn finding(brief: &'a Brief, said: Option<&'a [Said]>, at: u32) -> Self {
        let row = brief.finding(at);
        let credential = row.and_then(|row| brief.credential_of(row.credential));
        let holder = row.and_then(|row| brief.holder(row));
        let identity = holder.and_then(|at| brief.identity(at));
        let of_credential = credential.map_or(&[][..], |at| brief.consumers_of_credential(at));
        let of_identity = || holder.map_or(&[][..], |at| brief.consumers_of_identity(at));
        let assessment = row.and_then(|row| brief.assessment_of(row));
        Self {
            brief,
            said,
            identity,
            credentials: match (credential, holder) {
                (Some(at), _) => Places::One(at),
                (None, Some(at)) => Places::Many(brief.credentials_of(at)),
                (None, None) => Places::NONE,
            },
            consumers: Places::Many(if of_credential.is_empty() {
                of_identity()
            } else {
                of_credential
            }),
            findings: Places::One(at),
            assessments: Places::one(assessment),
            plan: Places::one(assessment.and_then(|at| brief.plan_of(at))),
        }
    }

    /// An assessment and what the plan has for it.
    pub fn assessment(brief: &'a Brief, said: Option<&'a [Said]>, at: u32) -> Self {
        let row = brief.assessment(at);
        let credential = row.and_then(|row| brief.credential_of(row.credential));
        let identity = row.and_then(|row| brief.identity_of(row.identity));
        let about = match (credential, identity) {
            (Some(at), _) => Self::credential(brief, said, at),
            (None, Some(at)) => Self::identity(brief, said, at),
            (None, None) => Self {
                brief,
                said,
                identity: None,
                credentials: Places::NONE,
                consumers: Places::NONE,
                findings: Places::NONE,
                assessments: Places::NONE,
                plan: Places::NONE,
            },
        };
        Self {
            assessments: Places::One(at),
            plan: Places::one(brief.plan_of(at)),
            ..about
        }
    }

    /// The identity.
    pub(super) const fn who(&self) -> Option<&'a IdentityRow> {
        self.identity
    }

    pub(super) fn credentials(&self) -> impl Iterator<Item = &'a CredentialRow> {
        self.credentials
            .iter()
            .filter_map(|at| self.brief.credential(at))
    }

    pub(super) fn consumers(&self) -> impl Iterator<Item = &'a ConsumerRow> {
        self.consumers
            .iter()
            .filter_map(|at| self.brief.consumer(at))
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = &'a FindingRow> {
        self.findings.iter().filter_map(|at| self.brief.finding(at))
    }

    pub(super) fn assessments(&self) -> impl Iterator<Item = &'a AssessmentRow> {
        self.assessments
            .iter()
            .filter_map(|at| self.brief.assessment(at))
    }

    pub(super) fn plan(&self) -> impl Iterator<Item = &'a PlanRow> {
        self.plan.iter().filter_map(|at| self.brief.plan(at))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = Text> {
        let identity = self.identity.into_iter();
        let of_identity = identity.flat_map(|row| [row.name, row.native_id]);
        let of_credentials = self
            .credentials()
            .flat_map(|row| [row.public_id, row.reference]);
        of_identity.chain(of_credentials)
    }

    /// Everything a word alone is looked for in.
    pub(super) fn words(&self) -> impl Iterator<Item = Text> {
        let found = self.findings().flat_map(|row| [row.title, row.rule]);
        let planned = self.plan().map(|row| row.title);
        self.names()
            .chain(found)
            .chain(planned)
            .chain(self.repositories())
            .chain(self.paths())
    }

    /// Where its findings and credentials stand.
    pub(super) fn states(&self) -> impl Iterator<Item = &'static str> {
        let credentials = self.credentials().map(|row| row.status.as_str());
        let findings = self.findings.iter().flat_map(|at| {
            let said = self.said.and_then(|all| all.get(at as usize).copied());
            let own = || {
                let row = self.brief.finding(at)?;
                let settled =
                    matches!(row.status, FindingStatus::Accepted | FindingStatus::Ignored);
                Some(Said {
                    word: row.status.as_str(),
                    decided: settled,
                })
            };
            said.or_else(own).into_iter().flat_map(|said| {
                let decided = if said.decided { "decided" } else { "undecided" };
                [said.word, decided]
            })
        });
        credentials.chain(findings)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = Text> {
        let identity = self.identity.into_iter().map(|row| row.id);
        identity
            .chain(self.credentials().map(|row| row.id))
            .chain(self.findings().map(|row| row.id))
            .chain(self.assessments().map(|row| row.id))
            .chain(self.plan().map(|row| row.id))
    }

    /// Values of a tag, whose key is given in lower case.
    pub(super) fn tags(&self, key: &str) -> Vec<Value> {
        let tags = self.identity.map(|row| self.brief.texts(row.tags));
        tags.unwrap_or_default()
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [known, value] if self.brief.text(*known).to_lowercase() == key => {
                    Some(Value::Text(*value))
                }
                _ => None,
            })
            .collect()
    }

    /// Places that declare it.
    fn declared(&self) -> impl Iterator<Item = &'a Place> {
        let identity = self.identity.into_iter();
        identity.flat_map(|row| self.brief.places(row.places))
    }

    /// Places that hold a copy of its secret.
    fn seen(&self) -> impl Iterator<Item = &'a Place> {
        self.credentials()
            .flat_map(|row| self.brief.places(row.places))
    }

    pub(super) fn repositories(&self) -> impl Iterator<Item = Text> {
        let used = self.consumers().map(|row| row.repository);
        let declared = self.declared().map(|at| at.repository);
        declared
            .chain(used)
            .chain(self.seen().map(|at| at.repository))
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = Text> {
        let used = self.consumers().map(|row| row.path);
        let found = self
            .findings()
            .flat_map(|row| self.brief.places(row.places));
        self.declared()
            .map(|at| at.uri)
            .chain(used)
            .chain(self.seen().map(|at| at.uri))
            .chain(found.map(|at| at.uri))
    }

    fn live(&self) -> impl Iterator<Item = &'a CredentialRow> {
        self.credentials()
            .filter(|row| row.status != CredentialStatus::Inactive)
    }

    /// Days since the oldest live credential was made, else the identity.
    pub(super) fn age_days(&self) -> Option<i64> {
        let oldest = self.live().filter_map(|row| row.age).max();
        oldest.or_else(|| self.identity?.age)
    }

    /// Days since the last use of anything, where all of it is tracked.
    pub(super) fn idle_days(&self) -> Option<i64> {
        let of_credentials = self.credentials().filter_map(|row| row.idle).min();
        let of_identity = self.identity.and_then(|row| row.idle);
        match (of_credentials, of_identity) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        }
    }

    /// Days until the last live credential stops working; `None` if one never does or nobody says.
    pub(super) fn expires_days(&self) -> Option<i64> {
        self.live()
            .map(|row| row.expires)
            .max_by_key(|days| days.unwrap_or(i64::MAX))
            .flatten()
    }
}
