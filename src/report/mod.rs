//! Turns a finished run into files and pages: one format a file, behind one trait.
//!
//! Columns and fields are described in `reports/FORMATS.md`.

mod assemble;
mod cells;
pub mod changes;
pub(crate) mod charts;
pub mod explain;
pub mod findings_csv;
mod index;
pub mod inventory_csv;
mod json;
mod lines;
pub mod listing;
mod markdown;
mod permissions;
pub mod plan;
pub mod progress;
pub mod rows;
pub mod sarif;
pub mod select;
pub mod story;
pub mod summary;
pub mod text;

pub use assemble::{ReportParts, assemble};
pub use cells::Column;
pub use index::Index;
pub use json::write_with as write_json;
pub use markdown::{waves, write_with as write_markdown};

use crate::model::Report;
use crate::rules::RuleError;
use std::io::{self, Write};
use std::str::FromStr;
use thiserror::Error;

/// Why a report could not be written.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The output refuses.
    #[error("cannot write the report: {0}")]
    Io(#[from] io::Error),
    /// The report cannot be written as JSON.
    #[error("cannot write the report as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The report cannot be written as CSV.
    #[error("cannot write the report as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// Rule data the format needs is not usable.
    #[error(transparent)]
    Rules(#[from] RuleError),
}

/// Writes a report in one format.
pub trait Emitter {
    /// Writes the whole report.
    ///
    /// # Errors
    /// When the output refuses, or rule data the format needs is not usable.
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError>;
}

/// A format a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Everything, for programs.
    Json,
    /// One row a finding.
    FindingsCsv,
    /// One row an identity.
    InventoryCsv,
    /// Findings for code scanning.
    Sarif,
    /// The migration plan, for people.
    Markdown,
    /// One page for a terminal.
    Summary,
    /// One row a plan item.
    PlanCsv,
    /// One ticket a plan item, for Jira.
    TicketsCsv,
    /// One ticket a plan item, for GitHub.
    TicketsGithub,
    /// The plan for programs.
    PlanJson,
    /// The plan for a terminal.
    PlanPage,
    /// What the waves remove from the standing risk, as a drawing.
    RiskSvg,
}

/// How some formats are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Begin CSV with a byte order mark, which makes Excel read it as UTF-8.
    pub csv_bom: bool,
    /// Write CSV cells as they are, without the guard against formulas; for programs only.
    pub csv_raw: bool,
    /// Colour the terminal pages.
    pub colour: bool,
    /// No run is kept, so no other command can be pointed to.
    pub unkept: bool,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 12] = [
        Self::Json,
        Self::FindingsCsv,
        Self::InventoryCsv,
        Self::Sarif,
        Self::Markdown,
        Self::Summary,
        Self::PlanCsv,
        Self::TicketsCsv,
        Self::TicketsGithub,
        Self::PlanJson,
        Self::PlanPage,
        Self::RiskSvg,
    ];

    /// Name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::FindingsCsv => "findings-csv",
            Self::InventoryCsv => "inventory-csv",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Summary => "summary",
            Self::PlanCsv => "plan-csv",
            Self::TicketsCsv => "tickets-csv",
            Self::TicketsGithub => "tickets-github",
            Self::PlanJson => "plan-json",
            Self::PlanPage => "plan",
            Self::RiskSvg => "risk-svg",
        }
    }

    /// Name of its file in the report folder; `None` for what is only shown.
    pub const fn file_name(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("report.json"),
            Self::FindingsCsv => Some("findings.csv"),
            Self::InventoryCsv => Some("inventory.csv"),
            Self::Sarif => Some("results.sarif"),
            Self::Markdown => Some("plan.md"),
            Self::PlanCsv => Some("plan.csv"),
            Self::TicketsCsv => Some("tickets.csv"),
            Self::TicketsGithub => Some("tickets-github.csv"),
            Self::RiskSvg => Some("plan-risk.svg"),
            Self::Summary | Self::PlanJson | Self::PlanPage => None,
        }
    }

    /// What writes it.
    pub fn emitter(self, options: Options) -> Box<dyn Emitter> {
        match self {
            Self::Json => Box::new(json::Json),
            Self::FindingsCsv => Box::new(findings_csv::FindingsCsv { options }),
            Self::InventoryCsv => Box::new(inventory_csv::InventoryCsv { options }),
            Self::Sarif => Box::new(sarif::Sarif::default()),
            Self::Markdown => Box::new(markdown::Markdown),
            Self::Summary => Box::new(summary::SummaryPage {
                colour: options.colour,
                unkept: options.unkept,
            }),
            Self::PlanCsv => Box::new(plan::PlanCsv { options }),
            Self::TicketsCsv => Box::new(plan::Tickets {
                options,
                importer: plan::Importer::Jira,
            }),
            Self::TicketsGithub => Box::new(plan::Tickets {
                options,
                importer: plan::Importer::GitHub,
            }),
            Self::PlanJson => Box::new(plan::PlanJson),
            Self::PlanPage => Box::new(plan::PlanPage {
                colour: options.colour,
            }),
            Self::RiskSvg => Box::new(plan::curve::Curve),
        }
    }
}

/// A name that is no format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a format; known are json, findings-csv, inventory-csv, sarif, markdown, summary, plan-csv, tickets-csv, tickets-github, plan-json, plan, risk-svg"
)]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}
