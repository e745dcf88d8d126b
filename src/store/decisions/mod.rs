//! What people decided: an append-only file of one JSON object a line, made to be committed and merged.
//!
//! Nothing is ever changed or removed. An event names those about the same thing that its author knew (`after`) and takes
//! their place; the order of lines means nothing, and the same line twice is one event. Two that do not know of each other
//! and disagree are a conflict, which is shown until somebody decides knowing both.

mod apply;
mod fold;

pub use apply::{Applied, RuleAt, apply_to_assessments, apply_to_findings, apply_to_inventory};
pub use fold::{Held, Register, Standing, Topic};

use super::atomic::{self, WriteError};
use crate::model::{CredentialId, Disposition, FindingId, IdentityId};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Name of the decision file in the state folder.
pub const FILE: &str = "decisions.jsonl";
/// Longest line that is read, in bytes.
const LONGEST_LINE: usize = 64 * 1024;
/// Most lines that are read.
const MOST_LINES: usize = 1_000_000;

/// What a decision is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// One finding.
    Finding(FindingId),
    /// One credential and all its findings.
    Credential(CredentialId),
    /// One identity and all its findings.
    Identity(IdentityId),
    /// All findings of a rule below a path.
    RulePath(RulePath),
}

/// A rule and where it is spoken of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RulePath {
    /// Id of a check; `*` and `?` stand for any text and any character.
    pub rule: String,
    /// The same over `repository/path`, or the path alone.
    pub path: String,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finding(id) => write!(f, "finding {id}"),
            Self::Credential(id) => write!(f, "credential {id}"),
            Self::Identity(id) => write!(f, "identity {id}"),
            Self::RulePath(at) => write!(f, "rule {} at {}", at.rule, at.path),
        }
    }
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "decision")]
pub enum Decision {
    /// Leave it as it is, until the expiry.
    AcceptRisk,
    /// It is not what the finding says.
    FalsePositive,
    /// It will be fixed.
    Remediate,
    /// Look again after the expiry.
    Defer,
    /// Who owns it.
    Owner {
        /// The owner.
        owner: String,
    },
    /// What it is for.
    Purpose {
        /// The purpose.
        purpose: String,
    },
    /// Whether it is emergency access.
    BreakGlass {
        /// It is.
        confirmed: bool,
    },
    /// Another disposition than the one computed.
    Disposition {
        /// The disposition.
        disposition: Disposition,
    },
    /// Takes back what was decided before.
    Reopen,
}

impl Decision {
    /// Whether it only takes back what was decided before.
    pub fn takes_back(&self) -> bool {
        match self {
            Self::Reopen => true,
            Self::Owner { owner } => owner.is_empty(),
            Self::Purpose { purpose } => purpose.is_empty(),
            _ => false,
        }
    }

    /// Lower-case word used in every output.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::AcceptRisk => "accept-risk",
            Self::FalsePositive => "false-positive",
            Self::Remediate => "remediate",
            Self::Defer => "defer",
            Self::Owner { .. } => "owner",
            Self::Purpose { .. } => "purpose",
            Self::BreakGlass { .. } => "break-glass",
            Self::Disposition { .. } => "disposition",
            Self::Reopen => "reopen",
        }
    }
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// About what.
    pub scope: Scope,
    /// What.
    #[serde(flatten)]
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// Until when it holds; for ever without.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<Date>,
    /// Where it is tracked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ticket: Option<String>,
    /// Ids of the events about the same thing that its author knew. Without it, all that are earlier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Vec<String>>,
    /// Run that its author looked at.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<String>,
    /// Digest of what that run told of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<String>,
}

/// An event as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Digest of all it says, known or not: another when anything of it is altered.
    pub id: String,
    /// The event.
    pub event: Event,
}

impl Recorded {
    /// An event as it will stand in the file.
    pub fn of(event: Event) -> Self {
        let value = serde_json::to_value(&event).unwrap_or_default();
        Self {
            id: id_of(&value),
            event,
        }
    }
}

/// The id of an event.
fn id_of(value: &Value) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 decision");
    canonical(value, &mut hasher);
    format!("e-{}", &hasher.finalize().to_hex()[..16])
}

/// Feeds a value in the one form it has, whatever the order of its keys.
fn canonical(value: &Value, hasher: &mut blake3::Hasher) {
    match value {
        Value::Object(map) => {
            text("{", hasher);
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            for (key, value) in sorted {
                canonical(&Value::String(key.clone()), hasher);
                canonical(value, hasher);
            }
        }
        Value::Array(list) => {
            text(&format!("[{}", list.len()), hasher);
            for one in list {
                canonical(one, hasher);
            }
        }
        other => text(&other.to_string(), hasher),
    }
}

fn text(text: &str, hasher: &mut blake3::Hasher) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

/// A line that is not an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// 1-based number.
    pub line: usize,
    /// What is wrong, without the line's content.
    pub reason: String,
}

/// What a decision file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Events by time, then by id, each once.
    pub events: Vec<Recorded>,
    /// Lines that were left out.
    pub bad: Vec<BadLine>,
}

/// Why the decision file cannot be used.
#[derive(Debug, Error)]
pub enum DecisionError {
    /// It cannot be read.
    #[error("cannot read the decisions `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Reads a decision file; one that is not there holds nothing.
///
/// # Errors
/// When it is there and cannot be read. Lines that are not events are no error; they are in [`Decisions::bad`].
pub fn read(path: &Path) -> Result<Decisions, DecisionError> {
    let fail = |source| DecisionError::Read {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Decisions::default()),
        Err(error) => return Err(fail(error)),
    };
    let mut reader = BufReader::new(file);
    let mut decisions = Decisions::default();
    let mut bytes = Vec::new();
    for line in 1..=MOST_LINES {
        bytes.clear();
        let limit = LONGEST_LINE as u64 + 1;
        let read = reader.by_ref().take(limit).read_until(b'\n', &mut bytes);
        if read.map_err(fail)? == 0 {
            decisions.settle();
            return Ok(decisions);
        }
        let reason = if bytes.len() > LONGEST_LINE && !bytes.ends_with(b"\n") {
            skip_line(&mut reader).map_err(fail)?;
            format!("longer than {LONGEST_LINE} bytes")
        } else if bytes.trim_ascii().is_empty() {
            continue;
        } else {
            match recorded(&bytes) {
                Some(recorded) => {
                    decisions.events.push(recorded);
                    continue;
                }
                None => "not a decision of a version this program knows".to_owned(),
            }
        };
        decisions.bad.push(BadLine { line, reason });
    }
    decisions.bad.push(BadLine {
        line: MOST_LINES + 1,
        reason: format!("lines after {MOST_LINES} are not read"),
    });
    decisions.settle();
    Ok(decisions)
}

fn recorded(line: &[u8]) -> Option<Recorded> {
    let value: Value = serde_json::from_slice(line).ok()?;
    Some(Recorded {
        id: id_of(&value),
        event: serde_json::from_value(value).ok()?,
    })
}

impl Decisions {
    /// Brings the events into the order that means nothing but is always the same.
    fn settle(&mut self) {
        self.events
            .sort_by(|a, b| (a.event.at, &a.id).cmp(&(b.event.at, &b.id)));
        self.events.dedup_by(|a, b| a.id == b.id);
    }
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let end = memchr::memchr(b'\n', chunk);
        let used = end.map_or(chunk.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// Adds events and waits until they are on the disk.
///
/// # Errors
/// When the file system refuses.
pub fn append(path: &Path, event: &Event) -> Result<(), DecisionError> {
    append_all(path, std::slice::from_ref(event))
}

/// Adds events that were made together, and waits until they are on the disk.
///
/// # Errors
/// When the file system refuses.
pub fn append_all(path: &Path, events: &[Event]) -> Result<(), DecisionError> {
    let fail = |source| {
        DecisionError::Write(WriteError {
            path: path.to_owned(),
            source,
        })
    };
    let mut file = atomic::append_to(path)?;
    let mut line = Vec::new();
    // A line cut short by a crash or an editor must not swallow the next one.
    if !ends_a_line(&mut file).map_err(fail)? {
        line.push(b'\n');
    }
    for event in events {
        serde_json::to_writer(&mut line, event).map_err(|error| fail(error.into()))?;
        line.push(b'\n');
    }
    file.write_all(&line).map_err(fail)?;
    file.sync_all().map_err(fail)
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests;
