//! What is kept of the history of an object store.

use super::bytes::{Reader, Writer, packed};
use super::part::StorePart;
use super::{Value, id_of, latin, text_of};
use crate::model::Trail;
use crate::sources::archives::Visited;
use crate::sources::git::{Attribution, Id, Said, Totals, bytes, oid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Marks the form of what is kept.
const FORM: &[u8] = b"overstay history 2";

/// The history of a store, and the state it was read in.
#[derive(Clone, Debug)]
pub(in crate::sources) struct HistoryMemory<T> {
    /// Digest of everything in the repository that its history rests on.
    pub(in crate::sources) key: String,
    /// What was read.
    pub(in crate::sources) part: StorePart<T>,
    /// Blobs that were not read here because something else had given them.
    pub(in crate::sources) borrowed: Vec<Id>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    key: String,
    path: String,
    name: String,
    commits: u64,
    trouble: Totals,
    faults: Totals,
}

#[derive(Serialize, Deserialize)]
struct Placed {
    path: String,
    commit: Option<String>,
    author: Option<String>,
    first_seen: Option<i64>,
    last_seen: Option<i64>,
    at_head: bool,
    /// Place of its trail among the trails: thousands of blobs have few.
    trail: usize,
}

/// The different trails there are.
#[derive(Default)]
struct Trails<'a> {
    all: Vec<&'a Trail>,
    places: BTreeMap<&'a Trail, usize>,
}

impl<'a> Trails<'a> {
    fn place(&mut self, trail: &'a Trail) -> usize {
        *self.places.entry(trail).or_insert_with(|| {
            self.all.push(trail);
            self.all.len() - 1
        })
    }
}

impl Placed {
    fn of<'a>(found: &'a Attribution, trails: &mut Trails<'a>) -> Self {
        Self {
            path: text_of(&found.path),
            commit: found.commit.map(|id| id.to_string()),
            author: found.author.clone(),
            first_seen: found.first_seen,
            last_seen: found.last_seen,
            at_head: found.at_head,
            trail: trails.place(&found.trail),
        }
    }

    fn back(self, trails: &[Trail]) -> Option<Attribution> {
        Some(Attribution {
            path: latin(&self.path)?,
            commit: match self.commit {
                Some(id) => Some(id_of(&id)?),
                None => None,
            },
            author: self.author,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            at_head: self.at_head,
            trail: trails.get(self.trail)?.clone(),
        })
    }
}

fn joined(ids: &[Id]) -> Vec<u8> {
    ids.concat()
}

fn split(bytes: &[u8]) -> Option<Vec<Id>> {
    let (ids, rest) = bytes.as_chunks::<20>();
    rest.is_empty().then(|| ids.to_vec())
}

/// Ids as texts.
fn named<V>(values: impl IntoIterator<Item = (Id, V)>) -> Vec<(String, V)> {
    let named = values.into_iter();
    named
        .map(|(id, value)| (oid(&id).to_string(), value))
        .collect()
}

fn unnamed<V, W>(values: Vec<(String, V)>, back: impl Fn(V) -> Option<W>) -> Option<Vec<(Id, W)>> {
    let back = |(id, value)| Some((bytes(id_of(&id as &str)?), back(value)?));
    values.into_iter().map(back).collect()
}

impl<T: Value> HistoryMemory<T> {
    /// As bytes; `None` when something of it has no such form.
    pub(in crate::sources) fn pack(&self) -> Option<Vec<u8>> {
        let part = &self.part;
        let mut writer = Writer::default();
        writer.section(FORM);
        writer.json(&Head {
            key: self.key.clone(),
            path: part.path.clone(),
            name: part.name.clone(),
            commits: part.commits,
            trouble: part.trouble.clone(),
            faults: part.faults.clone(),
        })?;
        writer.section(&joined(&part.wanted));
        writer.section(&joined(&self.borrowed));
        let (read, told) = rayon::join(
            || {
                let values = |values: &[(Id, Visited<T>)]| {
                    packed(&named(values.iter().map(|(id, value)| (*id, value))))
                };
                Some([values(&part.of_interest)?, values(&part.heard)?])
            },
            || packed_words(&part.told),
        );
        for section in read?.iter().chain(&told?) {
            writer.section(section);
        }
        Some(writer.done())
    }

    pub(in crate::sources) fn unpack(packed: &[u8]) -> Option<Self> {
        let mut reader = Reader(packed);
        if reader.section()? != FORM {
            return None;
        }
        let head: Head = reader.json()?;
        let wanted = split(reader.section()?)?;
        let borrowed = split(reader.section()?)?;
        let of_interest: Vec<(String, Visited<T>)> = reader.json()?;
        let heard: Vec<(String, Visited<T>)> = reader.json()?;
        let trails: Vec<Trail> = reader.json()?;
        let blobs: Vec<(String, Vec<Placed>)> = reader.json()?;
        let messages: Vec<(String, Placed)> = reader.json()?;
        let one = |found: Placed| found.back(&trails);
        let all = |found: Vec<Placed>| found.into_iter().map(one).collect();
        let told = Said {
            blobs: by_id(unnamed(blobs, all)?),
            messages: by_id(unnamed(messages, one)?),
        };
        Some(Self {
            key: head.key,
            borrowed,
            part: StorePart {
                path: head.path,
                name: head.name,
                commits: head.commits,
                wanted,
                of_interest: unnamed(of_interest, Some)?,
                heard: unnamed(heard, Some)?,
                told,
                trouble: head.trouble,
                faults: head.faults,
            },
        })
    }
}

/// What commits say, as sections: the trails, then blobs and messages.
fn packed_words(told: &Said) -> Option<[Vec<u8>; 3]> {
    let mut trails = Trails::default();
    let blobs = named(told.blobs.iter().map(|(id, found)| {
        let found = found.iter().map(|one| Placed::of(one, &mut trails));
        (bytes(*id), found.collect::<Vec<_>>())
    }));
    let messages = told.messages.iter();
    let messages = named(messages.map(|(id, found)| (bytes(*id), Placed::of(found, &mut trails))));
    Some([packed(&trails.all)?, packed(&blobs)?, packed(&messages)?])
}

fn by_id<V>(values: Vec<(Id, V)>) -> BTreeMap<git2::Oid, V> {
    let values = values.into_iter();
    values.map(|(id, value)| (oid(&id), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::git::hash_blob;

    #[test]
    fn a_history_comes_back() {
        let id = hash_blob(b"x").unwrap();
        let found = Attribution {
            path: b"a/\xfe b".to_vec(),
            commit: Some(id),
            author: Some("Ada <ada@example.com>".into()),
            first_seen: Some(-5),
            last_seen: None,
            at_head: true,
            trail: Trail {
                branches: vec!["main".into()],
                branches_total: 1,
                ..Trail::default()
            },
        };
        let value = Visited::plain("found".to_owned());
        let memory = HistoryMemory {
            key: "k".into(),
            borrowed: vec![[3; 20]],
            part: StorePart {
                path: "/x".into(),
                name: "app".into(),
                commits: 7,
                wanted: vec![[1; 20], bytes(id)],
                of_interest: vec![(bytes(id), value.clone())],
                heard: vec![([5; 20], value)],
                told: Said {
                    blobs: BTreeMap::from([(id, vec![found.clone()])]),
                    messages: BTreeMap::from([(id, found)]),
                },
                trouble: Totals::default(),
                faults: Totals::default(),
            },
        };
        let packed = memory.pack().unwrap();
        let back: HistoryMemory<String> = HistoryMemory::unpack(&packed).unwrap();
        assert_eq!((&back.key, &back.borrowed), (&memory.key, &memory.borrowed));
        assert_eq!(back.part, memory.part);
        for end in 0..packed.len() {
            assert!(
                HistoryMemory::<String>::unpack(&packed[..end]).is_none(),
                "{end}"
            );
        }
    }
}
