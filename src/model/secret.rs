//! Secret material, and what may be said about it outside the rooms that read it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// Raw secret bytes. Deliberately without `Debug`, `Display` and `Serialize`; wiped when dropped.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes ownership of secret bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for hashing and structural checks only.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// Key under which fingerprints are made. Without it a report cannot be used to test guesses of weak secrets.
#[derive(Clone)]
pub struct FingerprintKey(Zeroizing<[u8; 32]>);

impl FingerprintKey {
    /// A key from its 32 bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Fingerprint of one secret of one credential type.
    pub fn fingerprint(&self, credential_type: &str, secret: &[u8]) -> Fingerprint {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&(credential_type.len() as u64).to_le_bytes());
        hasher.update(credential_type.as_bytes());
        hasher.update(secret);
        Fingerprint(hasher.finalize().to_hex()[..32].to_owned())
    }

    /// Public name of the key: tells two keys apart, reveals nothing of either.
    pub fn id(&self) -> String {
        blake3::keyed_hash(&self.0, b"overstay fingerprint key id").to_hex()[..12].to_owned()
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerprintKey({})", self.id())
    }
}

/// Keyed hash of a secret: equal secrets of one type have equal fingerprints under one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Hexadecimal text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is shown in place of a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Redacted(String);

impl Redacted {
    /// Shows `prefix`, the part of a token that only names its type (such as `ghp_`), and a mask of fixed width, so that
    /// neither content nor length leaks.
    pub fn new(prefix: &str) -> Self {
        Self(format!("{prefix}********"))
    }

    /// The masked text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_depend_on_key_type_and_bytes() {
        let (one, two) = (FingerprintKey::new([1; 32]), FingerprintKey::new([2; 32]));
        let base = one.fingerprint("t", b"abc");
        assert_eq!(base, one.fingerprint("t", b"abc"));
        assert_ne!(base, two.fingerprint("t", b"abc"));
        assert_ne!(base, one.fingerprint("u", b"abc"));
        assert_ne!(base, one.fingerprint("t", b"abd"));
        assert_ne!(one.id(), two.id());
    }
}
