//! Lines that are known to assign no secret: the versions of a file, and files of one kind, have many in common.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// Lines that are remembered.
const REMEMBERED: usize = 4096;

/// What lines are remembered by.
type Digest = u128;

thread_local! {
    /// Each digest has one place; the last one that came there is remembered.
    static NOTHING: RefCell<Nothing> = RefCell::new(Nothing {
        digests: vec![0; REMEMBERED],
        seed: RandomState::new().hash_one(0_u8),
    });
}

struct Nothing {
    digests: Vec<Digest>,
    /// Another in every process and thread, so that whoever chose the lines cannot choose which are taken for one another.
    seed: u64,
}

/// A keyword in the lines that decide of it.
pub(super) struct Known(Digest);

impl Known {
    /// The keyword at `hit` in these lines, as one of `family`.
    pub(super) fn of(lines: &[u8], hit: &Range<usize>, family: &str) -> Self {
        let seed = NOTHING.with_borrow(|nothing| nothing.seed);
        let place = (hit.start as u64) << 32 | hit.len() as u64;
        let state = digest(
            Digest::from(seed) << 64 | Digest::from(place),
            family.as_bytes(),
        );
        // No digest of anything is that of an empty place.
        Self(digest(state, lines) | 1)
    }

    /// Whether nothing is assigned to it.
    pub(super) fn is_nothing(&self) -> bool {
        NOTHING.with_borrow(|nothing| nothing.digests.get(self.place()) == Some(&self.0))
    }

    /// Notes that nothing is assigned to it.
    pub(super) fn note(&self) {
        NOTHING.with_borrow_mut(|nothing| {
            if let Some(slot) = nothing.digests.get_mut(self.place()) {
                *slot = self.0;
            }
        });
    }

    const fn place(&self) -> usize {
        (self.0 >> 64) as usize % REMEMBERED
    }
}

/// Adds bytes and their number to a digest.
fn digest(mut state: Digest, bytes: &[u8]) -> Digest {
    // Odd, with bits evenly spread.
    const MIX: Digest = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
    let mut add = |word: u64| {
        state = (state ^ Digest::from(word)).wrapping_mul(MIX);
        state ^= state >> 67;
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    for word in words.iter().chain([&last]) {
        add(u64::from_le_bytes(*word));
    }
    add(bytes.len() as u64);
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_known_and_nothing_else() {
        let of = |lines: &str, hit, family| Known::of(lines.as_bytes(), &hit, family);
        let known = of("token = a\n", 0..5, "token");
        assert!(!known.is_nothing());
        known.note();
        assert!(of("token = a\n", 0..5, "token").is_nothing());
        for other in [
            of("token = b\n", 0..5, "token"),
            of("token = a\n", 0..4, "token"),
            of("token = a\n", 1..5, "token"),
            of("token = a\n", 0..5, "key"),
            of("token = a\n\0", 0..5, "token"),
            of("", 0..5, "token"),
        ] {
            assert!(!other.is_nothing());
        }
    }
}
