//! The command line as a user meets it.

use crate::support::{NOW, Workplace, aws_key_id, aws_secret};

fn leak() -> String {
    format!(
        "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
        aws_key_id(1),
        aws_secret(1)
    )
}

#[test]
fn gates_trip_on_their_level() {
    let place = Workplace::new();
    place.write("files/a.env", leak());
    let files = place.path("files");
    place.scan(&[&files], "out").assert().code(0);
    place
        .scan(&[&files], "out")
        .args(["--fail-on", "low"])
        .assert()
        .code(1);
    let state = place.path("fresh");
    let gate = |now: &str| {
        let mut command = place.overstay();
        command
            .arg("scan")
            .arg(&files)
            .args(["--fail-on-new", "low", "--now", now, "--state"])
            .arg(&state);
        command
    };
    gate(NOW).assert().code(1);
    gate("2026-11-02T00:00:00Z").assert().code(0);
}

#[test]
fn one_format_goes_to_standard_output_and_no_folder_is_made() {
    let place = Workplace::new();
    place.write("files/a.env", leak());
    let output = place
        .overstay()
        .args([
            "scan",
            "files",
            "--format",
            "json",
            "--now",
            NOW,
            "--output",
            "findings-csv=extra/findings.csv",
        ])
        .assert()
        .code(0)
        .get_output()
        .clone();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema"], "overstay.report/1");
    assert!(!place.path("overstay-report").exists());
    assert!(place.path("extra/findings.csv").exists());
}

#[test]
fn every_command_has_help_and_the_rules_hold() {
    let place = Workplace::new();
    for command in [
        "scan",
        "demo",
        "review",
        "explain",
        "report",
        "rules",
        "doctor",
        "completions",
        "man",
    ] {
        place.overstay().args([command, "--help"]).assert().code(0);
    }
    place.overstay().args(["rules", "check"]).assert().code(0);
    place
        .overstay()
        .args(["rules", "show", "leaked-secret"])
        .assert()
        .code(0);
    place
        .overstay()
        .args(["rules", "show", "no-such-rule"])
        .assert()
        .code(2);
    place.overstay().arg("man").assert().code(0);
    for shell in ["bash", "zsh", "fish"] {
        place
            .overstay()
            .args(["completions", shell])
            .assert()
            .code(0);
    }
    place
        .overstay()
        .args(["scan", "--no-such-option"])
        .assert()
        .code(2);
    place.overstay().arg("doctor").assert().code(0);
}

#[test]
fn explain_needs_a_run_and_a_subject() {
    let place = Workplace::new();
    place.overstay().args(["explain", "x"]).assert().code(2);
    place.write("files/a.env", leak());
    place.scan(&[&place.path("files")], "out").assert().code(0);
    place
        .overstay()
        .args(["explain", &aws_key_id(1)])
        .assert()
        .code(0);
    place
        .overstay()
        .args(["explain", "no-such-thing"])
        .assert()
        .code(2);
}
