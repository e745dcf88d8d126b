//! Every finding ever seen, with its state as of the last run that touched it and its state before that run, so that a
//! run that is made again compares with what was before it.

use super::{Runs, RunsError, unpack_value};
use crate::model::written::Part;
use crate::model::{CredentialId, Finding, IdentityId, Report, Run};
use crate::store::change::{Known, Past};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};

impl Runs {
    /// What is known before this run. A stored run of the same id is not its own past. With `by_time`, neither is a run
    /// that is later by its time, so that making a run of then again tells what it told then; without, a clock that was
    /// moved back changes nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn past(&self, run: &Run, by_time: bool) -> Result<Past, RunsError> {
        let read = || {
            let later: bool = by_time
                && self.connection.query_row(
                    "SELECT EXISTS (SELECT 1 FROM runs WHERE id <> ?1 AND seconds > ?2)",
                    params![run.id, run.now.as_second()],
                    |row| row.get(0),
                )?;
            let before = self.before(run, by_time)?;
            let findings = if later {
                self.refold(run)?
            } else {
                self.ledger(run)?
            };
            let reach = before
                .as_ref()
                .and_then(|(_, _, reach)| unpack_value(reach.as_deref()?))
                .unwrap_or_default();
            Ok(Past {
                run: before.map(|(id, time, _)| (id, time)),
                findings,
                reach,
                homes: self.homes(run)?,
                aliases: self.aliases()?,
                renamed: BTreeMap::new(),
            })
        };
        read().map_err(|error| self.explain(error))
    }

    /// Adds to what is known how findings were told that a run does not have, which are these.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn tell(&self, past: &mut Past, findings: &[Finding]) -> Result<(), RunsError> {
        // Where ids are new names of older ones, any may be asked for.
        let all = !past.aliases.is_empty() || !past.renamed.is_empty();
        let present: BTreeSet<&str> = findings.iter().map(|one| one.id.as_str()).collect();
        let absent = |id: &str, known: &Known| known.standing && !present.contains(id);
        let mut read = || {
            let mut statement = self
                .connection
                .prepare("SELECT finding FROM told WHERE id = ?1")?;
            for (id, known) in &mut past.findings {
                if all || absent(id, known) {
                    let told = statement.query_row([id], |row| row.get(0)).optional()?;
                    known.told = told.unwrap_or_default();
                }
            }
            Ok(())
        };
        read().map_err(|error| self.explain(error))
    }

    /// The run before.
    fn before(&self, run: &Run, by_time: bool) -> rusqlite::Result<Option<Before>> {
        let limit = if by_time {
            run.now.as_second()
        } else {
            i64::MAX
        };
        self.connection
            .query_row(
                "SELECT id, now, reach FROM runs WHERE id <> ?1 AND seconds <= ?2 ORDER BY number DESC LIMIT 1",
                params![run.id, limit],
                |row| Ok((row.get(0)?, time(&row.get::<_, String>(1)?), row.get(2)?)),
            )
            .optional()
    }

    /// The inputs of the other runs.
    fn homes(&self, run: &Run) -> rusqlite::Result<BTreeSet<String>> {
        let mut statement = self
            .connection
            .prepare("SELECT DISTINCT inputs FROM runs WHERE id <> ?1")?;
        let rows = statement.query_map([&run.id], |row| row.get::<_, String>(0))?;
        let mut homes = BTreeSet::new();
        for inputs in rows {
            homes.extend(serde_json::from_str::<Vec<String>>(&inputs?).unwrap_or_default());
        }
        Ok(homes)
    }

    fn aliases(&self) -> rusqlite::Result<BTreeMap<String, String>> {
        let mut statement = self
            .connection
            .prepare("SELECT id, known_as FROM aliases")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    fn ledger(&self, run: &Run) -> rusqlite::Result<BTreeMap<String, Known>> {
        let mut statement = self
            .connection
            .prepare("SELECT id, last_run, known, before FROM ledger")?;
        let mut rows = statement.query([])?;
        let mut findings = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get(2)?;
            let Ok(mut known) = serde_json::from_str::<Known>(&text) else {
                continue;
            };
            if row.get::<_, String>(1)? == run.id {
                let before: Option<String> = row.get(3)?;
                let Some(before) = before.and_then(|text| serde_json::from_str(&text).ok()) else {
                    continue;
                };
                known = before;
            }
            findings.insert(row.get(0)?, known);
        }
        Ok(findings)
    }

    /// The ledger as it was before a run that others came after, from the runs that are still stored.
    fn refold(&self, run: &Run) -> rusqlite::Result<BTreeMap<String, Known>> {
        let mut statement = self.connection.prepare(
            "SELECT number, known FROM runs WHERE id <> ?1 AND seconds <= ?2 ORDER BY number",
        )?;
        let mut rows = statement.query(params![run.id, run.now.as_second()])?;
        let mut findings: BTreeMap<String, Known> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            let packed: Option<Vec<u8>> = row.get(1)?;
            let known: Option<BTreeMap<String, Known>> =
                packed.and_then(|packed| unpack_value(&packed));
            findings.extend(known.unwrap_or_default());
            for id in self.fixed_in(number)? {
                if let Some(known) = findings.get_mut(&id) {
                    known.standing = false;
                }
            }
        }
        Ok(findings)
    }

    fn fixed_in(&self, number: i64) -> rusqlite::Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare("SELECT id FROM findings WHERE run = ?1 AND status = 'fixed'")?;
        let ids = statement.query_map([number], |row| row.get(0))?;
        ids.collect()
    }
}

/// Notes ids that are new names of older ones.
pub(super) fn alias(
    transaction: &Transaction<'_>,
    aliases: &BTreeMap<String, String>,
) -> rusqlite::Result<()> {
    let mut put = transaction.prepare("INSERT OR REPLACE INTO aliases VALUES (?1, ?2)")?;
    for (id, known_as) in aliases {
        put.execute([id, known_as])?;
    }
    Ok(())
}

/// Puts the findings of a run into the ledger. What an earlier run of the same id put there is taken back first.
pub(super) fn enter(
    transaction: &Transaction<'_>,
    report: &Report,
    known: &[(String, Known)],
) -> rusqlite::Result<()> {
    let run = report.run.id.as_str();
    take_back(transaction, run)?;
    let mut put = Put::new(transaction)?;
    for (finding, (id, known)) in report.findings.iter().zip(known) {
        put.finding(finding, (id, known), run, None)?;
    }
    for finding in report.changes.iter().flat_map(|changes| &changes.fixed) {
        let id = finding.id.as_str();
        let row = transaction
            .query_row(
                "SELECT known, finding FROM ledger JOIN told USING (id) WHERE id = ?1",
                [id],
                |row| Ok((row.get::<_, String>(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((text, told)) = row else {
            continue;
        };
        if let Ok(mut known) = serde_json::from_str::<Known>(&text) {
            known.standing = false;
            known.told = told;
            put.row(id, &known, run, None)?;
        }
    }
    Ok(())
}

fn take_back(transaction: &Transaction<'_>, run: &str) -> rusqlite::Result<()> {
    for first_here in [
        "DELETE FROM told WHERE id IN (SELECT id FROM ledger WHERE last_run = ?1 AND before IS NULL)",
        "DELETE FROM ledger WHERE last_run = ?1 AND before IS NULL",
    ] {
        transaction.execute(first_here, [run])?;
    }
    let mut statement = transaction.prepare(
        "SELECT id, before, finding FROM ledger JOIN told USING (id) WHERE last_run = ?1",
    )?;
    let rows = statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let rows: Vec<(String, String, String)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut put = Put::new(transaction)?;
    for (id, before, told) in rows {
        if let Ok(mut state) = serde_json::from_str::<Known>(&before) {
            state.told = told;
            put.row(&id, &state, "", Some(&before))?;
        }
    }
    Ok(())
}

/// Writes rows of the ledger. A row that is there already becomes what was known before, if nobody says otherwise.
pub(super) struct Put<'a> {
    ledger: rusqlite::Statement<'a>,
    told: rusqlite::Statement<'a>,
}

impl<'a> Put<'a> {
    pub(super) fn new(transaction: &'a Transaction<'_>) -> rusqlite::Result<Self> {
        let ledger = transaction.prepare(
            "INSERT INTO ledger (id, rule, title, severity, severity_rank, identity, credential, repository, uri,
                status, first_seen, last_seen, last_run, known, before)
             VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)
             ON CONFLICT (id) DO UPDATE SET rule=?2, title=?3, severity=?4, severity_rank=?5, identity=?6,
                credential=?7, repository=?8, uri=?9, status=?10, first_seen=?11, last_seen=?12, last_run=?13,
                known=?14, before=coalesce(?15, known)",
        )?;
        // Most findings are told as they were: their text is long, and no page of it is touched.
        let told = transaction.prepare(
            "INSERT INTO told (id, digest, finding) VALUES (?1,?2,?3)
             ON CONFLICT (id) DO UPDATE SET digest=?2, finding=?3 WHERE digest IS NOT ?2",
        )?;
        Ok(Self { ledger, told })
    }

    fn row(
        &mut self,
        id: &str,
        known: &Known,
        run: &str,
        before: Option<&str>,
    ) -> rusqlite::Result<()> {
        let Ok(finding) = serde_json::from_str::<Finding>(&known.told) else {
            return Ok(());
        };
        self.finding(&finding, (id, known), run, before)
    }

    pub(super) fn finding(
        &mut self,
        finding: &Finding,
        (id, known): (&str, &Known),
        run: &str,
        before: Option<&str>,
    ) -> rusqlite::Result<()> {
        let place = finding.locations.first();
        let status = if known.standing { "standing" } else { "fixed" };
        self.ledger.execute(params![
            id,
            finding.rule,
            finding.title,
            finding.severity.as_str(),
            finding.severity as u8,
            finding.identity.as_ref().map(IdentityId::as_str),
            finding.credential.as_ref().map(CredentialId::as_str),
            place.and_then(|place| place.repository.as_deref()),
            place.map(|place| place.uri.as_str()),
            status,
            known.first_seen.to_string(),
            known.last_seen.to_string(),
            run,
            serde_json::to_string(known).unwrap_or_default(),
            before,
        ])?;
        let digest = Part::digest_of(known.told.as_bytes());
        self.told.execute(params![id, digest, known.told])?;
        Ok(())
    }
}

type Before = (String, Timestamp, Option<Vec<u8>>);

fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}
