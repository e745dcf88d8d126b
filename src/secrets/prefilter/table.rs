//! Which literals may stand around the bytes that were found of one.
//!
//! A hash of these bytes names a word of a table, of which the bytes on either side of them name a bit each; that leaves few
//! places, of which eight bytes are compared with those of the literals.

use super::{BEFORE, Head, Literal, starts};

const SLOT_BITS: u32 = 12;
const SLOTS: usize = 1 << SLOT_BITS;
const MIX: u32 = 0x9e37_79b1;
/// What folds letters to one case; other bytes may collide, which costs a further look and no match.
const FOLD: u32 = 0x2020_2020;

/// Eight bytes of a text: two before a window, the window, what is behind it.
#[derive(Clone, Copy)]
struct Around(u64);

impl Around {
    /// Those of the window at `at`, in a text that begins [`BEFORE`] it.
    #[inline]
    fn of(text: &[u8], at: u16) -> Self {
        let eight = text.get(at as usize..).and_then(<[u8]>::first_chunk);
        Self(u64::from_le_bytes(eight.copied().unwrap_or_default()))
    }

    /// The slot of a window of so many bytes.
    const fn slot(self, width: usize) -> usize {
        let window = (self.0 >> (BEFORE * 8)) as u32;
        let window = (window | FOLD) << (32 - 8 * width);
        (window.wrapping_mul(MIX) >> (32 - SLOT_BITS)) as usize
    }

    /// The bit of the byte before the window, in the lower half of a word; letters have the same in either case.
    const fn before(self) -> u32 {
        (self.0 >> (8 * (BEFORE - 1))) as u32 & 31
    }

    /// The bit of the byte behind the window, in the upper half of a word.
    const fn behind(self, width: usize) -> u32 {
        32 | (self.0 >> (8 * (BEFORE + width))) as u32 & 31
    }
}

/// A literal, by what is around its window.
struct Entry {
    around: Head,
    /// Which literal.
    literal: u32,
    /// How far its start lies before the window.
    back: u32,
    /// It has no other bytes.
    whole: bool,
}

impl Entry {
    fn new(index: usize, literal: &Literal, window: usize) -> Self {
        let around = Head::around(literal, window);
        Self {
            around,
            literal: index as u32,
            back: window as u32,
            whole: around.held.count_ones() as usize == 8 * literal.bytes.len(),
        }
    }

    const fn holds(&self, place: usize) -> bool {
        self.around.held >> (place * 8) & 0xff != 0
    }

    /// The bits of its slot's word.
    const fn sides(&self, width: usize) -> u64 {
        let around = Around(self.around.bytes);
        let before = if self.holds(BEFORE - 1) {
            1 << around.before()
        } else {
            0xffff_ffff
        };
        let behind = if self.holds(BEFORE + width) {
            1 << around.behind(width)
        } else {
            0xffff_ffff << 32
        };
        before | behind
    }
}

/// The compiled literals.
pub(super) struct Table {
    /// Bytes of a window.
    width: usize,
    /// What is beside the windows of each slot.
    sides: Box<[u64]>,
    /// `entries[starts[s]..starts[s + 1]]` are those of slot `s`.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

impl Table {
    /// Of literals, each with its number and where the `width` bytes begin that it is looked for by.
    pub(super) fn new<'l>(
        literals: impl Iterator<Item = (usize, &'l Literal, usize)>,
        width: usize,
    ) -> Self {
        let slot = |entry: &Entry| Around(entry.around.bytes).slot(width) % SLOTS;
        let mut entries: Vec<Entry> = literals
            .map(|(index, literal, window)| Entry::new(index, literal, window))
            .collect();
        entries.sort_unstable_by_key(|entry| (slot(entry), entry.literal));
        let mut sides = vec![0; SLOTS].into_boxed_slice();
        for entry in &entries {
            sides[slot(entry)] |= entry.sides(width);
        }
        Self {
            width,
            sides,
            starts: starts(SLOTS, entries.iter().map(slot)),
            entries,
        }
    }

    /// Of windows at `places` of a text that begins [`BEFORE`] the first place and ends some bytes behind the last, calls
    /// `on(literal, distance, at, whole)` for each that may be that of a literal which begins such a distance before it. `whole`
    /// tells that it is.
    pub(super) fn find(
        &self,
        text: &[u8],
        places: &mut [u16],
        mut on: impl FnMut(usize, usize, usize, bool),
    ) {
        let width = self.width;
        let Some(table) = self.sides.first_chunk::<SLOTS>() else {
            return;
        };
        // Those that pass are left in front.
        let mut left = 0;
        for place in 0..places.len() {
            let (Some(at), Some(slot)) = (places.get(place).copied(), places.get_mut(left)) else {
                break;
            };
            *slot = at;
            let around = Around::of(text, at);
            let sides = table[around.slot(width) % SLOTS];
            left += ((sides >> around.before()) & (sides >> around.behind(width)) & 1) as usize;
        }
        for &at in places.iter().take(left) {
            let around = Around::of(text, at);
            for entry in self.entries(around.slot(width)) {
                if entry.around.begins(around.0.to_le_bytes()) {
                    let (literal, back) = (entry.literal as usize, entry.back as usize);
                    on(literal, back, at as usize, entry.whole);
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
