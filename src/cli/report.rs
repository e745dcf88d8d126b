//! `overstay report`.

use super::args::{Global, ReportArgs};
use super::exit::{CommandResult, Outcome};
use super::{inventory, outputs, runs};
use crate::report::select;

/// Writes a stored run again, whole or narrowed.
pub(super) fn run(args: &ReportArgs, global: &Global) -> CommandResult {
    let query = inventory::filter(args.filter.as_deref().unwrap_or_default())?;
    let (config, report) = runs::load(global, args.run.as_deref())?;
    let report = if query.is_empty() {
        report
    } else {
        let days = inventory::long_lived(&config.config.scoring)?;
        select::filtered(&report, &query, days)
    };
    let options = outputs::options(args.csv, global);
    for output in &args.output {
        outputs::file(output, &report, options)?;
    }
    if args.output.is_empty() {
        outputs::show(args.format, &report, options)?;
    }
    Ok(Outcome::Done)
}
