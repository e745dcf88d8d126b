//! Reading what a user of a root sees today.

use super::archives::Visited;
use super::buffer::{Buffer, LARGEST};
use super::discover::RootKind;
use super::files::Omission;
use super::folders::Batch;
use super::git::{self, BlobReading, HeadFile, Id, Known, Repo, WorkTreeIndex, bytes, oid};
use super::kept::{FileKept, FileMemory, Packed, Stamp, Table, Value, pack};
use super::load::{Folder, Loaded, load};
use super::place::{os_of, uri_of, uri_of_bytes};
use super::screen::Everything;
use super::site::Site;
use super::state::{One, Piece, hash_of};
use super::{Document, Origin, Progress, ReadOptions};
use crate::model::CoverageStatus;
use git2::Oid;
use rayon::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::Path;

thread_local! {
    /// One file at a time per thread. Taken out while in use, so that a visitor that works in parallel itself finds an
    /// empty one rather than a borrowed one.
    static BUFFER: RefCell<Buffer> = const { RefCell::new(Buffer::new()) };
}

/// A current document of interest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CurrentHit<V> {
    /// Path below the root.
    pub(super) path: Vec<u8>,
    /// Blob ids its content may have in git: its own hash, and the one the index knows for it, which differs when git
    /// converts the file on its way in.
    pub(super) ids: Vec<Oid>,
    pub(super) value: V,
}

/// What reading the current documents of one root gave.
pub(super) struct CurrentRead<T> {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) hits: Vec<CurrentHit<Visited<T>>>,
    /// Blobs whose content was visited.
    pub(super) ids: Vec<Id>,
    pub(super) omissions: Vec<Omission>,
    /// What the next run should know of it; `None` where it is what this run knew.
    pub(super) memory: Option<Packed>,
    /// The state its files were read in, by batches; none where nobody asked.
    pub(super) state: Vec<Piece>,
}

/// What is known of a root before it is read, and how far that can be relied on.
pub(super) struct Before<'a, T> {
    /// There is a next run that should know of this one.
    pub(super) keeps: bool,
    /// The state of the files is to be told.
    pub(super) looks: bool,
    pub(super) kept: Option<&'a FileMemory<T>>,
    /// When the run began.
    pub(super) began: i64,
}

/// What reading some of the files of one root gave.
struct Part<T> {
    files: u64,
    bytes: u64,
    ids: Vec<Id>,
    hits: Vec<CurrentHit<Visited<T>>>,
    omissions: Vec<Omission>,
    /// Files that need not be read by the next run as long as their stamps are the same, by the part they were read in.
    noted: Vec<Table>,
    /// Files of interest that are not noted.
    passing: Vec<Vec<u8>>,
    /// The state they were read in.
    state: Vec<Piece>,
    /// Files that were read.
    fresh: u64,
    /// Reading was stopped.
    stopped: bool,
}

impl<T> Part<T> {
    const fn new() -> Self {
        Self {
            files: 0,
            bytes: 0,
            ids: Vec::new(),
            hits: Vec::new(),
            omissions: Vec::new(),
            noted: Vec::new(),
            passing: Vec::new(),
            state: Vec::new(),
            fresh: 0,
            stopped: false,
        }
    }

    /// Notes a file for the next run.
    fn note(&mut self, path: &[u8], stamp: Stamp, own: Option<Id>) {
        if self.noted.is_empty() {
            self.noted.push(Table::default());
        }
        if let Some(table) = self.noted.last_mut() {
            let again = false;
            table.add(path, &FileKept { stamp, own, again });
        }
    }

    fn and(mut self, mut other: Self) -> Self {
        self.files += other.files;
        self.bytes += other.bytes;
        self.ids.append(&mut other.ids);
        self.hits.append(&mut other.hits);
        self.omissions.append(&mut other.omissions);
        self.noted.append(&mut other.noted);
        self.passing.append(&mut other.passing);
        self.state.append(&mut other.state);
        self.fresh += other.fresh;
        self.stopped |= other.stopped;
        self
    }

    /// What the next run should know; `None` where it is what was known.
    fn memory(&mut self, name: &str, before: &Before<'_, T>) -> Option<Packed>
    where
        T: Value,
    {
        let noted = std::mem::take(&mut self.noted);
        let many: u64 = noted.iter().map(Table::len).sum();
        let known = before.kept.map(|kept| kept.files.len() as u64);
        if !before.keeps || (self.fresh == 0 && known == Some(many)) {
            return None;
        }
        let passing: BTreeSet<Vec<u8>> = std::mem::take(&mut self.passing).into_iter().collect();
        let mut hits: Vec<(&[u8], &Visited<T>)> = self
            .hits
            .iter()
            .map(|hit| (hit.path.as_slice(), &hit.value))
            .filter(|(path, _)| !passing.contains(*path))
            .collect();
        hits.sort_unstable_by_key(|(path, _)| *path);
        pack((name, ""), noted, hits.into_iter())
    }
}

/// Reads the files of a folder or work tree.
pub(super) fn read_files<T: Value>(
    site: &Site<'_>,
    index: &WorkTreeIndex,
    options: &ReadOptions,
    progress: &dyn Progress,
    before: &Before<'_, T>,
    visit: &(impl Fn(&Document<'_>) -> Option<Visited<T>> + Sync),
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
    let mut part = batches
        .par_iter()
        .fold(Part::new, |mut part, batch| {
            if options.limits.halt.called() {
                part.stopped = true;
                return part;
            }
            let mut buffer = BUFFER.take();
            if buffer.is_new() {
                buffer = Buffer::of(LARGEST);
            }
            let reading = Reading {
                site,
                index,
                options,
                before,
                visit,
            };
            reading.batch(batch, &mut buffer, &mut part);
            part.stopped |= options.limits.halt.called();
            if buffer.is_large() {
                buffer = Buffer::default();
            }
            BUFFER.set(buffer);
            progress.done(batch.names().count() as u64);
            part
        })
        .reduce(Part::new, Part::and);
    part.omissions.extend(gone);
    part.omissions.extend(part.stopped.then(Omission::stopped));
    part.omissions.extend(listing.omissions.iter().cloned());
    part.hits
        .sort_by(|a, b| by_folder(&a.path).cmp(by_folder(&b.path)));
    let memory = part.memory(&site.root.name, before);
    CurrentRead {
        files: part.files,
        bytes: part.bytes,
        hits: part.hits,
        ids: part.ids,
        omissions: part.omissions,
        memory,
        state: part.state,
    }
}

/// Orders paths the way folders do: what is below a folder stands where the folder does.
fn by_folder(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
}

/// What became of a file.
enum Met {
    /// It was read, and is in the buffer.
    Read(Metadata),
    /// It is as it was.
    Known(Metadata),
    Unread,
}

/// How the files of one root are read.
struct Reading<'a, T, F> {
    site: &'a Site<'a>,
    index: &'a WorkTreeIndex,
    options: &'a ReadOptions,
    before: &'a Before<'a, T>,
    visit: &'a F,
}

impl<T, F> Reading<'_, T, F>
where
    T: Value,
    F: Fn(&Document<'_>) -> Option<Visited<T>> + Sync,
{
    fn batch(&self, batch: &Batch, buffer: &mut Buffer, out: &mut Part<T>) {
        let mut path = batch.folder().to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        let folder = path.len();
        let mut on_disk = self.site.folder_of(batch);
        // Of files that are known, few are read.
        let folder_of = || Folder::of(&on_disk, batch.names().count());
        let open = self.before.kept.is_none().then(folder_of).flatten();
        let mut state = (self.before.looks).then(|| One::of_batch(batch, self.before.began));
        for name in batch.names() {
            path.truncate(folder);
            path.extend_from_slice(name);
            on_disk.push(os_of(name));
            let inside = open.as_ref().map(|folder| (folder, os_of(name)));
            let met = self.one(&path, (&on_disk, inside), buffer, out);
            if let Some(state) = &mut state {
                match met {
                    Met::Read(metadata) => {
                        state.add_file(name, Some(&metadata), || *blake3::hash(buffer).as_bytes());
                    }
                    Met::Known(metadata) => self.look(state, (name, &on_disk), Some(&metadata)),
                    Met::Unread => {
                        let metadata = fs::symlink_metadata(&on_disk).ok();
                        self.look(state, (name, &on_disk), metadata.as_ref());
                    }
                }
            }
            on_disk.pop();
        }
        out.state.extend(state.map(One::done));
    }

    /// Adds a file to the state that is not in the buffer.
    fn look(&self, state: &mut One, (name, on_disk): (&[u8], &Path), metadata: Option<&Metadata>) {
        let largest = self.options.limits.max_file_bytes;
        state.add_file(name, metadata, || hash_of(on_disk, largest));
    }

    /// Reads a file, unless what an earlier run made of it still holds.
    fn one(
        &self,
        path: &[u8],
        (on_disk, inside): (&Path, Option<(&Folder, &OsStr)>),
        buffer: &mut Buffer,
        out: &mut Part<T>,
    ) -> Met {
        if let Some(metadata) = self.again(path, on_disk, out) {
            return Met::Known(metadata);
        }
        let limits = &self.options.limits;
        match load(on_disk, inside, limits, buffer) {
            Ok(loaded) => {
                if loaded.cut {
                    out.omissions.push(Omission::cut(path.to_vec(), limits));
                }
                self.file(path, &loaded, buffer, out);
                Met::Read(loaded.metadata)
            }
            Err(why) => {
                out.omissions.push(Omission::unread(path.to_vec(), &why));
                Met::Unread
            }
        }
    }

    /// Takes what an earlier run made of a file that has not changed since; what the file system says of it, if that could
    /// be done.
    fn again(&self, path: &[u8], on_disk: &Path, out: &mut Part<T>) -> Option<Metadata> {
        let kept = self.before.kept?;
        let file = kept.files.get(path)?;
        let metadata = fs::symlink_metadata(on_disk).ok()?;
        let stamp = Stamp::of(&metadata);
        if !metadata.is_file() || stamp != file.stamp {
            return None;
        }
        let value = kept.of_interest.get(path);
        let known = self.index.known(path, &metadata);
        let asks = known == Known::Tracked
            || (value.is_some() && known == Known::Untracked && self.site.repo().is_some());
        if asks && file.own.is_none() {
            return None;
        }
        let id = match known {
            Known::Unchanged(id) => Some(id),
            Known::Tracked => file.own.map(|own| oid(&own)),
            Known::Untracked => None,
        };
        let own = file.own.map(|own| oid(&own));
        self.take(path, (known, id, own), metadata.len(), value.cloned(), out);
        out.note(path, stamp, file.own);
        Some(metadata)
    }

    fn file(&self, path: &[u8], loaded: &Loaded, text: &[u8], out: &mut Part<T>) {
        let Loaded { metadata, cut } = loaded;
        let known = self.index.known(path, metadata);
        // Of what is not all there, nobody knows the id.
        let hash = || git::hash_blob(text).filter(|_| !cut);
        // The blob of an untracked file is looked for only when it matters; almost none has one.
        let (id, mut own) = match known {
            Known::Unchanged(id) => (Some(id), None),
            Known::Tracked => {
                let own = hash();
                (own, own)
            }
            Known::Untracked => (None, None),
        };
        let value = (self.visit)(&Document {
            repository: &self.site.root.name,
            uri: Some(&uri_of(path)),
            bytes: text,
            origin: Origin::Current,
            marks: None,
        });
        if value.is_some() && own.is_none() && self.site.repo().is_some() {
            own = hash();
        }
        let length = text.len() as u64;
        let stamp = Stamp::of(metadata);
        // What has no length and content nonetheless is none of the files whose stamps tell anything.
        // Nor is what was handed over when reading had been stopped: it was not looked at.
        let kept = self.before.keeps
            && metadata.len() == length
            && !self.options.limits.halt.called()
            && stamp.settled(self.before.began)
            && value.as_ref().is_none_or(Visited::keepable);
        if self.before.keeps && value.is_some() && !kept {
            out.passing.push(path.to_vec());
        }
        self.take(path, (known, id, own), length, value, out);
        if kept {
            out.fresh += 1;
            out.note(path, stamp, own.map(bytes));
        }
    }

    fn take(
        &self,
        path: &[u8],
        (known, id, own): (Known, Option<Oid>, Option<Oid>),
        length: u64,
        value: Option<Visited<T>>,
        out: &mut Part<T>,
    ) {
        out.files += 1;
        out.bytes += length;
        out.ids.extend(id.map(bytes));
        if let Some(value) = value {
            let mut ids: Vec<Oid> = id.into_iter().collect();
            if self.site.repo().is_some()
                && known != Known::Tracked
                && let Some(own) = own
                && !ids.contains(&own)
            {
                ids.push(own);
            }
            out.hits.push(CurrentHit {
                path: path.to_vec(),
                ids,
                value,
            });
        }
    }
}

/// Of a root that was not read because reading was stopped before.
pub(super) fn unread<T>() -> CurrentRead<T> {
    CurrentRead {
        files: 0,
        bytes: 0,
        hits: Vec::new(),
        ids: Vec::new(),
        omissions: vec![Omission::stopped()],
        memory: None,
        state: Vec::new(),
    }
}

/// Files of HEAD's tree of which nothing could be kept.
pub(super) fn again<T>(kept: &FileMemory<T>) -> Vec<HeadFile> {
    let files = kept.files.iter().filter(|(_, file)| file.again);
    files
        .filter_map(|(path, file)| {
            Some(HeadFile {
                path: path.clone(),
                id: oid(&file.own?),
            })
        })
        .collect()
}

/// What an earlier run made of the files of HEAD's tree of a bare repository that has not changed since, with what of it
/// was read again.
pub(super) fn same_head<T: Value>(kept: &FileMemory<T>, again: CurrentRead<T>) -> CurrentRead<T> {
    let known = || kept.files.iter().filter(|(_, file)| !file.again);
    let mut read = again;
    read.files += known().count() as u64;
    read.bytes += known().map(|(_, file)| file.stamp.bytes()).sum::<u64>();
    read.ids.extend(known().filter_map(|(_, file)| file.own));
    read.ids.sort_unstable();
    read.ids.dedup();
    read.hits.extend(known().filter_map(|(path, file)| {
        Some(CurrentHit {
            path: path.clone(),
            ids: vec![oid(&file.own?)],
            value: kept.of_interest.get(path)?.clone(),
        })
    }));
    read.hits.sort_by(|a, b| a.path.cmp(&b.path));
    read.memory = None;
    read
}

/// Reads the files of HEAD's tree of a bare repository.
pub(super) fn read_head<T: Value>(
    site: &Site<'_>,
    repo: &Repo,
    files: Vec<HeadFile>,
    options: &ReadOptions,
    progress: &dyn Progress,
    (kept, key, keeps): (Option<&FileMemory<T>>, &str, bool),
    visit: &(impl Fn(&Document<'_>) -> Option<Visited<T>> + Sync),
) -> CurrentRead<T> {
    progress.planned(files.len() as u64);
    let mut memory = FileMemory::new(&site.root.name, "");
    let mut out = CurrentRead {
        files: 0,
        bytes: 0,
        hits: Vec::new(),
        ids: Vec::new(),
        omissions: Vec::new(),
        memory: None,
        state: Vec::new(),
    };
    let mut paths: BTreeMap<Oid, Vec<Vec<u8>>> = BTreeMap::new();
    for HeadFile { path, id } in files {
        let known = kept.and_then(|kept| Some((kept, kept.files.get(&path)?)));
        let Some((kept, file)) =
            known.filter(|(_, file)| file.own == Some(bytes(id)) && !file.again)
        else {
            paths.entry(id).or_default().push(path);
            continue;
        };
        let value = kept.of_interest.get(&path);
        memory.note(&path, file.stamp, file.own, value);
        out.files += 1;
        out.bytes += file.stamp.bytes();
        out.ids.push(bytes(id));
        out.hits.extend(value.cloned().map(|value| CurrentHit {
            path,
            ids: vec![id],
            value,
        }));
        progress.done(1);
    }
    let ids: Vec<Oid> = paths.keys().copied().collect();
    let read = git::read_blobs(
        repo,
        &ids,
        &options.limits,
        &site.trouble,
        &Everything,
        || (),
        |id, text, &()| {
            let mut values = Vec::new();
            for path in paths.get(&id).into_iter().flatten() {
                let uri = uri_of_bytes(path);
                let value = visit(&Document {
                    repository: &site.root.name,
                    uri: Some(&uri),
                    bytes: text,
                    origin: Origin::Current,
                    marks: None,
                });
                values.extend(value.map(|value| (path.clone(), value)));
                progress.done(1);
            }
            Some((values, text.len() as u64))
        },
    );
    for (id, reading) in read {
        let of = paths.get(&id).map(Vec::as_slice).unwrap_or_default();
        match reading {
            BlobReading::Value((values, length)) => {
                out.files += of.len() as u64;
                out.bytes += length.saturating_mul(of.len() as u64);
                out.ids.push(bytes(id));
                let stamp = Stamp::of_blob().sized(length);
                for path in of {
                    memory.note(path, stamp, Some(bytes(id)), None);
                }
                for (path, value) in values {
                    memory.note(&path, stamp, Some(bytes(id)), Some(&value));
                    out.hits.push(CurrentHit {
                        path,
                        ids: vec![id],
                        value,
                    });
                }
            }
            BlobReading::TooLarge => out.omissions.extend(of.iter().map(|path| Omission {
                path: path.clone(),
                status: CoverageStatus::Skipped,
                reason: format!(
                    "larger than the cap of {} MiB for one blob",
                    options.limits.max_blob_bytes >> 20
                ),
            })),
            BlobReading::Fault => out.omissions.extend(of.iter().map(|path| Omission {
                path: path.clone(),
                status: CoverageStatus::Failed,
                reason: "its blob is missing or damaged".to_owned(),
            })),
            BlobReading::Quiet => {}
        }
    }
    out.ids.sort_unstable();
    out.ids.dedup();
    out.hits.sort_by(|a, b| a.path.cmp(&b.path));
    // Only of a repository that gave everything can it be said without looking that it gives the same.
    let all = memory.files.len() as u64 == out.files;
    if all && out.omissions.is_empty() && site.trouble.told().is_empty() {
        key.clone_into(&mut memory.key);
    }
    out.memory = keeps.then(|| memory.pack()).flatten();
    // What was made when reading had been stopped was not looked at.
    if options.limits.halt.called() {
        out.memory = None;
        out.omissions.push(Omission::stopped());
    }
    out
}
