//! What `overstay history` shows: a row of figures a run, which stay when the run itself is removed.

use super::{Runs, RunsError, rows};
use crate::model::evidence::days_between;
use crate::model::{FindingStatus, ItemState, Report, Severity};
use rusqlite::{Transaction, params};

/// The figures of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Id of the run.
    pub run: String,
    /// The time its ages are measured to, RFC 3339.
    pub now: String,
    /// Every source was read whole.
    pub complete: bool,
    /// Sum of all risk scores.
    pub standing_risk: i64,
    /// The same after the plan.
    pub standing_risk_after: i64,
    /// Machine identities.
    pub machine_identities: i64,
    /// Credentials.
    pub credentials: i64,
    /// Credentials that never expire or are old.
    pub long_lived: i64,
    /// Mean age in days of the credentials whose age is known.
    pub mean_age_days: Option<f64>,
    /// Findings somebody has to do something about.
    pub open: i64,
    /// Of these, the critical ones.
    pub critical: i64,
    /// Of these, the high ones.
    pub high: i64,
    /// Findings that people accepted.
    pub accepted: i64,
    /// Findings that were new or came back.
    pub new: i64,
    /// Findings that were fixed.
    pub fixed: i64,
    /// Items of the plan.
    pub plan_open: i64,
    /// Items of earlier plans that are done.
    pub plan_done: i64,
}

impl Runs {
    /// The figures of every run, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn trend(&self) -> Result<Vec<Figures>, RunsError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT run, now, complete, standing_risk, standing_risk_after, machine_identities, credentials,
                    long_lived, mean_age_days, open, critical, high, accepted, new, fixed, plan_open, plan_done
                 FROM trend ORDER BY number",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(Figures {
                    run: row.get(0)?,
                    now: row.get(1)?,
                    complete: row.get(2)?,
                    standing_risk: row.get(3)?,
                    standing_risk_after: row.get(4)?,
                    machine_identities: row.get(5)?,
                    credentials: row.get(6)?,
                    long_lived: row.get(7)?,
                    mean_age_days: row.get(8)?,
                    open: row.get(9)?,
                    critical: row.get(10)?,
                    high: row.get(11)?,
                    accepted: row.get(12)?,
                    new: row.get(13)?,
                    fixed: row.get(14)?,
                    plan_open: row.get(15)?,
                    plan_done: row.get(16)?,
                })
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.explain(error))
    }
}

/// Adds the figures of a run.
pub(super) fn enter(
    transaction: &Transaction<'_>,
    number: i64,
    report: &Report,
) -> rusqlite::Result<()> {
    let counted = |holds: &dyn Fn(FindingStatus, Severity) -> bool| {
        let findings = report.findings.iter();
        rows::count(
            findings
                .filter(|one| holds(one.status, one.severity))
                .count(),
        )
    };
    let fixed = report.changes.as_ref().map_or(0, |one| one.fixed.len());
    let done = report
        .changes
        .as_ref()
        .map_or(0, |one| one.planned(ItemState::Done).count());
    transaction.execute(
        "INSERT OR REPLACE INTO trend VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)",
        params![
            report.run.id,
            number,
            report.run.now.to_string(),
            report.run.complete,
            report.summary.standing_risk,
            report.summary.standing_risk_after,
            report.summary.machine_identities,
            report.summary.credentials,
            report.summary.long_lived_credentials,
            mean_age(report),
            counted(&|status, _| status.open()),
            counted(&|status, severity| status.open() && severity == Severity::Critical),
            counted(&|status, severity| status.open() && severity == Severity::High),
            counted(&|status, _| status == FindingStatus::Accepted),
            counted(&|status, _| matches!(
                status,
                FindingStatus::New | FindingStatus::Reappeared
            )),
            rows::count(fixed),
            rows::count(report.plan.len()),
            rows::count(done),
        ],
    )?;
    Ok(())
}

/// Mean age of the credentials: from their issue, or else from the first commit that holds them.
fn mean_age(report: &Report) -> Option<f64> {
    let ages: Vec<f64> = report
        .credentials
        .iter()
        .filter_map(|one| {
            let seen = one.trail.as_ref().and_then(|trail| trail.introduced_at);
            let since = one.created_at.or(seen)?;
            Some(days_between(since, report.run.now).max(0) as f64)
        })
        .collect();
    let mean = ages.iter().sum::<f64>() / ages.len() as f64;
    (!ages.is_empty()).then(|| (mean * 10.0).round() / 10.0)
}
