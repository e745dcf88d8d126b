//! A secret in the state of infrastructure code.

use super::exposure::{self, in_state, is_private_key};
use super::{Check, CheckContext};
use crate::model::FindingBuilder;
use crate::rules::posture::CheckMeta;

/// One finding per credential whose material stands in a state file that is current. Private keys belong to
/// `private-key-exposed`.
pub(super) struct SecretInIacState;

impl Check for SecretInIacState {
    fn id(&self) -> &'static str {
        "secret-in-iac-state"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            let stored = credential
                .sightings
                .iter()
                .any(|sighting| sighting.at_head && in_state(sighting));
            if credential.material_seen() && stored && !is_private_key(credential) {
                out.push(exposure::finding(context, meta, credential, None));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("secret-in-iac-state"), @"");
    }
}
