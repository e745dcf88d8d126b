//! The account every pod shares that names none.

use super::rating::Rating;
use super::subject::{list, places, plural, power};
use super::{Check, CheckContext};
use crate::model::consumer::MOUNTS_TOKEN;
use crate::model::{Consumer, FindingBuilder, Identity, IdentityKind, Location, Severity};
use crate::rules::posture::CheckMeta;

/// Most places of one finding.
const MAX_PLACES: usize = 50;

/// A namespace's default service account whose token workloads mount, or that something is bound to.
pub(super) struct KubernetesDefaultAccount;

impl Check for KubernetesDefaultAccount {
    fn id(&self) -> &'static str {
        "k8s-default-sa"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if identity.kind != IdentityKind::KubernetesServiceAccount || identity.name != "default"
            {
                continue;
            }
            let mounting: Vec<&Consumer> = context
                .inventory
                .consumers_of(&identity.consumers)
                .filter(|consumer| consumer.risks.iter().any(|risk| risk == MOUNTS_TOKEN))
                .collect();
            let bound = identity.privilege.tier >= 1;
            if !mounting.is_empty() || bound {
                out.push(finding(context, meta, identity, &mounting));
            }
        }
    }
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    mounting: &[&Consumer],
) -> FindingBuilder {
    let namespace = identity
        .native_id
        .rsplit(':')
        .nth(1)
        .unwrap_or("default")
        .to_owned();
    let power = power(Some(identity), None);
    let mut rating = Rating::of(meta);
    rating.cite(&identity.privilege.evidence);
    let why = format!("it is {}", power.words);
    match power.tier {
        Some(4..) => rating.at_least(Severity::High, power.grade, &why),
        Some(2 | 3) => rating.at_least(Severity::Medium, power.grade, &why),
        _ => {}
    }
    let names: Vec<&str> = mounting
        .iter()
        .map(|consumer| consumer.name.as_str())
        .collect();
    let count = i64::try_from(mounting.len()).unwrap_or(i64::MAX);
    let (title, message) = if mounting.is_empty() {
        (
            format!("The default service account of namespace {namespace} is bound to a role"),
            format!(
                "A binding gives the default service account of namespace {namespace} rights; every pod \
                 there that names no account has them. It is {}.",
                power.words
            ),
        )
    } else {
        (
            format!(
                "{} as the default service account of namespace {namespace}",
                if count == 1 {
                    "1 workload runs".to_owned()
                } else {
                    format!("{} run", plural(count, "workload"))
                }
            ),
            format!(
                "In namespace {namespace}, what names no service account mounts the token of the default \
                 one, which is {}: {}.",
                power.words,
                list(&names)
            ),
        )
    };
    let mut at: Vec<Location> = mounting
        .iter()
        .filter_map(|consumer| consumer.location.clone())
        .collect();
    at.sort();
    for place in places(identity) {
        if !at.contains(&place) {
            at.push(place);
        }
    }
    at.truncate(MAX_PLACES);
    context
        .finding(meta, rating, Some(identity), None)
        .text(title, message)
        .locations(at)
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("k8s-default-sa"), @r#"
        fires-bound-only
          medium (high): The default service account of namespace ops is bound to a role
            A binding gives the default service account of namespace ops rights; every pod there that names no account has them. It is able to read or write one resource's data.
            at site/k8s/binding.yml:3
            A severity low → medium: it is able to read or write one resource's data
        fires-mounted-or-bound
          high (high): 1 workload runs as the default service account of namespace shop
            In namespace shop, what names no service account mounts the token of the default one, which is able to escalate or to reach secret stores: Deployment shop/web.
            at kubernetes/111122223333
            B get secrets: reading every secret in reach, in one namespace
            A severity low → high: it is able to escalate or to reach secret stores
        "#);
    }
}
