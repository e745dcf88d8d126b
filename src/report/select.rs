//! A report narrowed to what a filter lets through.

use super::{Index, ReportParts, assemble};
use crate::model::{Assessment, Credential, Finding, Identity, Inventory, Report};
use crate::query::{Query, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// An identity with everything that belongs to it, as a filter sees it.
pub fn of_identity<'a>(index: &Index<'a>, identity: &'a Identity) -> Subject<'a> {
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
    let plan = assessments
        .iter()
        .filter_map(|assessment| index.plan_of(assessment))
        .collect();
    Subject {
        identity: Some(identity),
        consumers: index.consumers(&identity.consumers),
        credentials,
        findings,
        assessments,
        plan,
        said: Vec::new(),
        now: index.report.run.now,
    }
}

/// A credential, with its identity.
pub fn of_credential<'a>(index: &Index<'a>, credential: &'a Credential) -> Subject<'a> {
    let assessments: Vec<&Assessment> = index
        .assessment_of_credential(&credential.id)
        .into_iter()
        .collect();
    Subject {
        identity: index.identity(credential.identity.as_ref()),
        credentials: vec![credential],
        consumers: index.consumers(&credential.consumers),
        findings: index.findings_of_credential(&credential.id).to_vec(),
        plan: assessments
            .iter()
            .filter_map(|assessment| index.plan_of(assessment))
            .collect(),
        assessments,
        said: Vec::new(),
        now: index.report.run.now,
    }
}

/// A finding, with what it is about.
pub fn of_finding<'a>(index: &Index<'a>, finding: &'a Finding) -> Subject<'a> {
    let credential = index.credential(finding.credential.as_ref());
    let identity = index.identity(
        finding
            .identity
            .as_ref()
            .or_else(|| credential?.identity.as_ref()),
    );
    let assessments: Vec<&Assessment> = index.assessment_of(finding).into_iter().collect();
    Subject {
        identity,
        credentials: match credential {
            Some(credential) => vec![credential],
            None => identity.map_or_else(Vec::new, |identity| index.credentials_of(identity)),
        },
        consumers: index.consumers_for(credential, identity),
        findings: vec![finding],
        plan: assessments
            .iter()
            .filter_map(|assessment| index.plan_of(assessment))
            .collect(),
        assessments,
        said: Vec::new(),
        now: index.report.run.now,
    }
}

/// An assessment and what the plan has for it.
pub fn of_assessment<'a>(index: &Index<'a>, assessment: &'a Assessment) -> Subject<'a> {
    let credential = index.credential(assessment.credential.as_ref());
    let identity = index.identity(assessment.identity.as_ref());
    let mut subject = match (credential, identity) {
        (Some(credential), _) => of_credential(index, credential),
        (None, Some(identity)) => of_identity(index, identity),
        (None, None) => Subject {
            identity: None,
            credentials: Vec::new(),
            consumers: Vec::new(),
            findings: Vec::new(),
            assessments: Vec::new(),
            plan: Vec::new(),
            said: Vec::new(),
            now: index.report.run.now,
        },
    };
    subject.assessments = vec![assessment];
    subject.plan = index.plan_of(assessment).into_iter().collect();
    subject
}

/// Identities that pass, in the order of the report.
pub fn identities<'a>(index: &Index<'a>, query: &Query) -> Vec<&'a Identity> {
    index
        .report
        .identities
        .iter()
        .filter(|identity| query.is_empty() || query.matches(&of_identity(index, identity)))
        .collect()
}

/// The report of what passes: identities, credentials, findings and plan items each by themselves, the grants and
/// consumers of what is left, and the counts of that. What was read stays as it is.
pub fn filtered(report: &Report, query: &Query, long_lived_days: i64) -> Report {
    if query.is_empty() {
        return report.clone();
    }
    let index = Index::new(report);
    let kept = identities(&index, query);
    let mut grants = BTreeSet::new();
    let mut consumers = BTreeSet::new();
    for identity in &kept {
        grants.extend(&identity.grants);
        consumers.extend(&identity.consumers);
    }
    let credentials: BTreeMap<_, _> = report
        .credentials
        .iter()
        .filter(|credential| query.matches(&of_credential(&index, credential)))
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
    let findings = report
        .findings
        .iter()
        .filter(|finding| query.matches(&of_finding(&index, finding)))
        .cloned()
        .collect();
    let assessments: Vec<Assessment> = report
        .assessments
        .iter()
        .filter(|assessment| query.matches(&of_assessment(&index, assessment)))
        .cloned()
        .collect();
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
