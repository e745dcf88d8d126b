use super::*;
use crate::model::{Grade, IdentityKind, Severity, Summary as ReportSummary, report};
use crate::store::decisions::{self, Decision, Event};
use std::path::Path;

fn run() -> Report {
    let identity = Identity::named("aws", IdentityKind::IamUser, "ci", "user/ci", Grade::A);
    let finding = crate::model::FindingBuilder::new("long-lived-key", Severity::High)
        .text("t", "m")
        .identity(Some(&identity.id))
        .locations([crate::model::Location::file("r", "a", 1, 1)])
        .build()
        .unwrap();
    let value = serde_json::json!({
        "schema": report::SCHEMA,
        "tool": {"name": "overstay", "version": "0"},
        "run": {
            "id": "run-1", "now": "2026-11-01T00:00:00Z", "inputs": ["r"], "rules_digest": "r",
            "policy_digest": "p", "fingerprint_key": "k", "complete": true,
        },
        "coverage": [], "summary": ReportSummary::default(), "identities": [identity], "credentials": [],
        "grants": [], "consumers": [], "findings": [finding], "assessments": [], "plan": [],
    });
    serde_json::from_value(value).unwrap()
}

fn event(report: &Report, actor: &str, decision: Decision) -> Event {
    Event {
        at: "2026-11-02T00:00:00Z".parse().unwrap(),
        actor: actor.into(),
        scope: Scope::Finding(report.findings[0].id.clone()).into(),
        decision,
        reason: "r".into(),
        expires: None,
        ticket: None,
        after: Some(Vec::new()),
        run: None,
        evidence: None,
        undoes: None,
    }
}

fn review() -> Review {
    Review {
        reviewer: "dana".into(),
        role: Some("head of platform".into()),
        at: "2026-11-03T00:00:00Z".parse().unwrap(),
        period: Some("2026 Q4".into()),
        statement: None,
    }
}

fn swap(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from));
    super::super::atomic::write(path, text.replace(from, to).as_bytes()).unwrap();
}

#[test]
fn merged_logs_stay_valid_and_altered_events_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.jsonl");
    let key = FingerprintKey::new([1; 32]);
    let report = run();
    decisions::append(&path, &event(&report, "ada", Decision::AcceptRisk)).unwrap();
    decisions::append(&path, &event(&report, "lee", Decision::AcceptRisk)).unwrap();
    let log = || decisions::read(&path).unwrap();
    let record = make(&report, &log(), review(), &key);
    assert_eq!(record.summary.accounts, 1);
    assert_eq!(record.summary.appropriate, 1);
    assert_eq!(
        verify(&record, &log(), Some(&report), &key),
        Verdict::default()
    );

    // Another order, the same line twice, more lines.
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<&str> = text.lines().rev().collect();
    lines.push(lines[0]);
    super::super::atomic::write(&path, (lines.join("\n") + "\n").as_bytes()).unwrap();
    decisions::append(&path, &event(&report, "mo", Decision::Remediate)).unwrap();
    let verdict = verify(&record, &log(), None, &key);
    assert!(verdict.faults.is_empty(), "{verdict:?}");
    assert_eq!(verdict.notes.len(), 2, "{verdict:?}");

    swap(&path, "\"actor\":\"lee\"", "\"actor\":\"eve\"");
    let verdict = verify(&record, &log(), Some(&report), &key);
    assert_eq!(verdict.faults.len(), 1);
    assert!(
        verdict.faults[0].contains("accept-risk of lee"),
        "{verdict:?}"
    );
}

#[test]
fn a_record_or_a_run_that_was_altered_is_told() {
    let key = FingerprintKey::new([1; 32]);
    let report = run();
    let none = Decisions::default();
    let record = make(&report, &none, review(), &key);
    assert_eq!(record.accounts[0].outcome, "open");
    let altered = Attestation {
        complete: false,
        ..record.clone()
    };
    assert_eq!(verify(&altered, &none, Some(&report), &key).faults.len(), 1);
    let mut other = report.clone();
    other.findings[0].severity = Severity::Low;
    assert_eq!(verify(&record, &none, Some(&other), &key).faults.len(), 1);
    let stranger = FingerprintKey::new([2; 32]);
    let verdict = verify(&record, &none, Some(&report), &stranger);
    assert!(verdict.faults.is_empty() && verdict.notes.len() == 1);
}
