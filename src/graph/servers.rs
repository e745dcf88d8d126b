//! Tool servers that are given a secret: what it opens is what they may do, as far as anything tells.

use super::Graph;
use crate::model::consumer::IS_GIVEN;
use crate::model::{Credential, Evidence, Grade, Identity, IdentityId, IdentityKind};
use crate::rules::scoring::Scoring;
use crate::rules::targets::lookup;

/// Gives every tool server the widest privilege of the secrets it is given.
pub(super) fn all(graph: &mut Graph<'_>) {
    let servers: Vec<IdentityId> = graph
        .inventory
        .identities
        .values()
        .filter(|identity| identity.kind == IdentityKind::McpServer)
        .filter(|identity| identity.privilege.tier == 0 && identity.privilege.evidence.is_empty())
        .filter(|identity| given(identity).next().is_some())
        .map(|identity| identity.id.clone())
        .collect();
    if servers.is_empty() {
        return;
    }
    let Ok(scoring) = Scoring::builtin() else {
        return;
    };
    for id in servers {
        let told = told(graph, &id, &scoring);
        let Some(server) = graph.inventory.identities.get_mut(&id) else {
            continue;
        };
        server.privilege.tier = told.iter().map(|(tier, _)| *tier).max().unwrap_or_default();
        // It is the secret's, not one that was granted to the server.
        server.privilege.assumed = server.privilege.tier > 0;
        server.privilege.evidence = told.into_iter().map(|(_, evidence)| evidence).collect();
    }
}

/// What a server is given, as its notes name it.
fn given(server: &Identity) -> impl Iterator<Item = &str> {
    server
        .notes
        .iter()
        .filter_map(|note| note.text.strip_prefix(IS_GIVEN))
}

/// Privilege of each secret that a server is given, with its evidence.
fn told(graph: &Graph<'_>, id: &IdentityId, scoring: &Scoring) -> Vec<(u8, Evidence)> {
    let inventory = &graph.inventory;
    let Some(server) = inventory.identities.get(id) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for credential in inventory.credentials.values() {
        let shared = credential
            .consumers
            .iter()
            .any(|consumer| server.consumers.contains(consumer));
        if !shared || !given(server).any(|name| is(credential, name, server)) {
            continue;
        }
        let name = credential
            .public_id
            .as_deref()
            .or(credential.reference.as_deref())
            .unwrap_or("a value in its configuration");
        let holder = inventory
            .identity_of(credential)
            .filter(|holder| holder.privilege.tier > 0 || !holder.privilege.evidence.is_empty());
        out.extend(match holder {
            Some(holder) => Some((
                holder.privilege.tier,
                Evidence::new(
                    holder.grade,
                    format!(
                        "what {} {name} may as {}: tier {}",
                        credential.kind, holder.name, holder.privilege.tier
                    ),
                ),
            )),
            None => credential
                .default_tier
                .or_else(|| lookup(&scoring.nature.tiers, &credential.kind))
                .map(|tier| {
                    (
                        tier,
                        Evidence::new(
                            Grade::C,
                            format!(
                                "usual privilege of {} {name}: tier {tier}; its grants are not in the input",
                                credential.kind
                            ),
                        ),
                    )
                }),
        });
    }
    out
}

/// Whether a credential is what a server's configuration names: `STORE NAME`, or `TYPE as a value`.
fn is(credential: &Credential, name: &str, server: &Identity) -> bool {
    if let Some(kind) = name.strip_suffix(" as a value") {
        return credential.kind == kind
            && server.locations.iter().any(|place| {
                credential.sightings.iter().any(|seen| {
                    seen.uri == place.uri && Some(&seen.repository) == place.repository.as_ref()
                })
            });
    }
    credential.reference.as_deref().is_some_and(|reference| {
        name.split_once(' ')
            .is_some_and(|(_, own)| own == reference)
    })
}
