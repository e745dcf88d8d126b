//! The long lists of a stored report, in parts, so that they are packed and read by all cores and one entry can be read
//! without the others.

use super::{brief, compressed, unpack};
use crate::model::brief::Rows;
use crate::model::written::{self, Digest};
use crate::model::{
    Assessment, Consumer, Credential, Finding, Grant, Identity, PlanItem, PlanMemory, Report,
    Written,
};
use jiff::Timestamp;
use rayon::prelude::*;
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// An entry of one of the long lists of a report.
trait Entry {
    /// Name of the list.
    const LIST: &'static str;
}

macro_rules! lists {
    ($($entry:ident: $list:literal,)+) => {$(
        impl Entry for $entry {
            const LIST: &'static str = $list;
        }
    )+};
}

lists! {
    Finding: "findings",
    Identity: "identities",
    Credential: "credentials",
    Grant: "grants",
    Consumer: "consumers",
    Assessment: "assessments",
    PlanItem: "plan",
}

/// Places of entries in the lists of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of identities.
    pub identities: BTreeSet<u32>,
    /// Of credentials.
    pub credentials: BTreeSet<u32>,
    /// Of grants.
    pub grants: BTreeSet<u32>,
    /// Of consumers.
    pub consumers: BTreeSet<u32>,
    /// Of findings.
    pub findings: BTreeSet<u32>,
    /// Of assessments.
    pub assessments: BTreeSet<u32>,
    /// Of items of the plan.
    pub plan: BTreeSet<u32>,
}

/// What is remembered of plans, stored as a part.
pub(super) const PROGRESS: &str = "progress";

/// A part: its list, its number, a digest of its entries, and the piece that has them.
pub(super) struct Part {
    list: &'static str,
    number: usize,
    digest: Digest,
    piece: Piece,
}

/// Packed entries. Runs share those that are the same.
enum Piece {
    /// The piece of this number.
    Stored(i64),
    /// One to be stored.
    New(Vec<u8>),
}

#[cfg(test)]
impl Part {
    pub(super) fn is_of(&self, list: &str) -> bool {
        self.list == list
    }

    pub(super) fn is_new(&self) -> bool {
        matches!(self.piece, Piece::New(_))
    }
}

/// What an earlier run has of parts.
#[derive(Default)]
pub(super) struct Earlier(BTreeMap<(String, usize), (Digest, i64)>);

impl Earlier {
    /// The parts of the last run but this one.
    pub(super) fn read(connection: &Connection, id: &str) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare(
            "SELECT list, part, digest, number FROM parts JOIN pieces ON number = piece
             WHERE run = (SELECT max(number) FROM runs WHERE id <> ?1) AND digest IS NOT NULL",
        )?;
        let mut rows = statement.query([id])?;
        let mut earlier = Self::default();
        while let Some(row) = rows.next()? {
            let part = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX);
            if let Ok(digest) = row.get_ref(2)?.as_blob()?.try_into() {
                let known = (digest, row.get(3)?);
                earlier.0.insert((row.get(0)?, part), known);
            }
        }
        Ok(earlier)
    }

    /// Packs a part, unless it is what it was.
    pub(super) fn part(&self, list: &'static str, number: usize, json: &[u8]) -> io::Result<Part> {
        self.of_digest(list, number, written::Part::digest_of(json), json)
    }

    /// The same of which the digest is known.
    fn of_digest(
        &self,
        list: &'static str,
        number: usize,
        digest: Digest,
        json: &[u8],
    ) -> io::Result<Part> {
        let piece = match self.0.get(&(list.to_owned(), number)) {
            Some((known, piece)) if *known == digest => Piece::Stored(*piece),
            _ => Piece::New(compressed(json)?),
        };
        Ok(Part {
            list,
            number,
            digest,
            piece,
        })
    }
}

/// Packs the long lists of a report and what is remembered of plans, as far as an earlier run does not have them.
///
/// # Errors
/// When an entry cannot be written as JSON.
pub(super) fn packed(
    report: &Report,
    written: Option<&Written>,
    plans: &PlanMemory,
    earlier: &Earlier,
) -> io::Result<Vec<Part>> {
    let mut parts = match written {
        Some(written) => taken(report, written, earlier)?,
        None => all_of(report, earlier)?,
    };
    parts.extend(brief::packed(&Rows::of(report), earlier)?);
    parts.push(earlier.part(PROGRESS, 0, &serde_json::to_vec(plans)?)?);
    Ok(parts)
}

fn all_of(report: &Report, earlier: &Earlier) -> io::Result<Vec<Part>> {
    let now = report.run.now;
    let mut parts = Vec::new();
    parts.extend(list(&report.identities, now, earlier)?);
    parts.extend(list(&report.credentials, now, earlier)?);
    parts.extend(list(&report.grants, now, earlier)?);
    parts.extend(list(&report.consumers, now, earlier)?);
    parts.extend(list(&report.findings, now, earlier)?);
    parts.extend(list(&report.assessments, now, earlier)?);
    parts.extend(list(&report.plan, now, earlier)?);
    Ok(parts)
}

/// The same of entries that are written already.
fn taken(report: &Report, written: &Written, earlier: &Earlier) -> io::Result<Vec<Part>> {
    let lists = [
        (Identity::LIST, &written.identities),
        (Credential::LIST, &written.credentials),
        (Grant::LIST, &written.grants),
        (Consumer::LIST, &written.consumers),
        (Finding::LIST, &written.findings),
        (Assessment::LIST, &written.assessments),
        (PlanItem::LIST, &written.plan),
    ];
    let parts = lists.into_iter().flat_map(|(list, entries)| {
        let parts = entries.parts().iter().enumerate();
        parts.map(move |(number, part)| (list, number, part))
    });
    let parts: Vec<_> = parts.collect();
    let packed = parts
        .into_par_iter()
        .map(|(list, number, part)| stored(list, number, part, report.run.now, earlier));
    packed.collect()
}

fn list<T: Entry + Serialize + Sync>(
    entries: &[T],
    now: Timestamp,
    earlier: &Earlier,
) -> io::Result<Vec<Part>> {
    let parts = entries.par_chunks(written::Part::ENTRIES).enumerate();
    let parts = parts.map(|(number, entries)| {
        let part = written::Part::of(entries)?;
        stored(T::LIST, number, &part, now, earlier)
    });
    parts.collect()
}

/// A part of a list as it is stored.
fn stored(
    list: &'static str,
    number: usize,
    part: &written::Part,
    now: Timestamp,
    earlier: &Earlier,
) -> io::Result<Part> {
    if list == Finding::LIST {
        let json = Finding::timeless(part.json(), now);
        return earlier.part(list, number, &json);
    }
    earlier.of_digest(list, number, part.digest(), part.json())
}

/// Writes the parts of the run of this number.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    run: i64,
    parts: &[Part],
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare("INSERT INTO parts VALUES (?1,?2,?3,?4)")?;
    let mut store = transaction.prepare("INSERT INTO pieces (digest, packed) VALUES (?1,?2)")?;
    for part in parts {
        let number = i64::try_from(part.number).unwrap_or(i64::MAX);
        let piece = match &part.piece {
            Piece::Stored(piece) => *piece,
            Piece::New(packed) => store.insert(params![part.digest, packed])?,
        };
        insert.execute(params![run, part.list, number, piece])?;
    }
    Ok(())
}

/// Removes the pieces that no run has any more.
pub(super) fn sweep(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM pieces WHERE number NOT IN (SELECT piece FROM parts)",
        [],
    )?;
    Ok(())
}

/// The packed parts of a list of a run, in their order.
pub(super) fn pieces(
    connection: &Connection,
    run: i64,
    list: &str,
) -> rusqlite::Result<Vec<Vec<u8>>> {
    let mut statement = connection.prepare_cached(
        "SELECT packed FROM parts JOIN pieces ON number = piece WHERE run = ?1 AND list = ?2 ORDER BY part",
    )?;
    let rows = statement.query_map(params![run, list], |row| row.get(0))?;
    rows.collect()
}

/// Why parts could not be read.
pub(super) enum Failed {
    /// SQLite refuses.
    Database(rusqlite::Error),
    /// What is packed does not hold together.
    Damaged,
    /// Another version wrote it.
    Shape,
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// Whether the run of this number was stored in parts.
pub(super) fn known(connection: &Connection, run: i64) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM parts WHERE run = ?1)",
        [run],
        |row| row.get(0),
    )
}

/// Fills the long lists of a report; leaves a report alone that was stored in one piece.
pub(super) fn fill(connection: &Connection, run: i64, report: &mut Report) -> Result<(), Failed> {
    if !known(connection, run)? {
        return Ok(());
    }
    report.identities = all(connection, run)?;
    report.credentials = all(connection, run)?;
    report.grants = all(connection, run)?;
    report.consumers = all(connection, run)?;
    report.findings = all(connection, run)?;
    timed(report);
    report.assessments = all(connection, run)?;
    report.plan = all(connection, run)?;
    Ok(())
}

fn timed(report: &mut Report) {
    for finding in &mut report.findings {
        finding.timed(report.run.now);
    }
}

/// Fills the lists of a report that tell what it declares.
pub(super) fn fill_declared(
    connection: &Connection,
    run: i64,
    report: &mut Report,
) -> Result<(), Failed> {
    if known(connection, run)? {
        report.identities = all(connection, run)?;
        report.credentials = all(connection, run)?;
        report.consumers = all(connection, run)?;
    }
    Ok(())
}

fn all<T: Entry + DeserializeOwned + Send>(
    connection: &Connection,
    run: i64,
) -> Result<Vec<T>, Failed> {
    let parts = pieces(connection, run, T::LIST)?.into_par_iter();
    let parts: Result<Vec<Vec<T>>, Failed> = parts.map(|part| entries(&part)).collect();
    Ok(parts?.into_iter().flatten().collect())
}

fn entries<T: DeserializeOwned>(packed: &[u8]) -> Result<Vec<T>, Failed> {
    let json = unpack(packed).map_err(|_| Failed::Damaged)?;
    serde_json::from_slice(&json).map_err(|_| Failed::Shape)
}

/// Fills the long lists of a report with the entries at these places and no others.
pub(super) fn pick(
    connection: &Connection,
    run: i64,
    wanted: &Wanted,
    report: &mut Report,
) -> Result<(), Failed> {
    report.identities = some::<Identity>(connection, run, &wanted.identities)?;
    report.credentials = some::<Credential>(connection, run, &wanted.credentials)?;
    report.grants = some::<Grant>(connection, run, &wanted.grants)?;
    report.consumers = some::<Consumer>(connection, run, &wanted.consumers)?;
    report.findings = some::<Finding>(connection, run, &wanted.findings)?;
    timed(report);
    report.assessments = some::<Assessment>(connection, run, &wanted.assessments)?;
    report.plan = some::<PlanItem>(connection, run, &wanted.plan)?;
    Ok(())
}

fn some<T: Entry + DeserializeOwned + Send>(
    connection: &Connection,
    run: i64,
    wanted: &BTreeSet<u32>,
) -> Result<Vec<T>, Failed> {
    let mut statement = connection.prepare_cached(
        "SELECT packed FROM parts JOIN pieces ON number = piece WHERE run = ?1 AND list = ?2 AND part = ?3",
    )?;
    let places: Vec<usize> = wanted.iter().map(|place| *place as usize).collect();
    let mut parts: Vec<(Vec<u8>, &[usize])> = Vec::new();
    for places in
        places.chunk_by(|one, other| one / written::Part::ENTRIES == other / written::Part::ENTRIES)
    {
        let number = places
            .first()
            .map_or(0, |place| place / written::Part::ENTRIES);
        let at = i64::try_from(number).unwrap_or(i64::MAX);
        let packed = statement.query_row(params![run, T::LIST, at], |row| row.get(0))?;
        parts.push((packed, places));
    }
    let found: Result<Vec<Vec<T>>, Failed> = parts
        .into_par_iter()
        .map(|(packed, places)| {
            let part: Vec<T> = entries(&packed)?;
            let mut part: Vec<Option<T>> = part.into_iter().map(Some).collect();
            let mut pick = |place: &usize| {
                part.get_mut(place % written::Part::ENTRIES)
                    .and_then(Option::take)
            };
            Ok(places.iter().filter_map(&mut pick).collect())
        })
        .collect();
    Ok(found?.into_iter().flatten().collect())
}
