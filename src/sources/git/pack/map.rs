//! Files that are looked at in place rather than copied.

use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::path::Path;

/// Maps a file that is not empty.
#[expect(
    unsafe_code,
    reason = "a mapping changes with its file; git never writes to a pack once it has its name"
)]
pub(super) fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the mapping is read-only and private. Whoever rewrites the pack meanwhile changes what is decoded, which
    // every step checks; libgit2 reads packs the same way.
    unsafe { Mmap::map(&file) }
}
