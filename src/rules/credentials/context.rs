//! Placeholders, weak passwords and kinds of place: `rules/credential-context.toml`.

use crate::rules::{self, RuleError};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Everything that makes a matched text improbable.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Values that stand in for a secret.
    pub placeholders: Placeholders,
    /// Passwords and hosts of local set-ups.
    pub passwords: Passwords,
    /// Kinds of place.
    #[serde(rename = "place", default)]
    pub places: Vec<Place>,
}

/// Values that stand in for a secret.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placeholders {
    /// Lower-case texts; anywhere in the value, in any letter case.
    pub words: Vec<String>,
    /// Lower-case sequences; anywhere in the value. A vendor's key with one is hardly real, any other value is none.
    pub sequences: Vec<String>,
    /// Template markers; anywhere in the value.
    pub markers: Vec<String>,
    /// Lower-case words that, between a name and a value, say that the value is no secret.
    pub otherwise: Vec<String>,
    /// Subjects of tokens printed in documentation.
    pub jwt_subjects: Vec<String>,
}

/// Passwords and hosts of local set-ups.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passwords {
    /// Lower-case words that say what belongs in their place.
    pub stand_ins: BTreeSet<String>,
    /// Lower-case passwords known to everyone.
    pub weak: BTreeSet<String>,
    /// Host names, or their beginnings where they end in a dot, that mean this machine or a container beside it.
    pub local_hosts: Vec<String>,
    /// Ends of host names that are kept for documentation.
    pub example_hosts: Vec<String>,
}

impl Passwords {
    /// Whether a lower-case value says what belongs in its place.
    pub fn is_stand_in(&self, value: &[u8]) -> bool {
        std::str::from_utf8(value).is_ok_and(|value| self.stand_ins.contains(value))
    }

    /// Whether a lower-case value is known to everyone.
    pub fn is_weak(&self, value: &[u8]) -> bool {
        std::str::from_utf8(value).is_ok_and(|value| self.weak.contains(value))
    }
}

/// One kind of place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// What is said of it.
    pub reason: String,
    /// Lower-case folder names.
    pub folders: Vec<String>,
    /// Lower-case parts of a file name.
    pub names: Vec<String>,
    /// Lower-case ends of a path.
    pub endings: Vec<String>,
}

impl Place {
    /// Whether a path, given in lower case and `/`-separated, is of this kind.
    pub fn holds(&self, path: &str) -> bool {
        let mut parts = path.split('/').rev();
        let name = parts.next().unwrap_or_default();
        self.names.iter().any(|part| name.contains(part.as_str()))
            || self.endings.iter().any(|end| path.ends_with(end.as_str()))
            || parts.any(|part| self.folders.iter().any(|folder| folder == part))
    }
}

static CONTEXT: LazyLock<Context> =
    LazyLock::new(|| rules::read("credential-context.toml").unwrap_or_default());

/// How common three neighbouring characters are in source text, per million; rarer ones are left out.
///
/// # Errors
/// When the embedded file does not have its form; the tests prove that it does.
pub fn trigrams() -> Result<Vec<([u8; 3], u32)>, RuleError> {
    frequencies("trigram-frequencies.txt")
}

/// How common four neighbouring characters are in source text, per million, each with bit 0x20 set; rarer ones are left
/// out.
///
/// # Errors
/// When the embedded file does not have its form; the tests prove that it does.
pub fn blocks() -> Result<Vec<([u8; 4], u32)>, RuleError> {
    frequencies("block-frequencies.txt")
}

fn frequencies<const N: usize>(file: &str) -> Result<Vec<([u8; N], u32)>, RuleError> {
    rules::text(file)?
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .map(|line| {
            let (characters, count) = line.rsplit_once(' ')?;
            let characters = <[u8; N]>::try_from(characters.as_bytes()).ok()?;
            Some((characters, count.parse().ok()?))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| {
            RuleError::invalid(file, format!("a line is not {N} characters and a number"))
        })
}

/// The embedded context. A test proves that the embedded file is whole.
pub fn context() -> &'static Context {
    &CONTEXT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_context_is_whole() {
        let context: Context = rules::read("credential-context.toml").unwrap();
        assert!(!context.placeholders.words.is_empty() && context.places.len() >= 6);
        let is_lower = |entry: &String| !entry.is_empty() && *entry == entry.to_lowercase();
        let lower = |list: &[String]| list.iter().all(is_lower);
        assert!(lower(&context.placeholders.words) && lower(&context.placeholders.sequences));
        let passwords = &context.passwords;
        let mut words = passwords.weak.iter().chain(&passwords.stand_ins);
        assert!(!passwords.weak.is_empty() && words.all(is_lower));
        for place in &context.places {
            assert!(lower(&place.folders) && lower(&place.names) && lower(&place.endings));
        }
    }
}
