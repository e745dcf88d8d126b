//! Many questions at once, one JSON object a line.
//!
//! A request that brings `identityPolicies` is decided by the policies it brings alone; any other is asked of the
//! accounts. docs/iam-evaluation.md describes the fields.

use super::{Accounts, AskError, Asked, Documents, can, check_action};
use crate::iam::caller::Caller;
use crate::iam::compile::CompiledPolicy;
use crate::iam::context::Context;
use crate::iam::decide::decide;
use crate::iam::layers::{Given, Labelled, Layers};
use crate::iam::policy::Policy;
use crate::iam::request::Request;
use crate::iam::world::{Reply, World};
use crate::rules::aws::AwsTables;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    principal: String,
    action: String,
    resource: Option<String>,
    resource_account: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, Value>,
    /// Keys that are in the request with a value nobody knows.
    #[serde(default)]
    context_present: Vec<String>,
    #[serde(default)]
    context_complete: bool,
    #[serde(default)]
    session_policies: Vec<Value>,
    #[serde(default)]
    endpoint_policies: Vec<Value>,
    #[serde(default, deserialize_with = "present")]
    resource_policy: Option<Value>,
    #[serde(default)]
    session_grants_unlimited: bool,
    identity_policies: Option<Vec<Value>>,
    permissions_boundary: Option<Value>,
    #[serde(default)]
    service_control_policies: Vec<Vec<Value>>,
    #[serde(default)]
    resource_control_policies: Vec<Vec<Value>>,
    /// The action works on resources, or does not, whatever AWS lists.
    names_resources: Option<bool>,
}

/// Tells `null` from absent.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Answers one line.
///
/// # Errors
/// When the line is no request, or names what is not there.
pub fn answer_line(accounts: &Accounts, world: &World<'_>, line: &str) -> Result<Reply, AskError> {
    let line: Line = serde_json::from_str(line).map_err(|error| {
        AskError::NotARequest(format!(
            "not a request: {} at column {}",
            match error.classify() {
                serde_json::error::Category::Data =>
                    "a field is missing, unknown or of another type",
                _ => "not JSON",
            },
            error.column()
        ))
    })?;
    let mut context = read_context(&line.context)?;
    for key in &line.context_present {
        context.set_present(key);
    }
    if line.context_complete {
        context.complete();
    }
    if line.identity_policies.is_some() {
        return alone(&accounts.tables, &line, context);
    }
    let documents = Documents {
        session: line.session_policies,
        endpoint: line.endpoint_policies,
        resource: line.resource_policy,
        session_grants_unlimited: line.session_grants_unlimited,
    };
    let asked = Asked {
        action: line.action,
        resource: line.resource,
        resource_account: line.resource_account,
        context,
        given: accounts.ready(&documents)?,
        unlisted: true,
    };
    can(world, &accounts.tables, &line.principal, &asked)
}

fn read_context(entries: &BTreeMap<String, Value>) -> Result<Context, AskError> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let mut context = Context::default();
    for (key, value) in entries {
        match value {
            Value::Null => match key.strip_suffix('*') {
                Some(prefix) => context.close(prefix),
                None => context.set_absent(key),
            },
            Value::Array(list) => context.set_all(key, list.iter().filter_map(text).collect()),
            value => match text(value) {
                Some(text) => context.set(key, text),
                None => {
                    return Err(AskError::NotARequest(
                        "not a request: a context key has an object as its value".to_owned(),
                    ));
                }
            },
        }
    }
    Ok(context)
}

/// Decides a request by the policies it brings.
fn alone(tables: &AwsTables, line: &Line, mut context: Context) -> Result<Reply, AskError> {
    check_action(tables, &line.action, true)?;
    let caller = Caller::parse(&line.principal).ok_or_else(|| AskError::NoPrincipal {
        text: line.principal.clone(),
        near: Vec::new(),
    })?;
    if caller.has_account() {
        context.suppose("aws:PrincipalAccount", caller.account.clone());
    }
    let one = |document: &Value| CompiledPolicy::new(Policy::parse(document), &tables.actions);
    let own =
        |document: &Value| CompiledPolicy::of_resource(Policy::parse(document), &tables.actions);
    let levels = |levels: &[Vec<Value>], ready: &dyn Fn(&Value) -> CompiledPolicy| {
        levels
            .iter()
            .map(|level| level.iter().map(ready).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let many = |documents: &[Value]| documents.iter().map(one).collect::<Vec<_>>();
    let identity = many(line.identity_policies.as_deref().unwrap_or_default());
    let session = many(&line.session_policies);
    let endpoint = many(&line.endpoint_policies);
    let boundary = line.permissions_boundary.as_ref().map(one);
    let resource = line
        .resource_policy
        .as_ref()
        .filter(|document| !document.is_null())
        .map(own);
    let service_control = levels(&line.service_control_policies, &one);
    let resource_control = levels(&line.resource_control_policies, &own);
    let layers = Layers {
        identity: label("identityPolicies", &identity),
        unseen: Vec::new(),
        boundary: boundary.as_ref().map_or(Given::None, |policy| {
            Given::Known(Labelled::new("permissionsBoundary", policy))
        }),
        session: label("sessionPolicies", &session),
        service_control: service_control
            .iter()
            .map(|level| label("serviceControlPolicies", level))
            .collect(),
        resource_control: resource_control
            .iter()
            .map(|level| label("resourceControlPolicies", level))
            .collect(),
        limits_unseen: Vec::new(),
        endpoint: label("endpointPolicies", &endpoint),
        resource: resource.as_ref().map_or(Given::None, |policy| {
            Given::Known(Labelled::new("resourcePolicy", policy))
        }),
        session_grants_unlimited: line.session_grants_unlimited,
    };
    let resource = line.resource.as_deref().unwrap_or("*");
    let account = line
        .resource_account
        .as_deref()
        .or_else(|| {
            resource
                .split(':')
                .nth(4)
                .filter(|account| !account.is_empty() && *account != "aws")
        })
        .unwrap_or(&caller.account);
    let mut request = Request::new(&caller, &line.action, resource, account, &context, tables);
    if let Some(names) = line.names_resources {
        request.name_resources(resource, names);
    }
    let verdict = decide(&request, &layers);
    Ok(Reply::of(
        &caller,
        &line.action,
        resource,
        account,
        &verdict,
    ))
}

fn label<'p>(field: &str, policies: &'p [CompiledPolicy]) -> Vec<Labelled<'p>> {
    policies
        .iter()
        .enumerate()
        .map(|(at, policy)| Labelled::new(format!("{field}[{at}]"), policy))
        .collect()
}
