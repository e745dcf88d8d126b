//! What was read of each root, so that the next run reads only what changed. The content is sealed under the fingerprint
//! key, because names in it may hold tokens; roots are named by a digest.

use super::{Runs, RunsError, rows};
use rusqlite::{OptionalExtension, TransactionBehavior, params};

/// Days after which what nobody asked for is removed.
const UNUSED_DAYS: i64 = 60;
/// Days after which it is noted again that something is still asked for.
const NOTED_DAYS: i64 = 7;

/// Something that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannedRow {
    /// `files` or `history`.
    pub kind: &'static str,
    /// Stands for the root.
    pub place: String,
    /// Digest of the rules, the options and the program it was read with.
    pub digest: String,
    /// Files or blobs.
    pub documents: u64,
    /// Of these, the ones a report needs.
    pub of_interest: u64,
    /// Commits.
    pub commits: u64,
    /// The content, sealed.
    pub packed: Vec<u8>,
}

impl Runs {
    /// What is kept of a root, if it was read with the same digest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scanned(
        &self,
        kind: &str,
        place: &str,
        digest: &str,
    ) -> Result<Option<Vec<u8>>, RunsError> {
        self.connection
            .query_row(
                "SELECT packed FROM scanned WHERE kind = ?1 AND place = ?2 AND digest = ?3",
                [kind, place, digest],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| self.explain(error))
    }

    /// Keeps what was read, notes what was asked for, and removes what nobody has asked for in a long time.
    ///
    /// # Errors
    /// When the database cannot be written; it is then as it was.
    pub fn keep_scanned(
        &mut self,
        kept: &[ScannedRow],
        asked: &[(&'static str, String)],
        now: i64,
    ) -> Result<(), RunsError> {
        let path = self.path.clone();
        self.put_scanned(kept, asked, now)
            .map_err(|error| super::explain(&path, error))
    }

    fn put_scanned(
        &mut self,
        kept: &[ScannedRow],
        asked: &[(&'static str, String)],
        now: i64,
    ) -> rusqlite::Result<()> {
        const DAY: i64 = 86_400;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut put = transaction
                .prepare("INSERT OR REPLACE INTO scanned VALUES (?1,?2,?3,?4,?5,?6,?7,?8)")?;
            for row in kept {
                put.execute(params![
                    row.kind,
                    row.place,
                    row.digest,
                    rows::size(row.documents),
                    rows::size(row.of_interest),
                    rows::size(row.commits),
                    now,
                    row.packed,
                ])?;
            }
            let mut note = transaction.prepare(
                "UPDATE scanned SET asked = ?3 WHERE kind = ?1 AND place = ?2 AND (asked < ?4 OR asked > ?3)",
            )?;
            for (kind, place) in asked {
                note.execute(params![kind, place, now, now - NOTED_DAYS * DAY])?;
            }
            transaction.execute(
                "DELETE FROM scanned WHERE asked < ?1",
                [now - UNUSED_DAYS * DAY],
            )?;
        }
        transaction.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_handed_out_under_its_digest_only() {
        const DAY: i64 = 86_400;
        let state = tempfile::tempdir().unwrap();
        let mut runs = Runs::open(state.path()).unwrap();
        let row = ScannedRow {
            kind: "files",
            place: "p".into(),
            digest: "d".into(),
            documents: 3,
            of_interest: 1,
            commits: 0,
            packed: vec![1, 2],
        };
        runs.keep_scanned(&[row], &[], 100 * DAY).unwrap();
        assert_eq!(runs.scanned("files", "p", "d").unwrap(), Some(vec![1, 2]));
        assert_eq!(runs.scanned("files", "p", "other").unwrap(), None);
        assert_eq!(runs.scanned("history", "p", "d").unwrap(), None);
        let asked = [("files", "p".to_owned())];
        runs.keep_scanned(&[], &asked, 140 * DAY).unwrap();
        runs.keep_scanned(&[], &[], 190 * DAY).unwrap();
        assert!(runs.scanned("files", "p", "d").unwrap().is_some());
        runs.keep_scanned(&[], &[], 201 * DAY).unwrap();
        assert!(runs.scanned("files", "p", "d").unwrap().is_none());
    }
}
