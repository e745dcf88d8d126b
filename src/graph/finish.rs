//! Puts every list of the inventory into its one order, without doubles and without ids of things that are not there.

use super::{Graph, trails};
use crate::model::{ConsumerClass, Storage};

/// Sorts, and derives what depends on all the joins: the class of an identity's consumers, the exposure of a credential.
pub(super) fn all(graph: &mut Graph<'_>) {
    let config = graph.config;
    let inventory = &mut graph.inventory;
    for consumer in inventory.consumers.values_mut() {
        sort(&mut consumer.evidence);
        sort(&mut consumer.risks);
        sort(&mut consumer.uses.credentials);
        sort(&mut consumer.uses.identities);
        sort(&mut consumer.uses.native_ids);
    }
    for credential in inventory.credentials.values_mut() {
        sort(&mut credential.consumers);
        for sighting in &mut credential.sightings {
            sighting.public =
                config.repository(&sighting.repository, |note| note.public) == Some(true);
        }
        credential.sightings = trails::across_clones(std::mem::take(&mut credential.sightings));
        credential.trail = trails::of_credential(&credential.sightings);
        let seen = credential.sightings.iter().map(|sighting| {
            match (sighting.public, sighting.at_head, &sighting.commit) {
                (true, _, Some(_)) => Storage::Public,
                (_, true, Some(_)) => Storage::Committed,
                (_, false, _) => Storage::History,
                (_, true, None) => Storage::PlainFile,
            }
        });
        // Where only the id of a key was read and its secret is known to be kept elsewhere, that is where it is kept.
        let elsewhere = credential.fingerprint.is_none()
            && credential.reference.is_some()
            && credential.public_id.is_some()
            && credential.storage != Storage::NotSeen;
        if !elsewhere {
            credential.storage = seen.fold(credential.storage, Storage::max);
        }
        credential.last_used_at = credential.last_use.at();
    }
    for identity in inventory.identities.values_mut() {
        sort(&mut identity.credentials);
        sort(&mut identity.consumers);
        sort(&mut identity.locations);
        sort(&mut identity.notes);
        identity
            .grants
            .retain(|grant| inventory.grants.contains_key(grant));
        sort(&mut identity.grants);
        // The least bounded of the consumers: one that never ends decides how long the access is needed.
        let class = identity
            .consumers
            .iter()
            .filter_map(|id| inventory.consumers.get(id))
            .map(|consumer| consumer.class)
            .max();
        if let Some(class) = class {
            identity.consumer_class = class;
        } else if identity.human && identity.consumer_class == ConsumerClass::Unknown {
            identity.consumer_class = ConsumerClass::Human;
        }
    }
    for issuers in inventory.oidc_issuers.values_mut() {
        sort(issuers);
    }
}

fn sort<T: Ord>(list: &mut Vec<T>) {
    list.sort();
    list.dedup();
}
