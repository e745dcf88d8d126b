//! Which blocks of a literal are looked for: those that let the least of ordinary text pass.

use super::simd::{BITS, FOLD, SLOTS, bit, slot};

/// Bytes of a block.
pub(super) const BLOCK: usize = 4;

/// How common four bytes are of which nothing is known, per million: less than anything that was counted.
const UNKNOWN: u32 = 5;

/// What of ordinary text each bit of the table lets pass, per million blocks; nothing more, where it is set already.
pub(super) struct Costs(Vec<u32>);

impl Costs {
    /// `frequencies` tells how common four neighbouring bytes are, per million.
    pub(super) fn new(frequencies: Vec<([u8; BLOCK], u32)>) -> Self {
        let mut costs = vec![UNKNOWN; SLOTS * BITS];
        for (four, count) in frequencies {
            let block = u32::from_le_bytes(four) | FOLD;
            if let Some(cost) = costs.get_mut(slot(block) * BITS + bit(block) as usize) {
                *cost += count;
            }
        }
        Self(costs)
    }

    /// Where the block of a literal that costs least begins, among those at even or odd distances from its start.
    pub(super) fn least(&self, literal: &[u8], odd: bool) -> usize {
        let blocks = literal.windows(BLOCK).enumerate();
        let fitting = blocks.skip(usize::from(odd)).step_by(2);
        fitting
            .min_by_key(|(_, block)| {
                let bytes = <[u8; BLOCK]>::try_from(*block).unwrap_or_default();
                let block = u32::from_le_bytes(bytes) | FOLD;
                self.0.get(slot(block) * BITS + bit(block) as usize)
            })
            .map_or(usize::from(odd), |(at, _)| at)
    }

    /// Tells that these bits of a slot are set.
    pub(super) fn set(&mut self, slot: usize, bits: u8) {
        let costs = self.0.get_mut(slot * BITS..(slot + 1) * BITS);
        for (bit, cost) in costs.unwrap_or_default().iter_mut().enumerate() {
            if bits >> bit & 1 == 1 {
                *cost /= 2;
            }
        }
    }
}
