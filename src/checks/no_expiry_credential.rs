//! Credentials that never end by themselves.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, full_name, may_be_live, places, power};
use super::{Check, CheckContext, consumers};
use crate::model::evidence::days_between;
use crate::model::{Consumer, FindingBuilder, IdentityKind};
use crate::rules::posture::CheckMeta;

/// A live credential of a type that never ends by itself and that states no end.
pub(super) struct NoExpiryCredential;

impl Check for NoExpiryCredential {
    fn id(&self) -> &'static str {
        "no-expiry-credential"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            let identity = context.inventory.identity_of(credential);
            if credential.expires_at.is_some()
                || credential.expires_by_nature != Some(false)
                || !may_be_live(credential, context.now)
                || identity.is_some_and(|identity| identity.kind == IdentityKind::AwsRoot)
            {
                continue;
            }
            // Issued within the limit, it ends by being rotated as far as anybody can tell.
            let young = credential.created_at.is_some_and(|at| {
                days_between(at, context.now) <= context.thresholds.long_lived_days
            });
            if young {
                continue;
            }
            let users: Vec<&Consumer> = context
                .inventory
                .consumers_of(&credential.consumers)
                .collect();
            let mut at = identity.map_or_else(Vec::new, places);
            at.extend(consumers::all_places(credential, &users));
            if at.is_empty() {
                continue;
            }
            let mut rating = Rating::of(meta);
            rating.note(credential.grade, credential.confidence_reason.as_str());
            let power = power(identity, Some(credential));
            rating.weigh("the holder", &power);
            let name = capitalised(&credential_name(credential));
            let whose = identity.map_or_else(String::new, |i| format!(" of {}", full_name(i)));
            let message = format!(
                "{name}{whose} works until somebody revokes it: its type has no end, and none was set. Whatever task \
                 it was made for, a copy outlives it.",
            );
            out.push(
                context
                    .finding(meta, rating, identity, Some(credential))
                    .text(format!("{name} never expires"), message)
                    .locations(at),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("no-expiry-credential"), @"
        fires-by-nature
          medium (high): AWS access key AKIA-DEPLOYER never expires
            AWS access key AKIA-DEPLOYER of IAM user deployer of account 111122223333 works until somebody revokes it: its type has no end, and none was set. Whatever task it was made for, a copy outlives it.
            at aws/111122223333/account-authorization-details.json:7
            A the structure is that of the type
            A severity low → medium: the holder is an administrator
          low (high): AWS access key AWS_ACCESS_KEY_ID never expires
            AWS access key AWS_ACCESS_KEY_ID works until somebody revokes it: its type has no end, and none was set. Whatever task it was made for, a copy outlives it.
            at site/.github/workflows/deploy.yml:20
            A the structure is that of the type
        ");
    }
}
