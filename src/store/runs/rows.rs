//! Writes the parts of a report into the queryable tables.

use crate::model::Report;
use rusqlite::{Result, Transaction, params};

/// Version of the program that stored a run.
pub(super) fn version(connection: &rusqlite::Connection, id: &str) -> String {
    connection
        .query_row("SELECT tool_version FROM runs WHERE id = ?1", [id], |row| {
            row.get(0)
        })
        .unwrap_or_default()
}

/// Fills every table but `runs` for the run of this number.
pub(super) fn insert(transaction: &Transaction<'_>, run: i64, report: &Report) -> Result<()> {
    identities(transaction, run, report)?;
    credentials(transaction, run, report)?;
    findings(transaction, run, report)?;
    assessments(transaction, run, report)?;
    plan_items(transaction, run, report)?;
    coverage(transaction, run, report)
}

fn identities(transaction: &Transaction<'_>, run: i64, report: &Report) -> Result<()> {
    let mut insert = transaction.prepare(
        "INSERT OR IGNORE INTO identities VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
    )?;
    for identity in &report.identities {
        insert.execute(params![
            run,
            identity.id.as_str(),
            identity.provider,
            identity.kind.as_str(),
            identity.name,
            identity.native_id,
            identity.account,
            identity.environment.as_str(),
            identity.owner,
            identity.owner_source.as_str(),
            identity.human,
            identity.consumer_class.as_str(),
            identity.privilege.tier,
            identity.privilege.admin,
        ])?;
    }
    Ok(())
}

fn credentials(transaction: &Transaction<'_>, run: i64, report: &Report) -> Result<()> {
    let mut insert = transaction.prepare(
        "INSERT OR IGNORE INTO credentials VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
    )?;
    for credential in &report.credentials {
        insert.execute(params![
            run,
            credential.id.as_str(),
            credential.provider,
            credential.kind,
            credential.public_id,
            credential
                .identity
                .as_ref()
                .map(crate::model::id::IdentityId::as_str),
            credential.account,
            credential.status.as_str(),
            credential.created_at.map(|at| at.to_string()),
            credential.last_use.at().map(|at| at.to_string()),
            credential.expires_at.map(|at| at.to_string()),
            credential.storage.as_str(),
            count(credential.sightings.len()),
        ])?;
    }
    Ok(())
}

fn findings(transaction: &Transaction<'_>, run: i64, report: &Report) -> Result<()> {
    let mut insert = transaction.prepare(
        "INSERT OR IGNORE INTO findings VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
    )?;
    let fixed = report.changes.iter().flat_map(|changes| &changes.fixed);
    for finding in report.findings.iter().chain(fixed) {
        let place = finding.locations.first();
        insert.execute(params![
            run,
            finding.id.as_str(),
            finding.rule,
            finding.severity.as_str(),
            finding.severity as u8,
            finding.confidence.as_str(),
            finding.status.as_str(),
            finding.title,
            finding
                .identity
                .as_ref()
                .map(crate::model::id::IdentityId::as_str),
            finding
                .credential
                .as_ref()
                .map(crate::model::id::CredentialId::as_str),
            place.and_then(|place| place.repository.as_deref()),
            place.map(|place| place.uri.as_str()),
            place.and_then(|place| place.line),
        ])?;
    }
    Ok(())
}

fn assessments(transaction: &Transaction<'_>, run: i64, report: &Report) -> Result<()> {
    let mut insert = transaction.prepare(
        "INSERT OR IGNORE INTO assessments VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
    )?;
    for assessment in &report.assessments {
        insert.execute(params![
            run,
            assessment.id.as_str(),
            assessment
                .identity
                .as_ref()
                .map(crate::model::id::IdentityId::as_str),
            assessment
                .credential
                .as_ref()
                .map(crate::model::id::CredentialId::as_str),
            assessment.risk.score,
            assessment.risk.band.as_str(),
            assessment.risk.vector,
            assessment.fit.score,
            assessment.disposition.as_str(),
            assessment.confidence.as_str(),
            assessment.target,
            assessment.ttl.seconds.map(seconds),
            assessment.risk_after.score,
        ])?;
    }
    Ok(())
}

fn plan_items(transaction: &Transaction<'_>, run: i64, report: &Report) -> Result<()> {
    let mut insert = transaction.prepare(
        "INSERT OR IGNORE INTO plan_items VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
    )?;
    for item in &report.plan {
        insert.execute(params![
            run,
            item.id.as_str(),
            item.wave,
            item.position,
            item.assessment.as_str(),
            item.identity
                .as_ref()
                .map(crate::model::id::IdentityId::as_str),
            item.credential
                .as_ref()
                .map(crate::model::id::CredentialId::as_str),
            item.disposition.as_str(),
            item.mechanism,
            item.ttl.seconds.map(seconds),
            item.risk_before,
            item.risk_after,
        ])?;
    }
    Ok(())
}

fn coverage(transaction: &Transaction<'_>, run: i64, report: &Report) -> Result<()> {
    let mut insert = transaction.prepare("INSERT INTO coverage VALUES (?1,?2,?3,?4,?5)")?;
    for entry in &report.coverage {
        insert.execute(params![
            run,
            entry.source,
            entry.unit,
            entry.status.as_str(),
            entry.reason,
        ])?;
    }
    Ok(())
}

/// A length as SQLite can hold it.
pub(super) fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// A number as SQLite can hold it.
pub(super) fn size(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seconds(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
