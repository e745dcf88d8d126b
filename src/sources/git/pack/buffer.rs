//! Memory that is used again and again.

use std::ops::Deref;

/// Most buffers kept for later.
const MOST: usize = 32;
/// Largest buffer kept for later, in bytes.
const LARGEST: usize = 1 << 20;

/// Bytes in memory that may be larger; what lies behind them is of no meaning.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// Makes it as long as asked for. What it then holds is left over from before.
    pub(super) fn fit(&mut self, len: usize) -> &mut [u8] {
        if self.bytes.len() < len {
            // What was there is not worth copying.
            self.bytes = vec![0; len.next_multiple_of(1 << 12)];
        }
        self.len = len;
        self.bytes.get_mut(..len).unwrap_or_default()
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Buffers not in use.
#[derive(Default)]
pub(super) struct Spare(Vec<Buffer>);

impl Spare {
    pub(super) fn take(&mut self) -> Buffer {
        self.0.pop().unwrap_or_default()
    }

    pub(super) fn put(&mut self, buffer: Buffer) {
        if self.0.len() < MOST && buffer.bytes.len() <= LARGEST {
            self.0.push(buffer);
        }
    }
}
