//! Placing what was of interest.

use super::current::CurrentHit;
use super::git::Attribution;
use super::histories::Told;
use super::place::{Located, Place, uri_of_bytes};
use super::site::{Site, Store, store_of};
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

/// Gives every document of interest its places: a current one the path it stands at, with what git says of it there;
/// each blob the paths that held it and are not told by a current document. Those of a blob that current documents hold
/// go to the first of them.
pub(super) fn locate<T>(
    sites: &[Site<'_>],
    stores: &[Store<'_>],
    told_by: &[Told],
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
        for (at, (store, found)) in stores.iter().zip(told_by).enumerate() {
            for found in found.blobs.get(&id).into_iter().flatten().filter(in_window) {
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
                told_by[store]
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
