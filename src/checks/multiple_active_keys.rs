//! Identities with several active keys.

use super::rating::Rating;
use super::subject::{capitalised, date, full_name, identity_name, list, places, power, words};
use super::{Check, CheckContext};
use crate::model::evidence::days_between;
use crate::model::{
    Credential, CredentialStatus, FindingBuilder, Identity, IdentityKind, Severity,
};
use crate::rules::posture::CheckMeta;
use std::collections::BTreeMap;

/// An identity with two or more credentials of one kind that the issuer says are active and that do not expire.
pub(super) struct MultipleActiveKeys;

impl Check for MultipleActiveKeys {
    fn id(&self) -> &'static str {
        "multiple-active-keys"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if identity.kind == IdentityKind::AwsRoot {
                continue;
            }
            let mut by_kind: BTreeMap<&str, Vec<&Credential>> = BTreeMap::new();
            for credential in context.inventory.credentials_of(&identity.credentials) {
                if credential.status == CredentialStatus::Active
                    && credential.expires_at.is_none()
                    && credential.expires_by_nature != Some(true)
                {
                    by_kind
                        .entry(&credential.kind)
                        .or_default()
                        .push(credential);
                }
            }
            for (kind, mut keys) in by_kind {
                if keys.len() > 1 {
                    keys.sort_by_key(|key| (key.created_at, key.public_id.clone(), key.id.clone()));
                    out.push(finding(context, meta, identity, kind, &keys));
                }
            }
        }
    }
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    kind: &str,
    keys: &[&Credential],
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    let power = power(Some(identity), None);
    rating.raise_for("the holder", &power);
    let newest = keys.iter().filter_map(|key| key.created_at).max();
    let quiet = context.thresholds.quiet_days;
    if let Some(newest) = newest.filter(|newest| days_between(*newest, context.now) < quiet) {
        let why = format!(
            "the newest is of {}: a rotation may be under way",
            date(newest)
        );
        rating.at_most(Severity::Info, identity.grade, &why);
    }
    let described: Vec<String> = keys
        .iter()
        .map(|key| {
            let name = key.public_id.clone().unwrap_or_else(|| "one".to_owned());
            key.created_at.map_or(name.clone(), |created| {
                format!("{name} of {}", date(created))
            })
        })
        .collect();
    let kind = words(kind);
    let title = format!(
        "{} has {} active {kind}s",
        capitalised(&identity_name(identity)),
        keys.len()
    );
    let message = format!(
        "{} has {} active {kind}s: {}. The second is meant for the days of a rotation.",
        capitalised(&full_name(identity)),
        keys.len(),
        list(&described),
    );
    context
        .finding(meta, rating, Some(identity), None)
        .discriminator(kind)
        .text(title, message)
        .locations(places(identity))
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("multiple-active-keys"), @r#"
        fires-two-keys
          info (high): IAM user rotating has 2 active AWS access keys
            IAM user rotating of account 111122223333 has 2 active AWS access keys: AKIA-FIRST of 2026-07-01 and AKIA-SECOND of 2026-10-27. The second is meant for the days of a rotation.
            at aws/111122223333/account-authorization-details.json:7
            A severity low → info: the newest is of 2026-10-27: a rotation may be under way
          low (high): IAM user deployer has 2 active AWS access keys
            IAM user deployer of account 111122223333 has 2 active AWS access keys: AKIA-ONE of 2025-01-01 and AKIA-TWO of 2026-02-01. The second is meant for the days of a rotation.
            at aws/111122223333/account-authorization-details.json:7
        "#);
    }
}
