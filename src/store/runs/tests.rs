use super::*;
use crate::model::{
    Finding, FindingBuilder, Grade, Identity, IdentityKind, Location, Severity, Summary, Tool,
    report::SCHEMA,
};

fn finding(name: &str) -> Finding {
    FindingBuilder::new("long-lived-key", Severity::High)
        .text("title", "message")
        .discriminator(name)
        .locations([Location::file("site", "a.env", 3, 1)])
        .build()
        .unwrap()
}

fn report(id: &str, now: &str, findings: &[&str]) -> Report {
    Report {
        schema: SCHEMA.into(),
        tool: Tool {
            name: "overstay".into(),
            version: "0.1.0".into(),
        },
        run: Run {
            id: id.into(),
            now: now.parse().unwrap(),
            inputs: vec!["site".into()],
            rules_digest: "r".into(),
            policy_digest: "p".into(),
            fingerprint_key: "k".into(),
            complete: true,
        },
        coverage: Vec::new(),
        summary: Summary::default(),
        identities: vec![Identity::named(
            "aws",
            IdentityKind::IamUser,
            "ci",
            "arn:aws:iam::111122223333:user/ci",
            Grade::A,
        )],
        credentials: Vec::new(),
        grants: Vec::new(),
        consumers: Vec::new(),
        roles: Vec::new(),
        bindings: Vec::new(),
        capabilities: Vec::new(),
        findings: findings.iter().map(|name| finding(name)).collect(),
        assessments: Vec::new(),
        plan: Vec::new(),
    }
}

fn ids(runs: &Runs) -> Vec<String> {
    runs.list().unwrap().into_iter().map(|run| run.id).collect()
}

#[test]
fn runs_come_back_as_they_were_saved() {
    let state = tempfile::tempdir().unwrap();
    let first = report("run-aa", "2026-11-01T00:00:00Z", &["one", "two"]);
    let second = report("run-ab", "2026-11-02T00:00:00Z", &["two"]);
    {
        let mut runs = Runs::open(state.path()).unwrap();
        assert_eq!(runs.latest().unwrap(), None);
        runs.save(&first).unwrap();
        runs.save(&second).unwrap();
    }
    let mut runs = Runs::open(state.path()).unwrap();
    assert_eq!(runs.latest().unwrap(), Some(second));
    assert_eq!(runs.load("run-aa").unwrap(), Some(first.clone()));
    assert_eq!(runs.load("run-a").unwrap(), None, "ambiguous");
    assert_eq!(runs.load("").unwrap(), None);
    runs.save(&first).unwrap();
    assert_eq!(
        ids(&runs),
        ["run-aa", "run-ab"],
        "replaced, and now the last"
    );
    assert_eq!(runs.load("run-ab").unwrap().unwrap().findings.len(), 1);
    let rows: i64 = runs.ask("SELECT count(*) FROM findings").unwrap();
    assert_eq!(rows, 3, "rows of the replaced run are gone");
}

#[test]
fn status_compares_with_the_run_before_and_repeats() {
    let state = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(state.path()).unwrap();
    let mark = |runs: &Runs, report: &Report| {
        let mut report = report.clone();
        let previous = runs.previous_findings(&report.run).unwrap();
        mark_status(&mut report, previous.as_ref());
        let words = report
            .findings
            .iter()
            .map(|finding| finding.status.as_str());
        words.collect::<Vec<_>>().join(" ")
    };
    let first = report("run-1", "2026-11-01T00:00:00Z", &["one"]);
    let second = report("run-2", "2026-11-02T00:00:00Z", &["one", "two"]);
    assert_eq!(mark(&runs, &first), "new");
    runs.save(&first).unwrap();
    assert_eq!(mark(&runs, &first), "new", "a run is not its own past");
    assert_eq!(mark(&runs, &second), "unchanged new");
    runs.save(&second).unwrap();
    assert_eq!(mark(&runs, &second), "unchanged new");
    assert_eq!(
        mark(&runs, &first),
        "new",
        "what came later is not the past"
    );
    let mut accepted = second;
    accepted.findings[0].status = FindingStatus::Accepted;
    assert_eq!(mark(&runs, &accepted), "accepted new");
}

#[test]
fn a_file_that_is_no_database_is_named_damaged() {
    let state = tempfile::tempdir().unwrap();
    atomic::write(&state.path().join(FILE), &[b'x'; 4096]).unwrap();
    let error = Runs::open(state.path()).map(drop).unwrap_err();
    assert!(matches!(error, RunsError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("move it away"));
}

#[test]
fn a_damaged_page_is_named_damaged() {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join(FILE);
    Runs::open(state.path())
        .unwrap()
        .save(&report("run-1", "2026-11-01T00:00:00Z", &["one"]))
        .unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..].fill(0xff);
    atomic::write(&path, &bytes).unwrap();
    let outcome = Runs::open(state.path()).and_then(|runs| runs.latest());
    assert!(matches!(outcome, Err(RunsError::Damaged { .. })));
}

#[test]
fn databases_of_later_versions_and_other_programs_are_left_alone() {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join(FILE);
    drop(Runs::open(state.path()).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = Runs::open(state.path()).map(drop).unwrap_err();
    assert!(
        matches!(error, RunsError::Newer { found: 99, .. }),
        "{error}"
    );
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "application_id", 7).unwrap();
    drop(connection);
    let error = Runs::open(state.path()).map(drop).unwrap_err();
    assert!(matches!(error, RunsError::Foreign { .. }), "{error}");
}

#[test]
fn a_report_of_another_shape_is_not_taken_for_damage() {
    let state = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(state.path()).unwrap();
    runs.save(&report("run-1", "2026-11-01T00:00:00Z", &[]))
        .unwrap();
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    io::Write::write_all(&mut encoder, b"{\"schema\":\"overstay.report/0\"}").unwrap();
    let other = encoder.finish().unwrap();
    runs.connection
        .execute("UPDATE runs SET report = ?1", [other])
        .unwrap();
    assert!(matches!(runs.latest(), Err(RunsError::Unreadable { .. })));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_database() {
    use std::os::unix::fs::PermissionsExt;
    let state = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(&state.path().join("new")).unwrap();
    runs.save(&report("run-1", "2026-11-01T00:00:00Z", &["one"]))
        .unwrap();
    for entry in std::fs::read_dir(state.path().join("new")).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}
