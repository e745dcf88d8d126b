//! Organizations: units, accounts and control policies.

use super::{Fields, sorted};
use aws_sdk_organizations::types::{
    Account, AccountStatus, Organization, OrganizationFeatureSet, OrganizationalUnit, Policy,
    PolicySummary, PolicyTargetSummary, PolicyType, PolicyTypeStatus, Root, TargetType,
};
use serde_json::Value;

/// `describe-organization`.
pub(in super::super) fn organization(one: &Organization) -> Value {
    let fields = Fields::default()
        .maybe("Id", one.id())
        .maybe("Arn", one.arn())
        .maybe(
            "FeatureSet",
            one.feature_set().map(OrganizationFeatureSet::as_str),
        )
        .maybe("MasterAccountArn", one.master_account_arn())
        .maybe("MasterAccountId", one.master_account_id());
    Fields::default()
        .value("Organization", fields.done())
        .done()
}

/// `list-roots`.
pub(in super::super) fn roots(roots: &[Root]) -> Value {
    let roots = roots
        .iter()
        .map(|root| {
            Fields::default()
                .maybe("Id", root.id())
                .maybe("Arn", root.arn())
                .maybe("Name", root.name())
                .list("PolicyTypes", root.policy_types(), |kind| {
                    Fields::default()
                        .maybe("Type", kind.r#type().map(PolicyType::as_str))
                        .maybe("Status", kind.status().map(PolicyTypeStatus::as_str))
                        .done()
                })
                .done()
        })
        .collect();
    Fields::default().value("Roots", sorted(roots, "Id")).done()
}

/// `list-organizational-units-for-parent`, with the parent.
pub(in super::super) fn units(parent: &str, units: &[OrganizationalUnit]) -> Value {
    let units = units
        .iter()
        .map(|unit| {
            Fields::default()
                .maybe("Id", unit.id())
                .maybe("Arn", unit.arn())
                .maybe("Name", unit.name())
                .text("ParentId", parent)
                .done()
        })
        .collect();
    Fields::default()
        .value("OrganizationalUnits", sorted(units, "Id"))
        .done()
}

/// `list-accounts-for-parent`, with the parent.
pub(in super::super) fn accounts(parent: &str, accounts: &[Account]) -> Value {
    let accounts = accounts
        .iter()
        .map(|account| {
            Fields::default()
                .maybe("Id", account.id())
                .maybe("Arn", account.arn())
                .maybe("Name", account.name())
                .maybe("Status", account.status().map(AccountStatus::as_str))
                .text("ParentId", parent)
                .done()
        })
        .collect();
    Fields::default()
        .value("Accounts", sorted(accounts, "Id"))
        .done()
}

fn summary(one: &PolicySummary) -> Value {
    Fields::default()
        .maybe("Id", one.id())
        .maybe("Arn", one.arn())
        .maybe("Name", one.name())
        .maybe("Description", one.description())
        .maybe("Type", one.r#type().map(PolicyType::as_str))
        .value("AwsManaged", one.aws_managed())
        .done()
}

/// `list-policies`.
pub(in super::super) fn policies(policies: &[PolicySummary]) -> Value {
    Fields::default()
        .value(
            "Policies",
            sorted(policies.iter().map(summary).collect(), "Id"),
        )
        .done()
}

/// `describe-policy`.
pub(in super::super) fn policy(one: &Policy) -> Value {
    let mut fields = Fields::default().maybe("Content", one.content());
    if let Some(policy) = one.policy_summary() {
        fields = fields.value("PolicySummary", summary(policy));
    }
    Fields::default().value("Policy", fields.done()).done()
}

/// `list-targets-for-policy`, with the policy.
pub(in super::super) fn targets(policy: &str, targets: &[PolicyTargetSummary]) -> Value {
    let targets = targets
        .iter()
        .map(|target| {
            Fields::default()
                .maybe("TargetId", target.target_id())
                .maybe("Arn", target.arn())
                .maybe("Name", target.name())
                .maybe("Type", target.r#type().map(TargetType::as_str))
                .done()
        })
        .collect();
    Fields::default()
        .value("Targets", sorted(targets, "TargetId"))
        .text("PolicyId", policy)
        .done()
}
