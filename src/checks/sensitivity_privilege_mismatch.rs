//! Low-risk tasks with high rights.

use super::rating::Rating;
use super::subject::{capitalised, full_name, identity_name, places, power, power_evidence};
use super::{Check, CheckContext, naming};
use crate::model::{
    Confidence, Consumer, Environment, FindingBuilder, Grade, Identity, IdentityKind,
};
use crate::rules::posture::CheckMeta;

/// A job, workload or identity whose name or environment says that its task is a low-risk one, and that administers,
/// escalates, or reaches production.
pub(super) struct SensitivityPrivilegeMismatch;

impl Check for SensitivityPrivilegeMismatch {
    fn id(&self) -> &'static str {
        "sensitivity-privilege-mismatch"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if identity.human || identity.break_glass.is_some() {
                continue;
            }
            let Some((why, grade)) = low_risk(meta, identity) else {
                continue;
            };
            own_rights(context, meta, identity, (&why, grade), out);
            borrowed_rights(context, meta, identity, (&why, grade), out);
        }
    }
}

/// Why the task is a low-risk one.
fn low_risk(meta: &CheckMeta, identity: &Identity) -> Option<(String, Grade)> {
    // Of a job, the name of the job itself; its file is called after many.
    let name = if identity.kind == IdentityKind::CiJob {
        identity.name.rsplit('/').next().unwrap_or(&identity.name)
    } else {
        &identity.name
    };
    let words = naming::words_of(name);
    let serious = meta.words("serious");
    if words.iter().any(|word| serious.contains(word)) {
        return None;
    }
    let said = meta
        .words("low_risk")
        .iter()
        .find(|word| words.contains(word));
    if let Some(word) = said {
        return Some((format!("its name says `{word}`"), Grade::D));
    }
    matches!(
        identity.environment,
        Environment::Development | Environment::Staging
    )
    .then(|| {
        (
            format!("it belongs to {}", identity.environment.as_str()),
            Grade::C,
        )
    })
}

fn own_rights(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    (why, grade): (&str, Grade),
    out: &mut Vec<FindingBuilder>,
) {
    let power = power(Some(identity), None);
    // An environment of its own may need its own administrator: only a task that is low-risk by name does not.
    let environment_only = grade == Grade::C && identity.kind != IdentityKind::CiJob;
    if power.tier.is_none_or(|tier| tier < 4) || environment_only {
        return;
    }
    let mut rating = Rating::of(meta);
    rating.no_surer(Confidence::Medium);
    rating.note(grade, why);
    rating.cite(power_evidence(Some(identity)));
    if identity.privilege.admin {
        rating.raise(power.grade, "it is an administrator");
    }
    let message = format!(
        "{} is {}, though {why}. Whoever gets hold of a task that nobody guards gets those rights.",
        capitalised(&full_name(identity)),
        power.words
    );
    out.push(
        context
            .finding(meta, rating, Some(identity), None)
            .text(
                format!(
                    "{} is {}",
                    capitalised(&identity_name(identity)),
                    power.words
                ),
                message,
            )
            .locations(places(identity)),
    );
}

/// What the consumer that this identity is uses beside itself.
fn borrowed_rights(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    (why, grade): (&str, Grade),
    out: &mut Vec<FindingBuilder>,
) {
    let itself = |consumer: &&Consumer| consumer.identity.as_ref() == Some(&identity.id);
    let consumers = context.inventory.consumers_of(&identity.consumers);
    for consumer in consumers.filter(itself) {
        for used in &consumer.uses.identities {
            let Some(used) = context.inventory.identities.get(used) else {
                continue;
            };
            let power = power(Some(used), None);
            let production = used.environment == Environment::Production;
            let strong = power.tier.is_some_and(|tier| tier >= 4);
            if used.id == identity.id
                || !(strong || production)
                || used.kind == IdentityKind::McpServer
            {
                continue;
            }
            let mut rating = Rating::of(meta);
            rating.no_surer(Confidence::Medium);
            rating.note(grade, why);
            rating.cite(power_evidence(Some(used)));
            if strong && production {
                rating.raise(power.grade, "the rights are strong and in production");
            }
            let what = if production {
                format!("{}, in production", power.words)
            } else {
                power.words.to_owned()
            };
            let message = format!(
                "{} acts as {}, which is {what}, though {why}.",
                capitalised(&full_name(identity)),
                full_name(used),
            );
            out.push(
                context
                    .finding(meta, rating, Some(identity), None)
                    .discriminator(used.native_id.as_str())
                    .text(
                        format!(
                            "{} acts as {}",
                            capitalised(&identity_name(identity)),
                            identity_name(used)
                        ),
                        message,
                    )
                    .locations(places(identity)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("sensitivity-privilege-mismatch"), @"
        fires-lint-and-preview
          medium (medium): CI job ci.yml/lint is able to escalate or to reach secret stores
            CI job ci.yml/lint of account site is able to escalate or to reach secret stores, though its name says `lint`. Whoever gets hold of a task that nobody guards gets those rights.
            at site/.github/workflows/ci.yml:9
            D its name says `lint`
            B permissions declare packages:write
          high (medium): IAM user docs-role is an administrator
            IAM user docs-role of account 111122223333 is an administrator, though its name says `docs`. Whoever gets hold of a task that nobody guards gets those rights.
            at aws/111122223333/account-authorization-details.json:7
            D its name says `docs`
            A severity medium → high: it is an administrator
        ");
    }
}
