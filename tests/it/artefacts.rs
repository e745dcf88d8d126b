//! What is made ready for plan items, read by programs that are not ours: `git apply`, `bash -n`, a linter of policies,
//! parsers of Terraform, YAML and JSON.

use crate::support::{Workplace, aws_key_id, aws_secret, files_below};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ACCOUNT: &str = "111122223333";
/// A name that would break out of paths, shells, HCL, YAML, SQL and Markdown.
const HOSTILE: &str =
    "x'; touch /tmp/overstay-was-here; \"${path.module}\" ../../[a](b) `id` $(id)\u{202e}";

const GITHUB: &str = "\
name: Deploy   # of the shop
on: { push: { branches: [main] } }
permissions:
  contents: read
jobs:
  plan:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
  deploy:
    runs-on: ubuntu-latest
    environment: production
    timeout-minutes: 15
    env:
      AWS_REGION: eu-west-1
      # the key of the deployer
      AWS_ACCESS_KEY_ID: ${{ secrets.DEPLOY_KEY_ID }}
      AWS_SECRET_ACCESS_KEY: ${{ secrets.DEPLOY_SECRET }}
      STAGE: prod
    steps:
      - uses: actions/checkout@v4   # comment stays
      - run: |
          aws s3 sync build s3://shop-site

      - run: echo done
";

const ACTION: &str = "\
on: push
jobs:
  ship:
    runs-on: ubuntu-latest
    permissions: { contents: read }
    steps:
    - uses: aws-actions/configure-aws-credentials@v4
      with:
        aws-access-key-id: ${{ secrets.AWS_ACCESS_KEY_ID }}
        aws-secret-access-key: ${{ secrets.AWS_SECRET_ACCESS_KEY }}
        aws-region: eu-west-1
    - run: make ship
  publish:
    runs-on: ubuntu-latest
    steps:
    - run: npm publish
      env:
        NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}
";

const GITLAB: &str = "\
stages: [deploy]
deploy:
  stage: deploy
  environment: production
  variables:
    AWS_ACCESS_KEY_ID: $PROD_AWS_ACCESS_KEY_ID
    AWS_SECRET_ACCESS_KEY: $PROD_AWS_SECRET_ACCESS_KEY
    REGION: eu-west-1
  script:
    - aws s3 sync build s3://site   # as ever
";

const BITBUCKET: &str = "\
pipelines:
  branches:
    main:
      - step:
          name: Deploy
          script:
            - aws configure set aws_access_key_id $AWS_ACCESS_KEY_ID
            - aws configure set aws_secret_access_key $AWS_SECRET_ACCESS_KEY
            - aws s3 sync build s3://site
";

const CIRCLECI: &str = "\
version: 2.1
jobs:
  deploy:
    docker:
      - image: cimg/base:2026.01
    environment:
      AWS_ACCESS_KEY_ID: $DEPLOY_AWS_ACCESS_KEY_ID
    steps:
      - checkout
      - run: aws s3 sync build s3://site --access $AWS_SECRET_ACCESS_KEY
workflows:
  main:
    jobs:
      - deploy
";

const BUILDKITE: &str = "\
steps:
  - label: deploy
    env:
      STAGE: prod
    commands:
      - test -n \"$AWS_ACCESS_KEY_ID\" -a -n \"$AWS_SECRET_ACCESS_KEY\"
      - aws s3 sync build s3://site
";

const CLUSTER: &str = "\
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  name: pay-token
  namespace: pay
  annotations: {kubernetes.io/service-account.name: pay}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: pay, namespace: pay}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pay, namespace: pay}
spec:
  template:
    spec:
      serviceAccountName: pay
      containers: [{name: pay, image: pay}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: pay, namespace: pay}
rules:
- apiGroups: ['']
  resources: [configmaps]
  verbs: [get, list]
- apiGroups: ['']
  resources: ['*']
  verbs: ['*']
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: pay, namespace: pay}
subjects: [{kind: ServiceAccount, name: pay, namespace: pay}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: pay}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: pay}
subjects: [{kind: ServiceAccount, name: pay, namespace: pay}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
";

fn user(name: &str) -> Value {
    json!({"Path": "/", "UserName": name, "UserId": format!("AIDA{name}"), "CreateDate": "2024-01-01T00:00:00Z",
        "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "GroupList": [], "Tags": [],
        "AttachedManagedPolicies": [{"PolicyName": "AdministratorAccess",
            "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]})
}

fn event(day: u32, minute: u32, key: &str, source: &str, name: &str, parameters: &Value) -> Value {
    json!({"eventVersion": "1.09", "eventTime": format!("2026-10-{day:02}T03:{minute:02}:00Z"),
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.15", "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT, "requestParameters": parameters, "responseElements": null,
        "userIdentity": {"type": "IAMUser", "accessKeyId": key, "accountId": ACCOUNT, "userName": "deployer",
            "arn": format!("arn:aws:iam::{ACCOUNT}:user/deployer"), "principalId": "AIDAdeployer"}})
}

/// Repositories with pipelines of every kind, an account, its logs, and a cluster.
fn organisation(place: &Workplace) {
    let files = [
        ("shop", ".github/workflows/deploy.yml", GITHUB),
        ("web", ".github/workflows/ship.yml", ACTION),
        ("lab", ".gitlab-ci.yml", GITLAB),
        ("bucket", "bitbucket-pipelines.yml", BITBUCKET),
        ("circle", ".circleci/config.yml", CIRCLECI),
        ("kite", ".buildkite/pipeline.yml", BUILDKITE),
    ];
    for (name, path, text) in files {
        let mut repository = place.repository(&format!("org/{name}"));
        repository.write(path, text);
        if name == "shop" {
            let key = aws_key_id(1);
            repository.write("README.md", format!("the key of the deployer is {key}\n"));
        }
        repository.commit("first");
        let host = match name {
            "lab" => "https://gitlab.com/acme/tools/lab.git",
            "bucket" => "git@bitbucket.org:acme/bucket.git",
            _ => &format!("https://github.com/acme/{name}.git"),
        };
        let done = Command::new("git")
            .args(["-C"])
            .arg(place.path(&format!("org/{name}")))
            .args(["remote", "add", "origin", host])
            .status();
        assert!(done.unwrap().success());
    }
    let mut cluster = place.repository("org/cluster");
    cluster.write("pay.yaml", CLUSTER);
    cluster.commit("first");
    let write = |name: &str, value: &Value| place.write(&format!("aws/{name}"), value.to_string());
    let role = |name: &str, trust: Value| {
        json!({"Path": "/", "RoleName": name, "RoleId": "AROAX", "CreateDate": "2024-01-01T00:00:00Z", "Tags": [],
            "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "InstanceProfileList": [], "RolePolicyList": [],
            "AttachedManagedPolicies": [{"PolicyName": "AdministratorAccess",
                "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}],
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}})
    };
    let roles = [
        role(
            "wide",
            json!({"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com")},
            "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}}),
        ),
        role(
            "partner",
            json!({"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": "arn:aws:iam::999988887777:root"}}),
        ),
    ];
    let tagged = json!({"Path": "/", "UserName": "hostile", "UserId": "AIDAhostile", "CreateDate": "2024-01-01T00:00:00Z",
        "Arn": format!("arn:aws:iam::{ACCOUNT}:user/hostile"), "GroupList": [], "AttachedManagedPolicies": [],
        "Tags": [{"Key": "Owner", "Value": HOSTILE}, {"Key": "Purpose", "Value": format!("{HOSTILE}\n# x")}]});
    let users = [user("deployer"), user(HOSTILE), tagged];
    write(
        "account.json",
        &json!({"UserDetailList": users, "GroupDetailList": [], "RoleDetailList": roles, "Policies": []}),
    );
    for (number, name) in ["deployer", HOSTILE, "hostile"].into_iter().enumerate() {
        let key = aws_key_id(number as u64 + 1);
        write(
            &format!("access-keys/{number}.json"),
            &json!({"AccessKeyMetadata": [{"UserName": name, "AccessKeyId": key, "Status": "Active",
                "CreateDate": "2024-01-01T00:00:00Z"}]}),
        );
    }
    let key = aws_key_id(1);
    let records: Vec<Value> = (1..=28)
        .flat_map(|day| {
            let object = json!({"bucketName": "shop-site", "key": "build/index.html"});
            [
                event(day, 0, &key, "sts", "GetCallerIdentity", &Value::Null),
                event(
                    day,
                    1,
                    &key,
                    "s3",
                    "ListObjectsV2",
                    &json!({"bucketName": "shop-site"}),
                ),
                event(day, 2, &key, "s3", "PutObject", &object),
                event(
                    day,
                    3,
                    &key,
                    "cloudfront",
                    "CreateInvalidation",
                    &json!({"distributionId": "E1"}),
                ),
            ]
        })
        .collect();
    place.write("trail/one.json", json!({"Records": records}).to_string());
}

fn scanned(place: &Workplace, out: &str, jobs: &str) -> Value {
    let (org, aws, trail) = (place.path("org"), place.path("aws"), place.path("trail"));
    place
        .scan(&[&org], out)
        .args(["--jobs", jobs, "--quiet"])
        .arg("--aws-snapshot")
        .arg(&aws)
        .arg("--cloudtrail")
        .arg(&trail)
        .args(["--state"])
        .arg(place.path("state"))
        .assert()
        .success();
    place.report(out)
}

/// Every file below a folder with its text.
fn texts(folder: &Path) -> BTreeMap<PathBuf, String> {
    files_below(folder)
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(folder).unwrap().to_owned(), text)
        })
        .collect()
}

#[test]
fn other_programs_read_what_is_made_ready() {
    let place = Workplace::new();
    organisation(&place);
    let report = scanned(&place, "out", "2");
    let plan = place.path("out/plan");
    let files = texts(&plan);
    for item in report["plan"].as_array().unwrap() {
        let folder = item["folder"]
            .as_str()
            .unwrap()
            .strip_prefix("plan/")
            .unwrap();
        for artefact in item["artefacts"].as_array().unwrap() {
            let path = Path::new(folder).join(artefact["path"].as_str().unwrap());
            assert!(files.contains_key(&path), "{} is listed", path.display());
        }
        for name in [
            "README.md",
            "approval.md",
            "approval.json",
            "revoke.sh",
            "negative-test.sh",
            "rollback.sh",
        ] {
            assert!(
                files.contains_key(&Path::new(folder).join(name)),
                "{folder}/{name}"
            );
        }
    }

    // Shells read the scripts.
    let mut scripts = 0;
    for path in files
        .keys()
        .filter(|path| path.extension().is_some_and(|end| end == "sh"))
    {
        let read = Command::new("bash")
            .arg("-n")
            .arg(plan.join(path))
            .output()
            .unwrap();
        assert!(
            read.status.success(),
            "{}: {}",
            path.display(),
            String::from_utf8_lossy(&read.stderr)
        );
        scripts += 1;
    }
    assert!(scripts > 20);

    // Patches apply, one of each system, and leave YAML that holds no secret of the pipeline.
    let mut patched = Vec::new();
    for (path, text) in files
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end == "patch"))
    {
        let repository = ["shop", "web", "lab", "bucket", "circle", "kite"]
            .into_iter()
            .find(|name| {
                Command::new("git")
                    .args(["apply", "--check"])
                    .arg(plan.join(path))
                    .current_dir(place.path(&format!("org/{name}")))
                    .output()
                    .unwrap()
                    .status
                    .success()
            })
            .unwrap_or_else(|| panic!("{} applies nowhere:\n{text}", path.display()));
        patched.push(repository);
    }
    patched.sort_unstable();
    patched.dedup();
    assert_eq!(patched, ["bucket", "circle", "kite", "lab", "shop", "web"]);

    // No secret, and nothing that a name could break out of.
    for (path, text) in &files {
        assert!(!text.contains(&aws_secret(1)), "{}", path.display());
        assert!(!text.contains('\u{202e}'), "{}", path.display());
        assert!(!text.contains("repo:acme/*"), "{}: {text}", path.display());
    }
    assert!(!Path::new("/tmp/overstay-was-here").exists());

    // What was used is allowed, and the evaluator found nothing wrong.
    let mut with_use = 0;
    for (path, text) in files
        .iter()
        .filter(|(path, _)| path.ends_with("validation.json"))
    {
        let checked: Value = serde_json::from_str(text).unwrap();
        assert_eq!(checked["passed"], true, "{}: {text}", path.display());
        if checked["actions_used"] != 0 {
            with_use += 1;
            assert_eq!(checked["actions_used"], checked["actions_allowed"]);
        }
    }
    assert!(with_use >= 1, "an item has policies from use");

    let read = Command::new(crate::linters::python())
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/artefacts.py"
        ))
        .arg(&plan)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&read.stdout);
    assert!(
        read.status.success(),
        "{}",
        String::from_utf8_lossy(&read.stderr)
    );
    assert!(!said.contains("WRONG"), "{said}");
    for kind in ["policy", ".tf", ".yaml", ".json"] {
        assert!(said.contains(&format!("READ {kind} ")), "{kind}: {said}");
    }
}

#[test]
fn a_stored_run_gives_the_same_files_and_old_ones_go() {
    let place = Workplace::new();
    organisation(&place);
    scanned(&place, "out", "1");
    let first = texts(&place.path("out/plan"));
    place.write("out/plan/wave-01/stale/README.md", "old");
    scanned(&place, "out", "4");
    assert_eq!(texts(&place.path("out/plan")), first);
    place
        .overstay()
        .args(["plan", "--format", "json", "--state"])
        .arg(place.path("state"))
        .arg("--artefacts")
        .arg(place.path("again"))
        .assert()
        .success();
    assert_eq!(texts(&place.path("again")), first);

    // A folder of somebody else's is left alone.
    place.write("mine/plan/notes.txt", "mine");
    let (org, aws) = (place.path("org"), place.path("aws"));
    place
        .scan(&[&org], "mine")
        .arg("--aws-snapshot")
        .arg(aws)
        .assert()
        .code(2);
    assert_eq!(texts(&place.path("mine/plan")).len(), 1);
}
