//! The run under review: its report in brief is read at once, an entry when its page is opened.

use super::super::args::Global;
use super::super::exit::Failure;
use super::super::runs;
use crate::model::aws::AwsAccount;
use crate::model::brief::Brief;
use crate::model::{PlanItemId, Report};
use crate::rules::config::Config;
use crate::scan::{self, Measures};
use crate::sources::Halt;
use crate::store::runs::{Runs, Wanted};
use crate::tui::{File, Whole};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A stored run.
pub(super) struct Stored {
    /// Its report without the long lists; everything, of a run that was stored in one piece.
    pub(super) report: Report,
    /// The long lists.
    pub(super) rest: Option<Rest>,
}

/// The entries of a stored run: in brief, and read one by one.
pub(super) struct Rest {
    brief: Brief,
    held: Mutex<Held>,
}

struct Held {
    runs: Runs,
    page: Report,
    /// The accounts of the run, once they were needed.
    accounts: Option<Vec<AwsAccount>>,
    config: Config,
    /// What its plan was made with, once it was needed.
    measures: Option<Measures>,
}

impl Stored {
    pub(super) fn open(
        global: &Global,
        config: &Config,
        id: Option<&str>,
    ) -> Result<Self, Failure> {
        let (report, brief, runs) = runs::brief(global, id)?;
        let rest = if runs.in_parts(&report.run.id).map_err(runs::failed)? {
            let held = Mutex::new(Held {
                runs,
                page: report.clone(),
                accounts: None,
                config: config.clone(),
                measures: None,
            });
            Some(Rest { brief, held })
        } else {
            None
        };
        Ok(Self { report, rest })
    }
}

impl Rest {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the entries of a stored run")
    }
}

impl Whole for Rest {
    fn brief(&self) -> &Brief {
        &self.brief
    }

    fn with(&self, wanted: &Wanted, read: &mut dyn FnMut(&Report)) -> Result<(), String> {
        let mut held = self.held();
        let Held { runs, page, .. } = &mut *held;
        runs.pick(wanted, page).map_err(|error| error.to_string())?;
        read(page);
        Ok(())
    }

    fn files(&self, wanted: &Wanted, id: &PlanItemId) -> Result<Vec<File>, String> {
        let mut held = self.held();
        let Held {
            runs,
            page,
            accounts,
            config,
            measures,
        } = &mut *held;
        runs.pick(wanted, page).map_err(|error| error.to_string())?;
        let accounts = match accounts {
            Some(known) => known,
            None => accounts.insert(
                runs.accounts(&page.run.id)
                    .map_err(|error| error.to_string())?,
            ),
        };
        let measures = match measures {
            Some(known) => known,
            None => {
                measures.insert(Measures::load(config.clone()).map_err(|error| error.to_string())?)
            }
        };
        page.plan.retain(|item| item.id == *id);
        let files = Mutex::new(Vec::new());
        scan::make_artefacts(page, accounts, measures, &Halt::default(), |item, made| {
            let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
            files.extend(made.into_iter().map(|one| File {
                path: format!("{}/{}", item.folder, one.path),
                about: one.description,
                text: one.text,
            }));
            Ok::<_, String>(())
        })?;
        Ok(files.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}
