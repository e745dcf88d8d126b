//! How sure we are of what we say, and why.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Quality of a piece of evidence. Ordered from strongest to weakest, so the weakest of several is their `max`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Grade {
    /// Live API or exported IAM data.
    A,
    /// Declared in infrastructure code, a manifest or an annotation; the material itself was read.
    B,
    /// A reference only: the name was seen, the value was not.
    C,
    /// Heuristic: naming, entropy, a default of the type.
    D,
}

impl Grade {
    /// The letter as printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }
}

/// One line of evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What was seen, in one sentence, with no secret in it.
    pub text: String,
    /// How good the evidence is.
    pub grade: Grade,
}

impl Evidence {
    /// Evidence of the given grade.
    pub fn new(grade: Grade, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            grade,
        }
    }
}

/// Likelihood that a finding or a match is real, least to most sure.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Probably not a live problem: example, test, placeholder.
    Low,
    /// Plausible.
    Medium,
    /// Structure or an inventory confirms it.
    High,
}

impl Confidence {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What is known of the last use of an identity or a credential. Unknown is never the same as unused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "state", content = "at")]
pub enum LastUse {
    /// No telemetry at all.
    #[default]
    Unknown,
    /// The provider tracked it and saw no use; the time is when tracking of this thing began (creation, at the earliest
    /// the provider's tracking window).
    NeverSince(Timestamp),
    /// Last seen in use.
    At(Timestamp),
}

impl LastUse {
    /// Time of last use, if a use was seen.
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Unknown | Self::NeverSince(_) => None,
        }
    }

    /// Whole days without use at `now`, only where telemetry proves it.
    pub fn idle_days(self, now: Timestamp) -> Option<i64> {
        Some(days_between(self.idle_since()?, now))
    }

    /// From when on no use is known, only where telemetry proves it.
    pub const fn idle_since(self) -> Option<Timestamp> {
        match self {
            Self::At(at) | Self::NeverSince(at) => Some(at),
            Self::Unknown => None,
        }
    }
}

/// The day of a time in UTC, as `2026-01-31`.
pub fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// Whole days from `from` to `to`; negative when `to` is earlier.
pub fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).div_euclid(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_use_proves_nothing() {
        let now: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let then: Timestamp = "2026-10-02T00:00:00Z".parse().unwrap();
        assert_eq!(LastUse::Unknown.idle_days(now), None);
        assert_eq!(LastUse::At(then).idle_days(now), Some(30));
        assert_eq!(LastUse::NeverSince(then).idle_days(now), Some(30));
    }
}
