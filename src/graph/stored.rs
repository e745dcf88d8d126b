//! Secrets of a CI store, known by name only, that are an access key of the account.
//!
//! A user tagged with a repository whose workflows name an AWS key is the user of that key. Has the user one active key,
//! the name and the key are one credential: what the account knows of it (age, last use) and who uses it meet there.

use super::{Graph, ids};
use crate::model::{
    Credential, CredentialId, CredentialStatus, Evidence, Grade, Identity, IdentityId, IdentityKind,
};
use crate::rules::inventory::InventoryRules;

/// Joins every such name to its user, and to the key where that is certain.
pub(super) fn join(graph: &mut Graph<'_>) {
    let named: Vec<CredentialId> = graph
        .inventory
        .credentials
        .values()
        .filter(|credential| credential.reference.is_some() && credential.kind == ids::AWS_KEY)
        .filter(|credential| credential.identity.is_none())
        .map(|credential| credential.id.clone())
        .collect();
    for id in named {
        if let Some((user, evidence)) = tagged(graph, &id) {
            match active_key(graph, &user) {
                Some(key) => merge(graph, &id, &key, evidence),
                None => attach(graph, &id, user, evidence),
            }
        }
    }
}

/// The one user whose tag names a repository that refers to the secret.
fn tagged(graph: &Graph<'_>, id: &CredentialId) -> Option<(IdentityId, Evidence)> {
    let repositories: Vec<String> = graph
        .referenced
        .get(id)?
        .iter()
        .filter_map(|location| location.repository.as_deref().map(last_segment))
        .collect();
    let mut users = graph.inventory.identities.values().filter_map(|identity| {
        let (key, value) = repository_of(identity, graph.rules)?;
        let named = last_segment(value.trim_end_matches(".git"));
        let evidence = format!("user {} is tagged {key} = {value}", identity.name);
        repositories
            .contains(&named)
            .then_some((identity.id.clone(), evidence))
    });
    let (Some((user, text)), None) = (users.next(), users.next()) else {
        return None;
    };
    Some((user, Evidence::new(Grade::C, text)))
}

fn repository_of<'i>(identity: &'i Identity, rules: &InventoryRules) -> Option<(&'i str, &'i str)> {
    (identity.kind == IdentityKind::IamUser)
        .then(|| InventoryRules::tag(&rules.tags.repository, &identity.tags))
        .flatten()
}

fn last_segment(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_lowercase()
}

/// The only active key of a user.
pub(super) fn active_key(graph: &Graph<'_>, user: &IdentityId) -> Option<CredentialId> {
    let mut keys = graph.inventory.credentials.values().filter(|credential| {
        credential.identity.as_ref() == Some(user)
            && credential.kind == ids::AWS_KEY
            && credential.status == CredentialStatus::Active
    });
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return None;
    };
    Some(key.id.clone())
}

fn attach(graph: &mut Graph<'_>, id: &CredentialId, user: IdentityId, evidence: Evidence) {
    if let Some(credential) = graph.inventory.credentials.get_mut(id) {
        credential.identity = Some(user);
        credential.join = Some(evidence);
    }
}

/// The name becomes a fact of the key.
fn merge(graph: &mut Graph<'_>, id: &CredentialId, key: &CredentialId, evidence: Evidence) {
    let Some(Credential {
        reference,
        storage,
        consumers,
        ..
    }) = graph.inventory.credentials.remove(id)
    else {
        return;
    };
    let places = graph.referenced.remove(id).unwrap_or_default();
    graph
        .referenced
        .entry(key.clone())
        .or_default()
        .extend(places);
    if let Some(key) = graph.inventory.credentials.get_mut(key) {
        key.reference = key.reference.take().or(reference);
        key.storage = key.storage.max(storage);
        key.consumers.extend(consumers);
        key.join = Some(evidence);
    }
}
