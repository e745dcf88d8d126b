//! Reading every document below the roots once, and placing what was of interest.

use super::discover::{Root, RootKind};
use super::files::{self, Listing, Omission, count};
use super::git::{
    self, Access, Attribution, HeadFile, History, Known, Reading, Repo, Trouble, WorkTreeIndex,
};
use super::place::{Located, Place, bytes_of, uri_of_bytes};
use super::{Document, Origin, Progress, ReadOptions};
use crate::model::{Coverage, CoverageStatus};
use git2::Oid;
use jiff::Timestamp;
use rayon::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Source word of the git part of the coverage.
const SOURCE: &str = "git";

/// Everything of interest, and what was read to find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOutcome<T> {
    /// One entry per document for which the visitor returned something, sorted by place.
    pub items: Vec<Located<T>>,
    /// What was read and what was not, sorted.
    pub coverage: Vec<Coverage>,
}

thread_local! {
    /// One file at a time per thread. Taken out while in use, so that a visitor that works in parallel itself finds an
    /// empty one rather than a borrowed one.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Hands every current file, and every distinct blob of history, to `visit`, in parallel on rayon's current pool.
///
/// A blob that a current file also holds is not visited a second time; its other places come with that file. The result
/// does not depend on the number of threads.
pub fn read<T, F>(
    roots: &[Root],
    options: &ReadOptions,
    progress: &dyn Progress,
    visit: F,
) -> ReadOutcome<T>
where
    T: Send,
    F: Fn(&Document<'_>) -> Option<T> + Sync,
{
    git::prepare();
    let mut coverage = Vec::new();
    let sites: Vec<Site<'_>> = roots
        .par_iter()
        .map(|root| Site::open(root, options))
        .collect();

    progress.stage("files");
    let work: Vec<Work<'_>> = sites.par_iter().map(|site| site.plan(options)).collect();
    let mut current = Vec::new();
    let mut on_disk = BTreeSet::new();
    for (index, (site, work)) in sites.iter().zip(work).enumerate() {
        let read = match work {
            Work::Files(listing, index) => {
                read_files(site, listing, &index, options, progress, &visit)
            }
            Work::Head(repo, files) => read_head(site, repo, files, options, progress, &visit),
        };
        on_disk.extend(read.ids);
        coverage.extend(read.coverage);
        current.extend(
            read.hits
                .into_iter()
                .map(|hit| CurrentHit { site: index, ..hit }),
        );
        site.rest();
    }

    let stores = if options.history {
        Store::group(&sites)
    } else {
        Vec::new()
    };
    progress.stage("history");
    let since = options.since.map(Timestamp::as_second);
    let histories: Vec<History> = stores
        .par_iter()
        .map(|store| {
            let history = git::walk(store.repo, since, &options.limits, store.trouble);
            store.repo.rest();
            history
        })
        .collect();
    let past = read_history(&stores, &histories, &on_disk, options, progress, &visit);
    drop(on_disk);

    progress.stage("attribution");
    let mut wanted: Vec<Oid> = past
        .iter()
        .map(|(id, _)| *id)
        .chain(current.iter().flat_map(|hit| hit.ids.iter().copied()))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let attributions: Vec<BTreeMap<Oid, Vec<Attribution>>> = stores
        .par_iter()
        .zip(&histories)
        .map(|(store, history)| {
            let found = if wanted.is_empty() {
                BTreeMap::new()
            } else {
                git::attribute(store.repo, history, &wanted, &options.limits, store.trouble)
            };
            store.repo.rest();
            found
        })
        .collect();

    let items = locate(&sites, &stores, &attributions, current, past, since);
    coverage.extend(git_coverage(&sites, &stores, &histories, options));
    coverage.sort();
    coverage.dedup();
    ReadOutcome { items, coverage }
}

/// A root with its opened repository.
struct Site<'a> {
    root: &'a Root,
    access: Access,
    trouble: Trouble,
}

/// What there is to read of a root as it is today.
enum Work<'a> {
    Files(Listing, WorkTreeIndex),
    Head(&'a Repo, Vec<HeadFile>),
}

impl<'a> Site<'a> {
    fn open(root: &'a Root, options: &ReadOptions) -> Self {
        let needed = options.history || root.kind == RootKind::Bare;
        let access = if needed {
            git::open(root, options.trust_repo_owner)
        } else {
            Access::None
        };
        Self {
            root,
            access,
            trouble: Trouble::default(),
        }
    }

    fn repo(&self) -> Option<&Repo> {
        match &self.access {
            Access::Open(repo) => Some(repo),
            Access::None | Access::Refused(_) => None,
        }
    }

    /// Lets go of handles that the next stage of another root needs more.
    fn rest(&self) {
        if let Some(repo) = self.repo() {
            repo.rest();
        }
    }

    fn plan(&self, options: &ReadOptions) -> Work<'_> {
        let work = match self.repo() {
            Some(repo) if self.root.kind == RootKind::Bare => {
                Work::Head(repo, git::head_files(repo, &options.limits, &self.trouble))
            }
            Some(repo) => Work::Files(
                files::list(self.root, &options.limits),
                WorkTreeIndex::load(repo, &self.trouble),
            ),
            None => Work::Files(
                files::list(self.root, &options.limits),
                WorkTreeIndex::default(),
            ),
        };
        self.rest();
        work
    }
}

/// A current document of interest.
struct CurrentHit<T> {
    site: usize,
    path: Vec<u8>,
    /// Blob ids its content may have in git: its own hash, and the one the index knows for it, which differs when git
    /// converts the file on its way in.
    ids: Vec<Oid>,
    value: T,
}

/// What reading the current documents of one root gave.
struct CurrentRead<T> {
    hits: Vec<CurrentHit<T>>,
    ids: Vec<Oid>,
    coverage: Vec<Coverage>,
}

enum FileOutcome<T> {
    Read {
        bytes: u64,
        id: Option<Oid>,
        hit: Option<Box<CurrentHit<T>>>,
    },
    Omitted(Omission),
}

fn read_files<T: Send>(
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
            site: 0,
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

fn read_head<T: Send>(
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
    let read = git::read_blobs(repo, &ids, &options.limits, &site.trouble, |id, bytes| {
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
    });
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
                        site: 0,
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

/// One object store, with the root that stands for it: of several work tree of one repository, the one it lives in.
struct Store<'a> {
    site: usize,
    name: &'a str,
    repo: &'a Repo,
    trouble: &'a Trouble,
}

impl<'a> Store<'a> {
    fn group(sites: &'a [Site<'a>]) -> Vec<Self> {
        let mut by_place: BTreeMap<&PathBuf, usize> = BTreeMap::new();
        for (index, site) in sites.iter().enumerate() {
            if let Some(repo) = site.repo() {
                let standing = by_place.entry(&repo.common).or_insert(index);
                if repo.main {
                    *standing = index;
                }
            }
        }
        let chosen: BTreeSet<usize> = by_place.into_values().collect();
        chosen
            .into_iter()
            .filter_map(|index| {
                let site = &sites[index];
                Some(Self {
                    site: index,
                    name: &site.root.name,
                    repo: site.repo()?,
                    trouble: &site.trouble,
                })
            })
            .collect()
    }
}

/// Reads every blob once: from the first store, by name, that holds it, and from the next when that one's copy is
/// damaged.
fn read_history<T: Send>(
    stores: &[Store<'_>],
    histories: &[History],
    on_disk: &BTreeSet<Oid>,
    options: &ReadOptions,
    progress: &dyn Progress,
    visit: &(impl Fn(&Document<'_>) -> Option<T> + Sync),
) -> Vec<(Oid, T)> {
    let mut done: Vec<Oid> = on_disk.iter().copied().collect();
    let mut out = Vec::new();
    for (store, history) in stores.iter().zip(histories) {
        let mut mine: Vec<Oid> = history
            .wanted
            .iter()
            .filter(|id| done.binary_search(id).is_err())
            .copied()
            .collect();
        progress.planned(mine.len() as u64);
        let read = git::read_blobs(
            store.repo,
            &mine,
            &options.limits,
            store.trouble,
            |_, bytes| {
                let value = visit(&Document {
                    repository: store.name,
                    uri: None,
                    bytes,
                    origin: Origin::History,
                });
                progress.done(1);
                value
            },
        );
        store.repo.rest();
        let mut unread = Vec::new();
        for (id, reading) in read {
            match reading {
                Reading::Value(value) => out.push((id, value)),
                Reading::Fault => unread.push(id),
                Reading::Quiet | Reading::TooLarge => {}
            }
        }
        mine.retain(|id| unread.binary_search(id).is_err());
        done.extend(mine);
        done.sort_unstable();
    }
    out.sort_by_key(|(id, _)| *id);
    out
}

fn place(name: &str, found: &Attribution) -> Place {
    let time = |seconds: Option<i64>| Timestamp::from_second(seconds?).ok();
    Place {
        repository: name.to_owned(),
        uri: uri_of_bytes(&found.path),
        commit: found.commit.map(|id| id.to_string()),
        author: found.author.clone(),
        first_seen: time(found.first_seen),
        last_seen: time(found.last_seen),
        at_head: found.at_head,
    }
}

fn locate<T>(
    sites: &[Site<'_>],
    stores: &[Store<'_>],
    attributions: &[BTreeMap<Oid, Vec<Attribution>>],
    current: Vec<CurrentHit<T>>,
    past: Vec<(Oid, T)>,
    since: Option<i64>,
) -> Vec<Located<T>> {
    let in_window = |found: &&Attribution| {
        since.is_none_or(|since| found.first_seen.is_none_or(|first| first >= since))
    };
    // Places of current documents: history must not tell them a second time.
    let mut told: BTreeSet<(usize, &[u8], Oid)> = BTreeSet::new();
    let mut first_with: BTreeMap<Oid, usize> = BTreeMap::new();
    for (index, hit) in current.iter().enumerate() {
        let store = store_of(sites, stores, hit.site);
        for id in &hit.ids {
            first_with.entry(*id).or_insert(index);
            // A linked work tree tells for itself, not for the root that stands for the history.
            if let Some(store) = store
                && stores[store].site == hit.site
            {
                told.insert((store, &hit.path, *id));
            }
        }
    }
    let elsewhere = |id: Oid| -> Vec<Place> {
        let mut places = Vec::new();
        for (at, (store, found)) in stores.iter().zip(attributions).enumerate() {
            for found in found.get(&id).into_iter().flatten().filter(in_window) {
                if !told.contains(&(at, found.path.as_slice(), id)) {
                    places.push(place(store.name, found));
                }
            }
        }
        places
    };
    let mut placed: Vec<(Vec<Place>, Oid)> = Vec::new();
    for (index, hit) in current.iter().enumerate() {
        let name = sites[hit.site].root.name.as_str();
        let found = store_of(sites, stores, hit.site).and_then(|store| {
            hit.ids.iter().find_map(|id| {
                attributions[store]
                    .get(id)?
                    .iter()
                    .find(|found| found.path == hit.path)
            })
        });
        let mut places = vec![match found {
            Some(found) => Place {
                at_head: true,
                ..place(name, found)
            },
            None => Place {
                repository: name.to_owned(),
                uri: uri_of_bytes(&hit.path),
                commit: None,
                author: None,
                first_seen: None,
                last_seen: None,
                at_head: true,
            },
        }];
        for id in &hit.ids {
            if first_with.get(id) == Some(&index) {
                places.extend(elsewhere(*id));
            }
        }
        placed.push((places, hit.ids.first().copied().unwrap_or(Oid::ZERO_SHA1)));
    }
    let mut items: Vec<(Located<T>, Oid)> = Vec::new();
    for (id, value) in past {
        // An untracked file with the same content was visited by itself and carries these places.
        if !first_with.contains_key(&id) {
            items.push((
                Located {
                    value,
                    places: elsewhere(id),
                },
                id,
            ));
        }
    }
    items.extend(current.into_iter().zip(placed).map(|(hit, (places, id))| {
        (
            Located {
                value: hit.value,
                places,
            },
            id,
        )
    }));
    for (item, _) in &mut items {
        item.places.sort();
        item.places.dedup();
    }
    items.retain(|(item, _)| !item.places.is_empty());
    items.sort_by(|(a, a_id), (b, b_id)| (&a.places, a_id).cmp(&(&b.places, b_id)));
    items.into_iter().map(|(item, _)| item).collect()
}

/// The store that holds the objects of a root.
fn store_of(sites: &[Site<'_>], stores: &[Store<'_>], site: usize) -> Option<usize> {
    let common = &sites[site].repo()?.common;
    stores.iter().position(|store| &store.repo.common == common)
}

fn git_coverage(
    sites: &[Site<'_>],
    stores: &[Store<'_>],
    histories: &[History],
    options: &ReadOptions,
) -> Vec<Coverage> {
    let mut out = Vec::new();
    for (index, site) in sites.iter().enumerate() {
        let name = &site.root.name;
        let repo = match &site.access {
            Access::Refused(refusal) => {
                out.push(Coverage::new(SOURCE, name, refusal.status, &refusal.reason));
                continue;
            }
            Access::Open(repo) => repo,
            Access::None if site.root.kind == RootKind::WorkTree => {
                out.push(history_off(name));
                continue;
            }
            Access::None => continue,
        };
        let mut losses = site.trouble.losses(repo.partial);
        let too_large = site.trouble.too_large();
        if too_large > 0 && options.history {
            out.push(Coverage::new(
                SOURCE,
                format!("{name}/…"),
                CoverageStatus::Skipped,
                format!(
                    "{} larger than the cap of {} MiB",
                    count(too_large, "blob"),
                    options.limits.max_blob_bytes >> 20
                ),
            ));
        }
        let store = stores.iter().position(|store| store.site == index);
        let summary = match store.and_then(|store| histories.get(store)) {
            Some(history) => {
                if !repo.shallow.is_empty() {
                    losses.push(
                        "this is a shallow clone: `git fetch --unshallow` brings the rest of the history"
                            .to_owned(),
                    );
                }
                if history.commits() == 0 && losses.is_empty() {
                    "no commits yet".to_owned()
                } else {
                    let since = options
                        .since
                        .map(|since| format!(" introduced since {since}"))
                        .unwrap_or_default();
                    format!(
                        "{}, {}{since}",
                        count(history.commits(), "commit"),
                        count(history.wanted.len() as u64, "blob")
                    )
                }
            }
            None if !options.history => {
                out.push(history_off(name));
                if !losses.is_empty() {
                    out.push(Coverage::new(
                        SOURCE,
                        name,
                        CoverageStatus::Partial,
                        losses.join("; "),
                    ));
                }
                continue;
            }
            None => match store_of(sites, stores, index) {
                Some(store) => format!("history read with {}", stores[store].name),
                None => "history read elsewhere".to_owned(),
            },
        };
        if losses.is_empty() {
            out.push(Coverage::new(SOURCE, name, CoverageStatus::Read, summary));
        } else {
            out.push(Coverage::new(
                SOURCE,
                name,
                CoverageStatus::Partial,
                format!("{summary}; {}", losses.join("; ")),
            ));
        }
    }
    out
}

fn history_off(name: &str) -> Coverage {
    Coverage::new(
        SOURCE,
        name,
        CoverageStatus::Skipped,
        "history was not read, as asked",
    )
}
