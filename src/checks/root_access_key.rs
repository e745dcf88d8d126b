//! Access keys of root users.

use super::rating::Rating;
use super::subject::{date, last_use, places};
use super::{Check, CheckContext};
use crate::model::{
    Confidence, CredentialStatus, FindingBuilder, IdentityKind, Severity, Sighting,
};
use crate::rules::posture::CheckMeta;

/// A key of a root user that is active, or of which nobody has said whether it is. One finding for each key.
pub(super) struct RootAccessKey;

impl Check for RootAccessKey {
    fn id(&self) -> &'static str {
        "root-access-key"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if identity.kind != IdentityKind::AwsRoot {
                continue;
            }
            for credential in context.inventory.credentials_of(&identity.credentials) {
                let mut rating = Rating::of(meta);
                let state = match credential.status {
                    CredentialStatus::Active => "an active access key",
                    CredentialStatus::Unknown => {
                        rating.no_surer(Confidence::Medium);
                        rating.at_most(
                            Severity::High,
                            credential.grade,
                            "nobody has said whether the key is active",
                        );
                        "an access key of unknown state"
                    }
                    CredentialStatus::Inactive => continue,
                };
                if identity.mfa == Some(false) {
                    rating.note(identity.grade, "the root user has no MFA device either");
                }
                let account = identity.account.as_deref().unwrap_or("unknown");
                let key = credential
                    .public_id
                    .as_ref()
                    .map_or_else(String::new, |id| format!(" {id}"));
                let since = credential
                    .created_at
                    .map_or_else(String::new, |at| format!(" since {}", date(at)));
                let title = format!("Root user of account {account} has {state}");
                let message = format!(
                    "The root user of account {account} has {state}{key}{since}; it {}. No policy \
                     of the account can limit what it does.",
                    last_use(credential.last_use, context.now)
                );
                out.push(
                    context
                        .finding(meta, rating, Some(identity), Some(credential))
                        .text(title, message)
                        .locations(places(identity))
                        .locations(credential.sightings.iter().map(Sighting::location)),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("root-access-key"), @r#"
        fires-active
          critical (high): Root user of account 111122223333 has an active access key
            The root user of account 111122223333 has an active access key since 2019-05-01; it was last used 32 days ago. No policy of the account can limit what it does.
            at aws/111122223333/account-authorization-details.json:7
            A the root user has no MFA device either
          high (medium): Root user of account 111122223333 has an access key of unknown state
            The root user of account 111122223333 has an access key of unknown state AKIA-ROOT; it has no usage record. No policy of the account can limit what it does.
            at aws/111122223333/account-authorization-details.json:7, site/setup.sh:2
            A severity critical → high: nobody has said whether the key is active
            A the root user has no MFA device either
        "#);
    }
}
