//! Messages of commits and tags: documents without a file.

use super::git::{self, History};
use super::locate::place;
use super::place::Located;
use super::site::Store;
use super::{Document, Origin, ReadOptions};
use git2::Oid;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What the visitor made of the messages of one store.
pub(super) struct Heard<T>(Mutex<Vec<(Oid, T)>>);

impl<T> Default for Heard<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Heard<T> {
    /// Hands a message to the visitor.
    pub(super) fn listen(
        &self,
        repository: &str,
        id: Oid,
        text: &[u8],
        visit: &impl Fn(&Document<'_>) -> Option<T>,
    ) {
        let value = visit(&Document {
            repository,
            uri: None,
            bytes: text,
            origin: Origin::History,
        });
        if let Some(value) = value {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((id, value));
        }
    }
}

/// Places every message of interest in the histories that have it.
pub(super) fn locate<T>(
    stores: &[Store<'_>],
    histories: &[History],
    heard: Vec<Heard<T>>,
    options: &ReadOptions,
) -> Vec<Located<T>> {
    let mut values: BTreeMap<Oid, T> = BTreeMap::new();
    for Heard(found) in heard {
        for (id, value) in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
            // The same message in several clones.
            values.entry(id).or_insert(value);
        }
    }
    let ids: Vec<Oid> = values.keys().copied().collect();
    let since = options.since.map(Timestamp::as_second);
    let found: Vec<_> = stores
        .iter()
        .zip(histories)
        .map(|(store, history)| {
            let limits = &options.limits;
            let found = git::attribute_messages(store.repo, history, &ids, limits, store.trouble);
            store.repo.rest();
            found
        })
        .collect();
    let mut items = Vec::new();
    for (id, value) in values {
        let places: Vec<_> = stores
            .iter()
            .zip(&found)
            .filter_map(|(store, found)| Some((store, found.get(&id)?)))
            .filter(|(_, found)| since.is_none_or(|since| found.first_seen >= Some(since)))
            .map(|(store, found)| place(store.name, found))
            .collect();
        if !places.is_empty() {
            items.push(Located { value, places });
        }
    }
    items
}
