//! What an account's own records say of use, sign-ins, certificates and trails, and what repositories say of keys, at the
//! end of the whole way.

use crate::support::{Workplace, aws_key_id};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ACCOUNT: &str = "111122223333";
const OLD: &str = "2024-01-01T00:00:00Z";

fn role(name: &str, created: &str, trusted: &str, policy: &Value) -> Value {
    json!({"Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"), "CreateDate": created, "Tags": [],
        "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "InstanceProfileList": [], "AttachedManagedPolicies": [],
        "MaxSessionDuration": 43_200,
        "RolePolicyList": [{"PolicyName": "work", "PolicyDocument": policy}],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:{trusted}")}}}})
}

fn account(place: &Workplace) {
    let write = |name: &str, value: Value| place.write(&format!("aws/{name}"), value.to_string());
    let work = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Data", "Effect": "Allow", "Action": ["s3:*"], "Resource": "arn:aws:s3:::site*",
         "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}},
        {"Sid": "Queue", "Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]});
    let all = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let roles = [
        role("app", OLD, "root", &work),
        role("young", "2026-09-20T00:00:00Z", "root", &work),
        role("boss", OLD, "root", &all),
        role("hop", OLD, "role/app", &work),
        role("last", OLD, "role/hop", &work),
    ];
    let user = json!({"Path": "/", "UserName": "mirror", "UserId": "AIDAmirror", "CreateDate": OLD,
        "Arn": format!("arn:aws:iam::{ACCOUNT}:user/mirror"), "GroupList": [], "UserPolicyList": [],
        "AttachedManagedPolicies": [], "Tags": [{"Key": "Owner", "Value": "ann@example.org"}]});
    write(
        "account.json",
        json!({"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": roles, "Policies": []}),
    );
    write("roles.json", json!({"Roles": roles}));
    for name in ["app", "young"] {
        let used = "2026-09-30T00:00:00Z";
        write(
            &format!("service-last-accessed/roles/{name}.json"),
            json!({"JobStatus": "COMPLETED", "JobCompletionDate": "2026-10-01T00:00:00Z", "ServicesLastAccessed": [
                {"ServiceNamespace": "s3", "LastAuthenticated": used, "TrackedActionsLastAccessed": [
                    {"ActionName": "GetBucketPolicy", "LastAccessedTime": used}, {"ActionName": "PutBucketPolicy"}]},
                {"ServiceNamespace": "sqs"}]}),
        );
    }
    let trail = format!("arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/main");
    write(
        "trails.json",
        json!({"trailList": [{"Name": "main", "TrailARN": trail, "IsMultiRegionTrail": true}]}),
    );
    write("status/main.json", json!({"IsLogging": false}));
    write(
        "codecommit.json",
        json!({"ServiceSpecificCredentials": [{"UserName": "mirror", "Status": "Active", "CreateDate": OLD,
            "ServiceName": "codecommit.amazonaws.com", "ServiceSpecificCredentialId": "ACCAEXAMPLE"}]}),
    );
    write(
        "certificates.json",
        json!({"ServerCertificateMetadataList": [{"ServerCertificateName": "www", "ServerCertificateId": "ASCAEXAMPLE",
            "Arn": format!("arn:aws:iam::{ACCOUNT}:server-certificate/www"), "Expiration": "2024-06-01T00:00:00Z"}]}),
    );
    place.write("people.csv", "email,left\nann@example.org,2026-03-31\n");
}

/// (rule, name of the identity or nothing) of every finding.
fn found(report: &Value) -> BTreeSet<(String, String)> {
    let list = |key: &str| report[key].as_array().unwrap().clone();
    let identities = list("identities");
    let name = |id: &Value| {
        let identity = identities.iter().find(|each| each["id"] == *id);
        identity.map_or_else(String::new, |each| {
            each["name"].as_str().unwrap().to_owned()
        })
    };
    list("findings")
        .iter()
        .map(|each| {
            (
                each["rule"].as_str().unwrap().to_owned(),
                name(&each["identity"]),
            )
        })
        .collect()
}

#[test]
fn an_account_is_compared_with_its_own_records() {
    let place = Workplace::new();
    account(&place);
    place
        .scan(&[], "out")
        .arg("--aws-snapshot")
        .arg(place.path("aws"))
        .arg("--people")
        .arg(place.path("people.csv"))
        .assert()
        .code(0);
    let report = place.report("out");
    let found = found(&report);
    let has = |rule: &str, name: &str| found.contains(&(rule.to_owned(), name.to_owned()));
    assert!(has("unused-permissions", "app"));
    assert!(!has("unused-permissions", "young"), "too young to tell");
    assert!(!has("unused-permissions", "boss"), "nobody asked");
    assert!(has("privileged-unlogged", "boss"));
    assert!(!has("privileged-unlogged", "app"));
    assert!(has("insecure-auth-method", "mirror"));
    assert!(has("owner-departed", "mirror"));
    assert!(has("expired-or-weak-cert", ""));
    let identity = |name: &str| {
        let list = report["identities"].as_array().unwrap();
        list.iter()
            .find(|each| each["name"] == name)
            .unwrap()
            .clone()
    };
    let smaller = &identity("app")["privilege"]["usage"]["smaller"][0];
    let statements = smaller["documents"][0]["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 1, "{smaller}");
    assert_eq!(statements[0]["Sid"], "Data");
    assert_eq!(statements[0]["Resource"], "arn:aws:s3:::site*");
    let actions: Vec<&str> = statements[0]["Action"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(actions.contains(&"s3:GetBucketPolicy") && actions.contains(&"s3:GetObject"));
    assert!(!actions.contains(&"s3:PutBucketPolicy"));
    let notes = identity("last")["notes"].to_string();
    assert!(
        notes.contains("app → hop → last") && notes.contains("within 1 h"),
        "{notes}"
    );

    // Without a list of people and without trails, nothing is judged and the first is said.
    std::fs::remove_file(place.path("aws/trails.json")).unwrap();
    std::fs::remove_file(place.path("aws/status/main.json")).unwrap();
    place
        .scan(&[], "less")
        .arg("--aws-snapshot")
        .arg(place.path("aws"))
        .assert()
        .code(0);
    let report = place.report("less");
    let rules: BTreeSet<String> = self::found(&report)
        .into_iter()
        .map(|(rule, _)| rule)
        .collect();
    assert!(!rules.contains("owner-departed") && !rules.contains("privileged-unlogged"));
    assert!(report["coverage"].to_string().contains("no list of people"));
    assert!(
        report["coverage"]
            .to_string()
            .contains("no trails of CloudTrail")
    );
}

#[test]
fn keys_that_repositories_share_and_keep_are_found() {
    let place = Workplace::new();
    account(&place);
    let mut site = place.repository("site");
    site.write(
        ".github/workflows/deploy.yml",
        format!(
            "on: push\njobs:\n  deploy:\n    environment: production\n    permissions: {{id-token: write}}\n    \
             steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        with:\n          \
             role-to-assume: arn:aws:iam::{ACCOUNT}:role/app\n"
        ),
    );
    let key = "env: {AWS_ACCESS_KEY_ID: '${{ secrets.AWS_ACCESS_KEY_ID }}'}";
    for (file, environment) in [("report", "production"), ("try", "staging")] {
        site.write(
            &format!(".github/workflows/{file}.yml"),
            format!(
                "on: push\njobs:\n  {file}:\n    environment: {environment}\n    steps:\n      - run: aws s3 ls\n        {key}\n"
            ),
        );
    }
    site.write(
        "api.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop}\nspec:\n  template:\n    spec:\n      \
         containers:\n        - name: api\n          image: api\n          env:\n            - name: AWS_ACCESS_KEY_ID\n              \
         valueFrom: {secretKeyRef: {name: aws, key: AWS_ACCESS_KEY_ID}}\n",
    );
    site.commit("one");
    place
        .scan(&[&place.path("site")], "out")
        .arg("--aws-snapshot")
        .arg(place.path("aws"))
        .assert()
        .code(0);
    let rules: BTreeSet<String> = found(&place.report("out"))
        .into_iter()
        .map(|(rule, _)| rule)
        .collect();
    for rule in [
        "dual-path",
        "shared-credential",
        "cross-environment-reuse",
        "compute-static-key",
    ] {
        assert!(rules.contains(rule), "{rule} not in {rules:?}");
    }
}

#[test]
fn use_that_only_logs_show_is_told() {
    let place = Workplace::new();
    let key = aws_key_id(7);
    let call = json!({"eventVersion": "1.08", "eventTime": "2026-10-20T08:00:00Z", "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets", "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.7", "userAgent": "aws-cli/2",
        "eventID": "e-1", "recipientAccountId": ACCOUNT, "userIdentity": {"type": "IAMUser", "userName": "ann",
            "arn": format!("arn:aws:iam::{ACCOUNT}:user/ann"), "accountId": ACCOUNT, "accessKeyId": key}});
    place.write("trail/one.json", json!({"Records": [call]}).to_string());
    let scan = [
        "scan",
        "--cloudtrail",
        "trail",
        "--now",
        "2027-04-01T00:00:00Z",
        "-q",
    ];
    place.overstay().args(scan).assert().success();
    for id in [key.as_str(), "ann"] {
        let page = place.overstay().args(["explain", id]).assert().success();
        let page = String::from_utf8_lossy(&page.get_output().stdout).into_owned();
        assert!(
            page.contains("2026-10-20 (162 days ago), in logs"),
            "{page}"
        );
    }
}
