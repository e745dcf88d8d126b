//! What the checks of AI agents ask of the inventory.

use super::CheckContext;
use crate::model::{Consumer, ConsumerClass, Credential, Identity, Sighting};

/// Agents and other consumers of their class.
pub(super) fn all<'a>(context: &CheckContext<'a>) -> impl Iterator<Item = &'a Consumer> {
    context
        .inventory
        .consumers
        .values()
        .filter(|consumer| consumer.class == ConsumerClass::Agent)
}

/// Credentials an agent's configuration names or holds.
pub(super) fn credentials<'a>(
    context: &CheckContext<'a>,
    agent: &'a Consumer,
) -> impl Iterator<Item = &'a Credential> {
    context.inventory.credentials_of(&agent.uses.credentials)
}

/// The agent as an identity.
pub(super) fn identity<'a>(
    context: &CheckContext<'a>,
    agent: &'a Consumer,
) -> Option<&'a Identity> {
    context.inventory.identities.get(agent.identity.as_ref()?)
}

/// The places of a credential in an agent's own file that hold its value now.
pub(super) fn literals<'a>(agent: &'a Consumer, credential: &'a Credential) -> Vec<&'a Sighting> {
    let Some(at) = &agent.location else {
        return Vec::new();
    };
    credential
        .sightings
        .iter()
        .filter(|sighting| sighting.at_head)
        .filter(|sighting| {
            at.repository.as_deref() == Some(&sighting.repository) && at.uri == sighting.uri
        })
        .collect()
}
