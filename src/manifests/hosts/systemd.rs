//! Units and timers of systemd.

use super::super::clean::clean;
use super::super::context::Context;
use super::{Runs, column, lines, variables_in};
use crate::model::{ConsumerClass, Declarations, Evidence, Grade};
use std::collections::BTreeMap;

/// Where units run.
const RUNTIME: &str = "systemd";

/// Whether a name is that of a unit that runs something.
pub(in super::super) fn is_unit(name: &str) -> bool {
    matches!(name.rsplit_once('.'), Some((stem, "service" | "timer")) if !stem.is_empty())
}

/// Reads a unit.
pub(in super::super) fn read(context: &Context<'_>, out: &mut Declarations) {
    let text = context.text.as_str();
    let file = context.uri.rsplit('/').next().unwrap_or(context.uri);
    let timer = file.strip_suffix(".timer");
    let header = if timer.is_some() {
        "[Timer]"
    } else {
        "[Service]"
    };
    let Some((start, _)) = lines(text).find(|(_, line)| line.trim() == header) else {
        return;
    };
    let (class, why) = if timer.is_some() {
        (ConsumerClass::Scheduled, "started by a timer")
    } else {
        (ConsumerClass::Daemon, "runs until it is stopped")
    };
    let mut runs = Runs::new(RUNTIME, file, class, why, (start, 1));
    let mut schedules = Vec::new();
    let mut started = timer.map(|stem| format!("{stem}.service"));
    let mut starts_within = None;
    let mut section = "";
    for (number, line) in lines(text) {
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            section = trimmed;
            continue;
        }
        let Some((key, value)) = trimmed
            .split_once('=')
            .filter(|_| !trimmed.starts_with(['#', ';']))
        else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        let place = (number, column(line));
        match (section, key) {
            ("[Unit]", "Description") => runs.purpose = Some(clean(value)),
            ("[Timer]", "OnCalendar" | "OnUnitActiveSec" | "OnBootSec" | "OnUnitInactiveSec") => {
                schedules.push(format!("{key}={}", clean(value)));
            }
            ("[Timer]", "Unit") => started = Some(value.to_owned()),
            ("[Service]", "TimeoutStartSec") => starts_within = seconds(value),
            ("[Service]", "Type") if value == "oneshot" => {
                runs.class = ConsumerClass::Batch;
                "runs to completion (Type=oneshot)".clone_into(&mut runs.why);
            }
            ("[Service]", "RuntimeMaxSec") => runs.timeout = seconds(value),
            ("[Service]", "User" | "DynamicUser") => {
                runs.why = format!("{} as {key}={}", runs.why, clean(value));
            }
            ("[Service]", "Environment") => {
                for part in value.split_whitespace() {
                    let part = part.trim_matches(['"', '\'']);
                    if let Some((name, value)) = part.split_once('=') {
                        runs.variable(context, name, Some(value), place);
                    }
                }
            }
            ("[Service]", "PassEnvironment") => {
                for name in value.split_whitespace() {
                    runs.variable(context, name, None, place);
                }
            }
            (
                "[Service]",
                "LoadCredential"
                | "LoadCredentialEncrypted"
                | "SetCredential"
                | "SetCredentialEncrypted"
                | "ImportCredential",
            ) => {
                let name = value.split(':').next().unwrap_or(value);
                runs.uses("systemd-credentials", name, None, false, place);
            }
            ("[Service]", "ExecStart") => {
                for name in variables_in(value) {
                    runs.variable(context, name, None, place);
                }
            }
            _ => {}
        }
    }
    if !schedules.is_empty() {
        runs.schedule = Some(schedules.join("; "));
    }
    // What runs to completion is starting until it is done.
    if runs.class == ConsumerClass::Batch {
        runs.timeout = runs.timeout.or(starts_within);
    }
    if let Some(unit) = started {
        let folder = context.uri.strip_suffix(file).unwrap_or_default();
        runs.starts = vec![format!("{}/{folder}{unit}", context.repository)];
    }
    runs.declare(context, Grade::B, out);
}

/// Gives units the schedule of the timers that start them. To be called once all files were read.
pub(in super::super) fn join(files: &mut [Declarations]) {
    let mut timers: BTreeMap<String, (String, String)> = BTreeMap::new();
    for consumer in files.iter().flat_map(|file| &file.consumers) {
        if consumer.runtime == RUNTIME
            && let (Some(schedule), Some(unit)) = (&consumer.schedule, consumer.uses.runs.first())
        {
            timers.insert(unit.clone(), (consumer.name.clone(), schedule.clone()));
        }
    }
    if timers.is_empty() {
        return;
    }
    for file in files {
        for consumer in &mut file.consumers {
            let Some(at) = consumer
                .location
                .as_ref()
                .filter(|_| consumer.runtime == RUNTIME)
            else {
                continue;
            };
            let unit = format!(
                "{}/{}",
                at.repository.as_deref().unwrap_or_default(),
                at.uri
            );
            if let Some((timer, schedule)) = timers.get(&unit) {
                consumer.class = ConsumerClass::Scheduled;
                consumer.schedule = Some(schedule.clone());
                consumer
                    .evidence
                    .push(Evidence::new(Grade::B, format!("started by {timer}")));
                for identity in &mut file.identities {
                    if consumer.identity.as_ref() == Some(&identity.id) {
                        identity.consumer_class = ConsumerClass::Scheduled;
                    }
                }
            }
        }
    }
}

/// A span of time as systemd writes it, in seconds: `90`, `5min`, `1h`.
fn seconds(text: &str) -> Option<u64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: u64 = number.parse().ok()?;
    let factor = match unit.trim() {
        "" | "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hr" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{declared, shown};
    use super::ConsumerClass;

    #[test]
    fn a_timer_says_how_often_its_unit_runs() {
        let key = crate::model::FingerprintKey::new([7; 32]);
        let files = [
            (
                "u/backup.service",
                "[Service]\nType=oneshot\nTimeoutStartSec=1h\n",
            ),
            ("u/backup.timer", "[Timer]\nOnCalendar=daily\n"),
            ("u/web.service", "[Service]\nTimeoutStartSec=1h\n"),
            (
                "u/other.timer",
                "[Timer]\nOnBootSec=5min\nUnit=sync.service\n",
            ),
            ("u/sync.service", "[Service]\nType=simple\n"),
            ("v/backup.service", "[Service]\nType=oneshot\n"),
        ];
        let mut all: Vec<_> = files
            .iter()
            .filter_map(|(uri, text)| crate::manifests::read("shop", uri, text.as_bytes(), &key))
            .collect();
        crate::manifests::link(&mut all);
        let told: Vec<_> = all
            .iter()
            .flat_map(|file| &file.consumers)
            .map(|one| (one.class, one.schedule.as_deref(), one.timeout_seconds))
            .collect();
        assert_eq!(
            told,
            [
                (
                    ConsumerClass::Scheduled,
                    Some("OnCalendar=daily"),
                    Some(3_600)
                ),
                (ConsumerClass::Scheduled, Some("OnCalendar=daily"), None),
                (ConsumerClass::Daemon, None, None),
                (ConsumerClass::Scheduled, Some("OnBootSec=5min"), None),
                (ConsumerClass::Scheduled, Some("OnBootSec=5min"), None),
                (ConsumerClass::Batch, None, None),
            ]
        );
    }

    #[test]
    fn units_and_timers_tell_how_long_and_how_often() {
        let service = declared(
            "units/backup.service",
            "[Unit]\nDescription=Nightly backup\n\n[Service]\nType=oneshot\nRuntimeMaxSec=30min\nLoadCredential=s3:/etc/s3\nEnvironment=\"AWS_SECRET_ACCESS_KEY=${KEY}\"\nExecStart=/bin/backup --token $API_TOKEN\n",
        );
        let timer = declared("units/backup.timer", "[Timer]\nOnCalendar=daily\n");
        insta::assert_snapshot!(format!("{}{}", shown(&service), shown(&timer)), @"
        4:1 backup.service | - 1800 s - | unknown
            9:1 environment API_TOKEN (?)
            8:1 environment KEY (aws-access-key)
            7:1 systemd-credentials s3 (?)
            B runs to completion (Type=oneshot)
        1:1 backup.timer | - - OnCalendar=daily | unknown
            B started by a timer
        ");
        assert!(declared("a.service", "nothing here").consumers.is_empty());
    }
}
