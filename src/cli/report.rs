//! `overstay report`.

use super::args::{Global, ReportArgs};
use super::exit::{CommandResult, Outcome};
use super::{outputs, runs};

/// Writes a stored run again.
pub(super) fn run(args: &ReportArgs, global: &Global) -> CommandResult {
    let (_, report) = runs::load(global, args.run.as_deref())?;
    let options = outputs::options(args.csv, global);
    for output in &args.output {
        outputs::file(output, &report, options)?;
    }
    if args.output.is_empty() {
        outputs::show(args.format, &report, options)?;
    }
    Ok(Outcome::Done)
}
