//! Workloads on platforms that give an identity, and a stored key all the same.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, list, power};
use super::uses::static_key;
use super::{Check, CheckContext};
use crate::model::{
    Confidence, Consumer, ConsumerClass, Credential, Federation, FindingBuilder, Grade,
};
use crate::rules::posture::CheckMeta;
use std::collections::BTreeMap;

/// A workload whose platform can prove what it is, and that uses a long-lived cloud key.
pub(super) struct ComputeStaticKey;

impl Check for ComputeStaticKey {
    fn id(&self) -> &'static str {
        "compute-static-key"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let mut held: BTreeMap<&crate::model::ConsumerId, Vec<&Credential>> = BTreeMap::new();
        for credential in context.inventory.credentials.values() {
            if static_key(context, meta, credential) {
                for consumer in &credential.consumers {
                    held.entry(consumer).or_default().push(credential);
                }
            }
        }
        for (id, credentials) in held {
            let Some(consumer) = context.inventory.consumers.get(id) else {
                continue;
            };
            let other = matches!(
                consumer.class,
                ConsumerClass::Ci
                    | ConsumerClass::Agent
                    | ConsumerClass::Human
                    | ConsumerClass::Vendor
            );
            let given = meta.words("identity").contains(&consumer.runtime);
            let able = meta.words("able").contains(&consumer.runtime)
                || matches!(
                    consumer.federation,
                    Federation::Configured | Federation::Supported
                );
            if !other && (given || able) {
                out.extend(finding(context, meta, consumer, &credentials, given));
            }
        }
    }
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    consumer: &Consumer,
    credentials: &[&Credential],
    given: bool,
) -> Option<FindingBuilder> {
    let first = *credentials.first()?;
    let holder = context.inventory.identity_of(first);
    let mut rating = Rating::of(meta);
    rating.note(
        Grade::B,
        format!("{} runs on {}", consumer.name, consumer.runtime),
    );
    if consumer.federation == Federation::Configured {
        rating.note(Grade::B, "an identity of the platform is set up for it");
    } else if !given {
        rating.lower(
            Grade::B,
            "the platform proves its identity only after that is set up",
        );
        rating.no_surer(Confidence::Medium);
    }
    let power = power(holder, Some(first));
    rating.raise_for("the holder", &power);
    let names: Vec<String> = credentials.iter().map(|key| credential_name(key)).collect();
    let title = format!("{} signs in with a stored key", consumer.name);
    let message = format!(
        "{} on {} uses {}, although its platform can give it an identity of its own. A copy of the key works anywhere \
         and for ever.",
        capitalised(&consumer.name),
        consumer.runtime,
        list(&names)
    );
    let mut places: Vec<_> = consumer.location.iter().cloned().collect();
    places.extend(super::uses::places(context, first));
    places.dedup();
    if places.is_empty() {
        return None;
    }
    Some(
        context
            .finding(meta, rating, holder, Some(first))
            .text(title, message)
            .discriminator(consumer.id.as_str())
            .locations(places),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("compute-static-key"), @r#"
        fires-beside-an-identity
          low (medium): Deployment shop/api signs in with a stored key
            Deployment shop/api on kubernetes uses AWS access key by-name, although its platform can give it an identity of its own. A copy of the key works anywhere and for ever.
            at site/deploy.yaml:30
            B Deployment shop/api runs on kubernetes
            B severity medium → low: the platform proves its identity only after that is set up
          high (high): service web signs in with a stored key
            Service web on ecs uses AWS access key AKIA-APP, although its platform can give it an identity of its own. A copy of the key works anywhere and for ever.
            at site/ecs.json:9
            B service web runs on ecs
            A severity medium → high: the holder is an administrator
        "#);
    }
}
