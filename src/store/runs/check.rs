//! Whether the database is in order: its structure, and what stands in it.

use super::{Runs, RunsError, unpack};
use crate::store::change::Known;
use rusqlite::types::ValueRef;

/// Columns that hold compressed values.
const PACKED: [(&str, &str); 5] = [
    ("runs", "report"),
    ("runs", "known"),
    ("runs", "reach"),
    ("accounts", "packed"),
    ("pieces", "packed"),
];

impl Runs {
    /// What is wrong with the database; nothing when it is in order.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn check(&self) -> Result<Vec<String>, RunsError> {
        let read = || {
            let mut faults = self.structure()?;
            if faults.is_empty() {
                for table in self.tables()? {
                    faults.extend(self.texts(&table)?);
                }
                for (table, column) in PACKED {
                    faults.extend(self.packed(table, column)?);
                }
                faults.extend(self.states()?);
                faults.extend(self.missing()?);
            }
            Ok(faults)
        };
        read().map_err(|error| self.explain(error))
    }

    fn structure(&self) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check(5)")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut faults: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
        faults.retain(|line| line != "ok");
        let mut statement = self.connection.prepare("PRAGMA foreign_key_check")?;
        let strays = statement.query_map([], |_| Ok(()))?.count();
        if strays > 0 {
            faults.push(format!("{strays} rows belong to a run that is not stored"));
        }
        Ok(faults)
    }

    fn tables(&self) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )?;
        let names = statement.query_map([], |row| row.get(0))?;
        names.collect()
    }

    /// Damage inside a text leaves the structure as it was.
    fn texts(&self, table: &str) -> rusqlite::Result<Option<String>> {
        let name = table.replace('"', "\"\"");
        let mut statement = self
            .connection
            .prepare(&format!("SELECT * FROM \"{name}\""))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        let mut bad = 0_u64;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                if let ValueRef::Text(bytes) = row.get_ref(column)? {
                    bad += u64::from(std::str::from_utf8(bytes).is_err());
                }
            }
        }
        Ok((bad > 0).then(|| format!("{bad} texts of table {table} are damaged")))
    }

    fn packed(&self, table: &str, column: &str) -> rusqlite::Result<Option<String>> {
        let mut statement = self.connection.prepare(&format!(
            "SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
        ))?;
        let mut rows = statement.query([])?;
        let mut bad = 0_u64;
        while let Some(row) = rows.next()? {
            bad += u64::from(unpack(row.get_ref(0)?.as_blob().unwrap_or_default()).is_err());
        }
        Ok((bad > 0).then(|| format!("{bad} values of {table}.{column} are damaged")))
    }

    fn missing(&self) -> rusqlite::Result<Option<String>> {
        let missing: i64 = self.connection.query_row(
            "SELECT count(*) FROM parts WHERE piece NOT IN (SELECT number FROM pieces)",
            [],
            |row| row.get(0),
        )?;
        Ok((missing > 0).then(|| format!("{missing} parts of stored runs are missing")))
    }

    fn states(&self) -> rusqlite::Result<Option<String>> {
        let mut statement = self.connection.prepare("SELECT known FROM ledger")?;
        let known = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut bad = 0_u64;
        for known in known.flatten() {
            bad += u64::from(serde_json::from_str::<Known>(&known).is_err());
        }
        Ok((bad > 0).then(|| format!("what is known of {bad} findings is damaged")))
    }
}
