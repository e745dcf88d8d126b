//! What one archive may cost.

/// Caps on one outer document and everything inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Most archives that may be inside one another.
    pub depth: usize,
    /// Most members, over all archives inside.
    pub members: usize,
    /// Largest member that is read, unpacked.
    pub member_bytes: u64,
    /// Most bytes that are unpacked, over all archives inside.
    pub total_bytes: u64,
    /// Most times its packed size that something may unpack to, once it is larger than `ratio_from`.
    pub ratio: u64,
    /// Unpacked size up to which the ratio does not count: a short text of one letter is no bomb.
    pub ratio_from: u64,
    /// Most notes about what was left out.
    pub notes: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            depth: 4,
            members: 20_000,
            member_bytes: 32 << 20,
            total_bytes: 256 << 20,
            ratio: 250,
            ratio_from: 1 << 20,
            notes: 20,
        }
    }
}
