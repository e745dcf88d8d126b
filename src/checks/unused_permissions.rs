//! Permissions that nobody uses, by the provider's own records.

use super::rating::Rating;
use super::subject::{
    capitalised, days, full_name, identity_name, list, places, plural, power, provider_managed,
};
use super::{Check, CheckContext};
use crate::model::evidence::days_between;
use crate::model::{FindingBuilder, Grade, Identity, IdentityKind, PermissionUse};
use crate::rules::posture::CheckMeta;

/// Access level whose unused actions always count.
const PERMISSIONS: &str = "permissions-management";
/// Access levels in which something could be changed.
const CHANGING: [&str; 2] = ["write", PERMISSIONS];

/// An identity that is used, and uses too little of what it is granted.
pub(super) struct UnusedPermissions;

impl Check for UnusedPermissions {
    fn id(&self) -> &'static str {
        "unused-permissions"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let least = meta.number("least_share").unwrap_or_default();
        for identity in context.inventory.identities.values() {
            if provider_managed(identity) || identity.kind == IdentityKind::AwsRoot {
                continue;
            }
            let Some(usage) = &identity.privilege.usage else {
                continue;
            };
            let tracked = days_between(usage.since, usage.until);
            let idle = usage.services_used.is_empty() && usage.actions_used == 0;
            if usage.too_early.is_some() || tracked < context.thresholds.unused_days || idle {
                continue;
            }
            let share = usage.unused_share().unwrap_or_default();
            let changing = CHANGING
                .iter()
                .any(|level| usage.unused_by_level.contains_key(*level));
            let counts = usage.actions_unused > 0
                && (i64::from(share) >= least
                    || usage.unused_by_level.contains_key(PERMISSIONS)
                    || (changing && !usage.services_unused.is_empty()));
            if counts {
                out.push(finding(context, meta, identity, usage, tracked));
            }
        }
    }
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    usage: &PermissionUse,
    tracked: i64,
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    let count = |n: u32| i64::from(n);
    rating.note(
        Grade::A,
        format!(
            "of {} actions granted, {} were used in {}, {} were not, of {} nobody keeps a record",
            usage.actions_granted,
            usage.actions_used,
            days(tracked),
            usage.actions_unused,
            usage.actions_unknown
        ),
    );
    let levels: Vec<String> = usage
        .unused_by_level
        .iter()
        .map(|(level, actions)| format!("{actions} {level}"))
        .collect();
    rating.note(Grade::A, format!("not used: {}", levels.join(", ")));
    if !usage.services_unused.is_empty() {
        rating.note(
            Grade::A,
            format!(
                "services granted and not used: {}",
                list(&usage.services_unused)
            ),
        );
    }
    if !usage.services_without_actions.is_empty() {
        rating.note(
            Grade::A,
            format!(
                "used, but only the service is recorded and all of its actions are kept: {}",
                list(&usage.services_without_actions)
            ),
        );
    }
    let mut statements: Vec<_> = usage
        .statements
        .iter()
        .filter(|statement| statement.unused > 0)
        .collect();
    statements.sort_by_key(|statement| std::cmp::Reverse(statement.unused));
    for statement in statements.into_iter().take(4) {
        rating.note(
            Grade::A,
            format!(
                "{}, {}: {} of {} actions not used",
                statement.policy, statement.statement, statement.unused, statement.granted
            ),
        );
    }
    let holds = |level: &str| usage.unused_by_level.contains_key(level);
    let power = power(Some(identity), None);
    if holds(PERMISSIONS) || identity.privilege.admin {
        let why = if identity.privilege.admin {
            "it is an administrator"
        } else {
            "the unused part can change permissions"
        };
        rating.raise(power.grade, why);
    } else if !holds("write") {
        rating.lower(power.grade, "everything unused only lists, reads or tags");
    }
    let title = format!(
        "{} does not use {} of the {} actions it may",
        capitalised(&identity_name(identity)),
        usage.actions_unused,
        usage.actions_granted
    );
    let pieces: usize = usage
        .smaller
        .iter()
        .map(|smaller| smaller.documents.len())
        .sum();
    let smaller = match i64::try_from(pieces) {
        Ok(0) | Err(_) => String::new(),
        Ok(pieces) => format!(
            " {} that {} what is used {} in the report.",
            capitalised(&plural(pieces, "smaller policy").replace("policys", "policies")),
            if pieces == 1 { "keeps" } else { "keep" },
            if pieces == 1 { "is" } else { "are" }
        ),
    };
    let message = format!(
        "{} was granted {} and used {} of them in the {} before {}; {} were not used.{smaller}",
        capitalised(&full_name(identity)),
        plural(count(usage.actions_granted), "action"),
        usage.actions_used,
        days(tracked),
        super::subject::date(usage.until),
        usage.actions_unused
    );
    context
        .finding(meta, rating, Some(identity), None)
        .text(title, message)
        .locations(places(identity))
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("unused-permissions"), @r#"
        fires-much-unused
          low (high): IAM role reader does not use 40 of the 50 actions it may
            IAM role reader of account 111122223333 was granted 50 actions and used 10 of them in the 395 days before 2026-10-01; 40 were not used.
            at aws/111122223333/account-authorization-details.json:7
            A of 50 actions granted, 10 were used in 395 days, 40 were not, of 0 nobody keeps a record
            A not used: 10 list, 30 read
            A severity medium → low: everything unused only lists, reads or tags
          medium (high): IAM role app does not use 20 of the 30 actions it may
            IAM role app of account 111122223333 was granted 30 actions and used 4 of them in the 395 days before 2026-10-01; 20 were not used.
            at aws/111122223333/account-authorization-details.json:7
            A of 30 actions granted, 4 were used in 395 days, 20 were not, of 6 nobody keeps a record
            A not used: 5 read, 15 write
            A services granted and not used: sqs
            A inline policy `app`, statement `Main`: 20 of 30 actions not used
          high (high): IAM role everything does not use 15000 of the 20000 actions it may
            IAM role everything of account 111122223333 was granted 20000 actions and used 4 of them in the 395 days before 2026-10-01; 15000 were not used. 1 smaller policy that keeps what is used is in the report.
            at aws/111122223333/account-authorization-details.json:7
            A of 20000 actions granted, 4 were used in 395 days, 15000 were not, of 4996 nobody keeps a record
            A not used: 400 permissions-management, 9000 write
            A services granted and not used: sqs and iam
            A used, but only the service is recorded and all of its actions are kept: s3
            A severity medium → high: it is an administrator
        "#);
    }
}
