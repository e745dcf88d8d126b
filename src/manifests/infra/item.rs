//! A resource as any tool declares it that uses the types of Terraform's providers.

use super::super::clean::clean;
use super::draft::Declared;
use super::value::{Val, later, shown};
use std::collections::BTreeMap;

/// One resource with all its attributes.
pub(in crate::manifests) struct Item {
    pub(in crate::manifests) kind: String,
    pub(in crate::manifests) declared: Declared,
    pub(in crate::manifests) attributes: Val,
    /// AWS account it is in.
    pub(in crate::manifests) account: String,
}

impl Item {
    /// An attribute.
    pub(in crate::manifests) fn get(&self, name: &str) -> Val {
        self.attributes.get(name)
    }

    /// The text of an attribute that is not empty; unknown parts are marked.
    pub(in crate::manifests) fn text(&self, name: &str) -> Option<String> {
        self.get(name).as_text().filter(|text| !text.is_empty())
    }

    /// The text of an attribute for people.
    pub(in crate::manifests) fn shown(&self, name: &str) -> Option<String> {
        self.text(name).map(|text| clean(&shown(&text)))
    }

    /// The name, or the mark that stands for it.
    pub(in crate::manifests) fn name(&self) -> String {
        self.text("name")
            .unwrap_or_else(|| later(&self.declared.address))
    }

    /// Texts of a list; what is unknown as a whole is one marked text.
    pub(in crate::manifests) fn texts(&self, name: &str) -> Vec<String> {
        let value = self.get(name);
        match value.items() {
            Some(items) => items.iter().filter_map(Val::as_text).collect(),
            None => value.as_text().into_iter().collect(),
        }
    }

    /// Tags that are known.
    pub(in crate::manifests) fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::new();
        for name in ["tags_all", "tags"] {
            known_entries(&self.get(name), &mut tags);
        }
        tags
    }
}

/// Entries of a mapping whose values are known.
pub(in crate::manifests) fn known_entries(value: &Val, out: &mut BTreeMap<String, String>) {
    if let Val::Map(map) = value {
        for (key, value) in map.iter() {
            if let Some(value) = value.known_text() {
                out.insert(clean(&shown(key)), clean(&value));
            }
        }
    }
}
