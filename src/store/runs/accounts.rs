//! The accounts a run was made from, so that questions can be asked of it later.

use super::{Runs, RunsError, pack, rows, unpack};
use crate::model::aws::AwsAccount;
use rusqlite::{OptionalExtension, params};

impl Runs {
    /// Stores the accounts of a run that is stored already. What no question needs is left out.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_accounts(&self, id: &str, accounts: &[AwsAccount]) -> Result<(), RunsError> {
        if accounts.is_empty() {
            return Ok(());
        }
        let mut kept = accounts.to_vec();
        for account in &mut kept {
            for user in &mut account.users {
                user.services = None;
            }
            for role in &mut account.roles {
                role.services = None;
                role.description = None;
            }
        }
        let packed = pack(&kept).map_err(|source| RunsError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.connection
            .execute(
                "INSERT OR REPLACE INTO accounts (run, packed) SELECT number, ?2 FROM runs WHERE id = ?1",
                params![id, packed],
            )
            .map_err(|error| self.explain(error))?;
        Ok(())
    }

    /// The accounts of a run, by its whole id; none where it had none or was stored before accounts were.
    ///
    /// # Errors
    /// When the database or the accounts cannot be read.
    pub fn accounts(&self, id: &str) -> Result<Vec<AwsAccount>, RunsError> {
        let packed: Option<Vec<u8>> = self
            .connection
            .query_row(
                "SELECT packed FROM accounts JOIN runs ON runs.number = accounts.run WHERE runs.id = ?1",
                [id],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| self.explain(error))?;
        let Some(packed) = packed else {
            return Ok(Vec::new());
        };
        let json = unpack(&packed).map_err(|_| RunsError::Damaged {
            path: self.path.clone(),
        })?;
        serde_json::from_slice(&json).map_err(|_| RunsError::Unreadable {
            id: id.to_owned(),
            version: rows::version(&self.connection, id),
        })
    }
}
