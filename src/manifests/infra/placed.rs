//! Credentials that code issues and puts into a store: `github_actions_secret` with the key of an `aws_iam_access_key`.

use super::super::clean::clean;
use super::cloud::Unit;
use super::item::Item;
use super::value::{Val, labels, shown};
use crate::model::{CredentialId, Declarations, PlacedSecret};
use crate::rules::manifests::ManifestTables;

/// Adds what the items of one unit put into stores; to be called when everything it issues is known.
pub(super) fn add(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    items: &[Item],
    out: &mut Declarations,
) {
    if out.issued.is_empty() {
        return;
    }
    let mut placed = Vec::new();
    for item in items {
        let stores = &tables.secret_stores;
        if let Some(kind) = stores.resource.iter().find(|one| one.r#type == item.kind) {
            let name = kind.name.iter().find_map(|field| item.shown(field));
            let target = kind.target.as_ref().map(|field| {
                item.get(field)
                    .known_text()
                    .map_or_else(|| unit.repository.to_owned(), |text| clean(&text))
            });
            for value in &kind.value {
                if let Some(name) = &name
                    && let Some((credential, holder)) = issued(&item.get(value), out)
                {
                    placed.push(PlacedSecret {
                        target: target.clone(),
                        store: kind.store.clone(),
                        name: name.clone(),
                        credential,
                        holder,
                        location: item.declared.location.clone(),
                    });
                }
            }
        }
        if let Some(kind) = stores.group.iter().find(|one| one.r#type == item.kind) {
            let at = |path: &String| {
                let value = path
                    .split('.')
                    .fold(item.attributes.clone(), |value, part| value.get(part));
                value.as_text().map(|text| clean(&shown(&text)))
            };
            let Some(name) = kind.name.iter().find_map(at) else {
                continue;
            };
            for field in &kind.values {
                let Val::Map(entries) = item.get(field) else {
                    continue;
                };
                for (key, value) in entries.iter() {
                    if let Some((credential, holder)) = issued(value, out) {
                        placed.push(PlacedSecret {
                            target: Some(unit.repository.to_owned()),
                            store: kind.store.clone(),
                            name: format!("{name}/{}", clean(&shown(key))),
                            credential,
                            holder,
                            location: item.declared.location.clone(),
                        });
                    }
                }
            }
        }
    }
    out.placed.extend(placed);
}

/// The credential that a value is, or is made of.
pub(super) fn issued(value: &Val, out: &Declarations) -> Option<(CredentialId, Option<String>)> {
    let text = value.as_text()?;
    let labels = labels(&text);
    out.issued
        .iter()
        .filter_map(|(credential, holder)| {
            let address = credential.reference.as_deref()?;
            let named = labels.iter().any(|label| speaks_of(label, address));
            named.then(|| (address.len(), credential.id.clone(), holder.clone()))
        })
        .max_by_key(|(length, ..)| *length)
        .map(|(_, id, holder)| (id, holder))
}

/// Whether what an unknown hangs on is an attribute of a resource.
fn speaks_of(label: &str, address: &str) -> bool {
    // Within a module it is known without the module's path.
    let own = address
        .rsplit_once("module.")
        .and_then(|(_, rest)| rest.split_once('.'))
        .map_or(address, |(_, own)| own);
    [address, own].iter().any(|name| {
        label.match_indices(name).any(|(at, _)| {
            let before = label.get(..at).and_then(|text| text.chars().last());
            let behind = label
                .get(at + name.len()..)
                .and_then(|text| text.chars().next());
            let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
            !before.is_some_and(|c| part(c) || c == '.') && !behind.is_some_and(part)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_speaks_of_its_resource_only() {
        for (label, address, expected) in [
            (
                "aws_iam_access_key.ci.secret",
                "aws_iam_access_key.ci",
                true,
            ),
            (
                "aws_iam_access_key.ci2.secret",
                "aws_iam_access_key.ci",
                false,
            ),
            (
                "my_aws_iam_access_key.ci.secret",
                "aws_iam_access_key.ci",
                false,
            ),
            (
                "base64decode(google_service_account_key.k.private_key)",
                "google_service_account_key.k",
                true,
            ),
            (
                "aws_iam_access_key.ci.secret",
                "module.a.aws_iam_access_key.ci",
                true,
            ),
            (
                "module.a.aws_iam_access_key.ci[0].secret",
                "module.a.aws_iam_access_key.ci",
                true,
            ),
        ] {
            assert_eq!(speaks_of(label, address), expected, "{label} {address}");
        }
    }
}
