//! Bad input: the exit codes of the design, a message that says what to do, and the rest of the scan intact.

use crate::support::{NOW, Workplace, aws_key_id, aws_secret, files_below};
use std::fs;

fn leak(seed: u64) -> String {
    format!(
        "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
        aws_key_id(seed),
        aws_secret(seed)
    )
}

fn stderr(command: &mut assert_cmd::Command, code: i32) -> String {
    let output = command.assert().code(code).get_output().clone();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_path_that_does_not_exist_is_a_usage_error() {
    let place = Workplace::new();
    place.write("there/a.env", leak(1));
    let text = stderr(
        &mut place.scan(&[&place.path("there"), &place.path("not-there")], "out"),
        2,
    );
    assert!(text.contains("not-there"), "{text}");
    assert!(
        !place.path("out").exists(),
        "nothing is written on a usage error"
    );
    let text = stderr(
        place
            .scan(&[&place.path("there")], "out")
            .arg("--aws-snapshot")
            .arg(place.path("nope.json")),
        2,
    );
    assert!(text.contains("nope.json"), "{text}");
}

#[test]
fn nothing_to_scan_has_its_own_code() {
    let place = Workplace::new();
    fs::create_dir(place.path("empty")).unwrap();
    let text = stderr(&mut place.scan(&[&place.path("empty")], "out"), 3);
    assert!(text.contains("nothing to scan"), "{text}");
    let text = stderr(place.overstay().arg("scan"), 2);
    assert!(text.contains("demo"), "{text}");
}

#[test]
fn a_truncated_snapshot_leaves_the_rest_intact() {
    let place = Workplace::new();
    place.write("files/a.env", leak(2));
    place.write(
        "aws/account-authorization-details.json",
        "{\"UserDetailList\": [{\"UserName\": \"x\"",
    );
    place
        .scan(&[&place.path("files")], "out")
        .arg("--aws-snapshot")
        .arg(place.path("aws"))
        .assert()
        .code(4);
    let report = place.report("out");
    assert_eq!(report["run"]["complete"], false);
    assert_eq!(report["credentials"].as_array().unwrap().len(), 1);
    let failed: Vec<_> = report["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["status"] == "failed")
        .collect();
    assert!(
        failed
            .iter()
            .any(|entry| entry["unit"].as_str().unwrap().ends_with("details.json")),
        "{failed:?}"
    );
}

#[test]
fn a_corrupt_pack_loses_only_itself() {
    let place = Workplace::new();
    let mut repository = place.repository("broken");
    repository.write("a.env", leak(3));
    repository.commit("one");
    repository.write("a.env", leak(4));
    repository.commit("two");
    let mut sound = place.repository("sound");
    sound.write("b.env", leak(5));
    sound.commit("one");
    for object in files_below(&place.path("broken/.git/objects")) {
        let mut permissions = fs::metadata(&object).unwrap().permissions();
        #[expect(
            clippy::permissions_set_readonly_false,
            reason = "a file of the test's own temporary folder"
        )]
        permissions.set_readonly(false);
        fs::set_permissions(&object, permissions).unwrap();
        let bytes = fs::read(&object).unwrap();
        fs::write(&object, &bytes[..bytes.len() / 2]).unwrap();
    }
    place
        .scan(&[&place.path("broken"), &place.path("sound")], "out")
        .assert()
        .code(4);
    let report = place.report("out");
    let ids: Vec<_> = report["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["public_id"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        ids.contains(&aws_key_id(4)),
        "the work tree of the broken repository was read"
    );
    assert!(
        ids.contains(&aws_key_id(5)),
        "the sound repository was read"
    );
}

#[test]
fn histories_of_other_formats_are_named_and_their_work_trees_read() {
    let place = Workplace::new();
    for (seed, name, config) in [
        (
            6,
            "sha256",
            "[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectformat = sha256\n",
        ),
        (
            7,
            "reftable",
            "[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\trefstorage = reftable\n",
        ),
    ] {
        let repository = place.repository(name);
        repository.write("a.env", leak(seed));
        repository.write(".git/config", config);
    }
    place
        .scan(&[&place.path("sha256"), &place.path("reftable")], "out")
        .assert()
        .code(4);
    let report = place.report("out");
    assert_eq!(report["credentials"].as_array().unwrap().len(), 2);
    let coverage = report["coverage"].to_string().to_lowercase();
    assert!(
        coverage.contains("sha-256") || coverage.contains("sha256"),
        "{coverage}"
    );
    assert!(coverage.contains("reftable"), "{coverage}");
}

#[test]
fn a_wrong_configuration_shows_its_line() {
    let place = Workplace::new();
    place.write("files/a.env", leak(8));
    let config = place.write(
        "overstay.toml",
        "[scoring.thresholds]\nlong_lived_dayz = 1\n",
    );
    let text = stderr(
        place
            .scan(&[&place.path("files")], "out")
            .arg("--config")
            .arg(&config),
        2,
    );
    assert!(text.contains("long_lived_dayz"), "{text}");
    place.write(
        "overstay.toml",
        "[[identity]]\nmatch = \"x\"\nownr = \"y\"\n",
    );
    let text = stderr(
        place
            .scan(&[&place.path("files")], "out")
            .arg("--config")
            .arg(&config),
        2,
    );
    assert!(text.contains("line 3") && text.contains("ownr"), "{text}");
}

#[test]
fn a_damaged_state_folder_costs_no_report() {
    let place = Workplace::new();
    place.write("files/a.env", leak(9));
    place.write(
        "state/overstay.sqlite3",
        "this is no database, whatever its name says, and long enough to be read as one",
    );
    let text = stderr(
        place
            .scan(&[&place.path("files")], "out")
            .arg("--state")
            .arg(place.path("state")),
        2,
    );
    assert!(text.contains("overstay.sqlite3"), "{text}");
    assert_eq!(
        place.report("out")["credentials"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn two_runs_do_not_share_a_state_folder() {
    let place = Workplace::new();
    place.write("files/a.env", leak(10));
    let state = place.path("state");
    let mut lock = overstay::store::lock::StateLock::open(&state).unwrap();
    let held = lock.acquire(NOW.parse().unwrap()).unwrap();
    place
        .scan(&[&place.path("files")], "out")
        .arg("--state")
        .arg(&state)
        .assert()
        .code(75);
    drop(held);
    place
        .scan(&[&place.path("files")], "out")
        .arg("--state")
        .arg(&state)
        .assert()
        .code(0);
}

#[test]
fn hostile_names_and_content_break_nothing() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Workplace::new();
    place.write("files/a.env", leak(11));
    let odd = place
        .path("files")
        .join(std::ffi::OsStr::from_bytes(b"bad\xff\x1b[31m\nname.env"));
    fs::write(odd, leak(12)).unwrap();
    place.write("files/deep.json", "[".repeat(200_000));
    place.write(
        "files/bomb.yaml",
        format!(
            "apiVersion: v1\nkind: List\na: &a [x]\n{}",
            "b: [*a, *a, *a]\n".repeat(2_000)
        ),
    );
    std::os::unix::fs::symlink(place.path("files"), place.path("files/loop")).unwrap();
    place.scan(&[&place.path("files")], "out").assert().code(0);
    let report = place.report("out");
    assert_eq!(report["credentials"].as_array().unwrap().len(), 2);
    for path in files_below(&place.path("out")) {
        assert!(
            !fs::read(&path).unwrap().contains(&0x1b),
            "{} holds an escape character",
            path.display()
        );
    }
}
