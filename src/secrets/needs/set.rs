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
        let mut bytes = (0..=u8::MAX).filter(|byte| self.has(*byte));
        let first = bytes.next()?;
        bytes.next().is_none().then_some(first)
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
        let common = (b' '..=b'~').filter(|byte| self.has(*byte)).count();
        (95.0 / (common.max(1) as f64)).log2()
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
