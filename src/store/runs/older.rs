//! What runs of the first formats leave to those that come. They had neither a ledger nor figures of a trend; both follow from
//! what is stored of them.

use super::{ledger, pack, unpack_value};
use crate::model::{
    Confidence, CredentialId, Finding, FindingBuilder, FindingId, IdentityId, Location, RiskBand,
    Severity,
};
use crate::store::change::{Asked, Known};
use jiff::Timestamp;
use rusqlite::{Connection, Result, Row, Transaction, params};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The format from which on runs keep a ledger.
pub(super) const LEDGER: i64 = 3;

/// A stored run.
struct Run {
    number: i64,
    id: String,
    now: Timestamp,
    rules: String,
    complete: bool,
    inputs: BTreeSet<String>,
    report: Value,
}

/// A finding of the ledger: what is known of it, the run that touched it last, and what was known before that run.
struct Entry {
    finding: Finding,
    known: Known,
    run: String,
    before: Option<Known>,
}

/// Fills what later formats have and the runs so far have not.
pub(super) fn carry_over(transaction: &Transaction<'_>) -> Result<()> {
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    for run in runs(transaction)? {
        let found = findings(transaction, &run)?;
        let known: BTreeMap<String, Known> = found
            .into_iter()
            .map(|(id, finding, band)| {
                let before = entries.remove(&id).map(|entry| entry.known);
                let known = Known {
                    first_seen: before
                        .as_ref()
                        .map_or(run.now, |one| one.first_seen.min(run.now)),
                    last_seen: run.now,
                    standing: true,
                    severity: finding.severity,
                    band,
                    asked: Asked::default(),
                    rules: run.rules.clone(),
                    told: serde_json::to_string(&finding).unwrap_or_default(),
                };
                let plain = known.clone();
                let entry = Entry {
                    finding,
                    known,
                    run: run.id.clone(),
                    before,
                };
                entries.insert(id.clone(), entry);
                (id, plain)
            })
            .collect();
        if run.complete {
            for entry in entries.values_mut() {
                gone(entry, &run, &known);
            }
        }
        if let Ok(packed) = pack(&known) {
            transaction.execute(
                "UPDATE runs SET known = ?2 WHERE number = ?1",
                params![run.number, packed],
            )?;
        }
        figures(transaction, &run)?;
    }
    let mut put = ledger::Put::new(transaction)?;
    for (id, entry) in &entries {
        let before = entry.before.as_ref();
        let before = before.and_then(|known| serde_json::to_string(known).ok());
        put.finding(
            &entry.finding,
            (id, &entry.known),
            &entry.run,
            before.as_deref(),
        )?;
    }
    Ok(())
}

/// A finding that a run over its repositories did not have was fixed by then.
fn gone(entry: &mut Entry, run: &Run, found: &BTreeMap<String, Known>) {
    let id = entry.finding.id.as_str();
    let places = entry.finding.locations.iter();
    let mut homes = places.filter_map(|place| place.repository.as_deref());
    if entry.known.standing
        && !found.contains_key(id)
        && homes.all(|home| run.inputs.contains(home))
    {
        entry.before = Some(entry.known.clone());
        entry.known.standing = false;
        entry.run.clone_from(&run.id);
    }
}

fn runs(connection: &Connection) -> Result<Vec<Run>> {
    let mut statement = connection.prepare(
        "SELECT number, id, now, rules_digest, complete, inputs, report FROM runs ORDER BY number",
    )?;
    let rows = statement.query_map([], |row| {
        let now: String = row.get(2)?;
        let inputs: String = row.get(5)?;
        let report: Vec<u8> = row.get(6)?;
        Ok(Run {
            number: row.get(0)?,
            id: row.get(1)?,
            now: now.parse().unwrap_or(Timestamp::UNIX_EPOCH),
            rules: row.get(3)?,
            complete: row.get(4)?,
            inputs: serde_json::from_str(&inputs).unwrap_or_default(),
            report: unpack_value(&report).unwrap_or_default(),
        })
    })?;
    rows.collect()
}

/// The findings of a run with the bands of the risks they stand for.
fn findings(
    connection: &Connection,
    run: &Run,
) -> Result<Vec<(String, Finding, Option<RiskBand>)>> {
    let told = run.report.get("findings").and_then(Value::as_array);
    let told: BTreeMap<&str, &Value> = told
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one.get("id")?.as_str()?, one)))
        .collect();
    let bands = bands(connection, run.number)?;
    let mut statement = connection.prepare(
        "SELECT id, rule, severity, confidence, title, identity, credential, repository, uri, line
         FROM findings WHERE run = ?1",
    )?;
    let rows = statement.query_map([run.number], |row| {
        let id: String = row.get(0)?;
        let identity: Option<String> = row.get(5)?;
        let credential: Option<String> = row.get(6)?;
        let band = [&credential, &identity]
            .into_iter()
            .flatten()
            .find_map(|subject| bands.get(subject).copied());
        let whole = told
            .get(id.as_str())
            .and_then(|one| Finding::deserialize(*one).ok());
        let finding = match whole {
            None => from_row(row, &id)?,
            whole => whole,
        };
        Ok(finding.map(|finding| (id, finding, band)))
    })?;
    Ok(rows
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// As much of a finding as its row has.
fn from_row(row: &Row<'_>, id: &str) -> Result<Option<Finding>> {
    let title: String = row.get(4)?;
    let identity: Option<String> = row.get(5)?;
    let credential: Option<String> = row.get(6)?;
    let uri: Option<String> = row.get(8)?;
    let place = Location {
        repository: row.get(7)?,
        uri: uri.unwrap_or_default(),
        line: row.get(9)?,
        column: None,
        logical: None,
    };
    let severity = word(row.get(2)?).unwrap_or(Severity::Low);
    let built = FindingBuilder::new(&row.get::<_, String>(1)?, severity)
        .text(title.clone(), title)
        .confidence(word(row.get(3)?).unwrap_or(Confidence::Medium))
        .identity(identity.as_deref().map(IdentityId::named).as_ref())
        .credential(credential.as_deref().map(CredentialId::named).as_ref())
        .locations([place])
        .build();
    Ok(built.ok().map(|finding| Finding {
        id: FindingId::named(id),
        ..finding
    }))
}

/// The band of the highest risk of each credential, and of each identity by itself.
fn bands(connection: &Connection, run: i64) -> Result<BTreeMap<String, RiskBand>> {
    let mut statement = connection
        .prepare("SELECT coalesce(credential, identity), band FROM assessments WHERE run = ?1")?;
    let rows = statement.query_map([run], |row| {
        Ok((row.get::<_, Option<String>>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut bands = BTreeMap::new();
    for row in rows {
        let (subject, band) = row?;
        if let (Some(subject), Some(band)) = (subject, word::<RiskBand>(band)) {
            let known = bands.entry(subject).or_insert(band);
            *known = band.max(*known);
        }
    }
    Ok(bands)
}

/// A value by its name in reports.
fn word<T: DeserializeOwned>(word: String) -> Option<T> {
    serde_json::from_value(Value::from(word)).ok()
}

/// The figures of a run, as far as it has them.
fn figures(transaction: &Transaction<'_>, run: &Run) -> Result<()> {
    let told = |name: &str| {
        let summary = run.report.get("summary");
        summary
            .and_then(|all| all.get(name))
            .and_then(Value::as_i64)
    };
    transaction.execute(
        "INSERT OR IGNORE INTO trend
         SELECT id, number, now, complete, standing_risk, standing_risk_after,
            coalesce(?2, (SELECT count(*) FROM identities WHERE run = number AND NOT human)),
            credentials, coalesce(?3, 0), NULL,
            (SELECT count(*) FROM findings WHERE run = number),
            (SELECT count(*) FROM findings WHERE run = number AND severity = 'critical'),
            (SELECT count(*) FROM findings WHERE run = number AND severity = 'high'),
            0, 0, 0, (SELECT count(*) FROM plan_items WHERE run = number), 0
         FROM runs WHERE number = ?1",
        params![
            run.number,
            told("machine_identities"),
            told("long_lived_credentials")
        ],
    )?;
    Ok(())
}
