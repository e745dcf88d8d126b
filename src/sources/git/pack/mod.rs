//! The packs of a repository, read in their own order: each object is made once, out of the base at hand, rather than
//! anew from the bottom of its chain. What no pack of a known form gives is left to libgit2.

mod bits;
mod delta;
mod entry;
mod forest;
mod idx;
mod map;
mod spare;
mod table;
mod traverse;

pub(super) use bits::{Bits, SharedBits};
pub(super) use entry::Kind;
pub(super) use traverse::{Object, Traversed, Visitor};

use super::ids::Id;
use crate::sources::limits::Limits;
use forest::{Nature, Opened, Pack};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use table::Table;
use traverse::traverse;

/// In place of a number: none.
pub(super) const NONE: u32 = u32::MAX;

/// Where an object is: the pack and its entry there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    pack: u32,
    entry: u32,
}

/// All packs of a repository, their objects numbered by the order of their ids.
#[derive(Default)]
pub(super) struct Packs {
    all: Vec<Pack>,
    table: Table,
    /// Of each number; in the first pack that has the object, by name.
    places: Vec<Place>,
}

impl Packs {
    /// Opens the packs in these object folders.
    pub(super) fn open(folders: &[PathBuf]) -> Self {
        let mut indexes: Vec<PathBuf> = folders.iter().flat_map(|folder| indexes(folder)).collect();
        indexes.dedup();
        let opened: Vec<Opened> = indexes.iter().filter_map(|path| Pack::open(path)).collect();
        let total: usize = opened.iter().map(|one| one.ids.len()).sum();
        if total >= NONE as usize {
            return Self::default();
        }
        match <[Opened; 1]>::try_from(opened) {
            Ok([one]) if one.ids.is_sorted_by(|id, next| id < next) => Self::of_one(one),
            Ok([one]) => Self::of_several(vec![one], total),
            Err(several) => Self::of_several(several, total),
        }
    }

    /// A pack whose ids are in order, each there once.
    fn of_one(
        Opened {
            mut pack,
            ids,
            entries,
        }: Opened,
    ) -> Self {
        for (entry, number) in entries.iter().zip(0..) {
            pack.set_number(*entry, number);
        }
        let places = entries.into_iter().map(|entry| Place { pack: 0, entry });
        Self {
            all: vec![pack],
            table: Table::new(ids),
            places: places.collect(),
        }
    }

    fn of_several(opened: Vec<Opened>, total: usize) -> Self {
        let mut packs = Vec::with_capacity(opened.len());
        let mut all: Vec<(Id, Place)> = Vec::with_capacity(total);
        for (at, one) in opened.into_iter().enumerate() {
            let pack = at as u32;
            let entries = one.ids.into_iter().zip(one.entries);
            all.extend(entries.map(|(id, entry)| (id, Place { pack, entry })));
            packs.push(one.pack);
        }
        all.par_sort_unstable();
        let mut ids: Vec<Id> = Vec::with_capacity(total);
        let mut places = Vec::with_capacity(total);
        for (id, place) in all {
            if ids.last() != Some(&id) {
                ids.push(id);
                places.push(place);
            }
            packs[place.pack as usize].set_number(place.entry, ids.len() as u32 - 1);
        }
        Self {
            all: packs,
            table: Table::new(ids),
            places,
        }
    }

    /// About how many bytes the tables take up.
    pub(super) fn weight(&self) -> usize {
        const OF_AN_ENTRY: usize = size_of::<u64>() + 4 * size_of::<u32>() + size_of::<Nature>();
        let entries: usize = self.all.iter().map(Pack::len).sum();
        entries * OF_AN_ENTRY + self.len() * (size_of::<Id>() + size_of::<Place>())
    }

    /// Number of objects.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The number of an object.
    pub(super) fn number(&self, id: &Id) -> Option<u32> {
        self.table.number(id)
    }

    /// The ids of all objects, ascending: that of number `n` is the `n`th.
    pub(super) fn ids(&self) -> &[Id] {
        self.table.ids()
    }

    /// What an object is; `None` when only reading it can tell.
    pub(super) fn kind(&self, number: u32) -> Option<Kind> {
        match self.nature(number)? {
            Nature::Of(kind) => Some(kind),
            Nature::Elsewhere | Nature::Endless => None,
        }
    }

    /// The same by id.
    pub(super) fn kind_of(&self, id: &Id) -> Option<Kind> {
        self.kind(self.number(id)?)
    }

    /// Whether nobody could ever make the object: what it is made out of is, in the end, made out of it.
    pub(super) fn is_endless(&self, id: &Id) -> bool {
        self.number(id).and_then(|number| self.nature(number)) == Some(Nature::Endless)
    }

    fn nature(&self, number: u32) -> Option<Nature> {
        let place = self.places.get(number as usize)?;
        Some(self.all.get(place.pack as usize)?.nature(place.entry))
    }

    /// Makes each object of these numbers and shows it to the visitor once, on as many threads as rayon's current pool
    /// has.
    pub(super) fn traverse<V: Visitor>(
        &self,
        numbers: &Bits,
        limits: &Limits,
        visitor: &V,
    ) -> Traversed<V::Local> {
        let mut out = Traversed {
            locals: Vec::new(),
            left: Vec::new(),
        };
        for (at, pack) in self.all.iter().enumerate() {
            let mut wanted = Bits::new(pack.len());
            let mut any = false;
            for (entry, number) in pack.numbers().iter().enumerate() {
                let entry = entry as u32;
                let here = Place {
                    pack: at as u32,
                    entry,
                };
                if numbers.has(*number) && self.places.get(*number as usize) == Some(&here) {
                    any = true;
                    wanted.insert(entry);
                }
            }
            if any {
                traverse(pack, &wanted, limits, visitor, &mut out);
            }
        }
        out.left.sort_unstable();
        out
    }
}

/// Bytes of the indexes in these object folders: some thirty for every object.
pub(super) fn bytes_of_indexes(folders: &[PathBuf]) -> u64 {
    let indexes = folders.iter().flat_map(|folder| indexes(folder));
    indexes
        .filter_map(|index| Some(std::fs::metadata(index).ok()?.len()))
        .sum()
}

/// The indexes in an object folder, by name.
fn indexes(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("pack")).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "idx"))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests;
