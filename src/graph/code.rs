//! Accounts as infrastructure code declares them: judged as deployed ones are, and joined to those.

use super::Graph;
use crate::iam::Judge;
use crate::model;
use crate::model::aws::{AwsRole, AwsUser};
use crate::model::{
    DeclaredPrincipal, DeclaredStack, Evidence, Grade, Grant, GrantId, Identity, IdentityId,
    IdentityKind, Privilege, TrustPath, UNKNOWN_ACCOUNT,
};
use crate::rules::aws::AwsTables;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Most open questions told of one identity.
const MAX_OPEN: usize = 12;

/// One principal as code declares it.
struct Declared {
    identity: Identity,
    grants: Vec<Grant>,
    arn: String,
    told: DeclaredPrincipal,
}

/// Adds what code declares. What an account was found to have is left as it is, and learns where it is declared.
pub(super) fn add(
    graph: &mut Graph<'_>,
    stacks: &[DeclaredStack],
    tables: &AwsTables,
    own: &BTreeSet<String>,
) {
    let mut own = own.clone();
    own.insert(UNKNOWN_ACCOUNT.to_owned());
    let mut stacks: Vec<&DeclaredStack> = stacks.iter().collect();
    stacks.sort_by_key(|stack| {
        (
            &stack.repository,
            &stack.tool,
            &stack.unit,
            &stack.account.account_id,
        )
    });
    let judged: Vec<(&DeclaredStack, Vec<Declared>)> = stacks
        .par_iter()
        .map(|stack| (*stack, principals(stack, tables, &own)))
        .collect();
    let deployed = by_name(graph);
    let mut joined = BTreeSet::new();
    for (stack, declared) in judged {
        for one in declared {
            let native = one.identity.native_id.clone();
            if let Some(id) = counterpart(graph, &deployed, stack, &one) {
                describe(graph, stack, &id, one);
                graph.native.entry(native).or_insert_with(|| id.clone());
                joined.insert(id);
            } else {
                put(graph, stack, one);
            }
        }
        let issuers = stack.account.oidc_providers.iter();
        let issuers: Vec<String> = issuers.map(|provider| provider.url.clone()).collect();
        if stack.account.account_id != UNKNOWN_ACCOUNT && !issuers.is_empty() {
            graph
                .inventory
                .oidc_issuers
                .entry(stack.account.account_id.clone())
                .or_default()
                .extend(issuers);
        }
    }
    in_no_code(graph, &joined);
}

/// Deployed users and roles by kind and name.
fn by_name(graph: &Graph<'_>) -> BTreeMap<(IdentityKind, String), Vec<IdentityId>> {
    let mut names: BTreeMap<_, Vec<IdentityId>> = BTreeMap::new();
    for identity in graph.inventory.identities.values() {
        if identity.grade == Grade::A && identity.provider == "aws" {
            names
                .entry((identity.kind, identity.name.clone()))
                .or_default()
                .push(identity.id.clone());
        }
    }
    names
}

/// The deployed identity that a declared one is.
fn counterpart(
    graph: &Graph<'_>,
    deployed: &BTreeMap<(IdentityKind, String), Vec<IdentityId>>,
    stack: &DeclaredStack,
    one: &Declared,
) -> Option<IdentityId> {
    let by_arn = graph.native.get(&one.arn).filter(|id| {
        let known = graph.inventory.identities.get(*id);
        known.is_some_and(|identity| identity.grade == Grade::A)
    });
    if let Some(id) = by_arn {
        return Some(id.clone());
    }
    if !one.told.name_known {
        return None;
    }
    let same_name = deployed.get(&(one.identity.kind, one.identity.name.clone()))?;
    let in_account: Vec<&IdentityId> = same_name
        .iter()
        .filter(|id| {
            let account = graph
                .inventory
                .identities
                .get(*id)
                .and_then(|i| i.account.as_deref());
            stack.account.account_id == UNKNOWN_ACCOUNT
                || account == Some(stack.account.account_id.as_str())
        })
        .collect();
    match in_account.as_slice() {
        [only] => Some((*only).clone()),
        _ => None,
    }
}

/// Tells a deployed identity where it is declared, and where code and account differ.
fn describe(graph: &mut Graph<'_>, stack: &DeclaredStack, id: &IdentityId, one: Declared) {
    let Some(identity) = graph.inventory.identities.get_mut(id) else {
        return;
    };
    let how = if stack.account.account_id == UNKNOWN_ACCOUNT {
        ", joined by its name as the code does not tell its account"
    } else {
        ""
    };
    if !one.told.named_only {
        identity.declared = Some(model::Declared::Both);
        identity.notes.push(Evidence::new(
            Grade::B,
            format!(
                "declared in code as {} ({}){how}",
                one.told.address, stack.tool
            ),
        ));
        identity.purpose = identity.purpose.take().or(one.identity.purpose);
    }
    // What the account says counts; what only the code says still tells whose it is and what for.
    let mut only_there = Vec::new();
    for (key, value) in one.identity.tags {
        let known = identity
            .tags
            .keys()
            .any(|known| known.eq_ignore_ascii_case(&key));
        if !known {
            only_there.push(key.clone());
            identity.tags.insert(key, value);
        }
    }
    if !only_there.is_empty() {
        let shown: Vec<&str> = only_there.iter().take(5).map(String::as_str).collect();
        identity.notes.push(Evidence::new(
            Grade::B,
            format!(
                "differs from its code: tags that only the code has: {}",
                shown.join(", ")
            ),
        ));
    }
    identity.locations.extend(one.identity.locations);
    if one.told.unknown.is_empty() && !one.told.named_only {
        let (there, here) = (identity.privilege.tier, one.identity.privilege.tier);
        if there != here {
            identity.notes.push(Evidence::new(
                Grade::B,
                format!(
                    "differs from its code: tier {there} in the account, tier {here} as declared"
                ),
            ));
        }
        let ways = |paths: &[TrustPath]| -> BTreeSet<String> {
            paths
                .iter()
                .map(|path| {
                    path.principal.replace(
                        "<this account>",
                        identity.account.as_deref().unwrap_or_default(),
                    )
                })
                .collect()
        };
        let (there, here) = (ways(&identity.trust), ways(&one.identity.trust));
        let more: Vec<&String> = there.difference(&here).take(5).collect();
        if !more.is_empty() && identity.kind == IdentityKind::IamRole {
            let list: Vec<&str> = more.into_iter().map(String::as_str).collect();
            identity.notes.push(Evidence::new(
                Grade::B,
                format!(
                    "differs from its code: the account also trusts {}",
                    list.join(", ")
                ),
            ));
        }
    }
}

/// Adds an identity that only code knows.
fn put(graph: &mut Graph<'_>, stack: &DeclaredStack, mut one: Declared) {
    let account = stack.account.account_id.as_str();
    let absent = if graph.accounts.contains_key(account) {
        Some("declared in code; the snapshot of its account does not have it")
    } else if account == UNKNOWN_ACCOUNT && !graph.accounts.is_empty() && one.told.name_known {
        Some("declared in code; no scanned account has exactly one of that name")
    } else {
        None
    };
    if let Some(absent) = absent {
        one.identity.declared = Some(model::Declared::CodeOnly);
        one.identity.notes.push(Evidence::new(Grade::B, absent));
    }
    for grant in one.grants {
        one.identity.grants.push(grant.id.clone());
        graph
            .inventory
            .grants
            .entry(grant.id.clone())
            .or_insert(grant);
    }
    graph.add_identity(one.identity);
}

/// Where some of an account is declared, tells of what is not.
fn in_no_code(graph: &mut Graph<'_>, joined: &BTreeSet<IdentityId>) {
    let accounts: BTreeSet<String> = joined
        .iter()
        .filter_map(|id| graph.inventory.identities.get(id)?.account.clone())
        .collect();
    for identity in graph.inventory.identities.values_mut() {
        let declared_account = identity
            .account
            .as_ref()
            .is_some_and(|account| accounts.contains(account));
        if identity.grade == Grade::A
            && declared_account
            && matches!(identity.kind, IdentityKind::IamUser | IdentityKind::IamRole)
            && !joined.contains(&identity.id)
        {
            identity.declared = Some(model::Declared::AccountOnly);
            identity.notes.push(Evidence::new(
                Grade::B,
                "in the account, and in none of the scanned code that declares part of it",
            ));
        }
    }
}

/// Every principal of a stack, judged.
fn principals(stack: &DeclaredStack, tables: &AwsTables, own: &BTreeSet<String>) -> Vec<Declared> {
    if stack.account.users.is_empty() && stack.account.roles.is_empty() {
        return Vec::new();
    }
    let judge = Judge::new(&stack.account, tables, own);
    let users = stack.account.users.iter().map(|user| {
        let (identity, told) = of_user(stack, user);
        (identity, told, user.arn.clone(), judge.user(user))
    });
    let roles = stack.account.roles.iter().map(|role| {
        let (mut identity, told) = of_role(stack, role);
        let judged = judge.role(role);
        let trust = judge.trust(role, &judged);
        identity.trust = trust.into_iter().map(told_path).collect();
        (identity, told, role.arn.clone(), judged)
    });
    users
        .chain(roles)
        .map(|(mut identity, told, arn, judged)| {
            identity.privilege = as_declared(judged.privilege, &told);
            for open in told.unknown.iter().take(MAX_OPEN) {
                identity
                    .notes
                    .push(Evidence::new(Grade::C, format!("open in code: {open}")));
            }
            let grants = judged
                .grants
                .into_iter()
                .map(|grant| told_grant(stack, &identity, grant))
                .collect();
            Declared {
                identity,
                grants,
                arn,
                told,
            }
        })
        .collect()
}

fn declared(
    stack: &DeclaredStack,
    kind: IdentityKind,
    name: &str,
    arn: &str,
) -> (Identity, DeclaredPrincipal) {
    let told = stack.principals.get(arn).cloned().unwrap_or_default();
    let grade = if told.named_only { Grade::C } else { Grade::B };
    let mut identity = Identity::named("aws", kind, name, &stack.native_id(arn), grade);
    if stack.account.account_id != UNKNOWN_ACCOUNT {
        identity.account = Some(stack.account.account_id.clone());
    }
    identity.notes.push(if told.named_only {
        Evidence::new(
            Grade::C,
            format!("named in code ({}), declared elsewhere", stack.tool),
        )
    } else {
        Evidence::new(
            Grade::B,
            format!("declared in code as {} ({})", told.address, stack.tool),
        )
    });
    (identity, told)
}

fn of_user(stack: &DeclaredStack, user: &AwsUser) -> (Identity, DeclaredPrincipal) {
    let (mut identity, told) = declared(stack, IdentityKind::IamUser, &user.name, &user.arn);
    identity.boundary.clone_from(&user.boundary);
    identity.tags.clone_from(&user.tags);
    identity.console_password = user.password;
    identity.locations.push(user.location.clone());
    identity.locations.extend(told.also.iter().cloned());
    (identity, told)
}

fn of_role(stack: &DeclaredStack, role: &AwsRole) -> (Identity, DeclaredPrincipal) {
    let of_aws = role.path.starts_with("/aws-service-role/");
    let kind = if of_aws {
        IdentityKind::ServiceLinkedRole
    } else {
        IdentityKind::IamRole
    };
    let (mut identity, told) = declared(stack, kind, &role.name, &role.arn);
    identity.boundary.clone_from(&role.boundary);
    identity.tags.clone_from(&role.tags);
    identity.purpose.clone_from(&role.description);
    identity.max_session_seconds = role.max_session_seconds;
    identity.locations.push(role.location.clone());
    identity.locations.extend(told.also.iter().cloned());
    for profile in &role.instance_profiles {
        let text = format!("carried by instance profile {profile}");
        identity.notes.push(Evidence::new(Grade::B, text));
    }
    (identity, told)
}

/// The account's number stands nowhere in the code, so it is not shown either.
fn told_text(text: &str) -> String {
    text.replace(UNKNOWN_ACCOUNT, "<this account>")
}

fn told_path(mut path: TrustPath) -> TrustPath {
    path.principal = told_text(&path.principal);
    path.account = path.account.filter(|account| account != UNKNOWN_ACCOUNT);
    for condition in &mut path.conditions {
        *condition = told_text(condition);
    }
    path
}

/// Evidence from code is no more than that.
fn as_declared(mut privilege: Privilege, told: &DeclaredPrincipal) -> Privilege {
    privilege.evidence = in_code(privilege.evidence);
    if told.named_only || !told.unknown.is_empty() {
        privilege.upper_bound = true;
        privilege.assumed = true;
    }
    privilege
}

fn in_code(evidence: Vec<Evidence>) -> Vec<Evidence> {
    evidence
        .into_iter()
        .map(|one| Evidence::new(one.grade.max(Grade::B), told_text(&one.text)))
        .collect()
}

fn told_grant(stack: &DeclaredStack, identity: &Identity, mut grant: Grant) -> Grant {
    grant.id = GrantId::of(&[
        "code",
        &stack.repository,
        &stack.tool,
        &stack.unit,
        &identity.native_id,
        grant.source.as_str(),
        &grant.native_id,
    ]);
    grant.identity = identity.id.clone();
    grant.native_id = told_text(&grant.native_id);
    grant.evidence = in_code(grant.evidence);
    for text in grant.resources.iter_mut().chain(&mut grant.conditions) {
        *text = told_text(text);
    }
    grant
}
