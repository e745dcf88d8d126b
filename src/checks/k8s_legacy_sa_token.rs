//! Stored tokens of Kubernetes service accounts.

use super::rating::Rating;
use super::subject::{full_name, may_be_live, places, power, power_evidence};
use super::{Check, CheckContext};
use crate::model::{Credential, FindingBuilder, Location, Severity};
use crate::rules::posture::CheckMeta;

/// Type of the credential.
const KIND: &str = "kubernetes-service-account-token";

/// A token of a service account that never expires.
pub(super) struct KubernetesLegacyToken;

impl Check for KubernetesLegacyToken {
    fn id(&self) -> &'static str {
        "k8s-legacy-sa-token"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            if credential.kind != KIND
                || credential.expires_at.is_some()
                || credential.expires_by_nature == Some(true)
                || !may_be_live(credential, context.now)
            {
                continue;
            }
            if let Some(finding) = finding(context, meta, credential) {
                out.push(finding);
            }
        }
    }
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
) -> Option<FindingBuilder> {
    let holder = context.inventory.identity_of(credential);
    let power = power(holder, None);
    let mut rating = Rating::of(meta);
    rating.cite(power_evidence(holder));
    let why = format!("its account is {}", power.words);
    match power.tier {
        Some(4..) => rating.at_least(Severity::High, power.grade, &why),
        Some(0 | 1) => rating.lower(power.grade, &why),
        _ => {}
    }
    let whose = holder.map_or_else(
        || "a service account that was not seen".to_owned(),
        full_name,
    );
    let (title, message) = match &credential.reference {
        Some(name) => (
            format!("Secret {name} is filled with a token that never expires"),
            format!(
                "The cluster writes a token of {whose} into Secret {name} and never changes it; whoever \
                 reads the Secret once is {} until it is deleted.",
                power.words
            ),
        ),
        None => (
            format!("A token of {whose} never expires"),
            format!(
                "The token carries no expiry: whoever copies it is {} until its Secret or its account \
                 is deleted.",
                power.words
            ),
        ),
    };
    let mut at: Vec<Location> = credential
        .sightings
        .iter()
        .map(|seen| Location::file(&seen.repository, &seen.uri, seen.line, seen.column))
        .collect();
    if at.is_empty() {
        at = holder.map(places)?;
    }
    Some(
        context
            .finding(meta, rating, holder, Some(credential))
            .text(title, message)
            .locations(at),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("k8s-legacy-sa-token"), @r#"
        fires-stored
          high (high): Secret shop/robot-token (token of robot) is filled with a token that never expires
            The cluster writes a token of Kubernetes service account robot of account 111122223333 into Secret shop/robot-token (token of robot) and never changes it; whoever reads the Secret once is able to escalate or to reach secret stores until it is deleted.
            at site/k8s/robot.yml:2
            B list secrets: reading every secret in reach
            A severity medium → high: its account is able to escalate or to reach secret stores
          medium (high): A token of a service account that was not seen never expires
            The token carries no expiry: whoever copies it is of unknown privilege until its Secret or its account is deleted.
            at site/k8s/token.yml:3
        "#);
    }
}
