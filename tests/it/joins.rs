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

#[test]
fn a_secret_that_code_puts_into_a_store_is_the_credential_it_issues() {
    let place = Workplace::new();
    let mut infra = place.repository("infra");
    infra.write(
        "main.tf",
        "module \"ci\" {\n  source = \"./user\"\n}\nresource \"github_actions_secret\" \"key\" {\n  repository      = \"service\"\n  \
         secret_name     = \"DEPLOY_AWS_SECRET\"\n  plaintext_value = module.ci.secret\n}\nresource \"azuread_application\" \"app\" {\n  \
         display_name = \"deployer\"\n}\nresource \"azuread_application_password\" \"app\" {\n  application_id = azuread_application.app.id\n}\n\
         resource \"github_actions_secret\" \"azure\" {\n  repository      = \"other\"\n  secret_name     = \"AZURE_CLIENT_SECRET\"\n  \
         plaintext_value = azuread_application_password.app.value\n}\n",
    );
    infra.write(
        "user/main.tf",
        "resource \"aws_iam_user\" \"ci\" {\n  name = \"ci-deploy\"\n}\nresource \"aws_iam_access_key\" \"ci\" {\n  user = aws_iam_user.ci.name\n}\n\
         output \"secret\" {\n  value = aws_iam_access_key.ci.secret\n}\n",
    );
    infra.commit("one");
    let workflow = |secret: &str, variable: &str| {
        format!(
            "on: push\njobs:\n  ship:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ./ship\n        env:\n          {variable}: ${{{{ secrets.{secret} }}}}\n"
        )
    };
    for (repository, secret, variable) in [
        ("service", "DEPLOY_AWS_SECRET", "AWS_SECRET_ACCESS_KEY"),
        ("third", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_SECRET"),
    ] {
        let mut service = place.repository(repository);
        service.write(".github/workflows/ship.yml", workflow(secret, variable));
        service.commit("one");
    }
    let places = ["infra", "service", "third"].map(|name| place.path(name));
    let places: Vec<&std::path::Path> = places.iter().map(AsRef::as_ref).collect();
    place.scan(&places, "out").assert().code(0);

    let report = place.report("out");
    let mut shown: Vec<String> = report["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            format!(
                "{} {} held by someone: {} used by {} ({})",
                it["kind"].as_str().or(it["type"].as_str()).unwrap(),
                it["reference"].as_str().unwrap(),
                !it["identity"].is_null(),
                it["consumers"].as_array().unwrap().len(),
                it["join"]["text"].as_str().unwrap_or_default()
            )
        })
        .collect();
    shown.sort();
    insta::assert_snapshot!(shown.join("\n"), @r"
    aws-access-key module.ci.aws_iam_access_key.ci held by someone: true used by 1 (code issues it for ci-deploy as module.ci.aws_iam_access_key.ci)
    azure-client-secret AZURE_CLIENT_SECRET held by someone: false used by 1 ()
    azure-client-secret azuread_application_password.app held by someone: true used by 0 (code issues it for deployer as azuread_application_password.app)
    ");
}
