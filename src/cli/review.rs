//! `overstay review`.

use super::args::{Global, Review};
use super::exit::{CommandResult, Failure, Outcome};
use super::runs;
use anyhow::{Context as _, anyhow};
use std::io::IsTerminal as _;

/// Opens a stored run in the terminal.
pub(super) fn run(args: &Review, global: &Global) -> CommandResult {
    let (_, report) = runs::load(global, args.run.as_deref())?;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            anyhow!("the review needs a terminal"),
            "`overstay report` prints the same run; `overstay explain ID` prints one subject",
        ));
    }
    crate::tui::run(report).context("the review")?;
    Ok(Outcome::Done)
}
