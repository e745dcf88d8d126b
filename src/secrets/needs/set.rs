//! Sets of bytes.

use regex_syntax::hir::Class;

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set([u64; 4]);

impl Set {
    pub(super) const ALL: Self = Self([u64::MAX; 4]);

    pub(super) const fn has(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] >> (byte & 63) & 1 == 1
    }

    pub(super) const fn add(&mut self, byte: u8) {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
    }

    pub(super) fn one(byte: u8) -> Self {
        let mut set = Self::default();
        set.add(byte);
        set
    }

    /// Its byte, where it has but one.
    pub(super) fn only(&self) -> Option<u8> {
        let count: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        let word = self.0.iter().position(|word| *word != 0)?;
        (count == 1).then(|| word as u8 * 64 + self.0[word].trailing_zeros() as u8)
    }

    pub(super) fn or(self, other: Self) -> Self {
        let mut words = self.0;
        for (word, more) in words.iter_mut().zip(other.0) {
            *word |= more;
        }
        Self(words)
    }

    /// Whether all of it is in another.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(one, of)| one & !of == 0)
    }

    /// How much one of its bytes tells, in bits: nothing for a set of all that is common in text.
    pub(super) fn weight(&self) -> f64 {
        // From the blank to the tilde.
        const COMMON: [u64; 2] = [u64::MAX << b' ', u64::MAX >> 1];
        let words = self.0.iter().zip(COMMON);
        let common: u32 = words
            .map(|(word, common)| (word & common).count_ones())
            .sum();
        (95.0 / f64::from(common.max(1))).log2()
    }

    /// The bytes of a class; all, of one whose characters may take more than one.
    pub(super) fn of(class: &Class) -> Self {
        let mut set = Self::default();
        match class {
            Class::Bytes(class) => {
                for range in class.ranges() {
                    for byte in range.start()..=range.end() {
                        set.add(byte);
                    }
                }
            }
            Class::Unicode(class) => {
                for range in class.ranges() {
                    if !range.end().is_ascii() {
                        return Self::ALL;
                    }
                    for byte in range.start() as u8..=range.end() as u8 {
                        set.add(byte);
                    }
                }
            }
        }
        set
    }
}

/// Whether every character of a class is one byte.
pub(super) fn is_of_bytes(class: &Class) -> bool {
    match class {
        Class::Bytes(_) => true,
        Class::Unicode(class) => class.ranges().iter().all(|range| range.end().is_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted() {
        for byte in 0..=u8::MAX {
            let mut set = Set::one(byte);
            assert_eq!(set.only(), Some(byte));
            assert!(set.weight() > 6.0, "{byte}");
            set.add(byte ^ 0x81);
            assert_eq!(set.only(), None);
        }
        assert_eq!((Set::default().only(), Set::ALL.only()), (None, None));
        assert!(Set::ALL.weight().abs() < 1e-9);
        let mut half = Set::default();
        (b'0'..b'0' + 19).for_each(|byte| half.add(byte));
        assert!((half.weight() - 5_f64.log2()).abs() < 1e-9);
    }
}
