//! What people decided: an append-only file of one JSON object a line, made to be committed and merged.
//!
//! Nothing is ever changed or removed; a later event about the same scope takes the place of an earlier one.

use super::atomic::{self, WriteError};
use crate::model::{CredentialId, Disposition, FindingId, IdentityId};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
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
    /// Events in file order.
    pub events: Vec<Event>,
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
            return Ok(decisions);
        }
        let reason = if bytes.len() > LONGEST_LINE && !bytes.ends_with(b"\n") {
            skip_line(&mut reader).map_err(fail)?;
            format!("longer than {LONGEST_LINE} bytes")
        } else if bytes.trim_ascii().is_empty() {
            continue;
        } else {
            match serde_json::from_slice(&bytes) {
                Ok(event) => {
                    decisions.events.push(event);
                    continue;
                }
                Err(_) => "not a decision of a version this program knows".to_owned(),
            }
        };
        decisions.bad.push(BadLine { line, reason });
    }
    decisions.bad.push(BadLine {
        line: MOST_LINES + 1,
        reason: format!("lines after {MOST_LINES} are not read"),
    });
    Ok(decisions)
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

/// Adds one event and waits until it is on the disk.
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
mod tests {
    use super::*;

    fn event(decision: Decision) -> Event {
        Event {
            at: "2026-11-01T10:00:00Z".parse().unwrap(),
            actor: "dana".into(),
            scope: Scope::Finding(FindingId::of(&["x"])),
            decision,
            reason: "rotated\nyesterday".into(),
            expires: Some("2027-01-31".parse().unwrap()),
            ticket: Some("SEC-12".into()),
        }
    }

    fn all() -> Vec<Event> {
        [
            Decision::AcceptRisk,
            Decision::FalsePositive,
            Decision::Remediate,
            Decision::Defer,
            Decision::Owner {
                owner: "platform".into(),
            },
            Decision::Purpose {
                purpose: "nightly export".into(),
            },
            Decision::BreakGlass { confirmed: true },
            Decision::Disposition {
                disposition: Disposition::KeepStanding,
            },
            Decision::Reopen,
        ]
        .map(event)
        .into()
    }

    #[test]
    fn events_come_back_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/decisions.jsonl");
        assert_eq!(read(&path).unwrap(), Decisions::default());
        for event in all() {
            append(&path, &event).unwrap();
        }
        let found = read(&path).unwrap();
        assert_eq!(found.events, all());
        assert_eq!(found.bad, []);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), all().len());
        insta::assert_snapshot!(text.lines().nth(4).unwrap(), @r#"{"at":"2026-11-01T10:00:00Z","actor":"dana","scope":{"finding":"f-62f927a1d3d0ff98"},"decision":"owner","owner":"platform","reason":"rotated\nyesterday","expires":"2027-01-31","ticket":"SEC-12"}"#);
    }

    #[test]
    fn a_bad_line_is_numbered_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let good = serde_json::to_string(&event(Decision::Defer)).unwrap();
        let long = "x".repeat(LONGEST_LINE + 10);
        let text = format!("{good}\nnonsense\n\n{long}\n\u{0}\n{good}\n{{\"at\":");
        atomic::write(&path, text.as_bytes()).unwrap();
        let found = read(&path).unwrap();
        assert_eq!(found.events.len(), 2);
        let lines: Vec<_> = found.bad.iter().map(|bad| bad.line).collect();
        assert_eq!(lines, [2, 4, 5, 7]);
        append(&path, &event(Decision::Reopen)).unwrap();
        assert_eq!(read(&path).unwrap().events.len(), 3);
    }
}
