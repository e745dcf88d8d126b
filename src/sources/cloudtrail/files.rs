//! The files of a trail: named one by one, or found below folders.

use super::SOURCE;
use super::unread::Unread;
use crate::model::{Coverage, CoverageStatus};
use flate2::read::MultiGzDecoder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Most files that are read.
const MAX_FILES: usize = 2_000_000;
/// Largest file after unpacking, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024 * 1024;

/// Characters that stay as they are in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A file to read.
pub(super) struct Entry {
    pub(super) path: PathBuf,
    /// Path below what was named.
    pub(super) uri: String,
    /// It was named itself, not found in a folder.
    pub(super) named: bool,
}

/// Lists the files, sorted by path.
pub(super) fn list(
    paths: &[PathBuf],
    coverage: &mut Vec<Coverage>,
    unread: &mut Unread,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut sorted: Vec<&PathBuf> = paths.iter().collect();
    sorted.sort();
    sorted.dedup();
    for root in sorted {
        let top = name(root);
        for entry in WalkDir::new(root).sort_by_file_name() {
            let Ok(entry) = entry else {
                coverage.push(Coverage::new(
                    SOURCE,
                    encode(&top),
                    CoverageStatus::Failed,
                    "something in it cannot be opened: check that it exists and may be read",
                ));
                continue;
            };
            let named = entry.depth() == 0;
            if entry.file_type().is_dir() {
                continue;
            }
            if !named && !log(entry.path()) {
                if !beside(entry.path()) {
                    unread.other_kind(entry.path());
                }
                continue;
            }
            if !named && beside(entry.path()) {
                continue;
            }
            // A link may lead out of the folder or in circles.
            if !named && !entry.file_type().is_file() {
                continue;
            }
            if entries.len() == MAX_FILES {
                coverage.push(Coverage::new(
                    SOURCE,
                    encode(&top),
                    CoverageStatus::Partial,
                    format!("more than {MAX_FILES} files: the rest was not read"),
                ));
                return entries;
            }
            let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let uri = if named {
                top.clone()
            } else {
                format!("{top}/{}", below.to_string_lossy())
            };
            entries.push(Entry {
                uri: encode(&uri),
                path: entry.into_path(),
                named,
            });
        }
    }
    entries
}

/// Whether it is a file of logs by its name.
fn log(path: &Path) -> bool {
    let name = name(path).to_ascii_lowercase();
    let inner = name.strip_suffix(".gz").unwrap_or(&name);
    [".json", ".jsonl", ".ndjson", ".log", ".csv"]
        .iter()
        .any(|end| inner.ends_with(end))
        || (inner != name && !inner.contains('.'))
}

/// Whether it is a digest or an insight, which a trail keeps beside the logs.
fn beside(path: &Path) -> bool {
    path.components().any(|part| {
        let part = part.as_os_str();
        part == "CloudTrail-Digest" || part == "CloudTrail-Insight"
    })
}

/// Opens a file, unpacking what is packed.
pub(super) fn open(path: &Path) -> Option<Box<dyn Read + Send>> {
    let mut file = File::open(path).ok()?;
    let mut magic = [0; 2];
    let packed = file.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    file.seek(SeekFrom::Start(0)).ok()?;
    let file = BufReader::with_capacity(64 * 1024, file);
    Some(if packed {
        Box::new(MultiGzDecoder::new(file).take(MAX_BYTES))
    } else {
        Box::new(file.take(MAX_BYTES))
    })
}

/// Whether it is a table by its name.
pub(super) fn table(path: &Path) -> bool {
    let name = name(path).to_ascii_lowercase();
    let inner = name.strip_suffix(".gz").unwrap_or(&name);
    inner.rsplit_once('.').is_some_and(|(_, end)| end == "csv")
}

fn encode(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// The last part of a path, as text.
fn name(path: &Path) -> String {
    path.file_name().map_or_else(
        || "logs".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
