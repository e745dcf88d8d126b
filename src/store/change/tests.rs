use super::*;
use crate::model::{Coverage, CoverageStatus, FindingBuilder, Location, Summary, report::SCHEMA};

fn finding(name: &str, repository: &str, severity: Severity) -> Finding {
    FindingBuilder::new("long-lived-key", severity)
        .text(name, "message")
        .discriminator(name)
        .locations([Location::file(repository, "a.env", 3, 1)])
        .build()
        .unwrap()
}

fn report(day: u8, inputs: &[&str], findings: &[Finding]) -> Report {
    let report = serde_json::json!({
        "schema": SCHEMA,
        "tool": {"name": "overstay", "version": "0"},
        "run": {
            "id": format!("run-{day}"),
            "now": format!("2026-11-{day:02}T00:00:00Z"),
            "inputs": inputs,
            "rules_digest": "r",
            "policy_digest": "p",
            "fingerprint_key": "k",
            "complete": true,
        },
        "coverage": [],
        "summary": Summary::default(),
        "identities": [],
        "credentials": [],
        "grants": [],
        "consumers": [],
        "findings": findings,
        "assessments": [],
        "plan": [],
    });
    serde_json::from_value(report).unwrap()
}

fn asked(scope: &str, reading: Reading) -> Asked {
    Asked {
        scope: scope.into(),
        reading,
    }
}

/// What is known after this report.
fn after(mut report: Report, asked: &Asked) -> Past {
    mark(&mut report, &Past::default(), asked);
    Past {
        run: Some((report.run.id.clone(), report.run.now)),
        findings: known_of(&report, asked).into_iter().collect(),
        reach: ReachMap::new(),
    }
}

/// The statuses of a report, those of fixed findings last with the reason.
fn words(mut report: Report, past: &Past, asked: &Asked) -> String {
    mark(&mut report, past, asked);
    let fixed = report.changes.iter().flat_map(|changes| &changes.fixed);
    let words = report.findings.iter().chain(fixed).map(|one| {
        format!(
            "{} {} [{}]",
            one.title,
            one.status.as_str(),
            one.changes.join("; ")
        )
    });
    words.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_was_not_looked_for_is_not_fixed() {
    let all = asked("a b", Reading::History);
    let past = after(
        report(1, &["a", "b"], &[finding("x", "a", Severity::High)]),
        &all,
    );
    let gone = |inputs: &[&str]| report(2, inputs, &[]);
    assert_eq!(
        words(gone(&["a", "b"]), &past, &all),
        "x fixed [it is no longer there]"
    );
    assert_eq!(
        words(gone(&["b"]), &past, &all),
        "x fixed [a is no longer there]",
        "the same arguments, and the repository was deleted"
    );
    let other = asked("b", Reading::History);
    assert_eq!(words(gone(&["b"]), &past, &other), "", "other arguments");
    let files = asked("a b", Reading::Current);
    assert_eq!(
        words(gone(&["a", "b"]), &past, &files),
        "",
        "history was not read"
    );
    let mut unread = gone(&["a", "b"]);
    unread.coverage = vec![Coverage::new("git", "a", CoverageStatus::Failed, "x")];
    assert_eq!(words(unread, &past, &all), "", "it could not be read");
    let mut rules = gone(&["a", "b"]);
    rules.run.rules_digest = "s".into();
    assert_eq!(
        words(rules, &past, &all),
        "x fixed [it is no longer found; the rules have changed since]"
    );
}

#[test]
fn severity_makes_better_or_worse() {
    let all = asked("a", Reading::History);
    let past = after(
        report(1, &["a"], &[finding("x", "a", Severity::High)]),
        &all,
    );
    let now = |severity| {
        words(
            report(2, &["a"], &[finding("x", "a", severity)]),
            &past,
            &all,
        )
    };
    assert_eq!(now(Severity::High), "x unchanged []");
    assert_eq!(
        now(Severity::Critical),
        "x worsened [severity high → critical]"
    );
    assert_eq!(now(Severity::Low), "x improved [severity high → low]");
}

#[test]
fn a_clock_that_was_moved_back_makes_nothing_older_than_it_is() {
    let all = asked("a", Reading::History);
    let past = after(
        report(9, &["a"], &[finding("x", "a", Severity::High)]),
        &all,
    );
    let mut early = report(2, &["a"], &[finding("x", "a", Severity::High)]);
    mark(&mut early, &past, &all);
    let found = &early.findings[0];
    assert_eq!(found.status, FindingStatus::Unchanged);
    assert!(found.first_seen <= found.last_seen);
}
