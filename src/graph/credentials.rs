//! Credentials that were seen, and credentials of which only a name was seen.

use super::named::Name;
use super::{Graph, ids, sightings};
use crate::model::{
    Confidence, Credential, CredentialId, CredentialStatus, DEFINED, Fingerprint, Grade, LastUse,
    SecretReference, SeenCredential, Sighting, Storage,
};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// What makes a seen credential the same as another.
fn id(seen: &SeenCredential) -> CredentialId {
    match (&seen.public_id, &seen.fingerprint) {
        (Some(public), _) => ids::credential_by_public_id(&seen.kind, public),
        (None, Some(fingerprint)) => ids::credential_by_fingerprint(&seen.kind, fingerprint),
        (None, None) => ids::by_place(
            &seen.kind,
            &seen.sighting.repository,
            &seen.sighting.uri,
            seen.sighting.line,
        ),
    }
}

/// Orders what was seen.
fn order(seen: &SeenCredential) -> impl Ord + '_ {
    (
        &seen.sighting,
        (&seen.kind, &seen.public_id, &seen.fingerprint),
        // The surest first: its reason stands.
        std::cmp::Reverse(seen.confidence),
        (&seen.confidence_reason, &seen.redacted),
        (&seen.subject, &seen.account),
        (
            seen.created_at,
            seen.expires_at,
            seen.expires_by_nature,
            seen.default_tier,
        ),
    )
}

/// Adds what the text engine and the manifests saw: one credential for all places of one.
pub(super) fn add_seen(graph: &mut Graph<'_>, mut seen: Vec<SeenCredential>) {
    know_better(&mut seen);
    seen.par_sort_by(|a, b| order(a).cmp(&order(b)));
    let ids: Vec<CredentialId> = seen.par_iter().map(id).collect();
    let mut places: BTreeMap<CredentialId, Vec<Sighting>> = BTreeMap::new();
    for (one, id) in seen.into_iter().zip(ids) {
        if let Some(subject) = &one.subject {
            graph
                .subjects
                .entry(id.clone())
                .or_insert_with(|| subject.clone());
        }
        if let Some(known) = graph.inventory.credentials.get_mut(&id) {
            merge(known, &one);
        } else {
            let credential = new(id.clone(), &one);
            graph.inventory.credentials.insert(id.clone(), credential);
        }
        places.entry(id).or_default().push(one.sighting);
    }
    let collapsed: Vec<(CredentialId, Vec<Sighting>)> = places
        .into_par_iter()
        .map(|(id, sightings)| (id, sightings::collapse(sightings)))
        .collect();
    for (id, sightings) in collapsed {
        if let Some(credential) = graph.inventory.credentials.get_mut(&id) {
            credential.sightings = sightings;
        }
    }
    let now = graph.now;
    for credential in graph.inventory.credentials.values_mut() {
        if credential.status == CredentialStatus::Unknown
            && credential.expires_at.is_some_and(|at| now.reached(at))
        {
            credential.status = CredentialStatus::Inactive;
        }
    }
}

/// Where a credential was seen.
fn place(seen: &SeenCredential) -> (&str, &str, u32, u32) {
    let at = &seen.sighting;
    (at.repository.as_str(), at.uri.as_str(), at.line, at.column)
}

/// Where the name before a secret and a reader that knows the file told of the same place, the reader knows what the secret
/// is for: it is one credential, there and wherever else that name told of it.
fn know_better(seen: &mut [SeenCredential]) {
    const BY_NAME: &str = "generic-";
    let mut readers: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, one) in seen.iter().enumerate() {
        let by_reader = !one.rule.starts_with(BY_NAME);
        if by_reader && one.public_id.is_none() && one.fingerprint.is_some() {
            readers.entry(place(one)).or_default().push(at);
        }
    }
    // The first of all that know better.
    let mut first: BTreeMap<(&str, &Fingerprint), usize> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.rule.starts_with(BY_NAME)) {
        let Some(fingerprint) = &one.fingerprint else {
            continue;
        };
        let here = readers.get(&place(one)).into_iter().flatten();
        let Some(reader) = here.copied().find(|at| seen[*at].kind != one.kind) else {
            continue;
        };
        let known = first.entry((&one.kind, fingerprint)).or_insert(reader);
        *known = reader.min(*known);
    }
    let better: BTreeMap<(String, Option<Fingerprint>), SeenCredential> = first
        .into_iter()
        .map(|((kind, fingerprint), reader)| {
            let known = (kind.to_owned(), Some(fingerprint.clone()));
            (known, seen[reader].clone())
        })
        .collect();
    if better.is_empty() {
        return;
    }
    for one in seen.iter_mut().filter(|one| one.rule.starts_with(BY_NAME)) {
        if let Some(known) = better.get(&(one.kind.clone(), one.fingerprint.clone())) {
            one.kind.clone_from(&known.kind);
            one.provider.clone_from(&known.provider);
            one.fingerprint.clone_from(&known.fingerprint);
        }
    }
}

fn new(id: CredentialId, seen: &SeenCredential) -> Credential {
    Credential {
        id,
        provider: seen.provider.clone(),
        kind: seen.kind.clone(),
        public_id: seen.public_id.clone(),
        fingerprint: seen.fingerprint.clone(),
        redacted: Some(seen.redacted.clone()),
        reference: None,
        identity: None,
        join: None,
        account: seen.account.clone(),
        status: CredentialStatus::Unknown,
        created_at: seen.created_at,
        last_use: LastUse::Unknown,
        last_used_at: None,
        last_used_service: None,
        expires_at: seen.expires_at,
        expires_by_nature: seen.expires_by_nature,
        storage: Storage::NotSeen,
        consumers: Vec::new(),
        default_tier: seen.default_tier,
        confidence: seen.confidence,
        confidence_reason: seen.confidence_reason.clone(),
        grade: Grade::B,
        sightings: Vec::new(),
        trail: None,
    }
}

fn merge(into: &mut Credential, seen: &SeenCredential) {
    into.fingerprint = match (into.fingerprint.take(), seen.fingerprint.clone()) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    into.redacted.get_or_insert_with(|| seen.redacted.clone());
    into.account = into.account.take().or_else(|| seen.account.clone());
    into.created_at = into.created_at.or(seen.created_at);
    into.expires_at = into.expires_at.max(seen.expires_at);
    into.expires_by_nature = into.expires_by_nature.or(seen.expires_by_nature);
    into.default_tier = into.default_tier.max(seen.default_tier);
    if seen.confidence > into.confidence {
        into.confidence = seen.confidence;
        into.confidence_reason.clone_from(&seen.confidence_reason);
    }
}

/// Adds what is only named: one credential for a name in a store of a repository.
pub(super) fn add_references(graph: &mut Graph<'_>, references: Vec<SecretReference>) {
    let (defined, mut references): (Vec<_>, Vec<_>) = references
        .into_iter()
        .partition(|reference| reference.store.starts_with(DEFINED));
    graph.defined = defined;
    references.sort_by_cached_key(|reference| {
        (
            reference.repository.clone(),
            reference.store.clone(),
            reference.name.clone(),
            reference.kind.clone(),
            reference.provider.clone(),
            reference.consumer.clone(),
            reference.location.clone(),
        )
    });
    // One use may tell the type where another does not: the name is one credential all the same.
    let mut kinds: BTreeMap<(String, String, String), (String, String)> = BTreeMap::new();
    for reference in &references {
        if let Some(kind) = &reference.kind {
            kinds.entry(key(reference)).or_insert_with(|| {
                (
                    kind.clone(),
                    reference
                        .provider
                        .clone()
                        .unwrap_or_else(|| "unknown".to_owned()),
                )
            });
        }
    }
    for reference in references {
        let (kind, provider) = kinds.get(&key(&reference)).cloned().unwrap_or_else(|| {
            (
                "secret".to_owned(),
                reference
                    .provider
                    .clone()
                    .unwrap_or_else(|| "unknown".to_owned()),
            )
        });
        let id = ids::by_reference(&kind, &reference);
        let storage = graph.rules.store(&reference.store);
        let credential = graph
            .inventory
            .credentials
            .entry(id.clone())
            .or_insert_with(|| Credential {
                id: id.clone(),
                expires_by_nature: (kind == ids::AWS_KEY).then_some(false),
                provider,
                kind,
                public_id: None,
                fingerprint: None,
                redacted: None,
                reference: Some(reference.name.clone()),
                identity: None,
                join: None,
                account: None,
                status: CredentialStatus::Unknown,
                created_at: None,
                last_use: LastUse::Unknown,
                last_used_at: None,
                last_used_service: None,
                expires_at: None,
                storage,
                consumers: Vec::new(),
                default_tier: None,
                confidence: Confidence::Medium,
                confidence_reason: format!("named in {}; its value was not seen", reference.store),
                grade: Grade::C,
                sightings: Vec::new(),
                trail: None,
            });
        credential.consumers.extend(reference.consumer.clone());
        graph.named.entry(id.clone()).or_insert_with(|| Name {
            store: reference.store.clone(),
            repository: reference.repository.clone(),
            called: reference.name.clone(),
        });
        graph
            .referenced
            .entry(id)
            .or_default()
            .push(reference.location);
    }
}

fn key(reference: &SecretReference) -> (String, String, String) {
    (
        reference.repository.clone(),
        reference.store.clone(),
        reference.name.clone(),
    )
}
