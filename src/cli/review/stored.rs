//! The run under review: what its lists need is read at once, the rest of an entry when its page is opened.

use super::super::args::Global;
use super::super::exit::Failure;
use super::super::runs;
use crate::model::Report;
use crate::store::runs::{Runs, Wanted};
use crate::tui::Whole;
use std::sync::{Mutex, PoisonError};

/// A stored run.
pub(super) struct Stored {
    /// What its lists need; everything, of a run that was stored in one piece.
    pub(super) report: Report,
    /// The rest.
    pub(super) rest: Option<Rest>,
}

/// The entries of a stored run, read one by one.
pub(super) struct Rest(Mutex<(Runs, Report)>);

impl Stored {
    pub(super) fn open(global: &Global, id: Option<&str>) -> Result<Self, Failure> {
        let (report, runs) = runs::light(global, id)?;
        let rest = if runs.in_parts(&report.run.id).map_err(runs::failed)? {
            let page = report.head();
            Some(Rest(Mutex::new((runs, page))))
        } else {
            None
        };
        Ok(Self { report, rest })
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the entries of a stored run")
    }
}

impl Whole for Rest {
    fn with(&self, wanted: &Wanted, read: &mut dyn FnMut(&Report)) -> Result<(), String> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (runs, page) = &mut *held;
        runs.pick(wanted, page).map_err(|error| error.to_string())?;
        read(page);
        Ok(())
    }
}
