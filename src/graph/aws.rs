//! Users, roles, root and access keys of AWS accounts.

use super::{Graph, aws_other, ids};
use crate::iam::exposure::exposures;
use crate::iam::{Court, Judge, Judged};
use crate::model::aws::{AwsAccessKey, AwsAccount, AwsRole, AwsRoot, AwsUser};
use crate::model::{
    Confidence, Credential, CredentialId, CredentialStatus, Evidence, Grade, Identity,
    IdentityKind, LastUse, Moment, Privilege, Storage, TrustPath,
};
use crate::rules::aws::AwsTables;
use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Days for which AWS keeps the last use of roles, as its documentation of `RoleLastUsed` says.
const ROLE_TRACKING_DAYS: i64 = 400;

/// Adds every principal of every account, in a fixed order.
pub(super) fn add(
    graph: &mut Graph<'_>,
    accounts: &[AwsAccount],
    tables: &AwsTables,
    own: &BTreeSet<String>,
) {
    let mut sorted: Vec<&AwsAccount> = accounts.iter().collect();
    // Two exports of one account: the later, then the fuller, is asked first.
    sorted.sort_by_cached_key(|account| {
        (
            account.account_id.clone(),
            std::cmp::Reverse(account.collected_at),
            std::cmp::Reverse((account.users.len(), account.roles.len())),
            account
                .users
                .iter()
                .map(|user| user.arn.clone())
                .collect::<Vec<_>>(),
        )
    });
    let court = Court::new(accounts, tables);
    for account in sorted {
        // An older export of an account is judged by itself.
        let judge = if court.holds(account) {
            Judge::within(&court, account, tables, own)
        } else {
            Judge::new(account, tables, own)
        };
        let users: Vec<Judged> = account
            .users
            .par_iter()
            .map(|user| {
                let mut judged = judge.user(user);
                judged.privilege.usage = judge.use_of_user(user);
                judged
            })
            .collect();
        for (user, judged) in account.users.iter().zip(users) {
            add_user(graph, account, judged, user);
        }
        let roles: Vec<_> = account
            .roles
            .par_iter()
            .map(|role| {
                let mut judged = judge.role(role);
                judged.privilege.usage = judge.use_of_role(role);
                let trust = judge.trust(role, &judged);
                (judged, trust)
            })
            .collect();
        for (role, (judged, trust)) in account.roles.iter().zip(roles) {
            add_role(graph, account, judged, trust, role);
        }
        if let Some(root) = &account.root {
            add_root(graph, account, root);
        }
        aws_other::add(graph, account);
        let open = exposures(account, tables, own);
        graph.inventory.exposures.extend(open);
        graph
            .inventory
            .oidc_issuers
            .entry(account.account_id.clone())
            .or_default()
            .extend(
                account
                    .oidc_providers
                    .iter()
                    .map(|provider| provider.url.clone()),
            );
    }
    graph.inventory.exposures.sort();
    graph.inventory.exposures.dedup();
}

fn named(account: &AwsAccount, kind: IdentityKind, name: &str, arn: &str) -> Identity {
    let mut identity = Identity::named("aws", kind, name, arn, Grade::A);
    identity.account = Some(account.account_id.clone());
    identity
}

/// Takes over what IAM judged, or says that nothing could be judged.
fn take(graph: &mut Graph<'_>, identity: &mut Identity, told: bool, judged: Judged) {
    if !told {
        identity.privilege = Privilege {
            assumed: true,
            ..Privilege::default()
        };
        identity.notes.push(Evidence::new(
            Grade::A,
            "listed, but not described by account authorization details: its permissions are unknown",
        ));
        return;
    }
    identity.privilege = judged.privilege;
    graph.coverage.extend(judged.notices);
    for grant in judged.grants {
        identity.grants.push(grant.id.clone());
        graph
            .inventory
            .grants
            .entry(grant.id.clone())
            .or_insert(grant);
    }
}

fn add_user(graph: &mut Graph<'_>, account: &AwsAccount, judged: Judged, user: &AwsUser) {
    let mut identity = named(account, IdentityKind::IamUser, &user.name, &user.arn);
    identity.created_at = user.created_at;
    identity.console_password = user.password;
    identity.mfa = user.mfa;
    identity.boundary.clone_from(&user.boundary);
    identity.tags.clone_from(&user.tags);
    identity.locations.push(user.location.clone());
    identity.last_use = last_use(account, user, &mut identity.notes);
    let told = !user.unique_id.is_empty()
        || !user.inline.is_empty()
        || !user.attached.is_empty()
        || !user.groups.is_empty();
    take(graph, &mut identity, told, judged);
    let holder = format!("user {}", user.name);
    identity.credentials = keys(graph, account, &identity, &holder, &user.keys);
    graph.add_identity(identity);
}

fn add_role(
    graph: &mut Graph<'_>,
    account: &AwsAccount,
    judged: Judged,
    trust: Vec<TrustPath>,
    role: &AwsRole,
) {
    let of_aws = role.path.starts_with("/aws-service-role/")
        || role.path.starts_with("/aws-reserved/")
        || role.arn.contains(":role/aws-service-role/")
        || role.arn.contains(":role/aws-reserved/");
    let kind = if of_aws {
        IdentityKind::ServiceLinkedRole
    } else {
        IdentityKind::IamRole
    };
    let mut identity = named(account, kind, &role.name, &role.arn);
    identity.created_at = role.created_at;
    identity.boundary.clone_from(&role.boundary);
    identity.tags.clone_from(&role.tags);
    identity.locations.push(role.location.clone());
    identity.purpose.clone_from(&role.description);
    identity.max_session_seconds = role.max_session_seconds;
    identity.last_use = within_tracking(role.last_use, graph.now);
    identity.trust = trust;
    for profile in &role.instance_profiles {
        identity.notes.push(Evidence::new(
            Grade::A,
            format!("carried by instance profile {profile}"),
        ));
    }
    let told = !role.unique_id.is_empty() || !role.inline.is_empty() || !role.attached.is_empty();
    take(graph, &mut identity, told, judged);
    graph.add_identity(identity);
}

fn add_root(graph: &mut Graph<'_>, account: &AwsAccount, root: &AwsRoot) {
    let mut identity = named(account, IdentityKind::AwsRoot, "root", &root.arn);
    identity.mfa = root.mfa;
    identity.console_password = root.password;
    identity.last_use = root.password_last_use;
    identity.locations.push(root.location.clone());
    identity.human = true;
    identity.human_evidence = Some("the root user of an account is a person's sign-in".to_owned());
    identity.privilege = Privilege {
        tier: 5,
        admin: true,
        write: true,
        permissions_management: true,
        secret_read: true,
        data_read: true,
        full_services: vec!["*".to_owned()],
        evidence: vec![Evidence::new(
            Grade::A,
            "root may do everything in its account",
        )],
        ..Privilege::default()
    };
    identity.credentials = keys(graph, account, &identity, "root", &root.keys);
    graph.add_identity(identity);
}

/// Last use of a user: the latest of its keys and its password. One of them unknown makes the whole unknown, as the use
/// that was seen then proves nothing of the time after it.
fn last_use(account: &AwsAccount, user: &AwsUser, notes: &mut Vec<Evidence>) -> LastUse {
    let mut uses: Vec<LastUse> = user.keys.iter().map(|key| key.last_use).collect();
    if user.password != Some(false)
        && (user.password.is_some() || user.password_last_use != LastUse::Unknown)
    {
        uses.push(user.password_last_use);
    }
    if let Some(services) = &user.services {
        // Covers every kind of sign-in, for as long as AWS tracks it.
        let latest = services.used.values().max().copied();
        match (latest, account.collected_at) {
            (Some(at), _) => return uses.into_iter().fold(LastUse::At(at), latest_of),
            (None, Some(taken)) if !services.granted.is_empty() => {
                let since = days_before(taken, ROLE_TRACKING_DAYS);
                let since = user.created_at.map_or(since, |created| created.max(since));
                return uses.into_iter().fold(LastUse::NeverSince(since), latest_of);
            }
            _ => {}
        }
    }
    if uses.iter().any(|used| matches!(used, LastUse::Unknown)) {
        if let Some(at) = uses.iter().filter_map(|used| used.at()).max() {
            notes.push(Evidence::new(
                Grade::A,
                format!(
                    "in use on {}; the use of its other credentials is unknown",
                    at.strftime("%Y-%m-%d")
                ),
            ));
        }
        return LastUse::Unknown;
    }
    uses.into_iter()
        .reduce(latest_of)
        .unwrap_or(LastUse::Unknown)
}

fn latest_of(a: LastUse, b: LastUse) -> LastUse {
    match (a, b) {
        (LastUse::At(a), LastUse::At(b)) => LastUse::At(a.max(b)),
        (LastUse::At(at), _) | (_, LastUse::At(at)) => LastUse::At(at),
        (LastUse::NeverSince(a), LastUse::NeverSince(b)) => LastUse::NeverSince(a.max(b)),
        (LastUse::NeverSince(at), LastUse::Unknown)
        | (LastUse::Unknown, LastUse::NeverSince(at)) => LastUse::NeverSince(at),
        (LastUse::Unknown, LastUse::Unknown) => LastUse::Unknown,
    }
}

/// A snapshot without a date proves no use before what AWS can still have tracked today.
fn within_tracking(used: LastUse, now: &Moment) -> LastUse {
    match used {
        LastUse::NeverSince(since) => {
            LastUse::NeverSince(since.max(days_before(now.exactly(), ROLE_TRACKING_DAYS)))
        }
        known => known,
    }
}

fn days_before(at: Timestamp, days: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_hours(days * 24))
        .unwrap_or(at)
}

/// Adds the access keys of a holder; returns their ids.
fn keys(
    graph: &mut Graph<'_>,
    account: &AwsAccount,
    holder: &Identity,
    name: &str,
    keys: &[AwsAccessKey],
) -> Vec<CredentialId> {
    let mut ids = Vec::new();
    let mut slot = 0;
    for key in keys {
        let id = if let Some(key_id) = &key.key_id {
            ids::credential_by_public_id(ids::AWS_KEY, key_id)
        } else {
            slot += 1;
            ids::by_slot(ids::AWS_KEY, &holder.native_id, slot)
        };
        ids.push(id.clone());
        let how = if key.key_id.is_some() {
            format!("IAM lists this key id for {name}")
        } else {
            format!("the credential report shows this key of {name}, without its id")
        };
        let credential = Credential {
            id: id.clone(),
            provider: "aws".to_owned(),
            kind: ids::AWS_KEY.to_owned(),
            public_id: key.key_id.clone(),
            fingerprint: None,
            redacted: None,
            reference: None,
            identity: Some(holder.id.clone()),
            join: Some(Evidence::new(Grade::A, how)),
            account: Some(account.account_id.clone()),
            status: match key.active {
                Some(true) => CredentialStatus::Active,
                Some(false) => CredentialStatus::Inactive,
                None => CredentialStatus::Unknown,
            },
            created_at: key.created_at,
            last_use: key.last_use,
            last_used_at: key.last_use.at(),
            last_used_service: key.last_used_service.clone(),
            expires_at: None,
            expires_by_nature: Some(false),
            storage: Storage::NotSeen,
            consumers: Vec::new(),
            default_tier: None,
            confidence: Confidence::High,
            confidence_reason: "in the account's own inventory".to_owned(),
            grade: Grade::A,
            sightings: Vec::new(),
            trail: None,
        };
        graph.inventory.credentials.entry(id).or_insert(credential);
    }
    ids
}
