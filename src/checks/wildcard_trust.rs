//! Roles that anyone, or everyone in a foreign account, may assume.

use super::rating::Rating;
use super::subject::{
    capitalised, full_name, identity_name, list, places, power, provider_managed,
};
use super::trusted::{grouped, unconditional, ways_in};
use super::{Check, CheckContext};
use crate::model::{FindingBuilder, Identity, PrincipalKind, Severity, TrustPath};
use crate::rules::posture::CheckMeta;

/// A trust that names `*`, or a whole foreign account of no known vendor, without any condition.
///
/// `*` is reported with conditions too, lowered when one of them requires a certain subject. Services and identity
/// providers are other checks' matter.
pub(super) struct WildcardTrust;

impl Check for WildcardTrust {
    fn id(&self) -> &'static str {
        "wildcard-trust"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if provider_managed(identity) {
                continue;
            }
            let wide = ways_in(identity).filter(|path| match path.principal_kind {
                PrincipalKind::Anyone => true,
                PrincipalKind::Account => {
                    path.external && path.vendor.is_none() && unconditional(path)
                }
                _ => false,
            });
            for (principal, paths) in grouped(wide, |path| path.principal.clone()) {
                out.push(finding(context, meta, identity, &principal, &paths));
            }
        }
    }
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    principal: &str,
    paths: &[&TrustPath],
) -> FindingBuilder {
    let anyone = paths
        .iter()
        .any(|path| path.principal_kind == PrincipalKind::Anyone);
    let open = paths.iter().any(|path| unconditional(path));
    let subject = paths.iter().all(|path| path.coverage.subject);
    let mut rating = Rating::of(meta);
    let grade = identity.grade;
    if anyone && open {
        rating.at_least(
            Severity::Critical,
            grade,
            "anyone is trusted, without a condition",
        );
    } else if anyone && subject {
        rating.at_most(
            Severity::Medium,
            grade,
            "a condition requires a certain subject",
        );
    } else if !anyone {
        rating.at_most(Severity::Medium, grade, "one foreign account, not everyone");
    }
    let power = power(Some(identity), None);
    if power.tier >= Some(4) {
        rating.raise(
            power.grade,
            &format!("whoever assumes it is {}", power.words),
        );
    }
    let who = if anyone {
        "anyone".to_owned()
    } else {
        let account = paths.iter().find_map(|path| path.account.as_deref());
        format!("everyone in account {}", account.unwrap_or(principal))
    };
    let mut conditions: Vec<&str> = paths
        .iter()
        .flat_map(|path| path.conditions.iter().map(String::as_str))
        .collect();
    conditions.sort_unstable();
    conditions.dedup();
    let how = if open || conditions.is_empty() {
        "without any condition".to_owned()
    } else {
        format!("if {}", list(&conditions))
    };
    let title = format!(
        "{} can be assumed by {who}",
        capitalised(&identity_name(identity))
    );
    let message = format!(
        "The trust policy of {} lets in {who} {how}; whoever assumes it is {}.",
        full_name(identity),
        power.words
    );
    context
        .finding(meta, rating, Some(identity), None)
        .discriminator(principal)
        .text(title, message)
        .locations(places(identity))
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("wildcard-trust"), @r#"
        fires-open
          medium (high): IAM role organisation can be assumed by anyone
            The trust policy of IAM role organisation of account 111122223333 lets in anyone if aws:PrincipalOrgID is o-example; whoever assumes it is able to write at service level.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → medium: a condition requires a certain subject
          critical (high): IAM role open can be assumed by anyone
            The trust policy of IAM role open of account 111122223333 lets in anyone without any condition; whoever assumes it is able to read or write one resource's data.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → critical: anyone is trusted, without a condition
          high (high): IAM role partner can be assumed by everyone in account 999988887777
            The trust policy of IAM role partner of account 111122223333 lets in everyone in account 999988887777 without any condition; whoever assumes it is able to escalate or to reach secret stores.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → medium: one foreign account, not everyone
            A severity medium → high: whoever assumes it is able to escalate or to reach secret stores
        "#);
    }
}
