//! How long access should last: the task's window, within what the mechanism can issue, at a length on offer.

use super::JitContext;
use super::subject::Subject;
use super::task::cron_gap;
use crate::model::{ConsumerClass, Rhythm, Ttl};
use crate::rules::targets::{MechanismClass, Target};
use std::fmt::Write as _;

/// How long the task takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Seconds.
    pub seconds: u64,
    /// Someone declared it or logs show it; otherwise it is a preset of the class.
    pub declared: bool,
    /// Logs show it.
    pub observed: bool,
    /// Where it comes from.
    pub text: String,
}

/// Seconds in words: `15 min`, `2 h`, `30 d`.
pub fn human(seconds: u64) -> String {
    match seconds {
        s if s >= 86_400 && s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s >= 3_600 && s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s >= 60 && s % 60 == 0 => format!("{} min", s / 60),
        s if s >= 86_400 => format!("about {} d", s / 86_400),
        s if s >= 3_600 => format!("about {} h", s / 3_600),
        s if s >= 60 => format!("about {} min", s / 60),
        s => format!("{s} s"),
    }
}

/// The task window: annotated, else the longest limit its consumers declare, else the preset of its class.
pub fn window(context: &JitContext<'_>, subject: &Subject<'_>) -> Window {
    if let Some(seconds) = subject.annotated(|note| note.task_seconds) {
        return Window {
            seconds,
            declared: true,
            observed: false,
            text: format!("task_seconds {seconds} in the configuration"),
        };
    }
    if let Some(window) = observed(context, subject) {
        return window;
    }
    let longest = subject
        .consumers
        .iter()
        .filter_map(|consumer| Some((consumer.timeout_seconds?, consumer)))
        .max_by_key(|(seconds, consumer)| (*seconds, &consumer.id));
    if let Some((seconds, consumer)) = longest {
        let limit = match consumer.class {
            ConsumerClass::Ci if seconds % 60 == 0 => format!("timeout-minutes {}", seconds / 60),
            _ => format!("limit of {}", human(seconds)),
        };
        return Window {
            seconds,
            declared: true,
            observed: false,
            text: format!("{limit} of {}", consumer.name),
        };
    }
    let presets = &context.scoring.ttl;
    let (seconds, what) = match subject.class {
        ConsumerClass::Agent => (presets.agent_window_seconds, "session budget of an agent"),
        ConsumerClass::Human | ConsumerClass::IncidentResponse => {
            (presets.human_window_seconds, "working session of a person")
        }
        class if class.continuous() => (
            presets.service_window_seconds,
            "one renewable grant of a continuous service",
        ),
        ConsumerClass::Vendor => (presets.service_window_seconds, "one run of a vendor"),
        _ => (presets.default_window_seconds, "preset for bounded work"),
    };
    let few = subject
        .main_activity()
        .filter(|activity| !subject.class.continuous() && activity.sessions.count > 0)
        .map_or_else(String::new, |activity| {
            format!(
                " and CloudTrail shows too few sessions ({}) to tell",
                activity.sessions.count
            )
        });
    // A run is over before the next one starts.
    let next = subject
        .consumers
        .iter()
        .filter_map(|consumer| Some((cron_gap(consumer.schedule.as_deref()?)?, consumer)))
        .min_by_key(|(gap, consumer)| (*gap, &consumer.id));
    if let Some((gap, consumer)) = next.filter(|(gap, _)| *gap < seconds) {
        return Window {
            seconds: gap,
            declared: false,
            observed: false,
            text: format!(
                "nothing declares how long the task takes{few}; {} starts every {}, so a run is shorter",
                consumer.name,
                human(gap)
            ),
        };
    }
    Window {
        seconds,
        declared: false,
        observed: false,
        text: format!(
            "nothing declares how long the task takes{few}; {what}: {}",
            human(seconds)
        ),
    }
}

/// The length of 95 of 100 sessions that logs show, of work that ends.
fn observed(context: &JitContext<'_>, subject: &Subject<'_>) -> Option<Window> {
    let activity = subject.main_activity()?;
    let sessions = &activity.sessions;
    if sessions.count < context.scoring.task.window_sessions
        || activity.rhythm == Rhythm::Continuous
        || subject.class.continuous()
    {
        return None;
    }
    let limit = subject
        .consumers
        .iter()
        .filter_map(|consumer| consumer.timeout_seconds)
        .max()
        .map_or_else(String::new, |limit| {
            format!("; at most {} is declared", human(limit))
        });
    Some(Window {
        seconds: sessions.p95_seconds.max(1),
        declared: true,
        observed: true,
        text: format!(
            "CloudTrail: 95 of 100 of {} sessions take {} or less (half {}, longest {}; a pause of {} ends one){limit}",
            sessions.count,
            human(sessions.p95_seconds),
            human(sessions.p50_seconds),
            human(sessions.max_seconds),
            human(sessions.gap_seconds),
        ),
    })
}

/// The proposed lifetime for a target.
///
/// Of a window that is a limit or a preset, the longest length on offer that is not longer is taken, so that access ends
/// no later than the work and is renewed only by a fresh request. Of a window that was seen, the shortest that covers it
/// is, so that 95 of 100 runs end before their access does. Where the mechanism cannot issue anything that short, its
/// minimum is taken.
pub fn propose(context: &JitContext<'_>, window: &Window, target: Option<&Target>) -> Ttl {
    let Some(target) = target else {
        return Ttl {
            seconds: None,
            evidence: format!(
                "{}; no mechanism is known that issues anything",
                window.text
            ),
        };
    };
    let Some(limits) = &target.ttl else {
        return Ttl {
            seconds: None,
            evidence: format!(
                "{}; nothing to set: {}",
                window.text,
                match target.refresh {
                    crate::rules::targets::Refresh::Platform =>
                        "the platform issues and renews it while the workload lives",
                    _ => "the mechanism issues nothing",
                }
            ),
        };
    };
    // A static key does not end with the task, however short that is: what can be set is how often it changes.
    if target.class == MechanismClass::RotateOnly {
        return Ttl {
            seconds: Some(limits.default),
            evidence: format!(
                "{}; a static key goes on after the task: it is changed every {}; {}",
                window.text,
                human(limits.default),
                limits.note
            ),
        };
    }
    let clamped = window.seconds.clamp(limits.min, limits.max);
    let allowed = &context.scoring.ttl.allowed_seconds;
    let offered = allowed
        .iter()
        .copied()
        .filter(|seconds| (limits.min..=limits.max).contains(seconds));
    let shorter = offered.clone().filter(|seconds| *seconds <= clamped).max();
    let covering = offered.filter(|seconds| *seconds >= clamped).min();
    let fitting = if window.observed {
        covering.or(shorter)
    } else {
        shorter.or(covering)
    };
    let snapped = fitting.unwrap_or(limits.min);
    let mut evidence = format!("{}; {}", window.text, limits.note);
    if fitting.is_none() {
        let allowed: Vec<String> = allowed.iter().map(|seconds| human(*seconds)).collect();
        let _ = write!(
            evidence,
            "; ttl.allowed_seconds allows only {}, and none of these lies between {} and {}, which it \
             can issue: its shortest is taken, which nobody has allowed",
            allowed.join(", "),
            human(limits.min),
            human(limits.max)
        );
    } else if !window.observed && shorter.is_none() && snapped > clamped {
        evidence.push_str("; the shortest length that ttl.allowed_seconds allows");
    } else if snapped < window.seconds {
        evidence.push_str("; a longer run asks again and is judged again");
    } else if window.observed && clamped == window.seconds {
        evidence.push_str("; the next length on offer that covers them");
    } else if snapped > window.seconds {
        evidence.push_str("; ends with the task where it can be revoked, at this limit where not");
    }
    Ttl {
        seconds: Some(snapped),
        evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_read_as_people_say_them() {
        let said: Vec<String> = [45, 900, 5400, 3600, 43_200, 86_400, 90_061, 5401]
            .into_iter()
            .map(human)
            .collect();
        assert_eq!(
            said,
            [
                "45 s",
                "15 min",
                "90 min",
                "1 h",
                "12 h",
                "1 d",
                "about 1 d",
                "about 1 h"
            ]
        );
    }
}
