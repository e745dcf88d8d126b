//! Lines that are known to assign no secret: the versions of a file, and files of one kind, have many in common.

use std::cell::RefCell;
use std::ops::Range;

/// Lines that are remembered.
const REMEMBERED: usize = 4096;
/// Longest that are, in bytes.
const LONGEST: usize = 512;

thread_local! {
    /// All lines of one hash have one place; those that came there last are remembered.
    static NOTHING: RefCell<Nothing> = RefCell::new(Nothing {
        hashes: vec![0; REMEMBERED],
        lines: vec![Remembered::default(); REMEMBERED],
    });
}

/// What is remembered.
struct Nothing {
    /// Of each place the hash of its lines, so that others are told apart at the cost of one look.
    hashes: Vec<u64>,
    lines: Vec<Remembered>,
}

#[derive(Clone, Default)]
struct Remembered {
    lines: Vec<u8>,
    hit: Range<usize>,
    family: String,
}

/// A keyword in the lines that decide of it.
pub(super) struct Known<'a> {
    lines: &'a [u8],
    hit: Range<usize>,
    family: &'a str,
    hash: u64,
}

impl<'a> Known<'a> {
    /// The keyword at `hit` in these lines, as one of `family`.
    pub(super) fn of(lines: &'a [u8], hit: Range<usize>, family: &'a str) -> Self {
        Self {
            hash: hash(lines, &hit),
            lines,
            hit,
            family,
        }
    }

    const fn place(&self) -> usize {
        (self.hash >> 16) as usize % REMEMBERED
    }

    /// Whether nothing is assigned to it.
    pub(super) fn is_nothing(&self) -> bool {
        NOTHING.with_borrow(|nothing| {
            let place = self.place();
            let known = nothing
                .lines
                .get(place)
                .filter(|_| nothing.hashes.get(place) == Some(&self.hash));
            known.is_some_and(|known| {
                known.lines == self.lines && known.hit == self.hit && known.family == self.family
            })
        })
    }

    /// Notes that nothing is assigned to it. Most lines are seen once: of these only the hash is noted, so that it costs little.
    pub(super) fn note(&self) {
        if self.lines.len() > LONGEST {
            return;
        }
        NOTHING.with_borrow_mut(|nothing| {
            let place = self.place();
            if let Some(known) = nothing.lines.get_mut(place)
                && let Some(hash) = nothing.hashes.get_mut(place)
            {
                if *hash != self.hash {
                    *hash = self.hash;
                    return;
                }
                self.lines.clone_into(&mut known.lines);
                self.family.clone_into(&mut known.family);
                known.hit = self.hit.clone();
            }
        });
    }
}

/// Spreads keywords in lines over the places.
fn hash(lines: &[u8], hit: &Range<usize>) -> u64 {
    // Odd, with bits evenly spread.
    const MIX: u64 = 0x4385_df64_9fcc_f645;
    let (words, rest) = lines.as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let words = words.iter().chain([&last]);
    let start = (lines.len() as u64) << 32 | hit.start as u64;
    words.fold(start, |hash, word| {
        let hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(MIX);
        hash ^ hash >> 32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_known_and_nothing_else() {
        let of = |lines, hit, family| Known::of(lines, hit, family);
        let known = of(b"token = a\n", 0..5, "token");
        assert!(!known.is_nothing());
        known.note();
        assert!(!known.is_nothing());
        known.note();
        assert!(of(b"token = a\n", 0..5, "token").is_nothing());
        for other in [
            of(b"token = b\n", 0..5, "token"),
            of(b"token = a\n", 0..4, "token"),
            of(b"token = a\n", 1..5, "token"),
            of(b"token = a\n", 0..5, "key"),
            of(b"token = a\n\0", 0..5, "token"),
            of(b"", 0..5, "token"),
        ] {
            assert!(!other.is_nothing());
        }
        let long = [b'a'; LONGEST + 1];
        let long = of(&long, 0..5, "token");
        long.note();
        long.note();
        assert!(!long.is_nothing());
    }
}
