//! What the run before declared, for a run that declares something else.

use super::{Runs, RunsError, parts};
use crate::model::Run;
use crate::store::change::{Before, declared};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeSet;

impl Runs {
    /// What the run before declared: the last one that was asked the same, else the last one; with `by_time`, of those that
    /// are not later by their time. `None` where that run has all of these ids, or there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn declared_before(
        &self,
        run: &Run,
        scope: &str,
        by_time: bool,
        ids: &BTreeSet<&str>,
    ) -> Result<Option<Before>, RunsError> {
        let limit = if by_time {
            run.now.as_second()
        } else {
            i64::MAX
        };
        let last: Option<(i64, String)> = self
            .connection
            .query_row(
                "SELECT number, id FROM runs WHERE id <> ?1 AND seconds <= ?2 ORDER BY scope = ?3 DESC, number DESC LIMIT 1",
                params![run.id, limit, scope],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(|error| self.explain(error))?;
        let Some((number, id)) = last else {
            return Ok(None);
        };
        if self
            .knows_all(number, ids)
            .map_err(|error| self.explain(error))?
        {
            return Ok(None);
        }
        let Some((_, mut report)) = self.head("WHERE id = ?1", [id])? else {
            return Ok(None);
        };
        parts::fill_declared(&self.connection, number, &mut report)
            .map_err(|failed| self.failed(failed, &report))?;
        Ok(Some(Before {
            declared: declared(&report.identities, &report.credentials, &report.consumers),
            inputs: report.run.inputs,
            origins: report.origins,
        }))
    }

    fn knows_all(&self, number: i64, ids: &BTreeSet<&str>) -> rusqlite::Result<bool> {
        let mut left = ids.clone();
        for table in ["identities", "credentials"] {
            let query = format!("SELECT id FROM {table} WHERE run = ?1");
            let mut statement = self.connection.prepare(&query)?;
            let mut rows = statement.query([number])?;
            while let Some(row) = rows.next()? {
                left.remove(row.get_ref(0)?.as_str()?);
            }
        }
        Ok(left.is_empty())
    }
}
