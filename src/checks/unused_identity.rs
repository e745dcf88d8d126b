//! Identities that nobody uses, by the provider's own records.

use super::rating::Rating;
use super::subject::{
    capitalised, days, full_name, identity_name, last_use, may_be_live, places, plural, power,
    provider_managed,
};
use super::{Check, CheckContext};
use crate::model::{BreakGlass, Confidence, FindingBuilder, Identity, IdentityKind, LastUse};
use crate::rules::posture::CheckMeta;

/// An identity without use for longer than the threshold, whose every credential that may still be live is idle as well.
///
/// One missing usage record is enough for silence: unknown is not unused. A user whose own record is missing is judged
/// by its keys when it is known to have no password.
pub(super) struct UnusedIdentity;

impl Check for UnusedIdentity {
    fn id(&self) -> &'static str {
        "unused-identity"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let limit = context.thresholds.unused_days;
        for identity in context.inventory.identities.values() {
            if provider_managed(identity)
                || identity.kind == IdentityKind::AwsRoot
                || identity.break_glass == Some(BreakGlass::Declared)
            {
                continue;
            }
            let Some((latest, idle)) = latest_use(context, identity).filter(|use_| use_.1 > limit)
            else {
                continue;
            };
            let mut rating = Rating::of(meta);
            rating.note(
                identity.grade,
                format!("it {}", last_use(latest, context.now)),
            );
            let power = power(Some(identity), None);
            rating.weigh("it", &power);
            if identity.break_glass == Some(BreakGlass::Suspected) {
                let why = "its name suggests emergency access, which is meant to lie idle";
                rating.lower(identity.grade, why);
                rating.no_surer(Confidence::Medium);
            }
            let keys = context
                .inventory
                .credentials_of(&identity.credentials)
                .filter(|credential| may_be_live(credential, context.now))
                .count();
            let doors = match i64::try_from(keys) {
                Ok(0) | Err(_) => String::new(),
                Ok(keys) => format!(" and still holds {}", plural(keys, "credential")),
            };
            let title = format!(
                "{} has been unused for {}",
                capitalised(&identity_name(identity)),
                days(idle)
            );
            let message = format!(
                "{} {}{doors}; it is {}. {} without use is the limit.",
                capitalised(&full_name(identity)),
                last_use(latest, context.now),
                power.words,
                capitalised(&days(limit)),
            );
            out.push(
                context
                    .finding(meta, rating, Some(identity), None)
                    .text(title, message)
                    .locations(places(identity)),
            );
        }
    }
}

/// The most recent use over the identity and its live credentials, with the days since; `None` when any record is missing.
fn latest_use(context: &CheckContext<'_>, identity: &Identity) -> Option<(LastUse, i64)> {
    let mut records: Vec<LastUse> = context
        .inventory
        .credentials_of(&identity.credentials)
        .filter(|credential| may_be_live(credential, context.now))
        .map(|credential| credential.last_use)
        .collect();
    let by_keys_alone = identity.kind == IdentityKind::IamUser
        && identity.console_password == Some(false)
        && !records.is_empty();
    if identity.last_use != LastUse::Unknown || !by_keys_alone {
        records.push(identity.last_use);
    }
    let mut latest: Option<(LastUse, i64)> = None;
    for record in records {
        let idle = record.idle_days(context.now)?;
        // A use at a known time says more than a tracking period without one.
        let closer = latest.is_none_or(|(kept, least)| {
            (idle, record.at().is_none()) < (least, kept.at().is_none())
        });
        if closer {
            latest = Some((record, idle));
        }
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("unused-identity"), @r#"
        fires-idle
          high (high): IAM role migration has been unused for 300 days
            IAM role migration of account 111122223333 was last used 300 days ago; it is able to escalate or to reach secret stores. 90 days without use is the limit.
            at aws/111122223333/account-authorization-details.json:7
            A it was last used 300 days ago
            A severity medium → high: it is able to escalate or to reach secret stores
          medium (high): IAM user ann has been unused for 184 days
            IAM user ann of account 111122223333 was last used 184 days ago and still holds 1 credential; it is able to read or write one resource's data. 90 days without use is the limit.
            at aws/111122223333/account-authorization-details.json:7
            A it was last used 184 days ago
          medium (high): IAM user exporter has been unused for 518 days
            IAM user exporter of account 111122223333 has never been used since 2025-06-01 and still holds 1 credential; it is of unknown privilege. 90 days without use is the limit.
            at aws/111122223333/account-authorization-details.json:7
            A it has never been used since 2025-06-01
        "#);
    }
}
