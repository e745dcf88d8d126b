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
        insta::assert_snapshot!(report("secret-in-iac-state"), @r#"
        fires-current-state
          high (high): AWS access key AKIA-STATE in a current file of site
            AWS access key AKIA-STATE stands in site/live/terraform.tfstate:12 (since 2024-03-01). No inventory of this scan says whom it lets in as; nobody has said whether it still works. Assume that it is compromised.
            at site/live/terraform.tfstate:12
            A the structure is that of the type
          high (high): AWS access key AKIA-BOTH in a current file of site
            AWS access key AKIA-BOTH stands in site/deploy.sh:3 (since 2024-03-01), and in 1 place more. No inventory of this scan says whom it lets in as; nobody has said whether it still works. Assume that it is compromised.
            at site/deploy.sh:3, site/live/terraform.tfstate.backup:30
            A the structure is that of the type
        "#);
    }
}
