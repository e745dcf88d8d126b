//! The entries of a report's long lists, each written as JSON once: its file and the state folder hold the same text.

use super::Report;
use rayon::prelude::*;
use serde::Serialize;

/// Most bytes that are held; of a larger report nothing is.
const MOST: usize = 64 << 20;

/// The entries of the long lists of a report as compact JSON, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Of identities.
    pub identities: Vec<String>,
    /// Of credentials.
    pub credentials: Vec<String>,
    /// Of grants.
    pub grants: Vec<String>,
    /// Of consumers.
    pub consumers: Vec<String>,
    /// Of findings.
    pub findings: Vec<String>,
    /// Of assessments.
    pub assessments: Vec<String>,
    /// Of items of the plan.
    pub plan: Vec<String>,
}

impl Written {
    /// Writes the items of the plan again, once they have changed.
    ///
    /// # Errors
    /// When an item cannot be written as JSON.
    pub fn plan_again(&mut self, report: &Report) -> serde_json::Result<()> {
        let mut left = usize::MAX;
        self.plan = list(&report.plan, &mut left)?.unwrap_or_default();
        Ok(())
    }

    /// Writes the entries of a report; `None` where they are too large to be held beside it.
    ///
    /// # Errors
    /// When an entry cannot be written as JSON.
    pub fn of(report: &Report) -> serde_json::Result<Option<Self>> {
        let mut left = MOST;
        let mut written = Self::default();
        for (list, entries) in [
            (
                &mut written.identities,
                list(&report.identities, &mut left)?,
            ),
            (
                &mut written.credentials,
                list(&report.credentials, &mut left)?,
            ),
            (&mut written.grants, list(&report.grants, &mut left)?),
            (&mut written.consumers, list(&report.consumers, &mut left)?),
            (&mut written.findings, list(&report.findings, &mut left)?),
            (
                &mut written.assessments,
                list(&report.assessments, &mut left)?,
            ),
            (&mut written.plan, list(&report.plan, &mut left)?),
        ] {
            let Some(entries) = entries else {
                return Ok(None);
            };
            *list = entries;
        }
        Ok(Some(written))
    }
}

/// Entries that are written by one thread at a time.
const TOGETHER: usize = 256;

/// The entries of a list, or none where they or those before are too many.
fn list<T: Serialize + Sync>(
    entries: &[T],
    left: &mut usize,
) -> serde_json::Result<Option<Vec<String>>> {
    let mut out = Vec::with_capacity(entries.len());
    for some in entries.chunks(TOGETHER * 8) {
        if *left == 0 {
            return Ok(None);
        }
        let some: Vec<String> = some
            .par_iter()
            .with_min_len(TOGETHER / 8)
            .map(serde_json::to_string)
            .collect::<serde_json::Result<_>>()?;
        let length: usize = some.iter().map(String::len).sum();
        *left = left.saturating_sub(length);
        out.extend(some);
    }
    Ok(Some(out))
}
