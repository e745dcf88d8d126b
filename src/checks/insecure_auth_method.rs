//! Sign-ins by something that can be typed anywhere and that no condition binds.

use super::rating::Rating;
use super::subject::{
    capitalised, credential_name, full_name, identity_name, may_be_live, places, power,
};
use super::{Check, CheckContext};
use crate::model::{
    Consumer, Credential, CredentialStatus, FindingBuilder, Grade, Identity, IdentityKind, Severity,
};
use crate::rules::posture::CheckMeta;

/// A password without a second factor; a password, key or certificate for one service; keys of a role that any request from
/// its instance gets.
pub(super) struct InsecureAuthMethod;

impl Check for InsecureAuthMethod {
    fn id(&self) -> &'static str {
        "insecure-auth-method"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            // Reports do not tell of the root user's password; it has one unless they say otherwise.
            let signs_in = match identity.kind {
                IdentityKind::AwsRoot => identity.console_password != Some(false),
                _ => identity.console_password == Some(true),
            };
            if signs_in && identity.mfa == Some(false) {
                out.push(password(context, meta, identity));
            }
        }
        for credential in context.inventory.credentials.values() {
            if meta.words("methods").contains(&credential.kind)
                && credential.status == CredentialStatus::Active
                && may_be_live(credential, context.now)
                && let Some(holder) = context.inventory.identity_of(credential)
            {
                out.push(method(context, meta, credential, holder));
            }
        }
        for consumer in context.inventory.consumers.values() {
            if consumer
                .risks
                .iter()
                .any(|risk| risk == Consumer::OPEN_METADATA)
            {
                out.extend(metadata(context, meta, consumer));
            }
        }
    }
}

/// An instance that hands out its role's keys to any request; nothing where it runs as nobody.
fn metadata(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    consumer: &Consumer,
) -> Option<FindingBuilder> {
    let role = consumer
        .uses
        .identities
        .iter()
        .filter_map(|id| context.inventory.identities.get(id))
        .max_by_key(|identity| (identity.privilege.tier, &identity.id))?;
    let mut rating = Rating::of(meta);
    rating.cite(&consumer.evidence);
    rating.raise_for("the role", &power(Some(role), None));
    let name = &consumer.name;
    let holder = identity_name(role);
    Some(
        context
            .finding(meta, rating, Some(role), None)
            .discriminator(consumer.id.as_str())
            .text(
                format!("{name} gives the keys of {holder} to any request"),
                format!(
                    "The metadata service of {name} answers requests without a token (IMDSv1): whatever makes the \
                     instance fetch an address of its choosing gets temporary keys of {}.",
                    full_name(role)
                ),
            )
            .locations(
                consumer
                    .location
                    .clone()
                    .map_or_else(|| places(role), |at| vec![at]),
            ),
    )
}

fn password(context: &CheckContext<'_>, meta: &CheckMeta, identity: &Identity) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    rating.note(
        identity.grade,
        "it has a password and no second factor, by the issuer's own list",
    );
    let power = power(Some(identity), None);
    if power.tier >= Some(5) {
        rating.at_least(
            Severity::High,
            power.grade,
            &format!("it is {}", power.words),
        );
    } else if power.tier >= Some(4) {
        rating.raise(power.grade, &format!("it is {}", power.words));
    }
    let title = format!(
        "{} signs in with a password alone",
        capitalised(&identity_name(identity))
    );
    let message = format!(
        "{} can sign in to the console with a password and no second factor. Whoever learns or guesses it is {}.",
        capitalised(&full_name(identity)),
        identity_name(identity)
    );
    context
        .finding(meta, rating, Some(identity), None)
        .discriminator("password")
        .text(title, message)
        .locations(places(identity))
}

fn method(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
    holder: &Identity,
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    rating.note(
        credential.grade,
        format!(
            "the issuer says that {} is active",
            credential_name(credential)
        ),
    );
    if let Some(service) = &credential.last_used_service {
        rating.note(credential.grade, format!("it is for {service}"));
    }
    if meta.words("keyed").contains(&credential.kind) {
        rating.lower(Grade::A, "it proves a key and sends no password");
    } else if let Some(expiry) = credential.expires_at {
        rating.lower(
            Grade::A,
            &format!("it ends by itself on {}", super::subject::date(expiry)),
        );
    }
    let power = power(Some(holder), None);
    rating.raise_for("the holder", &power);
    let name = credential_name(credential);
    let title = format!(
        "{} signs in with {name}",
        capitalised(&identity_name(holder))
    );
    let message = format!(
        "{} holds {name}, a method that takes neither a second factor nor a condition. A copy of it works from anywhere.",
        capitalised(&full_name(holder))
    );
    context
        .finding(meta, rating, Some(holder), Some(credential))
        .text(title, message)
        .locations(places(holder))
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("insecure-auth-method"), @r#"
        fires-metadata-without-a-token
          high (high): aws_instance.web gives the keys of IAM role web to any request
            The metadata service of aws_instance.web answers requests without a token (IMDSv1): whatever makes the instance fetch an address of its choosing gets temporary keys of IAM role web of account 111122223333.
            at site/main.tf:3
            A severity medium → high: the role is able to escalate or to reach secret stores
        fires-passwords-and-service-credentials
          high (high): IAM user ann signs in with a password alone
            IAM user ann of account 111122223333 can sign in to the console with a password and no second factor. Whoever learns or guesses it is IAM user ann.
            at aws/111122223333/account-authorization-details.json:7
            A it has a password and no second factor, by the issuer's own list
            A severity medium → high: it is an administrator
          high (high): Root user signs in with a password alone
            Root user of account 111122223333 can sign in to the console with a password and no second factor. Whoever learns or guesses it is root user.
            at aws/111122223333/account-authorization-details.json:7
            A it has a password and no second factor, by the issuer's own list
            A severity medium → high: it is an administrator
          low (high): IAM user mirror signs in with AWS service specific credential ACCA-2
            IAM user mirror of account 111122223333 holds AWS service specific credential ACCA-2, a method that takes neither a second factor nor a condition. A copy of it works from anywhere.
            at aws/111122223333/account-authorization-details.json:7
            A the issuer says that AWS service specific credential ACCA-2 is active
            A it is for bedrock
            A severity medium → low: it ends by itself on 2026-12-01
          medium (high): IAM user mirror signs in with AWS service specific credential ACCA-1
            IAM user mirror of account 111122223333 holds AWS service specific credential ACCA-1, a method that takes neither a second factor nor a condition. A copy of it works from anywhere.
            at aws/111122223333/account-authorization-details.json:7
            A the issuer says that AWS service specific credential ACCA-1 is active
            A it is for codecommit
          low (high): IAM user mirror signs in with AWS SSH public key APKA-1
            IAM user mirror of account 111122223333 holds AWS SSH public key APKA-1, a method that takes neither a second factor nor a condition. A copy of it works from anywhere.
            at aws/111122223333/account-authorization-details.json:7
            A the issuer says that AWS SSH public key APKA-1 is active
            A severity medium → low: it proves a key and sends no password
        "#);
    }
}
