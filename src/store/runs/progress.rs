//! What is remembered of plans, as of each run.

use super::parts::PROGRESS;
use super::{Runs, RunsError, unpack_value};
use crate::model::{PlanMemory, Run};
use rusqlite::{OptionalExtension, params};

impl Runs {
    /// What is remembered of plans before this run; with `by_time`, of runs that are not later by their time. `None` where
    /// there is no such run, or an older version stored it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn plans_before(&self, run: &Run, by_time: bool) -> Result<Option<PlanMemory>, RunsError> {
        let limit = if by_time {
            run.now.as_second()
        } else {
            i64::MAX
        };
        self.plans(
            "runs.id <> ?1 AND runs.seconds <= ?2 ORDER BY runs.number DESC LIMIT 1",
            params![run.id, limit],
        )
    }

    /// What was remembered of plans after this run; `None` of a run of an older version.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn plans_after(&self, id: &str) -> Result<Option<PlanMemory>, RunsError> {
        self.plans("runs.id = ?1", params![id])
    }

    fn plans(
        &self,
        which: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Option<PlanMemory>, RunsError> {
        let query = format!(
            "SELECT packed FROM runs
             JOIN parts ON parts.run = runs.number AND list = '{PROGRESS}' AND part = 0
             JOIN pieces ON pieces.number = piece WHERE {which}"
        );
        let packed: Option<Vec<u8>> = self
            .connection
            .query_row(&query, parameters, |row| row.get(0))
            .optional()
            .map_err(|error| self.explain(error))?;
        Ok(packed.and_then(|packed| unpack_value(&packed)))
    }
}
