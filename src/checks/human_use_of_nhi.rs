//! One identity shared by a person and a machine.

use super::rating::Rating;
use super::subject::{
    capitalised, credential_name, full_name, identity_name, list, may_be_live, places, power,
};
use super::{Check, CheckContext};
use crate::model::{
    Confidence, Consumer, ConsumerClass, Credential, CredentialStatus, FindingBuilder, Grade,
    Identity, IdentityKind, Location, Severity, Sighting,
};
use crate::rules::posture::CheckMeta;

/// A service user that people sign in to, or a person's credential that machines use.
pub(super) struct HumanUseOfNhi;

impl Check for HumanUseOfNhi {
    fn id(&self) -> &'static str {
        "human-use-of-nhi"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if identity.kind == IdentityKind::IamUser {
                out.extend(person_in_service_user(context, meta, identity));
            }
            out.extend(seen_by_hand(context, meta, identity));
        }
        for credential in context.inventory.credentials.values() {
            out.extend(machine_on_personal_credential(context, meta, credential));
        }
    }
}

/// Work that no person does by hand.
fn is_machine(class: ConsumerClass) -> bool {
    class.bounded() || class.continuous() || class == ConsumerClass::Agent
}

/// Why a user is taken for a machine's.
fn machine_evidence(identity: &Identity) -> (Grade, String) {
    if is_machine(identity.consumer_class) {
        let class = identity.consumer_class.as_str();
        return (Grade::B, format!("its consumer is of class {class}"));
    }
    let why = identity.human_evidence.as_deref();
    (
        Grade::D,
        why.unwrap_or("nothing says that it is a person's")
            .to_owned(),
    )
}

fn person_in_service_user(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
) -> Option<FindingBuilder> {
    if identity.human {
        return None;
    }
    let keys = context
        .inventory
        .credentials_of(&identity.credentials)
        .filter(|credential| credential.status == CredentialStatus::Active)
        .count();
    let what = match (identity.console_password, identity.mfa) {
        (Some(true), _) if keys > 0 => "a console password beside its keys",
        (Some(false), Some(true)) if keys > 0 => "an MFA device, which only a person can use",
        _ => return None,
    };
    let (grade, machine) = machine_evidence(identity);
    let mut rating = Rating::of(meta);
    rating.note(grade, machine.clone());
    if grade == Grade::D {
        rating.no_surer(Confidence::Medium);
    }
    if identity.console_password == Some(false) {
        rating.at_most(Severity::Low, identity.grade, "it has no console password");
    }
    let power = power(Some(identity), None);
    rating.raise_for("it", &power);
    let title = format!("Service user {} is set up for a person", identity.name);
    let message = format!(
        "{} counts as a machine ({machine}) and has {what}: what people do with it cannot be told \
         from the machine's work.",
        capitalised(&full_name(identity)),
    );
    Some(
        context
            .finding(meta, rating, Some(identity), None)
            .discriminator("person in a service user")
            .text(title, message)
            .locations(places(identity)),
    )
}

/// Logs show that people work with a machine's identity.
fn seen_by_hand(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
) -> Option<FindingBuilder> {
    let machine = matches!(identity.kind, IdentityKind::IamUser | IdentityKind::IamRole);
    if identity.human || !machine {
        return None;
    }
    let activities: Vec<_> = context
        .inventory
        .observed
        .of_identity(&identity.id)
        .collect();
    let signs: Vec<_> = activities
        .iter()
        .flat_map(|activity| &activity.by_hand)
        .collect();
    // The hours of an office alone are a habit of machines as well.
    let sure = signs.iter().filter(|sign| sign.grade == Grade::A).count();
    let by_machines = activities.iter().any(|activity| {
        activity.access_key.is_some()
            || matches!(
                activity.rhythm,
                crate::model::Rhythm::CronLike | crate::model::Rhythm::Continuous
            )
    }) || is_machine(identity.consumer_class)
        || identity.kind == IdentityKind::IamUser;
    if sure == 0 || !by_machines {
        return None;
    }
    let (grade, machine) = machine_evidence(identity);
    let mut rating = Rating::of(meta);
    rating.note(grade, machine);
    for sign in &signs {
        rating.note(sign.grade, sign.text.clone());
    }
    let power = power(Some(identity), None);
    rating.raise_for("it", &power);
    let texts: Vec<String> = signs.iter().map(|sign| sign.text.clone()).collect();
    let message = format!(
        "CloudTrail shows that people work with {}: {}. What they do cannot be told from the machine's work.",
        full_name(identity),
        list(&texts),
    );
    Some(
        context
            .finding(meta, rating, Some(identity), None)
            .discriminator("people seen in logs")
            .text(
                format!("People work with the machine's {}", identity.name),
                message,
            )
            .locations(places(identity)),
    )
}

fn machine_on_personal_credential(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
) -> Option<FindingBuilder> {
    let machines: Vec<&Consumer> = context
        .inventory
        .consumers_of(&credential.consumers)
        .filter(|consumer| is_machine(consumer.class))
        .collect();
    if machines.is_empty() || !may_be_live(credential, context.now) {
        return None;
    }
    let identity = context.inventory.identity_of(credential);
    let of_person =
        identity.filter(|identity| identity.human && identity.kind != IdentityKind::AwsRoot);
    let personal = meta.words("personal").contains(&credential.kind);
    let mut rating = Rating::of(meta);
    let whose = match of_person {
        Some(person) => {
            if let Some(why) = &person.human_evidence {
                rating.note(person.grade, why.clone());
            }
            format!("of {}", identity_name(person))
        }
        None if personal => {
            rating.no_surer(Confidence::Medium);
            rating.note(Grade::D, "tokens of this type belong to a person's account");
            "of a person's account".to_owned()
        }
        None => return None,
    };
    let power = power(of_person, Some(credential));
    rating.raise_for("the holder", &power);
    let mut names: Vec<String> = machines
        .iter()
        .map(|consumer| format!("{} ({})", consumer.name, consumer.class.as_str()))
        .collect();
    names.sort();
    names.dedup();
    let mut at: Vec<Location> = machines.iter().filter_map(|c| c.location.clone()).collect();
    at.extend(credential.sightings.iter().map(Sighting::location));
    at.extend(of_person.into_iter().flat_map(places));
    if at.is_empty() {
        return None;
    }
    let name = capitalised(&credential_name(credential));
    let title = format!("{name} {whose} runs automation");
    let message = format!(
        "{name} {whose} is used by {}: it stops, or does not, when the person leaves.",
        list(&names)
    );
    Some(
        context
            .finding(meta, rating, of_person, Some(credential))
            .discriminator("machine on a person's credential")
            .text(title, message)
            .locations(at),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("human-use-of-nhi"), @r#"
        fires-shared
          high (medium): Service user svc-backup is set up for a person
            IAM user svc-backup of account 111122223333 counts as a machine (its name says `svc`, though it has a console password) and has a console password beside its keys: what people do with it cannot be told from the machine's work.
            at aws/111122223333/account-authorization-details.json:7
            D its name says `svc`, though it has a console password
            A severity medium → high: it is able to escalate or to reach secret stores
          low (high): Service user release is set up for a person
            IAM user release of account 111122223333 counts as a machine (its consumer is of class ci) and has an MFA device, which only a person can use: what people do with it cannot be told from the machine's work.
            at aws/111122223333/account-authorization-details.json:7
            B its consumer is of class ci
            A severity medium → low: it has no console password
          medium (high): AWS access key AKIA-ANN of IAM user ann runs automation
            AWS access key AKIA-ANN of IAM user ann is used by deploy.yml/deploy (ci): it stops, or does not, when the person leaves.
            at site/.github/workflows/deploy.yml:20, aws/111122223333/account-authorization-details.json:7
            A she signs in with a password
          medium (medium): GitHub personal access token token of a person's account runs automation
            GitHub personal access token token of a person's account is used by deploy.yml/deploy (ci): it stops, or does not, when the person leaves.
            at site/.github/workflows/deploy.yml:20, site/.github/workflows/release.yml:8
            D tokens of this type belong to a person's account
        "#);
    }
}
