//! Reading every document below the roots once, and placing what was of interest.

use super::archives::{Archives, flatten};
use super::current::{read_files, read_head};
use super::discover::Root;
use super::git::{self, History};
use super::git_coverage::git_coverage;
use super::histories;
use super::locate::locate;
use super::messages::{self, Heard};
use super::past::Past;
use super::place::Located;
use super::site::{Site, Store, Work};
use super::{Document, Progress, ReadOptions, Screen};
use crate::model::Coverage;
use git2::Oid;
use jiff::Timestamp;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// Roots whose index or HEAD is held at a time.
const PLANNED: usize = 64;

/// Everything of interest, and what was read to find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOutcome<T> {
    /// One entry per document for which the visitor returned something, sorted by place.
    pub items: Vec<Located<T>>,
    /// What was read and what was not, sorted.
    pub coverage: Vec<Coverage>,
    /// Documents the visitor saw.
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
    T: Send,
    S: Screen,
    F: Fn(&Document<'_>) -> Option<T> + Sync,
{
    git::prepare();
    let documents = AtomicU64::new(0);
    let visit = |document: &Document<'_>| {
        documents.fetch_add(1, Ordering::Relaxed);
        visit(document)
    };
    let archives = Archives::new(options.limits.archives.clone(), options.limits.max_notes);
    let visit = |document: &Document<'_>| archives.visit(document, &visit);
    let mut coverage = Vec::new();
    let sites: Vec<Site<'_>> = roots
        .par_iter()
        .enumerate()
        .map(|(at, root)| Site::open(at, root, options))
        .collect();

    progress.stage("files");
    let mut current = Vec::new();
    let mut on_disk = BTreeSet::new();
    for some in sites.chunks(PLANNED) {
        let work: Vec<Work<'_>> = some.par_iter().map(|site| site.plan(options)).collect();
        for (site, work) in some.iter().zip(work) {
            let read = match work {
                Work::Files(index) => read_files(site, &index, options, progress, &visit),
                Work::Head(repo, files) => read_head(site, repo, files, options, progress, &visit),
            };
            on_disk.extend(read.ids);
            coverage.extend(read.coverage);
            current.extend(read.hits);
            site.rest();
        }
    }

    let stores = if options.history {
        Store::group(&sites)
    } else {
        Vec::new()
    };
    progress.stage("history");
    let mut histories: Vec<History> = Vec::with_capacity(stores.len());
    let mut heard: Vec<Heard<_>> = Vec::with_capacity(stores.len());
    let mut past = Past::new(on_disk);
    for group in histories::groups(&stores) {
        let some = &stores[group.clone()];
        let (walked, listened): (Vec<History>, Vec<Heard<_>>) = some
            .par_iter()
            .map(|store| {
                let heard = Heard::default();
                let history = histories::walk(store, options, store.trouble, &|id, text| {
                    heard.listen(store.name, id, text, &visit);
                });
                (history, heard)
            })
            .unzip();
        for (store, history) in some.iter().zip(&walked) {
            past.read(store, history, options, progress, screen, &visit);
        }
        histories.extend(walked);
        heard.extend(listened);
        if group.end < stores.len() {
            histories::let_go(&stores, &mut histories, group);
        }
    }
    let past = past.found();

    progress.stage("attribution");
    let mut wanted: Vec<Oid> = past
        .iter()
        .map(|(id, _)| *id)
        .chain(current.iter().flat_map(|hit| hit.ids.iter().copied()))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut messages: Vec<Oid> = heard.iter().flat_map(Heard::ids).collect();
    messages.sort_unstable();
    messages.dedup();
    let told = histories::attribute(&stores, &histories, &heard, &wanted, &messages, options);

    let since = options.since.map(Timestamp::as_second);
    let mut located = locate(&sites, &stores, &told, current, past, since);
    let messages = messages::distinct(heard);
    located.extend(messages::locate(&stores, messages, &told, since));
    located.sort_by(|a, b| a.places.cmp(&b.places));
    let items = flatten(located);
    coverage.extend(archives.coverage());
    coverage.extend(git_coverage(&sites, &stores, &histories, options));
    coverage.sort();
    coverage.dedup();
    ReadOutcome {
        items,
        coverage,
        documents: documents.into_inner(),
    }
}
