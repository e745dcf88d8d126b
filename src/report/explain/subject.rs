//! Finds what the user means by an id, an ARN, a name or a key id.

use super::super::{Index, text};
use crate::model::{Assessment, Credential, Finding, Fingerprint, Identity};

/// Most candidates offered.
const CANDIDATES: usize = 20;

/// What is explained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject<'a> {
    /// An identity and everything about it.
    Identity(&'a Identity),
    /// A credential.
    Credential(&'a Credential),
    /// A finding.
    Finding(&'a Finding),
    /// An assessment, by its id or that of its plan item.
    Assessment(&'a Assessment),
}

/// Something the query could mean.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Id to ask with.
    pub id: String,
    /// What it is, on one line.
    pub what: String,
}

/// What a query means.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<'a> {
    /// One thing.
    One(Subject<'a>),
    /// Several things, at most twenty of them, in report order.
    Several(Vec<Candidate>),
    /// Nothing.
    Nothing,
}

/// Whether a name is what the query means, and whether that name is an id of the report.
type Test<'t> = dyn Fn(&str, bool) -> bool + 't;

/// Looks for a query: first as an exact id or name, then as the beginning of an id, then anywhere in a name.
pub fn find<'a>(index: &Index<'a>, query: &str) -> Found<'a> {
    let query = query.trim();
    if query.is_empty() {
        return Found::Nothing;
    }
    let lower = query.to_lowercase();
    let tests: [&Test<'_>; 3] = [
        &|name, _| name == query,
        &|name, is_id| is_id && query.len() >= 4 && name.starts_with(query),
        &|name, is_id| !is_id && name.to_lowercase().contains(&lower),
    ];
    for test in tests {
        let found = matching(index, test);
        match found.as_slice() {
            [] => {}
            [only] => return Found::One(*only),
            several => {
                return Found::Several(several.iter().take(CANDIDATES).map(candidate).collect());
            }
        }
    }
    Found::Nothing
}

fn matching<'a>(index: &Index<'a>, test: &Test<'_>) -> Vec<Subject<'a>> {
    let report = index.report;
    let mut found = Vec::new();
    for identity in &report.identities {
        if test(identity.id.as_str(), true)
            || test(&identity.native_id, false)
            || test(&identity.name, false)
        {
            found.push(Subject::Identity(identity));
        }
    }
    for credential in &report.credentials {
        let names = [
            credential.public_id.as_deref(),
            credential.reference.as_deref(),
            credential.fingerprint.as_ref().map(Fingerprint::as_str),
        ];
        if test(credential.id.as_str(), true)
            || names.into_iter().flatten().any(|name| test(name, false))
        {
            found.push(Subject::Credential(credential));
        }
    }
    for finding in &report.findings {
        if test(finding.id.as_str(), true) {
            found.push(Subject::Finding(finding));
        }
    }
    for assessment in &report.assessments {
        let plan = index.plan_of(assessment);
        if test(assessment.id.as_str(), true)
            || plan.is_some_and(|item| test(item.id.as_str(), true))
        {
            found.push(Subject::Assessment(assessment));
        }
    }
    found
}

fn candidate(subject: &Subject<'_>) -> Candidate {
    let (id, what) = match subject {
        Subject::Identity(each) => (
            each.id.as_str(),
            format!("{} {}", each.kind.as_str(), each.native_id),
        ),
        Subject::Credential(each) => {
            let name = each.public_id.as_deref().or(each.reference.as_deref());
            (
                each.id.as_str(),
                format!("{} {}", each.kind, name.unwrap_or_default()),
            )
        }
        Subject::Finding(each) => (each.id.as_str(), format!("finding: {}", each.title)),
        Subject::Assessment(each) => (each.id.as_str(), format!("assessment of {}", each.subject)),
    };
    Candidate {
        id: id.to_owned(),
        what: text::line(what.trim_end()).into_owned(),
    }
}
