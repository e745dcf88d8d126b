//! Messages of commits and tags: documents without a file.

use super::histories::Told;
use super::locate::place;
use super::place::Located;
use super::site::Store;
use super::{Document, Origin};
use git2::Oid;
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

    /// Whether the visitor made nothing of any of them.
    pub(super) fn is_empty(&self) -> bool {
        self.ids().is_empty()
    }

    /// The messages the visitor made something of.
    pub(super) fn ids(&self) -> Vec<Oid> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.iter().map(|(id, _)| *id).collect()
    }
}

/// Every message of interest once: the same may be in several clones.
pub(super) fn distinct<T>(heard: Vec<Heard<T>>) -> BTreeMap<Oid, T> {
    let mut values: BTreeMap<Oid, T> = BTreeMap::new();
    for Heard(found) in heard {
        for (id, value) in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
            values.entry(id).or_insert(value);
        }
    }
    values
}

/// Gives every message its places, in the histories that have it.
pub(super) fn locate<T>(
    stores: &[Store<'_>],
    values: BTreeMap<Oid, T>,
    found: &[Told],
    since: Option<i64>,
) -> Vec<Located<T>> {
    let mut items = Vec::new();
    for (id, value) in values {
        let places: Vec<_> = stores
            .iter()
            .zip(found)
            .filter_map(|(store, found)| Some((store, found.messages.get(&id)?)))
            .filter(|(_, found)| since.is_none_or(|since| found.first_seen >= Some(since)))
            .map(|(store, found)| place(store.name, found))
            .collect();
        if !places.is_empty() {
            items.push(Located { value, places });
        }
    }
    items
}
