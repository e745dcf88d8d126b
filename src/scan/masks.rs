//! Tokens in names leave no scan: every output has them masked.

use super::ScanError;
use crate::model::{FingerprintKey, Report};
use crate::secrets::Engine;
use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The report with every token in a path, a repository's name, an author or any other name masked.
pub(super) fn without_tokens(
    report: Report,
    engine: &Engine,
    key: &FingerprintKey,
) -> Result<Report, ScanError> {
    // One by one: of thousands, few have such a name.
    let mut report = report;
    let identities = each_masked(std::mem::take(&mut report.identities), engine, key)?;
    let credentials = each_masked(std::mem::take(&mut report.credentials), engine, key)?;
    let consumers = each_masked(std::mem::take(&mut report.consumers), engine, key)?;
    let grants = each_masked(std::mem::take(&mut report.grants), engine, key)?;
    let findings = each_masked(std::mem::take(&mut report.findings), engine, key)?;
    let assessments = each_masked(std::mem::take(&mut report.assessments), engine, key)?;
    let plan = each_masked(std::mem::take(&mut report.plan), engine, key)?;
    Ok(Report {
        identities,
        credentials,
        grants,
        consumers,
        findings,
        assessments,
        plan,
        ..masked(report, engine, key)?
    })
}

/// Entries that are looked at together.
const LOOKED_AT: usize = 32;

fn each_masked<T: Serialize + DeserializeOwned + Send + Sync>(
    mut all: Vec<T>,
    engine: &Engine,
    key: &FingerprintKey,
) -> Result<Vec<T>, ScanError> {
    all.par_chunks_mut(LOOKED_AT).try_for_each(|some| {
        let any = engine.names_a_token(&&*some);
        if any.map_err(|_| ScanError::Name)? {
            for one in some {
                mask_in_place(one, engine, key)?;
            }
        }
        Ok::<(), ScanError>(())
    })?;
    Ok(all)
}

/// A value with every token in a name masked.
pub(super) fn masked<T: Serialize + DeserializeOwned>(
    value: T,
    engine: &Engine,
    key: &FingerprintKey,
) -> Result<T, ScanError> {
    Ok(with_mask(&value, engine, key)?.unwrap_or(value))
}

/// The value with every token in a name masked, if there is one.
fn with_mask<T: Serialize + DeserializeOwned>(
    value: &T,
    engine: &Engine,
    key: &FingerprintKey,
) -> Result<Option<T>, ScanError> {
    let any = engine.names_a_token(value);
    if !any.map_err(|_| ScanError::Name)? {
        return Ok(None);
    }
    let mut json = serde_json::to_value(value).map_err(|_| ScanError::Name)?;
    engine.mask_names(&mut json, key);
    let masked = serde_json::from_value(json).map_err(|_| ScanError::Name)?;
    Ok(Some(masked))
}

/// Masks every token in a name of a value.
pub(super) fn mask_in_place<T: Serialize + DeserializeOwned>(
    value: &mut T,
    engine: &Engine,
    key: &FingerprintKey,
) -> Result<(), ScanError> {
    if let Some(other) = with_mask(&*value, engine, key)? {
        *value = other;
    }
    Ok(())
}
