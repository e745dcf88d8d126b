//! Sets of numbers.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// A set of numbers.
#[derive(Clone, Default)]
pub(in crate::sources::git) struct Bits(Vec<u64>);

impl Bits {
    /// For numbers below `size`.
    pub(in crate::sources::git) fn new(size: usize) -> Self {
        Self(vec![0; size.div_ceil(64)])
    }

    /// Adds a number; false when it was there. A number beyond the size is not kept.
    pub(in crate::sources::git) fn insert(&mut self, number: u32) -> bool {
        let Some(word) = self.0.get_mut(number as usize / 64) else {
            return false;
        };
        let bit = 1 << (number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Whether a number is in it.
    pub(in crate::sources::git) fn has(&self, number: u32) -> bool {
        self.0
            .get(number as usize / 64)
            .is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Makes room for numbers below `size`.
    pub(in crate::sources::git) fn grow(&mut self, size: usize) {
        let words = size.div_ceil(64);
        if words > self.0.len() {
            self.0.resize(words, 0);
        }
    }

    /// The numbers, ascending.
    pub(in crate::sources::git) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }
}

/// The same, for several threads at once.
#[derive(Default)]
pub(in crate::sources::git) struct SharedBits(Vec<AtomicU64>);

impl SharedBits {
    /// Adds a number; false when it was there. A number beyond the size is not kept.
    pub(in crate::sources::git) fn insert(&self, number: u32) -> bool {
        let Some(word) = self.0.get(number as usize / 64) else {
            return false;
        };
        let bit = 1 << (number % 64);
        // Most are there already, and to look costs less than to write.
        word.load(Relaxed) & bit == 0 && word.fetch_or(bit, Relaxed) & bit == 0
    }

    /// Whether a number is in it.
    pub(in crate::sources::git) fn has(&self, number: u32) -> bool {
        self.0
            .get(number as usize / 64)
            .is_some_and(|word| word.load(Relaxed) >> (number % 64) & 1 == 1)
    }

    /// Makes room for numbers below `size`.
    pub(in crate::sources::git) fn grow(&mut self, size: usize) {
        let words = size.div_ceil(64);
        if words > self.0.len() {
            self.0.resize_with(words, AtomicU64::default);
        }
    }

    /// The set, when no other thread adds to it any more.
    pub(in crate::sources::git) fn into_bits(self) -> Bits {
        Bits(self.0.into_iter().map(AtomicU64::into_inner).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rayon::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn bits_are_a_set(numbers in proptest::collection::vec(0_u32..300, 0..90)) {
            let mut bits = Bits::new(300);
            let mut plain = BTreeSet::new();
            for number in numbers {
                prop_assert_eq!(bits.insert(number), plain.insert(number));
                prop_assert!(bits.has(number));
            }
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), plain.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn threads_make_one_set(numbers in proptest::collection::vec(0_u32..300, 0..90)) {
            let mut shared = SharedBits::default();
            shared.grow(300);
            let new = numbers.par_iter().filter(|number| shared.insert(**number)).count();
            let plain: BTreeSet<u32> = numbers.into_iter().collect();
            prop_assert_eq!(new, plain.len());
            prop_assert!(plain.iter().all(|number| shared.has(*number)));
            prop_assert!(!shared.insert(320), "beyond the size");
            let bits = shared.into_bits();
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), plain.into_iter().collect::<Vec<_>>());
        }
    }
}
