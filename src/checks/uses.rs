//! What checks of reuse and of two ways in ask of consumers.

use super::CheckContext;
use crate::model::{Consumer, ConsumerClass, Credential, CredentialStatus};
use crate::rules::posture::CheckMeta;
use std::collections::BTreeSet;

/// A long-lived cloud credential of the check's list that may still be accepted.
pub(super) fn static_key(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
) -> bool {
    meta.words("static").contains(&credential.kind)
        && super::subject::may_be_live(credential, context.now)
        && credential.status != CredentialStatus::Inactive
        && credential.public_id.as_deref().is_none_or(long_lived)
}

/// Whether a public id is not that of a temporary AWS key.
fn long_lived(public_id: &str) -> bool {
    !public_id.starts_with("ASIA")
}

/// The pipeline or workload a consumer belongs to: jobs of one workflow file are one.
pub(super) fn path_of(consumer: &Consumer) -> String {
    let unit = match consumer.class {
        ConsumerClass::Ci => consumer.name.split('/').next().unwrap_or_default(),
        _ => consumer.name.as_str(),
    };
    match &consumer.repository {
        Some(repository) => format!("{repository}: {unit}"),
        None => format!("{}: {unit}", consumer.runtime),
    }
}

/// Consumers of a credential, those that name it included.
pub(super) fn consumers<'a>(
    context: &CheckContext<'a>,
    credential: &'a Credential,
) -> Vec<&'a Consumer> {
    context
        .inventory
        .consumers_of(&credential.consumers)
        .collect()
}

/// Repositories in which the secret itself stands in a current file.
pub(super) fn repositories_with_copy(credential: &Credential) -> BTreeSet<&str> {
    credential
        .sightings
        .iter()
        .filter(|seen| seen.at_head && credential.fingerprint.is_some())
        .map(|seen| seen.repository.as_str())
        .collect()
}

/// Places of a credential: where it was seen, else where its consumers are declared.
pub(super) fn places(
    context: &CheckContext<'_>,
    credential: &Credential,
) -> Vec<crate::model::Location> {
    let mut out: Vec<_> = credential
        .sightings
        .iter()
        .map(crate::model::Sighting::location)
        .collect();
    out.extend(
        consumers(context, credential)
            .into_iter()
            .filter_map(|consumer| consumer.location.clone()),
    );
    out.sort();
    out.dedup();
    if out.is_empty()
        && let Some(identity) = context.inventory.identity_of(credential)
    {
        out = super::subject::places(identity);
    }
    out
}
