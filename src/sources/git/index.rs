//! What git's index knows about the files of a work tree: their blob ids without reading them.

use super::open::Repo;
use super::report::Trouble;
use git2::Oid;
use std::fs::Metadata;
use std::path::PathBuf;

/// Bits of an entry's flags that tell the side of an unfinished merge it stands for.
const STAGE_BITS: u16 = 0x3000;

/// The entries of an index, by path.
#[derive(Debug, Default)]
pub(in crate::sources) struct WorkTreeIndex {
    entries: Vec<Tracked>,
    /// When the index was written.
    written: Times,
}

#[derive(Debug)]
struct Tracked {
    path: Vec<u8>,
    id: Oid,
    size: u32,
    times: Times,
}

/// Seconds since 1970, the modification time with nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    mtime: (i64, i64),
    ctime: i64,
}

/// What the index says about one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sources) enum Known {
    /// Tracked, and unchanged since it was last compared with this blob.
    Unchanged(Oid),
    /// Tracked; its content has to be looked at.
    Tracked,
    /// Not tracked.
    Untracked,
}

/// Where the index of a work tree is.
pub(in crate::sources) fn index_file(repo: &Repo) -> Option<PathBuf> {
    let lease = repo.lease().ok()?;
    Some(lease.repository()?.path().join("index"))
}

impl WorkTreeIndex {
    /// Reads the index of a work tree. An unreadable one is as good as none: files are then compared by content.
    pub(in crate::sources) fn load(repo: &Repo, trouble: &Trouble) -> Self {
        let Ok(lease) = repo.lease() else {
            return Self::default();
        };
        let Some(repository) = lease.repository() else {
            return Self::default();
        };
        let path: PathBuf = repository.path().join("index");
        let Ok(metadata) = std::fs::metadata(&path) else {
            return Self::default();
        };
        let index = match repository.index() {
            Ok(index) => index,
            // A split index is in order, and not readable here.
            Err(error) if error.message().contains("extension") => return Self::default(),
            Err(_) => {
                trouble.note("the index is damaged: `git read-tree HEAD` makes it anew");
                return Self::default();
            }
        };
        let mut entries: Vec<Tracked> = index
            .iter()
            // Stage 0 only: the others are the sides of an unfinished merge.
            .filter(|entry| entry.flags & STAGE_BITS == 0)
            .map(|entry| Tracked {
                id: entry.id,
                size: entry.file_size,
                times: Times {
                    mtime: (
                        i64::from(entry.mtime.seconds()),
                        i64::from(entry.mtime.nanoseconds()),
                    ),
                    ctime: i64::from(entry.ctime.seconds()),
                },
                path: entry.path,
            })
            .collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Self {
            entries,
            written: times(&metadata),
        }
    }

    /// What is known of the file at `path` that has this `metadata` now.
    pub(in crate::sources) fn known(&self, path: &[u8], metadata: &Metadata) -> Known {
        let Ok(at) = self
            .entries
            .binary_search_by(|entry| entry.path.as_slice().cmp(path))
        else {
            return Known::Untracked;
        };
        let entry = &self.entries[at];
        let now = times(metadata);
        let same_time = now.mtime.0 == entry.times.mtime.0
            && (entry.times.mtime.1 == 0 || now.mtime.1 == entry.times.mtime.1)
            && now.ctime == entry.times.ctime;
        // A file written in the same moment as the index may have changed after it was compared.
        let settled = now.mtime.0 < self.written.mtime.0;
        if same_time && settled && u64::from(entry.size) == metadata.len() {
            Known::Unchanged(entry.id)
        } else {
            Known::Tracked
        }
    }
}

/// Modification and change time of a file.
#[cfg(unix)]
fn times(metadata: &Metadata) -> Times {
    use std::os::unix::fs::MetadataExt;
    Times {
        mtime: (metadata.mtime(), metadata.mtime_nsec()),
        ctime: metadata.ctime(),
    }
}

/// No change time here: files are compared by content.
#[cfg(not(unix))]
fn times(_: &Metadata) -> Times {
    Times {
        mtime: (i64::MIN, 0),
        ctime: i64::MIN,
    }
}
