//! The accounts a run was made from, so that questions can be asked of it later.

use super::{Runs, RunsError, pack, rows, unpack};
use crate::model::aws::AwsAccount;
use rusqlite::OptionalExtension;
use std::io;

/// The accounts of a run as they are stored: what no question needs is left out.
///
/// # Errors
/// When they cannot be written as JSON.
pub(super) fn packed(accounts: &[AwsAccount]) -> io::Result<Option<Vec<u8>>> {
    if accounts.is_empty() {
        return Ok(None);
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
    pack(&kept).map(Some)
}

impl Runs {
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
