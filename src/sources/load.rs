//! Reading one file, whole or up to the cap.

use super::buffer::Buffer;
use super::limits::Limits;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Why a file was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// A folder, a link, a pipe, a device.
    NotAFile,
    /// What the system said.
    Failed(io::Error),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// A file that was read.
pub(super) struct Loaded {
    /// What the file system says of it.
    pub(super) metadata: Metadata,
    /// It is larger than the cap: what is behind that was left out.
    pub(super) cut: bool,
}

/// A folder that stays open while its files are read, so that it is looked up once.
pub(super) struct Folder(#[cfg(target_os = "linux")] std::os::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Folder {
    /// Fewest files for which it is worth it.
    const FEWEST: usize = 3;

    /// The folder of so many files, where it is worth opening and can be opened.
    pub(super) fn of(path: &Path, files: usize) -> Option<Self> {
        use rustix::fs::{CWD, Mode, OFlags, openat};

        if files < Self::FEWEST {
            return None;
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(CWD, path, flags, Mode::empty()).ok().map(Self)
    }

    /// Opens one of its files, as [`open`] does.
    fn open(&self, name: &OsStr) -> Option<File> {
        use rustix::fs::{Mode, OFlags, openat};

        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.0, name, flags, Mode::empty()).ok()?;
        Some(file.into())
    }
}

/// Other systems look it up for each file.
#[cfg(not(target_os = "linux"))]
impl Folder {
    pub(super) const fn of(_: &Path, _: usize) -> Option<Self> {
        None
    }

    const fn open(&self, _: &OsStr) -> Option<File> {
        None
    }
}

/// Reads a file, of one that is larger than the cap as much as that is. `inside` is the folder it is in, where that is open,
/// and its name there.
///
/// # Errors
/// When it is not a regular file, or not readable; the buffer is of no meaning then.
pub(super) fn load(
    path: &Path,
    inside: Option<(&Folder, &OsStr)>,
    limits: &Limits,
    buffer: &mut Buffer,
) -> Result<Loaded, Unread> {
    buffer.clear();
    let cap = limits.max_file_bytes;
    let opened = inside.and_then(|(folder, name)| folder.open(name));
    let mut file = opened.map_or_else(|| open(path), Ok)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Unread::NotAFile);
    }
    let expected = metadata.len().min(cap) as usize;
    // One byte more than expected tells a file that has grown; some of no length have content nonetheless.
    let mut least = expected.saturating_add(1);
    loop {
        let space = buffer.space(least);
        let room = space.len();
        let read = match file.read(space) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        buffer.add(read);
        if buffer.len() as u64 > cap {
            buffer.cut(cap as usize);
            return Ok(Loaded {
                metadata,
                cut: true,
            });
        }
        if buffer.len() == expected && read < room {
            break;
        }
        least = 1;
    }
    Ok(Loaded {
        metadata,
        cut: false,
    })
}

/// Opens a file that no link leads to, without waiting for the other end of a pipe.
fn open(path: &Path) -> Result<File, Unread> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    #[cfg(not(unix))]
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(Unread::NotAFile);
    }
    let refused = match options.open(path) {
        Ok(file) => return Ok(file),
        Err(error) => error,
    };
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(Unread::NotAFile),
        // Somebody holds a lease on it, which is given up for those who wait.
        Ok(_) if refused.kind() == ErrorKind::WouldBlock => Ok(File::open(path)?),
        _ => Err(refused.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::buffer::LARGEST;
    use crate::sources::testing::{Place, put_bytes};

    fn limits(cap: u64) -> Limits {
        Limits {
            max_file_bytes: cap,
            ..Limits::default()
        }
    }

    #[test]
    fn one_file_after_another_is_read_whole() {
        let place = Place::new();
        let mut buffer = Buffer::default();
        for length in [
            70_000,
            0,
            1,
            (1 << 14) - 1,
            1 << 14,
            (1 << 14) + 1,
            3,
            LARGEST,
        ] {
            let path = place.path("file");
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            put_bytes(&path, &bytes);
            let loaded = load(&path, None, &limits(1 << 30), &mut buffer).unwrap();
            assert_eq!(loaded.metadata.len(), length as u64);
            assert!(!loaded.cut);
            assert!(*buffer == bytes, "{length}");
            assert_eq!(buffer.is_large(), length > LARGEST - 1);
        }
    }

    #[test]
    fn the_cap_is_exact() {
        let place = Place::new();
        let file = place.file("file", "0123456789");
        let mut buffer = Buffer::default();
        assert!(!load(&file, None, &limits(10), &mut buffer).unwrap().cut);
        assert_eq!(&*buffer, b"0123456789");
        assert!(load(&file, None, &limits(9), &mut buffer).unwrap().cut);
        assert_eq!(&*buffer, b"012345678");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let place = Place::new();
        place.folder("w");
        let mut buffer = Buffer::default();
        let folder = Folder::of(&place.path(""), 9);
        let mut read = |path: &Path| {
            let inside = folder.as_ref().zip(path.file_name());
            load(path, inside, &limits(10), &mut buffer)
        };
        let link = place.path("link");
        std::os::unix::fs::symlink(place.file("w/file", "x"), &link).unwrap();
        let socket = place.path("socket");
        let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [place.path("w"), link, socket] {
            assert!(matches!(read(&path), Err(Unread::NotAFile)), "{path:?}");
        }
        let Err(Unread::Failed(error)) = read(&place.path("w/nothing")) else {
            panic!("there is nothing");
        };
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    /// Its length is told as zero.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_of_no_length_may_have_content() {
        let mut buffer = Buffer::default();
        load(
            Path::new("/proc/self/status"),
            None,
            &limits(1 << 20),
            &mut buffer,
        )
        .unwrap();
        assert!(buffer.starts_with(b"Name:"));
    }
}
