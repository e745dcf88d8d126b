//! Policies attached to users themselves.

use super::rating::Rating;
use super::subject::{capitalised, full_name, identity_name, list, places, plural};
use super::{Check, CheckContext};
use crate::model::{FindingBuilder, Grant, GrantSource, IdentityKind};
use crate::rules::posture::CheckMeta;

/// An IAM user with inline policies or managed policies of its own.
pub(super) struct DirectUserPolicy;

impl Check for DirectUserPolicy {
    fn id(&self) -> &'static str {
        "direct-user-policy"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if identity.kind != IdentityKind::IamUser {
                continue;
            }
            let mut direct: Vec<&Grant> = context
                .inventory
                .grants_of(&identity.grants)
                .filter(|grant| matches!(grant.source, GrantSource::Inline | GrantSource::Managed))
                .collect();
            direct.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
            let Some(widest) = direct.iter().max_by_key(|grant| grant.tier) else {
                continue;
            };
            let mut rating = Rating::of(meta);
            if widest.tier >= 4 {
                rating.raise(
                    identity.grade,
                    &format!("{} alone gives tier {}", widest.name, widest.tier),
                );
            }
            let named: Vec<String> = direct
                .iter()
                .map(|grant| format!("{} ({})", grant.name, grant.source.as_str()))
                .collect();
            let count = plural(i64::try_from(direct.len()).unwrap_or(i64::MAX), "policy");
            let count = count.replace("policys", "policies");
            let title = format!(
                "{} has {count} of its own",
                capitalised(&identity_name(identity))
            );
            let message = format!(
                "{} has {count} attached to itself instead of to a group or a role: {}.",
                capitalised(&full_name(identity)),
                list(&named),
            );
            out.push(
                context
                    .finding(meta, rating, Some(identity), None)
                    .text(title, message)
                    .locations(places(identity)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("direct-user-policy"), @r#"
        fires-attached
          low (high): IAM user reader has 1 policy of its own
            IAM user reader of account 111122223333 has 1 policy attached to itself instead of to a group or a role: read-reports (inline).
            at aws/111122223333/account-authorization-details.json:7
          medium (high): IAM user deployer has 2 policies of its own
            IAM user deployer of account 111122223333 has 2 policies attached to itself instead of to a group or a role: AdministratorAccess (managed) and uploads (inline).
            at aws/111122223333/account-authorization-details.json:7
            A severity low → medium: AdministratorAccess alone gives tier 5
        "#);
    }
}
