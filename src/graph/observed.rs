//! What logs showed, joined to the identities and credentials of the inventory. What no inventory names and the logs do
//! becomes an identity of its own: it was there, and it did what it did.

use super::{Graph, holders, ids};
use crate::model::{
    ActionKind, Activity, Confidence, Credential, CredentialId, CredentialStatus, Evidence, Grade,
    Identity, IdentityId, IdentityKind, LastUse, Location, Observed, Privilege, Storage,
};
use crate::rules::aws::{AccessLevel, ActionClass, AwsTables};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Days back to which a use that was seen proves use; what lies further back proves neither use nor disuse, as a log need
/// not hold every call.
const PROVES_USE_DAYS: i64 = 30;
/// Actions named as evidence.
const MAX_NAMED: usize = 5;

/// Joins the logs.
pub(super) fn add(graph: &mut Graph<'_>, mut observed: Observed, tables: Option<&AwsTables>) {
    let by_name = roles_by_name(graph);
    let mut signs: BTreeMap<IdentityId, Vec<&Activity>> = BTreeMap::new();
    for activity in &mut observed.activity {
        if let Some(tables) = tables {
            sort_out(activity, tables);
        }
        let Some(id) = identity(graph, activity, &by_name) else {
            continue;
        };
        activity.identity = Some(id.clone());
        if let Some(key) = activity.access_key.clone() {
            activity.credential = Some(credential(graph, activity, &key, &id));
        }
        if let Some(identity) = graph.inventory.identities.get_mut(&id) {
            identity.last_use = later(identity.last_use, activity.last, graph.now.exactly());
        }
    }
    for activity in &observed.activity {
        if let Some(id) = &activity.identity {
            signs.entry(id.clone()).or_default().push(activity);
        }
    }
    for (id, activities) in signs {
        let Some(identity) = graph.inventory.identities.get_mut(&id) else {
            continue;
        };
        if unjudged(identity) {
            identity.privilege = seen_privilege(&activities);
        }
        person(identity, &activities);
    }
    graph.inventory.observed = observed;
}

/// Roles by account and name, where only one has it: the ARN of a session leaves a role's path out.
fn roles_by_name(graph: &Graph<'_>) -> BTreeMap<(String, String), Option<IdentityId>> {
    let mut found: BTreeMap<(String, String), Option<IdentityId>> = BTreeMap::new();
    for identity in graph.inventory.identities.values() {
        if !matches!(
            identity.kind,
            IdentityKind::IamRole | IdentityKind::ServiceLinkedRole
        ) {
            continue;
        }
        let account = identity.account.clone().unwrap_or_default();
        found
            .entry((account, identity.name.clone()))
            .and_modify(|known| *known = None)
            .or_insert_with(|| Some(identity.id.clone()));
    }
    found
}

/// The identity a principal of the logs is.
fn identity(
    graph: &mut Graph<'_>,
    activity: &Activity,
    by_name: &BTreeMap<(String, String), Option<IdentityId>>,
) -> Option<IdentityId> {
    let arn = activity.principal.as_str();
    if let Some(known) = graph.native.get(arn) {
        return Some(known.clone());
    }
    let (kind, name) = kind_of(arn)?;
    let account = activity.account.clone();
    if kind == IdentityKind::IamRole
        && let Some(Some(known)) =
            by_name.get(&(account.clone().unwrap_or_default(), name.to_owned()))
    {
        return Some(known.clone());
    }
    let mut identity = Identity::named("aws", kind, name, arn, Grade::B);
    identity.account.clone_from(&account);
    let note = if is_unlisted(graph, activity) && kind != IdentityKind::AwsRoot {
        Identity::DELETED
    } else {
        "known from CloudTrail only: its permissions and trust are not in the input"
    };
    identity.notes.push(Evidence::new(Grade::B, note));
    identity.locations.push(Location {
        repository: Some("cloudtrail".to_owned()),
        uri: account.clone().unwrap_or_else(|| "unknown".to_owned()),
        line: None,
        column: None,
        logical: Some(arn.to_owned()),
    });
    if kind == IdentityKind::AwsRoot {
        identity.human = true;
        identity.human_evidence =
            Some("the root user of an account is a person's sign-in".to_owned());
        identity.privilege = Privilege {
            tier: 5,
            admin: true,
            evidence: vec![Evidence::new(
                Grade::A,
                "root may do everything in its account",
            )],
            ..Privilege::default()
        };
    }
    Some(graph.add_identity(identity))
}

/// Kind and name of a principal.
fn kind_of(arn: &str) -> Option<(IdentityKind, &str)> {
    let resource = arn.splitn(6, ':').nth(5)?;
    let (kind, path) = resource.split_once('/').unwrap_or((resource, ""));
    let name = path.rsplit('/').next().filter(|name| !name.is_empty());
    match kind {
        "root" => Some((IdentityKind::AwsRoot, "root")),
        "user" => Some((IdentityKind::IamUser, name?)),
        "role" if path.starts_with("aws-service-role/") || path.starts_with("aws-reserved/") => {
            Some((IdentityKind::ServiceLinkedRole, name?))
        }
        "role" => Some((IdentityKind::IamRole, name?)),
        _ => None,
    }
}

/// Whether the account's inventory has all users and roles, is younger than the logs, and does not have this one.
fn is_unlisted(graph: &Graph<'_>, activity: &Activity) -> bool {
    let account = activity.account.as_deref();
    let account = account.and_then(|id| graph.accounts.get(id));
    account.is_some_and(|account| {
        account.parts.authorization_details
            && holders::taken(account).is_some_and(|taken| activity.last <= taken)
    })
}

/// Whether the account's inventory shows that a key of the logs is no more: it was taken after the last call with the key, and
/// no user has it.
fn is_gone(graph: &Graph<'_>, activity: &Activity, holder: &IdentityId) -> bool {
    let account = activity
        .account
        .as_deref()
        .and_then(|id| graph.accounts.get(id));
    let root = graph
        .inventory
        .identities
        .get(holder)
        .map(|holder| holder.kind == IdentityKind::AwsRoot);
    account.is_some_and(|account| {
        holders::taken(account).is_some_and(|taken| activity.last <= taken)
            && holders::gone(account, Some(activity.first), root).is_ok()
    })
}

/// The key's credential; a key no inventory lists is one of its own.
fn credential(
    graph: &mut Graph<'_>,
    activity: &Activity,
    key: &str,
    holder: &IdentityId,
) -> CredentialId {
    let id = ids::credential_by_public_id(ids::AWS_KEY, key);
    let now = graph.now.exactly();
    let gone = is_gone(graph, activity, holder);
    let credential = graph
        .inventory
        .credentials
        .entry(id.clone())
        .or_insert_with(|| Credential {
            id: id.clone(),
            provider: "aws".to_owned(),
            kind: ids::AWS_KEY.to_owned(),
            public_id: Some(key.to_owned()),
            fingerprint: None,
            redacted: None,
            reference: None,
            identity: None,
            join: None,
            account: activity.account.clone(),
            status: CredentialStatus::Unknown,
            created_at: None,
            last_use: LastUse::Unknown,
            last_used_at: None,
            last_used_service: None,
            expires_at: None,
            expires_by_nature: Some(false),
            storage: Storage::NotSeen,
            consumers: Vec::new(),
            default_tier: None,
            confidence: Confidence::High,
            confidence_reason: "CloudTrail shows calls signed with it".to_owned(),
            grade: Grade::B,
            sightings: Vec::new(),
            trail: None,
        });
    let unlisted =
        gone && credential.grade > Grade::A && credential.status == CredentialStatus::Unknown;
    if unlisted {
        credential.status = CredentialStatus::Inactive;
    }
    if credential.identity.is_none() || unlisted {
        let text = if unlisted {
            "CloudTrail shows calls of this identity signed with it, and its account lists no such key: deleted or rotated"
        } else {
            "CloudTrail shows calls of this identity signed with it"
        };
        credential.identity.get_or_insert_with(|| holder.clone());
        credential.join = Some(Evidence::new(Grade::A, text));
    }
    credential.last_use = later(credential.last_use, activity.last, now);
    credential.last_used_at = credential.last_use.at().or(credential.last_used_at);
    let owner = credential.identity.clone();
    if let Some(identity) = owner.and_then(|id| graph.inventory.identities.get_mut(&id))
        && !unlisted
        && !identity.credentials.contains(&id)
    {
        identity.credentials.push(id.clone());
        identity.credentials.sort();
    }
    id
}

/// A use that was seen makes the last use later, and is one where nothing was known if it is recent.
fn later(known: LastUse, seen: Timestamp, now: Timestamp) -> LastUse {
    match known {
        LastUse::At(at) => LastUse::At(at.max(seen)),
        LastUse::NeverSince(since) if seen >= since => LastUse::At(seen),
        LastUse::Unknown
            if crate::model::evidence::days_between(seen, now) <= PROVES_USE_DAYS
                && seen <= now =>
        {
            LastUse::At(seen)
        }
        known => known,
    }
}

/// What it may do is in no other source.
fn unjudged(identity: &Identity) -> bool {
    identity.grants.is_empty()
        && identity.privilege.tier == 0
        && identity.privilege.evidence.is_empty()
        && identity.grade != Grade::A
        && matches!(
            identity.kind,
            IdentityKind::IamUser | IdentityKind::IamRole | IdentityKind::ServiceLinkedRole
        )
}

/// Says of every action what it amounts to, and keeps the resources a policy could name for it.
fn sort_out(activity: &mut Activity, tables: &AwsTables) {
    let account = activity.account.as_deref();
    for used in &mut activity.actions {
        let index = tables.actions.index_of(&used.action);
        let is = |class| index.is_some_and(|index| tables.class(class).contains(index));
        let level = tables.actions.level_of(&used.action);
        let reads = if let Some(index) = index {
            tables.reading().contains(index)
        } else {
            let name = used.action.split_once(':').map_or("", |(_, name)| name);
            tables.reads_by_name(name)
        };
        let others = used
            .resources
            .iter()
            .any(|arn| arn.split(':').nth(4) != account);
        used.kind = if is(ActionClass::Telemetry) {
            ActionKind::Telemetry
        } else if is(ActionClass::SecretStore) || is(ActionClass::CredentialRead) {
            ActionKind::Secret
        } else if used.action.starts_with("sts:AssumeRole") {
            if others {
                ActionKind::CrossAccount
            } else {
                ActionKind::Metadata
            }
        } else if is(ActionClass::DataRead) {
            ActionKind::DataRead
        } else if !reads
            && (level == Some(AccessLevel::Permissions)
                || is(ActionClass::Permissions)
                || is(ActionClass::IdentityControl))
        {
            ActionKind::Permissions
        } else if !reads
            && !is(ActionClass::Computation)
            && matches!(
                level,
                None | Some(AccessLevel::Write | AccessLevel::Tagging)
            )
        {
            ActionKind::Write
        } else {
            ActionKind::Metadata
        };
        let scopable = index.is_none_or(|index| !tables.actions.without_resource().contains(index));
        let (service, name) = used.action.split_once(':').unwrap_or(("", ""));
        let of_object = name.contains("Object") || name.contains("MultipartUploadParts");
        used.resources.retain(|arn| {
            let segment = arn.split(':').nth(2).unwrap_or_default();
            let on_object = arn
                .splitn(6, ':')
                .nth(5)
                .is_some_and(|path| path.contains('/'));
            scopable
                && match service {
                    "s3" => segment == "s3" && of_object == on_object,
                    "sts" => segment == "iam" || segment == "sts",
                    _ => segment == service,
                }
        });
        used.more_resources &= scopable;
    }
}

/// What it did is the least it may do.
fn seen_privilege(activities: &[&Activity]) -> Privilege {
    let mut privilege = Privilege::default();
    let mut reasons: BTreeMap<u8, BTreeSet<&str>> = BTreeMap::new();
    let mut services = BTreeSet::new();
    let mut written = BTreeSet::new();
    for used in activities.iter().flat_map(|activity| activity.succeeded()) {
        let action = used.action.as_str();
        if let Some((service, _)) = action.split_once(':') {
            services.insert(service.to_owned());
        }
        if used.kind == ActionKind::Write {
            written.extend(used.resources.iter().map(String::as_str));
        }
        let tier = match used.kind {
            ActionKind::Permissions => {
                privilege.permissions_management = true;
                4
            }
            ActionKind::Secret => {
                privilege.secret_read = true;
                2
            }
            ActionKind::CrossAccount => {
                privilege.cross_account = true;
                2
            }
            ActionKind::Write => {
                privilege.write = true;
                if used.resources.is_empty() || written.len() > 1 {
                    3
                } else {
                    2
                }
            }
            ActionKind::DataRead => {
                privilege.data_read = true;
                2
            }
            ActionKind::Telemetry | ActionKind::Metadata => 1,
        };
        reasons.entry(tier).or_default().insert(action);
    }
    privilege.services = services.into_iter().collect();
    if let Some((tier, actions)) = reasons.pop_last() {
        privilege.tier = tier;
        let named: Vec<&str> = actions.iter().copied().take(MAX_NAMED).collect();
        let more = actions.len().saturating_sub(named.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        privilege.evidence.push(Evidence::new(
            Grade::A,
            format!(
                "CloudTrail shows that it called {}{more}; what else it may do is not in the input",
                named.join(", ")
            ),
        ));
    }
    privilege
}

/// A user that people sign in with and no long-lived key works as, known from logs only, is a person's.
fn person(identity: &mut Identity, activities: &[&Activity]) {
    if identity.human_evidence.is_some() || identity.grade == Grade::A {
        return;
    }
    let by_key = activities
        .iter()
        .any(|activity| activity.access_key.is_some());
    let sign = activities
        .iter()
        .flat_map(|activity| &activity.by_hand)
        .find(|sign| sign.grade == Grade::A);
    let named = identity.kind == IdentityKind::ServiceLinkedRole
        && identity.native_id.contains("/AWSReservedSSO_");
    if let Some(sign) = sign.filter(|_| !by_key && identity.kind == IdentityKind::IamUser) {
        identity.human = true;
        identity.human_evidence = Some(format!("CloudTrail shows {}", sign.text));
    } else if named {
        identity.human = true;
        identity.human_evidence =
            Some("a permission set of Identity Center, which people sign in to".to_owned());
    }
}
