//! What stands in a folder.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    /// A link, a pipe, a device.
    Other,
}

impl From<std::fs::FileType> for Kind {
    fn from(kind: std::fs::FileType) -> Self {
        if kind.is_dir() {
            Self::Folder
        } else if kind.is_file() {
            Self::File
        } else {
            Self::Other
        }
    }
}

/// Memory for the entries of one folder after the other.
#[derive(Default)]
pub(super) struct Entries(Vec<u8>);

#[cfg(target_os = "linux")]
impl Entries {
    /// Bytes that are asked for at once.
    const AT_ONCE: usize = 32 << 10;

    /// Hands out every entry with what it is, or why that is not known.
    ///
    /// # Errors
    /// When the folder cannot be read, or not to its end.
    pub(super) fn each(
        &mut self,
        folder: &Path,
        mut take: impl FnMut(&OsStr, io::Result<Kind>),
    ) -> io::Result<()> {
        use rustix::fs::{CWD, FileType, Mode, OFlags, RawDir, openat};
        use rustix::io::Errno;
        use std::os::unix::ffi::OsStrExt;

        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let handle = rustix::io::retry_on_intr(|| openat(CWD, folder, flags, Mode::empty()))?;
        self.0.reserve(Self::AT_ONCE);
        let mut entries = RawDir::new(handle, self.0.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // It was removed while it was read.
                Err(Errno::NOENT) => break,
                Err(error) => return Err(error.into()),
            };
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Directory => Ok(Kind::Folder),
                FileType::RegularFile => Ok(Kind::File),
                FileType::Unknown => kind_of(&folder.join(name)),
                _ => Ok(Kind::Other),
            };
            take(name, kind);
        }
        Ok(())
    }
}

/// What some file systems do not tell of their entries.
#[cfg(target_os = "linux")]
fn kind_of(path: &Path) -> io::Result<Kind> {
    Ok(std::fs::symlink_metadata(path)?.file_type().into())
}

#[cfg(not(target_os = "linux"))]
impl Entries {
    /// Hands out every entry with what it is, or why that is not known.
    ///
    /// # Errors
    /// When the folder cannot be read, or not to its end.
    pub(super) fn each(
        &mut self,
        folder: &Path,
        mut take: impl FnMut(&OsStr, io::Result<Kind>),
    ) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            take(&entry.file_name(), entry.file_type().map(Kind::from));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::Place;
    use std::collections::BTreeMap;

    fn each(path: &Path) -> io::Result<BTreeMap<String, Kind>> {
        let mut found = BTreeMap::new();
        Entries::default().each(path, |name, kind| {
            let name = name.to_string_lossy().into_owned();
            assert_eq!(found.insert(name, kind.unwrap()), None);
        })?;
        Ok(found)
    }

    #[test]
    fn every_entry_of_a_large_folder_is_there_once() {
        let place = Place::new();
        let name = |at: usize| format!("{at:04}-{}", "n".repeat(150));
        for at in 0..700 {
            place.file(&format!("w/{}", name(at)), "");
        }
        let expected = (0..700).map(|at| (name(at), Kind::File)).collect();
        assert_eq!(each(&place.path("w")).unwrap(), expected);
    }

    #[cfg(unix)]
    #[test]
    fn entries_are_told_apart() {
        let place = Place::new();
        place.file("w/file", "");
        place.folder("w/folder");
        std::os::unix::fs::symlink(place.path("w/folder"), place.path("w/link")).unwrap();
        let expected = [
            ("file", Kind::File),
            ("folder", Kind::Folder),
            ("link", Kind::Other),
        ];
        let expected = expected.map(|(name, kind)| (name.to_owned(), kind));
        assert_eq!(each(&place.path("w")).unwrap(), expected.into());
        assert_eq!(
            each(&place.path("w/file")).unwrap_err().kind(),
            io::ErrorKind::NotADirectory
        );
        assert_eq!(
            each(&place.path("w/none")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
