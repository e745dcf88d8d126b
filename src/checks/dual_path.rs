//! Keys that were kept when a role took their place.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, identity_name, list, power};
use super::uses::{consumers, places, static_key};
use super::{Check, CheckContext};
use crate::model::{
    Confidence, Consumer, ConsumerClass, Credential, FEDERATES_TO, Federation, FindingBuilder,
    Grade, Identity, IdentityId, IdentityKind, PrincipalKind,
};
use crate::rules::posture::CheckMeta;
use std::collections::{BTreeMap, BTreeSet};

/// A static key beside a way in that needs none.
pub(super) struct DualPath;

/// The way in that needs no key.
struct Beside<'a> {
    consumer: &'a Consumer,
    role: &'a Identity,
    /// The same consumer uses the key.
    same: bool,
}

impl Check for DualPath {
    fn id(&self) -> &'static str {
        "dual-path"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            if !static_key(context, meta, credential) {
                continue;
            }
            if let Some(beside) = beside(context, credential) {
                out.extend(finding(context, meta, credential, &beside));
            } else if let Some((consumer, how)) = proves(context, credential) {
                out.extend(unknown_role(context, meta, credential, consumer, how));
            } else if let Some((role, shared)) = same_rights(context, credential) {
                out.push(replaced(context, meta, credential, role, &shared));
            }
        }
    }
}

/// A consumer that becomes an identity of the credential's provider without a key.
fn federated<'a>(
    context: &CheckContext<'a>,
    credential: &Credential,
    consumer: &'a Consumer,
) -> Option<&'a Identity> {
    if consumer.federation != Federation::Configured {
        return None;
    }
    let own: Option<&IdentityId> = credential.identity.as_ref();
    consumer
        .uses
        .identities
        .iter()
        .filter(|id| Some(*id) != own)
        .filter_map(|id| context.inventory.identities.get(id))
        .find(|identity| {
            identity.provider == credential.provider
                && matches!(
                    identity.kind,
                    IdentityKind::IamRole
                        | IdentityKind::GcpServiceAccount
                        | IdentityKind::AzureServicePrincipal
                )
                && same_account(identity, credential)
        })
}

/// The key and the role belong to one account, as far as both are known.
fn same_account(identity: &Identity, credential: &Credential) -> bool {
    match (&identity.account, &credential.account) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn beside<'a>(context: &CheckContext<'a>, credential: &'a Credential) -> Option<Beside<'a>> {
    let own = consumers(context, credential);
    for consumer in &own {
        if let Some(role) = federated(context, credential, consumer) {
            return Some(Beside {
                consumer,
                role,
                same: true,
            });
        }
    }
    // Jobs of a repository are moved one after the other: the key that is left is of the same work.
    let repositories: BTreeSet<&str> = own
        .iter()
        .filter(|consumer| consumer.class == ConsumerClass::Ci)
        .filter_map(|consumer| consumer.repository.as_deref())
        .collect();
    context
        .inventory
        .consumers
        .values()
        .filter(|consumer| {
            consumer.class == ConsumerClass::Ci
                && consumer
                    .repository
                    .as_deref()
                    .is_some_and(|name| repositories.contains(name))
        })
        .find_map(|consumer| {
            let role = federated(context, credential, consumer)?;
            Some(Beside {
                consumer,
                role,
                same: false,
            })
        })
}

/// A consumer that uses the key and, by its own configuration, becomes something of the same provider that the files do not
/// name.
fn proves<'a>(
    context: &CheckContext<'a>,
    credential: &'a Credential,
) -> Option<(&'a Consumer, &'a str)> {
    let to = format!("{FEDERATES_TO}{} ", credential.provider);
    consumers(context, credential)
        .into_iter()
        .find_map(|consumer| {
            let how = consumer
                .evidence
                .iter()
                .find(|evidence| evidence.text.contains(&to))?;
            Some((consumer, how.text.as_str()))
        })
}

fn unknown_role(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
    consumer: &Consumer,
    how: &str,
) -> Option<FindingBuilder> {
    let holder = context.inventory.identity_of(credential);
    let mut rating = Rating::of(meta);
    rating.note(Grade::B, format!("{}: {how}", consumer.name));
    let power = power(holder, Some(credential));
    rating.raise_for("the key's holder", &power);
    let name = credential_name(credential);
    let title = format!("{} is still there beside federation", capitalised(&name));
    let message = format!(
        "{} signs in without a key, as something the files do not name, and takes {name} all the same. Until it is \
         deleted, the move has changed nothing for whoever holds a copy.",
        consumer.name
    );
    let places = places(context, credential);
    (!places.is_empty()).then(|| {
        context
            .finding(meta, rating, holder, Some(credential))
            .text(title, message)
            .locations(places)
    })
}

/// A role that workloads outside the account become by proving what they are, and that may do all that the user of the key
/// may: by the same policies.
fn same_rights<'a>(
    context: &CheckContext<'a>,
    credential: &Credential,
) -> Option<(&'a Identity, Vec<String>)> {
    let user = context.inventory.identity_of(credential)?;
    if user.kind != IdentityKind::IamUser || user.human {
        return None;
    }
    let policies = |identity: &Identity| -> BTreeMap<String, String> {
        context
            .inventory
            .grants_of(&identity.grants)
            .filter(|grant| grant.tier >= 3)
            .map(|grant| {
                let same = (&grant.actions, &grant.resources);
                let key = if grant.native_id.starts_with("arn:") {
                    grant.native_id.clone()
                } else {
                    format!("{same:?}")
                };
                (key, grant.name.clone())
            })
            .collect()
    };
    let own = policies(user);
    if own.is_empty() {
        return None;
    }
    context
        .inventory
        .identities
        .values()
        .filter(|role| role.kind == IdentityKind::IamRole && role.account == user.account)
        .filter(|role| {
            role.trust
                .iter()
                .any(|path| path.principal_kind == PrincipalKind::Oidc)
        })
        .find(|role| {
            let theirs = policies(role);
            own.keys().all(|key| theirs.contains_key(key))
        })
        .map(|role| (role, own.into_values().collect()))
}

fn replaced(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
    role: &Identity,
    shared: &[String],
) -> FindingBuilder {
    let holder = context.inventory.identity_of(credential);
    let mut rating = Rating::of(meta);
    rating.note(
        role.grade,
        format!(
            "{} has every policy of the key's user: {}",
            identity_name(role),
            list(shared)
        ),
    );
    rating.no_surer(Confidence::Medium);
    let power = power(holder, Some(credential));
    rating.raise_for("the key's holder", &power);
    let name = credential_name(credential);
    let title = format!(
        "{} can do what {} does without one",
        capitalised(&name),
        identity_name(role)
    );
    let whose = holder.map_or_else(String::new, |user| format!(" of {}", identity_name(user)));
    let message = format!(
        "{name}{whose} gives no right to change anything that {} does not have, which workloads become by proving what \
         they are. One of the two ways in is not needed.",
        identity_name(role)
    );
    let mut at = places(context, credential);
    if at.is_empty() {
        at = holder.map_or_else(Vec::new, super::subject::places);
    }
    context
        .finding(meta, rating, holder, Some(credential))
        .discriminator("rights")
        .text(title, message)
        .locations(at)
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
    beside: &Beside<'_>,
) -> Option<FindingBuilder> {
    let holder = context.inventory.identity_of(credential);
    let mut rating = Rating::of(meta);
    let (consumer, role) = (beside.consumer, beside.role);
    let who = if beside.same {
        "uses the key"
    } else {
        "is of the same repository"
    };
    rating.note(
        Grade::B,
        format!(
            "{} {who} and becomes {} without one",
            consumer.name,
            identity_name(role)
        ),
    );
    if !beside.same {
        rating.lower(Grade::B, "the role and the key only meet in one repository");
        rating.no_surer(Confidence::Medium);
    }
    let power = power(holder, Some(credential));
    rating.raise_for("the key's holder", &power);
    let name = credential_name(credential);
    let title = format!(
        "{} is still there beside {}",
        capitalised(&name),
        identity_name(role)
    );
    let message = format!(
        "{} can become {} without a key, and {name} is still accepted as far as is known. Until it is deleted, the \
         move has changed nothing for whoever holds a copy.",
        consumer.name,
        identity_name(role)
    );
    let places = places(context, credential);
    (!places.is_empty()).then(|| {
        context
            .finding(meta, rating, holder, Some(credential))
            .text(title, message)
            .locations(places)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("dual-path"), @"
        fires-federation-and-rights
          medium (high): AWS access key AKIA-KEPT is still there beside federation
            release.yml/push signs in without a key, as something the files do not name, and takes AWS access key AKIA-KEPT all the same. Until it is deleted, the move has changed nothing for whoever holds a copy.
            at site/.github/workflows/release.yml:9
            B release.yml/push: aws-actions/configure-aws-credentials federates to aws by role-to-assume
          medium (medium): AWS access key AKIA-UPLOAD can do what IAM role uploader does without one
            AWS access key AKIA-UPLOAD of IAM user ci-uploader gives no right to change anything that IAM role uploader does not have, which workloads become by proving what they are. One of the two ways in is not needed.
            at aws/111122223333/account-authorization-details.json:7
            A IAM role uploader has every policy of the key's user: upload
        fires-key-beside-a-role
          high (high): AWS access key AKIA-BOTH is still there beside IAM role deploy
            deploy.yml/deploy can become IAM role deploy without a key, and AWS access key AKIA-BOTH is still accepted as far as is known. Until it is deleted, the move has changed nothing for whoever holds a copy.
            at site/.github/workflows/deploy.yml:20
            B deploy.yml/deploy uses the key and becomes IAM role deploy without one
            A severity medium → high: the key's holder is able to escalate or to reach secret stores
          low (medium): AWS access key AKIA-LEFT is still there beside IAM role deploy
            deploy.yml/deploy can become IAM role deploy without a key, and AWS access key AKIA-LEFT is still accepted as far as is known. Until it is deleted, the move has changed nothing for whoever holds a copy.
            at site/.github/workflows/report.yml:12
            B deploy.yml/deploy is of the same repository and becomes IAM role deploy without one
            B severity medium → low: the role and the key only meet in one repository
        ");
    }
}
