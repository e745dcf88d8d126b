//! The documented policies against the calls the program makes, judged by its own evaluator.

use overstay::iam::caller::Caller;
use overstay::iam::compile::CompiledPolicy;
use overstay::iam::context::Context;
use overstay::iam::decide::{Answer, decide};
use overstay::iam::layers::{Given, Labelled, Layers};
use overstay::iam::policy::Policy;
use overstay::iam::request::Request;
use overstay::rules::aws::AwsTables;
use overstay::sources::aws::live::Call;
use serde_json::Value;
use std::collections::BTreeSet;

/// The JSON blocks of docs/aws-permissions.md, in order.
fn documented() -> Vec<Value> {
    let page = include_str!("../../../docs/aws-permissions.md");
    page.split("```json\n")
        .skip(1)
        .map(|rest| serde_json::from_str(rest.split("```").next().unwrap()).unwrap())
        .collect()
}

/// The account whose reader assumes roles.
const HOME: &str = "111122223333";
const READER: &str = "arn:aws:iam::111122223333:role/security-audit";

struct Judge {
    tables: AwsTables,
    reader: Caller,
}

impl Judge {
    fn of(&self, document: &Value) -> CompiledPolicy {
        let compiled = CompiledPolicy::new(Policy::parse(document), &self.tables.actions);
        assert!(compiled.notices.is_empty(), "{:?}", compiled.notices);
        compiled
    }

    /// Whether a policy of the reader lets it do something, granted by a statement.
    fn allows(&self, policy: &CompiledPolicy, action: &str, resource: &str) -> bool {
        let context = Context::default();
        let request = Request::new(&self.reader, action, resource, HOME, &context, &self.tables);
        let layers = Layers {
            identity: vec![Labelled::new("documented", policy)],
            ..Layers::default()
        };
        let verdict = decide(&request, &layers);
        verdict.answer == Answer::Allowed
    }

    /// Whether the reader becomes a role with this trust policy in another account.
    fn becomes(&self, policy: &CompiledPolicy, trust: &CompiledPolicy, id: Option<&str>) -> bool {
        let mut context = Context::of_request();
        if let Some(id) = id {
            context.set("sts:ExternalId", id);
        }
        let role = "arn:aws:iam::444455556666:role/overstay";
        let action = Call::AssumeRole.permission();
        let request = Request::new(
            &self.reader,
            action,
            role,
            "444455556666",
            &context,
            &self.tables,
        );
        let layers = Layers {
            identity: vec![Labelled::new("documented", policy)],
            resource: Given::Known(Labelled::new("trust", trust)),
            ..Layers::default()
        };
        decide(&request, &layers).answer == Answer::Allowed
    }
}

#[test]
fn the_documented_policy_allows_every_call_and_nothing_else() {
    let judge = Judge {
        tables: AwsTables::builtin().unwrap(),
        reader: Caller::parse(READER).unwrap(),
    };
    let documents = documented();
    let [reading, assuming, trust] = documents.as_slice() else {
        panic!("three policies are documented, not {}", documents.len())
    };
    let read = judge.of(reading);
    let nothing = CompiledPolicy::default();
    let needed: BTreeSet<&str> = Call::ALL
        .iter()
        .filter(|call| **call != Call::AssumeRole)
        .map(|call| call.permission())
        .collect();
    let actions = &judge.tables.actions;
    for action in &needed {
        assert!(
            actions.index_of(action).is_some(),
            "{action} is no action AWS lists"
        );
        assert!(judge.allows(&read, action, "*"), "{action} is not allowed");
    }
    let mut granted = BTreeSet::new();
    for index in actions.all().iter() {
        let action = actions.name_of(index).unwrap();
        // What everybody may do is not granted by a policy.
        if judge.allows(&read, &action, "*") && !judge.allows(&nothing, &action, "*") {
            granted.insert(action.to_ascii_lowercase());
        }
    }
    let needed: BTreeSet<String> = needed
        .iter()
        .filter(|action| !judge.allows(&nothing, action, "*"))
        .map(|action| action.to_ascii_lowercase())
        .collect();
    assert!(needed.len() > 30);
    assert_eq!(granted, needed);

    let assume = judge.of(assuming);
    assert!(judge.allows(&assume, Call::ListAccounts.permission(), "*"));
    assert!(!judge.allows(&assume, "iam:ListUsers", "*"));
    let trusting = CompiledPolicy::of_resource(Policy::parse(trust), actions);
    let id = trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"].as_str();
    assert!(id.is_some() && judge.becomes(&assume, &trusting, id));
    assert!(!judge.becomes(&assume, &trusting, Some("another")));
    assert!(!judge.becomes(&assume, &trusting, None));
    assert!(!judge.becomes(&read, &trusting, id));
}
