//! The folder of a snapshot.

use crate::sources::aws::live::Answers;
use crate::store::atomic;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// File by which a folder is known as a snapshot of this program.
const MARK: &str = "collection.json";

/// A folder that answers are kept in.
pub(super) struct Folder(PathBuf);

/// Why a folder cannot be used.
pub(super) enum Unusable {
    /// It is a file.
    File,
    /// It holds something else.
    Other,
    /// It cannot be read or written.
    Io(io::Error),
}

impl Folder {
    /// Takes a new or empty folder, or one of an earlier snapshot.
    pub(super) fn open(path: &Path, fresh: bool) -> Result<Self, Unusable> {
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_dir() => return Err(Unusable::File),
            Ok(_) => {
                let mut entries = fs::read_dir(path).map_err(Unusable::Io)?;
                let empty = entries.next().is_none();
                if !empty && !path.join(MARK).is_file() {
                    return Err(Unusable::Other);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                atomic::make_folder(path).map_err(|error| Unusable::Io(error.source))?;
            }
            Err(error) => return Err(Unusable::Io(error)),
        }
        let folder = Self(path.to_owned());
        if fresh {
            folder.clear().map_err(Unusable::Io)?;
        }
        Ok(folder)
    }

    /// Removes what an earlier snapshot left, and nothing else.
    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let account = name.len() == 12
                && name.bytes().all(|byte| byte.is_ascii_digit())
                && path.join(MARK).is_file();
            if account || name == "organizations" {
                fs::remove_dir_all(&path)?;
            }
        }
        Ok(())
    }
}

impl Answers for Folder {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.0.join(path)).ok()
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        atomic::write(&self.0.join(path), bytes).map_err(|error| error.source)
    }

    fn forget(&self, folder: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.0.join(folder)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
