//! The Serverless Framework: one role for all functions, unless a function has its own, and when functions run.

use super::super::clean::clean;
use super::super::cloudformation;
use super::super::context::Context;
use super::super::node::Node;
use super::super::terraform::functions::node_value;
use super::cloud::Unit;
use super::draft::{Declared, Draft, Holder, Principal};
use super::value::{Val, later, open, shown};
use crate::model::{
    Consumer, ConsumerClass, ConsumerId, Declarations, Evidence, Federation, Grade,
    UNKNOWN_ACCOUNT, Uses,
};
use serde_json::json;

/// Whether a name is that of a service.
pub(in super::super) fn is_service(name: &str) -> bool {
    let stem = name
        .strip_suffix(".yml")
        .or_else(|| name.strip_suffix(".yaml"))
        .or_else(|| name.strip_suffix(".json"));
    stem.is_some_and(|stem| stem == "serverless" || stem.starts_with("serverless."))
}

/// Reads a service.
pub(in super::super) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    if let Some(resources) = root.get("resources") {
        if cloudformation::is_template(resources) {
            cloudformation::read(context, resources, "serverless", out);
        }
        for part in resources.items() {
            if cloudformation::is_template(part) {
                cloudformation::read(context, part, "serverless", out);
            }
        }
    }
    let Some((key, provider)) = root.entry("provider") else {
        return;
    };
    let aws = provider.as_str() == Some("aws") || provider.text_at(&["name"]) == Some("aws");
    if !aws {
        // Of other clouds the functions are known, not whom they run as.
        let cloud = provider
            .as_str()
            .or_else(|| provider.text_at(&["name"]))
            .unwrap_or_default();
        for (key, function) in root.get("functions").into_iter().flat_map(Node::entries) {
            let place = (key.line, key.column);
            consumer(
                context,
                provider,
                cloud,
                key.text.as_str(),
                place,
                function,
                Vec::new(),
                out,
            );
        }
        return;
    }
    let service = root
        .text_at(&["service"])
        .or_else(|| root.text_at(&["service", "name"]))
        .unwrap_or("service");
    let unit = Unit {
        repository: context.repository,
        tool: "serverless",
        name: context.uri,
    };
    let mut draft = Draft::new(UNKNOWN_ACCOUNT);
    let given = provider
        .text_at(&["iam", "role"])
        .or_else(|| provider.text_at(&["role"]));
    let shared = match given {
        Some(arn) => arn.starts_with("arn:").then(|| clean(arn)),
        None => Some(role(
            context,
            &mut draft,
            &unit,
            (key.line, key.column),
            service,
            provider,
        )),
    };
    for (key, function) in root.get("functions").into_iter().flat_map(Node::entries) {
        let mut roles: Vec<String> = shared.clone().into_iter().collect();
        if let Some(own) = function.text_at(&["role"]) {
            roles = own
                .starts_with("arn:")
                .then(|| clean(own))
                .into_iter()
                .collect();
        }
        let own = function.get("iamRoleStatements");
        if let Some(statements) = own {
            let address = format!("{}-role", key.text);
            let place = (key.line, key.column);
            let name = principal(context, &mut draft, place, &address, service);
            let document = statements_of(statements);
            let location = context.location(place.0, place.1);
            draft.inline(Holder::Role, &name, "function", &document, &location);
            roles = vec![unit.native(&address)];
        }
        consumer(
            context,
            provider,
            "aws",
            key.text.as_str(),
            (key.line, key.column),
            function,
            roles,
            out,
        );
    }
    if !draft.is_empty() {
        let (stack, issued) = draft.finish(unit.repository, unit.tool, unit.name);
        out.stacks.push(stack);
        out.issued.extend(issued);
    }
}

/// Texts with the framework's own variables marked as open.
fn resolved(value: Val) -> Val {
    match value {
        Val::Text(text) => Val::Text(variables(&text)),
        Val::List(items) => Val::list(items.iter().cloned().map(resolved).collect()),
        Val::Map(map) => {
            if map.len() == 1
                && let Some((name, argument)) = map.iter().next()
                && (name.starts_with("Fn::") || name == "Ref")
            {
                return Val::later(&argument.to_json().to_string());
            }
            Val::map(
                map.iter()
                    .map(|(key, value)| (key.clone(), resolved(value.clone())))
                    .collect(),
            )
        }
        other => other,
    }
}

fn variables(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        // Variables may stand in variables.
        let mut depth = 1_u32;
        let end = after.char_indices().find_map(|(at, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(at)
        });
        let Some(end) = end else {
            out.push_str("${");
            rest = after;
            continue;
        };
        let (name, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        match name {
            "aws:accountId" | "AWS::AccountId" => out.push_str(UNKNOWN_ACCOUNT),
            "aws:region" | "AWS::Region" => out.push('*'),
            "AWS::Partition" => out.push_str("aws"),
            name => out.push_str(&open(name)),
        }
        rest = tail.strip_prefix('}').unwrap_or(tail);
    }
    out.push_str(rest);
    out
}

fn statements_of(node: &Node) -> Val {
    Val::map(
        [
            ("Version".to_owned(), Val::text("2012-10-17")),
            ("Statement".to_owned(), resolved(node_value(node))),
        ]
        .into(),
    )
}

fn principal(
    context: &Context<'_>,
    draft: &mut Draft,
    place: (u32, u32),
    address: &str,
    service: &str,
) -> String {
    let name = later(address);
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"},
    }]});
    let mut role = Principal::named(Holder::Role, name.clone());
    role.trust = Val::from_json(&trust);
    role.max_session = Some(3_600);
    role.description = Some(format!(
        "functions of {}",
        clean(&shown(&variables(service)))
    ));
    let declared = Declared {
        address: address.to_owned(),
        location: context.location(place.0, place.1),
        open: None,
    };
    draft.principal(declared, role);
    name
}

/// The role that is made for all functions; returns what the inventory calls it.
fn role(
    context: &Context<'_>,
    draft: &mut Draft,
    unit: &Unit<'_>,
    place: (u32, u32),
    service: &str,
    provider: &Node,
) -> String {
    let address = "lambdaRole";
    let name = principal(context, draft, place, address, service);
    for path in [&["iam", "role", "statements"][..], &["iamRoleStatements"]] {
        if let Some(statements) = provider.path(path) {
            let location = context.location(statements.line, statements.column);
            draft.inline(
                Holder::Role,
                &name,
                "statements",
                &statements_of(statements),
                &location,
            );
        }
    }
    for path in [
        &["iam", "role", "managedPolicies"][..],
        &["iamManagedPolicies"],
    ] {
        for policy in provider.path(path).map(Node::items).unwrap_or_default() {
            if let Some(arn) = resolved(node_value(policy)).as_text() {
                let location = context.location(policy.line, policy.column);
                draft.attach(Holder::Role, &name, &arn, &location);
            }
        }
    }
    unit.native(address)
}

#[expect(clippy::too_many_arguments, reason = "what one function is made of")]
fn consumer(
    context: &Context<'_>,
    provider: &Node,
    cloud: &str,
    name: &str,
    place: (u32, u32),
    function: &Node,
    roles: Vec<String>,
    out: &mut Declarations,
) {
    let events = function.get("events").map(Node::items).unwrap_or_default();
    let schedules: Vec<String> = events
        .iter()
        .filter_map(|event| {
            let schedule = event.get("schedule")?;
            let rate = schedule.get("rate").unwrap_or(schedule);
            let texts: Vec<&str> = rate.texts().collect();
            Some(clean(&texts.join("; ")))
        })
        .collect();
    let scheduled = !events.is_empty() && schedules.len() == events.len();
    let timeout = function
        .get("timeout")
        .or_else(|| provider.get("timeout"))
        .and_then(Node::as_u64)
        // The framework's default.
        .or((cloud == "aws").then_some(6));
    let runtime = match cloud {
        "aws" => "lambda",
        "google" => "cloud-functions",
        "azure" => "azure-functions",
        _ => "serverless",
    };
    let name = format!("function {}", clean(name));
    out.consumers.push(Consumer {
        id: ConsumerId::of(&[runtime, context.repository, context.uri, &name]),
        class: if scheduled {
            ConsumerClass::Scheduled
        } else {
            ConsumerClass::Function
        },
        runtime: runtime.to_owned(),
        repository: Some(context.repository.to_owned()),
        identity: None,
        schedule: (!schedules.is_empty()).then(|| schedules.join("; ")),
        timeout_seconds: timeout,
        evidence: vec![Evidence::new(
            Grade::B,
            "a function of a Serverless service",
        )],
        federation: if cloud == "aws" {
            Federation::Configured
        } else {
            Federation::Unknown
        },
        uses: Uses {
            native_ids: roles,
            ..Uses::default()
        },
        risks: Vec::new(),
        location: Some(context.location(place.0, place.1)),
        environment: None,
        name,
    });
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{declared, shown};

    #[test]
    fn functions_share_the_role_of_their_service() {
        let out = declared(
            "api/serverless.yml",
            "service: orders\nprovider:\n  name: aws\n  timeout: 20\n  iam:\n    role:\n      statements:\n        - Effect: Allow\n          Action: [dynamodb:PutItem]\n          Resource: arn:aws:dynamodb:${aws:region}:${aws:accountId}:table/${self:custom.table}\nfunctions:\n  take: {handler: a.b, events: [{http: x}]}\n  sweep:\n    handler: a.c\n    timeout: 60\n    events: [{schedule: rate(1 hour)}]\n",
        );
        let role = &out.stacks[0].account.roles[0];
        assert_eq!(
            (role.name.as_str(), role.location.line),
            ("lambdaRole", Some(2))
        );
        let statement = &role.inline[0].document["Statement"][0];
        assert_eq!(
            statement["Resource"][0],
            format!(
                "arn:aws:dynamodb:*:000000000000:table/{}",
                crate::manifests::infra::value::open("self:custom.table")
            )
        );
        insta::assert_snapshot!(shown(&out), @"
        12:3 function take | - 20 s - | configured
            as serverless:shop/api/serverless.yml:lambdaRole
            B a function of a Serverless service
        13:3 function sweep | - 60 s rate(1 hour) | configured
            as serverless:shop/api/serverless.yml:lambdaRole
            B a function of a Serverless service
        ");
    }

    #[test]
    fn functions_of_other_clouds_are_known_without_their_role() {
        let out = declared(
            "serverless.yml",
            "service: a\nprovider: {name: google}\nfunctions:\n  first: {handler: http}\n",
        );
        let one = &out.consumers[0];
        assert_eq!(
            (one.runtime.as_str(), one.timeout_seconds),
            ("cloud-functions", None)
        );
        assert_eq!(one.location.as_ref().and_then(|place| place.line), Some(4));
    }
}
