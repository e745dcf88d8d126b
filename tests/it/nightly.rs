//! Run after run: what is read again, what changed, what people decided, parts that are put together.

use crate::support::{Workplace, aws_key_id, aws_secret, files_below};
use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

fn leak(seed: u64) -> String {
    format!(
        "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
        aws_key_id(seed),
        aws_secret(seed)
    )
}

/// A scan on a day of November into `out`, with the state `state`.
fn scan(place: &Workplace, day: u8, paths: &[&str], out: &str, state: &str) -> Command {
    let mut command = place.overstay();
    command.arg("scan");
    for path in paths {
        command.arg(place.path(path));
    }
    command
        .arg("--out")
        .arg(place.path(out))
        .arg("--state")
        .arg(place.path(state))
        .args(["--now", &format!("2026-11-{day:02}T00:00:00Z")]);
    command
}

fn same(place: &Workplace, one: &str, other: &str) {
    let names = |folder: &str| {
        let root = place.path(folder);
        let below = |path: &Path| path.strip_prefix(&root).unwrap().to_owned();
        let files = files_below(&root);
        files.iter().map(|path| below(path)).collect::<Vec<_>>()
    };
    assert_eq!(names(one), names(other));
    for name in names(one) {
        let read = |folder: &str| fs::read(place.path(folder).join(&name)).unwrap();
        assert!(read(one) == read(other), "{} differs", name.display());
    }
}

fn copy_state(place: &Workplace, from: &str, to: &str) {
    let _ = fs::remove_dir_all(place.path(to));
    fs::create_dir(place.path(to)).unwrap();
    for file in files_below(&place.path(from)) {
        fs::copy(&file, place.path(to).join(file.file_name().unwrap())).unwrap();
    }
}

/// Files that are settled: a file of this moment is read again.
fn settle() {
    sleep(Duration::from_millis(3_100));
}

/// Number of documents kept, and of those that are told to have been read anew in a run.
fn kept(place: &Workplace, state: &str) -> (i64, i64) {
    let database = place.path(state).join("overstay.sqlite3");
    let connection = rusqlite::Connection::open(database).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    connection
        .query_row("SELECT count(*), sum(documents) FROM scanned", [], row)
        .unwrap()
}

#[test]
fn a_run_that_reads_only_what_changed_tells_what_a_full_one_tells() {
    let place = Workplace::new();
    let mut app = place.repository("w/app");
    app.write("a.env", leak(1));
    app.write(
        ".github/workflows/deploy.yml",
        "on: push\npermissions: write-all\njobs:\n  d:\n    runs-on: ubuntu-latest\n    env: {K: \"${{ secrets.AWS_ACCESS_KEY_ID }}\"}\n    steps: [{run: echo}]\n",
    );
    app.commit("one");
    app.remove("a.env");
    app.write("b.env", leak(2));
    app.commit("two");
    place.write("w/plain/c.env", leak(3));
    place.write("overstay.toml", "");
    let mut day = 0;
    let mut step = |what: &str| {
        settle();
        day += 1;
        copy_state(&place, "state", "full-state");
        scan(&place, day, &["w"], "out", "state").assert().success();
        scan(&place, day, &["w"], "full", "full-state")
            .arg("--full")
            .assert()
            .success();
        same(&place, "out", "full");
        let credentials = place.report("out")["credentials"].clone();
        (what.to_owned(), credentials.as_array().unwrap().len())
    };
    fs::create_dir(place.path("state")).unwrap();
    assert_eq!(step("first").1, 4, "three keys and a reference");
    let first = kept(&place, "state");
    assert!(first.0 >= 3, "files and histories are kept: {first:?}");
    assert_eq!(step("unchanged").1, 4);
    assert_eq!(kept(&place, "state"), first);
    app.write("d.env", leak(4));
    assert_eq!(step("a file more, not committed").1, 5);
    app.commit("three");
    assert_eq!(step("committed").1, 5);
    place.write("w/plain/c.env", "nothing");
    assert_eq!(step("a file changed").1, 4);
    let repository = git2::Repository::open(&app.path).unwrap();
    let before = repository.revparse_single("HEAD~1").unwrap();
    repository
        .reset(&before, git2::ResetType::Hard, None)
        .unwrap();
    fs::remove_dir_all(app.path.join(".git/logs")).unwrap();
    assert_eq!(step("history rewritten").1, 3);
    place.write("overstay.toml", "[rules]\ndisable = [\"aws-access-key\"]\n");
    step("a rule disabled");
    place.write("overstay.toml", "");
    fs::remove_dir_all(place.path("w/app")).unwrap();
    assert_eq!(step("repository gone").1, 0);
}

/// A token that says of itself when it runs out.
fn expiring(at: i64) -> String {
    use base64::Engine as _;
    let code = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!(
        "token: {}.{}.{}\n",
        code(r#"{"alg":"HS256","typ":"JWT"}"#),
        code(&format!(
            r#"{{"iss":"https://issuer.example.org","sub":"robot","exp":{at}}}"#
        )),
        code("a signature of thirty-two bytes!")
    )
}

#[test]
fn an_unchanged_night_joins_nothing_again_until_a_time_comes_that_it_rests_on() {
    let place = Workplace::new();
    let mut app = place.repository("w/app");
    app.write("a.env", leak(1));
    // 2026-11-03T12:00:00Z
    app.write("settings.yml", expiring(1_793_707_200));
    app.commit("one");
    place.write("w/plain/c.env", leak(3));
    place.write(
        "overstay.toml",
        format!(
            "[[identity]]\nmatch = \"{}\"\nrevoked = 2026-11-06\n",
            aws_key_id(3)
        ),
    );
    settle();
    let joined = || -> Vec<u8> {
        let database = place.path("state").join("overstay.sqlite3");
        let connection = rusqlite::Connection::open(database).unwrap();
        let query = "SELECT packed FROM scanned WHERE kind = 'joined'";
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    };
    fs::create_dir(place.path("state")).unwrap();
    let mut made = Vec::new();
    for day in 1..=8 {
        copy_state(&place, "state", "full-state");
        scan(&place, day, &["w"], "out", "state").assert().success();
        scan(&place, day, &["w"], "full", "full-state")
            .arg("--full")
            .assert()
            .success();
        same(&place, "out", "full");
        made.push(joined());
    }
    let again: Vec<bool> = made.windows(2).map(|two| two[0] != two[1]).collect();
    assert_eq!(
        again,
        [false, false, true, false, true, false, false],
        "the token ran out on day 3, the key was revoked on day 6"
    );
    // Other settings, and a clock that is moved back, join anew.
    place.write("overstay.toml", "");
    for day in [9, 2] {
        let before = joined();
        copy_state(&place, "state", "full-state");
        scan(&place, day, &["w"], "out", "state").assert().success();
        scan(&place, day, &["w"], "full", "full-state")
            .arg("--full")
            .assert()
            .success();
        same(&place, "out", "full");
        assert_ne!(joined(), before, "day {day}");
    }
}

#[test]
fn findings_are_new_stay_are_fixed_and_come_back() {
    let place = Workplace::new();
    place.write("files/a.env", leak(1));
    let statuses = |day: u8| {
        scan(&place, day, &["files"], "out", "state")
            .assert()
            .success();
        let report = place.report("out");
        let mut words: Vec<String> = Vec::new();
        for finding in report["findings"].as_array().unwrap() {
            assert!(finding["first_seen"].is_string() && finding["last_seen"].is_string());
            words.push(finding["status"].as_str().unwrap().to_owned());
        }
        let fixed = report["changes"]["fixed"].as_array();
        words.extend(fixed.into_iter().flatten().map(|_| "fixed".to_owned()));
        words.sort();
        words.dedup();
        words.join(" ")
    };
    assert_eq!(statuses(1), "new");
    assert_eq!(statuses(2), "unchanged");
    place.write("files/a.env", "");
    assert_eq!(statuses(3), "fixed");
    let csv = fs::read_to_string(place.path("out/findings.csv")).unwrap();
    assert!(csv.contains(",fixed,"), "{csv}");
    let sarif = fs::read_to_string(place.path("out/results.sarif")).unwrap();
    assert!(
        sarif.contains("\"baselineState\": \"absent\"")
            || sarif.contains("\"baselineState\":\"absent\"")
    );
    place.write("files/a.env", leak(1));
    assert_eq!(statuses(4), "reappeared");
    scan(&place, 5, &["files"], "out", "state")
        .args(["--fail-on-new", "low"])
        .assert()
        .code(0);
    let text = |arguments: &[&str]| {
        let mut command = place.overstay();
        command
            .args(arguments)
            .arg("--state")
            .arg(place.path("state"));
        let output = command.assert().success().get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    };
    let all = text(&["history", "--format", "csv"]);
    assert_eq!(all.lines().count(), 6, "{all}");
    assert!(text(&["history"]).contains("standing risk"));
    let runs: Vec<&str> = all
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    let page = text(&["diff", runs[1], runs[2]]);
    assert!(page.contains("fixed"), "{page}");
    let json: Value =
        serde_json::from_str(&text(&["diff", runs[2], runs[3], "--format", "json"])).unwrap();
    assert!(!json["findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_renamed_repository_keeps_its_findings_and_what_was_decided_on_them() {
    let place = Workplace::new();
    let mut app = place.repository("w/app");
    app.write("a.env", leak(1));
    app.write(
        ".github/workflows/deploy.yml",
        "on: push\npermissions: write-all\njobs:\n  d:\n    runs-on: ubuntu-latest\n    steps: [{run: echo}]\n",
    );
    app.write(
        "main.tf",
        "resource \"aws_iam_role\" \"r\" {\n  name = \"deployer\"\n  assume_role_policy = jsonencode({Version = \"2012-10-17\", Statement = [{Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = {AWS = \"*\"}}]})\n}\n",
    );
    app.commit("one");
    let report = |day: u8| {
        scan(&place, day, &["w"], "out", "state").assert().success();
        let report = place.report("out");
        let findings = report["findings"].as_array().unwrap().clone();
        let by_id = findings.into_iter().map(|one| {
            let status = one["status"].as_str().unwrap().to_owned();
            (one["id"].as_str().unwrap().to_owned(), (status, one))
        });
        by_id.collect::<std::collections::BTreeMap<_, _>>()
    };
    let first = report(1);
    let decided = first
        .iter()
        .find(|(_, (_, one))| one["rule"] == "wildcard-trust")
        .map(|(id, _)| id.clone())
        .unwrap();
    let mut decide = place.overstay();
    decide
        .args(["decide", "accept-risk", &decided, "--reason", "because"])
        .args(["--now", "2026-11-02T00:00:00Z", "--state"])
        .arg(place.path("state"))
        .assert()
        .success();
    let known = |place: &Workplace| {
        let report = place.report("out");
        let list = |list: &str| {
            let entries = report[list].as_array().unwrap().clone();
            let mut ids: Vec<String> = entries
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned())
                .collect();
            ids.sort();
            ids
        };
        ["identities", "credentials", "assessments", "plan"].map(list)
    };
    let before = known(&place);
    let job = place.report("out")["identities"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["type"] == "ci-job")
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .unwrap();
    let mut owner = place.overstay();
    owner
        .args(["decide", "owner", &job, "--value", "shipping"])
        .args([
            "--reason",
            "asked",
            "--now",
            "2026-11-02T00:00:00Z",
            "--state",
        ])
        .arg(place.path("state"))
        .assert()
        .success();
    fs::rename(place.path("w/app"), place.path("w/application")).unwrap();
    for day in [3, 4] {
        let renamed = report(day);
        let ids =
            |of: &std::collections::BTreeMap<String, _>| of.keys().cloned().collect::<Vec<_>>();
        assert_eq!(ids(&renamed), ids(&first));
        assert_eq!(renamed[&decided].0, "accepted");
        assert_eq!(known(&place), before);
        let report = place.report("out");
        let identities = report["identities"].as_array().unwrap();
        let owned = identities.iter().find(|one| one["id"] == *job).unwrap();
        assert_eq!(owned["owner"], "shipping");
        assert_eq!(owned["native_id"], "w/application/deploy.yml/d");
        let others = renamed.iter().filter(|(id, _)| **id != decided);
        assert!(
            others
                .into_iter()
                .all(|(_, (status, _))| status == "unchanged")
        );
    }
}

#[test]
fn cron_hears_of_changes_only_and_so_does_the_command_that_is_told() {
    let place = Workplace::new();
    place.write("files/a.env", leak(1));
    let run = |day: u8| {
        let told = place.path("told");
        let output = scan(&place, day, &["files"], "out", "state")
            .args(["--cron", "--notify-command"])
            .arg(format!("cat >> '{}'", told.display()))
            .assert()
            .success()
            .get_output()
            .clone();
        let told = fs::read_to_string(told).unwrap_or_default();
        (String::from_utf8(output.stdout).unwrap(), told)
    };
    let (line, told) = run(1);
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(
        line.starts_with("overstay: ") && line.contains(" new"),
        "{line}"
    );
    assert!(told.starts_with(&line), "{told}");
    let (quiet, same) = run(2);
    assert_eq!((quiet.as_str(), same), ("", told));
}

#[test]
fn decisions_take_effect_run_out_and_contradict_each_other() {
    let place = Workplace::new();
    place.write("files/a.env", leak(1));
    let state = place.path("state");
    let report = |day: u8| {
        scan(&place, day, &["files"], "out", "state")
            .assert()
            .success();
        place.report("out")
    };
    let decide = |folder: &Path, actor: &str, verdict: &str, more: &[&str]| {
        let mut command = place.overstay();
        command
            .args([
                "decide",
                verdict,
                "--rule",
                "leaked-secret*",
                "--reason",
                "because",
            ])
            .args(["--actor", actor, "--now", "2026-11-02T10:00:00Z"])
            .args(more)
            .arg("--state")
            .arg(&state)
            .arg("--decisions")
            .arg(folder.join("decisions.jsonl"));
        command
    };
    report(1);
    decide(&state, "ada", "accept-risk", &["--dry-run"])
        .assert()
        .success();
    assert!(!state.join("decisions.jsonl").exists());
    decide(&state, "ada", "accept-risk", &["--expect", "17"])
        .assert()
        .code(2);
    decide(&state, "ada", "accept-risk", &["--expires", "2026-11-20"])
        .assert()
        .success();
    assert!(state.join(".gitattributes").exists());
    let leaked = |report: &Value| {
        let findings = report["findings"].as_array().unwrap().clone();
        let one = findings
            .into_iter()
            .find(|one| one["rule"].as_str().unwrap().starts_with("leaked-secret"));
        one.unwrap()
    };
    let after = report(3);
    assert_eq!(leaked(&after)["status"], "accepted");
    assert_eq!(leaked(&after)["decision"]["actor"], "ada");
    let late = report(21);
    assert_eq!(leaked(&late)["status"], "accepted-expired");
    assert!(late["coverage"].to_string().contains("ran out"));

    // Two people, each with a copy of the log, decide differently; git puts both lines into one file.
    let copies = [place.path("one"), place.path("other")];
    for (folder, (actor, verdict)) in copies
        .iter()
        .zip([("lee", "remediate"), ("mo", "false-positive")])
    {
        fs::create_dir(folder).unwrap();
        fs::copy(
            state.join("decisions.jsonl"),
            folder.join("decisions.jsonl"),
        )
        .unwrap();
        decide(folder, actor, verdict, &[]).assert().success();
    }
    let lines = |folder: &Path| fs::read_to_string(folder.join("decisions.jsonl")).unwrap();
    fs::write(
        state.join("decisions.jsonl"),
        lines(&copies[1]) + &lines(&copies[0]),
    )
    .unwrap();
    let conflict = report(4);
    assert_eq!(leaked(&conflict)["decision"]["verdict"], "conflict");
    assert_eq!(leaked(&conflict)["decision"]["actor"], "lee, mo");
    assert!(leaked(&conflict)["status"] != "accepted");
    decide(&state, "ada", "false-positive", &[])
        .assert()
        .success();
    assert_eq!(leaked(&report(5))["status"], "accepted");

    let record = place.path("record.json");
    let attest = |arguments: &[&str]| {
        let mut command = place.overstay();
        command
            .arg("attest")
            .args(arguments)
            .arg("--state")
            .arg(&state);
        command
    };
    let file = record.to_str().unwrap();
    attest(&["--reviewer", "dana", "--out", file])
        .assert()
        .success();
    attest(&["--verify", file]).assert().success();
    let altered = lines(&state).replace("\"actor\":\"lee\"", "\"actor\":\"eve\"");
    fs::write(state.join("decisions.jsonl"), altered).unwrap();
    let output = attest(&["--verify", file])
        .assert()
        .code(1)
        .get_output()
        .clone();
    assert!(String::from_utf8_lossy(&output.stdout).contains("was altered or removed"));
}

#[test]
fn parts_make_the_report_of_one_run() {
    let place = Workplace::new();
    for at in 0..8 {
        let mut repository = place.repository(&format!("w/r{at}"));
        repository.write("a.env", leak(at));
        repository.commit("one");
        repository.write("a.env", leak(at + 100));
        // The same in several repositories, and in different parts.
        repository.write("shared.env", leak(1_000 + at % 2));
        repository.commit("two");
        repository.remove("shared.env");
        repository.commit("three");
    }
    place.write("w/loose/c.env", leak(1_001));
    scan(&place, 1, &["w"], "single", "s0").assert().success();
    let mut seen = 0;
    for part in 1..=3 {
        let out = format!("part-{part}");
        scan(&place, 1, &["w"], &out, &format!("s{part}"))
            .args(["--shard", &format!("{part}/3")])
            .assert()
            .success();
        seen += place.report(&out)["run"]["inputs"]
            .as_array()
            .unwrap()
            .len();
    }
    assert_eq!(seen, 9, "each is in one part");
    let merge = |parts: &[&str], out: &str| {
        let mut command = place.overstay();
        command.arg("merge");
        command.args(parts.iter().map(|part| place.path(part)));
        command
            .arg("--out")
            .arg(place.path(out))
            .arg("--state")
            .arg(place.path(&format!("{out}-state")));
        command
    };
    merge(&["part-3", "part-1", "part-2"], "merged")
        .assert()
        .success();
    same(&place, "single", "merged");
    merge(&["part-3", "part-1"], "less").assert().code(4);
    assert!(
        place.report("less")["coverage"]
            .to_string()
            .contains("part 2/3")
    );
    scan(&place, 1, &["w"], "other", "s4")
        .args(["--shard", "1/2"])
        .assert()
        .success();
    merge(&["part-3", "other"], "mixed").assert().code(2);
}

#[test]
fn the_questions_of_the_documentation_are_answered() {
    let place = Workplace::new();
    place.write("files/a.env", leak(1));
    scan(&place, 1, &["files"], "out", "state")
        .assert()
        .success();
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/store.md")).unwrap();
    let database = place.path("state/overstay.sqlite3");
    let connection = rusqlite::Connection::open(database).unwrap();
    let mut questions = 0;
    for block in text.split("```sql\n").skip(1) {
        let sql = block.split("```").next().unwrap();
        if sql.starts_with("CREATE") {
            connection.execute_batch(sql).unwrap();
            continue;
        }
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |_| Ok(())).unwrap().count();
        assert!(questions != 0 || rows > 0, "something is open");
        questions += 1;
    }
    assert_eq!(questions, 10);
    // Every table is described.
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .unwrap();
    let tables = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    for table in tables {
        let table = table.unwrap();
        assert!(
            text.contains(&format!("| `{table}` |")),
            "docs/store.md does not describe {table}"
        );
    }
}
