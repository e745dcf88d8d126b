//! What code declares and what an account has: judged alike, and joined.

use crate::support::Workplace;
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

const TERRAFORM: &str = r#"
provider "aws" {
  allowed_account_ids = ["111122223333"]
}

variable "env" {
  default = "prod"
}

locals {
  issuer = "token.actions.githubusercontent.com"
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.me.account_id}:oidc-provider/${local.issuer}"]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["repo:acme/shop:environment:${var.env}"]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

module "deploy" {
  source = "./modules/role"
  name   = format("%s-deploy", var.env)
  trust  = data.aws_iam_policy_document.trust.json
  reads  = ["artifacts", "releases"]
}

resource "aws_iam_user" "batch" {
  name = "batch"
}

resource "aws_iam_group" "jobs" {
  name = "jobs"
}

resource "aws_iam_user_group_membership" "batch" {
  user   = aws_iam_user.batch.name
  groups = [aws_iam_group.jobs.name]
}

resource "aws_iam_group_policy_attachment" "jobs" {
  group      = aws_iam_group.jobs.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSQSFullAccess"
}
"#;

const MODULE: &str = r#"
variable "name" {}
variable "trust" {}
variable "reads" { type = list(string) }

data "aws_iam_policy_document" "own" {
  dynamic "statement" {
    for_each = var.reads
    content {
      sid       = "Read${title(statement.value)}"
      actions   = ["s3:GetObject"]
      resources = ["arn:aws:s3:::${statement.value}/*"]
    }
  }
  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = var.trust
}

resource "aws_iam_policy" "own" {
  name   = "${var.name}-own"
  policy = data.aws_iam_policy_document.own.json
}

resource "aws_iam_role_policy_attachment" "own" {
  role       = aws_iam_role.this.name
  policy_arn = aws_iam_policy.own.arn
}
"#;

const CLOUDFORMATION: &str = r#"
Parameters:
  Env: {Type: String, Default: prod}
Conditions:
  Reads: !Equals [!Ref Env, prod]
Resources:
  Jobs:
    Type: AWS::IAM::Group
    Properties:
      GroupName: jobs
      ManagedPolicyArns: [!Sub "arn:${AWS::Partition}:iam::aws:policy/AmazonSQSFullAccess"]
  Batch:
    Type: AWS::IAM::User
    Properties: {UserName: batch, Groups: [!Ref Jobs]}
  Deploy:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {"Fn::Sub": "${Env}-deploy"}
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [sts:AssumeRoleWithWebIdentity]
            Principal:
              Federated: [!Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"]
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:sub: [!Join [":", [repo, acme/shop, environment, !Ref Env]]]
                token.actions.githubusercontent.com:aud: [sts.amazonaws.com]
  Own:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: !Sub "${Env}-deploy-own"
      Roles: [!Ref Deploy]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Sid: ReadArtifacts, Effect: Allow, Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::artifacts/*"]}
          - !If
            - Reads
            - {Sid: ReadReleases, Effect: Allow, Action: ["s3:GetObject"], Resource: [{"Fn::Join": ["", ["arn:aws:s3:::releases", "/*"]]}]}
            - !Ref AWS::NoValue
          - {Sid: Secrets, Effect: Allow, Action: ["secretsmanager:GetSecretValue"], Resource: ["*"]}
"#;

fn trust() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Principal": {"Federated": [format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com")]},
        "Condition": {"StringEquals": {
            "token.actions.githubusercontent.com:sub": ["repo:acme/shop:environment:prod"],
            "token.actions.githubusercontent.com:aud": ["sts.amazonaws.com"],
        }},
    }]})
}

fn own() -> Value {
    let read = |sid: &str, bucket: &str| json!({"Sid": sid, "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [format!("arn:aws:s3:::{bucket}/*")]});
    json!({"Version": "2012-10-17", "Statement": [
        read("ReadArtifacts", "artifacts"), read("ReadReleases", "releases"),
        {"Sid": "Secrets", "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": ["*"]},
    ]})
}

fn snapshot() -> Value {
    let arn = |what: &str| format!("arn:aws:iam::{ACCOUNT}:{what}");
    json!({
        "UserDetailList": [{
            "Path": "/", "UserName": "batch", "UserId": "AIDABATCH", "Arn": arn("user/batch"),
            "CreateDate": "2025-01-01T00:00:00+00:00", "GroupList": ["jobs"], "Tags": [],
            "UserPolicyList": [], "AttachedManagedPolicies": [],
        }],
        "GroupDetailList": [{
            "Path": "/", "GroupName": "jobs", "GroupId": "AGPAJOBS", "Arn": arn("group/jobs"),
            "CreateDate": "2025-01-01T00:00:00+00:00", "GroupPolicyList": [],
            "AttachedManagedPolicies": [{"PolicyName": "AmazonSQSFullAccess", "PolicyArn": "arn:aws:iam::aws:policy/AmazonSQSFullAccess"}],
        }],
        "RoleDetailList": [{
            "Path": "/", "RoleName": "prod-deploy", "RoleId": "AROADEPLOY", "Arn": arn("role/prod-deploy"),
            "CreateDate": "2025-01-01T00:00:00+00:00", "AssumeRolePolicyDocument": trust(),
            "InstanceProfileList": [], "RolePolicyList": [], "Tags": [],
            "AttachedManagedPolicies": [{"PolicyName": "prod-deploy-own", "PolicyArn": arn("policy/prod-deploy-own")}],
        }],
        "Policies": [{
            "PolicyName": "prod-deploy-own", "PolicyId": "ANPAOWN", "Arn": arn("policy/prod-deploy-own"), "Path": "/",
            "DefaultVersionId": "v1", "AttachmentCount": 1, "IsAttachable": true,
            "CreateDate": "2025-01-01T00:00:00+00:00", "UpdateDate": "2025-01-01T00:00:00+00:00",
            "PolicyVersionList": [{"Document": own(), "VersionId": "v1", "IsDefaultVersion": true}],
        }],
    })
}

/// What is judged of every user and role: privilege without the grades and words of its evidence, trust, and the actions
/// and resources of its grants.
fn judged(report: &Value) -> Vec<Value> {
    let grants = report["grants"].as_array().unwrap();
    let mut out: Vec<Value> = report["identities"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|identity| identity["provider"] == "aws")
        .map(|identity| {
            let mut privilege = identity["privilege"].clone();
            let reasons: Vec<Value> = privilege["evidence"]
                .as_array()
                .unwrap()
                .iter()
                .map(|evidence| evidence["text"].clone())
                .collect();
            privilege["evidence"] = Value::Array(reasons);
            let mut held: Vec<Value> = grants
                .iter()
                .filter(|grant| grant["identity"] == identity["id"])
                .map(|grant| json!([grant["name"], grant["source"], grant["actions"], grant["resources"], grant["tier"]]))
                .collect();
            held.sort_by_key(Value::to_string);
            json!({
                "name": identity["name"], "type": identity["type"], "privilege": privilege, "trust": identity["trust"],
                "grants": held,
            })
        })
        .collect();
    out.sort_by_key(|identity| identity["name"].to_string());
    out
}

fn report_of(place: &Workplace, folder: &str, snapshot: bool) -> Value {
    let mut command = place.scan(&[&place.path(folder)], "out");
    if snapshot {
        command.arg("--aws-snapshot").arg(place.path("aws"));
    }
    command.assert().code(0);
    place.report("out")
}

fn workplace() -> Workplace {
    let place = Workplace::new();
    place.write("empty/README", "nothing\n");
    place.write("terraform/main.tf", TERRAFORM);
    place.write("terraform/modules/role/main.tf", MODULE);
    place.write("cloudformation/stack.yaml", CLOUDFORMATION);
    place.write(
        "aws/account-authorization-details.json",
        snapshot().to_string(),
    );
    place
}

#[test]
fn declared_roles_are_judged_as_deployed_ones() {
    let place = workplace();
    let deployed = judged(&report_of(&place, "empty", true));
    assert_eq!(deployed.len(), 2);
    assert_eq!(deployed[1]["privilege"]["tier"], 4);
    assert_eq!(judged(&report_of(&place, "terraform", false)), deployed);
    // The same code in another language, and one that does not tell its account.
    let mut unknown: Value = serde_json::from_str(
        &Value::Array(deployed)
            .to_string()
            .replace(&format!("::{ACCOUNT}:"), "::<this account>:"),
    )
    .unwrap();
    for identity in unknown.as_array_mut().unwrap() {
        for path in identity["trust"].as_array_mut().unwrap() {
            path["account"] = Value::Null;
        }
    }
    let formed = Value::Array(judged(&report_of(&place, "cloudformation", false)));
    assert_eq!(formed, unknown);
}

#[test]
fn code_and_account_meet_and_what_only_one_of_them_has_is_told() {
    let place = workplace();
    place.write(
        "terraform/more.tf",
        "resource \"aws_iam_role\" \"planned\" {\n  name               = \"planned\"\n  assume_role_policy = \"{}\"\n}\n",
    );
    let mut details = snapshot();
    let mut other = details["UserDetailList"][0].clone();
    other["UserName"] = json!("by-hand");
    other["UserId"] = json!("AIDABYHAND");
    other["Arn"] = json!(format!("arn:aws:iam::{ACCOUNT}:user/by-hand"));
    details["UserDetailList"]
        .as_array_mut()
        .unwrap()
        .push(other);
    place.write(
        "aws/account-authorization-details.json",
        details.to_string(),
    );
    let report = report_of(&place, "terraform", true);
    let mut shown: Vec<String> = report["identities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|identity| {
            let code: Vec<String> = identity["locations"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|location| location["repository"] == "terraform")
                .map(|location| {
                    format!(
                        "{}:{}:{}",
                        location["uri"].as_str().unwrap(),
                        location["line"],
                        location["column"]
                    )
                })
                .collect();
            let notes: Vec<&str> = identity["notes"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|note| note["text"].as_str())
                .filter(|text| text.contains("code"))
                .collect();
            format!(
                "{} {} {}: {}",
                identity["name"].as_str().unwrap(),
                identity["grade"].as_str().unwrap(),
                code.join(" "),
                notes.join("; ")
            )
        })
        .collect();
    shown.sort();
    insta::assert_snapshot!(shown.join("\n"), @r"
    batch A main.tf:43:1 main.tf:51:1: declared in code as aws_iam_user.batch (terraform)
    by-hand A : in the account, and in none of the scanned code that declares part of it
    planned B more.tf:1:1: declared in code as aws_iam_role.planned (terraform); declared in code; the snapshot of its account does not have it
    prod-deploy A modules/role/main.tf:22:1 modules/role/main.tf:32:1: declared in code as module.deploy.aws_iam_role.this (terraform)
    ");
}
