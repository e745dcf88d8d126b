//! Secret material that was deleted from the files but not from the history.

use super::exposure::{self, is_current, is_private_key};
use super::{Check, CheckContext};
use crate::model::FindingBuilder;
use crate::rules::posture::CheckMeta;

/// One finding per credential whose material stands in commits but in no current file of any repository.
///
/// Everyone with a clone still has it, so its severity starts where that of `leaked-secret` does.
pub(super) struct LeakedSecretHistory;

impl Check for LeakedSecretHistory {
    fn id(&self) -> &'static str {
        "leaked-secret-history"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            if credential.material_seen() && !is_current(credential) && !is_private_key(credential)
            {
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
        insta::assert_snapshot!(report("leaked-secret-history"), @r#"
        fires-removed
          high (high): AWS access key AKIA-DEPLOYER in the history of site
            AWS access key AKIA-DEPLOYER is in no current file but in the history of site, in config/prod.yml (2024-03-01 to 2024-09-01, by Ann Example), and in 1 place more. It lets in as IAM user deployer of account 111122223333, able to write at service level; it is active and has no usage record. Assume that it is compromised.
            at site/config/prod.yml:12, api/config/prod.yml:9
            A the structure is that of the type
        "#);
    }
}
