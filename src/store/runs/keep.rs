//! How long runs are kept.

use super::{Runs, RunsError, parts};
use jiff::Timestamp;
use rusqlite::params;

/// Which runs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The last so many.
    Runs(u32),
    /// Those of the last so many days, and always the last one.
    Days(u32),
}

impl Runs {
    /// Removes the runs that are not kept, with their rows. What is known of findings, and the figures of `history`, stay.
    /// Returns how many runs were removed.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn keep(&self, keep: Keep, now: Timestamp) -> Result<usize, RunsError> {
        let removed = match keep {
            Keep::Runs(most) => self.connection.execute(
                "DELETE FROM runs WHERE number NOT IN (SELECT number FROM runs ORDER BY number DESC LIMIT ?1)",
                params![most.max(1)],
            ),
            Keep::Days(days) => self.connection.execute(
                "DELETE FROM runs WHERE seconds < ?1 AND number <> (SELECT max(number) FROM runs)",
                params![now.as_second().saturating_sub(i64::from(days) * 86_400)],
            ),
        };
        let swept = removed.and_then(|removed| {
            if removed > 0 {
                parts::sweep(&self.connection)?;
            }
            Ok(removed)
        });
        swept.map_err(|error| self.explain(error))
    }
}
