//! Words that name an environment: `rules/manifests/environments.toml`.

use super::RuleError;
use crate::model::Environment;
use serde::Deserialize;
use std::sync::LazyLock;

/// Words by which names tell an environment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentWords {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    production: Vec<String>,
    staging: Vec<String>,
    development: Vec<String>,
}

impl EnvironmentWords {
    /// The words built into the program.
    ///
    /// # Errors
    /// When the file is missing or has another shape.
    pub fn builtin() -> Result<&'static Self, RuleError> {
        static BUILTIN: LazyLock<Result<EnvironmentWords, RuleError>> =
            LazyLock::new(|| super::read("manifests/environments.toml"));
        BUILTIN.as_ref().map_err(Clone::clone)
    }

    /// The environment a name tells, by its whole words; the most sensitive when it tells several.
    pub fn of(&self, name: &str) -> Environment {
        let name = name.to_lowercase();
        let words: Vec<&str> = name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let any = |list: &[String]| list.iter().any(|word| words.contains(&word.as_str()));
        if words.contains(&"pre") || words.contains(&"non") {
            Environment::Staging
        } else if any(&self.production) {
            Environment::Production
        } else if any(&self.staging) {
            Environment::Staging
        } else if any(&self.development) {
            Environment::Development
        } else {
            Environment::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_whole_words() {
        let words = EnvironmentWords::builtin().unwrap();
        assert_eq!(words.of("eu-prod-1"), Environment::Production);
        assert_eq!(words.of("non-prod"), Environment::Staging);
        assert_eq!(words.of("product-docs"), Environment::Unknown);
    }
}
