//! Buffers that wait to be used again.

use crate::sources::buffer::{Buffer, LARGEST};

/// The smallest buffer has this many bytes, as a power of two.
const SMALLEST: u32 = 12;
/// Sizes of buffers, each twice the one before, up to those that are not kept.
const SIZES: usize = (LARGEST.ilog2() - SMALLEST) as usize + 1;
/// Most buffers of one size kept for later.
const MOST: usize = 6;

/// Buffers not in use, by their size.
#[derive(Default)]
pub(super) struct Spare([Vec<Buffer>; SIZES]);

impl Spare {
    /// One that need not be made anew for so many bytes.
    pub(super) fn take(&mut self, bytes: usize) -> Buffer {
        let power = bytes.next_power_of_two().ilog2().max(SMALLEST);
        match self.0.get_mut((power - SMALLEST) as usize) {
            Some(alike) => alike.pop().unwrap_or_else(|| Buffer::of(1 << power)),
            None => Buffer::new(),
        }
    }

    pub(super) fn put(&mut self, buffer: Buffer) {
        let size = buffer.size().checked_ilog2();
        let alike = size
            .and_then(|power| power.checked_sub(SMALLEST))
            .and_then(|at| self.0.get_mut(at as usize));
        if let Some(alike) = alike
            && alike.len() < MOST
            && !buffer.is_large()
        {
            alike.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_large_enough_and_used_again() {
        let mut spare = Spare::default();
        for bytes in [0, 1, 4096, 4097, 300_000, LARGEST, LARGEST + 1, 5 << 20] {
            let mut buffer = spare.take(bytes);
            let kept = buffer.size() <= LARGEST && buffer.size() >= bytes;
            assert_eq!(kept, bytes <= LARGEST, "{bytes}");
            assert_eq!(buffer.fit(bytes).len(), bytes);
            let memory = buffer.as_ptr();
            spare.put(buffer);
            assert_eq!(spare.take(bytes).as_ptr() == memory, kept, "{bytes}");
        }
    }
}
