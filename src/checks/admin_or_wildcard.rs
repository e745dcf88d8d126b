//! Identities that may do everything, or everything in a service.

use super::rating::Rating;
use super::subject::{
    capitalised, full_name, identity_name, list, name_only, places, provider_managed,
};
use super::{Check, CheckContext};
use crate::model::{
    BreakGlass, Confidence, ConsumerClass, FindingBuilder, Identity, IdentityKind, Severity,
};
use crate::rules::posture::CheckMeta;

/// An administrator, or an identity with whole services or blanket policies. Machines first: a person is one step lower.
pub(super) struct AdminOrWildcard;

impl Check for AdminOrWildcard {
    fn id(&self) -> &'static str {
        "admin-or-wildcard"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            let privilege = &identity.privilege;
            let broad = privilege.admin
                || !privilege.full_services.is_empty()
                || !privilege.blanket_policies.is_empty();
            if !broad
                || privilege.assumed
                || identity.kind == IdentityKind::AwsRoot
                || name_only(identity)
                || provider_managed(identity)
            {
                continue;
            }
            out.push(finding(context, meta, identity));
        }
    }
}

fn finding(context: &CheckContext<'_>, meta: &CheckMeta, identity: &Identity) -> FindingBuilder {
    let privilege = &identity.privilege;
    let mut rating = Rating::of(meta);
    rating.cite(&privilege.evidence);
    if !privilege.admin {
        rating.lower(identity.grade, "whole services, not full administration");
    }
    if identity.human {
        rating.lower(identity.grade, "a person signs in as it");
    }
    if identity.consumer_class == ConsumerClass::Agent {
        rating.raise(identity.grade, "an AI agent uses it");
    }
    if identity.break_glass == Some(BreakGlass::Declared) {
        rating.at_most(
            Severity::Low,
            identity.grade,
            "confirmed emergency access is isolated rather than narrowed",
        );
    }
    let mut limits = "";
    if privilege.upper_bound {
        rating.no_surer(Confidence::Medium);
        limits = " Limits outside this scan may make it less.";
    }
    let what = if privilege.admin {
        "is an administrator".to_owned()
    } else if privilege.full_services.is_empty() {
        format!("holds {}", list(&privilege.blanket_policies))
    } else {
        format!("may do everything in {}", list(&privilege.full_services))
    };
    let through = if privilege.blanket_policies.is_empty() || !what.starts_with("is") {
        String::new()
    } else {
        format!(" through {}", list(&privilege.blanket_policies))
    };
    let used = match (privilege.services_used, privilege.services.len()) {
        (Some(used), granted) if granted > 0 => {
            format!(" It used {used} of the {granted} services it reaches.")
        }
        _ => String::new(),
    };
    let title = format!("{} {what}", capitalised(&identity_name(identity)));
    let message = format!(
        "{} {what}{through}, at all times.{used}{limits}",
        capitalised(&full_name(identity))
    );
    let policies = context
        .inventory
        .grants_of(&identity.grants)
        .filter(|grant| grant.tier >= 4)
        .filter_map(|grant| grant.location.clone());
    let mut at = places(identity);
    for place in policies {
        if !at.contains(&place) {
            at.push(place);
        }
    }
    context
        .finding(meta, rating, Some(identity), None)
        .text(title, message)
        .locations(at)
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("admin-or-wildcard"), @r#"
        fires-by-width
          high (high): Kubernetes service account operator is an administrator
            Kubernetes service account operator of account site is an administrator, at all times.
            at site/k8s/operator.yml:4
          low (high): IAM user ann holds PowerUserAccess
            IAM user ann of account 111122223333 holds PowerUserAccess, at all times.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → medium: whole services, not full administration
            A severity medium → low: a person signs in as it
          low (high): IAM role break-glass is an administrator
            IAM role break-glass of account 111122223333 is an administrator, at all times.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → low: confirmed emergency access is isolated rather than narrowed
          high (medium): IAM user deployer is an administrator
            IAM user deployer of account 111122223333 is an administrator through AdministratorAccess, at all times. It used 1 of the 3 services it reaches. Limits outside this scan may make it less.
            at aws/111122223333/account-authorization-details.json:7, aws/111122223333/account-authorization-details.json:90
            A `*` on `*` is allowed
          high (high): IAM role assistant may do everything in dynamodb and s3
            IAM role assistant of account 111122223333 may do everything in dynamodb and s3, at all times.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → medium: whole services, not full administration
            A severity medium → high: an AI agent uses it
        "#);
    }
}
