//! Reading what a user of a root sees today.

use super::buffer::Buffer;
use super::discover::RootKind;
use super::files::{self, Omission};
use super::folders::Batch;
use super::git::{self, HeadFile, Known, Reading, Repo, WorkTreeIndex};
use super::load::load;
use super::place::{os_of, uri_of, uri_of_bytes};
use super::screen::Everything;
use super::site::Site;
use super::{Document, Origin, Progress, ReadOptions};
use crate::model::{Coverage, CoverageStatus};
use git2::Oid;
use rayon::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;

thread_local! {
    /// One file at a time per thread. Taken out while in use, so that a visitor that works in parallel itself finds an
    /// empty one rather than a borrowed one.
    static BUFFER: RefCell<Buffer> = const { RefCell::new(Buffer::new()) };
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

/// What reading some of the files of one root gave.
struct Part<T> {
    files: u64,
    bytes: u64,
    ids: Vec<Oid>,
    hits: Vec<CurrentHit<T>>,
    omissions: Vec<Omission>,
}

impl<T> Part<T> {
    const fn new() -> Self {
        Self {
            files: 0,
            bytes: 0,
            ids: Vec::new(),
            hits: Vec::new(),
            omissions: Vec::new(),
        }
    }

    fn and(mut self, mut other: Self) -> Self {
        self.files += other.files;
        self.bytes += other.bytes;
        self.ids.append(&mut other.ids);
        self.hits.append(&mut other.hits);
        self.omissions.append(&mut other.omissions);
        self
    }
}

/// Reads the files of a folder or work tree.
pub(super) fn read_files<T: Send>(
    site: &Site<'_>,
    index: &WorkTreeIndex,
    options: &ReadOptions,
    progress: &dyn Progress,
    visit: &(impl Fn(&Document<'_>) -> Option<T> + Sync),
) -> CurrentRead<T> {
    let listing = &site.root.listing;
    let mut gone = None;
    let mut batches = listing.batches.as_slice();
    if site.root.kind != RootKind::File
        && let Err(error) = fs::symlink_metadata(&site.root.path)
    {
        gone = Some(Omission::failed(Vec::new(), &error));
        batches = &[];
    }
    progress.planned(listing.files);
    let Part {
        files,
        bytes,
        ids,
        mut hits,
        mut omissions,
    } = batches
        .par_iter()
        .fold(Part::new, |mut part, batch| {
            let mut buffer = BUFFER.take();
            read_batch(site, batch, index, options, &mut buffer, &mut part, visit);
            if buffer.is_large() {
                buffer = Buffer::default();
            }
            BUFFER.set(buffer);
            progress.done(batch.names().count() as u64);
            part
        })
        .reduce(Part::new, Part::and);
    omissions.extend(gone);
    omissions.extend(listing.omissions.iter().cloned());
    hits.sort_by(|a, b| by_folder(&a.path).cmp(by_folder(&b.path)));
    CurrentRead {
        hits,
        ids,
        coverage: files::coverage(&site.root.name, files, bytes, omissions, &options.limits),
    }
}

/// Orders paths the way folders do: what is below a folder stands where the folder does.
fn by_folder(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
}

fn read_batch<T>(
    site: &Site<'_>,
    batch: &Batch,
    index: &WorkTreeIndex,
    options: &ReadOptions,
    buffer: &mut Buffer,
    out: &mut Part<T>,
    visit: &(impl Fn(&Document<'_>) -> Option<T> + Sync),
) {
    let mut path = batch.folder().to_vec();
    if !path.is_empty() {
        path.push(b'/');
    }
    let folder = path.len();
    let mut on_disk = site.root.path.clone();
    if site.root.kind == RootKind::File {
        on_disk.pop();
    }
    for part in by_folder(batch.folder()).filter(|part| !part.is_empty()) {
        on_disk.push(os_of(part));
    }
    for name in batch.names() {
        path.truncate(folder);
        path.extend_from_slice(name);
        on_disk.push(os_of(name));
        match load(&on_disk, &options.limits, buffer) {
            Ok(metadata) => {
                let known = index.known(&path, &metadata);
                read_file(site, &path, known, buffer, out, visit);
            }
            Err(why) => {
                let omission = Omission::unread(path.clone(), &why, &options.limits);
                out.omissions.push(omission);
            }
        }
        on_disk.pop();
    }
}

fn read_file<T>(
    site: &Site<'_>,
    path: &[u8],
    known: Known,
    bytes: &[u8],
    out: &mut Part<T>,
    visit: &(impl Fn(&Document<'_>) -> Option<T> + Sync),
) {
    // The blob of an untracked file is looked for only when it matters; almost none has one.
    let id = match known {
        Known::Unchanged(id) => Some(id),
        Known::Tracked => git::hash_blob(bytes),
        Known::Untracked => None,
    };
    out.files += 1;
    out.bytes += bytes.len() as u64;
    out.ids.extend(id);
    let value = visit(&Document {
        repository: &site.root.name,
        uri: Some(&uri_of(path)),
        bytes,
        origin: Origin::Current,
    });
    if let Some(value) = value {
        let mut ids: Vec<Oid> = id.into_iter().collect();
        if site.repo().is_some()
            && known != Known::Tracked
            && let Some(own) = git::hash_blob(bytes)
            && !ids.contains(&own)
        {
            ids.push(own);
        }
        out.hits.push(CurrentHit {
            site: site.at,
            path: path.to_vec(),
            ids,
            value,
        });
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
