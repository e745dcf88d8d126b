//! The rows of each view, and the page behind a row.

use super::state::View;
use crate::model::{Assessment, Coverage, Credential, Finding, Identity, PlanItem, Report};
use crate::report::Index;
use crate::report::explain::{self, Found};
use crate::report::text::line;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Id of the subject; for coverage, its place in the report.
    pub id: String,
    /// Severity, band or status word, for the colour.
    pub level: String,
    /// Cells.
    pub cells: Vec<String>,
    /// Everything the filter looks at, in lower case.
    pub text: String,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Title.
    pub title: &'static str,
    /// Width in cells; 0 takes what is left.
    pub width: u16,
}

const fn column(title: &'static str, width: u16) -> Column {
    Column { title, width }
}

/// Columns of a view.
pub fn columns(view: View) -> &'static [Column] {
    match view {
        View::Findings => const { &[column("severity", 8), column("rule", 24), column("what", 0)] },
        View::Identities => {
            const {
                &[
                    column("risk", 8),
                    column("type", 20),
                    column("name", 28),
                    column("owner", 16),
                    column("decision", 0),
                ]
            }
        }
        View::Credentials => {
            const {
                &[
                    column("risk", 8),
                    column("type", 22),
                    column("credential", 24),
                    column("state", 8),
                    column("seen", 0),
                ]
            }
        }
        View::Plan => {
            const {
                &[
                    column("wave", 4),
                    column("risk", 9),
                    column("decision", 22),
                    column("what", 0),
                ]
            }
        }
        View::Coverage => {
            const {
                &[
                    column("status", 11),
                    column("source", 12),
                    column("unit", 32),
                    column("reason", 0),
                ]
            }
        }
    }
}

/// Rows of a view, in the report's order.
pub fn of(report: &Report, view: View) -> Vec<Row> {
    match view {
        View::Findings => report.findings.iter().map(finding).collect(),
        View::Identities => report
            .identities
            .iter()
            .map(|item| identity(report, item))
            .collect(),
        View::Credentials => report
            .credentials
            .iter()
            .map(|item| credential(report, item))
            .collect(),
        View::Plan => report.plan.iter().map(plan_item).collect(),
        View::Coverage => report
            .coverage
            .iter()
            .enumerate()
            .map(|(at, item)| coverage(at, item))
            .collect(),
    }
}

fn row(id: String, level: &str, cells: &[String], more: &str) -> Row {
    let cells: Vec<String> = cells.iter().map(|cell| line(cell).into_owned()).collect();
    let text = format!("{} {} {}", cells.join(" "), id, line(more)).to_lowercase();
    Row {
        id,
        level: level.to_owned(),
        cells,
        text,
    }
}

fn finding(item: &Finding) -> Row {
    let places: Vec<String> = item
        .locations
        .iter()
        .take(20)
        .map(crate::model::Location::display)
        .collect();
    row(
        item.id.to_string(),
        item.severity.as_str(),
        &[
            item.severity.to_string(),
            item.rule.clone(),
            item.title.clone(),
        ],
        &format!("{} {}", item.message, places.join(" ")),
    )
}

/// The highest assessment that concerns an identity or credential.
fn worst(report: &Report, concerns: impl Fn(&Assessment) -> bool) -> Option<&Assessment> {
    report
        .assessments
        .iter()
        .find(|assessment| concerns(assessment))
}

fn identity(report: &Report, item: &Identity) -> Row {
    let judged = worst(report, |assessment| {
        assessment.identity.as_ref() == Some(&item.id)
    });
    let level = judged.map_or("", |assessment| assessment.risk.band.as_str());
    row(
        item.id.to_string(),
        level,
        &[
            level.to_owned(),
            item.kind.as_str().to_owned(),
            item.name.clone(),
            item.owner.clone().unwrap_or_else(|| "-".to_owned()),
            judged.map_or_else(String::new, |assessment| {
                assessment.disposition.title().to_owned()
            }),
        ],
        &item.native_id,
    )
}

fn credential(report: &Report, item: &Credential) -> Row {
    let judged = worst(report, |assessment| {
        assessment.credential.as_ref() == Some(&item.id)
    });
    let level = judged.map_or("", |assessment| assessment.risk.band.as_str());
    let name = item
        .public_id
        .clone()
        .or_else(|| item.reference.clone())
        .or_else(|| item.redacted.as_ref().map(ToString::to_string))
        .unwrap_or_else(|| item.id.to_string());
    let seen = match item.sightings.as_slice() {
        [] => item.storage.as_str().to_owned(),
        [only] => only.location().display(),
        [first, rest @ ..] => format!("{} and {} more", first.location().display(), rest.len()),
    };
    row(
        item.id.to_string(),
        level,
        &[
            level.to_owned(),
            item.kind.clone(),
            name,
            item.status.as_str().to_owned(),
            seen,
        ],
        "",
    )
}

fn plan_item(item: &PlanItem) -> Row {
    row(
        item.id.to_string(),
        "",
        &[
            item.wave.to_string(),
            format!("{} → {}", item.risk_before, item.risk_after),
            item.disposition.title().to_owned(),
            item.title.clone(),
        ],
        &item.mechanism_title,
    )
}

fn coverage(at: usize, item: &Coverage) -> Row {
    row(
        format!("coverage {at}"),
        item.status.as_str(),
        &[
            item.status.as_str().to_owned(),
            item.source.clone(),
            item.unit.clone(),
            item.reason.clone(),
        ],
        "",
    )
}

/// The page behind a row, line by line.
pub fn detail(report: &Report, row: &Row) -> Vec<String> {
    let index = Index::new(report);
    let mut page = Vec::new();
    match explain::find(&index, &row.id) {
        Found::One(subject) if explain::page(&index, subject, false, &mut page).is_ok() => {
            String::from_utf8_lossy(&page)
                .lines()
                .map(ToOwned::to_owned)
                .collect()
        }
        _ => row.cells.clone(),
    }
}
