//! What makes two credentials one.

use crate::model::{CredentialId, Fingerprint, SecretReference};

/// Type of an AWS access key, in a repository and in IAM.
pub(super) const AWS_KEY: &str = "aws-access-key";

/// A credential with a public identifier is that identifier, wherever it is seen.
pub fn credential_by_public_id(kind: &str, public_id: &str) -> CredentialId {
    CredentialId::of(&[kind, "public", public_id])
}

/// A credential without one is its secret.
pub fn credential_by_fingerprint(kind: &str, fingerprint: &Fingerprint) -> CredentialId {
    CredentialId::of(&[kind, "fingerprint", fingerprint.as_str()])
}

/// A credential of which only a name was seen is that name in that store of that repository.
pub(super) fn by_reference(kind: &str, reference: &SecretReference) -> CredentialId {
    CredentialId::of(&[
        kind,
        "reference",
        &reference.store,
        &reference.repository,
        &reference.name,
    ])
}

/// A credential only its holder's inventory knows is a place in that inventory.
pub(super) fn by_slot(kind: &str, holder: &str, slot: usize) -> CredentialId {
    CredentialId::of(&[kind, "slot", holder, &slot.to_string()])
}

/// A credential of which neither is known is the place it stands at.
pub(super) fn by_place(kind: &str, repository: &str, uri: &str, line: u32) -> CredentialId {
    CredentialId::of(&[kind, "place", repository, uri, &line.to_string()])
}
