//! Logs, read in the language of policies.

use super::{RuleSet, ScanRequest};
use crate::model::{Coverage, Observed};
use crate::rules::RuleError;
use crate::rules::aws::{AwsTables, EventTable};
use crate::sources::cloudtrail::{self, Call, EventNames, Reading};

/// What logs show of the use of identities.
pub(super) fn logs(
    request: &ScanRequest,
    rules: &RuleSet,
    tables: &AwsTables,
) -> Result<(Observed, Vec<Coverage>), RuleError> {
    let names = LoggedNames {
        events: EventTable::builtin()?,
        tables,
    };
    let task = &rules.measures.scoring.task;
    let reading = Reading {
        session_gap_seconds: task.session_gap_seconds,
        pause_jump: task.pause_jump,
        continuous_percent: task.continuous_percent,
        least_sessions: task.least_sessions,
    };
    Ok(cloudtrail::read(
        &request.cloudtrail,
        &reading,
        &names,
        &request.read.limits.halt,
    ))
}

/// What logged calls mean in the language of policies.
struct LoggedNames<'a> {
    events: EventTable,
    tables: &'a AwsTables,
}

impl EventNames for LoggedNames<'_> {
    fn actions(&self, source: &str, name: &str) -> Vec<String> {
        self.events.actions(source, name, &self.tables.actions)
    }

    fn resources(&self, call: &Call<'_>) -> Vec<String> {
        let place = |word: &str| {
            let value = match word {
                "partition" => call.partition,
                "region" => call.region,
                "account" => call.account,
                _ => return None,
            };
            Some(value.to_owned())
        };
        self.events.resources(call.source, call.parameters, &place)
    }
}
