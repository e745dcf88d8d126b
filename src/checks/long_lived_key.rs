//! Credentials older than they may be.

use super::rating::Rating;
use super::subject::{
    capitalised, credential_name, date, days, full_name, last_use, may_be_live, places, power,
};
use super::{Check, CheckContext};
use crate::model::evidence::days_between;
use crate::model::{
    Confidence, Credential, CredentialStatus, FindingBuilder, IdentityKind, Location, Sighting,
};
use crate::rules::posture::CheckMeta;

/// A credential whose time of issue is known, older than the threshold and still accepted as far as is known.
///
/// An unknown age is not reported. Root keys belong to `root-access-key`.
pub(super) struct LongLivedKey;

impl Check for LongLivedKey {
    fn id(&self) -> &'static str {
        "long-lived-key"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let limit = context.thresholds.long_lived_days;
        for credential in context.inventory.credentials.values() {
            let identity = context.inventory.identity_of(credential);
            if identity.is_some_and(|identity| identity.kind == IdentityKind::AwsRoot)
                || !may_be_live(credential, context.now)
            {
                continue;
            }
            let Some(created) = credential.created_at else {
                continue;
            };
            let age = days_between(created, context.now);
            if age <= limit {
                continue;
            }
            let mut rating = Rating::of(meta);
            rating.note(credential.grade, format!("issued on {}", date(created)));
            if credential.status == CredentialStatus::Unknown {
                rating.no_surer(Confidence::Medium);
                rating.note(credential.grade, "nobody has said whether it still works");
            }
            let power = power(identity, Some(credential));
            rating.weigh("the holder", &power);
            let very_old = meta
                .number("very_old_factor")
                .map(|factor| limit.saturating_mul(factor));
            if let Some(very_old) = very_old.filter(|very_old| age > *very_old) {
                rating.raise(credential.grade, &format!("older than {}", days(very_old)));
            }

            let name = capitalised(&credential_name(credential));
            let whose = identity.map_or_else(String::new, |i| format!(" of {}", full_name(i)));
            let ends = match credential.expires_at {
                Some(expiry) => format!("works until {}", date(expiry)),
                None => "has no expiry".to_owned(),
            };
            let title = format!("{name} is {} old", days(age));
            let message = format!(
                "{name}{whose} was issued on {}, {} ago, and {ends}; {} is the limit. It {}.",
                date(created),
                days(age),
                days(limit),
                last_use(credential.last_use, context.now),
            );
            let at: Vec<Location> = if let Some(identity) = identity {
                places(identity)
            } else {
                seen_at(credential)
            };
            if at.is_empty() {
                continue;
            }
            out.push(
                context
                    .finding(meta, rating, identity, Some(credential))
                    .text(title, message)
                    .locations(at),
            );
        }
    }
}

fn seen_at(credential: &Credential) -> Vec<Location> {
    credential
        .sightings
        .iter()
        .map(Sighting::location)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("long-lived-key"), @r#"
        fires-old
          critical (high): AWS access key AKIA-OLD is 412 days old
            AWS access key AKIA-OLD of IAM user deployer of account 111122223333 was issued on 2025-09-15, 412 days ago, and has no expiry; 90 days is the limit. It was last used 1 day ago.
            at aws/111122223333/account-authorization-details.json:7
            A issued on 2025-09-15
            A severity medium → high: the holder is an administrator
            A severity high → critical: older than 360 days
          medium (medium): Kubernetes service account token is 153 days old
            Kubernetes service account token of Kubernetes service account builder of account site was issued on 2026-06-01, 153 days ago, and has no expiry; 90 days is the limit. It has no usage record.
            at site/k8s/builder.yml:4
            A issued on 2026-06-01
            A nobody has said whether it still works
        "#);
    }
}
