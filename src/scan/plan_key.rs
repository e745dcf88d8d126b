//! What the files of a plan are made from, and its tables, as digests: where they are the same, so are the files, whatever
//! the day.

use super::{RuleSet, joined, stored};
use crate::model::aws::AwsAccount;
use crate::model::{Report, Written};

/// The digest; `None` where a part of the report has no form as JSON.
pub fn plan_key(
    report: &Report,
    written: &Written,
    accounts: &[AwsAccount],
    rules: &RuleSet,
    program: &str,
) -> Option<String> {
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 what a plan is made from");
    let mut add = |text: &[u8]| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text);
    };
    add(program.as_bytes());
    add(joined::settings(rules).as_bytes());
    let few = (
        &report.observed,
        &report.edits,
        &report.origins,
        &report.roles,
        &report.bindings,
        &report.capabilities,
        stored::issuers(accounts),
    );
    add(&serde_json::to_vec(&few).ok()?);
    for list in [
        &written.identities,
        &written.credentials,
        &written.grants,
        &written.consumers,
        &written.plan,
    ] {
        add(&(list.parts().len() as u64).to_le_bytes());
        for part in list.parts() {
            add(&part.digest());
        }
    }
    Some(hasher.finalize().to_hex()[..32].to_owned())
}

/// The digest of what the tickets of the plan are made from, where its files have this one.
pub fn tickets_key(written: &Written, files: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 what tickets of a plan show");
    hasher.update(files.as_bytes());
    for list in [&written.plan, &written.assessments] {
        for part in list.parts() {
            hasher.update(&part.digest());
        }
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// The digest of what the tables of the plan are made from, where its tickets have this one; `None` where a part of the
/// report has no form as JSON.
pub fn tables_key(report: &Report, tickets: &str) -> Option<String> {
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 what the tables of a plan show");
    hasher.update(tickets.as_bytes());
    let became = report.changes.as_ref().map(|changes| &changes.plan);
    hasher.update(&serde_json::to_vec(&became).ok()?);
    Some(hasher.finalize().to_hex()[..32].to_owned())
}
