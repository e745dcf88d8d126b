//! Reading what a user of a root sees today.

use super::files::{self, Listing, Omission};
use super::git::{self, HeadFile, Known, Reading, Repo, WorkTreeIndex};
use super::place::{bytes_of, uri_of_bytes};
use super::screen::Everything;
use super::site::Site;
use super::{Document, Origin, Progress, ReadOptions};
use crate::model::{Coverage, CoverageStatus};
use git2::Oid;
use rayon::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

thread_local! {
    /// One file at a time per thread. Taken out while in use, so that a visitor that works in parallel itself finds an
    /// empty one rather than a borrowed one.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A current document of interest.
pub(super) struct CurrentHit<T> {
    /// Position of its root.
    pub(super) site: usize,
    /// Path below the root.
    pub(super) path: Vec<u8>,
    /// Blob ids its content may have in git: its own hash, and the one the index knows for it, which differs when git
    /// converts the file on its way in.
    pub(super) ids: Vec<Oid>,
    pub(super) value: T,
}

/// What reading the current documents of one root gave.
pub(super) struct CurrentRead<T> {
    pub(super) hits: Vec<CurrentHit<T>>,
    /// Blobs whose content was visited.
    pub(super) ids: Vec<Oid>,
    pub(super) coverage: Vec<Coverage>,
}

enum FileOutcome<T> {
    Read {
        bytes: u64,
        id: Option<Oid>,
        hit: Option<Box<CurrentHit<T>>>,
    },
    Omitted(Omission),
}

/// Reads the files of a folder or work tree.
pub(super) fn read_files<T: Send>(
    site: &Site<'_>,
    listing: Listing,
    index: &WorkTreeIndex,
    options: &ReadOptions,
    progress: &dyn Progress,
    visit: &(impl Fn(&Document<'_>) -> Option<T> + Sync),
) -> CurrentRead<T> {
    progress.planned(listing.files.len() as u64);
    let outcomes: Vec<FileOutcome<T>> = listing
        .files
        .par_iter()
        .map(|path| {
            let mut buffer = BUFFER.take();
            let outcome = read_file(site, path, index, options, &mut buffer, visit);
            BUFFER.set(buffer);
            progress.done(1);
            outcome
        })
        .collect();
    let mut out = CurrentRead {
        hits: Vec::new(),
        ids: Vec::new(),
        coverage: Vec::new(),
    };
    let (mut files, mut total) = (0, 0);
    let mut omissions = listing.omissions;
    for outcome in outcomes {
        match outcome {
            FileOutcome::Omitted(omission) => omissions.push(omission),
            FileOutcome::Read { bytes, id, hit } => {
                files += 1;
                total += bytes;
                out.ids.extend(id);
                out.hits.extend(hit.map(|hit| *hit));
            }
        }
    }
    out.coverage = files::coverage(&site.root.name, files, total, omissions, &options.limits);
    out
}

fn read_file<T>(
    site: &Site<'_>,
    relative: &Path,
    index: &WorkTreeIndex,
    options: &ReadOptions,
    buffer: &mut Vec<u8>,
    visit: &(impl Fn(&Document<'_>) -> Option<T> + Sync),
) -> FileOutcome<T> {
    let metadata = match files::load(site.root, relative, &options.limits, buffer) {
        Ok(metadata) => metadata,
        Err(omission) => return FileOutcome::Omitted(omission),
    };
    let path = bytes_of(relative);
    let known = index.known(&path, &metadata);
    // The blob of an untracked file is looked for only when it matters; almost none has one.
    let id = match known {
        Known::Unchanged(id) => Some(id),
        Known::Tracked => git::hash_blob(buffer),
        Known::Untracked => None,
    };
    let uri = uri_of_bytes(&path);
    let value = visit(&Document {
        repository: &site.root.name,
        uri: Some(&uri),
        bytes: buffer,
        origin: Origin::Current,
    });
    let hit = value.map(|value| {
        let mut ids: Vec<Oid> = id.into_iter().collect();
        if site.repo().is_some()
            && known != Known::Tracked
            && let Some(own) = git::hash_blob(buffer)
            && !ids.contains(&own)
        {
            ids.push(own);
        }
        Box::new(CurrentHit {
            site: site.at,
            path,
            ids,
            value,
        })
    });
    FileOutcome::Read {
        bytes: buffer.len() as u64,
        id,
        hit,
    }
}

/// Reads the files of HEAD's tree of a bare repository.
pub(super) fn read_head<T: Send>(
    site: &Site<'_>,
    repo: &Repo,
    files: Vec<HeadFile>,
    options: &ReadOptions,
    progress: &dyn Progress,
    visit: &(impl Fn(&Document<'_>) -> Option<T> + Sync),
) -> CurrentRead<T> {
    progress.planned(files.len() as u64);
    let mut paths: BTreeMap<Oid, Vec<Vec<u8>>> = BTreeMap::new();
    for file in files {
        paths.entry(file.id).or_default().push(file.path);
    }
    let ids: Vec<Oid> = paths.keys().copied().collect();
    let read = git::read_blobs(
        repo,
        &ids,
        &options.limits,
        &site.trouble,
        &Everything,
        || (),
        |id, bytes| {
            let mut values = Vec::new();
            for path in paths.get(&id).into_iter().flatten() {
                let uri = uri_of_bytes(path);
                let value = visit(&Document {
                    repository: &site.root.name,
                    uri: Some(&uri),
                    bytes,
                    origin: Origin::Current,
                });
                values.extend(value.map(|value| (path.clone(), value)));
                progress.done(1);
            }
            Some((values, bytes.len() as u64))
        },
    );
    let mut out = CurrentRead {
        hits: Vec::new(),
        ids: Vec::new(),
        coverage: Vec::new(),
    };
    let (mut count, mut total) = (0, 0);
    let mut omissions = Vec::new();
    for (id, reading) in read {
        let of = paths.get(&id).map(Vec::as_slice).unwrap_or_default();
        match reading {
            Reading::Value((values, bytes)) => {
                count += of.len() as u64;
                total += bytes.saturating_mul(of.len() as u64);
                out.ids.push(id);
                out.hits
                    .extend(values.into_iter().map(|(path, value)| CurrentHit {
                        site: site.at,
                        path,
                        ids: vec![id],
                        value,
                    }));
            }
            Reading::TooLarge => omissions.extend(of.iter().map(|path| Omission {
                path: path.clone(),
                status: CoverageStatus::Skipped,
                reason: format!(
                    "larger than the cap of {} MiB for one blob",
                    options.limits.max_blob_bytes >> 20
                ),
            })),
            Reading::Fault => omissions.extend(of.iter().map(|path| Omission {
                path: path.clone(),
                status: CoverageStatus::Failed,
                reason: "its blob is missing or damaged".to_owned(),
            })),
            Reading::Quiet => {}
        }
    }
    out.hits.sort_by(|a, b| a.path.cmp(&b.path));
    out.coverage = files::coverage(&site.root.name, count, total, omissions, &options.limits);
    out
}
