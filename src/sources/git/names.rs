//! Byte strings, each kept once: the names in trees, and what reduced trees hold.

use std::hash::{BuildHasher, RandomState};

/// Marks a free slot.
const FREE: u32 = u32::MAX;

/// Distinct byte strings, numbered in the order in which they came.
pub(super) struct Names {
    bytes: Vec<u8>,
    /// Where each string ends.
    ends: Vec<usize>,
    /// Numbers by hash; at most half of the slots are taken.
    slots: Vec<u32>,
    /// Another in every process, so that whoever chose the names cannot choose where they fall.
    seed: u64,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            slots: vec![FREE; 1 << 10],
            seed: RandomState::new().hash_one(0_u8),
        }
    }
}

impl Names {
    /// The number of a name, which is kept when it is new.
    pub(super) fn number(&mut self, name: &[u8]) -> u32 {
        let slot = self.slot(name);
        match self.slots.get(slot) {
            Some(&number) if number != FREE => number,
            _ => {
                let number = self.ends.len() as u32;
                self.bytes.extend_from_slice(name);
                self.ends.push(self.bytes.len());
                if let Some(free) = self.slots.get_mut(slot) {
                    *free = number;
                }
                if self.ends.len() * 2 > self.slots.len() {
                    self.widen();
                }
                number
            }
        }
    }

    /// The name with a number; empty for a number it never gave.
    pub(super) fn get(&self, number: u32) -> &[u8] {
        let at = number as usize;
        let start = match at.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default(),
            None => 0,
        };
        let end = self.ends.get(at).copied().unwrap_or_default();
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where a name is, or belongs.
    fn slot(&self, name: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash(self.seed, name) as usize & mask;
        while let Some(&number) = self.slots.get(at)
            && number != FREE
            && self.get(number) != name
        {
            at = (at + 1) & mask;
        }
        at
    }

    fn widen(&mut self) {
        self.slots = vec![FREE; self.slots.len() * 4];
        for number in 0..self.ends.len() as u32 {
            let slot = self.slot(self.get(number));
            if let Some(free) = self.slots.get_mut(slot) {
                *free = number;
            }
        }
    }
}

fn hash(seed: u64, name: &[u8]) -> u64 {
    let mut state = seed ^ name.len() as u64;
    let (words, rest) = name.as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    for word in words.iter().chain([&last]) {
        let product = u128::from(state ^ u64::from_le_bytes(*word) ^ 0x2545_f491_4f6c_dd1d)
            * u128::from(seed | 0x9e37_79b9_7f4a_7c15_u64);
        state = (product >> 64) as u64 ^ product as u64;
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn every_name_has_one_number(given in proptest::collection::vec("[ab]{0,20}", 0..80)) {
            let mut names = Names::default();
            let mut known = BTreeMap::new();
            for name in &given {
                let number = names.number(name.as_bytes());
                prop_assert_eq!(*known.entry(name.clone()).or_insert(number), number);
            }
            prop_assert_eq!(names.len(), known.len());
            for (name, number) in known {
                prop_assert_eq!(names.get(number), name.as_bytes());
            }
        }
    }

    #[test]
    fn many() {
        let mut names = Names::default();
        for round in 0..2 {
            for at in 0..5_000_u32 {
                assert_eq!(names.number(&at.to_be_bytes()), at, "{round}");
            }
        }
        assert_eq!(names.get(4_711), 4_711_u32.to_be_bytes());
        assert_eq!(names.get(5_000), b"");
    }
}
