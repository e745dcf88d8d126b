//! `rules/inventory.toml`: how names, tags and trust are read when the inventory is joined.

use super::RuleError;
use crate::model::{ConsumerClass, Storage};
use serde::Deserialize;
use std::collections::BTreeMap;

const FILE: &str = "inventory.toml";

/// Tag keys, each list in the form [`flat`] gives keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagKeys {
    /// Owner, best first.
    pub owner: Vec<String>,
    /// Creator, best first.
    pub creator: Vec<String>,
    /// Purpose, best first.
    pub purpose: Vec<String>,
    /// Deployment environment, best first.
    pub environment: Vec<String>,
    /// Emergency access.
    pub break_glass: Vec<String>,
    /// Repository whose pipelines use the identity.
    pub repository: Vec<String>,
    /// Person or machine, by a word in the value.
    pub kind: Vec<String>,
    /// Tags only people have.
    pub person: Vec<String>,
}

/// Words of names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameWords {
    /// A machine.
    pub machine: Vec<String>,
    /// A person.
    pub person: Vec<String>,
    /// Emergency access: runs of words.
    pub break_glass: Vec<Vec<String>>,
}

/// Words of the names of stores.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stores {
    vault: Vec<String>,
    environment: Vec<String>,
}

/// What runs behind a service principal or an issuer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behind {
    #[serde(alias = "principal", alias = "host")]
    name: String,
    /// Class of the consumer.
    pub class: ConsumerClass,
    /// Runtime.
    pub runtime: String,
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryRules {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "as_of")]
    _as_of: String,
    /// Tag keys.
    pub tags: TagKeys,
    /// Words of names.
    pub words: NameWords,
    stores: Stores,
    #[serde(rename = "service")]
    services: Vec<Behind>,
    #[serde(rename = "issuer")]
    issuers: Vec<Behind>,
}

impl InventoryRules {
    /// The rules of this build.
    ///
    /// # Errors
    /// When the file is missing or has not this shape.
    pub fn builtin() -> Result<Self, RuleError> {
        super::read(FILE)
    }

    /// Value of the first of `keys` that the tags have, not blank.
    pub fn tag<'t>(
        keys: &[String],
        tags: &'t BTreeMap<String, String>,
    ) -> Option<(&'t str, &'t str)> {
        keys.iter().find_map(|key| {
            tags.iter()
                .find(|(name, value)| flat(name) == *key && !value.trim().is_empty())
                .map(|(name, value)| (name.as_str(), value.trim()))
        })
    }

    /// What runs behind a service principal such as `lambda.amazonaws.com`.
    pub fn service(&self, principal: &str) -> Option<&Behind> {
        let name = principal
            .split_once(".amazonaws.com")
            .map_or(principal, |(name, _)| name);
        // Some services have principals of a region: `states.eu-west-1.amazonaws.com`.
        let first = name.split('.').next().unwrap_or(name);
        [name, first]
            .iter()
            .find_map(|name| self.services.iter().find(|service| service.name == *name))
    }

    /// What signs in behind an OIDC issuer.
    pub fn issuer(&self, host: &str) -> Option<&Behind> {
        self.issuers
            .iter()
            .find(|issuer| host.contains(&issuer.name))
    }

    /// How exposed a secret is that is kept in a store and known by name only.
    pub fn store(&self, store: &str) -> Storage {
        let store = store.to_ascii_lowercase();
        if self.stores.vault.iter().any(|word| store.contains(word)) {
            Storage::Vault
        } else if self.stores.environment.contains(&store) {
            Storage::Environment
        } else {
            Storage::CiStore
        }
    }
}

/// A tag key without case and separators: `Owner-Team` and `owner_team` are one key.
pub fn flat(key: &str) -> String {
    key.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_read() {
        let rules = InventoryRules::builtin().unwrap();
        assert_eq!(
            rules.service("lambda.amazonaws.com").map(|s| s.class),
            Some(ConsumerClass::Function)
        );
        assert_eq!(
            rules
                .service("states.eu-west-1.amazonaws.com")
                .map(|s| s.runtime.as_str()),
            Some("step-functions")
        );
        assert_eq!(rules.service("rds.amazonaws.com"), None);
        assert_eq!(
            rules
                .issuer("token.actions.githubusercontent.com")
                .map(|i| i.runtime.as_str()),
            Some("github-actions")
        );
        assert_eq!(rules.store("aws-secrets-manager"), Storage::Vault);
        assert_eq!(rules.store("github-actions"), Storage::CiStore);
        assert_eq!(rules.store("environment"), Storage::Environment);
        for key in rules.tags.owner.iter().chain(&rules.tags.purpose) {
            assert_eq!(&flat(key), key, "keys are written in their flat form");
        }
    }

    #[test]
    fn the_best_tag_wins_whatever_its_spelling() {
        let rules = InventoryRules::builtin().unwrap();
        let tags = BTreeMap::from([
            ("Contact".to_owned(), "c@example".to_owned()),
            ("Service-Owner".to_owned(), " payments ".to_owned()),
            ("Owner".to_owned(), "  ".to_owned()),
        ]);
        assert_eq!(
            InventoryRules::tag(&rules.tags.owner, &tags),
            Some(("Service-Owner", "payments"))
        );
    }
}
