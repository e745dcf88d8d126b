//! Puts the parts of a run together: every list in its total order, and the counts.

use crate::model::{
    Assessment, Coverage, Credential, Finding, Identity, Inventory, PlanItem, Report, Run, Summary,
    Tool, WaveRisk, evidence::days_between, report::SCHEMA,
};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What one run produced, in any order.
pub struct ReportParts {
    /// Version of the program.
    pub tool_version: String,
    /// The run. `complete` is cleared when the coverage says otherwise.
    pub run: Run,
    /// What was read and what was not.
    pub coverage: Vec<Coverage>,
    /// The joined inventory.
    pub inventory: Inventory,
    /// Findings.
    pub findings: Vec<Finding>,
    /// Assessments.
    pub assessments: Vec<Assessment>,
    /// The plan.
    pub plan: Vec<PlanItem>,
    /// Age in days from which a credential counts as long-lived.
    pub long_lived_days: i64,
}

/// The report of a run: the same parts in any order give the same report.
pub fn assemble(parts: ReportParts) -> Report {
    let ReportParts {
        tool_version,
        mut run,
        mut coverage,
        inventory,
        mut findings,
        mut assessments,
        mut plan,
        long_lived_days,
    } = parts;
    coverage.sort();
    coverage.dedup();
    run.inputs.sort();
    run.inputs.dedup();
    run.complete &= !coverage.iter().any(|entry| entry.status.incomplete());

    let mut identities: Vec<_> = inventory.identities.into_values().collect();
    identities.sort_by(|a, b| identity_key(a).cmp(&identity_key(b)));
    let mut credentials: Vec<_> = inventory.credentials.into_values().collect();
    credentials.sort_by(|a, b| credential_key(a).cmp(&credential_key(b)));
    let observed = inventory.observed;
    // Grants are sorted by id already: the map is keyed by it.
    let grants: Vec<_> = inventory.grants.into_values().collect();
    let mut consumers: Vec<_> = inventory.consumers.into_values().collect();
    consumers.sort_by(|a, b| {
        (&a.runtime, &a.repository, &a.name, &a.id).cmp(&(
            &b.runtime,
            &b.repository,
            &b.name,
            &b.id,
        ))
    });
    findings.sort_by(|a, b| {
        (Reverse(a.severity), &a.rule, &a.id).cmp(&(Reverse(b.severity), &b.rule, &b.id))
    });
    assessments.sort_by(|a, b| {
        (Reverse(a.risk.score), a.disposition, &a.id).cmp(&(
            Reverse(b.risk.score),
            b.disposition,
            &b.id,
        ))
    });
    plan.sort_by(|a, b| (a.wave, a.position, &a.id).cmp(&(b.wave, b.position, &b.id)));

    let mut summary = Summary {
        credentials: count(credentials.len()),
        long_lived_credentials: count(
            credentials
                .iter()
                .filter(|credential| long_lived(credential, run.now, long_lived_days))
                .count(),
        ),
        ..Summary::default()
    };
    count_identities(&mut summary, &identities);
    count_findings(&mut summary, &findings);
    count_plan(&mut summary, &assessments, &plan);
    for entry in &coverage {
        add(&mut summary.coverage, entry.status.as_str());
    }
    Report {
        schema: SCHEMA.to_owned(),
        tool: Tool {
            name: "overstay".to_owned(),
            version: tool_version,
        },
        run,
        coverage,
        summary,
        identities,
        credentials,
        grants,
        consumers,
        roles: inventory.roles,
        bindings: inventory.bindings,
        capabilities: inventory.capabilities,
        observed,
        edits: inventory.edits,
        origins: inventory.origins,
        findings,
        assessments,
        plan,
        changes: None,
    }
}

fn identity_key(identity: &Identity) -> impl Ord + '_ {
    (
        identity.provider.as_str(),
        identity.account.as_deref(),
        identity.kind,
        identity.native_id.as_str(),
        &identity.id,
    )
}

fn credential_key(credential: &Credential) -> impl Ord + '_ {
    (
        credential.provider.as_str(),
        credential.kind.as_str(),
        credential.public_id.as_deref(),
        &credential.id,
    )
}

/// Never expires, or is older than the threshold.
fn long_lived(credential: &Credential, now: Timestamp, long_lived_days: i64) -> bool {
    let never_expires =
        credential.expires_by_nature == Some(false) && credential.expires_at.is_none();
    let old = credential
        .created_at
        .is_some_and(|created| days_between(created, now) >= long_lived_days);
    never_expires || old
}

fn count_identities(summary: &mut Summary, identities: &[Identity]) {
    let machines: Vec<_> = identities.iter().filter(|each| !each.human).collect();
    let people = identities.len() - machines.len();
    summary.machine_identities = count(machines.len());
    summary.human_identities = count(people);
    summary.machine_to_human_ratio = share(machines.len(), people);
    summary.without_owner = count(machines.iter().filter(|each| each.owner.is_none()).count());
    let granted: Vec<_> = machines
        .iter()
        .filter(|each| !each.grants.is_empty())
        .collect();
    let over = granted
        .iter()
        .filter(|each| each.privilege.admin || !each.privilege.full_services.is_empty())
        .count();
    summary.over_privileged_share = share(over, granted.len());
}

fn count_findings(summary: &mut Summary, findings: &[Finding]) {
    for finding in findings {
        add(&mut summary.findings_by_severity, finding.severity.as_str());
        add(&mut summary.findings_by_rule, &finding.rule);
    }
}

fn count_plan(summary: &mut Summary, assessments: &[Assessment], plan: &[PlanItem]) {
    for assessment in assessments {
        add(&mut summary.dispositions, assessment.disposition.as_str());
        summary.standing_risk += u32::from(assessment.risk.score);
        summary.standing_risk_after += u32::from(assessment.risk_after.score);
    }
    let last = plan.iter().map(|item| item.wave).max().unwrap_or(0);
    summary.waves = (1..=last)
        .map(|wave| count(plan.iter().filter(|item| item.wave == wave).count()))
        .collect();
    let mut left = summary.standing_risk;
    summary.risk_by_wave = (1..=last)
        .map(|wave| {
            let items = plan.iter().filter(|item| item.wave == wave);
            let removed: u32 = items.clone().map(|item| u32::from(item.risk_removed)).sum();
            left = left.saturating_sub(removed);
            WaveRisk {
                wave,
                items: count(items.clone().count()),
                removed,
                left,
                effort: items.map(|item| u32::from(item.effort.points)).sum(),
            }
        })
        .collect();
    let mechanisms: BTreeSet<_> = plan.iter().map(|item| &item.mechanism).collect();
    summary.mechanisms = count(mechanisms.len());
}

fn add(counts: &mut BTreeMap<String, u32>, word: &str) {
    *counts.entry(word.to_owned()).or_default() += 1;
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// `part / whole` to four places; `None` when there is no whole.
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0)
}
