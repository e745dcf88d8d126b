//! The organization of an account: its units, accounts and control policies, where the caller may read them.

use super::answers::file_name;
use super::asker::{Asker, Problem};
use super::call::Call;
use super::convert;
use super::trouble::Trouble;
use aws_sdk_organizations::types::{Account, AccountStatus, Organization, PolicyType};
use serde_json::Value;
use std::collections::BTreeSet;

/// Units looked into; an organization has 2,000 at most.
const MAX_UNITS: usize = 10_000;
/// Most pages of one listing.
const MAX_PAGES: usize = 10_000;

/// Asks for page after page: `$page` sees each answer.
macro_rules! pages {
    ($asker:expr, $call:expr, $request:expr, $page:expr) => {{
        let mut token: Option<String> = None;
        let mut see = $page;
        for _ in 0..MAX_PAGES {
            let page = $asker
                .ask($call, || $request.set_next_token(token.clone()).send())
                .await?;
            see(&page);
            let next = page.next_token().map(str::to_owned);
            if next.is_none() || next == token {
                break;
            }
            token = next;
        }
    }};
}

/// The organization an account belongs to.
pub(super) async fn describe(asker: &Asker<'_>) -> Option<Organization> {
    let asked = asker
        .ask(Call::DescribeOrganization, || {
            asker.organizations.describe_organization().send()
        })
        .await;
    match asked {
        Ok(answer) => answer.organization,
        Err(problem) => {
            asker.gap(problem);
            None
        }
    }
}

/// Whether an account is in use.
pub(super) fn in_use(account: &Account) -> bool {
    use aws_sdk_organizations::types::AccountState;
    match (account.state(), account.status()) {
        (Some(state), _) => *state == AccountState::Active,
        (None, Some(status)) => *status == AccountStatus::Active,
        (None, None) => true,
    }
}

/// Reads everything about an organization into its folder.
pub(super) async fn export(asker: &Asker<'_>, organization: &Organization) {
    let id = file_name(organization.id().unwrap_or("unknown"));
    let path = |below: &str| format!("organizations/{id}/{below}.json");
    let described = async { Ok(convert::organization(organization)) };
    asker.at(&path("organization"), described).await;
    let roots = asker.at(&path("roots"), roots(asker)).await;
    // Without its roots nothing else of an organization can be read either.
    let Some(roots) = roots else { return };
    let mut parents = ids(&roots, "Roots");
    let mut seen = BTreeSet::new();
    while let Some(parent) = parents.pop() {
        if seen.len() >= MAX_UNITS || !seen.insert(parent.clone()) {
            continue;
        }
        let name = file_name(&parent);
        let at = [
            path(&format!("units/{name}")),
            path(&format!("accounts/{name}")),
        ];
        let (units, _) = tokio::join!(
            asker.at(&at[0], units(asker, &parent)),
            asker.at(&at[1], below(asker, &parent)),
        );
        parents.extend(
            units
                .iter()
                .flat_map(|units| ids(units, "OrganizationalUnits")),
        );
    }
    let kinds = [
        (
            PolicyType::ServiceControlPolicy,
            path("service-control-policies"),
        ),
        (
            PolicyType::ResourceControlPolicy,
            path("resource-control-policies"),
        ),
    ];
    let mut found = BTreeSet::new();
    for (kind, at) in kinds {
        let list = asker.at(&at, policies(asker, &kind)).await;
        found.extend(list.iter().flat_map(|list| ids(list, "Policies")));
    }
    for policy in found {
        let name = file_name(&policy);
        let at = [
            path(&format!("policies/{name}")),
            path(&format!("targets/{name}")),
        ];
        tokio::join!(
            asker.at(&at[0], document(asker, &policy)),
            asker.at(&at[1], targets(asker, &policy)),
        );
    }
}

fn ids(value: &Value, list: &str) -> Vec<String> {
    value
        .get(list)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.get("Id")?.as_str()?.to_owned()))
        .collect()
}

use aws_sdk_organizations::operation as op;

async fn roots(asker: &Asker<'_>) -> Result<Value, Problem> {
    let mut all = Vec::new();
    pages!(
        asker,
        Call::ListRoots,
        asker.organizations.list_roots(),
        |page: &op::list_roots::ListRootsOutput| all.extend_from_slice(page.roots())
    );
    Ok(convert::roots(&all))
}

async fn units(asker: &Asker<'_>, parent: &str) -> Result<Value, Problem> {
    let mut all = Vec::new();
    pages!(
        asker,
        Call::ListOrganizationalUnitsForParent,
        asker
            .organizations
            .list_organizational_units_for_parent()
            .parent_id(parent),
        |page: &op::list_organizational_units_for_parent::ListOrganizationalUnitsForParentOutput| {
            all.extend_from_slice(page.organizational_units());
        }
    );
    Ok(convert::units(parent, &all))
}

async fn below(asker: &Asker<'_>, parent: &str) -> Result<Value, Problem> {
    let mut all = Vec::new();
    pages!(
        asker,
        Call::ListAccountsForParent,
        asker
            .organizations
            .list_accounts_for_parent()
            .parent_id(parent),
        |page: &op::list_accounts_for_parent::ListAccountsForParentOutput| {
            all.extend_from_slice(page.accounts());
        }
    );
    Ok(convert::accounts(parent, &all))
}

async fn policies(asker: &Asker<'_>, kind: &PolicyType) -> Result<Value, Problem> {
    let mut all = Vec::new();
    pages!(
        asker,
        Call::ListPolicies,
        asker.organizations.list_policies().filter(kind.clone()),
        |page: &op::list_policies::ListPoliciesOutput| all.extend_from_slice(page.policies())
    );
    Ok(convert::policies(&all))
}

async fn document(asker: &Asker<'_>, policy: &str) -> Result<Value, Problem> {
    let call = Call::DescribePolicy;
    let answer = asker
        .ask(call, || {
            asker
                .organizations
                .describe_policy()
                .policy_id(policy)
                .send()
        })
        .await?;
    answer
        .policy()
        .map(convert::policy)
        .ok_or((call, Trouble::Missing))
}

async fn targets(asker: &Asker<'_>, policy: &str) -> Result<Value, Problem> {
    let mut all = Vec::new();
    pages!(
        asker,
        Call::ListTargetsForPolicy,
        asker
            .organizations
            .list_targets_for_policy()
            .policy_id(policy),
        |page: &op::list_targets_for_policy::ListTargetsForPolicyOutput| {
            all.extend_from_slice(page.targets());
        }
    );
    Ok(convert::targets(policy, &all))
}
