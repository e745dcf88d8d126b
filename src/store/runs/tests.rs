use super::*;
use crate::model::brief::Rows;
use crate::model::{
    Finding, FindingBuilder, Grade, Identity, IdentityKind, Location, Run, Severity, Summary, Tool,
    report::SCHEMA,
};
use crate::store::change;
use std::collections::BTreeSet;

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
        observed: crate::model::Observed::default(),
        edits: Vec::new(),
        origins: BTreeMap::new(),
        findings: findings.iter().map(|name| finding(name)).collect(),
        assessments: Vec::new(),
        plan: Vec::new(),
        changes: None,
    }
}

#[test]
fn a_run_that_was_stored_in_one_piece_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(folder.path()).unwrap();
    let one = report("20261101T000000Z-one", "2026-11-01T00:00:00Z", &["a", "b"]);
    save(&mut runs, &one);
    assert!(runs.in_parts(&one.run.id).unwrap());
    runs.connection.execute("DELETE FROM parts", []).unwrap();
    runs.connection
        .execute("UPDATE runs SET report = ?1", [pack(&one).unwrap()])
        .unwrap();
    assert!(!runs.in_parts(&one.run.id).unwrap());
    assert_eq!(runs.latest().unwrap().unwrap(), one);
    let (report, brief) = runs.brief(None).unwrap().unwrap();
    assert_eq!(report, one);
    assert_eq!(*brief.rows(), Rows::of(&one));
}

#[test]
fn the_brief_of_a_run_comes_back_or_is_made_for_one_of_an_older_version() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(folder.path()).unwrap();
    let one = report("20261101T000000Z-one", "2026-11-01T00:00:00Z", &["a", "b"]);
    save(&mut runs, &one);
    for id in [None, Some("20261101"), Some("20261101T000000Z-one")] {
        let (report, brief) = runs.brief(id).unwrap().unwrap();
        assert_eq!(report, one.head());
        assert_eq!(*brief.rows(), Rows::of(&one));
    }
    assert!(runs.brief(Some("2025")).unwrap().is_none());
    runs.connection
        .execute("DELETE FROM parts WHERE list LIKE 'brief%'", [])
        .unwrap();
    let (report, brief) = runs.brief(None).unwrap().unwrap();
    assert_eq!(report, one.head());
    assert_eq!(*brief.rows(), Rows::of(&one));
}

#[test]
fn entries_are_read_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(folder.path()).unwrap();
    let names: Vec<String> = (0..150).map(|n| format!("n{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let one = report("20261101T000000Z-one", "2026-11-01T00:00:00Z", &names);
    save(&mut runs, &one);
    let (mut page, brief) = runs.brief(None).unwrap().unwrap();
    assert!(page.findings.is_empty());
    assert_eq!(brief.rows().findings.len(), 150);
    let wanted = Wanted {
        findings: BTreeSet::from([0, 63, 64, 149, 150]),
        ..Wanted::default()
    };
    runs.pick(&wanted, &mut page).unwrap();
    let ids = |places: &[usize]| -> Vec<Finding> {
        places.iter().map(|at| one.findings[*at].clone()).collect()
    };
    assert_eq!(page.findings, ids(&[0, 63, 64, 149]));
    assert!(page.identities.is_empty());
}

#[test]
fn a_part_that_is_as_it_was_is_shared_and_outlasts_the_run_it_came_from() {
    let state = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(state.path()).unwrap();
    let names: Vec<String> = (0..130).map(|n| format!("n{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let first = report("run-1", "2026-11-01T00:00:00Z", &names);
    let mut second = report("run-2", "2026-11-02T00:00:00Z", &names);
    second.findings[129].title = "another".into();
    save(&mut runs, &first);
    let earlier = Earlier::read(&runs.connection, "run-2").unwrap();
    let parts = parts::packed(&second, None, &PlanMemory::default(), &earlier).unwrap();
    let of_findings = parts.iter().filter(|part| part.is_of("findings"));
    let copied: Vec<bool> = of_findings.map(|part| !part.is_new()).collect();
    assert_eq!(copied, [true, true, false]);
    save(&mut runs, &second);
    // Made again, a run does not share with itself.
    save(&mut runs, &second);
    runs.keep(Keep::Runs(1), second.run.now).unwrap();
    let pieces: i64 = runs.ask("SELECT count(*) FROM pieces").unwrap();
    let parts: i64 = runs.ask("SELECT count(DISTINCT piece) FROM parts").unwrap();
    assert_eq!(pieces, parts);
    assert_eq!(runs.latest().unwrap().unwrap(), second);
    let (_, brief) = runs.brief(None).unwrap().unwrap();
    assert_eq!(*brief.rows(), Rows::of(&second));
}

fn save(runs: &mut Runs, report: &Report) {
    runs.save(report, &Asked::default(), &Left::default())
        .unwrap();
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
        save(&mut runs, &first);
        save(&mut runs, &second);
    }
    let mut runs = Runs::open(state.path()).unwrap();
    assert_eq!(runs.latest().unwrap(), Some(second));
    assert_eq!(runs.load("run-aa").unwrap(), Some(first.clone()));
    assert_eq!(runs.load("run-a").unwrap(), None, "ambiguous");
    assert_eq!(runs.load("").unwrap(), None);
    save(&mut runs, &first);
    assert_eq!(
        ids(&runs),
        ["run-aa", "run-ab"],
        "replaced, and now the last"
    );
    assert_eq!(runs.load("run-ab").unwrap().unwrap().findings.len(), 1);
    let rows: i64 = runs.ask("SELECT count(*) FROM findings").unwrap();
    assert_eq!(rows, 3, "rows of the replaced run are gone");
}

/// Marks a report against what is stored; the words, those of fixed findings last.
fn mark(runs: &Runs, report: &Report) -> (Report, String) {
    let mut report = report.clone();
    let mut past = runs.past(&report.run, true).unwrap();
    runs.tell(&mut past, &report.findings).unwrap();
    change::mark(&mut report, &past, &Asked::default());
    let fixed = report.changes.iter().flat_map(|changes| &changes.fixed);
    let words: Vec<_> = report
        .findings
        .iter()
        .chain(fixed)
        .map(|finding| finding.status.as_str())
        .collect();
    let words = words.join(" ");
    (report, words)
}

fn go(runs: &mut Runs, report: &Report) -> String {
    let (marked, words) = mark(runs, report);
    runs.save(&marked, &Asked::default(), &Left::default())
        .unwrap();
    words
}

#[test]
fn a_finding_is_new_stays_goes_and_comes_back() {
    let state = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(state.path()).unwrap();
    let day = |day: u8| format!("2026-11-{day:02}T00:00:00Z");
    let first = report("run-1", &day(1), &["one"]);
    let second = report("run-2", &day(2), &["one", "two"]);
    let third = report("run-3", &day(3), &["two"]);
    let fourth = report("run-4", &day(4), &["one", "two"]);
    assert_eq!(go(&mut runs, &first), "new");
    assert_eq!(go(&mut runs, &first), "new", "a run is not its own past");
    assert_eq!(go(&mut runs, &second), "unchanged new");
    assert_eq!(go(&mut runs, &second), "unchanged new");
    assert_eq!(go(&mut runs, &third), "unchanged fixed");
    assert_eq!(go(&mut runs, &third), "unchanged fixed");
    let (marked, words) = mark(&runs, &fourth);
    assert_eq!(words, "reappeared unchanged");
    assert_eq!(marked.findings[0].first_seen, Some(first.run.now));
    assert_eq!(marked.findings[0].last_seen, Some(fourth.run.now));
    go(&mut runs, &fourth);
    for (report, words) in [
        (&first, "new"),
        (&second, "unchanged new"),
        (&third, "unchanged fixed"),
    ] {
        assert_eq!(mark(&runs, report).1, words, "{} again", report.run.id);
    }
    let mut past = runs.past(&first.run, false).unwrap().findings;
    assert_eq!(past.len(), 2, "without the order of time all is known");
    past.clear();
}

#[test]
fn what_a_run_told_is_taken_back_when_it_is_made_again() {
    let state = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(state.path()).unwrap();
    go(
        &mut runs,
        &report("run-1", "2026-11-01T00:00:00Z", &["one"]),
    );
    go(
        &mut runs,
        &report("run-2", "2026-11-02T00:00:00Z", &["two"]),
    );
    let again = report("run-2", "2026-11-02T00:00:00Z", &["one"]);
    assert_eq!(go(&mut runs, &again), "unchanged");
    let third = report("run-3", "2026-11-03T00:00:00Z", &["one", "two"]);
    assert_eq!(go(&mut runs, &third), "unchanged new");
}

#[test]
fn findings_that_stay_share_their_parts_and_each_run_has_its_time() {
    let state = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(state.path()).unwrap();
    let saved: Vec<Report> = (1..=3)
        .map(|day| {
            let time = format!("2026-11-0{day}T00:00:00Z");
            let report = report(&format!("run-{day}"), &time, &["one", "two"]);
            let (marked, _) = mark(&runs, &report);
            save(&mut runs, &marked);
            marked
        })
        .collect();
    for report in &saved {
        assert_eq!(runs.load(&report.run.id).unwrap().as_ref(), Some(report));
    }
    let pieces: i64 = runs
        .ask("SELECT count(DISTINCT piece) FROM parts WHERE list = 'findings'")
        .unwrap();
    assert_eq!(pieces, 2, "new, and then unchanged");
}

#[test]
fn old_runs_go_and_what_is_known_stays() {
    let state = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(state.path()).unwrap();
    for day in 1..=4 {
        let now = format!("2026-11-0{day}T00:00:00Z");
        go(&mut runs, &report(&format!("run-{day}"), &now, &["one"]));
    }
    let now = "2026-11-04T00:00:00Z".parse().unwrap();
    assert_eq!(runs.keep(Keep::Days(2), now).unwrap(), 1);
    assert_eq!(runs.keep(Keep::Runs(1), now).unwrap(), 2);
    assert_eq!(ids(&runs), ["run-4"]);
    assert_eq!(runs.trend().unwrap().len(), 4);
    let (marked, _) = mark(&runs, &report("run-5", "2026-11-05T00:00:00Z", &["one"]));
    let first = "2026-11-01T00:00:00Z".parse().ok();
    assert_eq!(marked.findings[0].first_seen, first);
    assert_eq!(runs.check().unwrap(), Vec::<String>::new());
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
    save(
        &mut Runs::open(state.path()).unwrap(),
        &report("run-1", "2026-11-01T00:00:00Z", &["one"]),
    );
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..].fill(0xff);
    atomic::write(&path, &bytes).unwrap();
    let outcome = Runs::open(state.path()).and_then(|runs| runs.latest());
    assert!(matches!(outcome, Err(RunsError::Damaged { .. })));
}

#[test]
fn damage_inside_a_value_is_found() {
    let cases = [
        "UPDATE ledger SET known = CAST(x'ff7b' AS TEXT)",
        "UPDATE ledger SET known = '{'",
        "UPDATE runs SET report = x'78'",
        "UPDATE findings SET title = CAST(x'c3' AS TEXT)",
    ];
    for case in cases {
        let state = tempfile::tempdir().unwrap();
        let mut runs = Runs::open(state.path()).unwrap();
        save(&mut runs, &report("a", "2026-11-01T00:00:00Z", &["one"]));
        assert_eq!(runs.check().unwrap(), Vec::<String>::new());
        runs.connection.execute_batch(case).unwrap();
        assert_eq!(runs.check().unwrap().len(), 1, "{case}");
    }
    let state = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(state.path()).unwrap();
    save(&mut runs, &report("a", "2026-11-01T00:00:00Z", &["one"]));
    runs.connection.execute_batch(cases[0]).unwrap();
    let later = report("b", "2026-11-02T00:00:00Z", &["one"]);
    assert!(matches!(
        runs.past(&later.run, false),
        Err(RunsError::Damaged { .. })
    ));
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
    save(&mut runs, &report("run-1", "2026-11-01T00:00:00Z", &[]));
    let other = pack(&serde_json::json!({"schema": "overstay.report/0"})).unwrap();
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
    save(
        &mut runs,
        &report("run-1", "2026-11-01T00:00:00Z", &["one"]),
    );
    for entry in std::fs::read_dir(state.path().join("new")).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}

#[test]
fn entries_that_are_written_already_are_stored_as_any_other() {
    let names: Vec<String> = (0..130).map(|n| format!("\"n{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let one = report("run-1", "2026-11-01T00:00:00Z", &names);
    let written = Written::of(&one).unwrap().unwrap();
    let store = |written| {
        let state = tempfile::tempdir().unwrap();
        let mut runs = Runs::open(state.path()).unwrap();
        let plans = PlanMemory::default();
        runs.save_whole(
            &one,
            &Asked::default(),
            &Left::default(),
            &plans,
            &[],
            written,
        )
        .unwrap();
        let mut statement = runs
            .connection
            .prepare("SELECT list, part, packed FROM parts JOIN pieces ON number = piece UNION ALL
                 SELECT id, 0, CAST(known || finding AS BLOB) FROM ledger JOIN told USING (id) ORDER BY 1, 2")
            .unwrap();
        let rows = statement.query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, Vec<u8>>(2)?,
            ))
        });
        rows.unwrap().collect::<rusqlite::Result<Vec<_>>>().unwrap()
    };
    assert_eq!(store(Some(&written)), store(None));
}

/// A database of the first format with these runs.
fn first_format(folder: &Path, all: &[(&Report, bool)]) {
    let connection = Connection::open(folder.join(FILE)).unwrap();
    connection.execute_batch(schema::STEPS[0]).unwrap();
    connection
        .pragma_update(None, "application_id", schema::APPLICATION_ID)
        .unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    for (report, readable) in all {
        let packed = if *readable {
            pack(report).unwrap()
        } else {
            pack(&serde_json::json!({"schema": "another", "findings": [{"id": 3}]})).unwrap()
        };
        let run = &report.run;
        connection
            .execute(
                "INSERT INTO runs VALUES (NULL, ?1, ?2, '0.1.0', 'r', 'p', 'k', 1, ?3, 1, 0, ?4, 0, 0, ?5)",
                params![
                    run.id,
                    run.now.to_string(),
                    serde_json::to_string(&run.inputs).unwrap(),
                    rows::count(report.findings.len()),
                    packed
                ],
            )
            .unwrap();
        let number = connection.last_insert_rowid();
        for finding in &report.findings {
            connection
                .execute(
                    "INSERT INTO findings VALUES (?1, ?2, ?3, 'high', 3, 'high', 'new', 'title', NULL, NULL, 'site', 'a.env', 3)",
                    params![number, finding.id.as_str(), finding.rule],
                )
                .unwrap();
        }
    }
}

#[test]
fn a_state_of_the_first_format_knows_what_stands_since_when() {
    for readable in [true, false] {
        let state = tempfile::tempdir().unwrap();
        let day = |day: u8| format!("2026-11-{day:02}T00:00:00Z");
        let first = report("run-1", &day(1), &["stays", "goes", "returns"]);
        let second = report("run-2", &day(2), &["stays", "goes"]);
        first_format(state.path(), &[(&first, readable), (&second, readable)]);
        let mut runs = Runs::open(state.path()).unwrap();
        assert_eq!(runs.check().unwrap(), [""; 0]);
        let third = report("run-3", &day(3), &["stays", "returns", "comes"]);
        let (marked, words) = mark(&runs, &third);
        assert_eq!(words, "unchanged reappeared new fixed", "{readable}");
        assert_eq!(marked.findings[0].first_seen, Some(first.run.now));
        assert_eq!(marked.findings[1].first_seen, Some(first.run.now));
        let gone = &marked.changes.as_ref().unwrap().fixed[0];
        assert_eq!(gone.id, second.findings[1].id);
        assert_eq!(gone.last_seen, Some(second.run.now));
        // A run of the old ones that is made again tells what it told then.
        assert_eq!(
            mark(&runs, &second).1,
            "unchanged unchanged fixed",
            "{readable}"
        );
        assert_eq!(runs.trend().unwrap().len(), 2);
        go(&mut runs, &third);
        assert_eq!(runs.trend().unwrap().len(), 3);
        drop(runs);
        assert_eq!(ids(&Runs::open(state.path()).unwrap()).len(), 3);
    }
}

#[test]
fn runs_of_the_ninth_format_come_to_share_what_they_have_in_common() {
    let state = tempfile::tempdir().unwrap();
    let one = report("run-1", "2026-11-01T00:00:00Z", &["a"]);
    let other = report("run-2", "2026-11-02T00:00:00Z", &["a"]);
    let finding = &one.findings[0];
    {
        let connection = Connection::open(state.path().join(FILE)).unwrap();
        connection
            .execute_batch(&schema::STEPS[..9].join(""))
            .unwrap();
        for (name, value) in [
            ("application_id", schema::APPLICATION_ID),
            ("user_version", 9),
        ] {
            connection.pragma_update(None, name, value).unwrap();
        }
        let findings = pack(&one.findings).unwrap();
        for (number, run) in (1..).zip([&one, &other]) {
            let head = pack(&run.head()).unwrap();
            let row = params![number, run.run.id, run.run.now.to_string(), head];
            connection
                .execute(
                    "INSERT INTO runs (number, id, now, tool_version, rules_digest, policy_digest, fingerprint_key, complete,
                        inputs, identities, credentials, findings, standing_risk, standing_risk_after, report)
                     VALUES (?1, ?2, ?3, '0.1.0', 'r', 'p', 'k', 1, '[]', 0, 0, 1, 0, 0, ?4)",
                    row,
                )
                .unwrap();
            // A part of a version that noted no digest, and one that is the same in both runs.
            for (list, digest) in [("plan", None), ("findings", Some([7_u8; 16]))] {
                let packed = if list == "plan" {
                    pack(&[0_u8; 0]).unwrap()
                } else {
                    findings.clone()
                };
                connection
                    .execute(
                        "INSERT INTO parts VALUES (?1, ?2, 0, ?3, ?4)",
                        params![number, list, packed, digest],
                    )
                    .unwrap();
            }
            let plans = pack(&PlanMemory::default()).unwrap();
            connection
                .execute(
                    "INSERT INTO progress VALUES (?1, ?2)",
                    params![number, plans],
                )
                .unwrap();
        }
        connection
            .execute(
                "INSERT INTO ledger VALUES (?1, 'r', 't', 'high', 3, NULL, NULL, NULL, NULL, 'standing', '', '', '', '{}', NULL, 'told')",
                [finding.id.as_str()],
            )
            .unwrap();
    }
    let runs = Runs::open(state.path()).unwrap();
    for run in [&one, &other] {
        let stored = runs.load(&run.run.id).unwrap().unwrap();
        assert_eq!(stored.findings[0].id, finding.id);
        assert_eq!(
            runs.plans_after(&run.run.id).unwrap(),
            Some(PlanMemory::default())
        );
    }
    let pieces: i64 = runs.ask("SELECT count(*) FROM pieces").unwrap();
    assert_eq!(
        pieces, 5,
        "the findings once, two of the plan and two of its progress"
    );
    let told: String = runs.ask("SELECT finding FROM told").unwrap();
    assert_eq!(told, "told");
    let left: i64 = runs.ask("SELECT count(*) FROM ledger").unwrap();
    assert_eq!(left, 1);
}

#[test]
fn a_full_disk_leaves_what_was_kept_and_asks_for_room() {
    let state = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(state.path()).unwrap();
    save(&mut runs, &report("run-1", "2026-11-01T00:00:00Z", &["a"]));
    let pages: i64 = runs.ask("PRAGMA page_count").unwrap();
    let limit = format!("PRAGMA max_page_count = {pages}");
    let _: i64 = runs.ask(&limit).unwrap();
    let names: Vec<String> = (0..300).map(|number| format!("n{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let large = report("run-2", "2026-11-02T00:00:00Z", &names);
    let full = runs
        .save(&large, &Asked::default(), &Left::default())
        .unwrap_err();
    assert!(matches!(full, RunsError::Full { .. }), "{full}");
    assert!(full.hint().starts_with("make room"));
    assert_eq!(runs.latest().unwrap().unwrap().run.id, "run-1");
}
