//! Reading one file whole.

use super::limits::Limits;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Largest buffer kept for the next file, in bytes.
const LARGEST: usize = 1 << 20;

/// Memory that files are read into, one after another.
#[derive(Default)]
pub(super) struct Buffer {
    /// What lies behind the file is left over from earlier ones.
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    pub(super) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            len: 0,
        }
    }

    /// The file that was read last.
    pub(super) fn file(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Lets go of memory that only a large file needs.
    pub(super) fn rest(&mut self) {
        if self.bytes.len() > LARGEST {
            *self = Self::default();
        }
    }

    /// Makes room for `size` bytes; those up to `len` stay.
    fn fit(&mut self, size: usize) {
        if self.bytes.len() < size {
            if self.len == 0 {
                // What was there is not worth copying.
                self.bytes = Vec::new();
            }
            self.bytes.resize(size.next_multiple_of(1 << 14), 0);
        }
    }
}

/// Why a file was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// Larger than the cap.
    TooLarge,
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

/// Reads a file whole, and returns what the file system says of it.
///
/// # Errors
/// When it is larger than the cap, not a regular file, or not readable; the buffer is of no meaning then.
pub(super) fn load(path: &Path, limits: &Limits, buffer: &mut Buffer) -> Result<Metadata, Unread> {
    buffer.len = 0;
    let cap = limits.max_file_bytes;
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Unread::NotAFile);
    }
    if metadata.len() > cap {
        return Err(Unread::TooLarge);
    }
    let expected = metadata.len() as usize;
    // One byte more than expected tells a file that has grown; some of no length have content nonetheless.
    buffer.fit(expected.saturating_add(1));
    loop {
        match file.read(buffer.bytes.get_mut(buffer.len..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => buffer.len += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        if buffer.len as u64 > cap {
            return Err(Unread::TooLarge);
        }
        if buffer.len == expected && buffer.len < buffer.bytes.len() {
            break;
        }
        buffer.fit(buffer.len.saturating_add(1));
    }
    Ok(metadata)
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
            LARGEST,
            3,
        ] {
            let path = place.path("file");
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            put_bytes(&path, &bytes);
            let metadata = load(&path, &limits(1 << 30), &mut buffer).unwrap();
            assert_eq!(metadata.len(), length as u64);
            assert!(buffer.file() == bytes, "{length}");
            buffer.rest();
            assert!(buffer.bytes.len() <= LARGEST);
        }
    }

    #[test]
    fn the_cap_is_exact() {
        let place = Place::new();
        let file = place.file("file", "0123456789");
        let mut buffer = Buffer::default();
        assert!(load(&file, &limits(10), &mut buffer).is_ok());
        let error = load(&file, &limits(9), &mut buffer).unwrap_err();
        assert!(matches!(error, Unread::TooLarge));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let place = Place::new();
        place.folder("w");
        let mut buffer = Buffer::default();
        let mut read = |path: &Path| load(path, &limits(10), &mut buffer);
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
            &limits(1 << 20),
            &mut buffer,
        )
        .unwrap();
        assert!(buffer.file().starts_with(b"Name:"));
    }
}
