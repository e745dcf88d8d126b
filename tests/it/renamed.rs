//! What was decided, written or asked under the old name of a rule goes on being about the rule.

use overstay::model::brief::Brief;
use overstay::model::{FindingBuilder, FindingStatus, FingerprintKey, Renames, Report};
use overstay::query::Query;
use overstay::query::Subject;
use overstay::rules::config::Config;
use overstay::scan::{RuleSet, ScanRequest, scan};
use overstay::sources::{NoProgress, ReadOptions};
use overstay::store::decisions::{Decision, Decisions, Event, Recorded, RulePath, Scope};
use std::collections::BTreeMap;
use std::path::Path;

/// The check that has a new name here, and the names it had.
const CHECK: &str = "leaked-secret";

fn renames() -> Renames {
    let names = [
        ("token-in-code", "secret-in-code"),
        ("secret-in-code", CHECK),
    ];
    let names = names.map(|(old, new)| (old.to_owned(), new.to_owned()));
    BTreeMap::from(names).try_into().unwrap()
}

fn scanned(folder: &Path, config: &str, decisions: Vec<Event>) -> Report {
    let config: Config = toml::from_str(config).unwrap();
    let mut rules = RuleSet::load(config, &[]).unwrap();
    rules.posture = rules.posture.renamed(renames());
    let request = ScanRequest {
        paths: vec![folder.to_owned()],
        given: Vec::new(),
        known: Vec::new(),
        aws_snapshots: Vec::new(),
        cloudtrail: Vec::new(),
        own: Vec::new(),
        shard: None,
        told: Vec::new(),
        read: ReadOptions::default(),
        decisions: Decisions {
            events: decisions.into_iter().map(Recorded::of).collect(),
            bad: Vec::new(),
        },
        key: FingerprintKey::new([7; 32]),
        now: "2026-11-01T00:00:00Z".parse().unwrap(),
    };
    scan(&request, &rules, &NoProgress).unwrap().0
}

fn event(scope: Scope) -> Event {
    Event {
        at: "2026-10-01T00:00:00Z".parse().unwrap(),
        actor: "dana".into(),
        scope: scope.into(),
        decision: Decision::FalsePositive,
        reason: "test data".into(),
        expires: None,
        ticket: None,
        after: None,
        run: None,
        evidence: None,
        undoes: None,
    }
}

fn accepted(report: &Report) -> usize {
    let findings = report.findings.iter();
    let accepted = findings.filter(|one| one.status == FindingStatus::Accepted);
    accepted.filter(|one| one.rule == CHECK).count()
}

#[test]
fn a_renamed_rule_keeps_its_findings_decisions_ignores_and_filters() {
    let folder = tempfile::tempdir().unwrap();
    let token = format!("gh{}_{}", "p", "zQ8xW3nK5vB7mT2cR9jL4hF6dS1gY0aPuE0i");
    std::fs::write(
        folder.path().join("deploy.py"),
        format!("TOKEN = \"{token}\"\n"),
    )
    .unwrap();
    let plain = scanned(folder.path(), "", Vec::new());
    let found: Vec<_> = plain
        .findings
        .iter()
        .filter(|one| one.rule == CHECK)
        .collect();
    let [finding] = found.as_slice() else {
        panic!("{} findings", found.len());
    };
    // As it was found when the rule had its first name.
    let first = FindingBuilder::new("token-in-code", finding.severity)
        .text("t", "m")
        .identity(finding.identity.as_ref())
        .credential(finding.credential.as_ref())
        .locations(finding.locations.clone())
        .build()
        .unwrap();
    assert_eq!(finding.id, first.id);

    let before = vec![event(Scope::Finding(first.id))];
    assert_eq!(accepted(&scanned(folder.path(), "", before)), 1);
    for name in ["token-in-code", "secret-*", CHECK] {
        let at = RulePath {
            rule: name.into(),
            path: "*.py".into(),
        };
        let report = scanned(folder.path(), "", vec![event(Scope::RulePath(at))]);
        assert_eq!(accepted(&report), 1, "{name}");
        let ignore =
            format!("[[ignore]]\nrule = \"{name}\"\npath = \"*.py\"\nreason = \"test data\"\n");
        let report = scanned(folder.path(), &ignore, Vec::new());
        let findings = report.findings.iter().filter(|one| one.rule == CHECK);
        let statuses: Vec<_> = findings.map(|one| one.status).collect();
        assert_eq!(statuses, [FindingStatus::Ignored], "{name}");
        let brief = Brief::of(&plain);
        let query = Query::parse(&format!("rule:{name}"))
            .unwrap()
            .renamed(&renames());
        let asked = query.ask(&brief);
        let rows = (0..).zip(&plain.findings);
        let passing = rows.filter(|(at, _)| asked.passes(&Subject::finding(&brief, None, *at)));
        assert!(
            passing.into_iter().any(|(_, one)| one.id == finding.id),
            "{name}"
        );
    }
    let at = RulePath {
        rule: "another".into(),
        path: "*.py".into(),
    };
    assert_eq!(
        accepted(&scanned(
            folder.path(),
            "",
            vec![event(Scope::RulePath(at))]
        )),
        0
    );
}
