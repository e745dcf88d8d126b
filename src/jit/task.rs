//! Where the task begins and ends: from logs where there are any, from declarations where there are none.

use super::JitContext;
use super::factors::last_use;
use super::subject::Subject;
use super::ttl::{Window, human};
use crate::model::evidence::{day, days_between};
use crate::model::{
    Activity, ConsumerClass, Evidence, Grade, LastUse, Rhythm, TaskBoundary, Ternary,
};

/// What logs show of a subject in one line.
pub fn in_words(activity: &Activity) -> String {
    let sessions = &activity.sessions;
    let failed = match activity.failed {
        0 => String::new(),
        failed => format!(", {failed} of them refused or failed"),
    };
    format!(
        "CloudTrail shows {} {}{failed} from {} to {} in {} {} of {} (half), {} (95 of 100) and {} (longest): {}, {}",
        activity.events,
        if activity.events == 1 {
            "call"
        } else {
            "calls"
        },
        day(activity.first),
        day(activity.last),
        sessions.count,
        if sessions.count == 1 {
            "session"
        } else {
            "sessions"
        },
        human(sessions.p50_seconds),
        human(sessions.p95_seconds),
        human(sessions.max_seconds),
        activity.rhythm.as_str(),
        activity.rhythm_evidence,
    )
}

/// The shortest distance between two runs of a cron schedule, in seconds, where its minutes and hours are plain.
pub fn cron_gap(schedule: &str) -> Option<u64> {
    let text = schedule.trim();
    let named = match text {
        "@hourly" => Some(3600),
        "@daily" | "@midnight" => Some(86_400),
        "@weekly" => Some(7 * 86_400),
        "@monthly" => Some(28 * 86_400),
        "@yearly" | "@annually" => Some(365 * 86_400),
        _ => None,
    };
    if named.is_some() {
        return named;
    }
    if let Some(rate) = text
        .strip_prefix("rate(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let (count, unit) = rate.trim().split_once(' ')?;
        let unit = match unit.trim_end_matches('s') {
            "minute" => 60,
            "hour" => 3600,
            "day" => 86_400,
            _ => return None,
        };
        return count.parse::<u64>().ok()?.checked_mul(unit);
    }
    let inner = text
        .strip_prefix("cron(")
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or(text);
    let fields: Vec<&str> = inner.split_whitespace().collect();
    let [minutes, hours, rest @ ..] = fields.as_slice() else {
        return None;
    };
    if rest.len() < 3 {
        return None;
    }
    let minutes = values(minutes, 60)?;
    let hours = values(hours, 24)?;
    let within = least_distance(&minutes, 60);
    if hours.len() == 24 {
        return Some(within * 60);
    }
    if minutes.len() > 1 {
        return Some(within * 60);
    }
    if hours.len() > 1 {
        return Some(least_distance(&hours, 24) * 3600);
    }
    Some(86_400)
}

fn values(field: &str, count: u32) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
            None if range == "*" || range == "?" => (0, count - 1),
            None => {
                let at: u32 = range.parse().ok()?;
                (at, if part.contains('/') { count - 1 } else { at })
            }
        };
        if from > to || to >= count {
            return None;
        }
        found.extend((from..=to).step_by(step as usize));
    }
    found.sort_unstable();
    found.dedup();
    (!found.is_empty()).then_some(found)
}

/// The shortest way from one value to the next, around the clock.
fn least_distance(values: &[u32], count: u32) -> u64 {
    let next = values.iter().zip(values.iter().skip(1)).map(|(a, b)| b - a);
    let around = match (values.first(), values.last()) {
        (Some(first), Some(last)) => count - last + first,
        _ => count,
    };
    u64::from(next.chain([around]).min().unwrap_or(count).max(1))
}

/// The boundary with its evidence.
pub fn boundary(context: &JitContext<'_>, subject: &Subject<'_>, window: &Window) -> TaskBoundary {
    let mut evidence = vec![subject.class_evidence.clone()];
    let main = subject.main_activity();
    evidence.extend(
        subject
            .activity
            .iter()
            .map(|activity| Evidence::new(Grade::A, in_words(activity))),
    );
    evidence.push(Evidence::new(
        if window.observed { Grade::A } else { Grade::B },
        format!("task window: {}", window.text),
    ));
    let bounded = match subject.class {
        class if class.bounded() => Ternary::Yes,
        ConsumerClass::Agent | ConsumerClass::Human | ConsumerClass::IncidentResponse => {
            Ternary::Yes
        }
        class if class.continuous() => Ternary::No,
        _ => match main.map(|activity| activity.rhythm) {
            Some(Rhythm::CronLike | Rhythm::Bursty) => Ternary::Yes,
            Some(Rhythm::Continuous) => Ternary::No,
            _ => Ternary::Unknown,
        },
    };
    let (stop_provable, text) = stop(subject);
    evidence.push(Evidence::new(
        if stop_provable == Ternary::Yes {
            Grade::A
        } else {
            Grade::C
        },
        text,
    ));
    evidence.extend(
        gaps(context, subject)
            .into_iter()
            .map(|gap| Evidence::new(Grade::C, gap)),
    );
    let mut told = std::collections::BTreeSet::new();
    evidence.retain(|one| told.insert(one.text.clone()));
    TaskBoundary {
        bounded,
        window_seconds: window.declared.then_some(window.seconds),
        rhythm: main.map(|activity| activity.rhythm),
        stop_provable,
        evidence,
    }
}

/// Whether it can be shown that the work stopped using the access.
fn stop(subject: &Subject<'_>) -> (Ternary, String) {
    if let Some(activity) = subject.main_activity() {
        return (
            Ternary::Yes,
            format!(
                "its use shows in CloudTrail, the last on {}: when the old access falls silent there, the work has stopped using it",
                day(activity.last)
            ),
        );
    }
    match last_use(subject) {
        LastUse::At(at) => (
            Ternary::Yes,
            format!(
                "the issuer tracks its last use ({}): when that stops moving, the work has stopped using it",
                day(at)
            ),
        ),
        LastUse::NeverSince(at) => (
            Ternary::Yes,
            format!(
                "the issuer tracks its use and saw none since {}",
                day(at)
            ),
        ),
        LastUse::Unknown if subject.annotated(|note| note.logged) == Some(true) => (
            Ternary::Yes,
            "the configuration says that its use is logged; the logs are not in the input".to_owned(),
        ),
        LastUse::Unknown => (
            Ternary::Unknown,
            "no log and no last use of it in the input: that the work stopped using it cannot be shown"
                .to_owned(),
        ),
    }
}

/// What the logs do not hold of this subject.
pub fn gaps(context: &JitContext<'_>, subject: &Subject<'_>) -> Vec<String> {
    let mut list = Vec::new();
    for activity in &subject.activity {
        list.extend(activity.left_out.iter().cloned());
    }
    let Some(window) = subject
        .account()
        .and_then(|account| context.inventory.observed.window(account))
    else {
        return list;
    };
    let days = days_between(window.from, window.to);
    let age = days_between(window.to, context.now);
    if age > 2 {
        list.push(format!(
            "the logs end on {}, days before this scan",
            day(window.to)
        ));
    }
    let services = subject
        .identity
        .map(|identity| identity.privilege.services.as_slice())
        .unwrap_or_default();
    let unlogged: Vec<&str> = services
        .iter()
        .map(String::as_str)
        .filter(|service| DATA_SERVICES.contains(service))
        .filter(|service| !window.data_services.iter().any(|known| known == service))
        .collect();
    if !unlogged.is_empty() {
        list.push(format!(
            "calls on data of {} are not in the logs ({days} d): what it reads or writes there is not known",
            unlogged.join(", ")
        ));
    }
    list
}

/// Services whose calls on data a trail logs only where it is told to.
const DATA_SERVICES: [&str; 14] = [
    "bedrock",
    "cognito-identity",
    "dynamodb",
    "ebs",
    "kinesis",
    "kinesisvideo",
    "lambda",
    "rds-data",
    "s3",
    "sagemaker",
    "sns",
    "sqs",
    "states",
    "timestream",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_tell_their_distance() {
        for (schedule, gap) in [
            ("*/15 * * * *", Some(900)),
            ("0 3 * * *", Some(86_400)),
            ("0 */6 * * *", Some(6 * 3600)),
            ("5,35 * * * *", Some(1800)),
            ("0 9-17 * * 1-5", Some(3600)),
            ("50,10 * * * *", Some(1200)),
            ("@daily", Some(86_400)),
            ("rate(5 minutes)", Some(300)),
            ("cron(0 12 * * ? *)", Some(86_400)),
            ("0 0 1 * *", Some(86_400)),
            ("whenever", None),
            ("99 * * * *", None),
            ("*/0 * * * *", None),
        ] {
            assert_eq!(cron_gap(schedule), gap, "{schedule}");
        }
    }
}
