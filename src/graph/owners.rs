//! Owner and purpose of every identity.
//!
//! The first that answers: annotation, tag, CODEOWNERS or the catalogue's descriptor of the file that declares it or of a
//! file its credentials stand in, the note on its account or repository, who wrote the file, the creator as a hint.

use super::{Graph, classify};
use crate::model::{Evidence, Grade, Identity, IdentityKind, Location, OwnerSource};
use crate::rules::inventory::InventoryRules;

/// Repository and path.
type File<'a> = (&'a str, &'a str);

/// Finds every identity's owner and purpose.
pub(super) fn all(graph: &mut Graph<'_>) {
    let mut identities = std::mem::take(&mut graph.inventory.identities);
    for identity in identities.values_mut() {
        if let Some((owner, source)) = owner(graph, identity) {
            identity.owner = Some(owner);
            identity.owner_source = source;
        }
        let purpose = graph
            .config
            .annotated(&classify::names(identity), |note| note.purpose.clone());
        let tagged = InventoryRules::tag(&graph.rules.tags.purpose, &identity.tags)
            .map(|(_, value)| value.to_owned());
        identity.purpose = purpose
            .or(tagged)
            .or(identity.purpose.take())
            .or_else(|| described(graph, identity))
            .or_else(|| used(graph, identity))
            .or_else(|| runs(graph, identity));
    }
    graph.inventory.identities = identities;
}

/// What a catalogue says of the files that declare it, or of those of its consumers.
fn described(graph: &Graph<'_>, identity: &Identity) -> Option<String> {
    let (declared, used) = files(graph, identity);
    declared
        .into_iter()
        .chain(used)
        .find_map(|(repository, uri)| (graph.purpose_of)(repository, uri))
}

/// What uses it, where nothing else says what it is for.
fn used(graph: &Graph<'_>, identity: &Identity) -> Option<String> {
    let mut names: Vec<&str> = graph
        .inventory
        .consumers_of(&identity.consumers)
        .map(|consumer| consumer.name.as_str())
        // A job is its own consumer.
        .filter(|name| *name != identity.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("used by {one}")),
        [one, other] => Some(format!("used by {one} and {other}")),
        [one, other, rest @ ..] => Some(format!("used by {one}, {other} and {} more", rest.len())),
    }
}

/// Where a workload runs of which nothing says what for.
fn runs(graph: &Graph<'_>, identity: &Identity) -> Option<String> {
    if identity.kind != IdentityKind::Workload {
        return None;
    }
    let consumer = graph.inventory.consumers_of(&identity.consumers).next()?;
    let of = identity
        .account
        .as_deref()
        .or(consumer.repository.as_deref())?;
    Some(format!("{} workload of {of}", consumer.runtime))
}

fn owner(graph: &Graph<'_>, identity: &mut Identity) -> Option<(String, OwnerSource)> {
    if let Some(owner) = graph
        .config
        .annotated(&classify::names(identity), |note| note.owner.clone())
    {
        return Some((owner, OwnerSource::Annotation));
    }
    if let Some(owner) = identity
        .owner
        .clone()
        .filter(|_| identity.owner_source == OwnerSource::Tag)
    {
        return Some((owner, OwnerSource::Tag));
    }
    if let Some((_, value)) = InventoryRules::tag(&graph.rules.tags.owner, &identity.tags) {
        return Some((value.to_owned(), OwnerSource::Tag));
    }
    if let Some(owned) = codeowner(graph, identity) {
        return Some(owned);
    }
    if let Some((owner, why)) = noted(graph, identity) {
        identity.notes.push(Evidence::new(Grade::B, why));
        return Some((owner, OwnerSource::Annotation));
    }
    if let Some(owner) = identity.owner.clone() {
        return Some((owner, identity.owner_source));
    }
    InventoryRules::tag(&graph.rules.tags.creator, &identity.tags)
        .map(|(_, value)| (value.to_owned(), OwnerSource::Creator))
}

/// By the files: those that declare it, those of its consumers, those its credentials stand in.
fn codeowner(graph: &Graph<'_>, identity: &Identity) -> Option<(String, OwnerSource)> {
    let (declared, used) = files(graph, identity);
    let mut seen: Vec<File<'_>> = graph
        .inventory
        .credentials_of(&identity.credentials)
        .flat_map(|credential| &credential.sightings)
        .filter(|sighting| sighting.at_head)
        .map(|sighting| (sighting.repository.as_str(), sighting.uri.as_str()))
        .filter(|(repository, _)| !repository.starts_with("aws/"))
        .collect();
    seen.sort_unstable();
    seen.dedup();
    declared
        .into_iter()
        .chain(used)
        .chain(seen)
        .find_map(|(repository, uri)| (graph.owner_of)(repository, uri))
}

/// The files that declare it, and those of its consumers.
fn files<'g>(graph: &'g Graph<'_>, identity: &'g Identity) -> (Vec<File<'g>>, Vec<File<'g>>) {
    let sorted = |places: &mut dyn Iterator<Item = &'g Location>| {
        let mut files: Vec<File<'g>> = places
            .filter_map(|at| Some((at.repository.as_deref()?, at.uri.as_str())))
            .filter(|(repository, _)| !repository.starts_with("aws/"))
            .collect();
        files.sort_unstable();
        files.dedup();
        files
    };
    let consumers = graph.inventory.consumers_of(&identity.consumers);
    (
        sorted(&mut identity.locations.iter()),
        sorted(&mut consumers.filter_map(|consumer| consumer.location.as_ref())),
    )
}

/// By the notes on its account and on the repositories that declare it.
fn noted(graph: &Graph<'_>, identity: &Identity) -> Option<(String, String)> {
    let account = identity.account.as_deref();
    if let Some((account, owner)) = account.and_then(|account| {
        let note = graph.config.account.get(account)?;
        Some((account, note.owner.clone()?))
    }) {
        let why = format!("owner of account {account} in the configuration");
        return Some((owner, why));
    }
    let mut repositories: Vec<&str> = account
        .into_iter()
        .chain(
            identity
                .locations
                .iter()
                .filter_map(|at| at.repository.as_deref()),
        )
        .filter(|name| !name.starts_with("aws/"))
        .collect();
    repositories.sort_unstable();
    repositories.dedup();
    repositories.into_iter().find_map(|name| {
        let owner = graph.config.repository(name, |note| note.owner.clone())?;
        Some((
            owner,
            format!("owner of repository {name} in the configuration"),
        ))
    })
}
