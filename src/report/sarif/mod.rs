//! `results.sarif`: findings in SARIF 2.1.0, for code scanning and vulnerability management.
//!
//! Findings in files and findings in cloud accounts are two runs, so that viewers keep their histories apart. The limits
//! observed are those of GitHub code scanning, the tightest of the known readers.

mod results;
mod rules;
mod types;
mod uri;

use super::{Emitter, ReportError, findings_csv, lines, text};
use crate::model::{Coverage, CoverageStatus, Finding, Report};
use crate::rules::posture::Posture;
use results::Results;
use rules::Rules;
use serde_json::{Map, Value};
use std::io::{BufWriter, Write};
use types::{
    AutomationDetails, Component, DescriptorReference, Invocation, Log, Notification, Run, SCHEMA,
    Text, Tool,
};
use uri::{Addresses, is_cloud};

/// Writes `results.sarif`.
pub struct Sarif {
    /// Most results in one run; the most severe are kept.
    pub most_results: usize,
}

impl Default for Sarif {
    fn default() -> Self {
        Self {
            most_results: 25_000,
        }
    }
}

/// Depth of what has a line of its own: the results of a run.
const RESULTS: usize = 4;

impl Emitter for Sarif {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        let rows = findings_csv::rows(report);
        let log = log(report, &rows, &Posture::builtin()?, self.most_results);
        let mut out = BufWriter::new(out);
        lines::write(&mut out, &log, RESULTS)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }
}

/// Where a run's findings lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Cloud,
}

impl Side {
    const fn category(self) -> &'static str {
        match self {
            Self::Source => "overstay/source",
            Self::Cloud => "overstay/cloud",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Source => "Machine identities and credentials in repositories",
            Self::Cloud => "Machine identities and credentials in cloud accounts",
        }
    }

    fn of_finding(finding: &Finding) -> Self {
        let first = finding.locations.first();
        let repository = first.and_then(|place| place.repository.as_deref());
        if repository.is_some_and(is_cloud) {
            Self::Cloud
        } else {
            Self::Source
        }
    }

    fn of_coverage(entry: &Coverage) -> Self {
        if is_cloud(&entry.unit) || entry.source.starts_with("aws") {
            Self::Cloud
        } else {
            Self::Source
        }
    }
}

fn log<'r, 'a>(
    report: &'a Report,
    rows: &'r [findings_csv::Row<'a>],
    posture: &Posture,
    most_results: usize,
) -> Log<'r, 'a> {
    let cloud_was_read = report
        .coverage
        .iter()
        .any(|entry| Side::of_coverage(entry) == Side::Cloud)
        || report
            .findings
            .iter()
            .any(|each| Side::of_finding(each) == Side::Cloud);
    let sides: &[Side] = if cloud_was_read {
        &[Side::Source, Side::Cloud]
    } else {
        &[Side::Source]
    };
    let runs = sides
        .iter()
        .map(|side| run(report, posture, rows, *side, most_results))
        .collect();
    Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs,
    }
}

fn run<'r, 'a>(
    report: &Report,
    posture: &Posture,
    rows: &'r [findings_csv::Row<'a>],
    side: Side,
    most_results: usize,
) -> Run<'r, 'a> {
    // Rows are sorted by severity, so that the most severe are those that are kept.
    let mut kept: Vec<_> = rows
        .iter()
        .filter(|row| Side::of_finding(row.finding) == side)
        .collect();
    let all = kept.len();
    kept.truncate(most_results);
    let findings: Vec<_> = rows.iter().map(|row| row.finding).collect();
    let rules = Rules::new(posture, &findings);
    let mut invocation = invocation(report, side);
    if kept.len() < all {
        invocation.tool_execution_notifications.push(Notification {
            descriptor: DescriptorReference {
                id: "results-left-out",
                index: 1,
            },
            level: "warning",
            message: Text::plain(format!(
                "{} of {} findings, the least severe, are left out of this file; report.json has all of them.",
                all - kept.len(),
                all
            )),
        });
    }
    let supported = rules.supported();
    Run {
        tool: Tool {
            driver: Component {
                name: report.tool.name.clone(),
                full_name: Some(format!("{} {}", report.tool.name, report.tool.version)),
                version: Some(report.tool.version.clone()),
                semantic_version: Some(report.tool.version.clone()),
                rules: rules.described,
                notifications: notifications(),
                supported_taxonomies: supported,
                ..Component::default()
            },
        },
        automation_details: AutomationDetails {
            id: format!("{}/{}", side.category(), report.run.id),
            description: Text::plain(side.description()),
        },
        invocations: vec![invocation],
        column_kind: "unicodeCodePoints",
        taxonomies: rules.taxonomies,
        results: Results::new(kept, rules.indices, Addresses::of(report)),
        properties: Map::from_iter([
            (
                "rulesDigest".to_owned(),
                Value::from(report.run.rules_digest.as_str()),
            ),
            (
                "policyDigest".to_owned(),
                Value::from(report.run.policy_digest.as_str()),
            ),
            (
                "fingerprintKey".to_owned(),
                Value::from(report.run.fingerprint_key.as_str()),
            ),
        ]),
    }
}

/// Kinds of notifications, in the order of their indices.
fn notifications() -> Vec<types::Rule> {
    let kind = |id: &str, name: &str, what: &str, help: &str| types::Rule {
        id: id.to_owned(),
        name: Some(name.to_owned()),
        short_description: Some(Text::plain(what)),
        full_description: Some(Text::plain(what)),
        help: Some(Text::plain(help)),
        ..types::Rule::default()
    };
    vec![
        kind(
            "coverage-gap",
            "CoverageGap",
            "Something was not read, not read whole, or not given.",
            "Findings may be missing. The message says what to do; `coverage` in report.json has every entry.",
        ),
        kind(
            "results-left-out",
            "ResultsLeftOut",
            "There are more findings than this file may hold.",
            "The least severe are left out; report.json and findings.csv have all of them.",
        ),
    ]
}

fn invocation(report: &Report, side: Side) -> Invocation {
    let mine = || {
        let entries = report.coverage.iter();
        entries.filter(move |entry| Side::of_coverage(entry) == side)
    };
    let gaps = mine()
        .filter(|entry| {
            entry.status.incomplete()
                || matches!(entry.status, CoverageStatus::Absent | CoverageStatus::Noted)
        })
        .map(|entry| Notification {
            descriptor: DescriptorReference {
                id: "coverage-gap",
                index: 0,
            },
            level: match entry.status {
                CoverageStatus::Failed => "error",
                CoverageStatus::Absent | CoverageStatus::Noted => "note",
                _ => "warning",
            },
            message: Text::plain(text::sarif(&format!(
                "{} ({}, {}): {}",
                entry.unit,
                entry.source,
                entry.status.as_str(),
                entry.reason
            ))),
        });
    Invocation {
        execution_successful: !mine().any(|entry| entry.status.incomplete()),
        end_time_utc: report.run.now.to_string(),
        tool_execution_notifications: gaps.collect(),
    }
}
