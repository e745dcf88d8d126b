//! The file: read line by line, added to and never changed.

use super::event::{Event, Recorded, id_of};
use crate::store::atomic::{self, WriteError};
use blake3::Hasher;
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Longest line that is read, in bytes.
pub(super) const LONGEST_LINE: usize = 64 * 1024;
/// Most lines that are read.
const MOST_LINES: usize = 1_000_000;

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
    /// An event says more than is read again.
    #[error("a decision says at most {LONGEST_LINE} bytes; give a shorter reason")]
    Long,
}

/// Reads a decision file; one that is not there holds nothing.
///
/// # Errors
/// When it is there and cannot be read. Lines that are not events are no error; they are in [`Decisions::bad`].
pub fn read(path: &Path) -> Result<Decisions, DecisionError> {
    Ok(Log::open(path)?.1)
}

fn read_with(path: &Path, hasher: &mut Hasher) -> Result<Decisions, DecisionError> {
    let fail = |source| DecisionError::Read {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Decisions::default()),
        Err(error) => return Err(fail(error)),
    };
    let mut reader = BufReader::new(Hashed { file, hasher });
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

pub(super) fn recorded(line: &[u8]) -> Option<Recorded> {
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
    added(path, events).map(|_| ())
}

/// The bytes that were added.
fn added(path: &Path, events: &[Event]) -> Result<Vec<u8>, DecisionError> {
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
        let before = line.len();
        serde_json::to_writer(&mut line, event).map_err(|error| fail(error.into()))?;
        if line.len() - before > LONGEST_LINE {
            return Err(DecisionError::Long);
        }
        line.push(b'\n');
    }
    file.write_all(&line).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    Ok(line)
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

/// A decision file that is written to for some time, and that others may write to meanwhile.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    /// Of what was read and added.
    hasher: Hasher,
}

impl Log {
    /// Reads a decision file; one that is not there holds nothing.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn open(path: &Path) -> Result<(Self, Decisions), DecisionError> {
        let mut log = Self {
            path: path.to_owned(),
            hasher: Hasher::new(),
        };
        let decisions = log.read()?;
        Ok((log, decisions))
    }

    /// Reads it again, from the start.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&mut self) -> Result<Decisions, DecisionError> {
        self.hasher.reset();
        read_with(&self.path, &mut self.hasher)
    }

    /// Reads it again, where it is not as it was left.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn changed(&mut self) -> Result<Option<Decisions>, DecisionError> {
        let mut now = Hasher::new();
        match File::open(&self.path) {
            Ok(file) => {
                let read = now.update_reader(file);
                read.map_err(|source| DecisionError::Read {
                    path: self.path.clone(),
                    source,
                })?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(DecisionError::Read {
                    path: self.path.clone(),
                    source,
                });
            }
        }
        if now.finalize() == self.hasher.finalize() {
            return Ok(None);
        }
        self.read().map(Some)
    }

    /// Adds events that were made together, and waits until they are on the disk.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn append(&mut self, events: &[Event]) -> Result<(), DecisionError> {
        let bytes = added(&self.path, events)?;
        self.hasher.update(&bytes);
        Ok(())
    }
}

/// A file of which everything that is read is digested.
struct Hashed<'h> {
    file: File,
    hasher: &'h mut Hasher,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
