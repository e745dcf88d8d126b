use super::*;
use crate::iam::Judge;
use crate::iam::context::Context;
use crate::iam::expand::{Held, Holder};
use crate::iam::policy::Policy;
use crate::model::aws::{AwsAccount, AwsInlinePolicy, AwsRole};
use crate::model::{LastUse, Location, SmallerPolicy};
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

static TABLES: LazyLock<AwsTables> = LazyLock::new(|| AwsTables::builtin().unwrap());

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn role(documents: &[Value], services: AwsServiceUse) -> AwsRole {
    AwsRole {
        name: "app".into(),
        path: "/".into(),
        arn: "arn:aws:iam::111122223333:role/app".into(),
        unique_id: "AROAEXAMPLE".into(),
        description: None,
        created_at: Some(at("2024-01-01T00:00:00Z")),
        trust: Value::Null,
        inline: documents
            .iter()
            .enumerate()
            .map(|(number, document)| AwsInlinePolicy {
                name: format!("p{number}"),
                document: document.clone(),
            })
            .collect(),
        attached: Vec::new(),
        boundary: None,
        max_session_seconds: None,
        last_use: LastUse::Unknown,
        instance_profiles: Vec::new(),
        tags: BTreeMap::new(),
        services: Some(services),
        location: Location::file("aws/111122223333", "details.json", 1, 1),
    }
}

/// Services granted; of them those used; actions the records tell of, those used marked `!`.
fn records(granted: &[&str], used: &[&str], actions: &[&str]) -> AwsServiceUse {
    let plain = |action: &&str| action.trim_end_matches('!').to_owned();
    AwsServiceUse {
        granted: granted.iter().map(|one| (*one).to_owned()).collect(),
        used: used
            .iter()
            .map(|one| ((*one).to_owned(), at("2026-09-01T00:00:00Z")))
            .collect(),
        actions: actions
            .iter()
            .filter(|one| one.ends_with('!'))
            .map(plain)
            .collect(),
        tracked: actions.iter().map(plain).collect(),
        asked_at: Some(at("2026-10-01T00:00:00Z")),
        truncated: false,
    }
}

fn usage(role: &AwsRole) -> PermissionUse {
    let account = AwsAccount {
        account_id: "111122223333".into(),
        roles: vec![role.clone()],
        ..AwsAccount::default()
    };
    let own = BTreeSet::new();
    Judge::new(&account, &TABLES, &own)
        .use_of_role(role)
        .unwrap()
}

fn allow(action: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Main", "Effect": "Allow", "Action": action, "Resource": "*",
         "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}]})
}

fn actions(policy: &SmallerPolicy) -> Vec<String> {
    let list = &policy.documents[0]["Statement"][0]["Action"];
    serde_json::from_value(list.clone()).unwrap()
}

#[test]
fn what_was_used_or_is_not_tracked_stays_and_the_statement_keeps_its_rest() {
    let document = allow(&json!([
        "s3:GetBucketPolicy",
        "s3:PutBucketPolicy",
        "s3:GetObject",
        "sqs:*",
        "dynamodb:*",
        "iam:PassRole"
    ]));
    let services = records(
        &["s3", "sqs", "dynamodb", "iam"],
        &["s3", "dynamodb"],
        &["s3:GetBucketPolicy!", "s3:PutBucketPolicy"],
    );
    let found = usage(&role(&[document], services));
    // Data events are not tracked, of DynamoDB only the service is, and PassRole shows in no record.
    assert_eq!(
        actions(&found.smaller[0]),
        [
            "s3:GetBucketPolicy",
            "s3:GetObject",
            "dynamodb:*",
            "iam:PassRole"
        ]
    );
    let statement = &found.smaller[0].documents[0]["Statement"][0];
    assert_eq!(statement["Sid"], "Main");
    assert_eq!(
        statement["Condition"]["StringEquals"]["aws:RequestedRegion"],
        "eu-west-1"
    );
    assert_eq!(found.smaller[0].removed_services, ["sqs"]);
    assert_eq!(
        found.smaller[0].removed_actions["permissions-management"],
        ["s3:PutBucketPolicy"]
    );
    assert_eq!(found.services_used, ["dynamodb", "s3"]);
    assert_eq!(found.services_unused, ["sqs"]);
    assert_eq!(found.services_without_actions, ["dynamodb"]);
    assert_eq!(found.services_untracked, ["iam"]);
    assert_eq!(found.statements[0].statement, "statement `Main`");
    assert_eq!(
        found.unused_share(),
        Some(found.actions_unused * 100 / found.actions_granted)
    );
}

#[test]
fn a_principal_that_is_too_young_has_nothing_unused() {
    let mut young = role(&[allow(&json!("s3:*"))], records(&["s3"], &[], &[]));
    young.created_at = Some(at("2026-09-20T00:00:00Z"));
    let found = usage(&young);
    assert!(found.too_early.is_some());
    assert_eq!((found.actions_unused, found.smaller.len()), (0, 0));
    assert_eq!(found.unused_share(), None);
    young.created_at = None;
    assert!(usage(&young).too_early.is_some());
}

#[test]
fn services_the_records_leave_out_are_unknown() {
    let found = usage(&role(
        &[allow(&json!(["s3:*", "sqs:*"]))],
        records(&["s3"], &["s3"], &[]),
    ));
    assert_eq!(found.services_untracked, ["sqs"]);
    assert_eq!(found.smaller, []);
    assert_eq!(found.actions_unused, 0);
}

#[test]
fn everything_but_a_few_becomes_what_is_used() {
    let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "NotAction": ["iam:*", "s3:Delete*"], "Resource": "*"}});
    let every: Vec<&str> = TABLES.actions.services().map(|(name, _)| name).collect();
    let found = usage(&role(
        &[document],
        records(&every, &["s3", "newservice"], &[]),
    ));
    let kept = actions(&found.smaller[0]);
    assert!(kept.contains(&"s3:GetObject".to_owned()));
    assert!(kept.contains(&"newservice:*".to_owned()));
    assert!(
        !kept
            .iter()
            .any(|name| name.starts_with("iam:") || name.starts_with("s3:Delete"))
    );
}

#[test]
fn a_policy_changed_of_late_and_one_with_denies_only_stay() {
    let deny = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::secret/*"},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]});
    let found = usage(&role(&[deny], records(&["s3", "sqs"], &["s3"], &[])));
    let left = &found.smaller[0].documents[0]["Statement"];
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["Effect"], "Deny");
}

#[test]
fn what_does_not_fit_is_cut_and_says_where_it_belongs() {
    let names: Vec<String> = ["ec2", "rds", "iam", "sagemaker"]
        .iter()
        .flat_map(|service| {
            let range = TABLES.actions.service(service).unwrap().clone();
            range.filter_map(|index| TABLES.actions.name_of(index))
        })
        .collect();
    // Every other action was used, so that no wildcard fits.
    let marked: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(number, name)| {
            if number % 2 == 0 {
                format!("{name}!")
            } else {
                name.clone()
            }
        })
        .collect();
    let marked: Vec<&str> = marked.iter().map(String::as_str).collect();
    let services = ["ec2", "rds", "iam", "sagemaker"];
    let found = usage(&role(
        &[allow(&json!(["ec2:*", "rds:*", "iam:*", "sagemaker:*"]))],
        records(&services, &services, &marked),
    ));
    let smaller = &found.smaller[0];
    assert_eq!(smaller.form, "managed");
    assert!(smaller.documents.len() > 1);
    assert!(
        smaller.sizes.iter().all(|size| *size <= 6_144),
        "{:?}",
        smaller.sizes
    );
    let sids: BTreeSet<String> = smaller
        .documents
        .iter()
        .flat_map(|document| document["Statement"].as_array().unwrap())
        .map(|statement| statement["Sid"].to_string())
        .collect();
    let count: usize = smaller
        .documents
        .iter()
        .map(|document| document["Statement"].as_array().unwrap().len())
        .sum();
    assert_eq!(sids.len(), count);
}

const ACTIONS: [&str; 12] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListAllMyBuckets",
    "s3:PutBucketPolicy",
    "sqs:SendMessage",
    "sqs:DeleteQueue",
    "iam:PassRole",
    "iam:CreateUser",
    "iam:ListUsers",
    "ec2:RunInstances",
    "ec2:DescribeInstances",
    "kms:Decrypt",
];

const RESOURCES: [&str; 6] = [
    "arn:aws:s3:::b/key",
    "arn:aws:s3:::b",
    "arn:aws:sqs:eu-west-1:111122223333:q",
    "arn:aws:iam::111122223333:role/x",
    "arn:aws:iam::111122223333:user/x",
    "*",
];

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(ACTIONS.to_vec()).prop_map(str::to_owned),
        proptest::sample::select(vec![
            "*",
            "s3:*",
            "s3:Get*",
            "s3:*Bucket*",
            "sqs:*",
            "iam:*",
            "iam:List*",
            "ec2:*",
            "ec2:Describe*",
            "kms:*",
            "new:*",
            "newer:Thing",
            "*:Get*",
            "s3:Put?bject",
        ])
        .prop_map(str::to_owned),
    ]
}

fn statement() -> impl Strategy<Value = Value> {
    (
        prop::collection::vec(pattern(), 1..4),
        prop::collection::vec(
            proptest::sample::select(vec!["*", "arn:aws:s3:::b/*", "arn:aws:s3:::*", "arn:aws:sqs:*:*:q", "arn:aws:iam::*:role/*"]),
            1..3,
        ),
        any::<bool>(),
        proptest::bool::weighted(0.2),
        proptest::bool::weighted(0.2),
        proptest::bool::weighted(0.3),
    )
        .prop_map(|(actions, resources, not_action, deny, not_resource, condition)| {
            let mut out = json!({"Effect": if deny { "Deny" } else { "Allow" }});
            out[if not_action { "NotAction" } else { "Action" }] = json!(actions);
            out[if not_resource { "NotResource" } else { "Resource" }] = json!(resources);
            if condition {
                out["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}, "StringLike": {"aws:SourceVpc": "vpc-1"}});
            }
            out
        })
}

/// Whether documents let each action through on each resource: not, or under these conditions.
fn decided(documents: &[Value]) -> Vec<Option<Vec<String>>> {
    let policies: Vec<CompiledPolicy> = documents
        .iter()
        .map(|document| CompiledPolicy::new(Policy::parse(document), &TABLES.actions))
        .collect();
    let holder = Holder {
        held: policies
            .iter()
            .map(|policy| Held {
                label: "policy".into(),
                policy,
            })
            .collect(),
        limits: Vec::new(),
        context: Context::default(),
    };
    let effective = Effective::of(&holder, &TABLES.actions);
    let decide = |action: &str, resource: &str| {
        let index = TABLES.actions.index_of(action).unwrap();
        effective
            .grip(index, resource, &Context::default())
            .map(|grip| grip.depends_on)
    };
    ACTIONS
        .iter()
        .flat_map(|action| RESOURCES.iter().map(|resource| decide(action, resource)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn smaller_policies_keep_what_is_used_and_give_nothing_new(
        statements in prop::collection::vec(statement(), 1..4),
        listed in prop::collection::btree_set(proptest::sample::select(vec!["s3", "sqs", "iam", "ec2", "kms", "new"]), 0..6),
        used in prop::collection::btree_set(proptest::sample::select(vec!["s3", "sqs", "iam", "ec2", "kms", "new"]), 0..4),
        tracked in prop::collection::btree_set(proptest::sample::select(ACTIONS.to_vec()), 0..8),
        called in prop::collection::btree_set(proptest::sample::select(ACTIONS.to_vec()), 0..4),
    ) {
        let listed: Vec<&str> = listed.union(&used).copied().collect();
        let service = |action: &str| action.split(':').next().unwrap().to_owned();
        let used: Vec<&str> = used.into_iter().collect();
        let mut actions: Vec<String> = Vec::new();
        for action in &tracked {
            let of_used = used.contains(&service(action).as_str());
            if listed.contains(&service(action).as_str()) {
                actions.push(if of_used && called.contains(action) { format!("{action}!") } else { (*action).to_owned() });
            }
        }
        let marked: Vec<&str> = actions.iter().map(String::as_str).collect();
        let old = json!({"Version": "2012-10-17", "Statement": statements});
        let services = records(&listed, &used, &marked);
        let found = usage(&role(std::slice::from_ref(&old), services.clone()));
        let new: Vec<Value> = match found.smaller.first() {
            Some(smaller) => smaller.documents.clone(),
            None => vec![old.clone()],
        };
        let record = Record::of(&services, &TABLES);
        let (before, after) = (decided(std::slice::from_ref(&old)), decided(&new));
        let asked = ACTIONS.iter().flat_map(|action| RESOURCES.iter().map(move |resource| (action, resource)));
        for ((action, resource), (before, after)) in asked.zip(before.iter().zip(&after)) {
            let index = TABLES.actions.index_of(action).unwrap();
            if record.unused().contains(index) && !found.smaller.is_empty() {
                prop_assert_eq!(after, &None, "{} on {} was not used", action, resource);
            } else {
                prop_assert_eq!(after, before, "{} on {} has to stay", action, resource);
            }
        }
        for smaller in &found.smaller {
            prop_assert!(smaller.sizes.iter().all(|size| *size <= 10_240));
        }
    }
}
