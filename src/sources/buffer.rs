//! Memory that is used again and again.

use std::ops::Deref;

/// Largest memory kept for later, in bytes.
pub(super) const LARGEST: usize = 1 << 20;

/// Bytes in memory that may be larger; what lies behind them is left over from before and of no meaning.
#[derive(Default)]
pub(super) struct Buffer {
    memory: Vec<u8>,
    len: usize,
}

impl Buffer {
    pub(super) const fn new() -> Self {
        Self {
            memory: Vec::new(),
            len: 0,
        }
    }

    /// One that holds nothing and is not made anew until more bytes than these are asked for. What is not written to may take
    /// no memory.
    pub(super) fn of(bytes: usize) -> Self {
        Self {
            memory: vec![0; bytes],
            len: 0,
        }
    }

    /// For how many bytes it is not made anew.
    pub(super) const fn size(&self) -> usize {
        self.memory.len()
    }

    /// Makes it as long as asked for. What it then holds is left over from before.
    pub(super) fn fit(&mut self, len: usize) -> &mut [u8] {
        self.len = 0;
        self.space(len);
        self.len = len;
        self.memory.get_mut(..len).unwrap_or_default()
    }

    /// The memory behind what it holds, at least so many bytes.
    pub(super) fn space(&mut self, least: usize) -> &mut [u8] {
        let needed = self.len.saturating_add(least);
        if self.memory.len() < needed {
            let size = needed.next_multiple_of(1 << 12);
            if self.len == 0 {
                // What was there is not worth copying.
                self.memory = vec![0; size];
            } else {
                self.memory.resize(size, 0);
            }
        }
        self.memory.get_mut(self.len..).unwrap_or_default()
    }

    /// Lets go of what it holds behind `len` bytes.
    pub(super) fn cut(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Counts the first bytes of [`Buffer::space`] to what it holds.
    pub(super) const fn add(&mut self, bytes: usize) {
        self.len += bytes;
    }

    /// Holds nothing.
    pub(super) const fn clear(&mut self) {
        self.len = 0;
    }

    /// Whether it has no memory yet.
    pub(super) const fn is_new(&self) -> bool {
        self.memory.is_empty()
    }

    /// Whether it takes more memory than is kept for later.
    pub(super) const fn is_large(&self) -> bool {
        self.memory.len() > LARGEST
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(..self.len).unwrap_or_default()
    }
}
