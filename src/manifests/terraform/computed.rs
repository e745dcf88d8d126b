//! Attributes that code does not set and the provider computes, as far as they follow from what code sets.

use super::super::infra::names::{self, CREATED};
use super::super::infra::value::{Attributes, Val, later, shown, wholly_marked};
use super::parse::Block;
use super::scope::{Resource, Scope};
use super::{functions, policy_document};
use std::rc::Rc;

/// Account of the default provider of a root module, if its block tells.
pub(super) fn account_of_provider(scope: &Rc<Scope>) -> Option<String> {
    let providers = &scope.module_code()?.providers;
    let default = providers.iter().find(|provider| {
        provider
            .what
            .labels
            .first()
            .is_some_and(|name| name == "aws")
            && provider.what.body.attribute("alias").is_none()
    })?;
    account_in(scope, &default.what)
}

/// Account of the provider a module call is given, if it is another than the caller's.
pub(super) fn account_of_call(scope: &Rc<Scope>, call: &Block) -> Option<String> {
    let given = call.body.attribute("providers")?.expr.to_string();
    let alias = given.split("aws.").nth(1)?;
    let alias: String = alias
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        .collect();
    Some(account_of_alias(scope, &alias))
}

/// Account of a provider with an alias; unknown where its block does not tell.
pub(super) fn account_of_alias(scope: &Rc<Scope>, alias: &str) -> String {
    let find = || {
        let providers = &scope.module_code()?.providers;
        let named = providers.iter().find(|provider| {
            let body = &provider.what.body;
            provider
                .what
                .labels
                .first()
                .is_some_and(|name| name == "aws")
                && body
                    .attribute("alias")
                    .is_some_and(|name| name.expr.as_str() == Some(alias))
        })?;
        account_in(scope, &named.what)
    };
    find().unwrap_or_else(|| crate::model::UNKNOWN_ACCOUNT.to_owned())
}

fn account_in(scope: &Rc<Scope>, provider: &Block) -> Option<String> {
    let at = super::evaluate::At {
        scope,
        env: None,
        depth: 0,
    };
    let digits = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(allowed) = provider.body.attribute("allowed_account_ids")
        && let Some([only]) = at.eval(&allowed.expr).items().as_deref()
        && let Some(id) = only.known_text().filter(|id| digits(id))
    {
        return Some(id);
    }
    let role = at.blocks(&provider.body, "assume_role");
    let arn = role.first()?.get("role_arn").as_text()?;
    arn.split(':')
        .nth(4)
        .filter(|id| digits(id))
        .map(str::to_owned)
}

/// An attribute that the code does not set.
pub(super) fn attribute(resource: &Resource, name: &str) -> Val {
    let known = if resource.data {
        of_data(resource, name)
    } else {
        of_resource(resource, name)
    };
    known.unwrap_or_else(|| Val::later(&format!("{}.{name}", resource.address())))
}

/// The name of an IAM thing, or the mark that stands for it.
pub(super) fn iam_name(resource: &Resource) -> String {
    resource
        .set(if resource.kind == "aws_iam_service_linked_role" {
            "aws_service_name"
        } else {
            "name"
        })
        .as_text()
        .unwrap_or_else(|| later(&resource.address()))
}

fn of_resource(resource: &Resource, name: &str) -> Option<Val> {
    let text = |name: &str| resource.set(name).as_text();
    let account = &resource.scope.account;
    match (resource.kind.as_str(), name) {
        (
            "aws_iam_role" | "aws_iam_user" | "aws_iam_group" | "aws_iam_instance_profile",
            "id" | "name",
        )
        | ("aws_iam_policy", "name") => Some(Val::Text(iam_name(resource))),
        (kind, "arn" | "id") if names::iam_section(kind).is_some() => {
            let section = names::iam_section(kind)?;
            let path = text("path").unwrap_or_else(|| "/".to_owned());
            Some(Val::Text(names::iam_arn(
                account,
                section,
                &path,
                &iam_name(resource),
            )))
        }
        ("aws_iam_openid_connect_provider", "arn" | "id") => {
            let url = text("url")?;
            Some(Val::Text(names::oidc_arn(account, &url)))
        }
        ("aws_iam_saml_provider", "arn" | "id") => Some(Val::Text(format!(
            "arn:aws:iam::{account}:saml-provider/{}",
            iam_name(resource)
        ))),
        ("google_service_account", "email" | "member" | "name" | "id") => {
            let email = google_email(resource)?;
            Some(Val::Text(match name {
                "email" => email,
                "member" => format!("serviceAccount:{email}"),
                _ => format!("projects/-/serviceAccounts/{email}"),
            }))
        }
        ("kubernetes_service_account" | "kubernetes_service_account_v1", "id") => None,
        ("terraform_data" | "null_resource", "output" | "triggers") => {
            Some(resource.set(if name == "output" { "input" } else { name }))
        }
        (kind, name) => {
            let form = CREATED
                .iter()
                .find(|(known, attribute, _)| *known == kind && *attribute == name)?;
            Some(Val::Text(names::filled(form.2, account, |field| {
                text(field).unwrap_or_else(|| later(&resource.address()))
            })))
        }
    }
}

fn google_email(resource: &Resource) -> Option<String> {
    let id = resource.set("account_id").as_text()?;
    // Data sources may be given the whole address.
    if id.contains('@') {
        return Some(id);
    }
    let project = resource
        .set("project")
        .as_text()
        .or_else(|| google_project(&resource.scope))
        .unwrap_or_else(|| later("project"));
    Some(format!("{id}@{project}.iam.gserviceaccount.com"))
}

/// Project of the default provider.
pub(super) fn google_project(scope: &Rc<Scope>) -> Option<String> {
    let providers = &scope.module_code()?.providers;
    let google = providers.iter().find(|provider| {
        provider
            .what
            .labels
            .first()
            .is_some_and(|name| name == "google" || name == "google-beta")
    })?;
    let project = google.what.body.attribute("project")?;
    let at = super::evaluate::At {
        scope,
        env: None,
        depth: 0,
    };
    at.eval(&project.expr).as_text()
}

fn of_data(resource: &Resource, name: &str) -> Option<Val> {
    let text = |name: &str| resource.set(name).as_text();
    let account = &resource.scope.account;
    match (resource.kind.as_str(), name) {
        ("aws_iam_policy_document", "json" | "minified_json") => {
            Some(policy_document::json(resource))
        }
        ("aws_caller_identity", "account_id" | "id") => Some(Val::Text(account.clone())),
        ("aws_caller_identity", "arn") => Some(Val::Text(format!(
            "arn:aws:iam::{account}:{}",
            later("the caller")
        ))),
        ("aws_partition", "partition" | "id") => Some(Val::text("aws")),
        ("aws_partition", "dns_suffix") => Some(Val::text("amazonaws.com")),
        ("aws_region", "name" | "region" | "id") => Some(Val::later("region")),
        ("aws_iam_policy", "arn" | "id") => {
            text("arn").map(Val::Text).or_else(|| {
                let name = text("name")?;
                let path = text("path_prefix").unwrap_or_else(|| "/".to_owned());
                // One that is not declared here is most likely one of AWS; it is the deployed one in any case.
                Some(Val::Text(names::iam_arn("aws", "policy", &path, &name)))
            })
        }
        ("aws_iam_policy", "name") => {
            let arn = text("arn")?;
            Some(Val::text(arn.rsplit('/').next().unwrap_or_default()))
        }
        ("aws_iam_role" | "aws_iam_user" | "aws_iam_group", "arn" | "id") => {
            let given = text("name")
                .or_else(|| text("user_name"))
                .or_else(|| text("group_name"))?;
            if name == "id" {
                return Some(Val::Text(given));
            }
            let section = names::iam_section(&resource.kind)?;
            Some(Val::Text(names::iam_arn(account, section, "/", &given)))
        }
        ("aws_iam_openid_connect_provider", "arn") => {
            Some(Val::Text(names::oidc_arn(account, &text("url")?)))
        }
        ("aws_iam_openid_connect_provider", "url") => {
            let arn = text("arn").filter(|arn| !wholly_marked(arn))?;
            Some(Val::text(shown(arn.split_once("oidc-provider/")?.1)))
        }
        ("google_service_account", "email" | "member" | "name" | "id") => {
            let email = google_email(resource)?;
            Some(Val::Text(match name {
                "email" => email,
                "member" => format!("serviceAccount:{email}"),
                _ => format!("projects/-/serviceAccounts/{email}"),
            }))
        }
        ("google_project" | "google_client_config", "project_id" | "project") => {
            google_project(&resource.scope).map(Val::Text)
        }
        ("google_iam_policy", "policy_data") => Some(Val::Text(
            Val::map([("bindings".to_owned(), resource.set("binding"))].into())
                .to_json()
                .to_string(),
        )),
        ("template_file", "rendered") => {
            let template = text("template")?;
            let variables = resource.set("vars");
            resource.binding.with(&resource.scope, 0, |at| {
                functions::render(at, &template, &variables)
            })
        }
        ("local_file", "content") => {
            let path = text("filename")?;
            resource.binding.with(&resource.scope, 0, |at| {
                let found = functions::call(at, "file", &[Val::Text(path)]);
                Some(found)
            })
        }
        ("null_data_source", "outputs") => Some(resource.set("inputs")),
        ("terraform_remote_state" | "external" | "http", _) => {
            Some(Val::open(format!("{}.{name}", resource.label())))
        }
        _ => None,
    }
}
