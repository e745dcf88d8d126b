use super::*;
use crate::iam::decide::Answer;
use serde_json::json;
use std::io::Write as _;

/// A snapshot with four users and a role, read as `--aws-snapshot` reads it.
fn accounts() -> Accounts {
    let user = |name: &str, statement: Value| {
        json!({"UserName": name, "UserId": format!("AIDA{name}"), "Path": "/",
            "Arn": format!("arn:aws:iam::111122223333:user/{name}"),
            "UserPolicyList": [{"PolicyName": "own", "PolicyDocument":
                {"Version": "2012-10-17", "Statement": statement}}]})
    };
    let details = json!({"UserDetailList": [
            user("ana", json!({"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"})),
            user("bob", json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*",
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}})),
            user("eve", json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
                {"Sid": "NotThis", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}])),
            user("zoe", json!([]))],
        "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [{"RoleName": "app", "RoleId": "AROAAPP", "Path": "/",
            "Arn": "arn:aws:iam::111122223333:role/app", "RolePolicyList": [],
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {"Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com", "AWS": "444455556666"}, "Action": "sts:AssumeRole"}}}]});
    let mut file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    file.write_all(details.to_string().as_bytes()).unwrap();
    let (accounts, _) = Accounts::read(&[file.path().to_owned()]).unwrap();
    accounts
}

fn asked(action: &str, resource: Option<&str>) -> Asked {
    Asked {
        action: action.into(),
        resource: resource.map(str::to_owned),
        ..Asked::default()
    }
}

#[test]
fn answers_name_the_deciding_statements() {
    let accounts = accounts();
    let world = accounts.world();
    let page = |who: &str| {
        let asked = asked("s3:DeleteObject", Some("arn:aws:s3:::b/k"));
        render(&can(&world, accounts.tables(), who, &asked).unwrap())
    };
    insta::assert_snapshot!(page("ana"), @r"
    allowed: arn:aws:iam::111122223333:user/ana may do s3:DeleteObject on arn:aws:s3:::b/k
      allowed by  identity policy: inline policy `own`, statement `Everything`
      note: the policy of arn:aws:s3:::b/k: taken as silent
    ");
    insta::assert_snapshot!(page("bob"), @r"
    depends-on: arn:aws:iam::111122223333:user/bob may do, depending on what follows, s3:DeleteObject on arn:aws:s3:::b/k
      allowed by  identity policy: inline policy `own`, statement 1
                  if Bool aws:MultiFactorAuthPresent = true
      not seen: the policy of arn:aws:s3:::b/k: taken as silent
    ");
    insta::assert_snapshot!(page("eve"), @r"
    denied: arn:aws:iam::111122223333:user/eve may not do s3:DeleteObject on arn:aws:s3:::b/k
      denied by   identity policy: inline policy `own`, statement `NotThis`
      note: the policy of arn:aws:s3:::b/k: taken as silent
    ");
    insta::assert_snapshot!(page("zoe"), @r"
    denied: arn:aws:iam::111122223333:user/zoe may not do s3:DeleteObject on arn:aws:s3:::b/k
      note: the policy of arn:aws:s3:::b/k: taken as silent
    ");
}

#[test]
fn a_context_decides_what_hangs_on_it() {
    let accounts = accounts();
    let world = accounts.world();
    for (value, answer) in [("true", Answer::Allowed), ("false", Answer::Denied)] {
        let mut asked = asked("s3:GetObject", Some("arn:aws:s3:::b/k"));
        asked.context.set("aws:MultiFactorAuthPresent", value);
        let reply = can(&world, accounts.tables(), "bob", &asked).unwrap();
        assert_eq!(reply.answer, answer, "{value}");
    }
}

#[test]
fn who_can_lists_the_certain_ones_first_and_those_outside() {
    let accounts = accounts();
    let world = accounts.world();
    let list = |action: &str, resource: &str| -> Vec<(String, &'static str)> {
        who_can(&world, accounts.tables(), &asked(action, Some(resource)))
            .unwrap()
            .into_iter()
            .map(|reply| (reply.principal, reply.answer.as_str()))
            .collect()
    };
    let own = |name: &str| format!("arn:aws:iam::111122223333:{name}");
    assert_eq!(
        list("s3:DeleteBucket", "arn:aws:s3:::b"),
        [
            (own("root"), "allowed"),
            (own("user/ana"), "allowed"),
            (own("user/bob"), "depends-on"),
        ]
    );
    assert_eq!(
        list("sts:AssumeRole", &own("role/app")),
        [
            ("arn:aws:iam::444455556666:root".to_owned(), "allowed"),
            ("lambda.amazonaws.com".to_owned(), "allowed"),
        ]
    );
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_is_near() {
    let accounts = accounts();
    let world = accounts.world();
    let error = |who: &str, action: &str, resource: Option<&str>| {
        can(&world, accounts.tables(), who, &asked(action, resource))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error("anna", "s3:GetObject", None),
        "the scan knows no principal `anna`; near to it: arn:aws:iam::111122223333:user/ana"
    );
    let unknown = error("ana", "s3:GetObjet", None);
    assert!(
        unknown.starts_with("AWS lists no action `s3:GetObjet`; near to it: s3:GetObject"),
        "{unknown}"
    );
    assert!(error("ana", "s4:GetObject", None).contains("near to it: s3:GetObject"));
    assert!(error("ana", "everything", None).contains("is no action"));
    assert!(error("ana", "s3:Get*", None).contains("is no action"));
    assert!(error("ana", "s3:GetObject", Some("bucket")).contains("is no resource"));
}

#[test]
fn lines_are_asked_of_the_accounts_or_of_their_own_policies() {
    let accounts = accounts();
    let world = accounts.world();
    let answer = |line: &Value| {
        answer_line(&accounts, &world, &line.to_string())
            .unwrap()
            .answer
    };
    assert_eq!(
        answer(&json!({"principal": "ana", "action": "ec2:RunInstances"})),
        Answer::Allowed
    );
    assert_eq!(
        answer(
            &json!({"principal": "arn:aws:iam::1:user/x", "action": "s3:GetObject",
            "resource": "arn:aws:s3:::b/k", "contextComplete": true, "identityPolicies":
            [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*",
              "Condition": {"StringEquals": {"aws:username": "x"}}}}]})
        ),
        Answer::Denied
    );
    assert_eq!(
        answer(
            &json!({"principal": "arn:aws:iam::1:user/x", "action": "s3:GetObject",
            "resource": "arn:aws:s3:::b/k", "identityPolicies": [],
            "resourcePolicy": {"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:user/x"},
                "Action": "s3:*", "Resource": "*"}}})
        ),
        Answer::Allowed
    );
    for line in [
        "",
        "[]",
        "{}",
        "{\"principal\": \"ana\", \"action\": \"s3:GetObject\", \"what\": 1}",
    ] {
        assert!(answer_line(&accounts, &world, line).is_err(), "{line}");
    }
}
