//! Sections of bytes one after the other: what is many and small as it is, the rest as compressed JSON.

use libdeflater::{CompressionLvl, Compressor, Decompressor};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest section that is unpacked, in bytes.
const LARGEST: u64 = 2 << 30;
/// The fastest level that compresses.
const LEVEL: i32 = 1;
/// What one byte of a section unpacks to at most.
const RATIO: u64 = 1_100;

/// Writes sections.
#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// A section of bytes as they are.
    pub fn section(&mut self, bytes: &[u8]) {
        self.0
            .extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// A section of JSON; `None` when the value has no such form.
    pub fn json(&mut self, value: &impl Serialize) -> Option<()> {
        self.section(&packed(value)?);
        Some(())
    }

    /// All sections.
    pub fn done(self) -> Vec<u8> {
        self.0
    }
}

/// What a section of JSON holds; `None` when the value has no such form.
pub(super) fn packed(value: &impl Serialize) -> Option<Vec<u8>> {
    let json = serde_json::to_vec(value).ok()?;
    let mut packer = Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default());
    let mut packed = (json.len() as u64).to_le_bytes().to_vec();
    let head = packed.len();
    packed.resize(head + packer.deflate_compress_bound(json.len()), 0);
    let length = packer
        .deflate_compress(&json, packed.get_mut(head..)?)
        .ok()?;
    packed.truncate(head + length);
    Some(packed)
}

/// Reads them again. Everything is `None` that is not there, or not of the shape asked for.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next section.
    pub fn section(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (section, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(section)
    }

    /// Nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the next section of JSON holds.
    pub fn json<T: DeserializeOwned>(&mut self) -> Option<T> {
        let (length, packed) = self.section()?.split_first_chunk::<8>()?;
        let length = u64::from_le_bytes(*length);
        unpacked(packed, length)
    }
}

/// Reads JSON that was packed; `None` unless it has exactly `length` bytes, no more than can be packed.
fn unpacked<T: DeserializeOwned>(packed: &[u8], length: u64) -> Option<T> {
    if length > LARGEST.min(RATIO.saturating_mul(packed.len() as u64)) {
        return None;
    }
    let mut json = vec![0; usize::try_from(length).ok()?];
    let given = Decompressor::new()
        .deflate_decompress(packed, &mut json)
        .ok()?;
    (given == json.len()).then_some(())?;
    // Looked through once, and not once more for every text in it.
    serde_json::from_str(std::str::from_utf8(&json).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_many_times_the_same_is_small() {
        let mut writer = Writer::default();
        writer.json(&vec!["the same"; 10_000]).unwrap();
        let bytes = writer.done();
        assert!(bytes.len() < 10_000, "{}", bytes.len());
        let back = Reader(&bytes).json::<Vec<String>>();
        assert_eq!(back, Some(vec!["the same".to_owned(); 10_000]));
    }

    #[test]
    fn sections_come_back_and_what_is_cut_short_does_not() {
        let mut writer = Writer::default();
        writer.section(b"abc");
        writer.json(&vec![1, 2, 3]).unwrap();
        writer.section(b"");
        let bytes = writer.done();
        let mut reader = Reader(&bytes);
        assert_eq!(reader.section(), Some(b"abc".as_slice()));
        assert_eq!(reader.json::<Vec<u8>>(), Some(vec![1, 2, 3]));
        assert_eq!(reader.section(), Some(b"".as_slice()));
        assert_eq!(reader.section(), None);
        for end in 0..bytes.len() {
            let mut reader = Reader(&bytes[..end]);
            let all = reader
                .section()
                .and_then(|_| reader.json::<Vec<u8>>())
                .and_then(|_| reader.section());
            assert_eq!(all, None, "{end}");
        }
    }
}
