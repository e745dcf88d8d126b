//! What people said is to be ignored. It stays in the report, with the reason, and trips no gate; what no longer matches
//! anything is told.

use crate::model::inventory::Inventory;
use crate::model::{
    Coverage, CoverageStatus, Credential, Finding, FindingStatus, Ignored, IgnoredBy, Location,
    Renames,
};
use crate::rules::config::{Ignore, Pattern};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A comment in a current file, at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Repository of the file.
    pub repository: String,
    /// Path of the file.
    pub uri: String,
    /// Line of the comment.
    pub line: u32,
    /// It speaks of the next line too.
    pub next: bool,
    /// Rules or checks it names; empty for all.
    pub rules: Vec<String>,
    /// Why; empty where none is given.
    pub reason: String,
}

impl Comment {
    /// Whether it ignores anything on a line.
    fn is_about(&self, line: u32) -> bool {
        !self.reason.is_empty()
            && (line == self.line || (self.next && line == self.line.saturating_add(1)))
    }

    /// Whether it ignores what a rule finds.
    fn names(&self, rule: &str, renames: &Renames) -> bool {
        self.rules.is_empty()
            || renames.any(rule, |name| {
                self.rules.iter().any(|one| Pattern::names(one, name))
            })
    }
}

/// The comments by repository, file and line: there may be as many of them as of findings.
struct Comments<'a> {
    lines: BTreeMap<Line<'a>, Vec<(usize, &'a Comment)>>,
    renames: &'a Renames,
}

/// Repository, path and line.
type Line<'a> = (&'a str, &'a str, u32);

impl<'a> Comments<'a> {
    fn new(comments: &'a [Comment], renames: &'a Renames) -> Self {
        let mut lines: BTreeMap<Line<'_>, Vec<_>> = BTreeMap::new();
        for (at, one) in comments.iter().enumerate() {
            let line = (one.repository.as_str(), one.uri.as_str(), one.line);
            lines.entry(line).or_default().push((at, one));
        }
        Self { lines, renames }
    }

    /// Those that are about the line of a place: of those on the line before, then of those on the line.
    fn about<'p>(&'p self, place: &'p Location) -> impl Iterator<Item = (usize, &'a Comment)> + 'p {
        let repository = place.repository.as_deref();
        let line = place.line.unwrap_or(0);
        [line.checked_sub(1), Some(line)]
            .into_iter()
            .flatten()
            .filter_map(move |on| self.lines.get(&(repository?, place.uri.as_str(), on)))
            .flatten()
            .filter(move |(_, one)| one.is_about(line))
            .copied()
    }

    /// The first that speaks of a rule at a place.
    fn covering(&self, place: &Location, rule: &str) -> Option<(usize, &'a Comment)> {
        let mut about = self.about(place);
        about.find(|(_, one)| one.names(rule, self.renames))
    }
}

/// Applies the configuration's entries and the comments; returns what has to be told of them, sorted. Of entries that match
/// nothing where everything they could match was looked for, in the `whole`.
pub fn apply(
    findings: &mut [Finding],
    inventory: &mut Inventory,
    entries: &[Ignore],
    whole: bool,
    comments: &[Comment],
    renames: &Renames,
    now: Timestamp,
) -> Vec<Coverage> {
    let mut credentials = inventory.credentials.values();
    let ignored = |one: &Credential| one.sightings.iter().any(|seen| seen.ignored.is_some());
    if entries.is_empty() && comments.is_empty() && !credentials.any(ignored) {
        return Vec::new();
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut used = vec![false; entries.len()];
    let mut heeded: Vec<bool> = comments.iter().map(|_| false).collect();
    // Of each comment, the rules that found something where it names others.
    let mut others: Vec<BTreeSet<String>> = comments.iter().map(|_| BTreeSet::new()).collect();
    let said = Comments::new(comments, renames);
    let live = |entry: &Ignore| entry.expires.is_none_or(|until| today <= until);
    for credential in inventory.credentials.values_mut() {
        let names = names(credential);
        for sighting in &mut credential.sightings {
            let place = sighting.location();
            if let Some((at, _)) = said.covering(&place, &sighting.rule) {
                mark(&mut heeded, at);
            } else {
                for (at, _) in said.about(&place) {
                    if let Some(others) = others.get_mut(at) {
                        others.insert(sighting.rule.clone());
                    }
                }
            }
            if sighting.ignored.is_some() {
                continue;
            }
            let entry = entries.iter().position(|entry| {
                live(entry) && entry.covers(&names, &place, &sighting.rule, renames)
            });
            if let Some(at) = entry {
                mark(&mut used, at);
                sighting.ignored = entries.get(at).map(of_entry);
            }
        }
    }
    for finding in findings {
        let credential = finding
            .credential
            .as_ref()
            .and_then(|id| inventory.credentials.get(id));
        let names = credential.map(names).unwrap_or_default();
        let sightings = credential.map(|one| one.sightings.as_slice());
        let mut sighted: BTreeMap<Location, Option<&Ignored>> = BTreeMap::new();
        for sighting in sightings.unwrap_or_default() {
            let first = sighted.entry(sighting.location());
            first.or_insert(sighting.ignored.as_ref());
        }
        let mut reasons = Vec::new();
        for place in &finding.locations {
            let sighted = sighted.get(place).copied().flatten().cloned();
            let comment = said.covering(place, &finding.rule);
            let entry = entries.iter().position(|entry| {
                live(entry) && entry.covers(&names, place, &finding.rule, renames)
            });
            if let Some((at, _)) = comment {
                mark(&mut heeded, at);
            }
            if let Some(at) = entry {
                mark(&mut used, at);
            }
            let commented = comment.map(|(_, comment)| Ignored {
                by: IgnoredBy::Comment,
                reason: comment.reason.clone(),
            });
            reasons.push(
                sighted
                    .or(commented)
                    .or_else(|| entry.and_then(|at| entries.get(at)).map(of_entry)),
            );
        }
        // One place that nobody spoke of keeps the finding open.
        if let Some(reasons) = reasons.into_iter().collect::<Option<Vec<Ignored>>>()
            && let Some(first) = reasons.into_iter().next()
        {
            finding.status = FindingStatus::Ignored;
            finding.ignored = Some(first);
        }
    }
    let mut notices = if whole {
        told_of_entries(entries, &used, live)
    } else {
        Vec::new()
    };
    notices.extend(told_of_comments(comments, &heeded, &others));
    notices.sort();
    notices
}

fn mark(marks: &mut [bool], at: usize) {
    if let Some(mark) = marks.get_mut(at) {
        *mark = true;
    }
}

fn of_entry(entry: &Ignore) -> Ignored {
    Ignored {
        by: IgnoredBy::Configuration,
        reason: entry.reason.clone(),
    }
}

/// What an entry can call a credential by.
fn names(credential: &Credential) -> Vec<String> {
    let fingerprint = credential
        .fingerprint
        .as_ref()
        .map(|print| print.as_str().to_owned());
    fingerprint
        .into_iter()
        .chain([credential.id.to_string()])
        .collect()
}

fn told_of_entries(
    entries: &[Ignore],
    used: &[bool],
    live: impl Fn(&Ignore) -> bool,
) -> Vec<Coverage> {
    let told = entries.iter().zip(used).filter_map(|(entry, used)| {
        let reason = match (live(entry), used) {
            (false, _) => "it has expired and ignores nothing: renew or remove it",
            (true, false) => "it matches nothing any more: remove it",
            (true, true) => return None,
        };
        Some(Coverage::new(
            "ignores",
            entry.name(),
            CoverageStatus::Noted,
            reason,
        ))
    });
    told.collect()
}

fn told_of_comments(
    comments: &[Comment],
    heeded: &[bool],
    others: &[BTreeSet<String>],
) -> Vec<Coverage> {
    let told = comments.iter().zip(heeded).zip(others);
    let told = told.filter_map(|((comment, heeded), others)| {
        let reason: String = match (comment.reason.is_empty(), heeded) {
            (true, _) => "the comment gives no reason, so it ignores nothing: write one behind it".into(),
            (false, true) => return None,
            (false, false) if others.is_empty() => "the comment ignores nothing any more: remove it".into(),
            (false, false) => {
                let others: Vec<&str> = others.iter().map(String::as_str).collect();
                let others = others.join(" and ");
                format!("the comment ignores nothing: what is there was found by {others}; name that, or remove it")
            }
        };
        let unit = format!("{}/{}:{}", comment.repository, comment.uri, comment.line);
        Some(Coverage::new(
            "ignores",
            unit,
            CoverageStatus::Noted,
            reason,
        ))
    });
    told.collect()
}
