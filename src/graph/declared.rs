//! What manifests, workflows and configuration declare.

use super::{Graph, merge};
use crate::model::{
    Credential, Declarations, Evidence, FilledSecret, Grade, PlacedSecret, SecretReference,
    SeenCredential,
};

/// What becomes credentials once everything else is in the graph.
pub(super) struct Gathered {
    pub(super) references: Vec<SecretReference>,
    /// What fills secrets.
    pub(super) filled: Vec<FilledSecret>,
    /// What code puts into stores.
    pub(super) placed: Vec<PlacedSecret>,
    pub(super) literals: Vec<SeenCredential>,
}

/// Adds identities, grants and consumers; returns what becomes credentials.
pub(super) fn add(graph: &mut Graph<'_>, declarations: Vec<Declarations>) -> Gathered {
    let mut all = Declarations::default();
    for file in declarations {
        all.identities.extend(file.identities);
        all.grants.extend(file.grants);
        all.consumers.extend(file.consumers);
        all.references.extend(file.references);
        all.filled.extend(file.filled);
        all.placed.extend(file.placed);
        all.credentials.extend(file.credentials);
        all.issued.extend(file.issued);
        all.roles.extend(file.roles);
        all.bindings.extend(file.bindings);
        all.capabilities.extend(file.capabilities);
        all.routines.extend(file.routines);
        all.edits.extend(file.edits);
        graph.coverage.extend(file.notices);
    }
    // Merging prefers what comes first among equals, so what comes first must not depend on who read which file when.
    all.identities.sort_by_cached_key(|identity| {
        (identity.grade, identity.locations.clone(), total(identity))
    });
    all.grants
        .sort_by_cached_key(|grant| (grant.id.clone(), total(grant)));
    all.consumers.sort_by_cached_key(|consumer| {
        (
            consumer.id.clone(),
            consumer.location.clone(),
            total(consumer),
        )
    });
    for identity in all.identities {
        graph.add_identity(identity);
    }
    for grant in all.grants {
        if let Some(holder) = graph.inventory.identities.get_mut(&grant.identity) {
            holder.grants.push(grant.id.clone());
        }
        graph
            .inventory
            .grants
            .entry(grant.id.clone())
            .or_insert(grant);
    }
    for consumer in all.consumers {
        match graph.inventory.consumers.get_mut(&consumer.id) {
            Some(known) => merge::consumer(known, consumer),
            None => {
                graph
                    .inventory
                    .consumers
                    .insert(consumer.id.clone(), consumer);
            }
        }
    }
    all.roles.sort();
    all.roles.dedup();
    all.bindings.sort();
    all.bindings.dedup();
    all.capabilities.sort();
    all.capabilities.dedup();
    all.edits.sort_by_cached_key(|edit| {
        (
            edit.consumer.clone(),
            edit.mechanism.clone(),
            edit.path.clone(),
            total(edit),
        )
    });
    all.edits.dedup();
    graph.inventory.edits = all.edits;
    graph.inventory.roles = all.roles;
    graph.inventory.bindings = all.bindings;
    graph.inventory.capabilities = all.capabilities;
    all.routines.sort();
    all.routines.dedup();
    graph.inventory.routines = all.routines;
    all.issued
        .sort_by_cached_key(|(credential, _)| (credential.id.clone(), total(credential)));
    for (credential, holder) in all.issued {
        issue(graph, credential, holder.as_deref());
    }
    all.filled.sort();
    all.filled.dedup();
    all.placed.sort();
    all.placed.dedup();
    Gathered {
        references: all.references,
        filled: all.filled,
        placed: all.placed,
        literals: all.credentials,
    }
}

/// Adds a credential that code issues, with its holder.
fn issue(graph: &mut Graph<'_>, mut credential: Credential, holder: Option<&str>) {
    let holder = holder.and_then(|holder| graph.native.get(holder)).cloned();
    if let Some(identity) = holder
        .as_ref()
        .and_then(|id| graph.inventory.identities.get_mut(id))
    {
        let where_ = credential.reference.as_deref().unwrap_or_default();
        // The account's own list has the key itself.
        if identity.grade == Grade::A && !identity.credentials.is_empty() {
            let text = format!("code issues its {} as {where_}", credential.kind);
            identity.notes.push(Evidence::new(Grade::B, text));
            return;
        }
        credential.account.clone_from(&identity.account);
        credential.join = Some(Evidence::new(
            Grade::B,
            format!("code issues it for {} as {where_}", identity.name),
        ));
    }
    credential.identity = holder;
    graph
        .inventory
        .credentials
        .entry(credential.id.clone())
        .or_insert(credential);
}

/// A total order over everything that can be written down.
fn total<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
