//! What is known of a request before it is made: the keys that are constant for a principal.

use jiff::Timestamp;
use std::collections::BTreeMap;

/// What is known of one condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// It has these values (one, for keys with a single value).
    Value(&'a [String]),
    /// It is in the request; a scan cannot tell its value.
    Present,
    /// It is not in the request.
    Absent,
    /// A scan cannot tell.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Value(Vec<String>),
    Present,
    Absent,
}

/// Known condition keys; names compare without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    keys: BTreeMap<String, Entry>,
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
            .insert(key.to_ascii_lowercase(), Entry::Value(vec![value.into()]));
    }

    /// Sets a key to several values.
    pub fn set_all(&mut self, key: &str, values: Vec<String>) {
        self.keys
            .insert(key.to_ascii_lowercase(), Entry::Value(values));
    }

    /// Marks a key as absent.
    pub fn set_absent(&mut self, key: &str) {
        self.keys.insert(key.to_ascii_lowercase(), Entry::Absent);
    }

    /// Says that a key is in the request, with a value nobody knows.
    pub fn set_present(&mut self, key: &str) {
        self.keys.insert(key.to_ascii_lowercase(), Entry::Present);
    }

    /// Says that every key which is not listed is absent.
    pub const fn complete(&mut self) {
        self.complete = true;
    }

    /// Whether every key which is not listed is absent.
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.closed.is_empty()
            && !self.complete
            && self.not_before.is_none()
    }

    /// Sets what is not set yet.
    pub fn suppose(&mut self, key: &str, value: impl Into<String>) {
        self.keys
            .entry(key.to_ascii_lowercase())
            .or_insert_with(|| Entry::Value(vec![value.into()]));
    }

    /// Takes over every key of another context.
    pub fn extend(&mut self, other: &Self) {
        for (key, entry) in &other.keys {
            self.keys.insert(key.clone(), entry.clone());
        }
        self.complete |= other.complete;
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
            Some(Entry::Value(values)) => Known::Value(values),
            Some(Entry::Present) => Known::Present,
            Some(Entry::Absent) => Known::Absent,
            None if self.complete || self.closed.iter().any(|prefix| key.starts_with(prefix)) => {
                Known::Absent
            }
            None => Known::Unknown,
        }
    }
}
