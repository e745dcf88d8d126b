//! Messages of commits and tags: documents without a file.

use super::archives::Visited;
use super::git::{Id, bytes};
use super::{Document, Origin};
use git2::Oid;
use std::sync::{Mutex, PoisonError};

/// What the visitor made of the messages of one store.
pub(super) struct Heard<T>(Mutex<Vec<(Id, Visited<T>)>>);

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
        visit: &impl Fn(&Document<'_>) -> Option<Visited<T>>,
    ) {
        let value = visit(&Document {
            repository,
            uri: None,
            bytes: text,
            origin: Origin::Message,
            marks: None,
        });
        if let Some(value) = value {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((bytes(id), value));
        }
    }

    /// The messages the visitor made something of, each once, by id.
    pub(super) fn told(self) -> Vec<(Id, Visited<T>)> {
        let mut told = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        told.sort_by_key(|(id, _)| *id);
        told.dedup_by_key(|(id, _)| *id);
        told
    }
}
