//! Telling archives by what they begin with.

/// What bytes are packed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Zip, and everything made of it: jar, war, wheel, apk, office documents.
    Zip,
    /// Tape archive.
    Tar,
    /// One stream of gzip.
    Gzip,
    /// One stream of bzip2.
    Bzip2,
    /// One stream of xz.
    Xz,
    /// One stream of Zstandard.
    Zstd,
}

impl Format {
    /// Lower-case word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }

    /// Whether it packs one document without a name, in place of members.
    pub const fn is_stream(self) -> bool {
        !matches!(self, Self::Zip | Self::Tar)
    }
}

/// Bytes of a tar header.
pub(super) const TAR_BLOCK: usize = 512;

/// What `bytes` are packed as, if they are.
pub fn recognise(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Format::Zip),
        [0x1f, 0x8b, 8, ..] => Some(Format::Gzip),
        [
            b'B',
            b'Z',
            b'h',
            b'1'..=b'9',
            0x31,
            0x41,
            0x59,
            0x26,
            0x53,
            0x59,
            ..,
        ] => Some(Format::Bzip2),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Format::Xz),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Format::Zstd),
        _ => is_tar(bytes).then_some(Format::Tar),
    }
}

/// Whether the first block is a tar header: its mark stands there and its checksum holds.
pub(super) fn is_tar(bytes: &[u8]) -> bool {
    if bytes.get(257..262) != Some(b"ustar") {
        return false;
    }
    let Some(block) = bytes.get(..TAR_BLOCK) else {
        return false;
    };
    let stated = block
        .get(148..156)
        .unwrap_or_default()
        .iter()
        .filter(|byte| (b'0'..=b'7').contains(byte))
        .fold(0_u64, |sum, digit| sum * 8 + u64::from(digit - b'0'));
    let counted: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            u64::from(if (148..156).contains(&at) {
                b' '
            } else {
                *byte
            })
        })
        .sum();
    stated == counted
}
