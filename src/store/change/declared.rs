//! What code declares is known by its place: identities, and credentials of which only a name was seen. They keep their ids
//! when their repository is renamed or their file is moved: what is gone and what is new, and differs in nothing but the
//! place, is one.

use super::Past;
use super::namesakes::settle;
use super::renamed::{pairs, without};
use super::repositories::{Names, by_content, by_origin, place_of};
use crate::model::{
    Consumer, ConsumerId, Credential, CredentialId, Identity, IdentityId, Inventory,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Something that is known by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its id.
    pub id: String,
    /// The repository that declares it.
    home: String,
    kind: String,
    /// What tells it from others of its kind, the place included.
    name: String,
    /// The files that declare it.
    files: Vec<String>,
}

/// What the run before declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Its inputs.
    pub inputs: Vec<String>,
    /// Where its repositories were cloned from.
    pub origins: BTreeMap<String, String>,
    /// What it knew by its place.
    pub declared: Vec<Declared>,
}

/// What is known of the ids of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Every id that is another name of a known one.
    pub ids: BTreeMap<String, String>,
    /// Those of them that nobody knew before.
    pub aliases: BTreeMap<String, String>,
    /// Repositories by their new names, with the ones they had.
    pub repositories: Names,
}

/// What is known by its place among these.
pub fn declared<'a>(
    identities: impl IntoIterator<Item = &'a Identity>,
    credentials: impl IntoIterator<Item = &'a Credential>,
    consumers: impl IntoIterator<Item = &'a Consumer>,
) -> Vec<Declared> {
    let mut out = Vec::new();
    let mut homes: BTreeMap<&IdentityId, (&str, &str)> = BTreeMap::new();
    for identity in identities {
        let places = &identity.locations;
        let first = places
            .iter()
            .find_map(|place| Some((place.repository.as_deref()?, place.uri.as_str())));
        let Some((home, uri)) = first else { continue };
        homes.insert(&identity.id, (home, uri));
        out.push(Declared {
            id: identity.id.to_string(),
            home: home.to_owned(),
            kind: format!("{} {}", identity.provider, identity.kind.as_str()),
            name: identity.native_id.clone(),
            files: places.iter().map(|place| place.uri.clone()).collect(),
        });
    }
    let consumers: BTreeMap<&ConsumerId, &Consumer> =
        consumers.into_iter().map(|one| (&one.id, one)).collect();
    for credential in credentials {
        if credential.public_id.is_some() || credential.fingerprint.is_some() {
            continue;
        }
        let users: Vec<&Consumer> = credential
            .consumers
            .iter()
            .filter_map(|id| consumers.get(id).copied())
            .collect();
        let seen = credential.sightings.iter();
        let mut places: Vec<(&str, &str)> = seen
            .map(|sighting| (sighting.repository.as_str(), sighting.uri.as_str()))
            .collect();
        places.extend(users.iter().filter_map(|user| {
            let file = user
                .location
                .as_ref()
                .map_or("", |place| place.uri.as_str());
            Some((user.repository.as_deref()?, file))
        }));
        let holder = credential.identity.as_ref();
        places.extend(holder.and_then(|id| homes.get(id).copied()));
        let Some((home, _)) = places.first().copied() else {
            continue;
        };
        let mut names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        names.sort_unstable();
        let reference = credential.reference.as_deref().unwrap_or_default();
        out.push(Declared {
            id: credential.id.to_string(),
            home: home.to_owned(),
            kind: format!("{} {}", credential.provider, credential.kind),
            name: format!("{reference}\n{}", names.join("\n")),
            files: places
                .into_iter()
                .map(|(_, file)| file.to_owned())
                .collect(),
        });
    }
    out
}

/// Finds the ids that what a run declares had before its place changed. `taken` are all ids of the run, `before` is asked for
/// only when the run has something that `known` does not have.
pub fn keep(
    now: &[Declared],
    (inputs, origins): (&[String], &BTreeMap<String, String>),
    taken: &BTreeSet<String>,
    past: &Past,
    before: Option<&Before>,
) -> Kept {
    let mut taken = taken.clone();
    let places: BTreeMap<&str, &Declared> = now.iter().map(|one| (one.id.as_str(), one)).collect();
    let old: BTreeMap<&str, &Declared> = before.map_or_else(BTreeMap::new, |before| {
        let declared = before.declared.iter();
        declared.map(|one| (one.id.as_str(), one)).collect()
    });
    // Who had an id that two have now: the one that is where it was in the run before.
    let moved = |id: &str, known: &str| match (places.get(id), places.get(known), old.get(known)) {
        (Some(one), Some(newcomer), Some(last)) => {
            let at = |it: &Declared| it.home == last.home && it.files == last.files;
            at(one) && !at(newcomer)
        }
        _ => false,
    };
    let own: Vec<&str> = places.keys().copied().collect();
    let mut settled = settle(&own, &mut taken, &past.aliases, moved);
    let Some(before) = before else {
        return Kept {
            ids: settled.ids,
            ..Kept::default()
        };
    };
    let inputs: BTreeSet<&str> = inputs.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = before.inputs.iter().map(String::as_str).collect();
    let appeared =
        |name: &str| inputs.contains(name) && !known.contains(name) && !past.homes.contains(name);
    let vanished = |name: &str| known.contains(name) && !inputs.contains(name);
    // Another repository has this name now: it was cloned from elsewhere.
    let replaced = |name: &str, origin: &String| {
        inputs.contains(name)
            && origins
                .get(name)
                .is_some_and(|now| place_of(now) != place_of(origin))
    };
    let mut names = by_origin(
        (before.origins.iter()).filter(|(name, origin)| vanished(name) || replaced(name, origin)),
        origins.iter().filter(|(name, _)| appeared(name)),
    );
    let left: BTreeSet<String> = names
        .values()
        .filter(|old| inputs.contains(old.as_str()))
        .cloned()
        .collect();
    let newcomers = now.iter().filter(|one| left.contains(&one.home));
    for one in newcomers {
        let known = settled.ids.get(&one.id).unwrap_or(&one.id).as_str();
        if old.get(known).is_some_and(|last| last.home == one.home) {
            taken.remove(known);
            settled.part(&one.id, &mut taken);
        }
    }
    let fresh: Vec<(usize, &Declared)> = now
        .iter()
        .enumerate()
        .filter(|(_, one)| !old.contains_key(one.id.as_str()) && !settled.ids.contains_key(&one.id))
        .collect();
    let gone: Vec<&Declared> = before
        .declared
        .iter()
        .filter(|one| !taken.contains(&one.id))
        .collect();
    by_content(
        (gone.iter().filter(|one| vanished(&one.home))).map(|one| (shape(one), one.home.as_str())),
        (fresh.iter().filter(|(_, one)| appeared(&one.home)))
            .map(|(_, one)| (shape(one), one.home.as_str())),
        &mut names,
    );
    let mut found = Vec::new();
    let renamed: BTreeMap<&String, &String> = names.iter().map(|(new, old)| (old, new)).collect();
    pairs(
        (fresh
            .iter()
            .filter(|(_, one)| names.contains_key(&one.home)))
        .map(|(at, one)| ((&one.home, shape(one)), *at)),
        gone.iter()
            .filter_map(|one| Some(((*renamed.get(&one.home)?, shape(one)), &one.id))),
        &mut found,
    );
    let within = |one: &Declared| (one.home.clone(), one.kind.clone(), unplaced(one));
    pairs(
        fresh
            .iter()
            .filter(|(_, one)| known.contains(one.home.as_str()))
            .map(|(at, one)| (within(one), *at)),
        gone.iter()
            .filter(|one| inputs.contains(one.home.as_str()) && !left.contains(&one.home))
            .map(|one| (within(one), &one.id)),
        &mut found,
    );
    for (at, id) in found {
        if let Some(one) = now.get(at) {
            settled.fresh.insert(one.id.clone(), id.clone());
            settled.ids.insert(one.id.clone(), id);
        }
    }
    Kept {
        ids: settled.ids,
        aliases: settled.fresh,
        repositories: names,
    }
}

/// All but the name of the repository.
fn shape(one: &Declared) -> (String, String, Vec<String>) {
    let name = without(&one.name, &one.home, "\u{1}");
    (one.kind.clone(), name, one.files.clone())
}

/// The name without any part of the paths of its files.
fn unplaced(one: &Declared) -> String {
    let mut parts: BTreeSet<&str> = BTreeSet::new();
    for file in &one.files {
        parts.insert(file);
        parts.extend(file.rsplit('/').next());
        parts.extend(
            file.match_indices('/')
                .filter_map(|(end, _)| file.get(..end)),
        );
    }
    let mut parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let mut name = one.name.clone();
    for part in parts {
        name = without(&name, part, "\u{2}");
    }
    name.replace("/\u{2}", "").replace("\u{2}/", "")
}

/// Puts other ids in the place of some, wherever they stand in an inventory.
pub fn rename(inventory: &mut Inventory, ids: &BTreeMap<String, String>) {
    if ids.is_empty() {
        return;
    }
    let mut all = std::mem::take(inventory);
    let renamed = |id: &str| ids.get(id).map_or(id, String::as_str).to_owned();
    inventory.identities = std::mem::take(&mut all.identities)
        .into_iter()
        .map(|(id, one)| (IdentityId::named(&renamed(id.as_str())), replaced(one, ids)))
        .collect();
    inventory.credentials = std::mem::take(&mut all.credentials)
        .into_iter()
        .map(|(id, one)| {
            (
                CredentialId::named(&renamed(id.as_str())),
                replaced(one, ids),
            )
        })
        .collect();
    inventory.grants = std::mem::take(&mut all.grants)
        .into_iter()
        .map(|(id, one)| (id, replaced(one, ids)))
        .collect();
    inventory.consumers = std::mem::take(&mut all.consumers)
        .into_iter()
        .map(|(id, one)| (id, replaced(one, ids)))
        .collect();
    let rest = replaced(all, ids);
    *inventory = Inventory {
        identities: std::mem::take(&mut inventory.identities),
        credentials: std::mem::take(&mut inventory.credentials),
        grants: std::mem::take(&mut inventory.grants),
        consumers: std::mem::take(&mut inventory.consumers),
        ..rest
    };
}

/// The value with other ids in the place of some. An id is a text of its own, never a part of one.
fn replaced<T: Serialize + DeserializeOwned>(value: T, ids: &BTreeMap<String, String>) -> T {
    let Ok(json) = serde_json::to_string(&value) else {
        return value;
    };
    let mut out = String::new();
    let mut from = 0;
    let texts: Vec<usize> = json.match_indices('"').map(|(at, _)| at).collect();
    for (begin, end) in texts.iter().zip(texts.iter().skip(1)) {
        if let Some(id) = json.get(begin + 1..*end).and_then(|text| ids.get(text)) {
            out.push_str(json.get(from..=*begin).unwrap_or_default());
            out.push_str(id);
            from = *end;
        }
    }
    if from == 0 {
        return value;
    }
    out.push_str(json.get(from..).unwrap_or_default());
    serde_json::from_str(&out).unwrap_or(value)
}
