//! A folder of files that is replaced whole or not at all. A folder that holds anything else is left alone.

use super::atomic::{PREFIX, SUFFIX, WriteError, make_folder, private, written};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

/// File that says whose a folder is.
const MARK: &str = ".overstay";

/// A folder that is being written beside the one it will take the place of.
pub struct Folder {
    target: PathBuf,
    new: tempfile::TempDir,
}

impl Folder {
    /// Begins a folder.
    ///
    /// # Errors
    /// When the file system refuses, or the place holds something that this program did not write.
    pub fn begin(target: &Path) -> Result<Self, WriteError> {
        let failed = |source| WriteError {
            path: target.to_owned(),
            source,
        };
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        if !ours(&target).map_err(failed)? {
            return Err(failed(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "it holds files that this program did not write; they are left alone",
            )));
        }
        let parent = target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        make_folder(parent)?;
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o700));
        }
        let new = builder.tempdir_in(parent).map_err(failed)?;
        written().insert(new.path().to_owned());
        let folder = Self { target, new };
        folder.add(MARK, "This folder is written anew by every run.\n")?;
        Ok(folder)
    }

    /// Writes a file of it, by a path of plain names.
    ///
    /// # Errors
    /// When the file system refuses or the path leads out of the folder.
    pub fn add(&self, path: &str, text: &str) -> Result<(), WriteError> {
        let write = || {
            let relative = Path::new(path);
            let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
            if path.is_empty() || !relative.components().all(plain) {
                return Err(io::Error::from(io::ErrorKind::InvalidInput));
            }
            let place = self.new.path().join(relative);
            if let Some(folder) = place.parent() {
                make_folder(folder).map_err(|error| error.source)?;
            }
            private(OpenOptions::new().write(true).create_new(true))
                .open(&place)?
                .write_all(text.as_bytes())
        };
        write().map_err(|source| WriteError {
            path: self.target.join(path),
            source,
        })
    }

    /// Puts it in the place of the old one.
    ///
    /// # Errors
    /// When the file system refuses; the old folder is then still there.
    pub fn commit(self) -> Result<(), WriteError> {
        let Self { target, new } = self;
        written().remove(new.path());
        let old = new.path().with_extension("old.tmp");
        let there = target.exists();
        let put = || {
            if there {
                fs::rename(&target, &old)?;
            }
            let placed = fs::rename(new.path(), &target);
            if placed.is_err() && there {
                fs::rename(&old, &target)?;
            }
            placed
        };
        put().map_err(|source| WriteError {
            path: target.clone(),
            source,
        })?;
        // It has moved: there is nothing to remove any more.
        let _ = new.keep();
        if there {
            // What is left is swept by the next run.
            let _ = fs::remove_dir_all(&old);
        }
        Ok(())
    }
}

/// Whether a place may be taken: nothing is there, or an empty folder, or one that was written here.
fn ours(target: &Path) -> io::Result<bool> {
    match fs::read_dir(target) {
        Ok(mut entries) => Ok(target.join(MARK).is_file() || entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_replaced_whole_and_others_are_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("plan");
        for name in ["one", "two"] {
            let folder = Folder::begin(&target).unwrap();
            folder.add(&format!("{name}/file"), name).unwrap();
            folder.commit().unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = fs::metadata(&target).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o700);
            }
        }
        assert!(!target.join("one").exists());
        assert_eq!(fs::read_to_string(target.join("two/file")).unwrap(), "two");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        // What is begun and given up leaves nothing.
        drop(Folder::begin(&target).unwrap());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);

        let foreign = place.path().join("foreign");
        fs::create_dir(&foreign).unwrap();
        super::super::atomic::write(&foreign.join("mine"), b"x").unwrap();
        assert!(Folder::begin(&foreign).is_err());
        assert!(foreign.join("mine").exists());
    }

    #[test]
    fn paths_do_not_lead_out() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::begin(&place.path().join("plan")).unwrap();
        for path in ["../x", "/etc/x", "a/../../x", ""] {
            assert!(folder.add(path, "x").is_err(), "{path}");
        }
    }
}
