//! What names a set of numbers: two that are told by the same digest judge alike.

use std::collections::BTreeMap;
use toml::{Table, Value};

/// Hashes values in key order; comments and the order of lines do not matter.
pub(super) fn digest(table: &Table) -> String {
    let sorted: BTreeMap<&String, &Value> = table.iter().collect();
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 scoring digest");
    hash_entries(&mut hasher, sorted);
    hasher.finalize().to_hex()[..16].to_owned()
}

fn hash_entries(hasher: &mut blake3::Hasher, entries: BTreeMap<&String, &Value>) {
    hasher.update(&(entries.len() as u64).to_le_bytes());
    for (key, value) in entries {
        hash_text(hasher, key);
        hash_value(hasher, value);
    }
}

fn hash_value(hasher: &mut blake3::Hasher, value: &Value) {
    hash_text(hasher, value.type_str());
    match value {
        Value::Table(table) => hash_entries(hasher, table.iter().collect()),
        Value::Array(items) => {
            hasher.update(&(items.len() as u64).to_le_bytes());
            for item in items {
                hash_value(hasher, item);
            }
        }
        Value::String(text) => hash_text(hasher, text),
        other => hash_text(hasher, &other.to_string()),
    }
}

fn hash_text(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}
