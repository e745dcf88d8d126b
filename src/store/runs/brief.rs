//! The report in brief of a stored run: all that the lists of a review need, read at once by all cores.

use super::parts::{Earlier, Failed, Part, pieces};
use super::unpack;
use crate::model::brief::{Rows, Text};
use rayon::prelude::*;
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;

/// Rows of a part.
const ROWS: usize = 8_192;
/// Texts of a part.
const TEXTS: usize = 32_768;

const LISTS: &str = "brief lists";
const PLACES: &str = "brief places";
const FINDINGS: &str = "brief findings";
const IDENTITIES: &str = "brief identities";
const CREDENTIALS: &str = "brief credentials";
const GRANTS: &str = "brief grants";
const CONSUMERS: &str = "brief consumers";
const ASSESSMENTS: &str = "brief assessments";
const PLAN: &str = "brief plan";
/// The last of all parts: a run that has it has all of them.
const ALL_TEXTS: &str = "brief texts";

/// Packs a report in brief.
pub(super) fn packed(rows: &Rows, earlier: &Earlier) -> io::Result<Vec<Part>> {
    let mut parts = list(LISTS, &rows.lists, earlier)?;
    parts.extend(list(PLACES, &rows.places, earlier)?);
    parts.extend(list(FINDINGS, &rows.findings, earlier)?);
    parts.extend(list(IDENTITIES, &rows.identities, earlier)?);
    parts.extend(list(CREDENTIALS, &rows.credentials, earlier)?);
    parts.extend(list(GRANTS, &rows.grants, earlier)?);
    parts.extend(list(CONSUMERS, &rows.consumers, earlier)?);
    parts.extend(list(ASSESSMENTS, &rows.assessments, earlier)?);
    parts.extend(list(PLAN, &rows.plan, earlier)?);
    // Also of a report without any text, so that the run is known to have been stored so.
    let pieces = rows.texts.len().div_ceil(TEXTS).max(1);
    let texts = (0..pieces).into_par_iter().map(|number| {
        let json = serde_json::to_vec(&rows.texts.piece(number * TEXTS, TEXTS))?;
        earlier.part(ALL_TEXTS, number, &json)
    });
    parts.extend(texts.collect::<io::Result<Vec<_>>>()?);
    Ok(parts)
}

fn list<T: Serialize + Sync>(
    list: &'static str,
    rows: &[T],
    earlier: &Earlier,
) -> io::Result<Vec<Part>> {
    let parts = rows.par_chunks(ROWS).enumerate();
    let parts = parts.map(|(number, part)| earlier.part(list, number, &serde_json::to_vec(&part)?));
    parts.collect()
}

/// Reads the report in brief of a run; `None` for a run of an older version, which has none.
pub(super) fn read(connection: &Connection, run: i64) -> Result<Option<Rows>, Failed> {
    let texts: Vec<(Vec<u32>, String)> = parts(connection, run, ALL_TEXTS)?;
    if texts.is_empty() {
        return Ok(None);
    }
    let mut rows = Rows {
        lists: all::<Text>(connection, run, LISTS)?,
        places: all(connection, run, PLACES)?,
        findings: all(connection, run, FINDINGS)?,
        identities: all(connection, run, IDENTITIES)?,
        credentials: all(connection, run, CREDENTIALS)?,
        grants: all(connection, run, GRANTS)?,
        consumers: all(connection, run, CONSUMERS)?,
        assessments: all(connection, run, ASSESSMENTS)?,
        plan: all(connection, run, PLAN)?,
        ..Rows::default()
    };
    for (lengths, text) in texts {
        if !rows.texts.add(&lengths, &text) {
            return Err(Failed::Damaged);
        }
    }
    Ok(Some(rows))
}

fn all<T: DeserializeOwned + Send>(
    connection: &Connection,
    run: i64,
    list: &str,
) -> Result<Vec<T>, Failed> {
    let parts: Vec<Vec<T>> = parts(connection, run, list)?;
    let mut rows = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    for mut part in parts {
        rows.append(&mut part);
    }
    Ok(rows)
}

fn parts<T: DeserializeOwned + Send>(
    connection: &Connection,
    run: i64,
    list: &str,
) -> Result<Vec<T>, Failed> {
    let read = pieces(connection, run, list)?.into_par_iter().map(|part| {
        let json = unpack(&part).map_err(|_| Failed::Damaged)?;
        serde_json::from_slice(&json).map_err(|_| Failed::Shape)
    });
    read.collect()
}
