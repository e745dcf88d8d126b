//! The record of a review: who looked at which accounts and their privileges, when, on which evidence, and what was decided
//! (PCI DSS 4.0.1, 7.2.5.1: access by application and system accounts is reviewed periodically, remains appropriate, what
//! is not is addressed, and management acknowledges it).
//!
//! The record holds the ids of the events it covers, which are digests of what they say, and a digest of all of them that
//! does not depend on their order. Logs may be merged and grow; an event that was altered or removed is named.

use super::decisions::{Decisions, Held, Recorded, Scope, Standing, Topic};
use crate::model::{Finding, FingerprintKey, Identity, Report};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Name and version of the record's form.
pub const SCHEMA: &str = "overstay.attestation/1";

/// Who reviewed, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who.
    pub reviewer: String,
    /// In which role they acknowledge it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What period the review is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub period: Option<String>,
    /// What they state.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub statement: Option<String>,
}

/// An event that the review covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// Its id: a digest of all it says.
    pub id: String,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// On what.
    pub scope: String,
    /// What.
    pub decision: String,
    /// Digest of what its author saw.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<String>,
}

/// One account that was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Id of the identity.
    pub identity: String,
    /// What the provider calls it.
    pub native_id: String,
    /// Kind of identity.
    #[serde(rename = "type")]
    pub kind: String,
    /// Owner, if any.
    pub owner: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
    /// Privilege tier, 0–5.
    pub tier: u8,
    /// It administers.
    pub admin: bool,
    /// Open findings on it, by severity.
    pub open: BTreeMap<String, u32>,
    /// What was decided on it, its credentials and findings.
    pub decisions: Vec<String>,
    /// `appropriate`: nothing is open, or what is was accepted; `remediate`: somebody said that it will be fixed; `open`:
    /// nothing was decided on some of it.
    pub outcome: String,
}

/// Counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Accounts reviewed.
    pub accounts: u32,
    /// Of these, those whose access remains appropriate.
    pub appropriate: u32,
    /// Those whose access will be changed.
    pub to_be_remediated: u32,
    /// Those that are undecided.
    pub open: u32,
}

/// The record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// [`SCHEMA`].
    pub schema: String,
    /// Requirement it is a record for.
    pub requirement: String,
    /// Who reviewed, when.
    pub review: Review,
    /// Run that was looked at.
    pub run: String,
    /// Its time.
    pub run_now: Timestamp,
    /// Every source of it was read whole.
    pub complete: bool,
    /// Digest of what the run told.
    pub evidence: String,
    /// Digest of the events, whatever their order.
    pub events_digest: String,
    /// The events, by id.
    pub events: Vec<Covered>,
    /// Counts.
    pub summary: Summary,
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Name of the key the record is sealed with.
    pub key: String,
    /// Seal of everything above: nobody without the key can alter it unseen.
    pub seal: String,
}

/// Makes the record of a review.
pub fn make(
    report: &Report,
    decisions: &Decisions,
    review: Review,
    key: &FingerprintKey,
) -> Attestation {
    let mut events: Vec<Covered> = decisions.events.iter().map(covered).collect();
    events.sort_by(|a, b| a.id.cmp(&b.id));
    let accounts = accounts(report, decisions, review.at);
    let count = |outcome: &str| {
        let some = accounts.iter().filter(|one| one.outcome == outcome);
        some.count() as u32
    };
    let summary = Summary {
        accounts: accounts.len() as u32,
        appropriate: count("appropriate"),
        to_be_remediated: count("remediate"),
        open: count("open"),
    };
    let mut record = Attestation {
        schema: SCHEMA.to_owned(),
        requirement: "PCI DSS 4.0.1, 7.2.5.1".to_owned(),
        review,
        run: report.run.id.clone(),
        run_now: report.run.now,
        complete: report.run.complete,
        evidence: evidence(report),
        events_digest: digest(events.iter().map(|one| one.id.as_str())),
        events,
        summary,
        accounts,
        key: key.id(),
        seal: String::new(),
    };
    record.seal = seal(&record, key);
    record
}

fn covered(one: &Recorded) -> Covered {
    Covered {
        id: one.id.clone(),
        at: one.event.at,
        actor: one.event.actor.clone(),
        scope: one.event.scope.to_string(),
        decision: one.event.decision.as_str().to_owned(),
        evidence: one.event.evidence.clone(),
    }
}

/// A digest of ids that does not depend on their order.
fn digest<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let ids: BTreeSet<&str> = ids.collect();
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 events of a review");
    for id in ids {
        hasher.update(&(id.len() as u64).to_le_bytes());
        hasher.update(id.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// A digest of what a run found, whatever was decided on it later.
fn evidence(report: &Report) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 evidence of a review");
    let mut add = |value: serde_json::Value| {
        let text = value.to_string();
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(serde_json::json!(report.run));
    add(serde_json::json!(report.identities));
    add(serde_json::json!(report.credentials));
    add(serde_json::json!(report.grants));
    for finding in &report.findings {
        add(serde_json::json!([
            finding.id,
            finding.rule,
            finding.severity,
            finding.message,
            finding.locations,
        ]));
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn seal(record: &Attestation, key: &FingerprintKey) -> String {
    let unsealed = Attestation {
        seal: String::new(),
        ..record.clone()
    };
    let text = serde_json::to_string(&unsealed).unwrap_or_default();
    key.name(text.as_bytes())
}

/// Every machine identity with what is open and what was decided on it.
fn accounts(report: &Report, decisions: &Decisions, at: Timestamp) -> Vec<Account> {
    let standing = Standing::of(decisions.clone());
    let today = at.to_zoned(TimeZone::UTC).date();
    let holder: BTreeMap<_, _> = report
        .credentials
        .iter()
        .filter_map(|one| Some((&one.id, one.identity.as_ref()?)))
        .collect();
    let mut findings: BTreeMap<_, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        let of_credential = finding
            .credential
            .as_ref()
            .and_then(|id| holder.get(id).copied());
        if let Some(identity) = finding.identity.as_ref().or(of_credential) {
            findings.entry(identity).or_default().push(finding);
        }
    }
    let machines = report.identities.iter().filter(|one| !one.human);
    machines
        .map(|identity| {
            let findings = findings.get(&identity.id).map_or(&[][..], Vec::as_slice);
            account(identity, findings, &standing, today)
        })
        .collect()
}

fn account(
    identity: &Identity,
    findings: &[&Finding],
    standing: &Standing,
    today: jiff::civil::Date,
) -> Account {
    let mut open: BTreeMap<String, u32> = BTreeMap::new();
    let mut said: BTreeSet<String> = BTreeSet::new();
    let (mut undecided, mut promised) = (false, false);
    for finding in findings {
        let mut scopes = vec![Scope::Finding(finding.id.clone())];
        scopes.extend(finding.credential.clone().map(Scope::Credential));
        scopes.push(Scope::Identity(identity.id.clone()));
        let held = scopes
            .into_iter()
            .find_map(|scope| standing.register(&scope, Topic::Verdict))
            .and_then(|register| register.held(today));
        let word = match held {
            Some(Held::InForce(one, _)) => {
                said.insert(one.id.clone());
                one.event.decision.as_str()
            }
            Some(Held::Expired(_)) => "expired",
            Some(Held::Conflict(_)) => "conflict",
            None => "undecided",
        };
        let settled = matches!(
            word,
            "accept-risk" | "false-positive" | "break-glass" | "disposition"
        ) || !finding.status.open();
        if settled {
            continue;
        }
        *open
            .entry(finding.severity.as_str().to_owned())
            .or_default() += 1;
        if word == "remediate" {
            promised = true;
        } else {
            undecided = true;
        }
    }
    let outcome = match (undecided, promised) {
        (true, _) => "open",
        (false, true) => "remediate",
        (false, false) => "appropriate",
    };
    Account {
        identity: identity.id.to_string(),
        native_id: identity.native_id.clone(),
        kind: identity.kind.as_str().to_owned(),
        owner: identity.owner.clone(),
        purpose: identity.purpose.clone(),
        tier: identity.privilege.tier,
        admin: identity.privilege.admin,
        open,
        decisions: said.into_iter().collect(),
        outcome: outcome.to_owned(),
    }
}

/// Whether a record still holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why it does not.
    pub faults: Vec<String>,
    /// What cannot be told, and what came after it.
    pub notes: Vec<String>,
}

/// Verifies a record against the log as it is now and, where it is still stored, the run.
pub fn verify(
    record: &Attestation,
    decisions: &Decisions,
    stored: Option<&Report>,
    key: &FingerprintKey,
) -> Verdict {
    let mut verdict = Verdict::default();
    if record.schema != SCHEMA {
        let words = format!("the record is of another form, {}", record.schema);
        verdict.faults.push(words);
    }
    if record.key == key.id() {
        if seal(record, key) != record.seal {
            verdict
                .faults
                .push("the record itself was altered after it was sealed".to_owned());
        }
    } else {
        verdict.notes.push(format!(
            "the record is sealed with key {} and this one is {}: whether it was altered cannot be told",
            record.key,
            key.id()
        ));
    }
    if digest(record.events.iter().map(|one| one.id.as_str())) != record.events_digest {
        verdict
            .faults
            .push("the list of events is not the one that was attested".to_owned());
    }
    let known: BTreeSet<&str> = decisions.events.iter().map(|one| one.id.as_str()).collect();
    for event in record
        .events
        .iter()
        .filter(|one| !known.contains(one.id.as_str()))
    {
        verdict.faults.push(format!(
            "event {} was altered or removed: {} of {} on {} at {}",
            event.id, event.decision, event.actor, event.scope, event.at
        ));
    }
    match stored {
        Some(report) if evidence(report) != record.evidence => verdict.faults.push(format!(
            "the run {} that is stored is not the one that was reviewed",
            record.run
        )),
        Some(_) => {}
        None => verdict.notes.push(format!(
            "the run {} is not stored here any more: its evidence, {}, cannot be compared",
            record.run, record.evidence
        )),
    }
    let more = decisions.events.len().saturating_sub(record.events.len());
    if more > 0 && verdict.faults.is_empty() {
        verdict
            .notes
            .push(format!("{more} events were added to the log since"));
    }
    if !decisions.bad.is_empty() {
        let words = format!("{} lines of the log are no events", decisions.bad.len());
        verdict.notes.push(words);
    }
    verdict
}

#[cfg(test)]
mod tests;
