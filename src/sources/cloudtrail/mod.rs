//! What CloudTrail shows of the use of identities: files in any of the forms that AWS and its tools write.
//!
//! Files are read in parallel as streams; of each event a few counts are kept, joined in the order of the files' names.
//! What a file cannot tell, because it is damaged or ends too early, is a gap in the coverage.

mod event;
mod files;
mod finish;
mod lake;
mod names;
mod once;
mod rhythm;
mod spans;
mod split;
mod table;
mod tally;
#[cfg(test)]
mod tests;
mod unread;
mod who;

use crate::model::{Coverage, CoverageStatus, Observed};
use crate::sources::Halt;
use event::Record;
use files::Entry;
use names::plural;
use once::{Known, Once};
use rayon::prelude::*;
use split::{Cut, Splitter, Step};
use std::collections::BTreeMap;
use std::path::PathBuf;
use table::{Row, Table};
use tally::Sum;
use unread::Unread;

/// Name of this source in the coverage.
const SOURCE: &str = "cloudtrail";
/// Files read before what they gave is joined: few enough to bound what is held.
const BATCH: usize = 64;
/// Damaged files that are named one by one.
const MAX_NAMED: usize = 50;

/// How sessions are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Pause from which a new session begins, where the pauses themselves do not tell.
    pub session_gap_seconds: u64,
    /// How many times longer a pause between sessions is than any within one.
    pub pause_jump: u64,
    /// Of a hundred hours, those with calls from which use is continuous.
    pub continuous_percent: u8,
    /// Sessions from which a rhythm is told.
    pub least_sessions: usize,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            session_gap_seconds: 1800,
            pause_jump: 3,
            continuous_percent: 50,
            least_sessions: 3,
        }
    }
}

/// One call, as far as its action and resources follow from it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// First label of the event source: `s3`.
    pub source: &'a str,
    /// Name of the event.
    pub name: &'a str,
    /// Region.
    pub region: &'a str,
    /// Partition of the account: `aws`.
    pub partition: &'a str,
    /// Account of the caller.
    pub account: &'a str,
    /// Parameters of the request that are short texts.
    pub parameters: &'a BTreeMap<String, String>,
}

/// What events mean in the language of policies.
pub trait EventNames: Sync {
    /// Actions a call needs; none for what no policy governs.
    fn actions(&self, source: &str, name: &str) -> Vec<String>;
    /// Resources a call names in its parameters.
    fn resources(&self, call: &Call<'_>) -> Vec<String>;
}

/// What one file gave.
struct FileSum {
    sum: Sum,
    events: u64,
    broken: u64,
    large: u64,
    /// Records of something else.
    foreign: u64,
    cut: Option<Cut>,
    unreadable: bool,
    /// Ids of the events that were counted.
    ids: Vec<u64>,
    /// Events that were counted before.
    again: u64,
}

/// Reads every file under the paths, in the order of their names, until somebody says that no more is to be read.
///
/// Never fails: what cannot be read is in the coverage, and the rest counts.
pub fn read(
    paths: &[PathBuf],
    reading: &Reading,
    names: &dyn EventNames,
    halt: &Halt,
) -> (Observed, Vec<Coverage>) {
    let mut coverage = Vec::new();
    let mut unread = Unread::default();
    let files = files::list(paths, &mut coverage, &mut unread);
    let mut sum = Sum::default();
    let mut read = 0u64;
    let mut faults = Vec::new();
    let mut once = Once::default();
    let mut again = 0u64;
    let mut left = files.len();
    for batch in files.chunks(BATCH) {
        let given: Vec<FileSum> = batch
            .par_iter()
            .map(|entry| read_file(entry, names, &once, halt))
            .collect();
        let stopped = halt.called();
        for (entry, file) in batch.iter().zip(given) {
            // Files of one batch do not know of each other while they are read.
            let twice = once.any(&file.ids);
            if twice && stopped {
                continue;
            }
            let file = if twice {
                read_file(entry, names, &once, halt)
            } else {
                file
            };
            once.learn(&file.ids);
            again += file.again;
            read += u64::from(file.events > 0);
            unread.foreign(&entry.uri, file.foreign);
            match fault(entry, &file) {
                // What is missing of a file that was not read whole is told of all of them together.
                _ if stopped => {}
                Some(fault) => faults.push(fault),
                None if file.events == 0 => unread.empty(&entry.uri),
                None => {}
            }
            sum.join(file.sum);
        }
        if halt.called() {
            break;
        }
        left -= batch.len();
    }
    let more = faults.len().saturating_sub(MAX_NAMED);
    faults.truncate(MAX_NAMED);
    coverage.extend(faults);
    if more > 0 {
        coverage.push(Coverage::new(
            SOURCE,
            "other files",
            CoverageStatus::Partial,
            format!(
                "{more} more files are damaged or end too early: what they would tell is missing"
            ),
        ));
    }
    if left > 0 {
        coverage.push(Coverage::new(
            SOURCE,
            "files that were not read whole",
            CoverageStatus::Partial,
            format!(
                "the scan was stopped before {} were read whole: give it more time, or fewer logs at once",
                plural(left as u64, "file")
            ),
        ));
    } else if read == 0 && !paths.is_empty() {
        coverage.push(Coverage::new(
            SOURCE,
            "logs",
            CoverageStatus::Failed,
            "no CloudTrail event in what was named: give the files of a trail (.json.gz), of `aws cloudtrail lookup-events` or of a query",
        ));
    }
    coverage.extend(once.told(again));
    coverage.extend(unread.told());
    finish::cover(&sum, &mut coverage);
    coverage.sort();
    coverage.dedup();
    (finish::observed(&sum, reading, names), coverage)
}

fn read_file(entry: &Entry, names: &dyn EventNames, once: &Once, halt: &Halt) -> FileSum {
    let mut file = FileSum {
        sum: Sum::default(),
        events: 0,
        broken: 0,
        large: 0,
        foreign: 0,
        cut: None,
        unreadable: false,
        ids: Vec::new(),
        again: 0,
    };
    let mut known = Known::new(once);
    let Some(stream) = files::open(&entry.path) else {
        file.unreadable = true;
        return file;
    };
    if files::table(&entry.path) {
        read_table(stream, &mut file, names, &mut known, halt);
        file.ids = known.into_ids();
        return file;
    }
    let mut splitter = Splitter::new(stream);
    let mut row = BTreeMap::new();
    while !halt.called() {
        match splitter.next() {
            Step::Record(bytes) => match event::read(bytes) {
                Record::Event(seen) => count(*seen, &mut file, names, &mut known),
                Record::Column(name, value) => {
                    // Of a row told column by column, a name that comes again begins the next row.
                    if row.contains_key(&name) || row.len() > 64 {
                        end_row(&mut row, &mut file, names, &mut known);
                    }
                    row.insert(name, value);
                }
                Record::Foreign => file.foreign += 1,
                Record::Other => {}
                Record::Broken => file.broken += 1,
            },
            Step::TooLarge => file.large += 1,
            Step::End(cut) => {
                file.cut = cut;
                break;
            }
        }
    }
    end_row(&mut row, &mut file, names, &mut known);
    file.ids = known.into_ids();
    file
}

/// Counts an event, unless it was counted before.
fn count(seen: event::Seen, file: &mut FileSum, names: &dyn EventNames, known: &mut Known<'_>) {
    file.events += 1;
    if seen.id.is_some_and(|id| !known.is_new(id)) {
        file.again += 1;
        return;
    }
    file.sum.add(seen, names);
}

fn read_table(
    stream: impl std::io::Read,
    file: &mut FileSum,
    names: &dyn EventNames,
    known: &mut Known<'_>,
    halt: &Halt,
) {
    let Some(mut table) = Table::new(stream) else {
        return;
    };
    while !halt.called() {
        match table.next() {
            Row::Record(Record::Event(seen)) => count(*seen, file, names, known),
            Row::Record(Record::Broken) | Row::Broken => file.broken += 1,
            Row::Record(_) => {}
            Row::End => return,
            Row::Damaged => {
                file.cut = Some(Cut::Damaged);
                return;
            }
        }
    }
}

fn end_row(
    row: &mut BTreeMap<String, String>,
    file: &mut FileSum,
    names: &dyn EventNames,
    known: &mut Known<'_>,
) {
    if row.is_empty() {
        return;
    }
    if let Record::Event(seen) = event::row(&std::mem::take(row)) {
        count(*seen, file, names, known);
    }
}

/// What is wrong with a file.
fn fault(entry: &Entry, file: &FileSum) -> Option<Coverage> {
    let note =
        |status, reason: String| Some(Coverage::new(SOURCE, entry.uri.clone(), status, reason));
    if file.unreadable {
        return note(
            CoverageStatus::Failed,
            "cannot be read: check its permissions".to_owned(),
        );
    }
    let what = match file.cut {
        Some(Cut::Truncated) => Some("it ends in the middle: it was not copied whole"),
        Some(Cut::Damaged) => Some("it cannot be unpacked any further: it is damaged"),
        None => None,
    };
    if let Some(what) = what {
        return note(
            CoverageStatus::Partial,
            format!("{what}; read before: {}", plural(file.events, "event")),
        );
    }
    if file.broken + file.large > 0 {
        return note(
            CoverageStatus::Partial,
            format!(
                "{} damaged, without a time, or too large; read: {}",
                plural(file.broken + file.large, "record"),
                plural(file.events, "event")
            ),
        );
    }
    if file.events == 0 && entry.named {
        return note(
            CoverageStatus::Skipped,
            "holds no CloudTrail event".to_owned(),
        );
    }
    None
}
