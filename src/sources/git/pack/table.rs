//! The ids of all packed objects of a repository, each with its number.

use super::super::ids::Id;

/// Ids that share their leading bits, on an average: as many as a place among them can be told from the next bits.
const TOGETHER: u32 = 3;
/// Most ids among which the place of one is told from its next bits: more only come together on purpose.
const MOST: usize = 64;

/// Distinct ids, ascending. An object's number is its position among them.
#[derive(Default)]
pub(super) struct Table {
    ids: Vec<Id>,
    /// Where the ids with each value of their leading bits begin.
    starts: Vec<u32>,
    bits: u32,
    /// Of each id, the bits behind those: the place of an id is told from these, which are close together, and the id itself
    /// only confirms it.
    next: Vec<u32>,
}

impl Table {
    /// From ids that ascend.
    pub(super) fn new(ids: Vec<Id>) -> Self {
        let bits = ids.len().max(2).ilog2().saturating_sub(TOGETHER);
        let bits = bits.clamp(1, 20);
        let mut starts = vec![0; (1 << bits) + 1];
        for id in &ids {
            if let Some(count) = starts.get_mut(bucket(id, bits) + 1) {
                *count += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        Self {
            next: ids.iter().map(|id| next(id, bits)).collect(),
            ids,
            starts,
            bits,
        }
    }

    /// The ids.
    pub(super) fn ids(&self) -> &[Id] {
        &self.ids
    }

    /// The number of an id.
    pub(super) fn number(&self, id: &Id) -> Option<u32> {
        let bucket = bucket(id, self.bits);
        let start = *self.starts.get(bucket)?;
        let end = *self.starts.get(bucket + 1)?;
        let range = start as usize..end as usize;
        let among = self.next.get(range.clone())?;
        let key = next(id, self.bits);
        let mut at = if among.len() > MOST {
            among.partition_point(|one| *one < key)
        } else {
            // Ids are spread evenly, so this is the place or close to it.
            ((u64::from(key) * among.len() as u64) >> 32) as usize
        };
        while at > 0 && among.get(at - 1).is_some_and(|one| *one >= key) {
            at -= 1;
        }
        while among.get(at).is_some_and(|one| *one < key) {
            at += 1;
        }
        let alike = among.get(at..)?.iter().take_while(|one| **one == key);
        let ids = self.ids.get(range)?.get(at..)?.iter().zip(alike);
        let (more, _) = ids.enumerate().find(|(_, (one, _))| *one == id)?;
        Some(start + (at + more) as u32)
    }
}

fn next(id: &Id, bits: u32) -> u32 {
    (leading(id) << bits >> 32) as u32
}

fn leading(id: &Id) -> u64 {
    id.first_chunk().copied().map_or(0, u64::from_be_bytes)
}

fn bucket(id: &Id, bits: u32) -> usize {
    (leading(id) >> (64 - bits.clamp(1, 63))) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn numbers_are_positions(ids in proptest::collection::btree_set(any::<Id>(), 0..90), other: Id, alike in 0_u8..30) {
            // Some that share their leading bits.
            let near = (0..alike).map(|last| {
                let mut id = other;
                id[19] = last;
                id
            });
            let ids: BTreeSet<Id> = ids.into_iter().chain(near).collect();
            let table = Table::new(ids.iter().copied().collect());
            for (at, id) in ids.iter().enumerate() {
                prop_assert_eq!(table.number(id), Some(at as u32));
            }
            prop_assert_eq!(table.number(&other).is_some(), ids.contains(&other));
        }
    }
}
