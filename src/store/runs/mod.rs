//! Finished runs, in SQLite, one database per state folder. The tables are described in [`schema`].

mod accounts;
mod brief;
mod check;
mod declared;
mod keep;
mod ledger;
mod older;
mod parts;
mod progress;
mod rows;
mod scanned;
mod schema;
mod trend;

pub use keep::Keep;
pub use parts::Wanted;
pub use scanned::ScannedRow;
pub use trend::Figures;

use super::atomic;
use super::change::{Asked, Known, Left, known_of};
use crate::model::aws::AwsAccount;
use crate::model::brief::Brief;
use crate::model::{PlanMemory, Report, Written};
use flate2::read::ZlibDecoder;
use libdeflater::{CompressionLvl, Compressor};
use parts::{Earlier, Failed, Part};
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Name of the database in the state folder.
pub const FILE: &str = "overstay.sqlite3";
/// Largest stored report that is unpacked, in bytes of JSON.
const LARGEST_REPORT: u64 = 4 << 30;
/// The fastest level that compresses.
const LEVEL: i32 = 1;
/// Bytes of a page: findings and packed parts are a few thousand bytes each.
const PAGE: i64 = 8_192;
/// Most KiB of pages that are held: what a run writes is written once.
const CACHE: i64 = 32_768;
/// Most bytes that room is made for before they are unpacked.
const MOST_AT_ONCE: usize = 16 << 20;
/// How long to wait for another process that is writing.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the run database could not be used.
#[derive(Debug, Error)]
pub enum RunsError {
    /// The file is not a database, or its content does not hold together.
    #[error("the run database `{}` is damaged; move it away and the next run starts a new one (its history is lost, reports are not affected)", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
    },
    /// A later version of this program has written it.
    #[error("the run database `{}` was written by a later version of overstay (format {found}, this one knows up to {known}); update overstay or use another state folder", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The last format known.
        known: i64,
    },
    /// Another program's database.
    #[error("`{}` is a database of another program; use another state folder", path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// A stored report of another version of this program that this one cannot read.
    #[error(
        "run {id} was stored by overstay {version} in a shape this version cannot read; scan again"
    )]
    Unreadable {
        /// Id of the run.
        id: String,
        /// Version that stored it.
        version: String,
    },
    /// The file system refuses.
    #[error("cannot use the run database `{}`: {source}", path.display())]
    Io {
        /// The database.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full.
    #[error("there is no room for the run database `{}`", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// Anything else SQLite reports, such as a database that stays locked.
    #[error("cannot use the run database `{}`: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl RunsError {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Full { .. } => {
                "make room there, or keep fewer runs with --keep; the next run takes up from the last one that is kept"
            }
            _ => "`overstay doctor` checks the state folder",
        }
    }
}

/// One line of [`Runs::list`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEntry {
    /// Id of the run.
    pub id: String,
    /// The time its ages are measured to, RFC 3339.
    pub now: String,
    /// Version of the program.
    pub tool_version: String,
    /// Every source was read whole.
    pub complete: bool,
    /// Number of identities.
    pub identities: i64,
    /// Number of credentials.
    pub credentials: i64,
    /// Number of findings.
    pub findings: i64,
    /// Sum of all risk scores.
    pub standing_risk: i64,
}

/// A report as it is stored.
struct Packed {
    head: Vec<u8>,
    parts: Vec<Part>,
    known: Vec<u8>,
    reach: Vec<u8>,
    accounts: Option<Vec<u8>>,
}

/// The run database of one state folder.
pub struct Runs {
    path: PathBuf,
    connection: Connection,
}

impl Runs {
    /// Opens the database of a state folder, making it (for the owner only) or bringing it up to date.
    ///
    /// # Errors
    /// When it is damaged, of a later version, of another program, or cannot be written.
    pub fn open(state: &Path) -> Result<Self, RunsError> {
        let path = state.join(FILE);
        atomic::make_folder(state).map_err(|error| RunsError::Io {
            path: error.path,
            source: error.source,
        })?;
        // SQLite gives its companion files the mode of the database, so the mode is set before SQLite sees it.
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        if let Err(source) = atomic::private(&mut options).open(&path) {
            return Err(RunsError::Io { path, source });
        }
        let opened = Connection::open(&path);
        let mut runs = match opened {
            Ok(connection) => Self { path, connection },
            Err(error) => return Err(explain(&path, error)),
        };
        runs.prepare()?;
        Ok(runs)
    }

    fn prepare(&mut self) -> Result<(), RunsError> {
        let known = rows::count(schema::STEPS.len());
        let found: i64 = self.ask("PRAGMA user_version")?;
        let application: i32 = self.ask("PRAGMA application_id")?;
        if application != schema::APPLICATION_ID && (application != 0 || found != 0) {
            return Err(RunsError::Foreign {
                path: self.path.clone(),
            });
        }
        if found > known {
            return Err(RunsError::Newer {
                path: self.path.clone(),
                found,
                known,
            });
        }
        let path = self.path.clone();
        self.bring_up(found).map_err(|error| explain(&path, error))
    }

    fn bring_up(&mut self, found: i64) -> rusqlite::Result<()> {
        self.connection.busy_timeout(PATIENCE)?;
        if found == 0 {
            // Holds for a database that has nothing in it yet.
            self.connection.pragma_update(None, "page_size", PAGE)?;
        }
        self.connection.pragma_update(None, "cache_size", -CACHE)?;
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        self.connection.pragma_update(None, "foreign_keys", true)?;
        if found >= rows::count(schema::STEPS.len()) {
            return Ok(());
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have done it while this one waited.
        let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        for step in schema::STEPS
            .iter()
            .skip(usize::try_from(found).unwrap_or(0))
        {
            transaction.execute_batch(step)?;
        }
        if (1..older::LEDGER).contains(&found) {
            older::carry_over(&transaction)?;
        }
        transaction.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", rows::count(schema::STEPS.len()))?;
        transaction.commit()
    }

    fn ask<T: rusqlite::types::FromSql>(&self, question: &str) -> Result<T, RunsError> {
        self.connection
            .query_row(question, [], |row| row.get(0))
            .map_err(|error| self.explain(error))
    }

    fn explain(&self, error: rusqlite::Error) -> RunsError {
        explain(&self.path, error)
    }

    /// Stores a report as the last run, with what it was asked and what it leaves to the next ones, without plans or accounts.
    ///
    /// # Errors
    /// When the database cannot be written; it is then as it was.
    pub fn save(&mut self, report: &Report, asked: &Asked, left: &Left) -> Result<(), RunsError> {
        self.save_whole(report, asked, left, &PlanMemory::default(), &[], None)
    }

    /// Stores a report as the last run, with what it was asked, what it leaves to the next ones, what is remembered of plans,
    /// and the accounts it was made from: all of it or nothing. Entries that are written already are taken as they are. A stored run of the same id is replaced.
    ///
    /// # Errors
    /// When the database cannot be written; it is then as it was.
    pub fn save_whole(
        &mut self,
        report: &Report,
        asked: &Asked,
        left: &Left,
        plans: &PlanMemory,
        accounts: &[AwsAccount],
        written: Option<&Written>,
    ) -> Result<(), RunsError> {
        let told = written.map(|written| &written.findings);
        let findings = known_of(report, asked, told);
        let known: BTreeMap<&str, &Known> = findings
            .iter()
            .map(|(id, known)| (id.as_str(), known))
            .collect();
        let earlier = Earlier::read(&self.connection, &report.run.id);
        let earlier = earlier.map_err(|error| self.explain(error))?;
        let packed = pack(&report.head())
            .and_then(|head| {
                Ok(Packed {
                    head,
                    parts: parts::packed(report, written, plans, &earlier)?,
                    known: pack(&known)?,
                    reach: pack(&left.reach)?,
                    accounts: accounts::packed(accounts)?,
                })
            })
            .map_err(|source| RunsError::Io {
                path: self.path.clone(),
                source,
            })?;
        let path = self.path.clone();
        self.insert(report, asked, &findings, &left.aliases, &packed)
            .map_err(|error| explain(&path, error))
    }

    fn insert(
        &mut self,
        report: &Report,
        asked: &Asked,
        known: &[(String, Known)],
        aliases: &BTreeMap<String, String>,
        packed: &Packed,
    ) -> rusqlite::Result<()> {
        let inputs = serde_json::Value::from(report.run.inputs.clone()).to_string();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let again = transaction.execute("DELETE FROM runs WHERE id = ?1", [&report.run.id])?;
        transaction.execute(
            "INSERT INTO runs (id, now, tool_version, rules_digest, policy_digest, fingerprint_key, complete, inputs,
                identities, credentials, findings, standing_risk, standing_risk_after, report, seconds, scope, reading,
                known, reach)
             VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)",
            params![
                report.run.id,
                report.run.now.to_string(),
                report.tool.version,
                report.run.rules_digest,
                report.run.policy_digest,
                report.run.fingerprint_key,
                report.run.complete,
                inputs,
                rows::count(report.identities.len()),
                rows::count(report.credentials.len()),
                rows::count(report.findings.len()),
                report.summary.standing_risk,
                report.summary.standing_risk_after,
                packed.head,
                report.run.now.as_second(),
                asked.scope,
                asked.reading.to_string(),
                packed.known,
                packed.reach,
            ],
        )?;
        let number = transaction.last_insert_rowid();
        parts::insert(&transaction, number, &packed.parts)?;
        if again > 0 {
            parts::sweep(&transaction)?;
        }
        if let Some(accounts) = &packed.accounts {
            transaction.execute(
                "INSERT OR REPLACE INTO accounts (run, packed) VALUES (?1, ?2)",
                params![number, accounts],
            )?;
        }
        rows::insert(&transaction, number, report)?;
        ledger::enter(&transaction, report, known)?;
        ledger::alias(&transaction, aliases)?;
        trend::enter(&transaction, number, report)?;
        transaction.commit()
    }

    /// The run saved last.
    ///
    /// # Errors
    /// When the database or the report cannot be read.
    pub fn latest(&self) -> Result<Option<Report>, RunsError> {
        self.one("ORDER BY number DESC LIMIT 1", [])
    }

    /// The run of this id, which may be shortened to a prefix only one run has.
    ///
    /// # Errors
    /// When the database or the report cannot be read.
    pub fn load(&self, id: &str) -> Result<Option<Report>, RunsError> {
        self.find(id)
    }

    /// The run of this id, else the last one, in brief, and its report without the long lists. Of a run that was stored in
    /// one piece the report is whole.
    ///
    /// # Errors
    /// When the database or the report cannot be read.
    pub fn brief(&self, id: Option<&str>) -> Result<Option<(Report, Brief)>, RunsError> {
        let head = match id {
            Some(id) => match self.named(id)? {
                Some(id) => self.head("WHERE id = ?1", [id])?,
                None => None,
            },
            None => self.head("ORDER BY number DESC LIMIT 1", [])?,
        };
        let Some((number, mut report)) = head else {
            return Ok(None);
        };
        let rows = brief::read(&self.connection, number);
        if let Some(rows) = rows.map_err(|failed| self.failed(failed, &report))? {
            return Ok(Some((report, Brief::new(rows))));
        }
        let head = report.head();
        parts::fill(&self.connection, number, &mut report)
            .map_err(|failed| self.failed(failed, &report))?;
        let brief = Brief::of(&report);
        let in_parts = parts::known(&self.connection, number);
        if in_parts.map_err(|error| self.explain(error))? {
            report = head;
        }
        Ok(Some((report, brief)))
    }

    /// Puts these entries of a stored run, whole, and no others into the long lists of its report. Leaves the lists empty of a
    /// run that an older version stored.
    ///
    /// # Errors
    /// When the database or the entries cannot be read.
    pub fn pick(&self, wanted: &Wanted, report: &mut Report) -> Result<(), RunsError> {
        let number = self.number(&report.run.id)?;
        parts::pick(&self.connection, number, wanted, report)
            .map_err(|failed| self.failed(failed, report))
    }

    /// Whether the entries of a stored run can be read one by one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn in_parts(&self, id: &str) -> Result<bool, RunsError> {
        let number = self.number(id)?;
        parts::known(&self.connection, number).map_err(|error| self.explain(error))
    }

    fn number(&self, id: &str) -> Result<i64, RunsError> {
        self.connection
            .query_row("SELECT number FROM runs WHERE id = ?1", [id], |row| {
                row.get(0)
            })
            .map_err(|error| self.explain(error))
    }

    fn find(&self, id: &str) -> Result<Option<Report>, RunsError> {
        match self.named(id)? {
            Some(id) => self.one("WHERE id = ?1", [id]),
            None => Ok(None),
        }
    }

    /// The whole id of the run of this id, which may be shortened to a prefix only one run has.
    fn named(&self, id: &str) -> Result<Option<String>, RunsError> {
        let mut matching: Vec<_> = self
            .list()?
            .into_iter()
            .map(|entry| entry.id)
            .filter(|known| !id.is_empty() && known.starts_with(id))
            .collect();
        if let Some(at) = matching.iter().position(|known| known == id) {
            return Ok(Some(matching.swap_remove(at)));
        }
        Ok(matching.pop().filter(|_| matching.is_empty()))
    }

    fn one(
        &self,
        which: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Option<Report>, RunsError> {
        let Some((number, mut report)) = self.head(which, parameters)? else {
            return Ok(None);
        };
        parts::fill(&self.connection, number, &mut report)
            .map_err(|failed| self.failed(failed, &report))?;
        Ok(Some(report))
    }

    fn failed(&self, failed: Failed, report: &Report) -> RunsError {
        match failed {
            Failed::Database(error) => self.explain(error),
            Failed::Damaged => RunsError::Damaged {
                path: self.path.clone(),
            },
            Failed::Shape => RunsError::Unreadable {
                id: report.run.id.clone(),
                version: report.tool.version.clone(),
            },
        }
    }

    /// Number of a run, and what is stored of it in one piece.
    fn head(
        &self,
        which: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Option<(i64, Report)>, RunsError> {
        let query = format!("SELECT number, id, tool_version, report FROM runs {which}");
        let row: Option<(i64, String, String, Vec<u8>)> = self
            .connection
            .query_row(&query, parameters, |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()
            .map_err(|error| self.explain(error))?;
        let Some((number, id, version, packed)) = row else {
            return Ok(None);
        };
        let json = unpack(&packed).map_err(|_| RunsError::Damaged {
            path: self.path.clone(),
        })?;
        match serde_json::from_slice(&json) {
            Ok(report) => Ok(Some((number, report))),
            Err(_) => Err(RunsError::Unreadable { id, version }),
        }
    }

    /// What a stored run was asked; nothing in particular for one of an older version.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn asked(&self, id: &str) -> Result<Asked, RunsError> {
        self.connection
            .query_row(
                "SELECT scope, reading FROM runs WHERE id = ?1",
                [id],
                |row| {
                    let reading: String = row.get(1)?;
                    Ok(Asked {
                        scope: row.get(0)?,
                        reading: reading.parse().unwrap_or_default(),
                    })
                },
            )
            .optional()
            .map(Option::unwrap_or_default)
            .map_err(|error| self.explain(error))
    }

    /// Whether any run is stored.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn any(&self) -> Result<bool, RunsError> {
        self.ask("SELECT EXISTS (SELECT 1 FROM runs)")
    }

    /// Every stored run, the last saved first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn list(&self) -> Result<Vec<RunEntry>, RunsError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT id, now, tool_version, complete, identities, credentials, findings, standing_risk
                 FROM runs ORDER BY number DESC",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(RunEntry {
                    id: row.get(0)?,
                    now: row.get(1)?,
                    tool_version: row.get(2)?,
                    complete: row.get(3)?,
                    identities: row.get(4)?,
                    credentials: row.get(5)?,
                    findings: row.get(6)?,
                    standing_risk: row.get(7)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.explain(error))
    }
}

fn explain(path: &Path, error: rusqlite::Error) -> RunsError {
    let path = path.to_owned();
    // Damage inside a value leaves the structure as it was, and the value not what its column holds.
    let value = matches!(
        error,
        rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
    );
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => RunsError::Damaged { path },
        Some(ErrorCode::DiskFull) => RunsError::Full { path },
        _ if value => RunsError::Damaged { path },
        _ => RunsError::Database {
            path,
            source: error,
        },
    }
}

fn pack(value: &impl Serialize) -> io::Result<Vec<u8>> {
    compressed(&serde_json::to_vec(value)?)
}

fn compressed(json: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default());
    let mut packed = vec![0; packer.zlib_compress_bound(json.len())];
    let length = packer
        .zlib_compress(json, &mut packed)
        .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    packed.truncate(length);
    packed.shrink_to_fit();
    Ok(packed)
}

fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    // Reports are packed to a tenth, by and large.
    let mut json = Vec::with_capacity(packed.len().saturating_mul(10).min(MOST_AT_ONCE));
    ZlibDecoder::new(packed)
        .take(LARGEST_REPORT)
        .read_to_end(&mut json)?;
    Ok(json)
}

/// A packed value; `None` for one that is not of this shape.
fn unpack_value<T: DeserializeOwned>(packed: &[u8]) -> Option<T> {
    serde_json::from_slice(&unpack(packed).ok()?).ok()
}

#[cfg(test)]
mod tests;
