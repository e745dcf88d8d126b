//! Keys that were kept when a role took their place.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, identity_name, power};
use super::uses::{consumers, places, static_key};
use super::{Check, CheckContext};
use crate::model::{
    Confidence, Consumer, ConsumerClass, Credential, Federation, FindingBuilder, Grade, Identity,
    IdentityId, IdentityKind,
};
use crate::rules::posture::CheckMeta;
use std::collections::BTreeSet;

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
    if power.tier >= Some(4) {
        rating.raise(power.grade, &format!("the key's holder is {}", power.words));
    }
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
        insta::assert_snapshot!(report("dual-path"), @r#"
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
        "#);
    }
}
