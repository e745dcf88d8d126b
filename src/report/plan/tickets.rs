//! `tickets.csv` and `tickets-github.csv`: one ticket an item, in the layout that the importer of each reads.
//!
//! They are two files because both call a column `labels`, and one separates labels by blanks and the other by commas:
//! importers for GitHub compare names of columns without case.

use super::super::cells::{Cell, Column, columns, write};
use super::super::text::{code, markdown};
use super::super::{Emitter, Options, ReportError};
use crate::model::{PlanItem, Report};
use std::fmt::Write as _;
use std::io::Write;

/// Whose importer reads the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Importer {
    /// Jira's own.
    Jira,
    /// `gh issue create` in a loop, and the importers that take its fields.
    GitHub,
}

/// Writes `tickets.csv` or `tickets-github.csv`.
pub(in super::super) struct Tickets {
    pub(in super::super) options: Options,
    pub(in super::super) importer: Importer,
}

/// A ticket.
pub struct Row<'a> {
    item: &'a PlanItem,
    body: String,
}

columns! {
    /// Columns of `tickets.csv`, in order.
    columns:
    "Summary": "Title of the ticket."
        => |row| Cell::text(summary(row.item));
    "Description": "What to do, as Markdown on one line."
        => |row| Cell::text(&row.body);
    "Issue Type": "`Task`."
        => |_| Cell::text("Task");
    "Priority": "`Highest` to `Low`, by the band of its risk."
        => |row| Cell::text(priority(row.item));
    "Labels": "`overstay`, wave, disposition and effort, separated by blanks, which is how Jira reads several."
        => |row| Cell::text(labels(row.item).join(" "));
    "Assignee hint": "Owner, as the scan knows it; no account name, so leave it unmapped."
        => |row| Cell::text(&row.item.approval.approver);
    "External ID": "Stable id of the plan item: the same ticket in every run."
        => |row| Cell::text(row.item.id.as_str());
}

columns! {
    /// Columns of `tickets-github.csv`, in order.
    github_columns:
    "title": "Title."
        => |row| Cell::text(summary(row.item));
    "body": "Body, as Markdown on one line; its last words are the stable id of the plan item."
        => |row| Cell::text(&row.body);
    "labels": "Labels, separated by commas."
        => |row| Cell::text(labels(row.item).join(","));
}

fn summary(item: &PlanItem) -> String {
    format!("[wave {}] {}", item.wave, item.title)
}

fn labels(item: &PlanItem) -> Vec<String> {
    vec![
        "overstay".to_owned(),
        format!("wave-{}", item.wave),
        item.disposition.as_str().to_owned(),
        format!("effort-{}", item.effort.size.to_lowercase()),
    ]
}

fn priority(item: &PlanItem) -> &'static str {
    match item.risk_before {
        64.. => "Highest",
        36..=63 => "High",
        16..=35 => "Medium",
        _ => "Low",
    }
}

/// The ticket's text, on one line as every cell is.
fn body(item: &PlanItem, policy: &str) -> String {
    let mut out = String::new();
    let _ = write!(
        out,
        "Risk {} → {} (removes {}). Mechanism: {}. Lifetime: {} — {}. ",
        item.risk_before,
        item.risk_after,
        item.risk_removed,
        markdown(&item.mechanism_title),
        markdown(&item.approval.duration),
        markdown(&item.ttl.evidence),
    );
    let _ = write!(
        out,
        "Approval: system {}; reason {}; duration {}; approver {} ({}). ",
        markdown(&item.approval.system),
        markdown(&item.approval.reason),
        markdown(&item.approval.duration),
        markdown(&item.approval.approver),
        item.approval.tier.as_str(),
    );
    out.push_str("Steps: ");
    for step in &item.steps {
        let _ = write!(
            out,
            "({}) {}: {} ",
            step.number,
            markdown(&step.title),
            markdown(&step.detail)
        );
        if let Some(command) = &step.command {
            let _ = write!(out, "Run {}. ", code(command));
        }
    }
    let _ = write!(
        out,
        "Must fail afterwards: {} Done when: {} Way back: {} Judged by policy {}. Plan item {}.",
        markdown(&item.negative_test),
        markdown(&item.detect_done),
        markdown(&item.rollback),
        code(policy),
        code(item.id.as_str()),
    );
    out
}

impl Emitter for Tickets {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        let rows: Vec<Row<'_>> = report
            .plan
            .iter()
            .map(|item| Row {
                item,
                body: body(item, &report.run.policy_digest),
            })
            .collect();
        let columns = match self.importer {
            Importer::Jira => columns(),
            Importer::GitHub => github_columns(),
        };
        write(&columns, &rows, self.options, out)
    }
}
