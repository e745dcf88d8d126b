//! What a text has in common with the one it was derived from.

/// A stretch of a text that its base has too: `text[to..to + len] == base[from..from + len]`. Lists of them are sorted by
/// `to` and do not overlap there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// First byte in the text.
    pub to: usize,
    /// First byte in the base.
    pub from: usize,
    /// Bytes.
    pub len: usize,
}

impl Copied {
    /// One past its last byte in the text.
    pub const fn end(&self) -> usize {
        self.to + self.len
    }
}
