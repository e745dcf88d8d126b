//! Credentials, profiles and folders that do not work, as a user meets them.

use super::moto::free_port;
use crate::support::{NOW, Workplace, aws_key_id, aws_secret};

fn stderr(command: &mut assert_cmd::Command, code: i32) -> String {
    let assert = command.assert().code(code);
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

#[test]
fn a_profile_that_does_not_exist_is_named_with_those_that_do() {
    let place = Workplace::new();
    place.write(
        "home/.aws/config",
        "[profile prod]\nregion = eu-west-1\n[default]\n",
    );
    let said = stderr(
        place
            .overstay()
            .args(["aws", "snapshot", "--aws-profile", "prd", "--out", "s"]),
        2,
    );
    assert!(
        said.contains("the AWS profile prd does not exist: there are default, prod"),
        "{said}"
    );
}

#[test]
fn without_credentials_it_is_said_how_to_get_some() {
    let place = Workplace::new();
    let said = stderr(
        place
            .overstay()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .args(["aws", "snapshot", "--out", "s"]),
        4,
    );
    assert!(said.contains("no AWS credentials were found"), "{said}");
    assert!(said.contains("--aws-profile"), "{said}");
}

#[test]
fn nobody_at_the_endpoint_costs_the_account_and_not_the_repositories() {
    let place = Workplace::new();
    place.write(
        "code/app.env",
        format!(
            "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
            aws_key_id(5),
            aws_secret(5)
        ),
    );
    let url = format!("http://127.0.0.1:{}", free_port());
    // The endpoint of the profile counts too.
    let profile = format!(
        "[profile local]\nregion = us-gov-west-1\nendpoint_url = {url}\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        aws_key_id(7),
        aws_secret(7)
    );
    place.write("home/.aws/config", profile);
    place
        .overstay()
        .args([
            "scan",
            "code",
            "--aws-profile",
            "local",
            "--out",
            "live",
            "--now",
            NOW,
        ])
        .assert()
        .code(4);
    let report = place.report("live");
    let coverage = report["coverage"].to_string();
    assert!(
        coverage.contains("the connection was refused"),
        "{coverage}"
    );
    assert!(coverage.contains("aws/profile local"), "{coverage}");
    assert!(!report["credentials"].as_array().unwrap().is_empty());
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let place = Workplace::new();
    let file = place.write("file", "x");
    let other = place.write("other/notes.txt", "x");
    let snapshot = |out: &str| {
        let mut command = place.overstay();
        command.args(["aws", "snapshot", "--fresh", "--out", out]);
        command
    };
    assert!(stderr(&mut snapshot("file"), 2).contains("is a file"));
    assert!(stderr(&mut snapshot("other"), 2).contains("of no snapshot"));
    assert!(file.exists() && other.exists());
}

#[test]
fn what_is_no_role_is_said_before_anybody_is_asked_for_it() {
    let place = Workplace::new();
    place.write("roles.txt", "not-a-role\n");
    let said = stderr(
        place.overstay().args([
            "aws",
            "snapshot",
            "--aws-role-list",
            "nowhere.txt",
            "--out",
            "s",
        ]),
        2,
    );
    assert!(said.contains("nowhere.txt"), "{said}");
    let said = stderr(
        place.overstay().args([
            "aws",
            "snapshot",
            "--aws-role-list",
            "roles.txt",
            "--aws-profile",
            "a",
            "--aws-profile",
            "b",
            "--out",
            "s",
        ]),
        2,
    );
    assert!(said.contains("several were named"), "{said}");
}
