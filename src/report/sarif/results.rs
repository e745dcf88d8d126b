//! One finding as one SARIF result.

use super::super::cells::{Cell, Column};
use super::super::{findings_csv, text};
use super::rules::{Rules, level};
use super::types::{
    ArtifactLocation, Location, LogicalLocation, PhysicalLocation, Region, SarifResult,
    Suppression, Text,
};
use super::uri::Addresses;
use crate::model::{Finding, FindingStatus, IgnoredBy, Location as Place};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Most locations of a result.
const MOST_LOCATIONS: usize = 1_000;
/// Name and version of the recipe of the fingerprint: the id of the finding. Readers demand that it ends in a version.
const FINGERPRINT: &str = "overstay/v1";
/// Columns of `findings.csv` that have a place of their own in a result.
const ELSEWHERE: [&str; 6] = [
    "schema_version",
    "title",
    "message",
    "uri",
    "line",
    "column",
];

/// The result of a finding.
pub(super) fn result<'a>(
    row: &findings_csv::Row<'a>,
    columns: &[Column<findings_csv::Row<'a>>],
    rules: &Rules,
    addresses: &Addresses,
) -> SarifResult {
    let finding = row.finding;
    let resource = row.identity.map(|identity| identity.native_id.as_str());
    let locations = finding
        .locations
        .iter()
        .take(MOST_LOCATIONS)
        .map(|place| location(place, resource, addresses))
        .collect();
    let id = finding.id.as_str();
    let gone = finding.status == FindingStatus::Fixed;
    // The only fingerprint GitHub reads, in the form it makes itself: a hash and a number of occurrence.
    let hash = id.strip_prefix("f-").unwrap_or(id);
    SarifResult {
        rule_id: finding.rule.clone(),
        rule_index: rules.index_of(&finding.rule),
        level: if gone {
            "none"
        } else {
            level(finding.severity)
        },
        kind: gone.then_some("pass"),
        baseline_state: row.compared().then(|| baseline_state(row)),
        rank: row.assessment.map(|each| f64::from(each.risk.score)),
        message: Text::plain(message(&finding.title, &finding.message)),
        locations,
        fingerprints: BTreeMap::from([(FINGERPRINT, id.to_owned())]),
        partial_fingerprints: BTreeMap::from([
            (FINGERPRINT, id.to_owned()),
            ("primaryLocationLineHash", format!("{hash}:1")),
        ]),
        suppressions: match finding.status {
            FindingStatus::Accepted | FindingStatus::Ignored => vec![suppression(finding)],
            _ => Vec::new(),
        },
        properties: properties(row, columns),
    }
}

/// How the finding compares with the run before, in the words of SARIF.
fn baseline_state(row: &findings_csv::Row<'_>) -> &'static str {
    match row.finding.status {
        FindingStatus::New | FindingStatus::Reappeared => "new",
        FindingStatus::Worsened | FindingStatus::Improved => "updated",
        FindingStatus::Fixed => "absent",
        _ if row.first_seen_now() => "new",
        _ => "unchanged",
    }
}

fn suppression(finding: &Finding) -> Suppression {
    let decided = finding.decision.as_ref().map(|decision| &decision.reason);
    let reason = finding.ignored.as_ref().map(|ignored| &ignored.reason);
    Suppression {
        kind: match &finding.ignored {
            Some(ignored) if ignored.by == IgnoredBy::Comment => "inSource",
            _ => "external",
        },
        status: "accepted",
        justification: reason.or(decided).map(|reason| text::sarif(reason)),
    }
}

/// The title as the first sentence, which viewers show as a headline.
fn message(title: &str, message: &str) -> String {
    let (title, message) = (text::sarif(title), text::sarif(message));
    if message.starts_with(&title) {
        return message;
    }
    let stop = if title.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{title}{stop} {message}")
}

fn location(place: &Place, resource: Option<&str>, addresses: &Addresses) -> Location {
    let named = place.logical.as_deref().or(resource);
    Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: addresses.of_place(place),
            },
            region: Region {
                start_line: place.line.unwrap_or(1).max(1),
                start_column: place.column.filter(|column| *column > 0),
            },
        },
        logical_locations: named
            .filter(|name| !name.is_empty())
            .map(|name| LogicalLocation {
                fully_qualified_name: text::line(name).into_owned(),
                kind: "resource",
            })
            .into_iter()
            .collect(),
    }
}

/// The columns of `findings.csv` that are known, under the same names.
fn properties<'a>(
    row: &findings_csv::Row<'a>,
    columns: &[Column<findings_csv::Row<'a>>],
) -> Map<String, Value> {
    columns
        .iter()
        .filter(|column| !ELSEWHERE.contains(&column.name))
        .filter_map(|column| {
            let value = match (column.cell)(row) {
                Cell::Empty => return None,
                Cell::Text(text) => Value::from(text::line(&text).into_owned()),
                Cell::Whole(number) => Value::from(number),
                Cell::Decimal(number) => Value::from(number),
                Cell::Truth(truth) => Value::from(truth),
                Cell::Time(time) => Value::from(time.to_string()),
            };
            Some((column.name.to_owned(), value))
        })
        .collect()
}
