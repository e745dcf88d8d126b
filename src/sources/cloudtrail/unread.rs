//! What lay among the logs and was not counted: told, so that nobody takes silence for absence.

use super::SOURCE;
use super::names::plural;
use crate::model::{Coverage, CoverageStatus};
use std::collections::BTreeMap;
use std::path::Path;

/// Files that are named one by one.
const MAX_NAMED: usize = 3;
/// Kinds of files that are named one by one.
const MAX_KINDS: usize = 6;

/// Counts of what was left out.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Files of other kinds, by the end of their names.
    kinds: BTreeMap<String, u64>,
    /// Files without any event.
    empty: Names,
    /// Records of something else, and the files they stand in.
    foreign: u64,
    foreign_in: Names,
}

/// The first few of many.
#[derive(Debug, Default)]
struct Names {
    first: Vec<String>,
    count: u64,
}

impl Names {
    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.first.len() < MAX_NAMED {
            self.first.push(name.to_owned());
        }
    }

    fn told(&self) -> String {
        let named = self.first.join(", ");
        match self.count.saturating_sub(self.first.len() as u64) {
            0 => named,
            more => format!("{named} and {more} more"),
        }
    }
}

impl Unread {
    /// A file that was not opened because of its name.
    pub(super) fn other_kind(&mut self, path: &Path) {
        let end = path
            .extension()
            .and_then(|end| end.to_str())
            .filter(|end| end.len() <= 12 && end.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let kind = end.map_or_else(
            || "without an ending".to_owned(),
            |end| format!(".{}", end.to_ascii_lowercase()),
        );
        *self.kinds.entry(kind).or_default() += 1;
    }

    /// A file that was read and holds no event.
    pub(super) fn empty(&mut self, uri: &str) {
        self.empty.add(uri);
    }

    /// Records of something else in a file.
    pub(super) fn foreign(&mut self, uri: &str, records: u64) {
        if records > 0 {
            self.foreign += records;
            self.foreign_in.add(uri);
        }
    }

    /// Lines of the coverage.
    pub(super) fn told(&self) -> Vec<Coverage> {
        let skipped = |unit: &str, text| Coverage::new(SOURCE, unit, CoverageStatus::Skipped, text);
        let mut list = Vec::new();
        if !self.kinds.is_empty() {
            let mut kinds: Vec<(&String, &u64)> = self.kinds.iter().collect();
            kinds.sort_by(|(a, many), (b, few)| few.cmp(many).then_with(|| a.cmp(b)));
            let count: u64 = self.kinds.values().sum();
            let named: Vec<String> = kinds
                .iter()
                .take(MAX_KINDS)
                .map(|(kind, count)| format!("{kind} {count}"))
                .collect();
            list.push(skipped(
                "files of other kinds",
                format!(
                    "{} not opened ({}): logs are .json, .jsonl, .ndjson, .log or .csv, packed with gzip or not; unpack archives first",
                    plural(count, "file"),
                    named.join(", ")
                ),
            ));
        }
        if self.empty.count > 0 {
            list.push(skipped(
                "files without events",
                format!(
                    "{} without any CloudTrail event: {}",
                    plural(self.empty.count, "file"),
                    self.empty.told()
                ),
            ));
        }
        if self.foreign > 0 {
            list.push(skipped(
                "records of other kinds",
                format!(
                    "{} of something else than CloudTrail, or of it in a schema that keeps no original event, such as a security lake's: {}",
                    plural(self.foreign, "record"),
                    self.foreign_in.told()
                ),
            ));
        }
        list
    }
}
