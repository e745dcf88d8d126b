//! One decision, as it stands in the file.

use super::scope::Subjects;
use crate::model::Disposition;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "decision")]
pub enum Decision {
    /// Leave it as it is, until the expiry.
    AcceptRisk,
    /// It is not what the finding says.
    FalsePositive,
    /// It will be fixed.
    Remediate,
    /// Look again after the expiry.
    Defer,
    /// Who owns it.
    Owner {
        /// The owner.
        owner: String,
    },
    /// What it is for.
    Purpose {
        /// The purpose.
        purpose: String,
    },
    /// Whether it is emergency access.
    BreakGlass {
        /// It is.
        confirmed: bool,
    },
    /// Another disposition than the one computed.
    Disposition {
        /// The disposition.
        disposition: Disposition,
    },
    /// Takes back what was decided before.
    Reopen,
}

impl Decision {
    /// Whether it only takes back what was decided before.
    pub fn takes_back(&self) -> bool {
        match self {
            Self::Reopen => true,
            Self::Owner { owner } => owner.is_empty(),
            Self::Purpose { purpose } => purpose.is_empty(),
            _ => false,
        }
    }

    /// Lower-case word used in every output.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::AcceptRisk => "accept-risk",
            Self::FalsePositive => "false-positive",
            Self::Remediate => "remediate",
            Self::Defer => "defer",
            Self::Owner { .. } => "owner",
            Self::Purpose { .. } => "purpose",
            Self::BreakGlass { .. } => "break-glass",
            Self::Disposition { .. } => "disposition",
            Self::Reopen => "reopen",
        }
    }
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// About what.
    pub scope: Subjects,
    /// What.
    #[serde(flatten)]
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// Until when it holds; for ever without.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<Date>,
    /// Where it is tracked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ticket: Option<String>,
    /// Ids of the events about the same thing that its author knew. Without it, all that are earlier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Vec<String>>,
    /// Run that its author looked at.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<String>,
    /// Digest of what that run told of it; of many, a digest of theirs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<String>,
    /// The first of the events that an undo takes back, or of those of an undo that is taken back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub undoes: Option<String>,
}

/// An event as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Digest of all it says, known or not: another when anything of it is altered.
    pub id: String,
    /// The event.
    pub event: Event,
}

impl Recorded {
    /// An event as it will stand in the file.
    pub fn of(event: Event) -> Self {
        let value = serde_json::to_value(&event).unwrap_or_default();
        Self {
            id: id_of(&value),
            event,
        }
    }
}

/// The id of an event.
pub(super) fn id_of(value: &Value) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 decision");
    canonical(value, &mut hasher);
    format!("e-{}", &hasher.finalize().to_hex()[..16])
}

/// Feeds a value in the one form it has, whatever the order of its keys.
fn canonical(value: &Value, hasher: &mut blake3::Hasher) {
    match value {
        Value::Object(map) => {
            text("{", hasher);
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            for (key, value) in sorted {
                canonical(&Value::String(key.clone()), hasher);
                canonical(value, hasher);
            }
        }
        Value::Array(list) => {
            text(&format!("[{}", list.len()), hasher);
            for one in list {
                canonical(one, hasher);
            }
        }
        other => text(&other.to_string(), hasher),
    }
}

fn text(text: &str, hasher: &mut blake3::Hasher) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}
