//! Zip archives.

use super::meter::Metered;
use super::name::Step;
use super::walk::{DAMAGED, ENCRYPTED, MEMBERS, METHOD, STREAM_MEMORY_KB, Walk, ZSTD_WINDOW};
use ::zip::read::ZipFile;
use ::zip::result::ZipError;
use ::zip::{CompressionMethod, ZipArchive};
use bzip2::read::BzDecoder;
use lzma_rust2::{LzmaReader, XzReader};
use ruzstd::decoding::StreamingDecoder;
use std::io::{Cursor, Read};

impl Walk<'_> {
    /// The files of a zip archive, in the order of its directory.
    pub(super) fn zip(&mut self, bytes: &[u8]) {
        let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else {
            self.note(DAMAGED);
            return;
        };
        for index in 0..archive.len() {
            if self.members >= self.caps.members {
                self.note(MEMBERS);
                return;
            }
            self.members += 1;
            let (name, encrypted, packed, method) = match archive.by_index_raw(index) {
                Ok(raw) if raw.is_dir() => continue,
                Ok(raw) => (
                    raw.name_raw().to_vec(),
                    raw.encrypted(),
                    raw.compressed_size(),
                    raw.compression(),
                ),
                Err(_) => {
                    self.note(DAMAGED);
                    continue;
                }
            };
            let packed = packed.min(bytes.len() as u64);
            self.inside(Step::Member(name), |walk| {
                if encrypted {
                    walk.note(ENCRYPTED);
                    return;
                }
                let meter = walk.meter;
                let allowed = walk.allowed(packed);
                let own = [CompressionMethod::Stored, CompressionMethod::Deflated];
                if own.contains(&method) {
                    match archive.by_index(index) {
                        Ok(file) => {
                            walk.member(Metered::new(file, meter, allowed));
                        }
                        Err(ZipError::UnsupportedArchive(_)) => walk.note(METHOD),
                        Err(_) => walk.note(DAMAGED),
                    }
                    return;
                }
                let Ok(raw) = archive.by_index_raw(index) else {
                    walk.note(DAMAGED);
                    return;
                };
                match opened(raw, method) {
                    Some(reader) => {
                        walk.member(Metered::new(reader, meter, allowed));
                    }
                    None => walk.note(METHOD),
                }
            });
            if self.is_spent() {
                return;
            }
        }
    }
}

/// Reads a member that is packed in a way that compressed files are packed in; `None` where it is not, or would take too much
/// memory.
fn opened<'z, R: Read + 'z>(
    raw: ZipFile<'z, R>,
    method: CompressionMethod,
) -> Option<Box<dyn Read + 'z>> {
    Some(match method {
        CompressionMethod::BZIP2 => Box::new(BzDecoder::new(raw)),
        CompressionMethod::XZ => Box::new(XzReader::new_mem_limit(raw, false, STREAM_MEMORY_KB)),
        CompressionMethod::ZSTD => {
            Box::new(StreamingDecoder::new_with_max_window_size(raw, ZSTD_WINDOW).ok()?)
        }
        CompressionMethod::LZMA => Box::new(of_lzma(raw)?),
        _ => return None,
    })
}

/// LZMA begins with a version, the length of its properties and these, and in a file of its own with the properties and the length
/// of what is packed.
fn of_lzma<'z, R: Read + 'z>(mut raw: ZipFile<'z, R>) -> Option<impl Read + 'z> {
    let mut head = [0; 9];
    raw.read_exact(&mut head).ok()?;
    let [_, _, 5, 0, properties @ ..] = head else {
        return None;
    };
    let head = [&properties[..], &raw.size().to_le_bytes()].concat();
    LzmaReader::new_mem_limit(Cursor::new(head).chain(raw), STREAM_MEMORY_KB, None).ok()
}
