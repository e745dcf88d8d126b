//! A report narrowed to what a filter lets through.

use super::{Index, ReportParts, assemble};
use crate::model::brief::Brief;
use crate::model::{Assessment, Credential, Finding, Identity, Inventory, Report};
use crate::query::{Asked, Query, Said, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that belongs to an identity.
pub struct Belongings<'a> {
    /// Its credentials, then those of others that it holds.
    pub credentials: Vec<&'a Credential>,
    /// Findings about it and about them.
    pub findings: Vec<&'a Finding>,
    /// Judgements of it and of them.
    pub assessments: Vec<&'a Assessment>,
}

/// Everything that belongs to an identity.
pub fn of_identity<'a>(index: &Index<'a>, identity: &Identity) -> Belongings<'a> {
    let mut credentials = index.credentials_of(identity);
    credentials.extend(index.credentials_held_by(identity));
    let mut findings = index.findings_of_identity(&identity.id).to_vec();
    let mut assessments = index.assessments_of_identity(&identity.id).to_vec();
    for credential in &credentials {
        findings.extend(index.findings_of_credential(&credential.id));
        assessments.extend(index.assessment_of_credential(&credential.id));
    }
    findings.sort_by(|a, b| a.id.cmp(&b.id));
    findings.dedup_by(|a, b| a.id == b.id);
    assessments.sort_by(|a, b| a.id.cmp(&b.id));
    assessments.dedup_by(|a, b| a.id == b.id);
    Belongings {
        credentials,
        findings,
        assessments,
    }
}

/// The entries of a list that pass, in its order.
fn passing<'a, 'b, T>(
    brief: &'b Brief,
    asked: &Asked<'_>,
    list: &'a [T],
    subject: impl Fn(&'b Brief, Option<&'b [Said]>, u32) -> Subject<'b>,
) -> Vec<&'a T> {
    (0..)
        .zip(list)
        .filter(|(at, _)| asked.passes(&subject(brief, None, *at)))
        .map(|(_, each)| each)
        .collect()
}

/// Identities that pass, in the order of the report.
pub fn identities<'a>(report: &'a Report, query: &Query) -> Vec<&'a Identity> {
    if query.is_empty() {
        return report.identities.iter().collect();
    }
    let brief = Brief::of(report);
    let asked = query.ask(&brief);
    passing(&brief, &asked, &report.identities, Subject::identity)
}

/// The report of what passes: identities, credentials, findings and plan items each by themselves, the grants and
/// consumers of what is left, and the counts of that. What was read stays as it is.
pub fn filtered(report: &Report, query: &Query, long_lived_days: i64) -> Report {
    if query.is_empty() {
        return report.clone();
    }
    let brief = Brief::of(report);
    let asked = query.ask(&brief);
    let kept = passing(&brief, &asked, &report.identities, Subject::identity);
    let mut grants = BTreeSet::new();
    let mut consumers = BTreeSet::new();
    for identity in &kept {
        grants.extend(&identity.grants);
        consumers.extend(&identity.consumers);
    }
    let credentials = passing(&brief, &asked, &report.credentials, Subject::credential);
    let credentials: BTreeMap<_, _> = credentials
        .into_iter()
        .map(|credential| (credential.id.clone(), credential.clone()))
        .collect();
    for id in report
        .credentials
        .iter()
        .filter(|credential| credentials.contains_key(&credential.id))
        .flat_map(|credential| &credential.consumers)
    {
        consumers.insert(id);
    }
    let findings = passing(&brief, &asked, &report.findings, Subject::finding);
    let findings = findings.into_iter().cloned().collect();
    let assessments = passing(&brief, &asked, &report.assessments, Subject::assessment);
    let assessments: Vec<Assessment> = assessments.into_iter().cloned().collect();
    let judged: BTreeSet<_> = assessments.iter().map(|each| &each.id).collect();
    let plan = report
        .plan
        .iter()
        .filter(|item| judged.contains(&item.assessment))
        .cloned()
        .collect();
    let inventory = Inventory {
        identities: kept
            .iter()
            .map(|identity| (identity.id.clone(), (*identity).clone()))
            .collect(),
        grants: report
            .grants
            .iter()
            .filter(|grant| grants.contains(&grant.id))
            .map(|grant| (grant.id.clone(), grant.clone()))
            .collect(),
        consumers: report
            .consumers
            .iter()
            .filter(|consumer| consumers.contains(&consumer.id))
            .map(|consumer| (consumer.id.clone(), consumer.clone()))
            .collect(),
        credentials,
        edits: report.edits.clone(),
        origins: report.origins.clone(),
        ..Inventory::default()
    };
    assemble(ReportParts {
        tool_version: report.tool.version.clone(),
        run: report.run.clone(),
        coverage: report.coverage.clone(),
        inventory,
        findings,
        assessments,
        plan,
        long_lived_days,
    })
}
