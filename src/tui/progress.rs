//! How far the review is.

use super::data::Data;
use crate::model::brief::FindingRow;
use crate::model::{FindingStatus, Severity};
use jiff::Timestamp;
use rayon::prelude::*;

/// Findings by where they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Nobody decided about them.
    pub(super) open: u64,
    /// Somebody did.
    pub(super) settled: u64,
    /// Those nobody decided about, by severity, the lowest first.
    pub(super) by_severity: [u64; 5],
    /// New since the last review; where there was none, since the run before.
    pub(super) new: u64,
    /// Fixed once, and there again.
    pub(super) back: u64,
}

impl Progress {
    /// Counts the findings of a run.
    pub(super) fn of(data: &Data<'_>, reviewed: Option<Timestamp>) -> Self {
        let reviewed = reviewed.map(Timestamp::as_second);
        let one = |(at, finding): (usize, &FindingRow)| {
            let mut one = Self::default();
            if finding.status == FindingStatus::Fixed {
                return one;
            }
            let is_new = match (reviewed, finding.first_seen) {
                (Some(reviewed), Some(first)) => first > reviewed,
                _ => finding.status == FindingStatus::New,
            };
            one.new = u64::from(is_new);
            one.back = u64::from(finding.status == FindingStatus::Reappeared);
            if data.ledger.is_undecided(at as u32) {
                one.open = 1;
                if let Some(count) = one.by_severity.get_mut(place(finding.severity)) {
                    *count = 1;
                }
            } else {
                one.settled = 1;
            }
            one
        };
        let findings = data.brief.rows().findings.par_iter().enumerate();
        findings.map(one).reduce(Self::default, Self::and)
    }

    fn and(mut self, other: Self) -> Self {
        self.open += other.open;
        self.settled += other.settled;
        self.new += other.new;
        self.back += other.back;
        for (count, more) in self.by_severity.iter_mut().zip(other.by_severity) {
            *count += more;
        }
        self
    }

    /// Those of a severity nobody decided about.
    pub(super) fn of_severity(&self, severity: Severity) -> u64 {
        self.by_severity
            .get(place(severity))
            .copied()
            .unwrap_or_default()
    }
}

const fn place(severity: Severity) -> usize {
    severity as usize
}
