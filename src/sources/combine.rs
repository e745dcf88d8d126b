//! From what was read of every root to what it says together: each content once, with all its places.

use super::archives::{Tallies, flatten};
use super::files;
use super::git_coverage::git_coverage;
use super::kept::{Opened, Parts, RootPart, StorePart, Value};
use super::locate::{locate, locate_messages};
use super::place::uri_of_bytes;
use super::read::ReadOutcome;
use super::{ReadOptions, git};
use git2::Oid;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Puts together what was read. It does not matter in how many pieces that was done.
pub fn combine<T: Value>(parts: Parts<T>, options: &ReadOptions) -> ReadOutcome<T> {
    let Parts {
        mut roots,
        mut stores,
    } = parts;
    let limits = &options.limits;
    let mut tallies = Tallies::new(limits.max_notes);
    let mut coverage = Vec::new();
    let mut documents = 0;
    let mut current = Vec::new();
    for (at, root) in roots.iter_mut().enumerate() {
        documents += root.files;
        coverage.extend(files::coverage(
            &root.name,
            root.files,
            root.bytes,
            std::mem::take(&mut root.omissions),
            limits,
        ));
        for hit in std::mem::take(&mut root.hits) {
            if let Some(unpacked) = &hit.value.unpacked {
                tallies.remember(&root.name, Some(&uri_of_bytes(&hit.path)), unpacked);
            }
            if hit.value.any() {
                current.push((at, hit));
            }
        }
    }
    let on_disk: BTreeSet<git::Id> = roots
        .iter()
        .flat_map(|root| root.ids.iter().copied())
        .collect();
    let of_interest: Vec<_> = stores
        .iter_mut()
        .map(|store| std::mem::take(&mut store.of_interest))
        .collect();
    let given = Given {
        on_disk: &on_disk,
        stores: &stores,
    };
    let mut past = Vec::new();
    for (at, (store, of_interest)) in stores.iter().zip(of_interest).enumerate() {
        documents += store.wanted.len() as u64;
        for (id, value) in of_interest {
            if given.before(at, &id) {
                continue;
            }
            if let Some(unpacked) = &value.unpacked {
                tallies.remember(&store.name, None, unpacked);
            }
            if value.any() {
                past.push((git::oid(&id), value));
            }
        }
        for (_, value) in &store.heard {
            if let Some(unpacked) = &value.unpacked {
                tallies.remember(&store.name, None, unpacked);
            }
        }
    }
    past.sort_by_key(|(id, _): &(Oid, _)| *id);
    let store_of = store_of(&roots, &stores);
    let since = options.since.map(Timestamp::as_second);
    let mut located = locate(&roots, &stores, &store_of, current, past, since);
    located.extend(locate_messages(&stores, since));
    located.sort_by(|a, b| a.places.cmp(&b.places));
    let items = flatten(located);
    coverage.extend(tallies.coverage());
    coverage.extend(git_coverage(&roots, &stores, &store_of, &given, options));
    coverage.sort();
    coverage.dedup();
    ReadOutcome {
        items,
        coverage,
        documents,
    }
}

/// Of each root, the store that holds its objects.
fn store_of<T>(roots: &[RootPart<T>], stores: &[StorePart<T>]) -> Vec<Option<usize>> {
    let stores = stores.iter().enumerate();
    let by_path: BTreeMap<&str, usize> = stores.map(|(at, one)| (one.path.as_str(), at)).collect();
    let of = |root: &RootPart<T>| match &root.opened {
        Opened::Repository { store, .. } => by_path.get(store.as_str()).copied(),
        Opened::No | Opened::Refused(_) => None,
    };
    roots.iter().map(of).collect()
}

/// Which contents something earlier has given.
pub(super) struct Given<'a, T> {
    on_disk: &'a BTreeSet<git::Id>,
    stores: &'a [StorePart<T>],
}

impl<T> Given<'_, T> {
    /// Whether a current file or a store before this one has given a blob.
    pub(super) fn before(&self, store: usize, id: &git::Id) -> bool {
        self.on_disk.contains(id)
            || self
                .stores
                .iter()
                .take(store)
                .any(|one| one.has(id) && !one.lacks(id))
    }
}
