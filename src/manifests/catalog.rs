//! Backstage descriptors: who owns what lies beside and below them.

use super::clean::clean;
use super::node::Node;
use super::text::Text;
use super::yaml;

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

/// Owner that a descriptor names: of a component before that of anything else.
pub fn owner(bytes: &[u8]) -> Option<String> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let parsed = yaml::parse(&Text::new(bytes));
    let owned = |kinds: &[&str]| {
        parsed
            .documents
            .iter()
            .filter(|entity| {
                let kind = entity.text_at(&["kind"]).unwrap_or_default();
                kinds.is_empty() || kinds.contains(&kind)
            })
            .filter(|entity| {
                entity
                    .text_at(&["apiVersion"])
                    .is_some_and(|version| version.starts_with("backstage.io/"))
            })
            .find_map(|entity| entity.path(&["spec", "owner"]).and_then(Node::as_str))
    };
    let owner = owned(&["Component"]).or_else(|| owned(&[]))?;
    let owner = owner
        .strip_prefix("group:")
        .or_else(|| owner.strip_prefix("user:"))
        .unwrap_or(owner);
    let owner = owner.strip_prefix("default/").unwrap_or(owner).trim();
    (!owner.is_empty()).then(|| clean(owner))
}

/// The owner of a path: of the descriptor in the nearest folder above it.
pub fn nearest<'o>(owners: &'o [(String, String)], uri: &str) -> Option<&'o str> {
    owners
        .iter()
        .filter(|(folder, _)| {
            folder.is_empty()
                || uri
                    .strip_prefix(folder.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        })
        .max_by_key(|(folder, _)| folder.len())
        .map(|(_, owner)| owner.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn components_name_their_owner() {
        let file = "apiVersion: backstage.io/v1alpha1\nkind: System\nspec: {owner: all}\n---\napiVersion: backstage.io/v1alpha1\nkind: Component\nspec: {owner: 'group:default/payments'}\n";
        assert_eq!(owner(file.as_bytes()).as_deref(), Some("payments"));
        assert_eq!(owner(b"kind: Component\nspec: {owner: x}\n"), None);
        assert_eq!(owner(b"{"), None);
    }

    #[test]
    fn the_nearest_descriptor_speaks() {
        let owners = [
            (String::new(), "all".to_owned()),
            ("services/pay".to_owned(), "payments".to_owned()),
        ];
        assert_eq!(nearest(&owners, "services/pay/ci.yml"), Some("payments"));
        assert_eq!(nearest(&owners, "services/payroll/ci.yml"), Some("all"));
        assert_eq!(nearest(&[], "x"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in any::<Vec<u8>>()) {
            let _ = owner(&bytes);
        }
    }
}
