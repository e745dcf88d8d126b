//! Zip archives.

use super::meter::Metered;
use super::name::Step;
use super::walk::{DAMAGED, ENCRYPTED, MEMBERS, METHOD, Walk};
use ::zip::ZipArchive;
use ::zip::result::ZipError;
use std::io::Cursor;

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
            let (name, encrypted, packed) = match archive.by_index_raw(index) {
                Ok(raw) if raw.is_dir() => continue,
                Ok(raw) => (
                    raw.name_raw().to_vec(),
                    raw.encrypted(),
                    raw.compressed_size(),
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
                match archive.by_index(index) {
                    Ok(file) => {
                        let meter = walk.meter;
                        walk.member(Metered::new(file, meter, walk.allowed(packed)));
                    }
                    Err(ZipError::UnsupportedArchive(_)) => walk.note(METHOD),
                    Err(_) => walk.note(DAMAGED),
                }
            });
            if self.is_spent() {
                return;
            }
        }
    }
}
