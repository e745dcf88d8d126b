//! The edge cases of the texts as a user would have them: repositories, an account, logs. Each comes out with the
//! disposition that the texts argue for, and says why.

use crate::support::{Workplace, aws_key_id};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

fn user(name: &str, tags: &[(&str, &str)], actions: &[&str], managed: &[&str]) -> Value {
    let tags: Vec<Value> = tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    let managed: Vec<Value> = managed
        .iter()
        .map(|name| json!({"PolicyName": name, "PolicyArn": format!("arn:aws:iam::aws:policy/{name}")}))
        .collect();
    let inline = match actions {
        [] => json!([]),
        _ => json!([{"PolicyName": "work", "PolicyDocument": {"Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}}]),
    };
    json!({"Path": "/", "UserName": name, "UserId": format!("AIDA{name}"), "GroupList": [],
        "CreateDate": "2024-02-01T00:00:00Z", "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
        "UserPolicyList": inline, "AttachedManagedPolicies": managed, "Tags": tags})
}

const USERS: [&str; 4] = ["observa", "admin", "nightly-report", "payments-settle"];

fn key(name: &str) -> String {
    let at = USERS.iter().position(|each| *each == name).unwrap();
    aws_key_id(500 + at as u64)
}

fn account(place: &Workplace) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com")},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {
            "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
            "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}}]});
    let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let managed = json!([{"PolicyName": "AdministratorAccess",
        "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]);
    place.write(
        "aws/account.json",
        json!({
            "UserDetailList": [
                user("observa", &[("Owner", "sre@example.org"), ("Vendor", "Observa")],
                    &["cloudwatch:GetMetricData", "ec2:StopInstances"], &[]),
                user("admin", &[("Owner", "platform@example.org")], &[], &["AdministratorAccess"]),
                user("nightly-report", &[("Owner", "data@example.org"), ("Environment", "production")],
                    &["s3:GetObject", "s3:PutObject"], &[]),
                user("payments-settle", &[("Owner", "payments@example.org"), ("Environment", "production")],
                    &["dynamodb:PutItem", "dynamodb:Query"], &[]),
            ],
            "GroupDetailList": [],
            "RoleDetailList": [{"Path": "/", "RoleName": "ci-anything", "RoleId": "AROACI", "InstanceProfileList": [],
                "CreateDate": "2025-01-01T00:00:00Z", "Arn": format!("arn:aws:iam::{ACCOUNT}:role/ci-anything"),
                "AssumeRolePolicyDocument": trust, "MaxSessionDuration": 3600, "RolePolicyList": [],
                "AttachedManagedPolicies": managed, "Tags": [{"Key": "Owner", "Value": "platform@example.org"}],
                "RoleLastUsed": {"LastUsedDate": "2026-10-30T00:00:00Z", "Region": "eu-west-1"}}],
            "Policies": [{"PolicyName": "AdministratorAccess", "DefaultVersionId": "v1", "AttachmentCount": 2,
                "Arn": "arn:aws:iam::aws:policy/AdministratorAccess", "IsAttachable": true,
                "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": all}]}],
        })
        .to_string(),
    );
    for name in USERS {
        place.write(
            &format!("aws/keys/{name}.json"),
            json!({"AccessKeyMetadata": [{"UserName": name, "AccessKeyId": key(name), "Status": "Active",
                "CreateDate": "2024-02-01T00:00:00Z"}]})
            .to_string(),
        );
    }
}

fn repositories(place: &Workplace) {
    let job = |name: &str, secret: &str, on: &str| {
        format!(
            "on: {on}\njobs:\n  work:\n    runs-on: ubuntu-latest\n    timeout-minutes: 20\n    env:\n      AWS_ACCESS_KEY_ID: {}\n      AWS_SECRET_ACCESS_KEY: ${{{{ secrets.{secret} }}}}\n    steps: [{{run: make}}]\n",
            key(name)
        )
    };
    for repository in ["shop", "billing", "infra"] {
        place.write(
            &format!("code/{repository}/.github/workflows/deploy.yml"),
            job("admin", "ADMIN_SECRET", "push"),
        );
    }
    place.write(
        "code/settle/.github/workflows/settle.yml",
        job(
            "payments-settle",
            "SETTLE_SECRET",
            "{schedule: [{cron: '0 4 * * *'}]}",
        ),
    );
    place.write(
        "code/vendor/docker-compose.yml",
        format!(
            "services:\n  agent:\n    image: observa/agent:1\n    environment:\n      AWS_ACCESS_KEY_ID: {}\n      AWS_SECRET_ACCESS_KEY: ${{OBSERVA_SECRET}}\n",
            key("observa")
        ),
    );
    place.write(
        "code/assistant/.mcp.json",
        json!({"mcpServers": {
            "github": {"command": "npx", "env": {"GITHUB_PERSONAL_ACCESS_TOKEN": "${GITHUB_TOKEN}"}},
            "postgres": {"command": "npx", "env": {"DATABASE_URL": "${PROD_DATABASE_URL}"}},
            "slack": {"command": "npx", "env": {"SLACK_BOT_TOKEN": "${SLACK_BOT_TOKEN}"}}}})
        .to_string(),
    );
    place.write(
        "overstay.toml",
        "[[identity]]\nmatch = \"*user/observa\"\nvendor_static = true\nexception_expires = 2027-03-31\nexception_owner = \"sre@example.org\"\nexception_reason = \"roles come with their next release\"\n",
    );
}

/// Seventeen minutes of every night of two months, as a trail delivers them; the second file repeats the first.
fn trail(place: &Workplace) {
    let mut records = Vec::new();
    for (month, days) in [(9, 30), (10, 30)] {
        for day in 1..=days {
            for minute in [0, 6, 12, 17] {
                records.push(json!({"eventVersion": "1.08", "eventTime": format!("2026-{month:02}-{day:02}T02:{minute:02}:00Z"),
                    "eventSource": "s3.amazonaws.com", "eventName": "PutObject", "awsRegion": "eu-west-1",
                    "sourceIPAddress": "198.51.100.7", "userAgent": "Boto3/1.34",
                    "requestParameters": {"bucketName": "reports", "key": "a"}, "recipientAccountId": ACCOUNT,
                    "eventID": format!("{month:08}-{day:04}-4000-8000-{month:04}{day:04}{minute:04}"),
                    "eventCategory": "Data", "managementEvent": false,
                    "userIdentity": {"type": "IAMUser", "userName": "nightly-report", "accountId": ACCOUNT,
                        "arn": format!("arn:aws:iam::{ACCOUNT}:user/nightly-report"), "accessKeyId": key("nightly-report")}}));
            }
        }
    }
    let text = json!({"Records": records}).to_string();
    place.write("trail/one.json", &text);
    place.write("trail/two.json", &text);
}

struct Panel(Value);

impl Panel {
    fn scanned(place: &Workplace, out: &str, logs: bool) -> Self {
        let mut scan = place.overstay();
        scan.arg("scan")
            .arg(place.path("code"))
            .arg("--aws-snapshot")
            .arg(place.path("aws"))
            .arg("--out")
            .arg(place.path(out))
            .args(["--now", "2026-11-01T00:00:00Z"]);
        if logs {
            scan.arg("--cloudtrail").arg(place.path("trail"));
        }
        scan.assert().success();
        Self(place.report(out))
    }

    /// The assessment whose subject ends like this, and its plan item.
    fn of(&self, subject: &str) -> (&Value, &Value) {
        let judged = self.0["assessments"].as_array().unwrap();
        let one = judged
            .iter()
            .find(|each| each["subject"].as_str().unwrap().ends_with(subject))
            .unwrap();
        let items = self.0["plan"].as_array().unwrap();
        let item = items.iter().find(|each| each["assessment"] == one["id"]);
        (one, item.unwrap_or(&Value::Null))
    }

    /// Disposition, and the text of what decided.
    fn decided(&self, subject: &str) -> (String, String) {
        let (one, _) = self.of(subject);
        let rows = one["trace"].as_array().unwrap();
        let row = rows.iter().find(|row| row["matched"] == true).unwrap();
        (
            one["disposition"].as_str().unwrap().to_owned(),
            format!("{}{}", row["conditions"], one["blockers"]),
        )
    }
}

#[test]
fn each_edge_case_comes_out_as_the_texts_argue() {
    let place = Workplace::new();
    account(&place);
    repositories(&place);
    trail(&place);
    let panel = Panel::scanned(&place, "without", false);

    // A vendor that requires a static key: compensated, scoped, with an end, and it says where it would go.
    let (word, why) = panel.decided(" of observa");
    assert_eq!(word, "shorten-and-compensate");
    assert!(why.contains("vendor_static"), "{why}");
    let (one, item) = panel.of(" of observa");
    assert_eq!(one["target"], "aws-vendor-key-kept");
    assert!(
        one["target_reason"]
            .as_str()
            .unwrap()
            .contains("when that changes")
    );
    assert_eq!(item["compensating_controls"].as_array().unwrap().len(), 3);
    assert!(
        item["exception_expires"]
            .as_str()
            .unwrap()
            .starts_with("2027-03-31")
    );
    let reason = item["approval"]["reason"].as_str().unwrap();
    assert!(reason.contains("sre@example.org: roles come"), "{reason}");

    // A shared administrator: no migration is claimed whole.
    let (word, why) = panel.decided(" of admin");
    assert_eq!(word, "shorten-and-compensate");
    assert!(
        why.contains("shared_admin") && why.contains("3 paths"),
        "{why}"
    );
    assert_eq!(panel.of(" of admin").0["mitigation"], "partial");

    // An agent with three tool servers: no durable access, and without a policy of intents only in part.
    for subject in ["PROD_DATABASE_URL", "GITHUB_TOKEN"] {
        let (one, item) = panel.of(subject);
        assert_eq!(one["disposition"], "hybrid", "{subject}");
        assert_eq!(one["mitigation"], "partial");
        assert!(one["blockers"].to_string().contains("no_intent_policy"));
        assert_eq!(item["agent_requirements"].as_array().unwrap().len(), 4);
        assert!(item["ttl"]["seconds"].as_u64().unwrap() <= 3_600);
    }

    // A payment job: it has an end and moves now, and somebody approves before.
    let (word, why) = panel.decided(" of payments-settle");
    assert_eq!(word, "migrate-now", "{why}");
    let (one, item) = panel.of(" of payments-settle");
    assert!(one["risk"]["vector"].as_str().unwrap().contains("/S3"));
    assert_eq!(item["approval"]["tier"], "strict");
    assert_eq!(item["wave"], 1);

    // A role that is only a timer: a finding, and what it takes is conditions and not a shorter time.
    let (one, _) = panel.of("ci-anything");
    assert_eq!(one["target"], "aws-oidc-trust-tightened");
    let findings = panel.0["findings"].to_string();
    assert!(findings.contains("jit-without-context"));

    // Nothing in the first wave only asks for evidence.
    for item in panel.0["plan"].as_array().unwrap() {
        assert!(
            item["wave"] != 1 || item["disposition"] != "review",
            "{item:#}"
        );
    }

    // The nightly batch: nobody knows what uses its key until the logs show it, each event once.
    let (word, _) = panel.decided(" of nightly-report");
    assert_eq!(word, "review");
    let logged = Panel::scanned(&place, "with", true);
    let (word, why) = logged.decided(" of nightly-report");
    assert!(
        word == "plan-migration" || word == "migrate-now",
        "{word} {why}"
    );
    let (one, _) = logged.of(" of nightly-report");
    assert_eq!(one["task"]["rhythm"], "cron-like");
    assert_eq!(one["ttl"]["seconds"], 1_200, "{}", one["ttl"]["evidence"]);
    let activity = &logged.0["observed"]["activity"][0];
    assert_eq!(activity["events"], 240, "both files hold the same");
}

/// A service without an end: it looks all the time and deletes now and then.
#[test]
fn a_service_that_never_rests_gets_a_set_that_stays_and_one_on_request() {
    let place = Workplace::new();
    place.write(
        "aws/account.json",
        json!({"UserDetailList": [user("orders", &[("Owner", "shop@example.org"), ("Environment", "production")],
                &["dynamodb:*"], &[])],
            "GroupDetailList": [], "RoleDetailList": [], "Policies": []})
        .to_string(),
    );
    let id = aws_key_id(640);
    place.write(
        "aws/keys/orders.json",
        json!({"AccessKeyMetadata": [{"UserName": "orders", "AccessKeyId": id, "Status": "Active",
            "CreateDate": "2024-02-01T00:00:00Z"}]})
        .to_string(),
    );
    place.write(
        "code/orders/k8s/api.yaml",
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: orders, namespace: prod}}\nspec:\n  selector: {{matchLabels: {{app: orders}}}}\n  template:\n    metadata: {{labels: {{app: orders}}}}\n    spec:\n      containers:\n        - name: api\n          image: orders:1\n          env:\n            - {{name: AWS_ACCESS_KEY_ID, value: {id}}}\n            - name: AWS_SECRET_ACCESS_KEY\n              valueFrom: {{secretKeyRef: {{name: aws, key: secret}}}}\n"
        ),
    );
    let mut records = Vec::new();
    for (month, days) in [(9, 30), (10, 30)] {
        for day in 1..=days {
            for hour in 0..24 {
                for minute in [0, 15, 30, 45] {
                    let name = if (hour, minute) == (12, 0) {
                        "DeleteTable"
                    } else {
                        "DescribeTable"
                    };
                    records.push(json!({"eventVersion": "1.08", "awsRegion": "eu-west-1", "eventName": name,
                        "eventTime": format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z"),
                        "eventSource": "dynamodb.amazonaws.com", "sourceIPAddress": "10.0.0.7", "userAgent": "Boto3/1.34",
                        "requestParameters": {"tableName": "orders"}, "recipientAccountId": ACCOUNT,
                        "eventID": format!("{month:08}-{day:04}-{hour:04}-8000-{minute:012}"), "managementEvent": true,
                        "userIdentity": {"type": "IAMUser", "userName": "orders", "accountId": ACCOUNT,
                            "arn": format!("arn:aws:iam::{ACCOUNT}:user/orders"), "accessKeyId": id}}));
                }
            }
        }
    }
    place.write("trail/one.json", json!({ "Records": records }).to_string());
    let panel = Panel::scanned(&place, "out", true);
    let (one, item) = panel.of(" of orders");
    assert_eq!(one["disposition"], "hybrid", "{one:#}");
    assert_eq!(one["mitigation"], "partial");
    let folder = place.path("out").join(item["folder"].as_str().unwrap());
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(folder.join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}; {item:#}"));
        serde_json::from_str(&text).unwrap()
    };
    let (stays, asked) = (
        read("permissions-baseline.json").to_string(),
        read("permissions-elevated.json").to_string(),
    );
    assert!(
        stays.contains("dynamodb:DescribeTable") && !stays.contains("DeleteTable"),
        "{stays}"
    );
    assert!(
        asked.contains("dynamodb:DeleteTable") && !asked.contains("DescribeTable"),
        "{asked}"
    );
    assert!(asked.contains("table/orders"), "{asked}");
    // The evaluator was asked: what stays cannot do what has to be asked for.
    let tried = read("validation.json");
    assert_eq!(tried["passed"], true, "{tried:#}");
    let told = tried["tried"].to_string();
    assert!(
        told.contains("baseline") && told.contains("DeleteTable"),
        "{told}"
    );
}

#[test]
fn what_is_planned_is_what_simulate_says_and_doctor_names_its_policy() {
    let place = Workplace::new();
    account(&place);
    repositories(&place);
    place.write(
        "code/pay/k8s.yaml",
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: psp, namespace: pay}\nspec:\n  secretStoreRef: {name: vault}\n  target: {name: psp-key}\n  data:\n    - {secretKey: KEY, remoteRef: {key: prod/psp, property: stripe}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: pay, namespace: pay}\nspec:\n  template:\n    spec:\n      serviceAccountName: pay\n      containers:\n        - name: c\n          env:\n            - {name: STRIPE_SECRET_KEY, valueFrom: {secretKeyRef: {name: psp-key, key: KEY}}}\n---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata:\n  name: pay-token\n  namespace: pay\n  annotations: {kubernetes.io/service-account.name: pay}\n",
    );
    place.write(
        "overstay.toml",
        "[[identity]]\nmatch = \"*user/observa\"\nbreak_glass = true\n[[identity]]\nmatch = \"*user/nobody\"\nowner = \"x\"\n[[repository]]\nmatch = \"cod*\"\nowner = \"finance\"\n",
    );
    let panel = Panel::scanned(&place, "out", false);
    let all = panel.0["assessments"].as_array().unwrap();
    assert!(all.len() > 8);
    for planned in all {
        let id = planned["id"].as_str().unwrap();
        let out = place
            .overstay()
            .args(["simulate", id, "--json"])
            .output()
            .unwrap();
        let said: Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(said["planned"], *planned, "{id}");
        assert_eq!(said["tried"], *planned, "{id}");
    }
    let doctor = place.overstay().arg("doctor").output().unwrap();
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    let digest = panel.0["run"]["policy_digest"].as_str().unwrap();
    assert!(doctor.contains(digest), "{digest} {doctor}");

    // What fills a secret is the secret, and a stored token has no end.
    let kinds: Vec<&str> = all
        .iter()
        .filter_map(|each| each["subject"].as_str())
        .filter(|subject| subject.contains("psp") || subject.contains("pay-token"))
        .collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    let (token, _) = panel.of("(token of pay) of pay");
    let vector = token["risk"]["vector"].as_str().unwrap();
    assert!(vector.contains("/T3"), "{vector}");

    // What the configuration says of nothing is told, and what fits is not.
    let told = panel.0["coverage"].to_string();
    assert!(
        told.contains("*user/nobody") && !told.contains("cod*"),
        "{told}"
    );
}
