//! `overstay plan`.

use super::args::{Global, PlanArgs, PlanFormat};
use super::exit::{CommandResult, Failure, Outcome};
use super::{outputs, rule_files, runs};
use crate::report::Format;
use crate::rules::scoring::Scoring;
use crate::scan::{RuleSet, recut};
use crate::sources::Halt;
use anyhow::{Context as _, anyhow};

/// Writes the plan of a stored run.
pub(super) fn run(args: &PlanArgs, global: &Global) -> CommandResult {
    let (config, mut report) = runs::load(global, args.run.as_deref())?;
    if let Some(size) = args.wave_size {
        let scoring = Scoring::with_overrides(&config.config.scoring)
            .map_err(|error| Failure::usage(error, "`overstay doctor` checks the configuration"))?;
        recut(&mut report, &scoring, size.into());
    }
    if let Some(wave) = args.wave {
        let last = report.plan.iter().map(|item| item.wave).max().unwrap_or(0);
        report.plan.retain(|item| item.wave == wave);
        if report.plan.is_empty() {
            return Err(Failure::usage(
                anyhow!("the plan of run {} has no wave {wave}", report.run.id),
                format!("it has {last} waves"),
            ));
        }
    }
    if let Some(folder) = &args.artefacts {
        // Without accounts, what providers they have is not known, and nothing else is missing.
        let accounts = runs::accounts(global, Some(&report.run.id)).unwrap_or_default();
        let own = rule_files::own(&[], &config)?;
        let rules = RuleSet::load(config.config, &own)
            .context("loading the rules")
            .map_err(|error| Failure::usage(error, "`overstay doctor` says more"))?;
        let folder = outputs::artefacts(
            Some(folder),
            &mut report,
            &accounts,
            &rules,
            &Halt::default(),
        )?;
        outputs::put(folder)?;
    }
    let format = match args.format {
        PlanFormat::Page => Format::PlanPage,
        PlanFormat::Markdown => Format::Markdown,
        PlanFormat::Json => Format::PlanJson,
        PlanFormat::Csv => Format::PlanCsv,
        PlanFormat::Tickets => Format::TicketsCsv,
        PlanFormat::TicketsGithub => Format::TicketsGithub,
        PlanFormat::Svg => Format::RiskSvg,
    };
    outputs::show(format, &report, outputs::options(args.csv, global))?;
    Ok(Outcome::Done)
}
