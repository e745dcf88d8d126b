//! Roles that a foreign account may assume without an external id.

use super::rating::Rating;
use super::subject::{capitalised, full_name, identity_name, places, power, provider_managed};
use super::trusted::{grouped, ways_in};
use super::{Check, CheckContext};
use crate::model::{FindingBuilder, Identity, PrincipalKind, TrustPath};
use crate::rules::posture::CheckMeta;

/// A role that a principal outside the scan and the own accounts may assume without `sts:ExternalId`.
pub(super) struct ThirdPartyTrustNoExternalId;

impl Check for ThirdPartyTrustNoExternalId {
    fn id(&self) -> &'static str {
        "third-party-trust-no-externalid"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if provider_managed(identity) {
                continue;
            }
            let foreign = ways_in(identity).filter(|path| {
                matches!(
                    path.principal_kind,
                    PrincipalKind::Account | PrincipalKind::Principal
                ) && path.external
                    && !path.external_id
                    && !service_linked(path)
                    && !own(context, path)
            });
            let by_account =
                |path: &TrustPath| path.account.clone().unwrap_or(path.principal.clone());
            for (account, paths) in grouped(foreign, by_account) {
                out.push(finding(context, meta, identity, &account, &paths));
            }
        }
    }
}

/// A service of AWS acts as the other account's service-linked role, and never sends an external id.
fn service_linked(path: &TrustPath) -> bool {
    path.principal.contains(":role/aws-service-role/")
}

fn own(context: &CheckContext<'_>, path: &TrustPath) -> bool {
    path.account
        .as_ref()
        .and_then(|account| context.config.account.get(account))
        .is_some_and(|note| note.own)
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    account: &str,
    paths: &[&TrustPath],
) -> FindingBuilder {
    let vendor = paths.iter().find_map(|path| path.vendor.as_deref());
    let whole = paths
        .iter()
        .any(|path| path.principal_kind == PrincipalKind::Account);
    let mut rating = Rating::of(meta);
    let power = power(Some(identity), None);
    if power.tier >= Some(4) {
        rating.raise(
            power.grade,
            &format!("whoever assumes it is {}", power.words),
        );
    }
    if whole && vendor.is_none() {
        rating.raise(
            identity.grade,
            "the whole account is trusted and belongs to no known vendor",
        );
    }
    if paths.iter().all(|path| path.mfa) {
        rating.lower(identity.grade, "MFA is required");
    }
    let name = context
        .config
        .account
        .get(account)
        .and_then(|note| note.name.as_deref());
    let who = match (vendor, name) {
        (Some(vendor), _) => format!("{vendor} (account {account})"),
        (None, Some(name)) => format!("account {account} ({name})"),
        (None, None) => format!("the foreign account {account}"),
    };
    let part = if whole {
        "every principal of"
    } else {
        "a principal of"
    };
    let title = format!(
        "{} trusts {who} without an external id",
        capitalised(&identity_name(identity))
    );
    let message = format!(
        "{} can be assumed by {part} {who} without sts:ExternalId, so nothing ties a request to you \
         as the customer; whoever assumes it is {}.",
        capitalised(&full_name(identity)),
        power.words
    );
    context
        .finding(meta, rating, Some(identity), None)
        .discriminator(account)
        .text(title, message)
        .locations(places(identity))
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("third-party-trust-no-externalid"), @r#"
        fires-vendor
          medium (high): IAM role monitoring trusts Datadog (account 464622532012) without an external id
            IAM role monitoring of account 111122223333 can be assumed by every principal of Datadog (account 464622532012) without sts:ExternalId, so nothing ties a request to you as the customer; whoever assumes it is able to read or write one resource's data.
            at aws/111122223333/account-authorization-details.json:7
          critical (high): IAM role billing trusts account 999988887777 (reseller) without an external id
            IAM role billing of account 111122223333 can be assumed by every principal of account 999988887777 (reseller) without sts:ExternalId, so nothing ties a request to you as the customer; whoever assumes it is an administrator.
            at aws/111122223333/account-authorization-details.json:7
            A severity medium → high: whoever assumes it is an administrator
            A severity high → critical: the whole account is trusted and belongs to no known vendor
          low (high): IAM role support trusts account 999988887777 (reseller) without an external id
            IAM role support of account 111122223333 can be assumed by a principal of account 999988887777 (reseller) without sts:ExternalId, so nothing ties a request to you as the customer; whoever assumes it is able to read or write one resource's data.
            at aws/111122223333/account-authorization-details.json:7
            A severity medium → low: MFA is required
        "#);
    }
}
