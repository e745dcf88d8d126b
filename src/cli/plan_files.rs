//! The files of the plan in the report folder of a scan, and the tables that are made of nothing but the plan and what was
//! judged: made again only where what they are made from has changed, or where somebody changed them.

use super::exit::Failure;
use super::keeping::Keeping;
use super::outputs::Ready;
use super::{environment, outputs};
use crate::model::aws::AwsAccount;
use crate::model::{Artefact, Report, Written};
use crate::report::{self, Format, Options};
use crate::scan::{RuleSet, plan_key, tables_key, tickets_key};
use crate::sources::Halt;
use crate::store::folder::{self, Folder};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// What is kept of files that were made.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// What they were made from, with the files themselves.
    key: String,
    /// What the file system said of them.
    state: String,
    /// What the tickets were made from.
    tickets: Option<String>,
    /// What the file system said of those.
    state_of_tickets: Option<String>,
    /// What the table was made from.
    tables: Option<String>,
    /// What the file system said of it.
    state_of_tables: Option<String>,
    /// Digest of the waves of the plan as Markdown.
    waves: Option<String>,
    /// The files of each item, in the order of the plan.
    items: Vec<Vec<Artefact>>,
}

/// Formats that are made of nothing but the plan and what was judged.
const TICKETS: [Format; 2] = [Format::TicketsCsv, Format::TicketsGithub];
/// Those that tell what became of it as well.
const TABLES: [Format; 1] = [Format::PlanCsv];
/// Both.
const ALL: [Format; 3] = [Format::PlanCsv, Format::TicketsCsv, Format::TicketsGithub];

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
    /// What the tickets are made from.
    tickets: Option<String>,
    /// They are the same as well.
    same_tickets: bool,
    /// What the tables are made from.
    tables: Option<String>,
    /// So are they.
    same_tables: bool,
    /// And so are the waves of the plan as Markdown.
    waves: Option<Vec<u8>>,
}

/// What is kept of the files of an earlier plan, listed in the report as long as nobody has found that they are not its own.
pub(super) struct Recalled {
    out: PathBuf,
    place: PathBuf,
    kept: Option<Kept>,
}

impl Recalled {
    /// Takes up what is kept.
    pub(super) fn take(out: &Path, report: &mut Report, keeping: &Keeping) -> Self {
        let place = out.join("plan");
        let mut kept = keeping
            .plan_files(&place)
            .and_then(|kept| serde_json::from_slice::<Kept>(&kept).ok())
            .filter(|kept| kept.items.len() == report.plan.len());
        if let Some(kept) = &mut kept {
            let items = std::mem::take(&mut kept.items);
            for (item, artefacts) in report.plan.iter_mut().zip(items) {
                item.artefacts = artefacts;
            }
        }
        Self {
            out: out.to_owned(),
            place,
            kept,
        }
    }

    /// Makes the files that are not there already, and lists them in the report and in what of it is written.
    pub(super) fn make(
        self,
        report: &mut Report,
        mut written: Option<&mut Written>,
        (accounts, rules): (&[AwsAccount], &RuleSet),
        options: Options,
        late: &Halt,
    ) -> Result<PlanFiles, Failure> {
        let Self { out, place, kept } = self;
        let how = (environment::program(), options.csv_bom, options.csv_raw);
        let how = format!("{how:?}");
        let key = |report: &Report, written: Option<&Written>| {
            plan_key(report, written?, accounts, rules, &how)
        };
        let mut made_from = key(report, written.as_deref());
        let kept = kept.filter(|kept| {
            made_from.as_ref() == Some(&kept.key)
                && folder::state(&place, files(report)).as_ref() == Some(&kept.state)
        });
        let new = if kept.is_some() {
            None
        } else {
            for item in &mut report.plan {
                item.artefacts.clear();
            }
            let new = outputs::artefacts(Some(&place), report, accounts, rules, late)?;
            if let Some(written) = &mut written {
                let again = written.plan_again(report);
                again.context("writing the plan as JSON")?;
            }
            made_from = key(report, written.as_deref());
            new
        };
        let tickets = made_from
            .as_deref()
            .zip(written.as_deref())
            .map(|(key, written)| tickets_key(written, key));
        let tables = tickets.as_deref().and_then(|key| tables_key(report, key));
        let kept = kept.filter(|kept| tickets.is_some() && tickets == kept.tickets);
        let stands = |state: Option<&String>, formats: &[Format]| {
            state.is_some() && state == state_of(&out, formats).as_ref()
        };
        let of_tickets = kept
            .as_ref()
            .and_then(|kept| kept.state_of_tickets.as_ref());
        let same_tickets = stands(of_tickets, &TICKETS);
        let same = kept.filter(|kept| tables.is_some() && tables == kept.tables);
        let of_tables = same.as_ref().and_then(|kept| kept.state_of_tables.as_ref());
        Ok(PlanFiles {
            same_tickets,
            same_tables: stands(of_tables, &TABLES),
            waves: same.and_then(|kept| kept.waves).and_then(|digest| {
                let (now, text) = waves_in(&out)?;
                (now == digest).then_some(text)
            }),
            out,
            place,
            key: made_from,
            whole: !late.called(),
            tickets,
            tables,
            new,
        })
    }
}

impl PlanFiles {
    /// What is there already, and the entries of the long lists.
    pub(super) fn ready<'a>(&mut self, entries: Option<&'a Written>) -> Ready<'a> {
        Ready {
            entries,
            waves: self.waves.take(),
            files: match (self.same_tickets, self.same_tables) {
                (true, true) => &ALL,
                (true, false) => &TICKETS,
                (false, true) => &TABLES,
                (false, false) => &[],
            },
        }
    }

    /// Puts them in their place.
    pub(super) fn put(self, report: &Report, keeping: &mut Keeping) -> Result<(), Failure> {
        if self.new.is_none() && self.same_tickets && self.same_tables {
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
        let kept = serde_json::to_vec(&Kept {
            key,
            state,
            tickets: self.tickets,
            state_of_tickets: state_of(&self.out, &TICKETS),
            tables: self.tables,
            state_of_tables: state_of(&self.out, &TABLES),
            waves: waves_in(&self.out).map(|(digest, _)| digest),
            items,
        });
        let kept = kept.context("noting the files of the plan")?;
        keeping.keep_plan_files(&self.place, kept, many);
        Ok(())
    }
}

/// The waves of the plan in the folder of the reports, and their digest.
fn waves_in(out: &Path) -> Option<(String, Vec<u8>)> {
    let mut text = fs::read(out.join(Format::Markdown.file_name()?)).ok()?;
    let from = text.len() - report::waves(&text)?.len();
    text.drain(..from);
    Some((blake3::hash(&text).to_hex().to_string(), text))
}

/// What the file system says of the files of these formats.
fn state_of(out: &Path, formats: &[Format]) -> Option<String> {
    let names = formats.iter().filter_map(|format| format.file_name());
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
