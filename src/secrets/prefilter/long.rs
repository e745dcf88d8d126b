//! Literals of four bytes and more.
//!
//! Text is looked at in steps of two bytes, a block of four bytes at each, folded to one letter case: whatever the parity
//! of an occurrence, one of two neighbouring blocks of the literal falls on a step. Three looks follow one another, each
//! dearer and more exact than the one before and at less of the text, and none of the first two branches on what it sees:
//!
//! 1. The first three bytes of a block, hashed, name a byte of a table that stays in the nearest cache; the fourth names a
//!    bit of it.
//! 2. The same hash names a word of a second table, of which the bytes on either side of the block name a bit each.
//! 3. What is left is compared with the literals themselves.

use super::blocks::{BLOCK, Costs};
use super::simd::{self, FOLD};
use super::{Literal, starts};

/// Bytes before a text that are looked at with it.
pub(super) const BEFORE: usize = 1;

/// Eight bytes of a text, folded: one before a block, the block, three behind it.
#[derive(Clone, Copy)]
struct Around(u64);

impl Around {
    fn of(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes) | u64::from(FOLD) << 32 | u64::from(FOLD))
    }

    const fn slot(self) -> usize {
        simd::slot((self.0 >> 8) as u32)
    }

    /// The bit of a slot's byte.
    const fn bit(self) -> u32 {
        simd::bit((self.0 >> 8) as u32)
    }

    /// The bit of the byte before the block, in the lower half of a word.
    const fn before(self) -> u32 {
        self.0 as u32 & 31
    }

    /// The bit of the byte behind the block, in the upper half of a word.
    const fn behind(self) -> u32 {
        32 | (self.0 >> 40) as u32 & 31
    }
}

/// All bits for the byte before a block.
const BEFORES: u64 = 0xffff_ffff;
/// All bits for the byte behind a block.
const BEHINDS: u64 = 0xffff_ffff_0000_0000;

/// A block at which a literal may stand.
#[derive(Clone, Copy)]
struct Entry {
    around: Around,
    /// The bytes of it that the literal has, all bits of each.
    held: u64,
    /// Which literal.
    literal: u32,
    /// How far the literal's start lies before the block.
    back: u32,
}

impl Entry {
    fn new(index: usize, literal: &[u8], at: usize) -> Self {
        let (mut bytes, mut held) = ([0; 8], [0; 8]);
        for (offset, (byte, held)) in bytes.iter_mut().zip(&mut held).enumerate() {
            let known = (at + offset).checked_sub(BEFORE);
            if let Some(known) = known.and_then(|known| literal.get(known)) {
                (*byte, *held) = (*known, 0xff);
            }
        }
        Self {
            around: Around::of(bytes),
            held: u64::from_le_bytes(held),
            literal: index as u32,
            back: at as u32,
        }
    }

    const fn holds(&self, byte: u32) -> bool {
        (self.held >> (byte * 8)) & 0xff != 0
    }

    /// The bits of its slot's byte.
    const fn bits(&self) -> u8 {
        if self.holds(4) {
            1 << self.around.bit()
        } else {
            0xff
        }
    }

    /// The bits of its slot's word.
    const fn sides(&self) -> u64 {
        let before = if self.holds(0) {
            1 << self.around.before()
        } else {
            BEFORES
        };
        let behind = if self.holds(5) {
            1 << self.around.behind()
        } else {
            BEHINDS
        };
        before | behind
    }
}

/// The compiled literals.
pub(super) struct Long {
    /// The first look.
    table: Box<[u8]>,
    /// The second.
    sides: Box<[u64]>,
    /// `entries[starts[s]..starts[s + 1]]` are those of slot `s`.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

impl Long {
    /// Of `literals`, those that are long enough.
    pub(super) fn new(literals: &[Literal], mut costs: Costs) -> Self {
        let mut entries = Vec::with_capacity(2 * literals.len());
        let mut long: Vec<(usize, &[u8])> = literals
            .iter()
            .map(|literal| literal.bytes.as_slice())
            .enumerate()
            .filter(|(_, bytes)| bytes.len() >= BLOCK)
            .collect();
        // Those that have the least choice come first.
        long.sort_by_key(|(_, bytes)| bytes.len());
        for (index, bytes) in long {
            for odd in [false, true] {
                let entry = Entry::new(index, bytes, costs.least(bytes, odd));
                costs.set(entry.around.slot(), entry.bits());
                entries.push(entry);
            }
        }
        entries.sort_unstable_by_key(|entry| (entry.around.slot(), entry.literal, entry.back));
        let mut table = vec![0; simd::TABLE].into_boxed_slice();
        let mut sides = vec![0; simd::SLOTS].into_boxed_slice();
        let slot = |entry: &Entry| entry.around.slot() % simd::SLOTS;
        for entry in &entries {
            table[slot(entry)] |= entry.bits();
            sides[slot(entry)] |= entry.sides();
        }
        Self {
            table,
            sides,
            starts: starts(simd::SLOTS, entries.iter().map(slot)),
            entries,
        }
    }

    /// Calls `on(literal, distance, at)` for every place in `text`, where some rounds are looked at, where a literal may
    /// stand that begins such a distance before. The text has [`BEFORE`] more bytes before and
    /// eight behind it.
    pub(super) fn find(
        &self,
        text: &[u8],
        places: &mut [u16],
        mut on: impl FnMut(usize, usize, usize),
    ) {
        let (Some(table), Some(sides)) = (self.table.first_chunk(), self.sides.first_chunk())
        else {
            return;
        };
        let sides: &[u64; simd::SLOTS] = sides;
        let inside = text.get(BEFORE..).unwrap_or_default();
        let count = simd::blocks(table, inside, places);
        // The second look leaves those in front that pass it.
        let mut left = 0;
        for place in 0..count {
            let Some(&at) = places.get(place) else { break };
            let around = around(text, at as usize);
            let sides = sides[around.slot() % simd::SLOTS];
            let passes = (sides >> around.before()) & (sides >> around.behind()) & 1;
            if let Some(slot) = places.get_mut(left) {
                *slot = at;
            }
            left += passes as usize;
        }
        for at in places.iter().take(left) {
            let at = *at as usize;
            let around = around(text, at);
            for entry in self.entries(around.slot()) {
                if (entry.around.0 ^ around.0) & entry.held == 0 {
                    on(entry.literal as usize, entry.back as usize, at);
                }
            }
        }
    }

    fn entries(&self, slot: usize) -> &[Entry] {
        match (self.starts.get(slot), self.starts.get(slot + 1)) {
            (Some(from), Some(to)) => self.entries.get(*from as usize..*to as usize),
            _ => None,
        }
        .unwrap_or_default()
    }
}

/// What is around the block at `at`.
fn around(text: &[u8], at: usize) -> Around {
    let eight = text.get(at..).and_then(<[u8]>::first_chunk);
    Around::of(eight.copied().unwrap_or_default())
}
