//! `overstay inventory`.

use super::args::{Global, InventoryArgs, InventoryCommand};
use super::exit::{CommandResult, Failure, Outcome};
use super::{outputs, print, runs};
use crate::model::Report;
use crate::query::{self, Query};
use crate::report::explain::{self, Found, Subject};
use crate::report::{Format, Index, ReportError, listing, select, story};
use crate::rules::renames;
use crate::rules::scoring::Scoring;
use anyhow::{Context as _, anyhow};

/// Lists identities, or tells the story of one.
pub(super) fn run(args: &InventoryArgs, global: &Global) -> CommandResult {
    match &args.command {
        Some(InventoryCommand::Show { subject, run }) => {
            return show(subject, run.as_deref(), global);
        }
        Some(InventoryCommand::Roles(of)) => {
            return declared(listing::roles, &of.words, of.run.as_deref(), global);
        }
        Some(InventoryCommand::Bindings(of)) => {
            return declared(listing::bindings, &of.words, of.run.as_deref(), global);
        }
        None => {}
    }
    // Behind an option the same words arrive as a filter.
    let run = args.run.as_deref();
    match args.filter.split_first() {
        Some((word, [subject])) if word == "show" => return show(subject, run, global),
        Some((word, words)) if word == "roles" => {
            return declared(listing::roles, words, run, global);
        }
        Some((word, words)) if word == "bindings" => {
            return declared(listing::bindings, words, run, global);
        }
        _ => {}
    }
    let query = filter(&args.filter.join(" "))?;
    let (config, report) = runs::load(global, args.run.as_deref())?;
    let format = if args.json {
        Some(Format::Json)
    } else if args.csv {
        Some(Format::InventoryCsv)
    } else {
        None
    };
    if let Some(format) = format {
        let days = long_lived(&config.config.scoring)?;
        let narrowed = select::filtered(&report, &query, days);
        outputs::show(format, &narrowed, outputs::options(args.format, global))?;
        return Ok(Outcome::Done);
    }
    let index = Index::new(&report);
    let mut page = Vec::new();
    listing::list(&index, &query, outputs::color(global.color), &mut page)
        .context("rendering the list")?;
    print(&page)?;
    Ok(Outcome::Done)
}

/// How a list of declared things is written.
type Lister = fn(&Report, &[String], bool, &mut dyn std::io::Write) -> Result<(), ReportError>;

fn declared(lister: Lister, words: &[String], run: Option<&str>, global: &Global) -> CommandResult {
    let (_, report) = runs::load(global, run)?;
    let mut page = Vec::new();
    lister(&report, words, outputs::color(global.color), &mut page)
        .context("rendering the list")?;
    print(&page)?;
    Ok(Outcome::Done)
}

/// Reads a filter; a faulty one is wrong usage, with the place shown.
pub(super) fn filter(text: &str) -> Result<Query, Failure> {
    let query = Query::parse(text).map_err(|error| {
        Failure::usage(
            anyhow!("{error}"),
            format!(
                "a filter such as `owner:none type:iam-user age:>365`; the fields are\n{}",
                query::help()
            ),
        )
    })?;
    let renames = renames::builtin().context("reading the names of rules")?;
    Ok(query.renamed(&renames))
}

/// Age from which a credential counts as long-lived, under the user's configuration.
pub(super) fn long_lived(overrides: &toml::Table) -> Result<i64, Failure> {
    Scoring::with_overrides(overrides)
        .map(|scoring| scoring.thresholds.long_lived_days)
        .map_err(|error| Failure::usage(error, "`overstay doctor` checks the configuration"))
}

fn show(subject: &str, run: Option<&str>, global: &Global) -> CommandResult {
    let (_, report) = runs::load(global, run)?;
    let index = Index::new(&report);
    let identity = match explain::find(&index, subject) {
        Found::One(Subject::Identity(identity)) => Some(identity),
        Found::One(Subject::Credential(credential)) => index.identity(credential.identity.as_ref()),
        Found::One(Subject::Finding(finding)) => index.identity(finding.identity.as_ref()),
        Found::One(Subject::Assessment(assessment)) => index.identity(assessment.identity.as_ref()),
        Found::Several(candidates) => {
            let lines = candidates
                .iter()
                .map(|candidate| format!("\n  {}  {}", candidate.id, candidate.what));
            return Err(Failure::usage(
                anyhow!(
                    "`{subject}` names several things:{}",
                    lines.collect::<String>()
                ),
                "show one of these by its id",
            ));
        }
        Found::Nothing => None,
    };
    let Some(identity) = identity else {
        return Err(Failure::usage(
            anyhow!(
                "the run {} has no identity called `{subject}`",
                report.run.id
            ),
            "`overstay inventory` lists them; an id, ARN, name or access key id works; credentials without an identity are for `overstay explain`",
        ));
    };
    let mut page = Vec::new();
    story::story(&index, identity, outputs::color(global.color), &mut page)
        .context("rendering the story")?;
    print(&page)?;
    Ok(Outcome::Done)
}
