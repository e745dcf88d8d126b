//! `overstay attest`: the record of a review, and whether it still holds.

use super::args::{Attest, Global};
use super::decide;
use super::environment;
use super::exit::{CommandResult, Failure, Outcome};
use super::{print, runs};
use crate::model::FingerprintKey;
use crate::report::text;
use crate::store::attest::{self, Attestation, Review};
use crate::store::{atomic, key};
use anyhow::{Context as _, anyhow};
use std::fmt::Write as _;
use std::path::Path;

/// Largest record that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// Writes the record of a review, or verifies one.
pub(super) fn run(args: &Attest, global: &Global) -> CommandResult {
    match &args.verify {
        Some(path) => verify(path, args, global),
        None => make(args, global),
    }
}

fn fingerprint_key(args: &Attest, global: &Global) -> Result<FingerprintKey, Failure> {
    let config = environment::configuration(global.config.as_deref())?;
    let path = environment::key_file(args.key_file.as_deref(), &config)?;
    let loaded = key::load(&path)
        .map_err(|error| Failure::usage(error, "name the key of the scan with --key-file"))?;
    Ok(loaded.key)
}

fn make(args: &Attest, global: &Global) -> CommandResult {
    let config = environment::configuration(global.config.as_deref())?;
    let state = environment::state_folder(global.state.as_deref(), &config)?;
    let (_, report) = runs::load(global, args.run.as_deref())?;
    let known = decide::read(&environment::decisions_file(global, &state))?;
    let key = fingerprint_key(args, global)?;
    let review = Review {
        reviewer: args.reviewer.clone().unwrap_or_else(environment::user),
        role: args.role.clone(),
        at: environment::now(args.now),
        period: args.period.clone(),
        statement: args.statement.clone(),
    };
    let record = attest::make(&report, &known, review, &key);
    let mut json = serde_json::to_vec_pretty(&record).context("writing the record")?;
    json.push(b'\n');
    if let Some(path) = &args.out {
        atomic::write(path, &json).map_err(|error| {
            Failure::usage(error, "name a place that can be written with --out")
        })?;
        let summary = &record.summary;
        let text = format!(
            "{} reviewed {} accounts in run {}: {} appropriate, {} to be remediated, {} open; {} recorded in {}\n",
            text::line(&record.review.reviewer),
            summary.accounts,
            record.run,
            summary.appropriate,
            summary.to_be_remediated,
            summary.open,
            text::plural(record.events.len() as u64, "decision", "decisions"),
            path.display()
        );
        print(text.as_bytes())?;
    } else {
        print(&json)?;
    }
    Ok(Outcome::Done)
}

fn verify(path: &Path, args: &Attest, global: &Global) -> CommandResult {
    use std::io::Read as _;
    let mut json = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut json))
        .with_context(|| format!("reading the record {}", path.display()))
        .map_err(|error| Failure::usage(error, "name a record that `overstay attest` wrote"))?;
    let record: Attestation = serde_json::from_slice(&json).map_err(|_| {
        Failure::usage(
            anyhow!("{} is no record of a review", path.display()),
            "name a record that `overstay attest` wrote",
        )
    })?;
    let config = environment::configuration(global.config.as_deref())?;
    let state = environment::state_folder(global.state.as_deref(), &config)?;
    let known = decide::read(&environment::decisions_file(global, &state))?;
    let key = fingerprint_key(args, global)?;
    let stored = match runs::open(global) {
        Ok(store) => store.load(&record.run).map_err(runs::failed)?,
        Err(_) => None,
    };
    let verdict = attest::verify(&record, &known, stored.as_ref(), &key);
    let mut out = String::new();
    for fault in &verdict.faults {
        let _ = writeln!(out, "FAULT  {}", text::line(fault));
    }
    for note in &verdict.notes {
        let _ = writeln!(out, "note   {}", text::line(note));
    }
    if verdict.faults.is_empty() {
        let _ = writeln!(
            out,
            "ok     the review of {} on {} holds: {} events as they were",
            text::line(&record.review.reviewer),
            record.review.at,
            record.events.len()
        );
    }
    print(out.as_bytes())?;
    Ok(if verdict.faults.is_empty() {
        Outcome::Done
    } else {
        Outcome::Gate
    })
}
