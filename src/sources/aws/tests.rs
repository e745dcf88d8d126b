//! Whole snapshots, written to a temporary folder.

use super::*;
use crate::model::LastUse;
use base64::Engine as _;
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

fn user(name: &str) -> Value {
    json!({"Path": "/", "UserName": name, "UserId": format!("AIDA{name}"),
           "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "CreateDate": "2020-01-01T00:00:00+00:00"})
}

fn role(name: &str) -> Value {
    json!({"RoleName": name, "RoleId": format!("AROA{name}"),
           "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "CreateDate": "2020-01-01T00:00:00+00:00",
           "AssumeRolePolicyDocument": {"Statement": []}, "RoleLastUsed": {}})
}

fn page(users: &[&str], roles: &[&str]) -> Value {
    json!({"UserDetailList": users.iter().map(|name| user(name)).collect::<Vec<_>>(), "GroupDetailList": [],
           "RoleDetailList": roles.iter().map(|name| role(name)).collect::<Vec<_>>(), "Policies": []})
}

fn read(files: &[(&str, String)]) -> AwsSnapshot {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        file.persist(path).unwrap();
    }
    read_snapshot(folder.path())
}

fn has(snapshot: &AwsSnapshot, status: CoverageStatus, unit: &str, words: &str) -> bool {
    snapshot
        .coverage
        .iter()
        .any(|entry| entry.status == status && entry.unit == unit && entry.reason.contains(words))
}

/// The committed account, with key ids put in place of their names.
fn fixture() -> (tempfile::TempDir, AwsSnapshot) {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/aws/orchard");
    for entry in walkdir::WalkDir::new(&from).sort_by_file_name() {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(&from).unwrap();
        let to = folder.path().join(keys(&name.to_string_lossy()));
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(to).unwrap();
            continue;
        }
        let text = keys(&std::fs::read_to_string(entry.path()).unwrap());
        let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        file.persist(to).unwrap();
    }
    let snapshot = read_snapshot(folder.path());
    (folder, snapshot)
}

fn keys(text: &str) -> String {
    (1..=3).fold(text.to_owned(), |text, n| {
        text.replace(&format!("@KEY{n}@"), &key(n))
    })
}

fn key(n: usize) -> String {
    format!("AKIA{}{n}", "ORCHARDTESTKEY2")
}

#[test]
fn the_committed_account_reads_whole() {
    let (_folder, snapshot) = fixture();
    assert_eq!(snapshot.accounts.len(), 1);
    let account = &snapshot.accounts[0];
    assert_eq!(account.account_id, ACCOUNT);
    assert_eq!(account.alias.as_deref(), Some("orchard-prod"));
    let parts = account.parts;
    assert!(
        parts.authorization_details
            && parts.credential_report
            && parts.access_keys
            && parts.key_last_used
            && parts.roles
            && parts.service_last_accessed
            && parts.oidc_providers,
        "{parts:?}"
    );
    let shown: Vec<String> = account
        .users
        .iter()
        .flat_map(|user| {
            user.keys.iter().map(move |key| {
                format!(
                    "{} {} active={:?} {:?} {}",
                    user.name,
                    key.key_id.as_deref().map_or("-", |id| &id[19..]),
                    key.active,
                    key.last_use,
                    key.last_used_service.as_deref().unwrap_or("-")
                )
            })
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    alice 1 active=Some(true) NeverSince(2022-03-02T09:00:00Z) -
    ci-deployer 3 active=Some(false) At(2021-01-25T00:00:00Z) s3
    ci-deployer 2 active=Some(true) At(2026-10-31T21:00:00Z) cloudformation
    ");
    let deploy = account
        .roles
        .iter()
        .find(|role| role.name == "deploy")
        .unwrap();
    assert_eq!(deploy.max_session_seconds, Some(43200));
    assert_eq!(deploy.trust["Statement"][0]["Effect"], "Allow");
    assert_eq!(
        deploy.location.display(),
        format!("aws/{ACCOUNT}/account-authorization-details.json:150")
    );
    assert_eq!(account.oidc_providers[0].client_ids, ["sts.amazonaws.com"]);
    assert_eq!(account.root.as_ref().unwrap().mfa, Some(true));
    assert!(
        !snapshot
            .coverage
            .iter()
            .any(|entry| entry.status.incomplete()),
        "{:#?}",
        snapshot.coverage
    );
}

#[test]
fn pages_in_every_arrangement_are_one_account() {
    let (one, two) = (
        page(&["ann", "bob"], &["r1"]),
        page(&["bob", "carol"], &["r2"]),
    );
    let arrangements: [Vec<(&str, String)>; 6] = [
        vec![("a.json", one.to_string()), ("b.json", two.to_string())],
        vec![("all.json", json!([one, two]).to_string())],
        vec![("all.json", format!("{one}{two}"))],
        vec![("all.ndjson", format!("{one}\n{two}\n"))],
        vec![(
            "all.json",
            json!({"data": {"pages": [one, two]}}).to_string(),
        )],
        vec![("x/a", one.to_string()), ("y/b.txt", two.to_string())],
    ];
    for files in arrangements {
        let snapshot = read(&files);
        assert_eq!(snapshot.accounts.len(), 1, "{:?}", files[0].0);
        let account = &snapshot.accounts[0];
        let names: Vec<&str> = account
            .users
            .iter()
            .map(|user| user.name.as_str())
            .collect();
        assert_eq!(names, ["ann", "bob", "carol"]);
        assert_eq!(account.roles.len(), 2);
    }
}

#[test]
fn several_accounts_in_one_folder_keep_apart() {
    let other = page(&["ann"], &[])
        .to_string()
        .replace(ACCOUNT, "444455556666");
    let of_aws = json!({"Policies": [{"PolicyName": "ReadOnlyAccess", "Arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Statement": []}}]}]});
    let keys =
        json!({"AccessKeyMetadata": [{"UserName": "ann", "AccessKeyId": "K", "Status": "Active"}]});
    let snapshot = read(&[
        ("aws-policies.json", of_aws.to_string()),
        ("a.json", page(&["ann", "bob"], &[]).to_string()),
        ("b.json", other),
        ("keys/444455556666.json", keys.to_string()),
    ]);
    let [one, two] = snapshot.accounts.as_slice() else {
        panic!("{:?}", snapshot.coverage)
    };
    assert_eq!((one.users.len(), two.users.len()), (2, 1));
    assert_eq!((one.policies.len(), two.policies.len()), (1, 1));
    assert!(one.users.iter().all(|user| user.keys.is_empty()));
    assert_eq!(two.users[0].keys.len(), 1);
    assert!(two.parts.access_keys && !one.parts.access_keys);
}

#[test]
fn damaged_files_leave_the_rest_intact() {
    let good = page(&["ann"], &["r1"]).to_string();
    let snapshot = read(&[
        ("good.json", good.clone()),
        ("cut.json", good[..good.len() / 2].to_owned()),
        ("empty.json", String::new()),
        ("deep.json", "[".repeat(50_000)),
        ("text.json", "oops".to_owned()),
        ("other.json", "{\"a\": [1, {\"b\": null}]}".to_owned()),
        ("README.md", "# notes".to_owned()),
        (
            "types.json",
            json!({"UserDetailList": [3, null, user("bob")], "RoleDetailList": "x", "Policies": 4})
                .to_string(),
        ),
    ]);
    let names: Vec<&str> = snapshot.accounts[0]
        .users
        .iter()
        .map(|user| user.name.as_str())
        .collect();
    assert_eq!(names, ["ann", "bob"]);
    assert!(has(
        &snapshot,
        CoverageStatus::Failed,
        "cut.json",
        "ends inside"
    ));
    assert!(has(
        &snapshot,
        CoverageStatus::Failed,
        "empty.json",
        "empty"
    ));
    assert!(
        has(
            &snapshot,
            CoverageStatus::Failed,
            "deep.json",
            "128 levels at line 1"
        ) || has(&snapshot, CoverageStatus::Failed, "deep.json", "128 levels")
    );
    assert!(has(
        &snapshot,
        CoverageStatus::Failed,
        "text.json",
        "not valid JSON"
    ));
    assert!(has(
        &snapshot,
        CoverageStatus::Skipped,
        "other.json",
        "not an IAM export"
    ));
    assert!(has(
        &snapshot,
        CoverageStatus::Skipped,
        "README.md",
        "neither"
    ));
    let types = format!("aws/{ACCOUNT}/types.json");
    assert!(has(
        &snapshot,
        CoverageStatus::Partial,
        &types,
        "entry 1 of UserDetailList"
    ));
    assert!(has(
        &snapshot,
        CoverageStatus::Partial,
        &types,
        "RoleDetailList"
    ));
}

#[test]
fn nothing_recognisable_is_a_failure() {
    let snapshot = read(&[("a.json", "{}".to_owned())]);
    assert!(snapshot.accounts.is_empty());
    assert!(
        snapshot
            .coverage
            .iter()
            .any(|entry| entry.status == CoverageStatus::Failed)
    );
    assert!(
        read_snapshot(Path::new("/nonexistent/snapshot"))
            .coverage
            .iter()
            .any(|entry| entry.status == CoverageStatus::Failed)
    );
}

#[test]
fn principals_without_names_or_arns_are_kept() {
    let text = json!({"UserDetailList": [{"UserName": "ann", "Path": "/team/"}, {"UserId": "AIDAX"}, {}],
                      "RoleDetailList": [{"Arn": "arn:aws-cn:iam::111122223333:role/p/r"}]});
    let snapshot = read(&[("gaad.json", text.to_string())]);
    let account = &snapshot.accounts[0];
    assert_eq!(account.users.len(), 3);
    assert_eq!(account.roles[0].name, "r");
    // The one ARN of the page tells the account of the rest.
    assert_eq!(account.account_id, ACCOUNT);
    let unknown = read(&[(
        "gaad.json",
        json!({"UserDetailList": [{"UserName": "ann"}]}).to_string(),
    )]);
    assert_eq!(unknown.accounts[0].account_id, "unknown");
    assert!(has(
        &unknown,
        CoverageStatus::Absent,
        "aws/unknown",
        "get-caller-identity"
    ));
    let told = read(&[
        ("x/gaad.json", json!({"UserDetailList": [{"UserName": "ann"}]}).to_string()),
        ("x/me.json", json!({"UserId": "U", "Account": ACCOUNT, "Arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/a/b")}).to_string()),
    ]);
    assert_eq!(
        told.accounts[0].users[0].arn,
        format!("arn:aws:iam::{ACCOUNT}:user/ann")
    );
}

#[test]
fn a_role_is_unused_only_where_aws_says_so() {
    let mut missing = role("missing");
    missing.as_object_mut().unwrap().remove("RoleLastUsed");
    let mut used = role("used");
    used["RoleLastUsed"] = json!({"LastUsedDate": "2026-05-01T00:00:00Z", "Region": "eu-west-1"});
    let report = "user,arn,user_creation_time\n";
    let encoded = base64::engine::general_purpose::STANDARD.encode(
        report.to_owned() + "<root_account>,arn:aws:iam::111122223333:root,2012-01-01T00:00:00Z\n",
    );
    let snapshot = read(&[
        ("gaad.json", json!({"RoleDetailList": [missing, used, role("empty")]}).to_string()),
        ("report.json", json!({"Content": encoded, "ReportFormat": "text/csv", "GeneratedTime": "2026-11-01T00:00:00+00:00"}).to_string()),
    ]);
    let account = &snapshot.accounts[0];
    let uses: Vec<String> = account
        .roles
        .iter()
        .map(|role| format!("{} {:?}", role.name, role.last_use))
        .collect();
    insta::assert_snapshot!(uses.join("\n"), @r"
    empty NeverSince(2025-09-27T00:00:00Z)
    missing Unknown
    used At(2026-05-01T00:00:00Z)
    ");
    assert!(account.root.is_some());
}

#[test]
fn unanswered_pages_make_the_scan_incomplete() {
    let mut first = page(&["ann"], &[]);
    first["IsTruncated"] = json!(true);
    let unit = format!("aws/{ACCOUNT}");
    assert!(has(
        &read(&[("1.json", first.to_string())]),
        CoverageStatus::Partial,
        &unit,
        "IsTruncated"
    ));
    let mut last = page(&["bob"], &[]);
    last["IsTruncated"] = json!(false);
    let whole = read(&[("1.json", first.to_string()), ("2.json", last.to_string())]);
    assert!(!has(&whole, CoverageStatus::Partial, &unit, "IsTruncated"));
}

#[test]
fn use_of_keys_and_services_finds_its_owner_by_file_name_or_object_key() {
    let id = key(1);
    let gaad = page(&["ann", "both"], &["both", "r1"]);
    let list = json!({"AccessKeyMetadata": [{"UserName": "ann", "AccessKeyId": id, "Status": "Inactive", "CreateDate": "2021-01-01T00:00:00Z"}]});
    let used = json!({"UserName": "ann", "AccessKeyLastUsed": {"LastUsedDate": "2026-01-01T00:00:00Z", "ServiceName": "s3", "Region": "eu-west-1"}});
    let services = json!({"JobStatus": "COMPLETED", "JobCompletionDate": "2026-02-01T00:00:00Z", "ServicesLastAccessed": [
        {"ServiceName": "S3", "ServiceNamespace": "s3", "LastAuthenticated": "2026-01-15T00:00:00Z",
         "TrackedActionsLastAccessed": [{"ActionName": "GetObject", "LastAccessedTime": "2026-01-15T00:00:00Z"}, {"ActionName": "PutObject"}]},
        {"ServiceName": "EC2", "ServiceNamespace": "ec2", "TotalAuthenticatedEntities": 0}]});
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/r1");
    let snapshot = read(&[
        ("gaad.json", gaad.to_string()),
        ("keys.json", list.to_string()),
        ("use.json", json!({ id.clone(): used }).to_string()),
        ("last/roles/both.json", services.to_string()),
        ("last/merged.json", json!({ arn: services }).to_string()),
        ("last/nobody.json", services.to_string()),
    ]);
    let account = &snapshot.accounts[0];
    let ann = &account.users[0];
    assert_eq!(ann.keys[0].active, Some(false));
    assert_eq!(
        ann.keys[0].last_use,
        LastUse::At("2026-01-01T00:00:00Z".parse().unwrap())
    );
    assert!(account.users[1].services.is_none());
    for role in &account.roles {
        let services = role.services.as_ref().unwrap();
        assert_eq!(services.granted, ["ec2", "s3"]);
        assert_eq!(services.used.len(), 1);
        assert_eq!(services.actions, ["s3:GetObject"]);
    }
    assert!(has(
        &snapshot,
        CoverageStatus::Partial,
        "last/nobody.json",
        "roles/<RoleName>.json"
    ));
    assert_eq!(
        account.collected_at,
        Some("2026-02-01T00:00:00Z".parse().unwrap())
    );
}

#[test]
fn organizations_and_resource_policies_reach_their_accounts() {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
        "Action": "*", "Resource": "*"}]});
    let snapshot = read(&[
        ("111122223333/details.json", json!({"UserDetailList": [user("ann")], "RoleDetailList": []}).to_string()),
        ("111122223333/s3/logs.json", json!({"Policy": policy.to_string()}).to_string()),
        ("queues.json", json!({"Attributes": {"QueueArn": "arn:aws:sqs:eu-west-1:444455556666:q", "Policy": policy.to_string()}}).to_string()),
        ("unplaced.json", json!({"Policy": policy.to_string()}).to_string()),
        ("organization.json", json!({"Organization": {"Id": "o-abc", "MasterAccountId": "999988887777"},
            "Accounts": [{"Id": "111122223333", "ParentId": "r-ab12"}],
            "Policies": [{"PolicySummary": {"Id": "p-1", "Name": "limit", "Type": "SERVICE_CONTROL_POLICY"},
                "Content": policy.to_string(), "Targets": [{"TargetId": "r-ab12"}, {"TargetId": "111122223333"}]}]}).to_string()),
    ]);
    let [own, other] = snapshot.accounts.as_slice() else {
        panic!("{:?}", snapshot.accounts)
    };
    assert_eq!(own.resources[0].arn, "arn:aws:s3:::logs");
    assert_eq!(own.resources[0].policy, policy);
    assert_eq!(
        (other.account_id.as_str(), other.resources.len()),
        ("444455556666", 1)
    );
    let place = own.membership.as_ref().unwrap();
    assert_eq!(place.path, ["r-ab12", "111122223333"]);
    assert_eq!(place.service_control.as_ref().unwrap().len(), 2);
    assert!(other.membership.is_none());
    assert!(snapshot.coverage.iter().any(|entry| {
        entry.unit == "unplaced.json" && entry.reason.starts_with("cannot tell which resource")
    }));
}

#[test]
fn other_credentials_and_trails_are_read_whatever_order_their_files_have() {
    let mut files: Vec<(&str, String)> = Vec::new();
    let mut put = |name: &'static str, value: Value| files.push((name, value.to_string()));
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    put(
        "a/account.json",
        json(
            r#"{"UserDetailList": [{"UserName": "bot", "UserId": "AIDAEXAMPLE", "Arn": "arn:aws:iam::111122223333:user/bot"}],
                "RoleDetailList": [], "GroupDetailList": [], "Policies": []}"#,
        ),
    );
    put(
        "a/codecommit.json",
        json(
            r#"{"ServiceSpecificCredentials": [{"UserName": "bot", "Status": "Active", "ServiceName": "codecommit.amazonaws.com",
                "ServiceSpecificCredentialId": "ACCAEXAMPLE", "CreateDate": "2024-01-01T00:00:00Z"}]}"#,
        ),
    );
    put(
        "a/certificates.json",
        json(
            r#"{"ServerCertificateMetadataList": [{"ServerCertificateName": "www", "ServerCertificateId": "ASCAEXAMPLE",
                "Arn": "arn:aws:iam::111122223333:server-certificate/www", "Expiration": "2025-01-01T00:00:00Z"}]}"#,
        ),
    );
    put("a/status/main.json", json(r#"{"IsLogging": false}"#));
    put(
        "a/selectors/main.json",
        json(
            r#"{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main",
                "EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}]}"#,
        ),
    );
    put(
        "a/trails.json",
        json(
            r#"{"trailList": [{"Name": "main", "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main",
                "IsMultiRegionTrail": true, "HomeRegion": "eu-west-1"}]}"#,
        ),
    );
    let snapshot = read(&files);
    let [account] = snapshot.accounts.as_slice() else {
        panic!("{:?}", snapshot.coverage)
    };
    assert!(account.parts.trails && account.parts.service_credentials);
    assert_eq!(
        account.user_credentials[0].service.as_deref(),
        Some("codecommit.amazonaws.com")
    );
    assert_eq!(account.server_certificates[0].name, "www");
    let trail = &account.trails[0];
    assert!(trail.multi_region && trail.logging == Some(false));
    let events = trail.management.unwrap();
    assert!(events.write && !events.read);
}
