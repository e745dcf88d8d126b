//! Task definitions of ECS as files of their own: what `aws ecs register-task-definition` takes, and what
//! `describe-task-definition` writes.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::cloud::Unit;
use super::draft::Declared;
use super::item::Item;
use super::value::Val;
use super::workloads;
use crate::model::{Declarations, UNKNOWN_ACCOUNT};
use serde_json::Value;
use std::collections::BTreeMap;

/// List of the containers.
const CONTAINERS: &str = "containerDefinitions";

/// Whether a text may be one.
pub(in crate::manifests) fn interesting(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, CONTAINERS.as_bytes()).is_some()
}

/// Whether a document is one: containers with images.
pub(in crate::manifests) fn is_definition(root: &Node) -> bool {
    definition(root)
        .get(CONTAINERS)
        .is_some_and(|list| list.items().iter().any(|one| one.get("image").is_some()))
}

fn definition(root: &Node) -> &Node {
    root.get("taskDefinition")
        .filter(|inner| inner.is_map())
        .unwrap_or(root)
}

/// Reads it.
pub(in crate::manifests) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let Ok(whole) = serde_json::from_str::<Value>(context.text.as_str()) else {
        return;
    };
    let json = whole
        .get("taskDefinition")
        .filter(|inner| inner.is_object())
        .unwrap_or(&whole);
    let of = |name: &str| json.get(name).map_or(Val::Null, Val::from_json);
    let family = json.get("family").and_then(Value::as_str);
    let address = family.map_or_else(
        || "task definition".to_owned(),
        |family| format!("task definition {}", clean(family)),
    );
    let attributes = [
        ("task_role_arn", "taskRoleArn"),
        ("execution_role_arn", "executionRoleArn"),
        ("container_definitions", CONTAINERS),
    ]
    .map(|(name, theirs)| (name.to_owned(), of(theirs)));
    let unit = Unit {
        repository: context.repository,
        tool: "a task definition",
        name: context.uri,
    };
    let item = Item {
        kind: "aws_ecs_task_definition".to_owned(),
        declared: Declared {
            address,
            location: context.location(definition(root).line, 1),
            open: None,
        },
        attributes: Val::map(BTreeMap::from(attributes)),
        account: UNKNOWN_ACCOUNT.to_owned(),
    };
    workloads::add(&unit, context.tables, &[item], out);
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::manifests::testing::shown;
    use crate::model::FingerprintKey;

    #[test]
    fn a_task_definition_of_its_own_is_what_uses_its_secrets() {
        let key = FingerprintKey::new([7; 32]);
        let plain = r#"{"family": "invoices", "taskRoleArn": "arn:aws:iam::111122223333:role/invoices",
            "containerDefinitions": [{"name": "app", "image": "invoices:1",
              "environment": [{"name": "LEVEL", "value": "info"}],
              "secrets": [{"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/key"}]}]}"#;
        let described = format!("{{\"taskDefinition\": {plain}, \"tags\": []}}");
        let told = |text: &str| {
            let out = read("shop", "deploy/invoices.json", text.as_bytes(), &key);
            shown(&out.unwrap())
        };
        insta::assert_snapshot!(told(plain), @"
        1:1 task definition invoices | - - - | configured
            as arn:aws:iam::111122223333:role/invoices
            1:1 secrets-manager AWS_SECRET_ACCESS_KEY (aws-access-key)
            B task definition invoices is declared in a task definition
        ");
        assert_eq!(told(&described), told(plain));
        let other = r#"{"containerDefinitions": [{"name": "no image"}]}"#;
        assert!(read("shop", "a.json", other.as_bytes(), &key).is_none());
    }
}
