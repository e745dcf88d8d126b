//! The files of the plan in the report folder of a scan, and the tickets that are made of nothing but the plan: made again only
//! where what they are made from has changed, or where somebody changed them.

use super::exit::Failure;
use super::keeping::Keeping;
use super::{environment, outputs};
use crate::model::aws::AwsAccount;
use crate::model::{Artefact, Report, Written};
use crate::report::{Format, Options};
use crate::scan::{RuleSet, plan_key};
use crate::sources::Halt;
use crate::store::folder::{self, Folder};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What is kept of files that were made.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// What the file system said of them,
    state: String,
    /// and of the tickets.
    tickets: Option<String>,
    /// The files of each item, in the order of the plan.
    items: Vec<Vec<Artefact>>,
}

/// Formats that are made of nothing but the plan.
const TICKETS: [Format; 2] = [Format::TicketsCsv, Format::TicketsGithub];

/// Files that are in their place, or are to be put there.
pub(super) struct PlanFiles {
    out: PathBuf,
    place: PathBuf,
    /// What they are made from.
    key: Option<String>,
    /// The new files; none where the old ones are the same.
    new: Option<Folder>,
    /// There are files for all items.
    whole: bool,
    /// The tickets are the same as well.
    same_tickets: bool,
}

impl PlanFiles {
    /// Makes them, and lists them in the report and in what of it is written already.
    pub(super) fn make(
        (out, options): (&Path, Options),
        report: &mut Report,
        mut written: Option<&mut Written>,
        (accounts, rules): (&[AwsAccount], &RuleSet),
        keeping: &Keeping,
        late: &Halt,
    ) -> Result<Self, Failure> {
        let place = out.join("plan");
        let how = (environment::program(), options.csv_bom, options.csv_raw);
        let key = written
            .as_deref()
            .and_then(|written| plan_key(report, written, accounts, rules, &format!("{how:?}")));
        let kept = key.as_ref().and_then(|key| {
            let kept = keeping.plan_files(&place, key)?;
            serde_json::from_slice::<Kept>(&kept).ok()
        });
        let tickets = kept.as_ref().and_then(|kept| kept.tickets.clone());
        let known = kept.is_some_and(|kept| take(report, &place, kept));
        let new = if known {
            None
        } else {
            outputs::artefacts(Some(&place), report, accounts, rules, late)?
        };
        if let Some(written) = &mut written {
            let again = written.plan_again(report);
            again.context("writing the plan as JSON")?;
        }
        Ok(Self {
            out: out.to_owned(),
            place,
            key,
            whole: !late.called(),
            same_tickets: known && tickets.is_some() && tickets == state_of_tickets(out),
            new,
        })
    }

    /// Formats of which the files are as they would be written.
    pub(super) fn left(&self) -> &'static [Format] {
        if self.same_tickets { &TICKETS } else { &[] }
    }

    /// Puts them in their place.
    pub(super) fn put(self, report: &Report, keeping: &mut Keeping) -> Result<(), Failure> {
        if self.new.is_none() && self.same_tickets {
            return Ok(());
        }
        outputs::put(self.new)?;
        let state = folder::state(&self.place, files(report));
        let (Some(key), Some(state), true) = (self.key, state, self.whole) else {
            return Ok(());
        };
        let items: Vec<_> = report
            .plan
            .iter()
            .map(|item| item.artefacts.clone())
            .collect();
        let many = items.iter().map(Vec::len).sum();
        let tickets = state_of_tickets(&self.out);
        let kept = serde_json::to_vec(&Kept {
            state,
            tickets,
            items,
        });
        let kept = kept.context("noting the files of the plan")?;
        keeping.keep_plan_files(&self.place, &key, &kept, many);
        Ok(())
    }
}

/// Lists the files that are kept in the report; whether all of them are as they were.
fn take(report: &mut Report, place: &Path, kept: Kept) -> bool {
    if kept.items.len() != report.plan.len() {
        return false;
    }
    for (item, artefacts) in report.plan.iter_mut().zip(kept.items) {
        item.artefacts = artefacts;
    }
    let same = folder::state(place, files(report)) == Some(kept.state);
    if !same {
        for item in &mut report.plan {
            item.artefacts.clear();
        }
    }
    same
}

/// What the file system says of the tickets.
fn state_of_tickets(out: &Path) -> Option<String> {
    let names = TICKETS.iter().filter_map(|format| format.file_name());
    folder::state_of_files(names.map(|name| out.join(name)))
}

/// Paths of the files in the folder of the plan.
fn files(report: &Report) -> impl Iterator<Item = String> {
    let items = report.plan.iter().flat_map(|item| {
        let below = outputs::below(item);
        let paths = item.artefacts.iter();
        paths.map(move |one| format!("{below}/{}", one.path))
    });
    items.chain([outputs::CONTENTS.to_owned()])
}
