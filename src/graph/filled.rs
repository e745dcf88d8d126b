//! Secrets that something else fills: an object of a cluster that brings them from a store, or the token of an account. Who
//! uses one uses what fills it; both are one credential.

use super::Graph;
use crate::model::{DEFINED, FilledSecret, IdentityKind, SecretReference};
use std::collections::{BTreeMap, BTreeSet};

/// How the native ids of service accounts begin.
const ACCOUNT: &str = "system:serviceaccount:";

/// Secrets by repository, store and name.
type Filled<'a> = BTreeMap<(&'a str, &'a str, &'a str), Vec<&'a FilledSecret>>;

/// References with those to a filled secret turned into ones to what fills it.
pub(super) fn follow(
    graph: &Graph<'_>,
    references: Vec<SecretReference>,
    filled: &[FilledSecret],
) -> Vec<SecretReference> {
    if filled.is_empty() {
        return references;
    }
    let mut by_name: Filled<'_> = BTreeMap::new();
    for one in filled {
        by_name
            .entry((&one.repository, &one.store, &one.secret))
            .or_default()
            .push(one);
    }
    let mut entries: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let mut out = Vec::with_capacity(references.len());
    for reference in references {
        let sources = sources(graph, &by_name, &reference);
        if sources.is_empty() {
            out.push(reference);
            continue;
        }
        let entry = reference.name.split_once('/').map(|(_, entry)| entry);
        for one in sources {
            let (store, name) = &one.source;
            let mut name = name.clone();
            if let (true, Some(entry)) = (one.by_entry, entry) {
                entries.insert((&one.repository, store, &one.source.1));
                name = format!("{name}/{entry}");
            }
            out.push(SecretReference {
                name,
                store: store.clone(),
                ..reference.clone()
            });
        }
    }
    // Of what is a credential an entry, the whole is none.
    out.retain(|reference| {
        let key = (
            reference.repository.as_str(),
            reference.store.as_str(),
            reference.name.as_str(),
        );
        !entries.contains(&key)
    });
    out
}

/// What fills the secret that a reference names, in the namespace of whoever names it.
fn sources<'a>(
    graph: &Graph<'_>,
    filled: &Filled<'a>,
    reference: &SecretReference,
) -> Vec<&'a FilledSecret> {
    if reference.store.starts_with(DEFINED) {
        return Vec::new();
    }
    let (secret, entry) = match reference.name.split_once('/') {
        Some((secret, entry)) => (secret, Some(entry)),
        None => (reference.name.as_str(), None),
    };
    let Some(all) = filled.get(&(
        reference.repository.as_str(),
        reference.store.as_str(),
        secret,
    )) else {
        return Vec::new();
    };
    let namespace = namespace_of(graph, reference);
    let mut found: Vec<&FilledSecret> = all
        .iter()
        .copied()
        .filter(|one| match (&one.namespace, namespace) {
            (Some(own), Some(asked)) => own == asked,
            _ => true,
        })
        .filter(|one| match (&one.key, entry) {
            (Some(own), Some(asked)) => own == asked,
            _ => true,
        })
        // Something that fills itself would be followed to itself.
        .filter(|one| one.source != (reference.store.clone(), reference.name.clone()))
        .collect();
    found.sort();
    found.dedup_by(|a, b| a.source == b.source);
    found
}

/// Namespace of the workload that refers to a secret, where one is declared.
fn namespace_of<'g>(graph: &'g Graph<'_>, reference: &SecretReference) -> Option<&'g str> {
    let consumer = graph
        .inventory
        .consumers
        .get(reference.consumer.as_ref()?)?;
    let account = graph
        .inventory
        .identities
        .get(consumer.identity.as_ref()?)
        .filter(|identity| identity.kind == IdentityKind::KubernetesServiceAccount)?;
    let (namespace, _) = account.native_id.strip_prefix(ACCOUNT)?.split_once(':')?;
    // Where a manifest leaves it out, it is written as this one, and may be any.
    (namespace != "default").then_some(namespace)
}

/// What is filled with something that never expires does not either.
pub(super) fn tell(graph: &mut Graph<'_>, filled: &[FilledSecret]) {
    let endless: BTreeSet<(&str, &str, &str)> = filled
        .iter()
        .filter(|one| one.endless)
        .map(|one| {
            (
                one.repository.as_str(),
                one.source.0.as_str(),
                one.source.1.as_str(),
            )
        })
        .collect();
    for (id, name) in &graph.named {
        let key = (
            name.repository.as_str(),
            name.store.as_str(),
            name.called.as_str(),
        );
        if endless.contains(&key)
            && let Some(credential) = graph.inventory.credentials.get_mut(id)
        {
            credential.expires_by_nature = Some(false);
        }
    }
}
