//! What a run could not read whole, looked up by the sources that something is known from.

use super::{Coverage, Report};
use std::collections::{BTreeMap, BTreeSet};

/// Sources that tell of accounts and name no account where a whole file could not be read.
const OF_ACCOUNTS: [&str; 2] = ["aws-snapshot", "cloudtrail"];
/// How the inputs begin that are accounts.
const ACCOUNT: &str = "aws/";

/// What a run could not read whole.
#[derive(Debug)]
pub struct Unread<'r> {
    coverage: &'r [Coverage],
    inputs: BTreeSet<&'r str>,
    /// Units with their places in the coverage, the first of each.
    units: BTreeMap<&'r str, usize>,
    /// The first that may be of any account.
    accounts: Option<usize>,
    /// The first that is of none of the inputs: it may be of one that is missing among them.
    elsewhere: Option<usize>,
}

impl<'r> Unread<'r> {
    /// Of this report.
    pub fn new(report: &'r Report) -> Self {
        Self::of_run(&report.run.inputs, &report.coverage)
    }

    /// Of a run over these inputs.
    pub fn of_run(inputs: &'r [String], coverage: &'r [Coverage]) -> Self {
        let mut unread = Self {
            coverage,
            inputs: inputs.iter().map(String::as_str).collect(),
            units: BTreeMap::new(),
            accounts: None,
            elsewhere: None,
        };
        for (place, entry) in coverage.iter().enumerate() {
            if !entry.status.incomplete() {
                continue;
            }
            let unit = entry.unit.as_str();
            unread.units.entry(unit).or_insert(place);
            if !unread.is_of_an_input(unit) {
                unread.elsewhere.get_or_insert(place);
                if OF_ACCOUNTS.contains(&entry.source.as_str()) {
                    unread.accounts.get_or_insert(place);
                }
            }
        }
        unread
    }

    fn is_of_an_input(&self, unit: &str) -> bool {
        let ends = unit.match_indices('/').map(|(end, _)| end);
        let mut parts = ends.chain([unit.len()]).filter_map(|end| unit.get(..end));
        parts.any(|part| self.inputs.contains(part))
    }

    /// The first because of which something of this source may be missing.
    pub fn of(&self, source: &str) -> Option<&'r Coverage> {
        let below = format!("{source}/");
        let parts = self.units.range(below.as_str()..);
        let parts = parts.take_while(|(unit, _)| unit.starts_with(&below));
        let own = parts
            .map(|(_, place)| *place)
            .chain(self.units.get(source).copied());
        let accounts = self.accounts.filter(|_| source.starts_with(ACCOUNT));
        let elsewhere = self.elsewhere.filter(|_| !self.inputs.contains(source));
        self.coverage
            .get(own.chain(accounts).chain(elsewhere).min()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CoverageStatus, Run, Summary, Tool, report::SCHEMA};
    use jiff::Timestamp;

    fn told(inputs: &[&str], entries: &[(&str, &str)], source: &str) -> Option<String> {
        let entry = |(source, unit): &(&str, &str)| {
            Coverage::new(*source, *unit, CoverageStatus::Failed, "damaged")
        };
        let report = Report {
            schema: SCHEMA.to_owned(),
            tool: Tool {
                name: String::new(),
                version: String::new(),
            },
            run: Run {
                id: String::new(),
                now: Timestamp::UNIX_EPOCH,
                inputs: inputs.iter().map(ToString::to_string).collect(),
                rules_digest: String::new(),
                policy_digest: String::new(),
                fingerprint_key: String::new(),
                complete: false,
            },
            coverage: entries.iter().map(entry).collect(),
            summary: Summary::default(),
            identities: Vec::new(),
            credentials: Vec::new(),
            grants: Vec::new(),
            consumers: Vec::new(),
            roles: Vec::new(),
            bindings: Vec::new(),
            capabilities: Vec::new(),
            observed: crate::model::Observed::default(),
            edits: Vec::new(),
            origins: BTreeMap::new(),
            findings: Vec::new(),
            assessments: Vec::new(),
            plan: Vec::new(),
            changes: None,
        };
        let unread = Unread::new(&report);
        unread.of(source).map(|entry| entry.unit.clone())
    }

    #[test]
    fn what_may_be_missing_is_what_its_sources_did_not_tell() {
        let one = |entries: &[(&str, &str)], source| told(&["w/a", "aws/1"], entries, source);
        assert_eq!(one(&[], "w/a"), None);
        assert_eq!(one(&[("git", "w/a")], "w/a").as_deref(), Some("w/a"));
        assert_eq!(one(&[("files", "w/a/x")], "w/a").as_deref(), Some("w/a/x"));
        assert_eq!(one(&[("git", "w/a")], "w/b"), None);
        // A file of an account that does not say which.
        let file = [("aws-snapshot", "export.json")];
        assert_eq!(one(&file, "aws/1").as_deref(), Some("export.json"));
        assert_eq!(one(&file, "w/a"), None);
        assert_eq!(one(&[("aws-snapshot", "aws/1/x")], "aws/2"), None);
        // What is missing among the inputs may be what could not be read.
        let part = [("files", "part 2/4")];
        assert_eq!(one(&part, "w/b").as_deref(), Some("part 2/4"));
        assert_eq!(one(&part, "w/a"), None);
    }
}
