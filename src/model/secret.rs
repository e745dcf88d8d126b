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

    /// Seals what only holders of this key may read: names in it may hold tokens. The same content gives the same bytes. It
    /// is done in place: content may be large.
    pub fn seal(&self, mut content: Vec<u8>) -> Vec<u8> {
        let tag = blake3::keyed_hash(&self.derived("tag"), &content);
        content.splice(0..0, tag.as_bytes().iter().copied());
        self.cover(&mut content);
        content
    }

    /// The content of what was sealed; `None` when that was under another key, or is damaged.
    pub fn unseal(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let mut content = sealed.to_vec();
        if content.len() < 32 {
            return None;
        }
        self.cover(&mut content);
        let tag = content.drain(..32).collect::<Vec<u8>>();
        let expected = blake3::keyed_hash(&self.derived("tag"), &content);
        let tag: [u8; 32] = tag.try_into().ok()?;
        (expected == blake3::Hash::from_bytes(tag)).then_some(content)
    }

    /// A name for something that must not be named.
    pub fn name(&self, content: &[u8]) -> String {
        blake3::keyed_hash(&self.derived("name"), content).to_hex()[..32].to_owned()
    }

    /// Covers or uncovers what follows the tag.
    fn cover(&self, sealed: &mut [u8]) {
        let (tag, content) = sealed.split_at_mut(32);
        let mut stream = blake3::Hasher::new_keyed(&self.derived("stream"))
            .update(tag)
            .finalize_xof();
        let mut pad = [0_u8; 4096];
        for chunk in content.chunks_mut(pad.len()) {
            stream.fill(&mut pad);
            for (byte, pad) in chunk.iter_mut().zip(pad) {
                *byte ^= pad;
            }
        }
    }

    fn derived(&self, purpose: &str) -> [u8; 32] {
        let name = format!("overstay 2026 {purpose}");
        *blake3::keyed_hash(&self.0, name.as_bytes()).as_bytes()
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

    #[test]
    fn what_is_sealed_opens_under_its_key_only() {
        let (one, two) = (FingerprintKey::new([1; 32]), FingerprintKey::new([2; 32]));
        for length in [0, 1, 31, 32, 33, 4_096, 10_000] {
            let content: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let sealed = one.seal(content.clone());
            assert_eq!(one.unseal(&sealed), Some(content.clone()));
            assert_eq!(two.unseal(&sealed), None);
            for at in [0, 31, sealed.len() - 1] {
                let mut bad = sealed.clone();
                bad[at] ^= 1;
                assert_eq!(one.unseal(&bad), None, "{length} {at}");
            }
            assert!(length < 31 || !sealed.windows(31).any(|part| part == &content[..31]));
        }
        assert_eq!(one.unseal(b"short"), None);
        assert_ne!(one.name(b"a"), two.name(b"a"));
    }
}
