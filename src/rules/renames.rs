//! `rules/renamed.toml`: rules and checks that had other names.

use super::RuleError;
use crate::model::Renames;
use serde::Deserialize;

const FILE: &str = "renamed.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    renamed: Renames,
}

/// The table of this build.
///
/// # Errors
/// When the file does not have its shape.
pub fn builtin() -> Result<Renames, RuleError> {
    super::read::<Written>(FILE).map(|written| written.renamed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::credentials::CredentialRules;
    use crate::rules::posture::Posture;

    #[test]
    fn what_was_renamed_is_there_under_its_present_name_only() {
        let (posture, rules) = (
            Posture::builtin().unwrap(),
            CredentialRules::builtin().unwrap(),
        );
        let known = |name: &str| posture.check(name).is_some() || rules.get(name).is_some();
        let renames = builtin().unwrap();
        for name in renames.present() {
            assert!(known(name), "{name}");
            assert!(!renames.others(name).any(known), "{name}");
        }
    }
}
