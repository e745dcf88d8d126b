//! Resources of infrastructure code that put a value into a store: `rules/manifests/secret-stores.toml`.

use serde::Deserialize;

/// The resources, by type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretStores {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    /// One secret each.
    pub resource: Vec<StoreResource>,
    /// Several secrets each.
    pub group: Vec<StoreGroup>,
}

/// A type that puts one value into a store.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreResource {
    /// Type of the resource.
    pub r#type: String,
    /// How references call the store.
    pub store: String,
    /// Attributes that name the secret, best first.
    pub name: Vec<String>,
    /// Attributes with its value.
    pub value: Vec<String>,
    /// Attribute with the repository whose secret it is; `None`: of every repository.
    pub target: Option<String>,
}

/// A type that puts a mapping of values into a store.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreGroup {
    /// Type of the resource.
    pub r#type: String,
    /// How references call the store.
    pub store: String,
    /// Paths of attributes that name the secret, best first.
    pub name: Vec<String>,
    /// Attributes with its values by key.
    pub values: Vec<String>,
}

impl SecretStores {
    /// Whether resources of a type put something into a store.
    pub fn knows(&self, kind: &str) -> bool {
        self.resource.iter().any(|known| known.r#type == kind)
            || self.group.iter().any(|known| known.r#type == kind)
    }
}
