//! Buffers that wait to be used again.

use crate::sources::buffer::Buffer;

/// Most buffers kept for later.
const MOST: usize = 32;

/// Buffers not in use.
#[derive(Default)]
pub(super) struct Spare(Vec<Buffer>);

impl Spare {
    pub(super) fn take(&mut self) -> Buffer {
        self.0.pop().unwrap_or_default()
    }

    pub(super) fn put(&mut self, buffer: Buffer) {
        if self.0.len() < MOST && !buffer.is_large() {
            self.0.push(buffer);
        }
    }
}
