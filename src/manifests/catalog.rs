//! Backstage descriptors: who owns what lies beside and below them, and what it is for.

use super::clean::clean;
use super::node::Node;
use super::text::Text;
use super::yaml;
use serde::{Deserialize, Serialize};

/// Largest file read.
const MAX_BYTES: usize = 1 << 20;

/// Whether a path is one that catalogues look for.
pub fn is_catalog(uri: &str) -> bool {
    let name = uri.rsplit('/').next().unwrap_or(uri);
    matches!(name, "catalog-info.yaml" | "catalog-info.yml")
}

/// The folder a descriptor speaks of; empty for the whole repository.
pub fn folder_of(uri: &str) -> &str {
    uri.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What a descriptor says of the folder it stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Descriptor {
    /// Who owns it.
    pub owner: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
}

/// What a descriptor says: of a component before anything else.
pub fn read(bytes: &[u8]) -> Option<Descriptor> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let parsed = yaml::parse(&Text::new(bytes));
    let said = |path: &[&str]| {
        let of = |component: bool| {
            parsed
                .documents
                .iter()
                .filter(|entity| {
                    entity
                        .text_at(&["apiVersion"])
                        .is_some_and(|version| version.starts_with("backstage.io/"))
                        && (!component || entity.text_at(&["kind"]) == Some("Component"))
                })
                .find_map(|entity| entity.path(path).and_then(Node::as_str))
        };
        of(true)
            .or_else(|| of(false))
            .map(|text| clean(text.trim()))
            .filter(|text| !text.is_empty())
    };
    let owner = said(&["spec", "owner"]).map(|owner| {
        let plain = owner
            .strip_prefix("group:")
            .or_else(|| owner.strip_prefix("user:"))
            .unwrap_or(&owner);
        plain.strip_prefix("default/").unwrap_or(plain).to_owned()
    });
    let purpose = said(&["metadata", "description"]).or_else(|| said(&["metadata", "title"]));
    (owner.is_some() || purpose.is_some()).then_some(Descriptor { owner, purpose })
}

/// What the descriptor in the nearest folder above a path says, of those that say it.
pub fn nearest<'o>(
    descriptors: &'o [(String, Descriptor)],
    uri: &str,
    said: impl Fn(&'o Descriptor) -> Option<&'o String>,
) -> Option<&'o str> {
    descriptors
        .iter()
        .filter(|(folder, _)| {
            folder.is_empty()
                || uri
                    .strip_prefix(folder.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        })
        .filter_map(|(folder, descriptor)| Some((folder.len(), said(descriptor)?)))
        .max_by_key(|(length, _)| *length)
        .map(|(_, said)| said.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn components_name_their_owner_and_say_what_they_are_for() {
        let file = "apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {description: everything}\nspec: {owner: all}\n---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {description: Takes money}\nspec: {owner: 'group:default/payments'}\n";
        let read = |text: &str| read(text.as_bytes());
        assert_eq!(
            read(file),
            Some(Descriptor {
                owner: Some("payments".into()),
                purpose: Some("Takes money".into())
            })
        );
        assert_eq!(read("kind: Component\nspec: {owner: x}\n"), None);
        assert_eq!(read("{"), None);
    }

    #[test]
    fn the_nearest_descriptor_speaks() {
        let of = |owner: &str| Descriptor {
            owner: Some(owner.to_owned()),
            purpose: None,
        };
        let known = [
            (String::new(), of("all")),
            ("services/pay".to_owned(), of("payments")),
            ("services/pay/docs".to_owned(), Descriptor::default()),
        ];
        let owner = |uri: &str| nearest(&known, uri, |one| one.owner.as_ref());
        assert_eq!(owner("services/pay/ci.yml"), Some("payments"));
        assert_eq!(owner("services/pay/docs/ci.yml"), Some("payments"));
        assert_eq!(owner("services/payroll/ci.yml"), Some("all"));
        assert_eq!(nearest(&[], "x", |one| one.owner.as_ref()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in any::<Vec<u8>>()) {
            let _ = read(&bytes);
        }
    }
}
