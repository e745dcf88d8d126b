//! Pack indexes of version 2: which objects a pack holds, and where.

use super::super::ids::Id;
use std::ops::Range;

const MAGIC: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
const FAN_OUT: usize = 256 * 4;
/// Checksums of the pack and of the index itself.
const TRAILER: usize = 40;
/// Set where an offset is a position in the table of long offsets.
const LONG: u32 = 1 << 31;

/// An index whose tables lie within its file and whose ids ascend.
pub(super) struct Index<'a> {
    ids: &'a [[u8; 20]],
    offsets: &'a [[u8; 4]],
    long: &'a [[u8; 8]],
    /// The checksum at the end of the pack it belongs to.
    pub(super) pack_checksum: &'a [u8],
}

impl<'a> Index<'a> {
    /// Parses an index; `None` when it is of another version or damaged.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (fan_out, rest) = rest.split_at_checked(FAN_OUT)?;
        let (fan_out, _) = fan_out.as_chunks::<4>();
        let count = u32::from_be_bytes(*fan_out.last()?) as usize;
        let (ids, rest) = rest.split_at_checked(count.checked_mul(20)?)?;
        let (_, rest) = rest.split_at_checked(count.checked_mul(4)?)?;
        let (offsets, rest) = rest.split_at_checked(count.checked_mul(4)?)?;
        let (long, trailer) = rest.split_at_checked(rest.len().checked_sub(TRAILER)?)?;
        let index = Self {
            ids: ids.as_chunks().0,
            offsets: offsets.as_chunks().0,
            long: long.as_chunks().0,
            pack_checksum: trailer.get(..20)?,
        };
        index.ids.is_sorted().then_some(index)
    }

    /// The ids, ascending.
    pub(super) fn ids(&self) -> &'a [Id] {
        self.ids
    }

    /// Where the entry of each id begins, in their order; `None` when one lies outside `entries`.
    pub(super) fn offsets(&self, entries: &Range<u64>) -> Option<Vec<u64>> {
        self.offsets
            .iter()
            .map(|raw| {
                let short = u32::from_be_bytes(*raw);
                let offset = if short & LONG == 0 {
                    u64::from(short)
                } else {
                    u64::from_be_bytes(*self.long.get((short & !LONG) as usize)?)
                };
                entries.contains(&offset).then_some(offset)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(ids: &[Id], offsets: &[u64]) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for first in 0..=255_u8 {
            let below = ids.iter().filter(|id| id[0] <= first).count() as u32;
            out.extend(below.to_be_bytes());
        }
        out.extend(ids.as_flattened());
        out.extend(vec![0; ids.len() * 4]);
        let mut long = Vec::new();
        for offset in offsets {
            let short = u32::try_from(*offset)
                .ok()
                .filter(|short| short & LONG == 0);
            if let Some(short) = short {
                out.extend(short.to_be_bytes());
            } else {
                out.extend((LONG | (long.len() / 8) as u32).to_be_bytes());
                long.extend(offset.to_be_bytes());
            }
        }
        out.extend(long);
        out.extend([7; 40]);
        out
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(of in proptest::collection::btree_map(any::<Id>(), 12_u64..1 << 40, 0..40)) {
            let ids: Vec<Id> = of.keys().copied().collect();
            let offsets: Vec<u64> = of.values().copied().collect();
            let raw = written(&ids, &offsets);
            let index = Index::parse(&raw).unwrap();
            prop_assert_eq!(index.ids(), ids);
            prop_assert_eq!(index.offsets(&(12..1 << 40)), Some(offsets));
            prop_assert!(of.is_empty() || index.offsets(&(0..12)).is_none());
        }

        #[test]
        fn anything_is_parsed_without_panic(count in 0_u8..9, mut tail in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut raw = MAGIC.to_vec();
            raw.extend(vec![0; FAN_OUT - 1]);
            raw.push(count);
            raw.append(&mut tail);
            if let Some(index) = Index::parse(&raw) {
                let _ = index.offsets(&(0..u64::MAX));
            }
        }
    }
}
