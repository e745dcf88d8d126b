//! Reading every document below the roots once, except those that an earlier run has read.

use super::archives::{self, Visited};
use super::combine::combine;
use super::current::{Before, again, read_files, read_head, same_head, unread};
use super::discover::Root;
use super::files::STOPPED;
use super::git::{self, Access, History, Id, Said, bytes, oid};
use super::histories::{self, Asked};
use super::kept::{
    Facts, FileMemory, HistoryMemory, Kind, Memory, NoMemory, Opened, Parts, RootPart, StorePart,
    Value,
};
use super::messages::Heard;
use super::past::{Past, PastRead};
use super::place::Located;
use super::site::{Site, Store, Work};
use super::state::{Heads, Piece, State};
use super::{Document, HISTORY, Progress, ReadOptions, Screen};
use crate::model::Coverage;
use git2::Oid;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Roots whose index or HEAD is held at a time.
const PLANNED: usize = 64;

/// Everything of interest, and what was read to find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOutcome<T> {
    /// One entry per document for which the visitor returned something, sorted by place.
    pub items: Vec<Located<T>>,
    /// What was read and what was not, sorted.
    pub coverage: Vec<Coverage>,
    /// Documents there are.
    pub documents: u64,
}

/// Hands every current file, and every distinct blob of history, to `visit`, in parallel on rayon's current pool.
///
/// A blob that a current file also holds is not visited a second time; its other places come with that file. Of the
/// other blobs, those that `screen` rules out are not visited. The result does not depend on the number of threads.
pub fn read<T, S, F>(
    roots: &[Root],
    options: &ReadOptions,
    progress: &dyn Progress,
    screen: &S,
    visit: F,
) -> ReadOutcome<T>
where
    T: Value,
    S: Screen,
    F: Fn(&Document<'_>) -> Option<T> + Sync,
{
    let parts = collect(roots, options, progress, screen, visit, &NoMemory);
    combine(parts, options)
}

/// What [`read`] reads, before it is put together. What `memory` has kept of an earlier run and has not changed since is
/// not read again, and the result is the same.
pub fn collect<T, S, F>(
    roots: &[Root],
    options: &ReadOptions,
    progress: &dyn Progress,
    screen: &S,
    visit: F,
    memory: &dyn Memory,
) -> Parts<T>
where
    T: Value,
    S: Screen,
    F: Fn(&Document<'_>) -> Option<T> + Sync,
{
    git::prepare();
    let sites = opened_sites(roots, options);
    let reading = (options, false, memory);
    let (parts, _) = collect_sites(&sites, reading, progress, screen, visit);
    parts
}

/// Roots that were looked at, of which nothing is read yet.
pub struct Looked<'a> {
    sites: Vec<Site<'a>>,
    options: &'a ReadOptions,
    state: Stands,
}

/// What is known of the state that roots are in.
enum Stands {
    Whole(State),
    /// All but that of the files, which is looked at while they are read.
    Heads(Heads),
}

/// Looks at the state that the roots are in on the disk. Where it is not `compared` with an earlier one, files are looked at
/// once only: when they are read.
pub fn look<'a>(
    roots: &'a [Root],
    options: &'a ReadOptions,
    memory: &dyn Memory,
    compared: bool,
) -> Looked<'a> {
    git::prepare();
    let sites = opened_sites(roots, options);
    let state = if compared {
        Stands::Whole(State::of(&sites, options, memory.began()))
    } else {
        Stands::Heads(Heads::of(&sites, options, memory.began()))
    };
    Looked {
        sites,
        options,
        state,
    }
}

impl Looked<'_> {
    /// Stands for the state of the disk, where it was asked for.
    pub fn state(&self) -> Option<&str> {
        match &self.state {
            Stands::Whole(state) => Some(&state.digest),
            Stands::Heads(_) => None,
        }
    }

    /// What [`collect`] collects, and the state it was read in, unless that changed meanwhile or may change without being
    /// seen.
    pub fn collect<T, S, F>(
        self,
        progress: &dyn Progress,
        screen: &S,
        visit: F,
        memory: &dyn Memory,
    ) -> (Parts<T>, Option<String>)
    where
        T: Value,
        S: Screen,
        F: Fn(&Document<'_>) -> Option<T> + Sync,
    {
        let Self {
            sites,
            options,
            state,
        } = self;
        let looks = matches!(state, Stands::Heads(_));
        let reading = (options, looks, memory);
        let (parts, files) = collect_sites(&sites, reading, progress, screen, visit);
        let state = match state {
            Stands::Whole(state) => state,
            Stands::Heads(heads) => heads.with(&files),
        };
        let later = || State::of(&sites, options, memory.began());
        let stood = !options.limits.halt.called() && state.stood(later, memory.now());
        (parts, stood.then_some(state.digest))
    }
}

fn opened_sites<'a>(roots: &'a [Root], options: &ReadOptions) -> Vec<Site<'a>> {
    roots
        .par_iter()
        .map(|root| Site::open(root, options))
        .collect()
}

/// Reads everything; also the state of the files while they were read, where that is asked for.
fn collect_sites<T, S, F>(
    sites: &[Site<'_>],
    (options, looks, memory): (&ReadOptions, bool, &dyn Memory),
    progress: &dyn Progress,
    screen: &S,
    visit: F,
) -> (Parts<T>, Vec<Piece>)
where
    T: Value,
    S: Screen,
    F: Fn(&Document<'_>) -> Option<T> + Sync,
{
    let caps = &options.limits.archives;
    // What is still made when reading was stopped is not looked at; it is told as unread.
    let visit = |document: &Document<'_>| {
        if options.limits.halt.called() {
            return None;
        }
        archives::visit(document, caps, &visit)
    };
    progress.stage("files");
    let (roots, state) = files(sites, (options, looks, memory), progress, &visit);
    let stores = if options.history {
        Store::group(sites)
    } else {
        Vec::new()
    };
    if !stores.is_empty() {
        progress.stage(HISTORY);
    }
    let on_disk = roots.iter().flat_map(|root| root.ids.iter().copied());
    let read = histories(
        &stores,
        Past::new(on_disk.collect()),
        options,
        progress,
        screen,
        memory,
        &visit,
    );
    progress.stage("attribution");
    let stores = attribution(&stores, read, &roots, options, memory);
    (Parts { roots, stores }, state)
}

/// Reads the current files.
fn files<T: Value>(
    sites: &[Site<'_>],
    (options, looks, memory): (&ReadOptions, bool, &dyn Memory),
    progress: &dyn Progress,
    visit: &(impl Fn(&Document<'_>) -> Option<Visited<T>> + Sync),
) -> (Vec<RootPart<T>>, Vec<Piece>) {
    let mut parts = Vec::with_capacity(sites.len());
    let mut state = Vec::new();
    for some in sites.chunks(PLANNED) {
        let planned: Vec<_> = some
            .par_iter()
            .map(|site| {
                let kept = memory.recall(Kind::Files, &site.root.path);
                let kept = kept.and_then(|packed| FileMemory::<T>::unpack(&packed));
                let kept = kept.filter(|kept| kept.name == site.root.name);
                let key = if kept.is_some() || memory.keeps() {
                    site.key()
                } else {
                    String::new()
                };
                let known = kept.as_ref().map_or("", |kept| kept.key.as_str());
                let work = site.plan(options, &key, known);
                (kept, key, work)
            })
            .collect();
        for (site, (kept, key, work)) in some.iter().zip(planned) {
            let kept = kept.as_ref();
            let mut read = match (work, kept) {
                _ if options.limits.halt.called() => unread(),
                (Work::Files(index), kept) => {
                    let began = memory.began();
                    let before = Before {
                        keeps: memory.keeps(),
                        looks,
                        kept,
                        began,
                    };
                    read_files(site, &index, options, progress, &before, visit)
                }
                (Work::Head(repo, files), kept) => read_head(
                    site,
                    repo,
                    files,
                    options,
                    progress,
                    (kept, &key, memory.keeps()),
                    visit,
                ),
                (Work::Same(repo), Some(kept)) => {
                    let again = again(kept);
                    let read = read_head(
                        site,
                        repo,
                        again,
                        options,
                        progress,
                        (None, "", false),
                        visit,
                    );
                    same_head(kept, read)
                }
                // Nothing is the same as what is not known.
                (Work::Same(_), None) => continue,
            };
            state.append(&mut read.state);
            if let Some(files) = read.memory {
                memory.keep(Kind::Files, &site.root.path, files.facts, files.bytes);
            }
            parts.push(RootPart {
                name: site.root.name.clone(),
                kind: site.root.kind,
                opened: opened(site),
                files: read.files,
                bytes: read.bytes,
                ids: read.ids,
                hits: read.hits,
                omissions: read.omissions,
                trouble: site.trouble.told(),
            });
            site.rest();
        }
    }
    (parts, state)
}

fn opened(site: &Site<'_>) -> Opened {
    match &site.access {
        Access::None => Opened::No,
        Access::Refused(refusal) => Opened::Refused(refusal.clone()),
        Access::Open(repo) => Opened::Repository {
            store: name_of(&repo.common),
            partial: repo.partial,
            shallow: !repo.shallow.is_empty(),
        },
    }
}

/// A path as a text that no other path has.
fn name_of(path: &Path) -> String {
    super::kept::text_of(path.as_os_str().as_encoded_bytes())
}

/// What reading one store gave, before its commits were asked.
struct Read<T> {
    history: History,
    /// Digest of the state it was read in.
    key: String,
    kept: Option<HistoryMemory<T>>,
    /// The history is the one that is kept.
    same: bool,
    heard: Vec<(Id, Visited<T>)>,
    past: PastRead<T>,
    /// Reading was stopped before this was read whole.
    stopped: bool,
}

/// Reads the histories.
fn histories<T: Value>(
    stores: &[Store<'_>],
    mut past: Past,
    options: &ReadOptions,
    progress: &dyn Progress,
    screen: &impl Screen,
    memory: &dyn Memory,
    visit: &(impl Fn(&Document<'_>) -> Option<Visited<T>> + Sync),
) -> Vec<Read<T>> {
    let mut out: Vec<Read<T>> = Vec::with_capacity(stores.len());
    for group in histories::groups(stores) {
        let some = &stores[group.clone()];
        let walked: Vec<_> = some
            .par_iter()
            .map(|store| {
                if options.limits.halt.called() {
                    return (History::default(), String::new(), None, false, Vec::new());
                }
                let kept = memory.recall(Kind::History, &store.repo.common);
                let mut kept = kept.and_then(|packed| HistoryMemory::<T>::unpack(&packed));
                let key = if memory.keeps() {
                    git::key(store.repo)
                } else {
                    String::new()
                };
                if let Some(same) = &mut kept
                    && options.since.is_none()
                    && !key.is_empty()
                    && same.key == key
                {
                    let wanted = same.part.wanted.iter().map(oid).collect();
                    let history = History::of(same.part.commits, wanted);
                    let heard = std::mem::take(&mut same.part.heard);
                    return (history, key, kept, true, heard);
                }
                let heard = Heard::default();
                let history = histories::walk(store, options, &store.trouble, &|id, text| {
                    heard.listen(store.name, id, text, visit);
                });
                (history, key, kept, false, heard.told())
            })
            .collect();
        for (store, (history, key, mut kept, same, heard)) in some.iter().zip(walked) {
            let past = past.read(
                store,
                &history,
                (kept.as_mut(), same),
                options,
                progress,
                screen,
                visit,
            );
            let stopped = options.limits.halt.called();
            if stopped {
                store.trouble.note(STOPPED);
            }
            out.push(Read {
                history,
                key,
                kept,
                same,
                heard,
                past,
                stopped,
            });
        }
        if group.end < stores.len() {
            let mut held: Vec<&mut History> = out.iter_mut().map(|one| &mut one.history).collect();
            histories::let_go(stores, &mut held, group);
        }
    }
    out
}

/// Asks the commits who brought in what was of interest.
fn attribution<T: Value>(
    stores: &[Store<'_>],
    read: Vec<Read<T>>,
    roots: &[RootPart<T>],
    options: &ReadOptions,
    memory: &dyn Memory,
) -> Vec<StorePart<T>> {
    let mut everywhere: BTreeSet<Oid> = BTreeSet::new();
    let mut messages: BTreeSet<Oid> = BTreeSet::new();
    for one in &read {
        let blobs = one.past.of_interest.iter();
        everywhere.extend(
            blobs
                .filter(|(_, value)| value.any())
                .map(|(id, _)| oid(id)),
        );
        messages.extend(one.heard.iter().map(|(id, _)| oid(id)));
    }
    // Of what matters only where it stands now, only its own repository has something to say.
    let mut own: BTreeMap<&str, BTreeSet<Oid>> = BTreeMap::new();
    for root in roots {
        for hit in root.hits.iter().filter(|hit| hit.value.any()) {
            if hit.value.everywhere() {
                everywhere.extend(&hit.ids);
            } else if let Opened::Repository { store, .. } = &root.opened {
                own.entry(store).or_default().extend(&hit.ids);
            }
        }
    }
    let messages: Vec<Oid> = messages.into_iter().collect();
    let all: Vec<(&Store<'_>, Read<T>)> = stores.iter().zip(read).collect();
    let ask = |(store, one): (&Store<'_>, Read<T>)| {
        let path = name_of(&store.repo.common);
        let mut blobs = everywhere.clone();
        blobs.extend(own.get(path.as_str()).into_iter().flatten());
        let blobs: Vec<Oid> = blobs.into_iter().collect();
        finish(store, path, one, (&blobs, &messages), options, memory)
    };
    let mut parts = Vec::with_capacity(stores.len());
    let mut all = all.into_iter();
    for group in histories::groups(stores) {
        let some: Vec<_> = all.by_ref().take(group.len()).collect();
        let told: Vec<StorePart<T>> = some.into_par_iter().map(ask).collect();
        parts.extend(told);
    }
    parts
}

fn finish<T: Value>(
    store: &Store<'_>,
    path: String,
    one: Read<T>,
    (blobs, messages): (&[Oid], &[Oid]),
    options: &ReadOptions,
    memory: &dyn Memory,
) -> StorePart<T> {
    let mut kept = one.kept;
    let known_told = kept
        .as_mut()
        .filter(|_| one.same)
        .map(|kept| std::mem::take(&mut kept.part.told));
    let known = kept.as_ref().filter(|_| one.same);
    let asked = Asked {
        blobs,
        messages,
        heard: !one.heard.is_empty(),
        known: known_told,
    };
    let (told, more): (Said, bool) = histories::attribute(store, &one.history, asked, options);
    let mut trouble = store.trouble.told();
    // What an earlier run met in the same history is still so.
    if let (Some(kept), false, false) = (known, more, one.stopped) {
        trouble = kept.part.trouble.clone();
    }
    let changed =
        known.is_none_or(|kept| more || one.past.fresh > 0 || kept.borrowed != one.past.borrowed);
    let part = StorePart {
        path,
        name: store.name.to_owned(),
        commits: one.history.commits(),
        wanted: one.history.wanted.iter().map(|id| bytes(*id)).collect(),
        of_interest: one.past.of_interest,
        heard: one.heard,
        told,
        trouble,
        faults: one.past.faults,
    };
    // With `since`, only a part of the history is known.
    if !changed || !memory.keeps() || options.since.is_some() || one.stopped {
        return part;
    }
    // What changed while it was read is not known to be as it was read.
    let key = if git::key(store.repo) == one.key {
        one.key
    } else {
        String::new()
    };
    let facts = Facts {
        documents: part.wanted.len() as u64,
        of_interest: part.of_interest.len() as u64,
        commits: part.commits,
    };
    let keep = HistoryMemory {
        key,
        part,
        borrowed: one.past.borrowed,
    };
    if let Some(packed) = keep.pack() {
        memory.keep(Kind::History, &store.repo.common, facts, packed);
    }
    keep.part
}
