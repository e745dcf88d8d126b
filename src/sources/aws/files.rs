//! The files of a snapshot: one file, or everything below a folder.

use super::SOURCE;
use crate::model::{Coverage, CoverageStatus};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Largest file read, in bytes. The details of an account at AWS's quotas (5,000 users, 1,000 roles, 1,500 policies)
/// stay well below.
const MAX_BYTES: u64 = 512 * 1024 * 1024;
/// Most files of one folder that are looked at.
const MAX_FILES: usize = 200_000;

/// Characters that stay as they are in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Where a file stands in the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    /// Path relative to the snapshot, percent-encoded.
    pub(super) uri: String,
    /// Folders from the snapshot down to the file; the snapshot's own name first.
    pub(super) folders: Vec<String>,
    /// File name without its last extension.
    pub(super) stem: String,
}

/// A file to read.
pub(super) struct Entry {
    pub(super) source: Source,
    pub(super) path: PathBuf,
}

/// Lists the files of a snapshot, sorted by path.
pub(super) fn list(root: &Path, coverage: &mut Vec<Coverage>) -> Vec<Entry> {
    let top = name(root);
    let mut entries = Vec::new();
    let walk = WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let unit = error
                    .path()
                    .map_or_else(|| top.clone(), |path| relative(root, path, &top).uri);
                coverage.push(Coverage::new(
                    SOURCE,
                    unit,
                    CoverageStatus::Failed,
                    "cannot be opened: check that it exists and may be read",
                ));
                continue;
            }
        };
        if entry.file_type().is_dir() {
            continue;
        }
        let source = relative(root, entry.path(), &top);
        // A link may lead out of the snapshot or in circles. The snapshot itself may be one.
        if entry.depth() > 0 && !entry.file_type().is_file() {
            coverage.push(Coverage::new(
                SOURCE,
                source.uri,
                CoverageStatus::Skipped,
                "not a plain file; links inside a snapshot are not followed",
            ));
            continue;
        }
        if entries.len() == MAX_FILES {
            coverage.push(Coverage::new(
                SOURCE,
                top,
                CoverageStatus::Failed,
                format!("more than {MAX_FILES} files: give one folder an account"),
            ));
            break;
        }
        entries.push(Entry {
            source,
            path: entry.into_path(),
        });
    }
    entries
}

/// Reads a whole file, up to the cap; the error is a reason for the coverage.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |_| "cannot be read: check its permissions".to_owned();
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!(
            "larger than {} MiB: export the account in pages (`--filter User`, `--filter Role`, …), one file each",
            MAX_BYTES / (1024 * 1024)
        ));
    }
    Ok(bytes)
}

/// The place of a file by its path below a snapshot.
pub(super) fn below(path: &str) -> Source {
    relative(Path::new(""), Path::new(path), "")
}

fn relative(root: &Path, path: &Path, top: &str) -> Source {
    let below = path.strip_prefix(root).unwrap_or(path);
    let mut parts: Vec<String> = below
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let mut folders = Vec::new();
    let file = if let Some(file) = parts.pop() {
        folders.push(top.to_owned());
        folders.append(&mut parts);
        file
    } else {
        // The snapshot is one file: its folder may still be named after the account.
        folders.extend(root.parent().map(name).filter(|name| !name.is_empty()));
        top.to_owned()
    };
    let below_top = below.components().count().saturating_sub(1);
    let shown: Vec<&str> = folders
        .iter()
        .rev()
        .take(below_top)
        .rev()
        .map(String::as_str)
        .chain([file.as_str()])
        .collect();
    Source {
        uri: utf8_percent_encode(&shown.join("/"), PATH).to_string(),
        stem: file
            .rsplit_once('.')
            .map_or(file.clone(), |(stem, _)| stem.to_owned()),
        folders,
    }
}

/// The last part of a path, as text; a path such as `.` is looked up, as only its name is wanted.
fn name(path: &Path) -> String {
    let of = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    of(path)
        .or_else(|| path.canonicalize().ok().as_deref().and_then(of))
        .unwrap_or_default()
}
