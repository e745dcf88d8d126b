//! Credentials that code issues: known by where they are declared, their value is nowhere to be seen.

use super::super::clean::clean;
use crate::model::{
    Confidence, Credential, CredentialId, CredentialStatus, Grade, LastUse, Location, Storage,
};
use jiff::Timestamp;

/// What code says of a credential it issues.
pub(in crate::manifests) struct Issued<'a> {
    pub(in crate::manifests) kind: &'a str,
    pub(in crate::manifests) provider: &'a str,
    pub(in crate::manifests) address: &'a str,
    pub(in crate::manifests) location: &'a Location,
    pub(in crate::manifests) expires_at: Option<Timestamp>,
    pub(in crate::manifests) expires_by_nature: Option<bool>,
    pub(in crate::manifests) status: CredentialStatus,
}

/// The credential.
pub(in crate::manifests) fn credential(issued: &Issued<'_>) -> Credential {
    let repository = issued.location.repository.clone().unwrap_or_default();
    let address = clean(issued.address);
    Credential {
        id: CredentialId::of(&[
            issued.kind,
            "declared",
            &repository,
            &issued.location.uri,
            &address,
        ]),
        provider: issued.provider.to_owned(),
        kind: issued.kind.to_owned(),
        public_id: None,
        fingerprint: None,
        redacted: None,
        reference: Some(address),
        identity: None,
        join: None,
        account: None,
        status: issued.status,
        created_at: None,
        last_use: LastUse::Unknown,
        last_used_at: None,
        last_used_service: None,
        expires_at: issued.expires_at,
        expires_by_nature: issued.expires_by_nature,
        storage: Storage::NotSeen,
        consumers: Vec::new(),
        default_tier: None,
        confidence: Confidence::High,
        confidence_reason: format!(
            "code issues it at {}; its value was not seen",
            issued.location.display()
        ),
        grade: Grade::B,
        sightings: Vec::new(),
        trail: None,
    }
}
