//! Every check at the end of the whole way: an account and repositories go in, findings come out.

use crate::support::{Workplace, aws_key_id, aws_secret, password};
use overstay::checks::CHECKS;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const ACCOUNT: &str = "111122223333";
const VENDOR: &str = "999988887777";
const GITHUB: &str = "token.actions.githubusercontent.com";
const OLD: &str = "2025-01-02T00:00:00+00:00";
const YOUNG: &str = "2026-10-10T00:00:00+00:00";

/// Which check speaks of whom in the careless organisation, and the entry of the OWASP list it answers to. A subject is
/// the end of the identity's native id, or empty where no identity is known.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("admin-or-wildcard", "user/leaky", "NHI5:2025"),
    ("agent-no-owner", ".cursor/mcp.json", "NHI1:2025"),
    ("agent-shared-identity", "mcp.json", "NHI9:2025"),
    ("agent-standing-credential", ".mcp.json", "NHI7:2025"),
    ("agent-unbounded-tools", ".cursor/mcp.json", "NHI5:2025"),
    ("ci-static-cloud-credential", "", "NHI4:2025"),
    ("direct-user-policy", "user/leaky", "NHI5:2025"),
    ("human-use-of-nhi", "user/backup-robot", "NHI10:2025"),
    ("jit-without-context", "role/timer", "NHI6:2025"),
    ("leaked-secret", "user/backup-robot", "NHI2:2025"),
    ("leaked-secret-history", "user/leaky", "NHI2:2025"),
    ("long-lived-key", "user/leaky", "NHI7:2025"),
    ("long-session", "role/github", "NHI7:2025"),
    ("mcp-config-static-token", "mcp.json", "NHI2:2025"),
    ("multiple-active-keys", "user/backup-robot", "NHI7:2025"),
    ("no-expiry-credential", "user/leaky", "NHI7:2025"),
    ("no-owner", "user/leaky", "NHI1:2025"),
    ("no-rotation-evidence", "", "NHI7:2025"),
    ("oidc-subject-too-broad", "role/github", "NHI6:2025"),
    ("private-key-exposed", "", "NHI2:2025"),
    ("root-access-key", ":root", "NHI5:2025"),
    (
        "sensitivity-privilege-mismatch",
        "release.yml/lint",
        "NHI5:2025",
    ),
    ("temporary-that-isnt", "role/tmp-migration", "NHI1:2025"),
    ("third-party-static-credential", "", "NHI3:2025"),
    (
        "third-party-trust-no-externalid",
        "role/vendor",
        "NHI3:2025",
    ),
    ("unused-identity", "user/forgotten", "NHI1:2025"),
    ("wildcard-trust", "role/open", "NHI6:2025"),
];

fn policy(action: &str, resource: &str) -> Value {
    json!([{"PolicyName": "work", "PolicyDocument": {"Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}}])
}

fn user(name: &str, created: &str, policies: &Value, groups: &Value, tags: &Value) -> Value {
    json!({"Path": "/", "UserName": name, "UserId": format!("AIDA{name}"), "CreateDate": created,
        "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "GroupList": groups, "Tags": tags,
        "UserPolicyList": policies, "AttachedManagedPolicies": []})
}

fn role(name: &str, principal: &Value, condition: &Value, policies: &Value, tags: &Value) -> Value {
    let action = if principal.get("Federated").is_some() {
        "sts:AssumeRoleWithWebIdentity"
    } else {
        "sts:AssumeRole"
    };
    json!({"Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"), "CreateDate": OLD,
        "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "Tags": tags,
        "InstanceProfileList": [], "RolePolicyList": policies, "AttachedManagedPolicies": [],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Principal": principal, "Action": action, "Condition": condition}}})
}

fn github(subject: &str) -> (Value, Value) {
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}");
    (
        json!({"Federated": provider}),
        json!({"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com"},
            "StringLike": {format!("{GITHUB}:sub"): subject}}),
    )
}

/// Writes a snapshot: principals, the longest session of all roles, keys as (user, key, created) and one line of the
/// credential report for each user and the root: (user, password, first key active, created, used, second key active).
fn snapshot(
    place: &Workplace,
    users: &[Value],
    roles: &[Value],
    session: u32,
    keys: &[(&str, &str, &str)],
    report: &[(&str, bool, bool, &str, &str, bool)],
) {
    let details = json!({"UserDetailList": users, "RoleDetailList": roles, "Policies": [],
        "GroupDetailList": [{"Path": "/", "GroupName": "readers", "GroupId": "AGPAreaders", "CreateDate": OLD,
            "Arn": format!("arn:aws:iam::{ACCOUNT}:group/readers"), "AttachedManagedPolicies": [],
            "GroupPolicyList": policy("s3:GetObject", "arn:aws:s3:::site/*")}]});
    place.write(
        "aws/account-authorization-details.json",
        details.to_string(),
    );
    let listed: Vec<Value> = roles
        .iter()
        .map(|role| {
            let mut role = role.clone();
            role["MaxSessionDuration"] = json!(session);
            role
        })
        .collect();
    place.write("aws/list-roles.json", json!({"Roles": listed}).to_string());
    let metadata: Vec<Value> = keys
        .iter()
        .map(|(user, key, created)| {
            json!({"UserName": user, "AccessKeyId": key, "Status": "Active", "CreateDate": created})
        })
        .collect();
    place.write(
        "aws/list-access-keys.json",
        json!({"AccessKeyMetadata": metadata}).to_string(),
    );
    let mut lines = vec![
        "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
         password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
         access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
         access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
         access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
         cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
            .to_owned(),
    ];
    for (name, console, first, created, used, second) in report {
        let arn = match *name {
            "<root_account>" => "root".to_owned(),
            name => format!("user/{name}"),
        };
        let again = if *second { created } else { "N/A" };
        // A user of the careful organisation has no password; its root user has one, and a second factor.
        let factor = *console && !*first;
        lines.push(format!(
            "{name},arn:aws:iam::{ACCOUNT}:{arn},{OLD},{console},N/A,N/A,N/A,{factor},{first},{created},{used},\
             eu-north-1,s3,{second},{again},N/A,N/A,N/A,false,N/A,false,N/A"
        ));
    }
    place.write("aws/credential-report.csv", lines.join("\n"));
}

/// (rule, native id of the identity) of every finding, and the frameworks each rule cites.
fn findings(
    place: &Workplace,
    paths: &[&Path],
) -> (BTreeSet<(String, String)>, BTreeMap<String, Value>) {
    place
        .scan(paths, "out")
        .arg("--aws-snapshot")
        .arg(place.path("aws"))
        .assert()
        .code(0);
    let report = place.report("out");
    let list = |name: &str| report[name].as_array().unwrap().clone();
    let names: BTreeMap<String, String> = list("identities")
        .iter()
        .map(|each| {
            let text = |key: &str| each[key].as_str().unwrap().to_owned();
            (text("id"), text("native_id"))
        })
        .collect();
    let mut fired = BTreeSet::new();
    let mut cited = BTreeMap::new();
    for finding in list("findings") {
        let rule = finding["rule"].as_str().unwrap().to_owned();
        let whom = finding["identity"]
            .as_str()
            .map_or_else(String::new, |id| names[id].clone());
        cited.insert(rule.clone(), finding["frameworks"].clone());
        fired.insert((rule, whom));
    }
    (fired, cited)
}

#[test]
fn every_check_fires_on_a_careless_organisation() {
    let place = Workplace::new();
    let keys: Vec<String> = (40..45).map(aws_key_id).collect();
    let mut service = place.repository("service");
    service.write(
        "conf/prod.env",
        format!(
            "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
            keys[0],
            aws_secret(40)
        ),
    );
    service.commit("one");
    service.remove("conf/prod.env");
    service.write(
        "deploy.sh",
        format!(
            "export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n",
            keys[1],
            aws_secret(41)
        ),
    );
    let label = format!("RSA PRIVATE {}", "KEY");
    let body: Vec<String> = (0..24)
        .map(|line| format!("{}{}", password(line), password(line + 100)))
        .collect();
    service.write(
        "tls/server.key",
        format!(
            "-----BEGIN {label}-----\nMII{}\n-----END {label}-----\n",
            body.join("\n")
        ),
    );
    let token = password(777);
    service.write(
        ".mcp.json",
        json!({"mcpServers": {"tracker": {"command": "npx", "env": {"TRACKER_API_KEY": token}}}})
            .to_string(),
    );
    service.write(
        ".github/workflows/release.yml",
        "on: push\njobs:\n  lint:\n    permissions: {packages: write}\n    steps: [{run: lint}]\n  publish:\n    \
         steps:\n      - uses: acme/publish@v1\n        env: {AWS_ACCESS_KEY_ID: '${{ secrets.AWS_ACCESS_KEY_ID }}'}\n",
    );
    service.commit("two");
    // What is not committed has no author who could be its owner.
    service.write(
        ".cursor/mcp.json",
        json!({"mcpServers": {"tracker": {"command": "npx", "alwaysAllow": ["*"],
            "env": {"TRACKER_API_KEY": token}}}})
        .to_string(),
    );

    let none = json!([]);
    let admin = policy("*", "*");
    let read = policy("s3:GetObject", "arn:aws:s3:::site/*");
    let users = [
        user("leaky", OLD, &admin, &none, &none),
        user("backup-robot", OLD, &none, &json!(["readers"]), &none),
        user("forgotten", OLD, &none, &json!(["readers"]), &none),
        user(
            "climber",
            OLD,
            &policy("iam:PutUserPolicy", "*"),
            &none,
            &none,
        ),
    ];
    let (principal, subject) = github("repo:acme/*");
    let account = |id: &str| json!({"AWS": format!("arn:aws:iam::{id}:root")});
    let roles = [
        role("open", &json!("*"), &json!({}), &read, &none),
        role("github", &principal, &subject, &read, &none),
        role("vendor", &account(VENDOR), &json!({}), &read, &none),
        role("timer", &account(ACCOUNT), &json!({}), &admin, &none),
        role("tmp-migration", &account(ACCOUNT), &json!({}), &read, &none),
    ];
    place.write(
        "aws/resource-policies.json",
        json!({"ResourcePolicies": [{"ResourceArn": format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"), "Policy": {
            "Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"},
                {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                 "Resource": "*"}]}}]})
        .to_string(),
    );
    snapshot(
        &place,
        &users,
        &roles,
        43_200,
        &[
            ("leaky", &keys[0], OLD),
            ("backup-robot", &keys[1], OLD),
            ("backup-robot", &keys[2], OLD),
            ("forgotten", &keys[3], OLD),
        ],
        &[
            ("<root_account>", true, true, OLD, YOUNG, false),
            ("leaky", false, true, OLD, YOUNG, false),
            ("backup-robot", true, true, OLD, YOUNG, true),
            ("forgotten", false, true, OLD, OLD, false),
        ],
    );

    let (fired, cited) = findings(&place, &[&place.path("service")]);
    let registered: BTreeSet<&str> = CHECKS.iter().map(|check| check.id()).collect();
    let expected: BTreeSet<&str> = EXPECTED.iter().map(|(rule, ..)| *rule).collect();
    // Checks of clusters and of ways through accounts have organisations of their own.
    assert!(expected.is_subset(&registered), "{expected:?}");
    let missing: Vec<_> = EXPECTED
        .iter()
        .filter(|(rule, whom, _)| {
            !fired
                .iter()
                .any(|(fired, native)| fired == rule && native.ends_with(whom))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?} not in {fired:#?}");
    for &(rule, _, nhi) in EXPECTED {
        assert!(
            cited[rule].to_string().contains(nhi),
            "{rule}: {}",
            cited[rule]
        );
        for framework in ["cwe", "nist-800-53", "nist-csf", "soc2", "iso-27001"] {
            assert!(
                cited[rule].to_string().contains(framework),
                "{rule} cites nothing of {framework}"
            );
        }
    }
}

#[test]
fn no_check_fires_on_a_careful_organisation() {
    let place = Workplace::new();
    let key = aws_key_id(50);
    let mut site = place.repository("site");
    site.write("CODEOWNERS", "* @acme/web\n");
    site.write(
        ".github/workflows/deploy.yml",
        "name: deploy\non:\n  push:\n    branches: [main]\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    \
         environment: production\n    timeout-minutes: 20\n    permissions:\n      contents: read\n      \
         id-token: write\n    steps:\n      - uses: \
         aws-actions/configure-aws-credentials@0123456789abcdef0123456789abcdef01234567\n        with:\n          \
         role-to-assume: arn:aws:iam::111122223333:role/github\n",
    );
    site.write(
        "README.md",
        format!(
            "Set AWS_ACCESS_KEY_ID=<your key> or AWS_SECRET_ACCESS_KEY=changeme; {}{} is the key of the manuals.\n",
            "AKIA", "IOSFODNN7EXAMPLE"
        ),
    );
    site.commit("one");

    let none = json!([]);
    let owned = json!([{"Key": "owner", "Value": "web"}]);
    let read = policy("s3:GetObject", "arn:aws:s3:::site/*");
    let users = [user("reader-svc", OLD, &none, &json!(["readers"]), &owned)];
    let (principal, subject) = github("repo:acme/site:environment:production");
    let roles = [
        role("github", &principal, &subject, &read, &owned),
        role(
            "vendor",
            &json!({"AWS": format!("arn:aws:iam::{VENDOR}:role/collector")}),
            &json!({"StringEquals": {"sts:ExternalId": "8c1f4f0e"}}),
            &read,
            &owned,
        ),
        role(
            "latest-template-loader",
            &json!({"Service": "ec2.amazonaws.com"}),
            &json!({}),
            &read,
            &owned,
        ),
    ];
    snapshot(
        &place,
        &users,
        &roles,
        3600,
        &[("reader-svc", &key, YOUNG)],
        &[
            ("<root_account>", true, false, "N/A", "N/A", false),
            (
                "reader-svc",
                false,
                true,
                YOUNG,
                "2026-10-30T00:00:00+00:00",
                false,
            ),
        ],
    );
    let (fired, _) = findings(&place, &[&place.path("site")]);
    assert!(fired.is_empty(), "{fired:#?}");
}
