//! The key fingerprints are made with: 32 bytes in a file, as 64 hexadecimal digits.
//!
//! Reports made with one key can be compared; people who share reports share the key.

use super::atomic;
use crate::model::FingerprintKey;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Longest key file that is read, in bytes: the digits and some white space.
const LONGEST: u64 = 256;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the fingerprint key `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not hold a key.
    #[error("`{}` is not a fingerprint key: it must hold 64 hexadecimal digits (32 bytes) and nothing else; `openssl rand -hex 32` makes one", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// The new key cannot be kept.
    #[error(transparent)]
    Write(#[from] atomic::WriteError),
    /// The system has no randomness to give.
    #[error("the system gave no random bytes for a fingerprint key: {0}")]
    Random(String),
}

/// A key and what there is to say about the file it came from.
#[derive(Debug)]
pub struct LoadedKey {
    /// The key.
    pub key: FingerprintKey,
    /// The file was made by this call.
    pub created: bool,
    /// Others than the owner can read the file; a sentence that says what to do.
    pub warning: Option<String>,
}

/// Reads a key file.
///
/// # Errors
/// When it cannot be read or is not a key.
pub fn load(path: &Path) -> Result<LoadedKey, KeyError> {
    let fail = |source| KeyError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(fail)?;
    let warning = exposure(path, &file.metadata().map_err(fail)?);
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    file.take(LONGEST + 1)
        .read_to_end(&mut text)
        .map_err(fail)?;
    let key = decode(&text).ok_or_else(|| KeyError::Format {
        path: path.to_owned(),
    })?;
    Ok(LoadedKey {
        key,
        created: false,
        warning,
    })
}

/// Reads a key file, or makes one with a random key, for the owner only, where there is none.
///
/// # Errors
/// When it cannot be read or made, or is not a key.
pub fn load_or_create(path: &Path) -> Result<LoadedKey, KeyError> {
    match load(path) {
        Err(KeyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
        loaded => return loaded,
    }
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|error| KeyError::Random(error.to_string()))?;
    let mut text = Zeroizing::new(blake3::Hash::from_bytes(*bytes).to_hex().to_string());
    text.push('\n');
    match atomic::create(path, text.as_bytes()) {
        Ok(()) => Ok(LoadedKey {
            key: FingerprintKey::new(*bytes),
            created: true,
            warning: None,
        }),
        // Two first runs at once: the one that came first has made the key for both.
        Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => load(path),
        Err(error) => Err(error.into()),
    }
}

fn decode(text: &[u8]) -> Option<FingerprintKey> {
    let digits = text.trim_ascii();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0_u8; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        let value = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
        *byte = u8::try_from(value).ok()?;
    }
    let key = FingerprintKey::new(bytes);
    bytes.zeroize();
    Some(key)
}

#[cfg(unix)]
fn exposure(path: &Path, found: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = found.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        format!(
            "the fingerprint key `{}` can be read by others (mode {mode:04o}); run `chmod 600` on it",
            path.display()
        )
    })
}

#[cfg(not(unix))]
fn exposure(_: &Path, _: &std::fs::Metadata) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("overstay/fingerprint.key");
        assert!(load(&path).is_err());
        let made = load_or_create(&path).unwrap();
        assert!(made.created && made.warning.is_none());
        let again = load_or_create(&path).unwrap();
        assert!(!again.created && again.warning.is_none());
        assert_eq!(made.key.id(), again.key.id());
        let other = load_or_create(&folder.path().join("other")).unwrap();
        assert_ne!(made.key.id(), other.key.id());
    }

    #[test]
    fn digits_are_the_bytes_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let bytes: Vec<_> = (0..32).map(|byte| format!("{byte:02X}")).collect();
        let text = bytes.concat();
        for ending in ["", "\n", "\r\n"] {
            atomic::write(&path, format!("{text}{ending}").as_bytes()).unwrap();
            let bytes = std::array::from_fn(|index| u8::try_from(index).unwrap());
            assert_eq!(
                load(&path).unwrap().key.id(),
                FingerprintKey::new(bytes).id()
            );
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for text in [
            String::new(),
            "0".repeat(63),
            "0".repeat(65),
            "g".repeat(64),
            "é".repeat(32),
        ] {
            atomic::write(&path, text.as_bytes()).unwrap();
            let message = load_or_create(&path).unwrap_err().to_string();
            assert!(message.contains("64 hexadecimal digits"), "{message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_others_can_read_is_warned_about() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        load_or_create(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load(&path).unwrap().warning.unwrap().contains("0644"));
    }
}
