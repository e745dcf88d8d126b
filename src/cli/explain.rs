//! `overstay explain`.

use super::args::{Explain, Global};
use super::exit::{CommandResult, Failure, Outcome};
use super::{outputs, print, runs};
use crate::report::Index;
use crate::report::explain::{self, Found};
use crate::report::summary::COLUMNS;
use anyhow::{Context as _, anyhow};

/// Prints the whole reasoning on one subject of a stored run.
pub(super) fn run(args: &Explain, global: &Global) -> CommandResult {
    let (_, report) = runs::load(global, args.run.as_deref())?;
    let index = Index::new(&report);
    match explain::find(&index, &args.subject) {
        Found::One(subject) => {
            let mut page = Vec::new();
            explain::page(
                &index,
                subject,
                outputs::color(global.color),
                COLUMNS,
                &mut page,
            )
            .context("rendering the page")?;
            print(&page)?;
            Ok(Outcome::Done)
        }
        Found::Several(candidates) => {
            let lines = candidates
                .iter()
                .map(|candidate| format!("\n  {}  {}", candidate.id, candidate.what));
            Err(Failure::usage(
                anyhow!(
                    "`{}` names several things:{}",
                    args.subject,
                    lines.collect::<String>()
                ),
                "explain one of these by its id",
            ))
        }
        Found::Nothing => Err(Failure::usage(
            anyhow!(
                "the run {} has nothing called `{}`",
                report.run.id,
                args.subject
            ),
            "take an id from the summary, findings.csv or inventory.csv; an ARN, a name or an access key id works too",
        )),
    }
}
