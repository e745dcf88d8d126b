//! Files that are looked at in place rather than copied.

use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that are looked at before the pages that hold them are let go.
const WINDOW: usize = 24 << 20;

/// A file in memory, of which no more than a part stays there.
pub(super) struct Mapped {
    file: Mmap,
    /// Bytes looked at since pages were last let go.
    looked_at: AtomicUsize,
}

impl Mapped {
    /// Maps a file that is not empty.
    #[expect(
        unsafe_code,
        reason = "a mapping changes with its file; git never writes to a pack once it has its name"
    )]
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the mapping is read-only. Whoever rewrites the pack meanwhile changes what is decoded, which every
        // step checks; libgit2 reads packs the same way.
        let file = unsafe { Mmap::map(&file) }?;
        Ok(Self {
            file,
            looked_at: AtomicUsize::new(0),
        })
    }

    /// Tells that so many bytes were looked at. Now and then the pages are let go: what is needed again comes back from
    /// the system's cache, and the process is no larger than what it works on.
    pub(super) fn looked_at(&self, bytes: usize) {
        let before = self.looked_at.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) >= WINDOW {
            self.looked_at.store(0, Ordering::Relaxed);
            self.let_go();
        }
    }

    /// Lets the pages go.
    #[cfg(unix)]
    #[expect(
        unsafe_code,
        reason = "pages that are let go are read anew from the file when they are looked at again"
    )]
    pub(super) fn let_go(&self) {
        // SAFETY: the mapping is shared with its file and nothing writes to it, so there is nothing to lose: whoever
        // looks at a page meanwhile or later gets the same bytes from the file. A refusal changes nothing.
        let _ = unsafe {
            self.file
                .unchecked_advise(memmap2::UncheckedAdvice::DontNeed)
        };
    }

    /// Nothing to be done here.
    #[cfg(not(unix))]
    pub(super) fn let_go(&self) {}
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::put_bytes;

    #[test]
    fn pages_that_were_let_go_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pack");
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
        put_bytes(&path, &bytes);
        let mapped = Mapped::open(&path).unwrap();
        assert!(*mapped == bytes[..]);
        for _ in 0..3 {
            mapped.looked_at(WINDOW - 1);
            mapped.looked_at(1);
            assert_eq!(mapped.looked_at.load(Ordering::Relaxed), 0);
            assert!(*mapped == bytes[..]);
        }
        assert!(Mapped::open(folder.path()).is_err());
    }
}
