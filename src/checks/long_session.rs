//! Sessions that may outlast their task.

use super::rating::Rating;
use super::subject::{
    capitalised, duration, full_name, identity_name, places, power, provider_managed,
};
use super::trusted::{ways_in, ways_in_for_callers};
use super::{Check, CheckContext};
use crate::model::{
    BreakGlass, Confidence, ConsumerClass, FindingBuilder, Grade, Identity, Severity,
};
use crate::rules::posture::CheckMeta;

/// A role whose longest session is known and too long: for an emergency role, for the longest run its consumers declare,
/// or for machines whose work has an end.
pub(super) struct LongSession;

/// Why a session is too long.
struct TooLong {
    grade: Grade,
    reason: String,
    emergency: bool,
}

impl Check for LongSession {
    fn id(&self) -> &'static str {
        "long-session"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            let only_services = ways_in(identity).next().is_some()
                && ways_in_for_callers(identity).next().is_none();
            if provider_managed(identity) || only_services {
                continue;
            }
            let Some(longest) = identity.session_limit() else {
                continue;
            };
            if let Some(too_long) = too_long(context, meta, identity, longest) {
                out.push(finding(context, meta, identity, longest, &too_long));
            }
        }
    }
}

fn too_long(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    longest: u64,
) -> Option<TooLong> {
    let number = |name: &str| meta.number(name).and_then(|n| u64::try_from(n).ok());
    if longest <= number("shortest_maximum_seconds").unwrap_or_default() {
        return None;
    }
    let emergency_limit = context.thresholds.break_glass_max_session_seconds;
    if let Some(known) = identity.break_glass
        && longest > emergency_limit
    {
        let (grade, sure) = match known {
            BreakGlass::Declared => (Grade::B, "it is emergency access"),
            BreakGlass::Suspected => (Grade::D, "its name suggests emergency access"),
        };
        return Some(TooLong {
            grade,
            reason: format!(
                "{sure}, which has to end within {}",
                duration(emergency_limit)
            ),
            emergency: true,
        });
    }
    let run = context
        .inventory
        .consumers_of(&identity.consumers)
        .map(|consumer| consumer.timeout_seconds)
        .collect::<Option<Vec<u64>>>()
        .and_then(|runs| runs.into_iter().max());
    if let (Some(run), Some(factor)) = (run, number("timeout_factor"))
        && longest > run.saturating_mul(factor)
    {
        return Some(TooLong {
            grade: Grade::B,
            reason: format!("the longest run its consumers declare is {}", duration(run)),
            emergency: false,
        });
    }
    let limit = context.thresholds.long_session_seconds;
    if longest <= limit {
        return None;
    }
    let class = identity.consumer_class;
    if !class.bounded() && class != ConsumerClass::Agent {
        return None;
    }
    let reason = format!(
        "its consumer is of class {}, whose work has an end",
        class.as_str()
    );
    Some(TooLong {
        grade: Grade::B,
        reason,
        emergency: false,
    })
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    longest: u64,
    too_long: &TooLong,
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    rating.note(too_long.grade, too_long.reason.clone());
    if too_long.grade == Grade::D {
        rating.no_surer(Confidence::Medium);
    }
    if too_long.emergency {
        rating.at_least(Severity::Medium, too_long.grade, "it is an emergency role");
    }
    let power = power(Some(identity), None);
    if power.tier >= Some(4) {
        rating.raise(
            power.grade,
            &format!("whoever assumes it is {}", power.words),
        );
    }
    let title = format!(
        "{} allows sessions of {}",
        capitalised(&identity_name(identity)),
        duration(longest)
    );
    let message = format!(
        "Sessions of {} may last {}, but {}. What is left of a session after the task is access \
         without a purpose.",
        full_name(identity),
        duration(longest),
        too_long.reason,
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
        insta::assert_snapshot!(report("long-session"), @r#"
        fires-beyond-the-task
          medium (high): IAM role deploy allows sessions of 12 h
            Sessions of IAM role deploy of account 111122223333 may last 12 h, but its consumer is of class ci, whose work has an end. What is left of a session after the task is access without a purpose.
            at aws/111122223333/account-authorization-details.json:7
            B its consumer is of class ci, whose work has an end
            A severity low → medium: whoever assumes it is able to escalate or to reach secret stores
          medium (medium): IAM role break-glass allows sessions of 4 h
            Sessions of IAM role break-glass of account 111122223333 may last 4 h, but its name suggests emergency access, which has to end within 1 h. What is left of a session after the task is access without a purpose.
            at aws/111122223333/account-authorization-details.json:7
            D its name suggests emergency access, which has to end within 1 h
            D severity low → medium: it is an emergency role
          low (high): IAM role nightly allows sessions of 2 h
            Sessions of IAM role nightly of account 111122223333 may last 2 h, but the longest run its consumers declare is 15 min. What is left of a session after the task is access without a purpose.
            at aws/111122223333/account-authorization-details.json:7
            B the longest run its consumers declare is 15 min
        "#);
    }
}
