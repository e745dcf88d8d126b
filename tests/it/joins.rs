//! What is in a repository meets what is in an account.

use crate::support::{Workplace, aws_key_id, aws_secret};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

fn user(name: &str, policy: &str) -> Value {
    json!({
        "Path": "/", "UserName": name, "UserId": format!("AIDA{name}"), "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
        "CreateDate": "2025-01-01T00:00:00+00:00", "GroupList": [], "Tags": [],
        "UserPolicyList": [{"PolicyName": "inline", "PolicyDocument": {
            "Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": policy, "Resource": "*"}}}],
        "AttachedManagedPolicies": []
    })
}

#[test]
fn a_key_in_history_belongs_to_the_user_of_the_snapshot() {
    let place = Workplace::new();
    let key = aws_key_id(20);
    let mut repository = place.repository("service");
    repository.write(
        "conf/prod.env",
        format!(
            "AWS_ACCESS_KEY_ID={key}\nAWS_SECRET_ACCESS_KEY={}\n",
            aws_secret(20)
        ),
    );
    let introduced = repository.commit("one");
    repository.remove("conf/prod.env");
    repository.write("README", "gone\n");
    repository.commit("two");
    let details = json!({
        "UserDetailList": [user("robot", "*"), user("idle", "s3:GetObject")],
        "GroupDetailList": [], "RoleDetailList": [], "Policies": []
    });
    place.write(
        "aws/account-authorization-details.json",
        details.to_string(),
    );
    let keys = json!({"AccessKeyMetadata": [
        {"UserName": "robot", "AccessKeyId": key, "Status": "Active", "CreateDate": "2025-01-02T00:00:00+00:00"}]});
    place.write("aws/list-access-keys.json", keys.to_string());
    place
        .scan(&[&place.path("service")], "out")
        .arg("--aws-snapshot")
        .arg(place.path("aws"))
        .assert()
        .code(0);

    let report = place.report("out");
    let credentials: Vec<_> = report["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["public_id"] == key.as_str())
        .collect();
    assert_eq!(credentials.len(), 1, "one key is one credential");
    let credential = credentials[0];
    let sighting = &credential["sightings"][0];
    assert_eq!(
        (&sighting["repository"], &sighting["uri"]),
        (&json!("service"), &json!("conf/prod.env"))
    );
    assert_eq!(sighting["commit"], introduced.as_str());
    assert_eq!(
        (&sighting["line"], &sighting["at_head"]),
        (&json!(1), &json!(false))
    );
    let owner = report["identities"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["id"] == credential["identity"])
        .unwrap();
    assert_eq!(
        owner["native_id"],
        format!("arn:aws:iam::{ACCOUNT}:user/robot")
    );
    assert_eq!(owner["privilege"]["admin"], true);
    let judged = report["assessments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["credential"] == credential["id"])
        .unwrap();
    assert_eq!(judged["disposition"], "revoke-now");
    assert!(
        report["plan"]
            .as_array()
            .unwrap()
            .iter()
            .any(|item| item["credential"] == credential["id"])
    );
}

#[test]
fn a_key_of_no_snapshot_still_names_its_account() {
    let place = Workplace::new();
    place.write(
        "files/a.env",
        format!(
            "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
            aws_key_id(21),
            aws_secret(21)
        ),
    );
    place.scan(&[&place.path("files")], "out").assert().code(0);
    let report = place.report("out");
    let account = report["credentials"][0]["account"].as_str().unwrap();
    assert_eq!(account.len(), 12);
    assert!(
        report["identities"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["type"] == "aws-account" && it["account"] == account)
    );
}
