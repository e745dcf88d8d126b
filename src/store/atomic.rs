//! Files are replaced whole or not at all, and only their owner can read them: a report is a map for an attacker.
//!
//! The new content is written to a temporary file in the same folder, flushed to the disk and renamed over the old one.
//! A name that is a symbolic link is followed, so that the link stays; a device or pipe (`/dev/stdout`) is written to
//! directly, because it cannot be replaced.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use thiserror::Error;

/// How the name of a temporary file begins; the process that wrote it follows.
pub(super) const PREFIX: &str = ".overstay-";
/// How it ends.
pub(super) const SUFFIX: &str = ".tmp";

/// Why a file could not be written.
#[derive(Debug, Error)]
#[error("cannot write `{}`: {source}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Replaces the content of `path`, making its folders.
///
/// # Errors
/// When the file system refuses; the old content is then still there.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_with(path, |out| out.write_all(bytes))
}

/// Replaces the content of `path` with what `fill` writes, making its folders.
///
/// # Errors
/// When the file system refuses or `fill` fails; the old content is then still there.
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    replace(path, fill, false).map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

/// Creates `path` with the given content. A file that is already there is left as it is, and reported as
/// [`io::ErrorKind::AlreadyExists`].
///
/// # Errors
/// When the file is there or the file system refuses.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace(path, |out| out.write_all(bytes), true).map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

/// Makes a folder and its parents; those that are new are for the owner only.
///
/// # Errors
/// When the file system refuses.
pub fn make_folder(folder: &Path) -> Result<(), WriteError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|source| WriteError {
        path: folder.to_owned(),
        source,
    })
}

/// Opens a file for appending, made for the owner only when it is new.
///
/// # Errors
/// When the file system refuses.
pub fn append_to(path: &Path) -> Result<File, WriteError> {
    if let Some(parent) = parent(path) {
        make_folder(parent)?;
    }
    private(OpenOptions::new().append(true).create(true).read(true))
        .open(path)
        .map_err(|source| WriteError {
            path: path.to_owned(),
            source,
        })
}

/// New files made through these options are for the owner only.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Folder a file lies in; `None` when the name alone is given and it is the current one.
fn parent(path: &Path) -> Option<&Path> {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
}

/// A file that is written and not yet in its place.
pub struct Staged {
    path: PathBuf,
    /// Nothing is to be moved where a device was written to.
    file: Option<(tempfile::NamedTempFile, PathBuf)>,
}

/// Writes a file beside its place. Several can be staged before the first is put in place, so that together they are
/// replaced at once or, when one cannot be written, not at all.
///
/// # Errors
/// When the file system refuses or `fill` fails.
pub fn stage(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Staged, WriteError> {
    let staged = prepare(path, fill, false);
    let file = staged.map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })?;
    Ok(Staged {
        path: path.to_owned(),
        file,
    })
}

impl Staged {
    /// Puts the file in its place.
    ///
    /// # Errors
    /// When the file system refuses; the old content is then still there.
    pub fn commit(self) -> Result<(), WriteError> {
        let Some((temporary, target)) = self.file else {
            return Ok(());
        };
        put(temporary, &target, false).map_err(|source| WriteError {
            path: self.path,
            source,
        })
    }
}

/// Temporary files that are there, so that a program that ends at once can remove them.
static WRITTEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

pub(super) fn written() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    WRITTEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes what is half-written: the program ends.
pub fn discard() {
    for path in written().iter() {
        remove(path);
    }
}

/// Removes a file, or a folder with all that is in it.
fn remove(path: &Path) {
    let _ = if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
}

/// Removes what runs that were killed left half-written in a folder.
pub fn sweep(folder: &Path) {
    let own = std::process::id();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let process = name
            .strip_prefix(PREFIX)
            .filter(|_| name.ends_with(SUFFIX))
            .and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if process.is_some_and(|process| process == own || !runs(process)) {
            let path = entry.path();
            // The same folder may be named in several ways; its name is its own.
            let busy = |known: &PathBuf| known.file_name() == path.file_name();
            if path.is_file() || !written().iter().any(busy) {
                remove(&path);
            }
        }
    }
}

/// Whether a process runs, as far as this system tells.
fn runs(process: u32) -> bool {
    let all = Path::new("/proc");
    !all.join("self").exists() || all.join(process.to_string()).exists()
}

fn replace(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    must_be_new: bool,
) -> io::Result<()> {
    match prepare(path, fill, must_be_new)? {
        Some((temporary, target)) => put(temporary, &target, must_be_new),
        None => Ok(()),
    }
}

/// Writes the temporary file; `None` where a device was written to.
fn prepare(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    must_be_new: bool,
) -> io::Result<Option<(tempfile::NamedTempFile, PathBuf)>> {
    let target = match fs::metadata(path) {
        Ok(_) if must_be_new => return Err(io::ErrorKind::AlreadyExists.into()),
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => {
            let mut device = OpenOptions::new().write(true).open(path)?;
            fill(&mut device)?;
            device.flush()?;
            return Ok(None);
        }
        Ok(_) => fs::canonicalize(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = parent(&target).unwrap_or(Path::new("."));
    make_folder(folder).map_err(|error| error.source)?;
    // Made with mode 0600, and removed again when anything below fails.
    let temporary = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .suffix(SUFFIX)
        .tempfile_in(folder)?;
    written().insert(temporary.path().to_owned());
    let mut out = BufWriter::with_capacity(1 << 16, temporary);
    fill(&mut out)?;
    let temporary = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    temporary.as_file().sync_all()?;
    Ok(Some((temporary, target)))
}

fn put(temporary: tempfile::NamedTempFile, target: &Path, must_be_new: bool) -> io::Result<()> {
    let folder = parent(target).unwrap_or(Path::new("."));
    written().remove(temporary.path());
    if must_be_new {
        temporary.persist_noclobber(target)?;
    } else {
        temporary.persist(target)?;
    }
    // The rename itself is only durable once the folder is; systems that cannot open folders have no such call.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_dead_processes_left_is_swept_and_what_others_write_is_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".overstay-999999999-x.tmp", ".overstay-1-x.tmp", "kept.tmp"] {
            write(&folder.path().join(name), b"x").unwrap();
        }
        sweep(folder.path());
        assert_eq!(names(folder.path()), [".overstay-1-x.tmp", "kept.tmp"]);
    }

    #[test]
    fn staged_files_are_put_in_place_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, b"old").unwrap();
        let staged = stage(&path, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        staged.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        drop(stage(&path, |out| out.write_all(b"never")).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn content_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/report.json");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(path.parent().unwrap()), ["report.json"]);
    }

    #[test]
    fn a_failing_writer_leaves_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write(&path, b"old").unwrap();
        let failed = write_with(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("stop"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[test]
    fn create_never_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, b"one").unwrap();
        let error = create(&path, b"two").unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_and_links_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        write(&real, b"one").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"two");
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let inside = folder.path().join("new/file");
        write(&inside, b"").unwrap();
        let mode = fs::metadata(folder.path().join("new"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_written_to_and_folders_refused() {
        write(Path::new("/dev/null"), b"gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        let folder = tempfile::tempdir().unwrap();
        assert!(write(folder.path(), b"x").is_err());
    }
}
