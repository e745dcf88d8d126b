//! One run at a time per state folder.
//!
//! The lock is the operating system's: it ends with the process that holds it, however that process ends, so a lock file
//! left behind by a crash locks nothing. What the file says is only there to tell people who holds it.

use super::atomic;
use fd_lock::{RwLock, RwLockWriteGuard};
use jiff::Timestamp;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Name of the lock file in the state folder.
pub const FILE: &str = "lock";

/// Why the lock was not taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another run holds it (exit code 75).
    #[error("another run holds `{}`{}; wait for it to end, or use another state folder", path.display(), holder(*pid, *since))]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Process that holds it, if the file tells.
        pid: Option<u32>,
        /// Since when, if the file tells.
        since: Option<Timestamp>,
    },
    /// The file system refuses.
    #[error("cannot lock `{}`: {source}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn holder(pid: Option<u32>, since: Option<Timestamp>) -> String {
    let pid = pid.map(|pid| format!("process {pid}"));
    let since = since.map(|since| format!("since {since}"));
    let parts: Vec<_> = pid.into_iter().chain(since).collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join(" "))
    }
}

/// The lock file of a state folder, opened and not yet locked.
pub struct StateLock {
    path: PathBuf,
    file: RwLock<File>,
}

/// The lock, held until this is dropped.
pub struct Held<'a> {
    _guard: RwLockWriteGuard<'a, File>,
}

impl StateLock {
    /// Opens the lock file of a state folder, making both.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn open(state: &Path) -> Result<Self, LockError> {
        atomic::make_folder(state).map_err(|error| LockError::Io {
            path: error.path,
            source: error.source,
        })?;
        let path = state.join(FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        match atomic::private(&mut options).open(&path) {
            Ok(file) => Ok(Self {
                path,
                file: RwLock::new(file),
            }),
            Err(source) => Err(LockError::Io { path, source }),
        }
    }

    /// Takes the lock, without waiting, and notes who holds it since when.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process has it.
    pub fn acquire(&mut self, now: Timestamp) -> Result<Held<'_>, LockError> {
        let path = self.path.clone();
        match self.file.try_write() {
            Ok(mut guard) => {
                // Only for people, and not to be had on a full disk: the lock itself is held all the same.
                let _ = note(&mut guard, now);
                Ok(Held { _guard: guard })
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let (pid, since) = read(&path);
                Err(LockError::Held { path, pid, since })
            }
            Err(source) => Err(LockError::Io { path, source }),
        }
    }
}

fn note(file: &mut File, now: Timestamp) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}\n{now}", std::process::id())?;
    file.flush()
}

/// Process and start as the lock file tells them; nothing where it does not.
fn read(path: &Path) -> (Option<u32>, Option<Timestamp>) {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(256).read_to_string(&mut text));
    if read.is_err() {
        return (None, None);
    }
    let mut lines = text.lines();
    let pid = lines.next().and_then(|line| line.trim().parse().ok());
    let since = lines.next().and_then(|line| line.trim().parse().ok());
    (pid, since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_second_run_is_told_who_holds_the_lock() {
        let state = tempfile::tempdir().unwrap();
        let now = at("2026-11-01T00:00:00Z");
        let mut first = StateLock::open(state.path()).unwrap();
        let mut second = StateLock::open(state.path()).unwrap();
        let held = first.acquire(now).unwrap();
        let Err(LockError::Held { pid, since, .. }) = second.acquire(now).map(drop) else {
            panic!("lock taken twice");
        };
        assert_eq!(pid, Some(std::process::id()));
        assert_eq!(since, Some(now));
        drop(held);
        assert!(second.acquire(now).is_ok());
    }

    #[test]
    fn a_file_left_by_a_dead_run_locks_nothing() {
        let state = tempfile::tempdir().unwrap();
        atomic::write(
            &state.path().join(FILE),
            b"999999\n2020-01-01T00:00:00Z\nand a longer tail than what replaces it\n",
        )
        .unwrap();
        let mut lock = StateLock::open(state.path()).unwrap();
        let now = at("2026-11-01T00:00:00Z");
        let held = lock.acquire(now).unwrap();
        let path = state.path().join(FILE);
        assert_eq!(read(&path), (Some(std::process::id()), Some(now)));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
        drop(held);
    }
}
