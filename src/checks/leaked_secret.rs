//! Secret material in a current file: the work tree, or HEAD of a bare repository.

use super::exposure::{self, is_current, is_private_key, only_in_state};
use super::{Check, CheckContext};
use crate::model::FindingBuilder;
use crate::rules::posture::CheckMeta;

/// One finding per credential whose material stands in at least one current file, with every place it was seen in.
///
/// Private keys belong to `private-key-exposed`, what stands in states only to `secret-in-iac-state`. A reference without its value, and a public identifier without its
/// secret, are not leaks.
pub(super) struct LeakedSecret;

impl Check for LeakedSecret {
    fn id(&self) -> &'static str {
        "leaked-secret"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            if credential.material_seen()
                && is_current(credential)
                && !is_private_key(credential)
                && !only_in_state(credential)
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
        insta::assert_snapshot!(report("leaked-secret"), @r#"
        fires-administrator
          critical (high): AWS access key AKIA-DEPLOYER in a current file of site
            AWS access key AKIA-DEPLOYER stands in site/deploy.sh:3 (since 2024-03-01, by Ann Example), and in 1 place more. It lets in as IAM user deployer of account 111122223333, an administrator; it is active and was last used 3 days ago. Assume that it is compromised.
            at site/deploy.sh:3, site/old.env:1
            A the structure is that of the type
            A the access key id is in the account's inventory
            A AdministratorAccess is attached
            A severity high → critical: the holder is an administrator
        fires-by-state
          low (high): GitHub personal access token inactive in a current file of site
            GitHub personal access token inactive stands in site/deploy.sh:3 (undated). No inventory of this scan says whom it lets in as; it is inactive.
            at site/deploy.sh:3
            A the structure is that of the type
            A severity high → low: the issuer no longer accepts it
          medium (high): GitHub personal access token plain-file in a current file of site
            GitHub personal access token plain-file stands in site/.env:3 (in no commit that was read). No inventory of this scan says whom it lets in as; nobody has said whether it still works. Assume that it is compromised.
            at site/.env:3
            A the structure is that of the type
            A severity high → medium: no commit that was read holds it
          high (high): GitHub personal access token unknown-holder in a current file of site
            GitHub personal access token unknown-holder stands in site/deploy.sh:3 (undated). No inventory of this scan says whom it lets in as; nobody has said whether it still works. Assume that it is compromised.
            at site/deploy.sh:3
            A the structure is that of the type
          low (low): GitHub personal access token doubtful in a current file of site
            GitHub personal access token doubtful stands in site/tests/fixture.rb:3 (undated). No inventory of this scan says whom it lets in as; nobody has said whether it still works.
            at site/tests/fixture.rb:3
            A it stands in a test
            A severity high → low: low confidence: it stands in a test
          medium (high): AWS access key account-only in a current file of site
            AWS access key account-only stands in site/deploy.sh:3 (undated). It belongs to account 444455556666; no inventory of this scan says to whom there; nobody has said whether it still works. Assume that it is compromised.
            at site/deploy.sh:3
            A the structure is that of the type
            D severity high → medium: the holder is able to list and to read metadata
          critical (high): GitHub personal access token public in a current file of site
            GitHub personal access token public stands in site/deploy.sh:3 (undated). No inventory of this scan says whom it lets in as; nobody has said whether it still works. Assume that it is compromised.
            at site/deploy.sh:3
            A the structure is that of the type
            A severity high → critical: the place is public
          low (high): GitHub personal access token expired in a current file of site
            GitHub personal access token expired stands in site/deploy.sh:3 (undated). No inventory of this scan says whom it lets in as; it expired on 2026-01-01.
            at site/deploy.sh:3
            A the structure is that of the type
            A severity high → low: the issuer no longer accepts it
        "#);
    }
}
