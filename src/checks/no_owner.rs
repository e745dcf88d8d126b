//! Machine identities nobody answers for.

use super::rating::Rating;
use super::subject::{
    capitalised, full_name, identity_name, name_only, places, power, provider_managed,
};
use super::{Check, CheckContext};
use crate::model::{ConsumerClass, FindingBuilder, IdentityKind, Severity};
use crate::rules::posture::CheckMeta;

/// A machine identity for which no source names an owner; severity by what it can do.
pub(super) struct NoOwner;

impl Check for NoOwner {
    fn id(&self) -> &'static str {
        "no-owner"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if identity.owner.is_some()
                || identity.human
                || matches!(identity.kind, IdentityKind::AwsRoot | IdentityKind::Agent)
                || name_only(identity)
                || provider_managed(identity)
            {
                continue;
            }
            let mut rating = Rating::of(meta);
            let power = power(Some(identity), None);
            let why = format!("it is {}", power.words);
            match power.tier {
                Some(4..) => rating.at_least(Severity::High, power.grade, &why),
                Some(3) => rating.at_least(Severity::Medium, power.grade, &why),
                Some(0 | 1) | None => rating.at_most(Severity::Info, power.grade, &why),
                Some(2) => {}
            }
            if identity.consumer_class == ConsumerClass::Agent {
                rating.raise(identity.grade, "an AI agent uses it");
            }
            let title = format!("{} has no owner", capitalised(&identity_name(identity)));
            let message = format!(
                "No configuration entry, tag, CODEOWNERS line or author names an owner for {}; it \
                 is {}.",
                full_name(identity),
                power.words
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
        insta::assert_snapshot!(report("no-owner"), @"
        fires-by-power
          high (high): IAM user administrator has no owner
            No configuration entry, tag, CODEOWNERS line or author names an owner for IAM user administrator of account 111122223333; it is an administrator.
            at aws/111122223333/account-authorization-details.json:7
            A severity low → high: it is an administrator
          medium (high): IAM user writer has no owner
            No configuration entry, tag, CODEOWNERS line or author names an owner for IAM user writer of account 111122223333; it is able to write at service level.
            at aws/111122223333/account-authorization-details.json:7
            A severity low → medium: it is able to write at service level
          low (high): IAM user reader has no owner
            No configuration entry, tag, CODEOWNERS line or author names an owner for IAM user reader of account 111122223333; it is able to read or write one resource's data.
            at aws/111122223333/account-authorization-details.json:7
          info (high): Kubernetes service account worker has no owner
            No configuration entry, tag, CODEOWNERS line or author names an owner for Kubernetes service account worker of account site; it is of unknown privilege.
            at site/k8s/worker.yml:4
            D severity low → info: it is of unknown privilege
          high (high): MCP server assistant has no owner
            No configuration entry, tag, CODEOWNERS line or author names an owner for MCP server assistant of account site; it is able to write at service level.
            at agent/site
            D severity low → medium: it is able to write at service level
            A severity medium → high: an AI agent uses it
        ");
    }
}
