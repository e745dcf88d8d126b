//! Placing what was of interest.

use super::archives::Visited;
use super::current::CurrentHit;
use super::git::{Attribution, oid};
use super::kept::{RootPart, StorePart, Value};
use super::place::{Located, Place, uri_of_bytes};
use crate::model::Trail;
use git2::Oid;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// One place as its repository names it.
pub(super) fn place(name: &str, found: &Attribution) -> Place {
    let time = |seconds: Option<i64>| Timestamp::from_second(seconds?).ok();
    Place {
        repository: name.to_owned(),
        uri: uri_of_bytes(&found.path),
        commit: found.commit.map(|id| id.to_string()),
        author: found.author.clone(),
        first_seen: time(found.first_seen),
        last_seen: time(found.last_seen),
        at_head: found.at_head,
        trail: found.trail.clone(),
    }
}

/// A place that the work tree has, whatever HEAD has.
fn present(place: Place) -> Place {
    Place {
        at_head: true,
        trail: Trail {
            removed_in: None,
            removed_at: None,
            ..place.trail
        },
        ..place
    }
}

/// A current file of interest, with the position of its root.
pub(super) type Current<T> = (usize, CurrentHit<Visited<T>>);

/// Gives every document of interest its places: a current one the path it stands at, with what git says of it there;
/// each blob the paths that held it and are not told by a current document. Those of a blob that current documents hold
/// go to the first of them.
pub(super) fn locate<T: Value>(
    roots: &[RootPart<T>],
    stores: &[StorePart<T>],
    store_of: &[Option<usize>],
    current: Vec<Current<T>>,
    past: Vec<(Oid, Visited<T>)>,
    since: Option<i64>,
) -> Vec<Located<Visited<T>>> {
    let in_window = |found: &&Attribution| {
        since.is_none_or(|since| found.first_seen.is_none_or(|first| first >= since))
    };
    // Places of current documents: history must not tell them a second time.
    let mut told: BTreeSet<(usize, &[u8], Oid)> = BTreeSet::new();
    let mut first_with: BTreeMap<Oid, usize> = BTreeMap::new();
    let everywhere = current.iter().enumerate();
    for (index, (root, hit)) in everywhere.filter(|(_, (_, hit))| hit.value.everywhere()) {
        for id in &hit.ids {
            first_with.entry(*id).or_insert(index);
            // A linked work tree tells for itself, not for the root that stands for the history.
            if let Some(store) = store_of[*root]
                && stores[store].name == roots[*root].name
            {
                told.insert((store, &hit.path, *id));
            }
        }
    }
    let elsewhere = |id: Oid| -> Vec<Place> {
        let mut places = Vec::new();
        for (at, store) in stores.iter().enumerate() {
            let found = store.told.blobs.get(&id);
            for found in found.into_iter().flatten().filter(in_window) {
                if !told.contains(&(at, found.path.as_slice(), id)) {
                    places.push(place(&store.name, found));
                }
            }
        }
        places
    };
    let mut placed: Vec<(Vec<Place>, Oid)> = Vec::new();
    for (index, (root, hit)) in current.iter().enumerate() {
        let name = roots[*root].name.as_str();
        let found = store_of[*root].and_then(|store| {
            hit.ids.iter().find_map(|id| {
                stores[store]
                    .told
                    .blobs
                    .get(id)?
                    .iter()
                    .find(|found| found.path == hit.path)
            })
        });
        let mut places = vec![match found {
            Some(found) => present(place(name, found)),
            None => Place {
                repository: name.to_owned(),
                uri: uri_of_bytes(&hit.path),
                commit: None,
                author: None,
                first_seen: None,
                last_seen: None,
                at_head: true,
                trail: Trail::default(),
            },
        }];
        for id in &hit.ids {
            if first_with.get(id) == Some(&index) {
                places.extend(elsewhere(*id));
            }
        }
        placed.push((places, hit.ids.first().copied().unwrap_or(Oid::ZERO_SHA1)));
    }
    let mut items: Vec<(Located<Visited<T>>, Oid)> = Vec::new();
    for (id, value) in past {
        // An untracked file with the same content was visited by itself and carries these places.
        if !first_with.contains_key(&id) {
            let places = elsewhere(id);
            items.push((Located { value, places }, id));
        }
    }
    let current = current.into_iter().zip(placed);
    items.extend(current.map(|((_, hit), (places, id))| {
        let value = hit.value;
        (Located { value, places }, id)
    }));
    for (item, _) in &mut items {
        item.places.sort();
        item.places.dedup();
    }
    items.retain(|(item, _)| !item.places.is_empty());
    items.sort_by(|(a, a_id), (b, b_id)| (&a.places, a_id).cmp(&(&b.places, b_id)));
    items.into_iter().map(|(item, _)| item).collect()
}

/// Gives every message its places, in the histories that have it. The same may be in several clones.
pub(super) fn locate_messages<T: Value>(
    stores: &[StorePart<T>],
    since: Option<i64>,
) -> Vec<Located<Visited<T>>> {
    let mut values: BTreeMap<Oid, &Visited<T>> = BTreeMap::new();
    for (id, value) in stores.iter().flat_map(|store| &store.heard) {
        values.entry(oid(id)).or_insert(value);
    }
    let mut items = Vec::new();
    for (id, value) in values {
        let places: Vec<_> = stores
            .iter()
            .filter_map(|store| Some((store, store.told.messages.get(&id)?)))
            .filter(|(_, found)| since.is_none_or(|since| found.first_seen >= Some(since)))
            .map(|(store, found)| place(&store.name, found))
            .collect();
        if !places.is_empty() {
            let value = value.clone();
            items.push(Located { value, places });
        }
    }
    items
}
