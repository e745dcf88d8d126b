//! How the findings of a run compare with what was known before it. Pure.
//!
//! Each finding is compared with the last run that had it, not with the last run: a state folder may see runs over
//! different sources. What is missing counts as fixed only where its source was read again, as deeply as before.

mod declared;
mod namesakes;
mod renamed;
mod repositories;

pub use declared::{Before, Declared, Kept, declared, keep, rename};
pub use renamed::keep_ids;

use super::reach::{self, ReachMap};
use crate::model::written::Entries;
use crate::model::{
    Changes, CredentialId, Finding, FindingStatus, IdentityId, Report, RiskBand, Severity, Unread,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// What a run was asked to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Stands for the arguments that name sources: two runs with the same look at the same places.
    pub scope: String,
    /// How much of the repositories was read.
    pub reading: Reading,
}

/// How much of repositories was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Current files only.
    Current,
    /// Of the history, what came in since then.
    Since(Timestamp),
    /// The whole history.
    #[default]
    History,
    /// What nothing leads to as well.
    Unreachable,
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("current"),
            Self::Since(time) => write!(f, "since {time}"),
            Self::History => f.write_str("history"),
            Self::Unreachable => f.write_str("unreachable"),
        }
    }
}

impl FromStr for Reading {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "current" => Ok(Self::Current),
            "history" => Ok(Self::History),
            "unreachable" => Ok(Self::Unreachable),
            _ => {
                let time = text.strip_prefix("since ").ok_or(())?;
                time.parse().map(Self::Since).map_err(|_| ())
            }
        }
    }
}

impl Reading {
    /// Whether a run that read so much would have seen what a run that read `other` saw.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Since(since), Self::Since(other)) => since <= other,
            (Self::Since(_), _) => *other == Self::Current,
            (_, Self::Since(_)) => *self != Self::Current,
            _ => self.depth() >= other.depth(),
        }
    }

    const fn depth(&self) -> u8 {
        match self {
            Self::Current => 0,
            Self::Since(_) => 1,
            Self::History => 2,
            Self::Unreachable => 3,
        }
    }
}

/// What is known of one finding before a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Time of the first run that had it.
    pub first_seen: Timestamp,
    /// Time of the last run that had it.
    pub last_seen: Timestamp,
    /// The last run that looked for it found it.
    pub standing: bool,
    /// How severe it was.
    pub severity: Severity,
    /// Band of the risk it stands for.
    pub band: Option<RiskBand>,
    /// What the last run that had it was asked.
    pub asked: Asked,
    /// Rules of the last run that had it.
    pub rules: String,
    /// The finding as the last run that had it told it, as JSON without when it was seen last; kept beside the rest,
    /// and empty until somebody asks for it.
    #[serde(default, skip_serializing)]
    pub told: String,
}

/// What is known before a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The run before: its id and its time.
    pub run: Option<(String, Timestamp)>,
    /// Every finding ever seen, by id.
    pub findings: BTreeMap<String, Known>,
    /// What identities reached in the run before.
    pub reach: ReachMap,
    /// Inputs of all runs that are stored.
    pub homes: BTreeSet<String>,
    /// Ids that are new names of older ones.
    pub aliases: BTreeMap<String, String>,
    /// Repositories of this run that had other names in the run before, which they are given with.
    pub renamed: BTreeMap<String, String>,
}

/// What a run leaves to the next ones beside its report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// What its identities reach.
    pub reach: ReachMap,
    /// Ids that are new names of older ones.
    pub aliases: BTreeMap<String, String>,
}

/// Tells of every finding how it compares, and of the run what changed. Returns what the run's identities reach.
pub fn mark(report: &mut Report, past: &Past, asked: &Asked) -> ReachMap {
    let now = report.run.now;
    let reach = reach::of(report);
    let drift = reach::drift(&renamed::reach(&past.reach, &past.renamed), &reach);
    let bands = bands(report);
    let gained: BTreeSet<&IdentityId> = drift
        .iter()
        .filter(|one| !one.gained.is_empty())
        .map(|one| &one.identity)
        .collect();
    let lost: BTreeSet<&IdentityId> = drift
        .iter()
        .filter(|one| !one.lost.is_empty())
        .map(|one| &one.identity)
        .collect();
    for finding in &mut report.findings {
        let known = past.findings.get(finding.id.as_str());
        // A clock that was moved back must not make a finding older than its discovery.
        finding.first_seen = Some(known.map_or(now, |known| known.first_seen.min(now)));
        finding.last_seen = Some(now);
        let band = band_of(finding, &bands);
        let reaches = |which: &BTreeSet<&IdentityId>| {
            finding
                .identity
                .as_ref()
                .is_some_and(|id| which.contains(id))
        };
        let (status, words) = compare(finding, band, known, (reaches(&gained), reaches(&lost)));
        finding.changes = words;
        if !matches!(
            finding.status,
            FindingStatus::Accepted | FindingStatus::AcceptedExpired | FindingStatus::Ignored
        ) {
            finding.status = status;
        }
    }
    let fixed = fixed(report, past, asked);
    let mut statuses: BTreeMap<String, u32> = BTreeMap::new();
    for finding in report.findings.iter().chain(&fixed) {
        *statuses
            .entry(finding.status.as_str().to_owned())
            .or_default() += 1;
    }
    report.changes = Some(Changes {
        since: past.run.as_ref().map(|(id, _)| id.clone()),
        since_time: past.run.as_ref().map(|(_, time)| *time),
        statuses,
        fixed,
        drift,
        plan: Vec::new(),
        standing: Vec::new(),
    });
    reach
}

fn compare(
    finding: &Finding,
    band: Option<RiskBand>,
    known: Option<&Known>,
    (gained, lost): (bool, bool),
) -> (FindingStatus, Vec<String>) {
    let Some(known) = known else {
        return (FindingStatus::New, Vec::new());
    };
    if !known.standing {
        let words = format!("it was last seen on {}", day(known.last_seen));
        return (FindingStatus::Reappeared, vec![words]);
    }
    let mut worse = Vec::new();
    let mut better = Vec::new();
    let mut step = |up: bool, words: String| {
        if up {
            worse.push(words);
        } else {
            better.push(words);
        }
    };
    if finding.severity != known.severity {
        let words = format!(
            "severity {} → {}",
            known.severity.as_str(),
            finding.severity.as_str()
        );
        step(finding.severity > known.severity, words);
    }
    if let (Some(now), Some(then)) = (band, known.band)
        && now != then
    {
        let words = format!("risk {} → {}", then.as_str(), now.as_str());
        step(now > then, words);
    }
    if gained {
        step(true, "its identity reaches more".to_owned());
    }
    if lost {
        step(false, "its identity reaches less".to_owned());
    }
    if !worse.is_empty() {
        worse.append(&mut better);
        (FindingStatus::Worsened, worse)
    } else if !better.is_empty() {
        (FindingStatus::Improved, better)
    } else {
        (FindingStatus::Unchanged, Vec::new())
    }
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// Bands of the risks, by credential and by identity.
type Bands = (
    BTreeMap<CredentialId, RiskBand>,
    BTreeMap<IdentityId, RiskBand>,
);

fn bands(report: &Report) -> Bands {
    let mut bands = Bands::default();
    for assessment in &report.assessments {
        let band = assessment.risk.band;
        match (&assessment.credential, &assessment.identity) {
            (Some(id), _) => {
                let known = bands.0.entry(id.clone()).or_insert(band);
                *known = band.max(*known);
            }
            (None, Some(id)) => {
                let known = bands.1.entry(id.clone()).or_insert(band);
                *known = band.max(*known);
            }
            (None, None) => {}
        }
    }
    bands
}

fn band_of(finding: &Finding, bands: &Bands) -> Option<RiskBand> {
    let of_credential = finding.credential.as_ref().and_then(|id| bands.0.get(id));
    let of_identity = finding.identity.as_ref().and_then(|id| bands.1.get(id));
    of_credential.or(of_identity).copied()
}

/// What is to be remembered of the findings of a marked report, in their order; with them as JSON where they are written
/// already.
pub fn known_of(report: &Report, asked: &Asked, told: Option<&Entries>) -> Vec<(String, Known)> {
    let bands = bands(report);
    let now = report.run.now;
    let mut told = told.map(Entries::iter);
    let mut written = || {
        let json = told.as_mut()?.next()?;
        Some(Finding::timeless(json, now))
    };
    let write = |finding| {
        let json = serde_json::to_vec(finding).unwrap_or_default();
        Finding::timeless(&json, now)
    };
    let known = report.findings.iter().map(|finding| {
        let known = Known {
            first_seen: finding.first_seen.unwrap_or(now),
            last_seen: finding.last_seen.unwrap_or(now),
            standing: true,
            severity: finding.severity,
            band: band_of(finding, &bands),
            asked: asked.clone(),
            rules: report.run.rules_digest.clone(),
            told: String::from_utf8(written().unwrap_or_else(|| write(finding)))
                .unwrap_or_default(),
        };
        (finding.id.to_string(), known)
    });
    known.collect()
}

/// The findings that stood before, were looked for and are not there.
fn fixed(report: &Report, past: &Past, asked: &Asked) -> Vec<Finding> {
    let present: BTreeSet<&str> = report.findings.iter().map(|one| one.id.as_str()).collect();
    let inputs: BTreeSet<&str> = report.run.inputs.iter().map(String::as_str).collect();
    let unread = Unread::new(report);
    let gone = past
        .findings
        .iter()
        .filter(|(id, known)| known.standing && !present.contains(id.as_str()));
    let mut out: Vec<Finding> = gone
        .filter_map(|(_, known)| {
            if !asked.reading.covers(&known.asked.reading) {
                return None;
            }
            let mut finding: Finding = serde_json::from_str(&known.told).ok()?;
            let homes: BTreeSet<&str> = finding
                .locations
                .iter()
                .filter_map(|place| place.repository.as_deref())
                .collect();
            // What lies in no repository is of an account, which may be no input.
            let accounts = finding.locations.iter();
            let accounts = accounts.filter(|place| place.repository.is_none());
            let sources: Vec<&str> = accounts
                .map(|place| place.uri.as_str())
                .chain(homes.iter().copied())
                .collect();
            let elsewhere = asked.scope != known.asked.scope;
            if elsewhere && sources.iter().any(|source| !inputs.contains(source)) {
                return None;
            }
            if sources.iter().any(|source| unread.of(source).is_some()) {
                return None;
            }
            let missing: Vec<&str> = homes.difference(&inputs).copied().collect();
            let words = if !missing.is_empty() && missing.len() == homes.len() {
                format!("{} is no longer there", missing.join(", "))
            } else if known.rules != report.run.rules_digest {
                "it is no longer found; the rules have changed since".to_owned()
            } else {
                "it is no longer there".to_owned()
            };
            finding.status = FindingStatus::Fixed;
            finding.first_seen = Some(known.first_seen);
            finding.last_seen = Some(known.last_seen);
            finding.changes = vec![words];
            Some(finding)
        })
        .collect();
    out.sort_by(|a, b| {
        (std::cmp::Reverse(a.severity), &a.rule, &a.id).cmp(&(
            std::cmp::Reverse(b.severity),
            &b.rule,
            &b.id,
        ))
    });
    out
}

#[cfg(test)]
mod tests;
