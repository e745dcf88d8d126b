//! Sets and maps of object ids: millions of lookups, shared by workers.

use git2::Oid;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The bytes of an id, which compare without a call into libgit2.
pub(super) type Id = [u8; 20];

/// The bytes of an id.
pub(super) fn bytes(id: Oid) -> Id {
    let mut out = Id::default();
    for (to, from) in out.iter_mut().zip(id.as_bytes()) {
        *to = *from;
    }
    out
}

#[expect(
    clippy::disallowed_types,
    reason = "membership of millions of ids; whatever leaves is sorted first"
)]
pub(super) type Ids = std::collections::HashSet<Id, Seed>;

#[expect(
    clippy::disallowed_types,
    reason = "lookups of millions of ids; iterated nowhere"
)]
type Map<V> = std::collections::HashMap<Id, V, Seed>;

/// Ids are hashes already; the seed, another in every process, keeps whoever chose the objects from choosing where they
/// fall.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(u64);

impl Default for Seed {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0_u8))
    }
}

impl BuildHasher for Seed {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher(self.0)
    }
}

/// Folds the first eight bytes of an id into the seed.
#[derive(Debug)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            let product = u128::from(self.0 ^ u64::from_le_bytes(*first))
                * u128::from(0x9e37_79b9_7f4a_7c15_u64);
            self.0 = (product >> 64) as u64 ^ product as u64;
        }
    }

    /// The length in front of an id's bytes is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

const SHARDS: usize = 64;

/// A map by id that several threads use; each of its parts has its own lock.
pub(super) struct Shared<V>(Vec<Mutex<Map<V>>>);

impl<V> Default for Shared<V> {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl<V: Copy> Shared<V> {
    /// Sets a value; false when there was one, which is replaced.
    pub(super) fn insert(&self, id: Id, value: V) -> bool {
        self.part(&id).insert(id, value).is_none()
    }

    /// The value.
    pub(super) fn get(&self, id: &Id) -> Option<V> {
        self.part(id).get(id).copied()
    }

    fn part(&self, id: &Id) -> MutexGuard<'_, Map<V>> {
        // The last byte, so that a part's own table still sees every first byte.
        let part = usize::from(id[19]) % SHARDS;
        self.0[part].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A few ids among millions that are not: sorted, behind a filter on their first two bytes.
pub(super) struct Wanted {
    sorted: Vec<Id>,
    filter: Vec<u64>,
}

impl Wanted {
    /// From sorted, distinct ids.
    pub(super) fn new(sorted: &[Oid]) -> Self {
        let sorted: Vec<Id> = sorted.iter().map(|id| bytes(*id)).collect();
        let mut filter = vec![0; 1 << 10];
        for id in &sorted {
            let (word, bit) = Self::slot(id);
            filter[word] |= bit;
        }
        Self { sorted, filter }
    }

    /// Position among the ids it was made from.
    pub(super) fn position(&self, id: &Id) -> Option<u32> {
        let (word, bit) = Self::slot(id);
        if self.filter[word] & bit == 0 {
            return None;
        }
        u32::try_from(self.sorted.binary_search(id).ok()?).ok()
    }

    fn slot(id: &Id) -> (usize, u64) {
        let value = usize::from(u16::from_be_bytes([id[0], id[1]]));
        (value >> 6, 1 << (value & 63))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn wanted_finds_what_it_was_made_from(ids in proptest::collection::btree_set(any::<Id>(), 0..50), other: Id) {
            let sorted: Vec<Oid> = ids.iter().map(|id| Oid::from_bytes(id).unwrap()).collect();
            let wanted = Wanted::new(&sorted);
            for (at, id) in ids.iter().enumerate() {
                prop_assert_eq!(wanted.position(id), Some(at as u32));
            }
            prop_assert_eq!(wanted.position(&other).is_some(), ids.contains(&other));
        }

        #[test]
        fn shared_is_a_map(ids in proptest::collection::vec(any::<Id>(), 0..50)) {
            let shared = Shared::default();
            let mut plain = std::collections::BTreeMap::new();
            for (at, id) in ids.iter().enumerate() {
                prop_assert_eq!(shared.insert(*id, at), plain.insert(*id, at).is_none());
            }
            for (id, at) in &plain {
                prop_assert_eq!(shared.get(id), Some(*at));
            }
        }
    }
}
