//! The two halves of an AWS key: its id in plain sight, and its secret, unseen, by the name it is stored under.

use super::{Graph, ids};
use crate::model::{ConsumerId, CredentialId, Storage};
use std::collections::{BTreeMap, BTreeSet};

/// Takes a stored secret for the other half of the key whose id every one of its users names, and no other.
///
/// Both are one credential: judged twice, it would be planned twice.
pub(super) fn join(graph: &mut Graph<'_>) {
    let mut uses: BTreeMap<ConsumerId, BTreeSet<CredentialId>> = BTreeMap::new();
    for credential in graph.inventory.credentials.values() {
        for consumer in &credential.consumers {
            let held = uses.entry(consumer.clone()).or_default();
            held.insert(credential.id.clone());
        }
    }
    for consumer in graph.inventory.consumers.values() {
        let held = uses.entry(consumer.id.clone()).or_default();
        held.extend(consumer.uses.credentials.iter().cloned());
    }
    let mut users: BTreeMap<&CredentialId, BTreeSet<&ConsumerId>> = BTreeMap::new();
    for (consumer, held) in &uses {
        for id in held {
            users.entry(id).or_default().insert(consumer);
        }
    }
    let kept = |id: &CredentialId| graph.inventory.credentials.get(id);
    let mut joins: Vec<(CredentialId, CredentialId)> = Vec::new();
    for credential in graph.inventory.credentials.values() {
        let secret = credential.kind == ids::AWS_KEY
            && credential.public_id.is_none()
            && credential.fingerprint.is_none()
            && credential.reference.is_some();
        let Some(users) = users.get(&credential.id).filter(|_| secret) else {
            continue;
        };
        let mut keys = BTreeSet::new();
        let mut alone = false;
        for user in users {
            let named: BTreeSet<&CredentialId> = uses
                .get(*user)
                .into_iter()
                .flatten()
                .filter(|id| {
                    kept(id).is_some_and(|one| {
                        one.kind == ids::AWS_KEY
                            && one.fingerprint.is_none()
                            && one
                                .public_id
                                .as_deref()
                                .is_some_and(|id| id.starts_with("AKIA"))
                    })
                })
                .collect();
            let secrets = uses
                .get(*user)
                .into_iter()
                .flatten()
                .filter(|id| {
                    kept(id).is_some_and(|one| one.kind == ids::AWS_KEY && one.public_id.is_none())
                })
                .count();
            alone |= named.len() != 1 || secrets != 1;
            keys.extend(named);
        }
        if let (Some(key), 1, false) = (keys.first(), keys.len(), alone) {
            let same = kept(key).is_some_and(|key| {
                credential.identity.is_none()
                    || key.identity.is_none()
                    || credential.identity == key.identity
            });
            if same {
                joins.push((credential.id.clone(), (*key).clone()));
            }
        }
    }
    for (secret, key) in joins {
        merge(graph, &secret, &key);
    }
}

/// Whoever names the secret uses the key.
fn merge(graph: &mut Graph<'_>, secret: &CredentialId, key: &CredentialId) {
    let Some(secret) = graph.inventory.credentials.remove(secret) else {
        return;
    };
    let places = graph.referenced.remove(&secret.id).unwrap_or_default();
    graph
        .referenced
        .entry(key.clone())
        .or_default()
        .extend(places);
    if let Some(identity) = secret
        .identity
        .as_ref()
        .and_then(|id| graph.inventory.identities.get_mut(id))
    {
        identity.credentials.retain(|id| *id != secret.id);
    }
    for consumer in graph.inventory.consumers.values_mut() {
        for id in &mut consumer.uses.credentials {
            if *id == secret.id {
                id.clone_from(key);
            }
        }
        consumer.uses.credentials.sort();
        consumer.uses.credentials.dedup();
    }
    if let Some(key) = graph.inventory.credentials.get_mut(key) {
        key.reference = key.reference.take().or(secret.reference);
        // Of a key whose id alone was read, the secret lies where its name says.
        let only_id = matches!(
            key.storage,
            Storage::NotSeen | Storage::Public | Storage::Committed | Storage::History
        );
        key.storage = if only_id {
            secret.storage
        } else {
            key.storage.max(secret.storage)
        };
        key.consumers.extend(secret.consumers);
    }
}
