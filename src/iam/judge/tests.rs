use super::*;
use crate::iam::testing::{self, inline, place, policy};
use crate::model::aws::{AwsAttached, AwsGroup, AwsPolicy};
use crate::model::{EscalationGoal, Grade};
use serde_json::Value;
use serde_json::json;
use std::sync::LazyLock;

const OWN_ACCOUNT: &str = "111122223333";

static TABLES: LazyLock<AwsTables> = LazyLock::new(|| AwsTables::builtin().unwrap());
static OWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| ["111122223333".to_owned()].into());

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:iam::111122223333:{kind}/{name}")
}

fn user(name: &str, statements: &Value) -> AwsUser {
    testing::user(OWN_ACCOUNT, name, statements)
}

fn role(name: &str, service: &str, statements: &Value) -> AwsRole {
    let trust =
        json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}});
    testing::role(OWN_ACCOUNT, name, &trust, statements)
}

fn managed(name: &str, document: Value) -> AwsPolicy {
    AwsPolicy {
        name: name.into(),
        arn: arn("policy", name),
        document,
        versions: 1,
        updated_at: None,
        others: Vec::new(),
        location: place(),
    }
}

fn attached(arn: &str) -> AwsAttached {
    AwsAttached {
        name: arn.rsplit('/').next().unwrap().into(),
        arn: arn.into(),
    }
}

fn account(users: Vec<AwsUser>, roles: Vec<AwsRole>) -> AwsAccount {
    AwsAccount {
        account_id: "111122223333".into(),
        users,
        roles,
        ..AwsAccount::default()
    }
}

fn everything() -> Value {
    json!({"Effect": "Allow", "Action": "*", "Resource": "*"})
}

fn alone(user: AwsUser) -> Judged {
    let account = account(vec![user], Vec::new());
    Judge::new(&account, &TABLES, &OWN).user(&account.users[0])
}

fn tier(statements: &Value) -> u8 {
    alone(user("ana", statements)).privilege.tier
}

/// Ways that lead somewhere.
fn paths(judged: &Judged) -> Vec<&str> {
    judged
        .privilege
        .escalation
        .iter()
        .filter(|path| path.reaches != EscalationGoal::Nothing)
        .map(|path| path.id.as_str())
        .collect()
}

#[test]
fn tiers_of_plain_policies() {
    for (statement, expected) in [
        (json!([]), 0),
        (
            json!({"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}),
            1,
        ),
        (
            json!({"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:PutLogEvents"], "Resource": "*"}),
            1,
        ),
        (
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}),
            2,
        ),
        (
            json!({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}),
            2,
        ),
        (
            json!({"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}),
            2,
        ),
        (
            json!({"Effect": "Allow", "Action": "s3:PutObject", "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]}),
            3,
        ),
        (
            json!({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}),
            3,
        ),
        (
            json!({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"}),
            2,
        ),
        (
            json!({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}),
            4,
        ),
        (
            json!({"Effect": "Allow", "Action": "iam:*", "Resource": "*"}),
            4,
        ),
        (everything(), 5),
        (
            json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]),
            4,
        ),
        (
            json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
                {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]),
            5,
        ),
        (
            json!([everything(), {"Effect": "Deny", "Action": "*", "Resource": "*"}]),
            0,
        ),
        (
            json!([everything(), {"Effect": "Deny", "NotAction": "s3:List*", "Resource": "*"}]),
            1,
        ),
        (
            json!({"Effect": "Allow", "Action": "*:*", "Resource": "*"}),
            5,
        ),
        (
            json!({"Effect": "Allow", "Action": "*", "NotResource": "*"}),
            0,
        ),
        (
            json!([everything(), {"Effect": "Deny", "Action": "*",
                "NotResource": "arn:aws:iam::111122223333:user/nobody"}]),
            2,
        ),
    ] {
        assert_eq!(tier(&statement), expected, "{statement}");
    }
}

#[test]
fn a_condition_is_kept_not_taken_as_safe() {
    let judged = alone(user(
        "ana",
        &json!({"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}),
    ));
    assert!(judged.privilege.admin);
    assert!(
        judged.privilege.evidence[0]
            .text
            .contains("if Bool aws:MultiFactorAuthPresent = true")
    );
    assert_eq!(
        judged.grants[0].conditions,
        ["Bool aws:MultiFactorAuthPresent = true"]
    );
    // A condition that certainly fails gives nothing.
    assert_eq!(
        tier(&json!({"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:username": "eve"}}})),
        0
    );
    // One that picks among resources keeps it from being everything, and stays with what it opens.
    let judged = alone(user(
        "ana",
        &json!({"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}),
    ));
    assert!(!judged.privilege.admin);
    for path in &judged.privilege.escalation {
        assert_eq!(path.depends_on, ["StringEquals aws:ResourceTag/team = a"]);
    }
}

#[test]
fn boundaries_limit_and_a_missing_one_is_said() {
    let mut bounded = user("ana", &everything());
    bounded.boundary = Some(arn("policy", "edge"));
    let mut account = account(vec![bounded], Vec::new());
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert!(judged.privilege.admin);
    assert!(
        judged
            .notices
            .iter()
            .any(|n| n.reason.contains("permission boundary"))
    );
    account.policies = vec![managed(
        "edge",
        json!({"Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/*"}}),
    )];
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!((judged.privilege.tier, judged.privilege.admin), (2, false));
    assert_eq!(judged.grants[0].tier, 2);
    assert_eq!(judged.privilege.services, ["s3"]);
    assert!(judged.notices.is_empty());
}

#[test]
fn missing_documents_never_come_out_harmless() {
    let mut known = user("ana", &json!([]));
    known.attached = vec![attached("arn:aws:iam::aws:policy/AdministratorAccess")];
    let judged = alone(known);
    assert!(judged.privilege.admin && !judged.privilege.assumed);
    assert_eq!(judged.privilege.blanket_policies, ["AdministratorAccess"]);
    assert_eq!(judged.notices.len(), 1);
    let mut unknown = user("ana", &json!([]));
    unknown.attached = vec![attached(&arn("policy", "Thing"))];
    unknown.groups = vec!["gone".into()];
    let judged = alone(unknown);
    assert!(judged.privilege.assumed && judged.privilege.tier == 2);
    assert_eq!(judged.grants.len(), 2);
    assert_eq!(
        judged
            .grants
            .iter()
            .filter(|g| g.evidence[0].grade == Grade::D)
            .count(),
        1
    );
    assert_eq!(judged.notices.len(), 2);
}

#[test]
fn a_document_that_could_not_be_read_is_unknown() {
    let mut inline = user("ana", &json!([]));
    inline.inline[0].document = Value::Null;
    let judged = alone(inline);
    assert!(judged.privilege.assumed && judged.privilege.tier == 2);
    let mut managed_only = user("ana", &json!([]));
    managed_only.inline.clear();
    managed_only.attached = vec![attached(&arn("policy", "Thing"))];
    let mut account = account(vec![managed_only], Vec::new());
    account.policies = vec![managed("Thing", Value::Null)];
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert!(judged.privilege.assumed && judged.privilege.tier == 2);
}

#[test]
fn a_service_that_can_only_be_read_is_no_blanket() {
    let judged = alone(user(
        "ana",
        &json!({"Effect": "Allow", "Action": ["pricing:*", "sqs:*"], "Resource": "*"}),
    ));
    assert_eq!(judged.privilege.full_services, ["sqs"]);
}

#[test]
fn unknown_actions_are_never_harmless() {
    let judged = alone(user(
        "ana",
        &json!({"Effect": "Allow", "Action": "newservice:*", "Resource": "*"}),
    ));
    assert_eq!(judged.privilege.full_services, ["newservice"]);
    assert!(judged.privilege.write && judged.privilege.tier == 3);
    assert_eq!(judged.notices.len(), 1);
    assert_eq!(
        tier(&json!({"Effect": "Allow", "Action": "newservice:ListThings", "Resource": "*"})),
        1
    );
}

#[test]
fn self_service_is_no_escalation() {
    let own = json!({"Effect": "Allow", "Action": ["iam:*AccessKey*", "iam:*LoginProfile", "iam:ChangePassword"],
        "Resource": "arn:aws:iam::*:user/${aws:username}"});
    let account = account(
        vec![user("ana", &own), user("root-like", &everything())],
        Vec::new(),
    );
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(paths(&judged), Vec::<&str>::new());
    assert!(
        judged.privilege.tier <= 1 && !judged.privilege.jit_required(),
        "{:?}",
        judged.privilege
    );
}

#[test]
fn keys_of_a_stronger_user_are_a_way_up() {
    let make = json!({"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "arn:aws:iam::*:user/*"});
    let mut account = account(
        vec![user("ana", &make), user("boss", &everything())],
        Vec::new(),
    );
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(paths(&judged), ["iam-002"]);
    assert_eq!(
        judged.privilege.escalation[0].note,
        "makes an access key for another user: `boss` (administrator)"
    );
    // Denied on that user, there is nobody stronger left.
    account.users[0].inline = inline(&json!([make,
        {"Effect": "Deny", "Action": "iam:*", "Resource": "arn:aws:iam::*:user/boss"}]));
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(paths(&judged), Vec::<&str>::new());
}

#[test]
fn a_policy_is_attached_for_what_it_gives() {
    let attach = |policy: &str| {
        json!({"Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": "*",
            "Condition": {"ArnEquals": {"iam:PolicyARN": policy}}})
    };
    let found = |statement: &Value| {
        let mut account = account(vec![user("ana", statement)], Vec::new());
        account.policies = vec![
            managed("all", policy(&everything())),
            managed("little", policy(&json!([]))),
        ];
        let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
        paths(&judged).contains(&"iam-008")
    };
    assert!(found(&attach(
        "arn:aws:iam::aws:policy/AdministratorAccess"
    )));
    assert!(found(&attach(&arn("policy", "all"))));
    assert!(!found(&attach(&arn("policy", "little"))));
    assert!(!found(&attach("arn:aws:iam::aws:policy/ReadOnlyAccess")));
}

#[test]
fn passing_a_role_needs_a_service_the_role_trusts() {
    let launch = |role: &str, service: &str| {
        json!([{"Effect": "Allow", "Action": ["lambda:CreateFunction", "lambda:InvokeFunction"],
                "Resource": "arn:aws:lambda:*:*:function:app-*"},
               {"Effect": "Allow", "Action": "iam:PassRole", "Resource": arn("role", role),
                "Condition": {"StringEquals": {"iam:PassedToService": service}}}])
    };
    let judge = |policy: &Value| {
        let account = account(
            vec![user("ana", policy)],
            vec![
                role("strong", "lambda.amazonaws.com", &everything()),
                role("other", "ec2.amazonaws.com", &everything()),
                role("weak", "lambda.amazonaws.com", &json!([])),
            ],
        );
        Judge::new(&account, &TABLES, &OWN).user(&account.users[0])
    };
    let open = judge(&launch("strong", "lambda.amazonaws.com"));
    assert_eq!(paths(&open), ["lambda-001"]);
    assert!(open.privilege.escalation[0].depends_on.is_empty());
    assert_eq!(open.privilege.tier, 4);
    for (name, service) in [
        ("strong", "ec2.amazonaws.com"),
        ("other", "lambda.amazonaws.com"),
        ("weak", "lambda.amazonaws.com"),
    ] {
        assert_eq!(
            paths(&judge(&launch(name, service))),
            Vec::<&str>::new(),
            "{name}"
        );
    }
}

#[test]
fn assuming_needs_the_roles_trust() {
    let mut strong = role("strong", "x", &everything());
    let may = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"});
    for (principal, found) in [
        (json!({"AWS": "arn:aws:iam::111122223333:root"}), true),
        (json!({"AWS": arn("user", "ana")}), true),
        (json!({"AWS": arn("user", "eve")}), false),
        (json!({"Service": "ec2.amazonaws.com"}), false),
    ] {
        strong.trust = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}});
        let account = account(vec![user("ana", &may)], vec![strong.clone()]);
        let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
        assert_eq!(paths(&judged).contains(&"sts-001"), found, "{principal}");
        assert!(judged.privilege.cross_account);
    }
}

#[test]
fn roles_of_aws_are_no_targets() {
    let mut reserved = role("AWSServiceRoleForX", "lambda.amazonaws.com", &everything());
    reserved.path = "/aws-service-role/x.amazonaws.com/".into();
    let rewrite = json!({"Effect": "Allow", "Action": ["iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy"], "Resource": "*"});
    let account = account(vec![user("ana", &rewrite)], vec![reserved]);
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(paths(&judged), Vec::<&str>::new());
}

#[test]
fn trust_knows_whether_permissions_name_resources() {
    let scoped = role(
        "scoped",
        "ec2.amazonaws.com",
        &json!([
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"},
        {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]),
    );
    let wide = role(
        "wide",
        "ec2.amazonaws.com",
        &json!(
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}),
    );
    let account = account(Vec::new(), vec![scoped, wide]);
    let judge = Judge::new(&account, &TABLES, &OWN);
    let resource = |role| judge.trust(role, &judge.role(role))[0].coverage.resource;
    assert!(resource(&account.roles[0]) && !resource(&account.roles[1]));
}

#[test]
fn ids_are_stable_and_differ_by_path() {
    let mut both = user("ana", &json!([]));
    both.inline.clear();
    both.groups = vec!["g".into()];
    both.attached = vec![attached("arn:aws:iam::aws:policy/ReadOnlyAccess")];
    let mut account = account(vec![both], Vec::new());
    account.groups = vec![AwsGroup {
        name: "g".into(),
        arn: arn("group", "g"),
        inline: Vec::new(),
        attached: vec![attached("arn:aws:iam::aws:policy/ReadOnlyAccess")],
        location: place(),
    }];
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(judged.grants.len(), 2);
    assert_ne!(judged.grants[0].id, judged.grants[1].id);
    assert_eq!(
        judged.grants[1].native_id,
        "group g → arn:aws:iam::aws:policy/ReadOnlyAccess"
    );
    assert_eq!(
        judged,
        Judge::new(&account, &TABLES, &OWN).user(&account.users[0])
    );
}

#[test]
fn what_cannot_be_changed_or_has_passed_gives_nothing() {
    let mut account = account(
        vec![user(
            "ana",
            &json!([
                {"Effect": "Allow", "Action": "iam:CreatePolicyVersion", "Resource": "arn:aws:iam::aws:policy/x-*"},
                {"Effect": "Allow", "Action": "*", "Resource": "*",
                 "Condition": {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}}]),
        )],
        Vec::new(),
    );
    account.collected_at = "2026-11-01T00:00:00Z".parse().ok();
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(judged.privilege.tier, 1);
    assert!(!judged.privilege.permissions_management && paths(&judged).is_empty());
}

#[test]
fn a_role_that_names_the_principal_needs_no_permission_of_its_own() {
    let mut strong = role("strong", "x", &everything());
    strong.trust = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": arn("user", "ana")}}});
    let mut account = account(vec![user("ana", &json!([]))], vec![strong]);
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(paths(&judged), ["sts-001"]);
    account.users[0].inline =
        inline(&json!({"Effect": "Deny", "Action": "sts:*", "Resource": "*"}));
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(paths(&judged), Vec::<&str>::new());
}

#[test]
fn a_boundary_stays_on_what_a_principal_gives_itself() {
    let own = json!({"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"});
    let mut bounded = user("ana", &own);
    bounded.boundary = Some(arn("policy", "edge"));
    let mut account = account(vec![bounded], Vec::new());
    let edge = |action: Value| {
        vec![managed(
            "edge",
            json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}}),
        )]
    };
    account.policies = edge(json!(["iam:PutUserPolicy", "s3:*"]));
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(paths(&judged), Vec::<&str>::new());
    account.policies = edge(json!("*"));
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(paths(&judged), ["iam-007"]);
}

#[test]
fn who_can_make_itself_administrator_is_worth_becoming() {
    let account = account(
        vec![
            user(
                "ana",
                &json!({"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "*"}),
            ),
            user(
                "boss",
                &json!({"Effect": "Allow", "Action": "iam:Put*", "Resource": "*"}),
            ),
        ],
        Vec::new(),
    );
    let judged = Judge::new(&account, &TABLES, &OWN).user(&account.users[0]);
    assert_eq!(
        judged.privilege.escalation[0].note,
        "makes an access key for another user: `boss` (can make itself administrator); then as `boss` writes an \
         inline policy into itself"
    );
}
