//! One finding as one SARIF result.

use super::super::cells::{Cell, Column};
use super::super::{findings_csv, text};
use super::rules::{Indices, level};
use super::types::{
    ArtifactLocation, Fingerprints, Location, LogicalLocation, PartialFingerprints,
    PhysicalLocation, Region, SarifResult, Suppression, Text,
};
use super::uri::Addresses;
use crate::model::{Finding, FindingStatus, IgnoredBy, Location as Place};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// Most locations of a result.
const MOST_LOCATIONS: usize = 1_000;
/// Columns of `findings.csv` that have a place of their own in a result.
const ELSEWHERE: [&str; 6] = [
    "schema_version",
    "title",
    "message",
    "uri",
    "line",
    "column",
];

type Row<'a> = findings_csv::Row<'a>;

/// The results of a run, each made when it is written.
pub(super) struct Results<'r, 'a> {
    rows: Vec<&'r Row<'a>>,
    columns: Vec<Column<Row<'a>>>,
    rules: Indices,
    addresses: Addresses,
}

impl<'r, 'a> Results<'r, 'a> {
    /// Those of these rows.
    pub(super) fn new(rows: Vec<&'r Row<'a>>, rules: Indices, addresses: Addresses) -> Self {
        let mut columns = findings_csv::columns();
        columns.retain(|column| !ELSEWHERE.contains(&column.name));
        columns.sort_unstable_by_key(|column| column.name);
        Self {
            rows,
            columns,
            rules,
            addresses,
        }
    }

    fn result<'s>(&'s self, row: &'s Row<'a>) -> SarifResult<'s, 'a> {
        let finding = row.finding;
        let resource = row.identity.map(|identity| identity.native_id.as_str());
        let locations = finding
            .locations
            .iter()
            .take(MOST_LOCATIONS)
            .map(|place| location(place, resource, &self.addresses))
            .collect();
        let id = finding.id.as_str();
        let gone = finding.status == FindingStatus::Fixed;
        let hash = id.strip_prefix("f-").unwrap_or(id);
        SarifResult {
            rule_id: &finding.rule,
            rule_index: self.rules.of(&finding.rule),
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
            fingerprints: Fingerprints { id },
            partial_fingerprints: PartialFingerprints {
                id: Fingerprints { id },
                primary_location_line_hash: format!("{hash}:1"),
            },
            suppressions: match finding.status {
                FindingStatus::Accepted | FindingStatus::Ignored => vec![suppression(finding)],
                _ => Vec::new(),
            },
            properties: Properties {
                row,
                columns: &self.columns,
            },
        }
    }
}

impl Serialize for Results<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| self.result(row)))
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
pub(super) struct Properties<'r, 'a> {
    row: &'r Row<'a>,
    columns: &'r [Column<Row<'a>>],
}

impl Serialize for Properties<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for column in self.columns {
            let name = column.name;
            match (column.cell)(self.row) {
                Cell::Empty => {}
                Cell::Text(text) => map.serialize_entry(name, &text::line(&text))?,
                Cell::Whole(number) => map.serialize_entry(name, &number)?,
                Cell::Decimal(number) => map.serialize_entry(name, &number)?,
                Cell::Truth(truth) => map.serialize_entry(name, &truth)?,
                Cell::Time(time) => map.serialize_entry(name, &time)?,
            }
        }
        map.end()
    }
}
