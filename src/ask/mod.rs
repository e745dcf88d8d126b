//! May this principal do this, and who can: the questions of `overstay can` and `overstay who-can`, asked of the accounts
//! of a scan or of policies that come with the question.

mod lines;
mod text;

pub use lines::answer_line;
pub use text::{render, render_who};

use crate::iam::caller::Caller;
use crate::iam::compile::CompiledPolicy;
use crate::iam::context::Context;
use crate::iam::policy::Policy;
use crate::iam::world::{GivenPolicies, NotFound, Question, Reply, World, nearest};
use crate::model::Coverage;
use crate::model::aws::AwsAccount;
use crate::rules::RuleError;
use crate::rules::aws::AwsTables;
use crate::sources;
use rayon::prelude::*;
use serde_json::Value;
use std::path::PathBuf;
use thiserror::Error;

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// Nobody is called so.
    #[error("the scan knows no principal `{text}`{}", list(near, "; near to it: "))]
    NoPrincipal {
        /// What was asked for.
        text: String,
        /// Names near to it.
        near: Vec<String>,
    },
    /// Several are called so.
    #[error("`{text}` names several principals: {}", found.join(", "))]
    SeveralPrincipals {
        /// What was asked for.
        text: String,
        /// Their ARNs.
        found: Vec<String>,
    },
    /// Not of the form of an action.
    #[error("`{0}` is no action: write it as service:Action, such as s3:GetObject")]
    NotAnAction(String),
    /// AWS lists no such action.
    #[error("AWS lists no action `{text}`{}", list(near, "; near to it: "))]
    NoAction {
        /// What was asked for.
        text: String,
        /// Actions near to it.
        near: Vec<String>,
    },
    /// Not of the form of a resource.
    #[error(
        "`{0}` is no resource: write its ARN, such as arn:aws:s3:::bucket/key, or leave it out"
    )]
    NotAResource(String),
    /// A policy that could not be read.
    #[error("{0} is not a policy document")]
    NotAPolicy(&'static str),
    /// A request of a list of requests that has no such shape.
    #[error("{0}")]
    NotARequest(String),
    /// The tables of AWS are damaged.
    #[error(transparent)]
    Rules(#[from] RuleError),
}

fn list(names: &[String], before: &str) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("{before}{}", names.join(", "))
    }
}

/// A question as it was put.
#[derive(Debug, Default)]
pub struct Asked {
    /// `service:Action`.
    pub action: String,
    /// ARN; `None`: whatever there is.
    pub resource: Option<String>,
    /// Account of the resource, where its ARN does not tell it.
    pub resource_account: Option<String>,
    /// What is known of the request.
    pub context: Context,
    /// Policies that come with the question.
    pub given: GivenPolicies,
    /// Ask for an action AWS does not list.
    pub unlisted: bool,
}

/// Policy documents that come with a question.
#[derive(Debug, Default)]
pub struct Documents {
    /// Session policies.
    pub session: Vec<Value>,
    /// Endpoint policies.
    pub endpoint: Vec<Value>,
    /// The resource's policy; `null`: it has none.
    pub resource: Option<Value>,
    /// Grants to the ARN of a session are not limited by its session policies.
    pub session_grants_unlimited: bool,
}

/// The accounts questions are asked of.
pub struct Accounts {
    accounts: Vec<AwsAccount>,
    tables: AwsTables,
}

impl Accounts {
    /// Accounts of a stored run.
    ///
    /// # Errors
    /// When the tables of AWS are damaged.
    pub fn new(accounts: Vec<AwsAccount>) -> Result<Self, AskError> {
        Ok(Self {
            accounts,
            tables: AwsTables::builtin()?,
        })
    }

    /// Accounts of snapshots, and what was read of them.
    ///
    /// # Errors
    /// When the tables of AWS are damaged.
    pub fn read(paths: &[PathBuf]) -> Result<(Self, Vec<Coverage>), AskError> {
        let mut accounts = Vec::new();
        let mut coverage = Vec::new();
        for path in paths {
            let snapshot = sources::aws::read_snapshot(path);
            accounts.extend(snapshot.accounts);
            coverage.extend(snapshot.coverage);
        }
        Ok((Self::new(accounts)?, coverage))
    }

    /// Whether there is no account.
    pub const fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// The accounts joined.
    pub fn world(&self) -> World<'_> {
        World::new(&self.accounts, &self.tables)
    }

    /// What is known of AWS.
    pub const fn tables(&self) -> &AwsTables {
        &self.tables
    }

    /// Makes documents ready.
    ///
    /// # Errors
    /// When one of them is no policy document.
    pub fn ready(&self, documents: &Documents) -> Result<GivenPolicies, AskError> {
        let table = &self.tables.actions;
        let object = |what, document: &Value| {
            if document.is_object() {
                Ok(Policy::parse(document))
            } else {
                Err(AskError::NotAPolicy(what))
            }
        };
        let all = |what, list: &[Value]| -> Result<Vec<CompiledPolicy>, AskError> {
            list.iter()
                .map(|document| Ok(CompiledPolicy::new(object(what, document)?, table)))
                .collect()
        };
        Ok(GivenPolicies {
            session: all("the session policy", &documents.session)?,
            endpoint: all("the endpoint policy", &documents.endpoint)?,
            resource: match &documents.resource {
                None => None,
                Some(Value::Null) => Some(None),
                Some(document) => Some(Some(CompiledPolicy::of_resource(
                    object("the resource policy", document)?,
                    table,
                ))),
            },
            session_grants_unlimited: documents.session_grants_unlimited,
        })
    }
}

/// May this principal do this?
///
/// # Errors
/// When the principal, the action or the resource is not what it should be.
pub fn can(
    world: &World<'_>,
    tables: &AwsTables,
    principal: &str,
    asked: &Asked,
) -> Result<Reply, AskError> {
    let caller = find(world, principal)?;
    let question = question(tables, asked)?;
    Ok(world.ask(&caller, &question))
}

/// Who can do this: everyone of the scan, and those outside it the resource's policy names.
///
/// # Errors
/// When the action or the resource is not what it should be.
pub fn who_can(
    world: &World<'_>,
    tables: &AwsTables,
    asked: &Asked,
) -> Result<Vec<Reply>, AskError> {
    let question = question(tables, asked)?;
    let mut callers: Vec<Caller> = world.callers().collect();
    callers.extend(world.outsiders(&question));
    let mut replies: Vec<Reply> = callers
        .par_iter()
        .map(|caller| world.ask(caller, &question))
        .filter(Reply::permits)
        .collect();
    replies.sort_by(|a, b| {
        b.answer
            .cmp(&a.answer)
            .then_with(|| a.principal.cmp(&b.principal))
    });
    Ok(replies)
}

fn find(world: &World<'_>, principal: &str) -> Result<Caller, AskError> {
    world.find(principal).map_err(|error| match error {
        NotFound::Nobody(near) => AskError::NoPrincipal {
            text: principal.to_owned(),
            near,
        },
        NotFound::Several(found) => AskError::SeveralPrincipals {
            text: principal.to_owned(),
            found,
        },
    })
}

fn question<'q>(tables: &AwsTables, asked: &'q Asked) -> Result<Question<'q>, AskError> {
    check_action(tables, &asked.action, asked.unlisted)?;
    let resource = asked.resource.as_deref().unwrap_or("*");
    if resource != "*" && !resource.starts_with("arn:") {
        return Err(AskError::NotAResource(resource.to_owned()));
    }
    Ok(Question {
        action: &asked.action,
        resource,
        account: asked.resource_account.as_deref(),
        context: &asked.context,
        given: &asked.given,
    })
}

/// Whether an action can be asked for.
fn check_action(tables: &AwsTables, action: &str, unlisted: bool) -> Result<(), AskError> {
    let Some((service, name)) = action.split_once(':') else {
        return Err(AskError::NotAnAction(action.to_owned()));
    };
    if service.is_empty() || name.is_empty() || action.contains(['*', '?', ' ', ',']) {
        return Err(AskError::NotAnAction(action.to_owned()));
    }
    if unlisted || tables.actions.index_of(action).is_some() {
        return Ok(());
    }
    let lower = service.to_ascii_lowercase();
    let names: Vec<String> = if let Some(range) = tables.actions.service(&lower) {
        range
            .clone()
            .filter_map(|index| tables.actions.name_of(index))
            .collect()
    } else {
        let services = tables
            .actions
            .services()
            .map(|(known, _)| (known.to_owned(), known.to_owned()));
        nearest(&lower, services)
            .into_iter()
            .map(|known| format!("{known}:{name}"))
            .filter(|known| tables.actions.index_of(known).is_some())
            .collect()
    };
    let near = nearest(
        action,
        names.into_iter().map(|known| (known.clone(), known)),
    );
    Err(AskError::NoAction {
        text: action.to_owned(),
        near,
    })
}

#[cfg(test)]
mod tests;
