//! What several checks ask of consumers.

use super::CheckContext;
use crate::model::{Consumer, ConsumerClass, Credential, Evidence, Location};

/// Consumers of a credential that are of one class, in the order of their ids.
pub(super) fn of_class<'a>(
    context: &CheckContext<'a>,
    credential: &'a Credential,
    class: ConsumerClass,
) -> Vec<&'a Consumer> {
    context
        .inventory
        .consumers_of(&credential.consumers)
        .filter(|consumer| consumer.class == class)
        .collect()
}

/// Where consumers are declared, each place once.
pub(super) fn places(consumers: &[&Consumer]) -> Vec<Location> {
    let mut places: Vec<Location> = consumers
        .iter()
        .filter_map(|consumer| consumer.location.clone())
        .collect();
    places.sort();
    places.dedup();
    places
}

/// Names of consumers with their repository.
pub(super) fn names(consumers: &[&Consumer]) -> Vec<String> {
    consumers
        .iter()
        .map(|consumer| match &consumer.repository {
            Some(repository) => format!("{} of {repository}", consumer.name),
            None => consumer.name.clone(),
        })
        .collect()
}

/// Where a credential was seen now, then where its consumers are declared.
pub(super) fn all_places(credential: &Credential, consumers: &[&Consumer]) -> Vec<Location> {
    let mut places: Vec<Location> = credential
        .sightings
        .iter()
        .filter(|sighting| sighting.at_head)
        .map(crate::model::Sighting::location)
        .collect();
    for place in self::places(consumers) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// How the name and the inventory were joined, where they were.
pub(super) fn join(credential: &Credential) -> Option<&Evidence> {
    credential.join.as_ref()
}
