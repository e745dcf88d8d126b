//! Who uses which credential and which identity.

use super::{Graph, holders};
use crate::model::{
    Consumer, ConsumerId, CredentialId, Declared, Evidence, Grade, Identity, IdentityId,
    IdentityKind, Location,
};
use std::collections::{BTreeMap, BTreeSet};

/// Type of the token that a cluster writes for a service account.
const SERVICE_ACCOUNT_TOKEN: &str = "kubernetes-service-account-token";

/// Connects declared consumers to the identities they name and the credentials that stand in their files.
pub(super) fn connect(graph: &mut Graph<'_>) {
    name_identities(graph);
    stand_beside(graph);
    super::halves::join(graph);
    both_ways(graph);
}

/// Native ids as declared become identities, made up where no source has them.
fn name_identities(graph: &mut Graph<'_>) {
    let named: Vec<(ConsumerId, Vec<String>)> = graph
        .inventory
        .consumers
        .values()
        .map(|consumer| (consumer.id.clone(), consumer.uses.native_ids.clone()))
        .collect();
    let roles = roles_by_name(graph);
    for (consumer, native_ids) in named {
        for native_id in native_ids {
            let known = graph
                .native
                .get(&native_id)
                .or_else(|| roles.get(&native_id).and_then(Option::as_ref))
                .cloned();
            let identity = known.or_else(|| {
                let identity = holders::of_native_id(&native_id, Grade::C)?;
                Some(graph.add_identity(only_named(graph, identity)))
            });
            if let (Some(identity), Some(consumer)) =
                (identity, graph.inventory.consumers.get_mut(&consumer))
            {
                consumer.uses.identities.push(identity);
            }
        }
    }
}

/// Roles by their bare name; `None` where several accounts have one of that name.
fn roles_by_name(graph: &Graph<'_>) -> BTreeMap<String, Option<IdentityId>> {
    let mut roles = BTreeMap::new();
    for identity in graph.inventory.identities.values() {
        if identity.kind == IdentityKind::IamRole {
            roles
                .entry(identity.name.clone())
                .and_modify(|known| *known = None)
                .or_insert_with(|| Some(identity.id.clone()));
        }
    }
    roles
}

/// Says of an identity that only code names it.
fn only_named(graph: &Graph<'_>, mut identity: Identity) -> Identity {
    identity.privilege.assumed = true;
    let scanned = identity
        .account
        .as_deref()
        .is_some_and(|account| graph.accounts.contains_key(account));
    identity.declared = scanned.then_some(Declared::CodeOnly);
    identity.notes.push(Evidence::new(
        Grade::C,
        if scanned {
            "named in code; the snapshot of its account does not have it"
        } else {
            "named in code, not in any scanned account"
        },
    ));
    identity
}

/// A credential belongs to the consumer whose declaration it stands in: of several in one file the one that begins
/// last before it, or all where it stands before the first.
fn stand_beside(graph: &mut Graph<'_>) {
    let mut by_file: BTreeMap<(String, String), Vec<(u32, ConsumerId)>> = BTreeMap::new();
    for consumer in graph.inventory.consumers.values() {
        if let Some((file, line)) = consumer.location.as_ref().and_then(file) {
            by_file
                .entry(file)
                .or_default()
                .push((line, consumer.id.clone()));
        }
    }
    for consumers in by_file.values_mut() {
        consumers.sort();
    }
    let beside = |file: &(String, String), line: u32| -> Vec<ConsumerId> {
        let Some(consumers) = by_file.get(file) else {
            return Vec::new();
        };
        match consumers
            .iter()
            .filter(|(start, _)| *start <= line)
            .map(|(start, _)| *start)
            .max()
        {
            Some(last) => consumers
                .iter()
                .filter(|(start, _)| *start == last)
                .map(|(_, id)| id.clone())
                .collect(),
            None => consumers.iter().map(|(_, id)| id.clone()).collect(),
        }
    };
    for credential in graph.inventory.credentials.values_mut() {
        for sighting in credential
            .sightings
            .iter()
            .filter(|sighting| sighting.at_head)
        {
            let file = (sighting.repository.clone(), sighting.uri.clone());
            credential.consumers.extend(beside(&file, sighting.line));
        }
        // A token that a cluster writes for an account is used as that account, not by what stands beside it.
        if credential.consumers.is_empty() && credential.kind != SERVICE_ACCOUNT_TOKEN {
            for location in graph.referenced.get(&credential.id).into_iter().flatten() {
                if let Some((file, line)) = file(location) {
                    credential.consumers.extend(beside(&file, line));
                }
            }
        }
    }
}

fn file(location: &Location) -> Option<((String, String), u32)> {
    Some((
        (location.repository.clone()?, location.uri.clone()),
        location.line.unwrap_or(1),
    ))
}

/// What one side knows of a use, both sides know; who uses a credential uses its identity.
fn both_ways(graph: &mut Graph<'_>) {
    let mut pairs: BTreeSet<(ConsumerId, IdentityId)> = BTreeSet::new();
    let mut held: BTreeSet<(ConsumerId, CredentialId)> = BTreeSet::new();
    for credential in graph.inventory.credentials.values() {
        held.extend(
            credential
                .consumers
                .iter()
                .map(|consumer| (consumer.clone(), credential.id.clone())),
        );
    }
    for consumer in graph.inventory.consumers.values() {
        let used = |id: &CredentialId| (consumer.id.clone(), id.clone());
        held.extend(consumer.uses.credentials.iter().map(used));
        let as_whom = consumer.uses.identities.iter();
        pairs.extend(as_whom.map(|id| (consumer.id.clone(), id.clone())));
    }
    for (consumer, credential) in &held {
        if let Some(identity) = graph
            .inventory
            .credentials
            .get(credential)
            .and_then(|credential| credential.identity.clone())
        {
            pairs.insert((consumer.clone(), identity));
        }
    }
    for identity in graph.inventory.identities.values() {
        // An identity that is the consumer lists it; that is no use of one by the other.
        let is_itself = |consumer: &&Consumer| consumer.identity.as_ref() == Some(&identity.id);
        for consumer in graph.inventory.consumers_of(&identity.consumers) {
            if !is_itself(&consumer) {
                pairs.insert((consumer.id.clone(), identity.id.clone()));
            }
        }
    }
    let inventory = &mut graph.inventory;
    for (consumer, credential) in held {
        if let Some(credential) = inventory.credentials.get_mut(&credential) {
            credential.consumers.push(consumer.clone());
        }
        if let Some(consumer) = inventory.consumers.get_mut(&consumer) {
            consumer.uses.credentials.push(credential);
        }
    }
    for (consumer, identity) in pairs {
        if let Some(identity) = inventory.identities.get_mut(&identity) {
            identity.consumers.push(consumer.clone());
        }
        if let Some(consumer) = inventory.consumers.get_mut(&consumer) {
            consumer.uses.identities.push(identity);
        }
    }
}
