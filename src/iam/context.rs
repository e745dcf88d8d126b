//! What is known of a request before it is made: the keys that are constant for a principal.

use jiff::Timestamp;
use std::collections::BTreeMap;

/// What is known of one condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// It has these values (one, for keys with a single value).
    Value(&'a [String]),
    /// It is not in the request.
    Absent,
    /// A scan cannot tell.
    Unknown,
}

/// Known condition keys; names compare without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    keys: BTreeMap<String, Option<Vec<String>>>,
    /// Prefixes of keys of which every member that is not listed is absent.
    closed: Vec<String>,
    /// Every key that is not listed is absent: the context of one concrete request.
    complete: bool,
    /// Requests happen at this time or later.
    not_before: Option<Timestamp>,
}

impl Context {
    /// A context that lists every key of one request: what is not in it is absent.
    pub fn of_request() -> Self {
        Self {
            complete: true,
            ..Self::default()
        }
    }

    /// Sets a key to one value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.keys
            .insert(key.to_ascii_lowercase(), Some(vec![value.into()]));
    }

    /// Sets a key to several values.
    pub fn set_all(&mut self, key: &str, values: Vec<String>) {
        self.keys.insert(key.to_ascii_lowercase(), Some(values));
    }

    /// Marks a key as absent.
    pub fn set_absent(&mut self, key: &str) {
        self.keys.insert(key.to_ascii_lowercase(), None);
    }

    /// Marks every key with this prefix that is not set as absent.
    pub fn close(&mut self, prefix: &str) {
        self.closed.push(prefix.to_ascii_lowercase());
    }

    /// Says that requests happen at this time or later.
    pub const fn start_at(&mut self, at: Option<Timestamp>) {
        self.not_before = at;
    }

    /// The earliest time of a request, if known.
    pub const fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// What is known of a key.
    pub fn get(&self, key: &str) -> Known<'_> {
        let key = key.to_ascii_lowercase();
        match self.keys.get(&key) {
            Some(Some(values)) => Known::Value(values),
            Some(None) => Known::Absent,
            None if self.complete || self.closed.iter().any(|prefix| key.starts_with(prefix)) => {
                Known::Absent
            }
            None => Known::Unknown,
        }
    }
}
