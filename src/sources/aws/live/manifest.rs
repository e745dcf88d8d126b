//! `collection.json`: what a collection has to say of itself, beside the answers it kept.
//!
//! It says whether an account was read to the end, so that another run goes on with it, and what was missing, so that a
//! snapshot tells the same as the collection itself did.

use super::Identity;
use super::answers::kept;
use super::asker::Room;
use crate::model::{Coverage, CoverageStatus};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Name of the file.
const FILE: &str = "collection.json";
/// Key by which it is told from answers of AWS.
const KEY: &str = "OverstayCollection";
/// Hours after which the answers of an interrupted collection are no longer added to.
const HOURS: i64 = 24;
/// Most gaps that are read, and their longest text.
const MAX_GAPS: usize = 10_000;
const MAX_TEXT: usize = 2_000;

/// How far an account was read before.
pub(super) enum Manifest {
    /// To its end, then.
    Whole(String),
    /// Not at all, or not to its end: answers of this collection, begun then, are used. Older ones were let go of.
    Open(Timestamp),
}

impl Manifest {
    /// Looks at what an earlier run left.
    pub(super) fn resume(room: &Room<'_>, identity: &Identity) -> Self {
        let text = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
        let Some(earlier) = kept(room.answers, &format!("{}/{FILE}", identity.account)) else {
            return Self::Open(room.now);
        };
        let begun = text(&earlier, "Begun").and_then(|text| text.parse::<Timestamp>().ok());
        let gaps = earlier.get("Gaps").and_then(Value::as_array);
        if let Some(finished) = text(&earlier, "Finished")
            && gaps.is_none_or(Vec::is_empty)
        {
            return Self::Whole(finished);
        }
        let fresh = begun.filter(|begun| {
            let age = room.now.duration_since(*begun);
            age < SignedDuration::from_hours(HOURS)
        });
        if fresh.is_none()
            && let Err(error) = room.answers.forget(&identity.account)
        {
            room.fault.borrow_mut().get_or_insert(error);
        }
        Self::Open(fresh.unwrap_or(room.now))
    }

    /// Says that an account is being read, and by whom.
    pub(super) fn begin(room: &Room<'_>, identity: &Identity, begun: Timestamp) -> Begun {
        let manifest = Begun {
            account: identity.account.clone(),
            begun,
        };
        manifest.write(room, None, &[]);
        let caller = format!("{}/caller-identity.json", identity.account);
        // A write that fails is kept as the fault of the room.
        let _ = room.keep(&caller, &identity.answer);
        manifest
    }
}

/// An account that is being read.
pub(super) struct Begun {
    account: String,
    begun: Timestamp,
}

impl Begun {
    /// Says that everything was asked for, and what is missing.
    pub(super) fn finish(&self, room: &Room<'_>, missing: &[Coverage]) {
        self.write(room, Some(room.now), missing);
    }

    fn write(&self, room: &Room<'_>, finished: Option<Timestamp>, missing: &[Coverage]) {
        let value = json!({
            KEY: 1,
            "Account": self.account,
            "Begun": self.begun.to_string(),
            "Finished": finished.map(|at| at.to_string()),
            "Gaps": gaps(missing),
        });
        // A write that fails is kept as the fault of the room.
        let _ = room.keep(&format!("{}/{FILE}", self.account), &value);
    }
}

/// Says which accounts could not be read at all.
pub(super) fn targets(room: &Room<'_>, missing: &[Coverage]) {
    let _ = room.keep(FILE, &json!({KEY: 1, "Gaps": gaps(missing)}));
}

fn gaps(missing: &[Coverage]) -> Vec<Value> {
    missing
        .iter()
        .map(|gap| json!({"Unit": gap.unit, "Status": gap.status.as_str(), "Reason": gap.reason}))
        .collect()
}

/// What a `collection.json` says is missing; `None` for any other JSON.
pub(in super::super) fn notices(source: &str, value: &Value) -> Option<Vec<Coverage>> {
    value.get(KEY)?;
    let account = value.get("Account").and_then(Value::as_str);
    let mut notices = Vec::new();
    if let Some(account) = account
        && value.get("Finished").is_none_or(Value::is_null)
    {
        notices.push(Coverage::new(
            source,
            format!("aws/{account}"),
            CoverageStatus::Partial,
            "the collection was interrupted: `overstay aws snapshot` into the same folder goes on with it",
        ));
    }
    for gap in value
        .get("Gaps")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(MAX_GAPS)
    {
        let text = |key: &str| {
            let text = gap.get(key)?.as_str()?;
            (text.len() <= MAX_TEXT).then(|| text.to_owned())
        };
        let status = match text("Status").as_deref() {
            Some("absent") => CoverageStatus::Absent,
            Some("failed") => CoverageStatus::Failed,
            Some("skipped") => CoverageStatus::Skipped,
            _ => CoverageStatus::Partial,
        };
        if let (Some(unit), Some(reason)) = (text("Unit"), text("Reason")) {
            notices.push(Coverage::new(source, unit, status, reason));
        }
    }
    Some(notices)
}
