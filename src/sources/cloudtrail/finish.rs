//! From counts to what is reported: sessions, rhythm, actions, callers.

use super::names::{by_hand, plural};
use super::tally::{Names, Start, Sum, Tally, Window};
use super::{EventNames, Reading, SOURCE, rhythm};
use crate::model::{
    ActionKind, ActionUse, Activity, CallerUse, Counted, Coverage, CoverageStatus, Evidence, Grade,
    LogWindow, Observed,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Days without any event from which a hole in the logs is told.
const HOLE_DAYS: i64 = 2;
/// Most callers listed for one principal.
const MAX_CALLERS: usize = 32;
/// Calls from which the hours of use say something.
const ENOUGH_CALLS: u64 = 100;

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}

fn date(days: i64) -> String {
    time(days * 86_400).strftime("%Y-%m-%d").to_string()
}

/// What was read, by account, and what is missing.
pub(super) fn cover(sum: &Sum, coverage: &mut Vec<Coverage>) {
    for (account, window) in &sum.windows {
        let unit = format!("{SOURCE}/{account}");
        let (Some(from), Some(to)) = (window.from, window.to) else {
            continue;
        };
        let data = if window.data_events == 0 {
            "no calls on data (objects, items, messages) are in them, so which data was used is not known".to_owned()
        } else {
            let of: Vec<&str> = window.data_sources.iter().map(String::as_str).collect();
            format!("calls on data of {} only", of.join(", "))
        };
        coverage.push(Coverage::new(
            SOURCE,
            unit.clone(),
            CoverageStatus::Read,
            format!(
                "{} from {} to {}; {data}",
                plural(window.events, "event"),
                date(from.div_euclid(86_400)),
                date(to.div_euclid(86_400))
            ),
        ));
        for hole in holes(window) {
            coverage.push(Coverage::new(
                SOURCE,
                unit.clone(),
                CoverageStatus::Noted,
                format!(
                    "no event from {} to {}: files may be missing",
                    date(hole.0),
                    date(hole.1)
                ),
            ));
        }
    }
    if sum.more_principals {
        coverage.push(Coverage::new(
            SOURCE,
            "principals",
            CoverageStatus::Partial,
            "more principals than are kept: the rest is not counted",
        ));
    }
}

/// Runs of days without events inside the window, at most ten.
fn holes(window: &Window) -> Vec<(i64, i64)> {
    window
        .days
        .iter()
        .zip(window.days.iter().skip(1))
        .filter(|(a, b)| *b - *a > HOLE_DAYS)
        .map(|(a, b)| (a + 1, b - 1))
        .take(10)
        .collect()
}

/// Everything observed.
pub(super) fn observed(sum: &Sum, reading: &Reading, names: &dyn EventNames) -> Observed {
    let windows = sum
        .windows
        .iter()
        .filter_map(|(account, window)| {
            Some(LogWindow {
                account: account.clone(),
                from: time(window.from?),
                to: time(window.to?),
                events: window.events,
                data_events: window.data_events,
                data_services: window.data_sources.iter().cloned().collect(),
                regions: window.regions.iter().cloned().collect(),
            })
        })
        .collect();
    let mut activity: Vec<Activity> = sum
        .tallies
        .iter()
        .filter_map(|((principal, key), tally)| {
            one(
                principal,
                key.as_deref(),
                tally,
                &sum.issued,
                reading,
                names,
            )
        })
        .collect();
    activity.sort_by(|a, b| (&a.principal, &a.access_key).cmp(&(&b.principal, &b.access_key)));
    Observed { windows, activity }
}

fn one(
    principal: &str,
    key: Option<&str>,
    tally: &Tally,
    issued: &BTreeMap<String, Start>,
    reading: &Reading,
    names: &dyn EventNames,
) -> Option<Activity> {
    let (first, last) = (tally.first?, tally.last?);
    // The console gives a person many credentials at once; of a role, each is a run.
    let followed =
        principal.contains(":role/") && !tally.sessions.is_empty() && !tally.more_sessions;
    let apart = followed.then(|| {
        tally
            .sessions
            .values()
            .map(super::spans::Spans::list)
            .collect()
    });
    let found = rhythm::judge(tally.spans.list(), apart, reading);
    let mut left_out = Vec::new();
    for (names, what) in [
        (&tally.networks, "networks"),
        (&tally.agents, "programs"),
        (&tally.errors, "errors"),
        (&tally.session_names, "session names"),
    ] {
        if names.more {
            left_out.push(format!("more {what} than are kept"));
        }
    }
    if tally.more_actions {
        left_out.push("more actions than are kept".to_owned());
    }
    if tally.more_sessions {
        left_out.push(
            "more temporary credentials than are followed: runs at the same time count as one"
                .to_owned(),
        );
    }
    Some(Activity {
        source: SOURCE.to_owned(),
        principal: principal.to_owned(),
        account: tally.account.clone(),
        identity: None,
        access_key: key.map(str::to_owned),
        credential: None,
        events: tally.events,
        failed: tally.failed,
        first: time(first),
        last: time(last),
        sessions: found.sessions,
        rhythm: found.rhythm,
        every_seconds: found.every,
        rhythm_evidence: found.why,
        hours: tally.hours.to_vec(),
        weekdays: tally.weekdays.to_vec(),
        networks: counted(&tally.networks),
        overlap_hours: Some(tally.places.overlapping()),
        regions: counted(&tally.regions),
        user_agents: counted(&tally.agents),
        actions: actions(tally, names),
        errors: counted(&tally.errors),
        callers: callers(tally, issued),
        by_hand: people(principal, tally),
        left_out,
    })
}

/// Most first, then by name.
fn counted(names: &Names) -> Vec<Counted> {
    let mut list: Vec<Counted> = names
        .counts
        .iter()
        .map(|(name, count)| Counted {
            name: name.clone(),
            count: *count,
        })
        .collect();
    list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    list
}

fn actions(tally: &Tally, names: &dyn EventNames) -> Vec<ActionUse> {
    let mut used: BTreeMap<String, (u64, u64, i64, BTreeSet<String>, bool)> = BTreeMap::new();
    for ((source, name), calls) in &tally.actions {
        for action in names.actions(source, name) {
            let held = used.entry(action).or_default();
            held.0 += calls.count;
            held.1 += calls.failed;
            held.2 = held.2.max(calls.last);
            held.3.extend(calls.resources.iter().cloned());
            held.4 |= calls.more;
        }
    }
    used.into_iter()
        .map(
            |(action, (count, failed, last, resources, more))| ActionUse {
                action,
                kind: ActionKind::default(),
                count,
                failed,
                last: time(last),
                resources: resources.into_iter().collect(),
                more_resources: more,
            },
        )
        .collect()
}

fn callers(tally: &Tally, issued: &BTreeMap<String, Start>) -> Vec<CallerUse> {
    let mut found: BTreeMap<(String, String), u64> = BTreeMap::new();
    for key in tally.sessions.keys() {
        let Some(start) = issued.get(key) else {
            continue;
        };
        if let Some(caller) = &start.caller {
            *found.entry(caller.clone()).or_default() += 1;
        }
        if let Some(name) = &start.source_identity {
            *found
                .entry(("source-identity".to_owned(), name.clone()))
                .or_default() += 1;
        }
    }
    for (kind, names) in [
        ("source-identity", &tally.source_identities),
        ("session-name", &tally.session_names),
    ] {
        for (name, count) in &names.counts {
            found
                .entry((kind.to_owned(), name.clone()))
                .or_insert(*count);
        }
    }
    let mut list: Vec<CallerUse> = found
        .into_iter()
        .map(|((kind, name), count)| CallerUse { kind, name, count })
        .collect();
    // Who asked says more than what the session was called.
    list.sort_by(|a, b| {
        let named = |caller: &CallerUse| caller.kind == "session-name";
        (named(a), b.count, &a.kind, &a.name).cmp(&(named(b), a.count, &b.kind, &b.name))
    });
    list.truncate(MAX_CALLERS);
    list
}

/// Signs that a person works with it.
fn people(principal: &str, tally: &Tally) -> Vec<Evidence> {
    let mut signs = Vec::new();
    if tally.console > 0 {
        signs.push(Evidence::new(
            Grade::A,
            format!("{} to the console", plural(tally.console, "sign-in")),
        ));
    }
    if tally.from_console > 0 {
        signs.push(Evidence::new(
            Grade::A,
            format!(
                "{} with a credential of the console",
                plural(tally.from_console, "call")
            ),
        ));
    }
    let programs: Vec<(&str, u64)> = tally
        .agents
        .counts
        .iter()
        .filter(|(name, _)| by_hand(name))
        .map(|(name, count)| (name.as_str(), *count))
        .collect();
    for (name, count) in programs {
        let what = match name {
            "CloudShell" => "from CloudShell",
            "console" => "through the console",
            _ => "from a browser",
        };
        signs.push(Evidence::new(
            Grade::A,
            format!("{} {what}", plural(count, "call")),
        ));
    }
    let people: Vec<&str> = tally
        .session_names
        .counts
        .keys()
        .filter(|name| name.contains('@'))
        .map(String::as_str)
        .collect();
    if let Some(first) = people.first() {
        signs.push(Evidence::new(
            Grade::A,
            format!(
                "sessions named after people: {} such as {first}",
                people.len()
            ),
        ));
    }
    if let Some(text) =
        office_hours(tally).filter(|_| !principal.contains(":role/aws-service-role/"))
    {
        signs.push(Evidence::new(Grade::D, text));
    }
    signs
}

/// Calls on weekdays, within ten hours of the day, and hardly ever else.
fn office_hours(tally: &Tally) -> Option<String> {
    let all: u64 = tally.hours.iter().sum();
    let span = tally.last?.saturating_sub(tally.first?);
    if all < ENOUGH_CALLS || span < 14 * 86_400 {
        return None;
    }
    let workdays: u64 = tally.weekdays.iter().take(5).sum();
    let hours_used = tally
        .hours
        .iter()
        .filter(|count| **count * 50 > all)
        .count();
    let (start, within) = (0..24)
        .map(|start| {
            let sum: u64 = (0..10)
                .filter_map(|step| tally.hours.get((start + step) % 24))
                .sum();
            (start, sum)
        })
        .max_by_key(|(start, sum)| (*sum, usize::MAX - start))?;
    (workdays * 100 >= all * 97 && within * 100 >= all * 95 && hours_used >= 5).then(|| {
        format!(
            "{} of 100 calls fall on weekdays between {start}:00 and {}:00 UTC, spread over {hours_used} hours: the hours of people",
            within * 100 / all.max(1),
            (start + 10) % 24
        )
    })
}
