//! Resources of IAM, and what runs as its roles.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::infra::cloud::Unit;
use super::super::infra::draft::{Draft, Holder, Principal};
use super::super::infra::issued::{self, Issued};
use super::super::infra::names::iam_arn;
use super::super::infra::value::{Val, later, shown};
use super::Resource;
use crate::model::{
    Consumer, ConsumerClass, ConsumerId, CredentialStatus, Declarations, Evidence, Federation,
    Grade, UNKNOWN_ACCOUNT, Uses,
};
use std::collections::BTreeMap;

/// Whether a type is read.
pub(super) fn interesting(kind: &str) -> bool {
    kind.starts_with("AWS::IAM::") || kind.starts_with("AWS::Serverless::") || runs(kind).is_some()
}

fn get(resource: &Resource<'_>, name: &str) -> Val {
    resource.properties.get(name)
}

fn text(value: &Val, name: &str) -> Option<String> {
    value.get(name).as_text().filter(|text| !text.is_empty())
}

fn texts(value: &Val, name: &str) -> Vec<String> {
    let value = value.get(name);
    match value.items() {
        Some(items) => items.iter().filter_map(Val::as_text).collect(),
        None => value.as_text().into_iter().collect(),
    }
}

/// Tags as a list of keys and values, or as a mapping.
pub(super) fn tags(value: &Val) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    match value {
        Val::Map(_) => super::super::infra::item::known_entries(value, &mut tags),
        other => {
            for tag in other.items().unwrap_or_default() {
                if let (Some(key), Some(value)) =
                    (tag.get("Key").known_text(), tag.get("Value").known_text())
                {
                    tags.insert(clean(&key), clean(&value));
                }
            }
        }
    }
    tags
}

/// Adds a resource to the account.
pub(super) fn add(draft: &mut Draft, resource: &Resource<'_>) {
    let place = &resource.declared.location;
    let all = &resource.properties;
    match resource.kind {
        "AWS::IAM::Role" => {
            principal(draft, resource, Holder::Role, "RoleName");
        }
        "AWS::IAM::User" => {
            let name = principal(draft, resource, Holder::User, "UserName");
            for group in texts(all, "Groups") {
                draft.member(&name, &group, place);
            }
            if !get(resource, "LoginProfile").is_null() {
                draft.password(&name, place);
            }
        }
        "AWS::IAM::Group" => {
            principal(draft, resource, Holder::Group, "GroupName");
        }
        "AWS::IAM::ManagedPolicy" => {
            let name = text(all, "ManagedPolicyName").unwrap_or_else(|| later(resource.name));
            let path = text(all, "Path").unwrap_or_else(|| "/".to_owned());
            let arn = iam_arn(UNKNOWN_ACCOUNT, "policy", &path, &name);
            draft.policy(&arn, &name, &get(resource, "PolicyDocument"), place);
            for (holder, target) in targets(all) {
                draft.attach(holder, &target, &arn, place);
            }
        }
        "AWS::IAM::Policy"
        | "AWS::IAM::RolePolicy"
        | "AWS::IAM::UserPolicy"
        | "AWS::IAM::GroupPolicy" => {
            let name = text(all, "PolicyName").unwrap_or_else(|| later(resource.name));
            for (holder, target) in targets(all) {
                draft.inline(
                    holder,
                    &target,
                    &name,
                    &get(resource, "PolicyDocument"),
                    place,
                );
            }
        }
        "AWS::IAM::UserToGroupAddition" => {
            let group = text(all, "GroupName").unwrap_or_default();
            for user in texts(all, "Users") {
                draft.member(&user, &group, place);
            }
        }
        "AWS::IAM::InstanceProfile" => {
            let name = text(all, "InstanceProfileName").unwrap_or_else(|| later(resource.name));
            for role in texts(all, "Roles") {
                draft.profile(&name, &role, place);
            }
        }
        "AWS::IAM::AccessKey" => {
            let inactive = text(all, "Status").as_deref() == Some("Inactive");
            let credential = issued::credential(&Issued {
                kind: "aws-access-key",
                provider: "aws",
                address: resource.name,
                location: place,
                expires_at: None,
                expires_by_nature: Some(false),
                status: if inactive {
                    CredentialStatus::Inactive
                } else {
                    CredentialStatus::Unknown
                },
            });
            draft.key(
                &text(all, "UserName").unwrap_or_default(),
                credential,
                place,
            );
        }
        "AWS::IAM::OIDCProvider" => {
            let clients = texts(all, "ClientIdList");
            let clients = clients.iter().map(|client| clean(&shown(client)));
            draft.provider(&text(all, "Url").unwrap_or_default(), clients.collect());
        }
        "AWS::IAM::ServiceLinkedRole" => {
            let service = text(all, "AWSServiceName").unwrap_or_default();
            let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service},
            }]});
            let mut role = Principal::named(Holder::Role, later(resource.name));
            role.path = Some(format!("/aws-service-role/{service}/"));
            role.trust = Val::from_json(&trust);
            draft.principal(resource.declared.clone(), role);
        }
        _ => {}
    }
}

/// Roles, users and groups a policy names.
fn targets(all: &Val) -> Vec<(Holder, String)> {
    let mut out = Vec::new();
    for (holder, lists) in [
        (Holder::Role, ["Roles", "RoleName"]),
        (Holder::User, ["Users", "UserName"]),
        (Holder::Group, ["Groups", "GroupName"]),
    ] {
        for list in lists {
            out.extend(texts(all, list).into_iter().map(|target| (holder, target)));
        }
    }
    out
}

/// Adds a role, user or group with the policies written into it; returns its name.
fn principal(draft: &mut Draft, resource: &Resource<'_>, holder: Holder, field: &str) -> String {
    let all = &resource.properties;
    let name = text(all, field).unwrap_or_else(|| later(resource.name));
    let seconds = all.get("MaxSessionDuration").as_number();
    draft.principal(
        resource.declared.clone(),
        Principal {
            holder,
            name: name.clone(),
            path: text(all, "Path"),
            trust: all.get("AssumeRolePolicyDocument"),
            description: all.get("Description").known_text().map(|text| clean(&text)),
            max_session: (holder == Holder::Role)
                .then(|| seconds.map_or(3_600, |seconds| seconds as u64)),
            boundary: text(all, "PermissionsBoundary"),
            tags: tags(&all.get("Tags")),
        },
    );
    let place = &resource.declared.location;
    for policy in all.get("Policies").items().unwrap_or_default() {
        let policy_name = text(&policy, "PolicyName").unwrap_or_else(|| "inline".to_owned());
        draft.inline(
            holder,
            &name,
            &policy_name,
            &policy.get("PolicyDocument"),
            place,
        );
    }
    for arn in texts(all, "ManagedPolicyArns") {
        draft.attach(holder, &name, &arn, place);
    }
    name
}

/// Types that run something as a role: the property that names it, and what kind of work it is.
fn runs(kind: &str) -> Option<(&'static [&'static str], ConsumerClass, &'static str)> {
    Some(match kind {
        "AWS::Lambda::Function" => (&["Role"], ConsumerClass::Function, "lambda"),
        "AWS::ECS::TaskDefinition" => (
            &["TaskRoleArn", "ExecutionRoleArn"],
            ConsumerClass::Unknown,
            "ecs",
        ),
        "AWS::CodeBuild::Project" => (&["ServiceRole"], ConsumerClass::Ci, "codebuild"),
        "AWS::Batch::JobDefinition" => (&["JobRoleArn"], ConsumerClass::Batch, "batch"),
        "AWS::Glue::Job" => (&["Role"], ConsumerClass::Batch, "glue"),
        "AWS::StepFunctions::StateMachine" => {
            (&["RoleArn"], ConsumerClass::Function, "step-functions")
        }
        "AWS::EC2::Instance" => (&["IamInstanceProfile"], ConsumerClass::Daemon, "ec2"),
        _ => return None,
    })
}

/// What runs as a role is a consumer of it.
pub(super) fn consumer(
    context: &Context<'_>,
    unit: &Unit<'_>,
    resource: &Resource<'_>,
    out: &mut Declarations,
) {
    let Some((fields, class, runtime)) = runs(resource.kind) else {
        return;
    };
    let roles: Vec<String> = fields
        .iter()
        .filter_map(|field| text(&resource.properties, field))
        .collect();
    let timeout = resource.properties.get("Timeout").as_number();
    out.consumers.push(running(
        context, unit, resource, class, runtime, &roles, timeout,
    ));
}

/// A consumer that is a resource.
pub(super) fn running(
    context: &Context<'_>,
    unit: &Unit<'_>,
    resource: &Resource<'_>,
    class: ConsumerClass,
    runtime: &str,
    roles: &[String],
    timeout: Option<f64>,
) -> Consumer {
    let kind = resource.kind.rsplit("::").next().unwrap_or_default();
    let name = format!("{kind} {}", clean(resource.name));
    Consumer {
        id: ConsumerId::of(&[runtime, context.repository, context.uri, &name]),
        class,
        runtime: runtime.to_owned(),
        repository: Some(context.repository.to_owned()),
        identity: None,
        schedule: None,
        timeout_seconds: (class == ConsumerClass::Function)
            .then(|| timeout.map(|seconds| seconds as u64))
            .flatten(),
        evidence: vec![Evidence::new(
            Grade::B,
            format!("{name} is declared in {}", unit.tool),
        )],
        federation: Federation::Configured,
        uses: Uses {
            native_ids: roles.iter().filter_map(|role| native(unit, role)).collect(),
            ..Uses::default()
        },
        risks: Vec::new(),
        location: Some(resource.declared.location.clone()),
        environment: None,
        name,
    }
}

/// What the inventory calls a role of the same template, or any other.
fn native(unit: &Unit<'_>, role: &str) -> Option<String> {
    let text = clean(&shown(role));
    if !role.contains(UNKNOWN_ACCOUNT) {
        return role.starts_with("arn:").then_some(text);
    }
    let labels = super::super::infra::value::labels(role);
    let address = labels
        .first()
        .cloned()
        .unwrap_or_else(|| text.rsplit('/').next().unwrap_or_default().to_owned());
    Some(unit.native(&address))
}
