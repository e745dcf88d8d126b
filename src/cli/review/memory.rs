//! What one review leaves for the next: saved filters, and which run was seen.

use super::super::exit::Failure;
use crate::store::atomic;
use crate::tui::state::SavedView;
use anyhow::Context as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Name of the file in the state folder.
const FILE: &str = "review.json";

/// What is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// Saved filters.
    pub views: Vec<SavedView>,
    /// The time of the newest run that was reviewed.
    pub reviewed: Option<Timestamp>,
}

impl Memory {
    /// Reads it; what cannot be read is as if it had never been.
    pub(super) fn read(folder: &Path) -> Self {
        std::fs::read(folder.join(FILE))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Writes it.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(FILE);
        let bytes = serde_json::to_vec_pretty(self).context("writing what the review keeps")?;
        atomic::write(&path, &bytes).context("writing what the review keeps")?;
        Ok(())
    }
}
