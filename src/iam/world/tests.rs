use super::*;
use crate::iam::decide::Answer;
use crate::iam::testing::{place, policy, role, user};
use crate::model::aws::{
    AwsAttached, AwsControlLevel, AwsControlPolicy, AwsGroup, AwsPolicy, AwsPublicAccessBlock,
    AwsResource,
};
use serde_json::json;
use std::sync::LazyLock;

static TABLES: LazyLock<AwsTables> = LazyLock::new(|| AwsTables::builtin().unwrap());

const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";

fn account(id: &str, users: Vec<AwsUser>, roles: Vec<AwsRole>) -> AwsAccount {
    let mut account = AwsAccount {
        account_id: id.into(),
        users,
        roles,
        ..AwsAccount::default()
    };
    account.parts.authorization_details = true;
    account
}

fn resource(arn: &str, document: Value) -> AwsResource {
    AwsResource {
        arn: arn.into(),
        policy: document,
        location: place(),
    }
}

fn control(name: &str, statements: &Value) -> AwsControlPolicy {
    AwsControlPolicy {
        id: format!("p-{name}"),
        name: name.into(),
        document: policy(statements),
    }
}

fn all() -> Value {
    json!({"Effect": "Allow", "Action": "*", "Resource": "*"})
}

fn ask(accounts: &[AwsAccount], who: &str, action: &str, resource: &str) -> Reply {
    let world = World::new(accounts, &TABLES);
    let caller = world.find(who).unwrap();
    world.ask(
        &caller,
        &Question {
            action,
            resource,
            account: None,
            context: &Context::default(),
            given: &GivenPolicies::default(),
        },
    )
}

fn answer(accounts: &[AwsAccount], who: &str, action: &str, resource: &str) -> Answer {
    ask(accounts, who, action, resource).answer
}

#[test]
fn the_statement_and_the_group_that_decided_are_told() {
    let mut ana = user(OWN, "ana", &json!([]));
    ana.groups = vec!["devs".into()];
    let mut account = account(OWN, vec![ana], Vec::new());
    account.groups = vec![AwsGroup {
        name: "devs".into(),
        arn: format!("arn:aws:iam::{OWN}:group/devs"),
        inline: Vec::new(),
        attached: vec![AwsAttached {
            name: "read".into(),
            arn: format!("arn:aws:iam::{OWN}:policy/read"),
        }],
        location: place(),
    }];
    account.policies = vec![AwsPolicy {
        name: "read".into(),
        arn: format!("arn:aws:iam::{OWN}:policy/read"),
        document: policy(&json!([
            {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"},
            {"Sid": "Objects", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}])),
        versions: 1,
        updated_at: None,
        others: Vec::new(),
        location: place(),
    }];
    let reply = ask(&[account], "ana", "s3:GetObject", "arn:aws:s3:::b/k");
    assert_eq!(reply.answer, Answer::Allowed);
    let [reason] = reply.because.as_slice() else {
        panic!("{:?}", reply.because)
    };
    assert_eq!(
        (
            reason.layer,
            reason.policy.as_str(),
            reason.sid.as_deref(),
            reason.index
        ),
        (
            "identity",
            "group `devs`, policy `read`",
            Some("Objects"),
            1
        )
    );
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let own = account(
        OWN,
        vec![user(OWN, "ana", &all()), user(OWN, "eve", &json!([]))],
        Vec::new(),
    );
    let mut other = account(OTHER, Vec::new(), Vec::new());
    other.resources = vec![
        resource(
            "arn:aws:s3:::shared",
            policy(
                &json!({"Effect": "Allow", "Principal": {"AWS": OWN}, "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::shared/*"}),
            ),
        ),
        resource("arn:aws:s3:::closed", Value::Null),
    ];
    let accounts = [own, other];
    let get = |who, bucket: &str| {
        answer(
            &accounts,
            who,
            "s3:GetObject",
            &format!("arn:aws:s3:::{bucket}/k"),
        )
    };
    assert_eq!(get("ana", "shared"), Answer::Allowed);
    assert_eq!(get("eve", "shared"), Answer::Denied);
    assert_eq!(get("ana", "closed"), Answer::Denied);
    // Of a queue of an account nobody has seen, nobody knows the policy.
    assert_eq!(
        answer(
            &accounts,
            "ana",
            "sqs:SendMessage",
            "arn:aws:sqs:eu-west-1:777788889999:q"
        ),
        Answer::DependsOn
    );
    assert_eq!(
        answer(
            &accounts,
            "eve",
            "sqs:SendMessage",
            "arn:aws:sqs:eu-west-1:777788889999:q"
        ),
        Answer::Denied
    );
}

#[test]
fn a_key_nobody_has_seen_the_policy_of_is_not_allowed_for_certain() {
    let mut own = account(OWN, vec![user(OWN, "ana", &all())], Vec::new());
    let key = format!("arn:aws:kms:eu-west-1:{OWN}:key/1");
    let reply = ask(std::slice::from_ref(&own), "ana", "kms:Decrypt", &key);
    assert_eq!(reply.answer, Answer::DependsOn);
    assert_eq!(reply.notes, [format!("the policy of {key}")]);
    own.resources = vec![resource(
        &key,
        policy(
            &json!({"Effect": "Allow", "Principal": {"AWS": OWN}, "Action": "kms:*", "Resource": "*"}),
        ),
    )];
    assert_eq!(
        answer(std::slice::from_ref(&own), "ana", "kms:Decrypt", &key),
        Answer::Allowed
    );
    // Keys were delivered, and this one is not among them.
    let other = format!("arn:aws:kms:eu-west-1:{OWN}:key/2");
    assert_eq!(answer(&[own], "ana", "kms:Decrypt", &other), Answer::Denied);
}

#[test]
fn roles_are_assumed_by_whom_they_trust() {
    let trusts = |principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    let own = account(
        OWN,
        vec![user(OWN, "ana", &all()), user(OWN, "eve", &json!([]))],
        vec![
            role(OWN, "delegated", &trusts(json!({"AWS": OWN})), &json!([])),
            role(
                OWN,
                "named",
                &trusts(json!({"AWS": format!("arn:aws:iam::{OWN}:user/eve")})),
                &json!([]),
            ),
            role(
                OWN,
                "lambda",
                &trusts(json!({"Service": "lambda.amazonaws.com"})),
                &json!([]),
            ),
        ],
    );
    let accounts = [own];
    let assume = |who: &str, role: &str| {
        answer(
            &accounts,
            who,
            "sts:AssumeRole",
            &format!("arn:aws:iam::{OWN}:role/{role}"),
        )
    };
    assert_eq!(assume("ana", "delegated"), Answer::Allowed);
    assert_eq!(assume("eve", "delegated"), Answer::Denied);
    assert_eq!(assume("ana", "named"), Answer::Denied);
    assert_eq!(assume("eve", "named"), Answer::Allowed);
    assert_eq!(assume("ana", "lambda"), Answer::Denied);
    assert_eq!(assume("lambda.amazonaws.com", "lambda"), Answer::Allowed);
    assert_eq!(assume("ec2.amazonaws.com", "lambda"), Answer::Denied);
    assert_eq!(assume("ana", "gone"), Answer::Denied);
}

#[test]
fn every_level_of_the_organization_must_allow() {
    let mut own = account(OWN, vec![user(OWN, "ana", &all())], Vec::new());
    let level = |target: &str, policies: Vec<AwsControlPolicy>| AwsControlLevel {
        target: target.into(),
        policies,
    };
    let levels = vec![
        level("r-1", vec![control("FullAWSAccess", &all())]),
        level(
            OWN,
            vec![control(
                "only-s3",
                &json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
            )],
        ),
    ];
    own.membership = Some(AwsMembership {
        organization: "o-1".into(),
        path: vec!["r-1".into(), OWN.into()],
        service_control: Some(levels),
        ..AwsMembership::default()
    });
    let accounts = [own.clone()];
    let reply = ask(&accounts, "ana", "ec2:RunInstances", "*");
    assert_eq!(
        (reply.answer, reply.blocked_by.as_slice()),
        (Answer::Denied, &["scp"][..])
    );
    assert_eq!(
        answer(&accounts, "ana", "s3:GetObject", "arn:aws:s3:::b/k"),
        Answer::Allowed
    );
    // The root user is limited too; the account that manages the organization is not.
    let root = format!("arn:aws:iam::{OWN}:root");
    assert_eq!(
        answer(&accounts, &root, "ec2:RunInstances", "*"),
        Answer::Denied
    );
    own.membership.as_mut().unwrap().management = true;
    assert_eq!(
        answer(&[own], "ana", "ec2:RunInstances", "*"),
        Answer::Allowed
    );
}

#[test]
fn resource_control_reaches_callers_of_other_accounts() {
    let own = account(OWN, vec![user(OWN, "ana", &all())], Vec::new());
    let mut other = account(OTHER, Vec::new(), Vec::new());
    other.resources = vec![resource(
        "arn:aws:s3:::b",
        policy(
            &json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}),
        ),
    )];
    other.membership = Some(AwsMembership {
        organization: "o-2".into(),
        resource_control: Some(vec![AwsControlLevel {
            target: OTHER.into(),
            policies: vec![control(
                "perimeter",
                &json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
                    "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-2"},
                                  "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}),
            )],
        }]),
        ..AwsMembership::default()
    });
    let mut accounts = [own, other];
    // Nobody knows whether the caller belongs to the organization.
    assert_eq!(
        answer(&accounts, "ana", "s3:GetObject", "arn:aws:s3:::b/k"),
        Answer::DependsOn
    );
    accounts[0].membership = Some(AwsMembership {
        organization: "o-9".into(),
        ..AwsMembership::default()
    });
    let reply = ask(&accounts, "ana", "s3:GetObject", "arn:aws:s3:::b/k");
    assert_eq!((reply.answer, reply.explicit), (Answer::Denied, true));
    assert_eq!(reply.because[0].layer, "rcp");
    assert_eq!(
        answer(&accounts, "*", "s3:GetObject", "arn:aws:s3:::b/k"),
        Answer::Denied
    );
    assert_eq!(
        answer(
            &accounts,
            "logging.s3.amazonaws.com",
            "s3:GetObject",
            "arn:aws:s3:::b/k"
        ),
        Answer::Allowed
    );
}

#[test]
fn a_block_of_public_access_takes_from_a_public_policy_all_but_services_and_the_owner() {
    let open = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"});
    let named = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{OWN}:user/ana")},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"});
    let network = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
        "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}});
    let answers = |statements: &Value, restrict: bool| {
        let own = account(OWN, vec![user(OWN, "ana", &all())], Vec::new());
        let mut other = account(OTHER, vec![user(OTHER, "bob", &json!([]))], Vec::new());
        other.resources = vec![resource("arn:aws:s3:::b", policy(statements))];
        other.public_access_blocks = vec![AwsPublicAccessBlock {
            bucket: Some("b".into()),
            ignore_acls: false,
            restrict,
        }];
        let accounts = [own, other];
        ["*", "ana", "bob", "logging.s3.amazonaws.com"]
            .map(|who| answer(&accounts, who, "s3:GetObject", "arn:aws:s3:::b/k"))
    };
    use Answer::{Allowed, Denied, DependsOn};
    assert_eq!(answers(&open, false), [Allowed; 4]);
    assert_eq!(answers(&open, true), [Denied, Denied, Allowed, Allowed]);
    // Not public: the block has nothing to take away.
    assert_eq!(answers(&named, true), [Denied, Allowed, Denied, Denied]);
    assert_eq!(answers(&network, true), [DependsOn; 4]);
    assert_eq!(
        answers(&json!([open, named]), true),
        [Denied, Denied, Allowed, Allowed]
    );
}

#[test]
fn callers_are_found_by_any_of_their_names() {
    let accounts = [
        account(OWN, vec![user(OWN, "deployer", &json!([]))], Vec::new()),
        account(
            OTHER,
            vec![user(OTHER, "twin", &json!([]))],
            vec![role(OTHER, "twin", &json!([]), &json!([]))],
        ),
    ];
    let world = World::new(&accounts, &TABLES);
    for text in [
        "deployer",
        "AIDAdeployer",
        "arn:aws:iam::111122223333:user/deployer",
    ] {
        assert_eq!(world.find(text).unwrap().name, "deployer", "{text}");
    }
    assert_eq!(
        world.find("deploier"),
        Err(NotFound::Nobody(vec![
            "arn:aws:iam::111122223333:user/deployer".into()
        ]))
    );
    assert!(matches!(world.find("twin"), Err(NotFound::Several(list)) if list.len() == 2));
    assert_eq!(
        world.find("arn:aws:iam::111122223333:user/nobody-like-that"),
        Err(NotFound::Nobody(Vec::new()))
    );
}
