//! Whom a credential lets in as, where its issuer's inventory did not say so already.

use super::{Graph, ids, words};
use crate::model::aws::AwsAccount;
use crate::model::{
    Credential, CredentialId, CredentialStatus, Evidence, Grade, Identity, IdentityId,
    IdentityKind, LastUse,
};
use jiff::Timestamp;

/// What was found of one credential.
struct Holder {
    identity: Option<IdentityId>,
    join: Evidence,
    status: Option<CredentialStatus>,
}

/// Finds the holder of every credential that has none, and lists every credential with its holder.
pub(super) fn find(graph: &mut Graph<'_>) {
    let open: Vec<CredentialId> = graph
        .inventory
        .credentials
        .values()
        .filter(|credential| credential.identity.is_none())
        .map(|credential| credential.id.clone())
        .collect();
    let users = telling_users(graph);
    for id in open {
        let Some(credential) = graph.inventory.credentials.get(&id).cloned() else {
            continue;
        };
        let Some(holder) = holder(graph, &users, &credential) else {
            continue;
        };
        if let Some(credential) = graph.inventory.credentials.get_mut(&id) {
            credential.identity = holder.identity;
            credential.join = Some(holder.join);
            credential.status = holder.status.unwrap_or(credential.status);
        }
    }
    revoked(graph);
    for credential in graph.inventory.credentials.values() {
        if let Some(identity) = credential
            .identity
            .as_ref()
            .and_then(|id| graph.inventory.identities.get_mut(id))
        {
            identity.credentials.push(credential.id.clone());
        }
    }
}

/// What people say they revoked no longer works, unless its issuer says that it does.
fn revoked(graph: &mut Graph<'_>) {
    for credential in graph.inventory.credentials.values_mut() {
        if credential.status != CredentialStatus::Unknown {
            continue;
        }
        let mut names = vec![credential.id.as_str()];
        names.extend(credential.public_id.as_deref());
        names.extend(credential.reference.as_deref());
        let said = graph.config.annotated(&names, |note| note.revoked);
        let past = |date: jiff::civil::Date| {
            date.to_zoned(jiff::tz::TimeZone::UTC)
                .is_ok_and(|date| graph.now.reached(date.timestamp()))
        };
        if said.is_some_and(past) {
            credential.status = CredentialStatus::Inactive;
        }
    }
}

fn holder(graph: &mut Graph<'_>, users: &[Telling], credential: &Credential) -> Option<Holder> {
    if let Some(reference) = &credential.reference {
        return stored_token(graph, credential, reference)
            .or_else(|| named_after(users, credential));
    }
    if let Some(known) = graph
        .subjects
        .get(&credential.id)
        .and_then(|subject| graph.native.get(subject))
    {
        let text = "the file that holds it names whom it is for";
        return Some(Holder {
            identity: Some(known.clone()),
            join: Evidence::new(Grade::B, text),
            status: None,
        });
    }
    if credential.provider == "aws" {
        return in_account(graph, credential);
    }
    subject(graph, credential)
}

/// The token of a service account that a Secret stores: its reference reads `namespace/secret (token of account)`.
fn stored_token(graph: &mut Graph<'_>, credential: &Credential, reference: &str) -> Option<Holder> {
    if credential.provider != "kubernetes" {
        return None;
    }
    let (secret, account) = reference.strip_suffix(')')?.split_once(" (token of ")?;
    let (namespace, _) = secret.split_once('/')?;
    let native = format!("system:serviceaccount:{namespace}:{account}");
    let identity = match graph.native.get(&native) {
        Some(known) => known.clone(),
        None => graph.add_identity(of_native_id(&native, Grade::B)?),
    };
    Some(Holder {
        identity: Some(identity),
        join: Evidence::new(
            Grade::B,
            format!("the Secret says that it holds the token of account {account}"),
        ),
        status: None,
    })
}

/// An AWS key id that no user of the scan has: its account is all it tells.
fn in_account(graph: &mut Graph<'_>, credential: &Credential) -> Option<Holder> {
    let account_id = credential.account.clone()?;
    let mut identity = Identity::named(
        "aws",
        IdentityKind::AwsAccount,
        &account_id,
        &account_id,
        Grade::B,
    );
    identity.account = Some(account_id.clone());
    let scanned = graph.accounts.get(account_id.as_str()).copied();
    let temporary = credential
        .public_id
        .as_deref()
        .is_some_and(|id| id.starts_with("ASIA"));
    let (text, status) = match scanned {
        None => (
            format!("the key id carries account {account_id}, which is not in the scan"),
            None,
        ),
        Some(_) if temporary => (
            format!("the key id carries account {account_id}; temporary keys are in no inventory"),
            None,
        ),
        Some(account) => match gone(account, first_seen(credential), None) {
            Ok(()) => (
                format!(
                    "the key id carries account {account_id}, whose users have no such key: deleted or rotated"
                ),
                Some(CredentialStatus::Inactive),
            ),
            Err(why) => (
                format!("the key id carries account {account_id}, but {why}"),
                None,
            ),
        },
    };
    let identity = graph.add_identity(identity);
    let grade = if status.is_some() { Grade::A } else { Grade::B };
    Some(Holder {
        identity: Some(identity),
        join: Evidence::new(grade, text),
        status,
    })
}

/// When a credential was first seen in a repository.
fn first_seen(credential: &Credential) -> Option<Timestamp> {
    let seen = credential.sightings.iter();
    seen.filter_map(|sighting| sighting.first_seen).min()
}

/// Whether an account's inventory proves that a key, known since `first`, is no more; the error says why it does not.
/// `root` tells whether the key is one of root's, where that is known.
pub(super) fn gone(
    account: &AwsAccount,
    first: Option<Timestamp>,
    root: Option<bool>,
) -> Result<(), &'static str> {
    if !account.parts.access_keys {
        return Err("the snapshot does not have the key ids of all users");
    }
    match &account.root {
        _ if root == Some(false) => {}
        None => return Err("it may be a key of root, of which the snapshot does not tell"),
        Some(root) if root.keys.iter().any(|key| key.key_id.is_none()) => {
            return Err("it may be the key of root, whose id no export shows");
        }
        Some(_) => {}
    }
    // A key made after the snapshot cannot be in it.
    match (first, taken(account)) {
        (Some(first), Some(taken)) if first <= taken => Ok(()),
        _ => Err("it may be younger than the snapshot"),
    }
}

/// A time at or before the export.
pub(super) fn taken(account: &AwsAccount) -> Option<Timestamp> {
    let keys = account
        .users
        .iter()
        .flat_map(|user| &user.keys)
        .flat_map(|key| [key.created_at, key.last_use.at()]);
    let roles = account
        .roles
        .iter()
        .flat_map(|role| [role.created_at, role.last_use.at()]);
    let users = account
        .users
        .iter()
        .flat_map(|user| [user.created_at, user.password_last_use.at()]);
    let root = account
        .root
        .iter()
        .map(|root| match root.password_last_use {
            LastUse::At(at) => Some(at),
            LastUse::NeverSince(_) | LastUse::Unknown => None,
        });
    account
        .collected_at
        .or_else(|| keys.chain(roles).chain(users).chain(root).flatten().max())
}

/// The identity the material itself names.
fn subject(graph: &mut Graph<'_>, credential: &Credential) -> Option<Holder> {
    let subject = graph.subjects.get(&credential.id)?.clone();
    let identity = of_native_id(&subject, Grade::B)?;
    let text = format!("the credential itself names {subject}");
    Some(Holder {
        identity: Some(graph.add_identity(identity)),
        join: Evidence::new(Grade::B, text),
        status: None,
    })
}

/// An identity made from the form of its native id; `None` for a form that names no identity.
pub(super) fn of_native_id(native_id: &str, grade: Grade) -> Option<Identity> {
    if let Some(rest) = native_id.strip_prefix("system:serviceaccount:") {
        let (_, name) = rest.split_once(':')?;
        return Some(Identity::named(
            "kubernetes",
            IdentityKind::KubernetesServiceAccount,
            name,
            native_id,
            grade,
        ));
    }
    if let Some((name, domain)) = native_id.split_once('@') {
        if !domain.ends_with(".gserviceaccount.com") {
            return None;
        }
        let mut identity = Identity::named(
            "gcp",
            IdentityKind::GcpServiceAccount,
            name,
            native_id,
            grade,
        );
        identity.account = domain
            .strip_suffix(".iam.gserviceaccount.com")
            .map(str::to_owned);
        return Some(identity);
    }
    let mut segments = native_id.splitn(6, ':');
    let (arn, _, service) = (segments.next()?, segments.next()?, segments.next()?);
    let (_, account, resource) = (segments.next()?, segments.next()?, segments.next()?);
    if arn != "arn" || !matches!(service, "iam" | "sts") {
        return None;
    }
    let (kind, path) = resource.split_once('/')?;
    let (kind, name) = match kind {
        "role" => (IdentityKind::IamRole, path.rsplit('/').next()?),
        "user" => (IdentityKind::IamUser, path.rsplit('/').next()?),
        _ => return None,
    };
    let mut identity = Identity::named("aws", kind, name, native_id, grade);
    identity.account = Some(account.to_owned());
    Some(identity)
}

/// A user with keys, and the words of its name where they are telling enough to be found in a secret's name.
struct Telling {
    id: IdentityId,
    name: String,
    words: Vec<String>,
}

/// Users whose name can be recognised in a secret's: a short or common word says nothing.
fn telling_users(graph: &Graph<'_>) -> Vec<Telling> {
    graph
        .inventory
        .identities
        .values()
        .filter(|identity| {
            identity.kind == IdentityKind::IamUser && !identity.credentials.is_empty()
        })
        .map(|identity| Telling {
            id: identity.id.clone(),
            name: identity.name.clone(),
            words: identity
                .name
                .split(|c: char| !c.is_alphanumeric())
                .filter(|part| !part.is_empty())
                .map(str::to_lowercase)
                .collect(),
        })
        .filter(|user| user.words.len() > 1 || user.name.len() > 7)
        .collect()
}

/// A secret that carries the name of a user who has keys: `CI_DEPLOYER_AWS_SECRET_ACCESS_KEY`.
fn named_after(users: &[Telling], credential: &Credential) -> Option<Holder> {
    if credential.kind != ids::AWS_KEY {
        return None;
    }
    let reference = words::of(credential.reference.as_deref()?);
    let mut matching = users
        .iter()
        .filter(|user| words::has_run(&reference, &user.words));
    let (user, None) = (matching.next()?, matching.next()) else {
        return None;
    };
    Some(Holder {
        identity: Some(user.id.clone()),
        join: Evidence::new(
            Grade::D,
            format!("its name contains that of user {}", user.name),
        ),
        status: None,
    })
}
