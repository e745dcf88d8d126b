//! Opens the state folder and finds the run a command asks for.

use super::args::Global;
use super::environment::{self, LoadedConfig};
use super::exit::Failure;
use crate::model::Report;
use crate::model::aws::AwsAccount;
use crate::model::brief::Brief;
use crate::store::runs::{Runs, RunsError};
use anyhow::anyhow;

/// The stored run with this id, or the last one.
pub(super) fn load(global: &Global, id: Option<&str>) -> Result<(LoadedConfig, Report), Failure> {
    with_store(global, id).map(|(config, report, _)| (config, report))
}

/// The stored run with this id, or the last one, and the accounts it was made from.
pub(super) fn accounts(global: &Global, id: Option<&str>) -> Result<Vec<AwsAccount>, Failure> {
    let (_, report, store) = with_store(global, id)?;
    let accounts = store.accounts(&report.run.id).map_err(|error| {
        Failure::usage(
            anyhow::Error::new(error).context("reading the accounts of the run"),
            "`overstay doctor` checks the state folder",
        )
    })?;
    if accounts.is_empty() {
        return Err(Failure::usage(
            anyhow!("the run {} has no AWS account to ask", report.run.id),
            "scan with --aws-snapshot PATH, or ask a snapshot with --aws-snapshot PATH",
        ));
    }
    Ok(accounts)
}

/// What a store that cannot be read ends a command with.
pub(super) fn failed(error: RunsError) -> Failure {
    Failure::usage(
        anyhow::Error::new(error).context("reading the stored runs"),
        "`overstay doctor` checks the state folder",
    )
}

/// The database of the state folder, which must be there.
pub(super) fn open(global: &Global) -> Result<Runs, Failure> {
    let config = environment::configuration(global.config.as_deref())?;
    let state = environment::state_folder(global.state.as_deref(), &config)?;
    if !state.is_dir() {
        return Err(Failure::usage(
            anyhow!("there is no stored run in {}", state.display()),
            "run `overstay scan PATH` first, or name the state folder with --state DIR",
        ));
    }
    Runs::open(&state).map_err(failed)
}

/// The stored run with this id, or the last one, in brief, and the store it is in.
pub(super) fn brief(global: &Global, id: Option<&str>) -> Result<(Report, Brief, Runs), Failure> {
    let (_, (report, brief), store) = read(global, id, |store| store.brief(id))?;
    Ok((report, brief, store))
}

fn with_store(global: &Global, id: Option<&str>) -> Result<(LoadedConfig, Report, Runs), Failure> {
    read(global, id, |store| match id {
        Some(id) => store.load(id),
        None => store.latest(),
    })
}

fn read<T>(
    global: &Global,
    id: Option<&str>,
    ask: impl FnOnce(&Runs) -> Result<Option<T>, RunsError>,
) -> Result<(LoadedConfig, T, Runs), Failure> {
    let config = environment::configuration(global.config.as_deref())?;
    let state = environment::state_folder(global.state.as_deref(), &config)?;
    let none = || {
        let text = id.map_or_else(
            || format!("there is no stored run in {}", state.display()),
            |id| format!("there is no run `{id}` in {}", state.display()),
        );
        Failure::usage(
            anyhow!(text),
            "run `overstay scan PATH` first, or name the state folder with --state DIR",
        )
    };
    if !state.is_dir() {
        return Err(none());
    }
    let failed = |error| {
        Failure::usage(
            anyhow::Error::new(error)
                .context(format!("reading the stored runs in {}", state.display())),
            "`overstay doctor` checks the state folder",
        )
    };
    let store = Runs::open(&state).map_err(failed)?;
    let report = ask(&store).map_err(failed)?;
    Ok((config, report.ok_or_else(none)?, store))
}
