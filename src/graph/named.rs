//! Which value a name stands for: the one that a manifest of the store holds under it, else one that stands under the same
//! name in the same repository.

use super::Graph;
use crate::model::{
    Confidence, Credential, CredentialId, DEFINED, Evidence, Grade, IdentityId, Location, Sighting,
};
use crate::rules::manifests::SecretNames;
use std::collections::{BTreeMap, BTreeSet};

/// A name in a store of a repository.
#[derive(Clone)]
pub(super) struct Name {
    pub(super) store: String,
    pub(super) repository: String,
    pub(super) called: String,
}

/// Stores that every repository shares: one server runs the pipelines of all.
const SHARED: [&str; 1] = ["jenkins"];
/// What stands for a secret in a line that is shown.
const MASK: &str = "********";
/// Words a name must have to say the same in another repository.
const TELLING_WORDS: usize = 4;

/// A file of a repository.
type File = (String, String);

/// Joins names to the values that manifests hold under them: a Secret in a file, a generator of a kustomization.
pub(super) fn define(graph: &mut Graph<'_>) {
    if graph.defined.is_empty() {
        return;
    }
    let mut at: BTreeMap<File, BTreeMap<u32, BTreeSet<CredentialId>>> = BTreeMap::new();
    for (credential, seen) in current(graph) {
        at.entry((seen.repository.clone(), seen.uri.clone()))
            .or_default()
            .entry(seen.line)
            .or_default()
            .insert(credential.id.clone());
    }
    // Store, repository and name before the slash, to the values with their key and place.
    type Values = BTreeSet<(String, CredentialId, Location)>;
    let mut values: BTreeMap<(&str, &str, &str), Values> = BTreeMap::new();
    let mut declared: BTreeMap<(&str, &str), BTreeSet<(String, &str)>> = BTreeMap::new();
    for defined in &graph.defined {
        let store = defined.store.strip_prefix(DEFINED).unwrap_or_default();
        let Some((secret, key)) = defined.name.split_once('/') else {
            continue;
        };
        let file = (defined.repository.clone(), defined.location.uri.clone());
        if SHARED.contains(&store) {
            let place = (defined.location.display(), key);
            declared.entry((store, secret)).or_default().insert(place);
        }
        let Some(lines) = at.get(&file) else {
            continue;
        };
        let found = lines
            .iter()
            .filter(|(line, _)| defined.location.line.is_none_or(|wanted| wanted == **line));
        for (line, ids) in found {
            for id in ids {
                let mut place = defined.location.clone();
                place.line = Some(*line);
                let key = match key {
                    "*" => assigned_in(graph, id, &file, *line).unwrap_or_default(),
                    key => key.to_owned(),
                };
                let of = if SHARED.contains(&store) {
                    ""
                } else {
                    defined.repository.as_str()
                };
                values
                    .entry((store, of, secret))
                    .or_default()
                    .insert((key, id.clone(), place));
            }
        }
    }
    let mut joins: Vec<(CredentialId, Vec<CredentialId>, bool, Evidence)> = Vec::new();
    for (id, name) in &graph.named {
        let shared = SHARED.contains(&name.store.as_str());
        let (secret, key) = match name.called.split_once('/') {
            Some((secret, key)) if !shared => (secret, Some(key)),
            _ => (name.called.as_str(), None),
        };
        let of = if shared { "" } else { name.repository.as_str() };
        let Some(held) = values.get(&(name.store.as_str(), of, secret)) else {
            if let Some(evidence) = declared_at(&declared, name) {
                joins.push((id.clone(), Vec::new(), false, evidence));
            }
            continue;
        };
        let mine: Vec<_> = held
            .iter()
            .filter(|(held, _, _)| key.is_none_or(|key| key == held))
            .collect();
        let ids: BTreeSet<&CredentialId> = mine.iter().map(|(_, id, _)| id).collect();
        let Some((_, _, first)) = mine.first() else {
            continue;
        };
        let more = match ids.len() {
            1 => String::new(),
            more => format!(" and {} places more, of which each may be meant", more - 1),
        };
        let text = format!("{} holds its value{more}", first.display());
        let ids: Vec<CredentialId> = ids.into_iter().cloned().collect();
        let whole = (key.is_some() || shared) && ids.len() == 1;
        joins.push((id.clone(), ids, whole, Evidence::new(Grade::B, text)));
    }
    for (id, held, whole, evidence) in joins {
        match held.as_slice() {
            [only] if whole => merge(graph, &id, only, evidence),
            held => beside(graph, &id, held, evidence),
        }
    }
}

/// Where a name is declared whose value is not in the scan.
fn declared_at(
    declared: &BTreeMap<(&str, &str), BTreeSet<(String, &str)>>,
    name: &Name,
) -> Option<Evidence> {
    let places = declared.get(&(name.store.as_str(), name.called.as_str()))?;
    let (first, kind) = places.first()?;
    let more = match places.len() {
        1 => String::new(),
        more => format!(" and {} places more, of which each may be meant", more - 1),
    };
    Some(Evidence::new(
        Grade::B,
        format!("{first} declares it as {kind}{more}; its value is given from outside"),
    ))
}

/// The name is a fact of the value, and whoever names it uses the value.
pub(super) fn merge(
    graph: &mut Graph<'_>,
    id: &CredentialId,
    value: &CredentialId,
    evidence: Evidence,
) {
    if id == value {
        return;
    }
    let Some(name) = graph.inventory.credentials.remove(id) else {
        return;
    };
    let places = graph.referenced.remove(id).unwrap_or_default();
    graph
        .referenced
        .entry(value.clone())
        .or_default()
        .extend(places);
    if let Some(value) = graph.inventory.credentials.get_mut(value) {
        value.reference = value.reference.take().or(name.reference);
        value.storage = value.storage.max(name.storage);
        value.consumers.extend(name.consumers);
        value.join = value.join.take().or(Some(evidence));
    }
}

/// The name stays, for it may mean any of several values; whoever names it may use each.
fn beside(graph: &mut Graph<'_>, id: &CredentialId, values: &[CredentialId], evidence: Evidence) {
    let Some(name) = graph.inventory.credentials.get_mut(id) else {
        return;
    };
    name.join = Some(evidence);
    let consumers = name.consumers.clone();
    for value in values {
        if let Some(value) = graph.inventory.credentials.get_mut(value) {
            value.consumers.extend(consumers.iter().cloned());
        }
    }
}

/// Values that are in current files, one a place.
fn current<'g>(graph: &'g Graph<'_>) -> impl Iterator<Item = (&'g Credential, &'g Sighting)> {
    graph
        .inventory
        .credentials
        .values()
        .filter(|credential| credential.fingerprint.is_some() || credential.public_id.is_some())
        .flat_map(|credential| {
            let now = credential.sightings.iter().filter(|seen| seen.at_head);
            now.map(move |seen| (credential, seen))
        })
}

fn assigned_in(graph: &Graph<'_>, id: &CredentialId, file: &File, line: u32) -> Option<String> {
    let credential = graph.inventory.credentials.get(id)?;
    let seen = credential
        .sightings
        .iter()
        .find(|seen| seen.uri == file.1 && seen.repository == file.0 && seen.line == line)?;
    assigned(seen.context.as_deref()?)
}

/// The only name a line assigns a secret to.
fn assigned(line: &str) -> Option<String> {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for (at, _) in line.match_indices(MASK) {
        let before = line.get(..at)?;
        // The mask may follow what is public of the secret.
        let before = before.trim_end_matches(|c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+')
        });
        let before = before.trim_end_matches(['"', '\'', '`', ' ']);
        let Some(before) = before.strip_suffix(['=', ':']) else {
            continue;
        };
        let before = before.trim_end_matches(['"', '\'', '`', ' ', ':', '=']);
        let start = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .map_or(0, |at| at + 1);
        let name = before.get(start..).unwrap_or_default();
        if !name.is_empty() {
            names.insert(name);
        }
    }
    match names.len() {
        1 => names.first().map(|name| (*name).to_owned()),
        _ => None,
    }
}

/// A value as it is assigned to a name.
struct Assigned {
    id: CredentialId,
    kind: String,
    identity: Option<IdentityId>,
    place: Location,
    settings: bool,
}

/// Tells of names what value of the scan may be meant: the only one that is assigned to the same name. It is no proof that
/// the store holds the same, so the name stays a credential of its own.
pub(super) fn same_name(graph: &mut Graph<'_>) {
    let mut by_name: BTreeMap<String, Vec<(String, Assigned)>> = BTreeMap::new();
    for (credential, seen) in current(graph) {
        let unsure = credential.confidence == Confidence::Low;
        let Some(name) = seen
            .context
            .as_deref()
            .and_then(assigned)
            .filter(|_| !unsure)
        else {
            continue;
        };
        let file = seen.uri.rsplit('/').next().unwrap_or_default();
        by_name.entry(plain(&name)).or_default().push((
            seen.repository.clone(),
            Assigned {
                id: credential.id.clone(),
                kind: credential.kind.clone(),
                identity: credential.identity.clone(),
                place: seen.location(),
                settings: file.split('.').any(|part| part == "env"),
            },
        ));
    }
    if by_name.is_empty() {
        return;
    }
    let mut joins: Vec<(CredentialId, Option<IdentityId>, Evidence)> = Vec::new();
    for (id, name) in &graph.named {
        let Some(credential) = graph.inventory.credentials.get(id) else {
            continue;
        };
        if credential.identity.is_some() || credential.join.is_some() {
            continue;
        }
        let last = name.called.rsplit('/').next().unwrap_or(&name.called);
        let Some(all) = by_name.get(&plain(last)) else {
            continue;
        };
        let fits = |one: &&(String, Assigned)| {
            credential.kind == "secret"
                || one.1.kind == credential.kind
                || one.1.kind.starts_with("generic-")
                || one.1.kind == "password"
        };
        let here: Vec<&(String, Assigned)> = all
            .iter()
            .filter(|(repository, _)| *repository == name.repository)
            .filter(fits)
            .collect();
        let telling = last.split(['_', '-', '.']).count() >= TELLING_WORDS;
        let there: Vec<&(String, Assigned)> = if here.is_empty() && telling {
            all.iter().filter(fits).collect()
        } else {
            Vec::new()
        };
        let (found, elsewhere) = if here.is_empty() {
            (there, true)
        } else {
            (here, false)
        };
        let distinct: BTreeSet<&CredentialId> = found.iter().map(|(_, one)| &one.id).collect();
        let (Some((_, one)), 1) = (found.first(), distinct.len()) else {
            continue;
        };
        let grade = if !elsewhere && one.settings && name.store == "environment" {
            Grade::C
        } else {
            Grade::D
        };
        let whose = one
            .identity
            .as_ref()
            .and_then(|id| graph.inventory.identities.get(id))
            .map_or_else(String::new, |identity| {
                format!(", which lets in as {}", identity.name)
            });
        let what = if elsewhere {
            "the only value of the scan under this name"
        } else {
            "the only value of the repository under this name"
        };
        let text = format!(
            "{what} stands in {}{whose}; whether the store holds the same is not known",
            one.place.display()
        );
        joins.push((id.clone(), one.identity.clone(), Evidence::new(grade, text)));
    }
    for (id, identity, evidence) in joins {
        if let Some(credential) = graph.inventory.credentials.get_mut(&id) {
            credential.identity.clone_from(&identity);
            credential.join = Some(evidence);
        }
        if let Some(identity) = identity.and_then(|id| graph.inventory.identities.get_mut(&id)) {
            identity.credentials.push(id);
        }
    }
}

/// A name as it is compared.
fn plain(name: &str) -> String {
    SecretNames::plain(name)
}

#[cfg(test)]
mod tests {
    use super::assigned;

    #[test]
    fn a_line_names_what_it_assigns() {
        for (line, name) in [
            ("AWS_ACCESS_KEY_ID=AKIA********", Some("AWS_ACCESS_KEY_ID")),
            ("  \"api_token\": \"********\",", Some("api_token")),
            ("export TOKEN='sk_live_********' # x", Some("TOKEN")),
            ("token => \"********\"", None),
            ("a: ******** b: ********", None),
            ("a: ******** a: ********", Some("a")),
            ("curl -H ********", None),
            ("********", None),
        ] {
            assert_eq!(assigned(line).as_deref(), name, "{line}");
        }
    }
}
