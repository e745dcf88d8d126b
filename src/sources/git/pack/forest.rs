//! One pack as a forest: its entries, and which is made out of which.

use super::super::ids::Id;
use super::entry::{Form, Header, Kind, header};
use super::idx::Index;
use super::map::Mapped;
use rayon::prelude::*;
use std::ops::Range;
use std::path::Path;

/// Magic, version and number of entries.
const HEAD: u64 = 12;
/// The checksum at the end.
const TAIL: u64 = 20;

/// In place of a base: the entry holds its object whole.
const WHOLE: u32 = u32::MAX;
/// In place of a base: it is not in this pack, or the entry cannot be parsed.
const LOST: u32 = u32::MAX - 1;

/// What is known of an entry's object before anything is inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    Of(Kind),
    /// Its chain of bases leaves this pack or breaks off.
    Elsewhere,
    /// Its chain of bases has no end.
    Endless,
}

/// A pack's entries, in the order in which they lie in it.
pub(super) struct Pack {
    data: Mapped,
    /// Where each entry begins; at the end, where the last one ends.
    offsets: Vec<u64>,
    /// The number of each entry's object.
    numbers: Vec<u32>,
    /// The entry each is made out of.
    bases: Vec<u32>,
    natures: Vec<Nature>,
    /// Bases before what is made out of them; `None` when the entries lie in such an order.
    order: Option<Vec<u32>>,
    /// `children[starts[e]..starts[e + 1]]` are made out of entry `e`.
    starts: Vec<u32>,
    children: Vec<u32>,
}

/// A pack and its ids, before the objects of all packs are numbered.
pub(super) struct Opened {
    pub(super) pack: Pack,
    pub(super) ids: Vec<Id>,
    /// The entry of each id.
    pub(super) entries: Vec<u32>,
}

impl Pack {
    /// Opens a pack by the path of its index. `None` when the two do not fit together: libgit2, which is asked for what
    /// no pack gives, has words for that.
    pub(super) fn open(index: &Path) -> Option<Opened> {
        let raw = Mapped::open(index).ok()?;
        let index_of = Index::parse(&raw)?;
        let data = Mapped::open(&index.with_extension("pack")).ok()?;
        let ids = index_of.ids().to_vec();
        let end = (data.len() as u64).checked_sub(TAIL)?;
        let head = data.first_chunk::<{ HEAD as usize }>()?;
        let sound = head.starts_with(b"PACK\0\0\0")
            && matches!(head[7], 2 | 3)
            && head.ends_with(&u32::try_from(ids.len()).ok()?.to_be_bytes())
            && data.ends_with(index_of.pack_checksum)
            && ids.len() < LOST as usize;
        if !sound {
            return None;
        }
        let by_id = index_of.offsets(&(HEAD..end))?;
        let mut by_offset: Vec<(u64, u32)> = by_id.iter().copied().zip(0..).collect();
        by_offset.par_sort_unstable();
        let mut entries = vec![0; ids.len()];
        for (entry, (_, at)) in by_offset.iter().enumerate() {
            entries[*at as usize] = entry as u32;
        }
        let mut offsets: Vec<u64> = by_offset.iter().map(|(offset, _)| *offset).collect();
        drop(by_offset);
        offsets.push(end);
        let mut pack = Self {
            data,
            offsets,
            numbers: vec![0; entries.len()],
            bases: Vec::new(),
            natures: Vec::new(),
            order: None,
            starts: Vec::new(),
            children: Vec::new(),
        };
        pack.link(&ids, &entries);
        Some(Opened { pack, ids, entries })
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.bases.len()
    }

    /// The number of each entry's object.
    pub(super) fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// The number of an entry's object.
    pub(super) fn number(&self, entry: u32) -> u32 {
        self.numbers[entry as usize]
    }

    /// Says which number an entry's object has.
    pub(super) fn set_number(&mut self, entry: u32, number: u32) {
        if let Some(slot) = self.numbers.get_mut(entry as usize) {
            *slot = number;
        }
    }

    /// What is made out of an entry.
    pub(super) fn children(&self, entry: u32) -> &[u32] {
        let range = self.child_range(entry);
        self.children.get(range).unwrap_or_default()
    }

    fn child_range(&self, entry: u32) -> Range<usize> {
        let at = entry as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(start), Some(end)) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }

    pub(super) fn nature(&self, entry: u32) -> Nature {
        self.natures
            .get(entry as usize)
            .copied()
            .unwrap_or(Nature::Elsewhere)
    }

    /// The entry this one is made out of, when it is in this pack.
    pub(super) fn base(&self, entry: u32) -> Option<u32> {
        self.bases
            .get(entry as usize)
            .copied()
            .filter(|base| *base < LOST)
    }

    /// All entries, bases before what is made out of them. Those of endless chains are missing.
    pub(super) fn in_order(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let plain = match self.order {
            None => 0..self.len() as u32,
            Some(_) => 0..0,
        };
        plain.chain(self.order.iter().flatten().copied())
    }

    /// The header of an entry and its deflated data.
    pub(super) fn entry(&self, entry: u32) -> Option<(Header, &[u8])> {
        let at = entry as usize;
        let range = *self.offsets.get(at)? as usize..*self.offsets.get(at + 1)? as usize;
        let raw = self.data.get(range)?;
        let header = header(raw)?;
        Some((header, raw.get(header.length..)?))
    }

    /// Tells that so many bytes of entries were looked at, so that their pages need not stay.
    pub(super) fn looked_at(&self, bytes: usize) {
        self.data.looked_at(bytes);
    }

    /// Finds the base of every entry, and what follows from that.
    fn link(&mut self, ids: &[Id], entries: &[u32]) {
        let count = entries.len() as u32;
        let looked_at = (0..count).into_par_iter().with_min_len(4096).map(|entry| {
            let Some((header, deflated)) = self.entry(entry) else {
                return (LOST, Nature::Elsewhere);
            };
            self.looked_at(header.length + deflated.len());
            let base = match header.form {
                Form::Whole(kind) => return (WHOLE, Nature::Of(kind)),
                Form::Behind(distance) => {
                    let before = self.offsets.get(..entry as usize).unwrap_or_default();
                    self.offsets[entry as usize]
                        .checked_sub(distance)
                        .and_then(|offset| before.binary_search(&offset).ok())
                        .map(|base| base as u32)
                }
                Form::Named(id) => ids
                    .binary_search(&id)
                    .ok()
                    .and_then(|at| entries.get(at).copied()),
            };
            // Until its chain is followed it has no end.
            base.map_or((LOST, Nature::Elsewhere), |base| (base, Nature::Endless))
        });
        let (bases, mut natures): (Vec<u32>, Vec<Nature>) = looked_at.unzip();
        self.bases = bases;
        self.starts = vec![0; entries.len() + 2];
        for base in self.bases.iter().filter(|base| **base < LOST) {
            self.starts[*base as usize + 2] += 1;
        }
        let mut total = 0;
        for start in &mut self.starts {
            total += *start;
            *start = total;
        }
        self.children = vec![0; total as usize];
        for (entry, base) in self.bases.iter().enumerate() {
            if *base < LOST {
                let next = &mut self.starts[*base as usize + 1];
                self.children[*next as usize] = entry as u32;
                *next += 1;
            }
        }
        self.starts.pop();
        let forward = |(entry, base): (usize, &u32)| *base < LOST && *base as usize >= entry;
        if self.bases.iter().enumerate().any(forward) {
            let mut order: Vec<u32> = (0..count)
                .filter(|entry| self.base(*entry).is_none())
                .collect();
            let mut at = 0;
            while let Some(&entry) = order.get(at) {
                order.extend_from_slice(self.children(entry));
                at += 1;
            }
            self.order = Some(order);
        }
        for entry in self.in_order() {
            if let Some(base) = self.base(entry) {
                natures[entry as usize] = natures[base as usize];
            }
        }
        self.natures = natures;
        self.data.let_go();
    }
}
