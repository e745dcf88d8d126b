//! What is known of a principal's requests before it makes them.

use super::caller::{Caller, CallerKind};
use super::context::Context;
use crate::model::aws::{AwsRole, AwsUser};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Keys that hold for every request a principal of the account can make as it likes.
fn common(account: &str, arn: &str, now: Option<Timestamp>) -> Context {
    let mut context = Context::default();
    context.start_at(now);
    context.set("aws:PrincipalArn", arn);
    context.set("aws:PrincipalAccount", account);
    context.set("aws:PrincipalIsAWSService", "false");
    // Whoever asks may ask over TLS.
    context.set("aws:SecureTransport", "true");
    context
}

fn tags(context: &mut Context, tags: &BTreeMap<String, String>) {
    for (key, value) in tags {
        context.set(&format!("aws:PrincipalTag/{key}"), value.clone());
    }
}

/// Known keys of a user. Its tags are all its principal tags.
pub(super) fn of_user(account: &str, user: &AwsUser, now: Option<Timestamp>) -> Context {
    let mut context = common(account, &user.arn, now);
    context.set("aws:PrincipalType", "User");
    context.set("aws:username", user.name.clone());
    if !user.unique_id.is_empty() {
        context.set("aws:userid", user.unique_id.clone());
    }
    tags(&mut context, &user.tags);
    context.close("aws:PrincipalTag/");
    context
}

/// Known keys of a role. A session may bring tags of its own, so what is not tagged stays unknown.
pub(super) fn of_role(account: &str, role: &AwsRole, now: Option<Timestamp>) -> Context {
    let mut context = common(account, &role.arn, now);
    context.set("aws:PrincipalType", "AssumedRole");
    context.set_absent("aws:username");
    tags(&mut context, &role.tags);
    context
}

/// Known keys of a caller the scan has no description of.
pub(super) fn of_caller(caller: &Caller) -> Context {
    let mut context = Context::default();
    context.set("aws:SecureTransport", "true");
    match caller.kind {
        CallerKind::Service => {
            context.set("aws:PrincipalIsAWSService", "true");
            context.set("aws:PrincipalServiceName", caller.arn.clone());
            for key in [
                "aws:PrincipalArn",
                "aws:PrincipalAccount",
                "aws:PrincipalOrgID",
            ] {
                context.set_absent(key);
            }
        }
        CallerKind::Anonymous | CallerKind::Federated => {
            context.set("aws:PrincipalIsAWSService", "false");
            for key in [
                "aws:PrincipalArn",
                "aws:PrincipalAccount",
                "aws:PrincipalOrgID",
            ] {
                context.set_absent(key);
            }
            if caller.kind == CallerKind::Anonymous {
                context.set("aws:PrincipalType", "Anonymous");
            }
            context.close("aws:PrincipalTag/");
        }
        _ => {
            context.set("aws:PrincipalIsAWSService", "false");
            context.set("aws:PrincipalAccount", caller.account.clone());
            let (arn, kind) = match caller.kind {
                CallerKind::Root => (caller.arn.clone(), "Account"),
                CallerKind::User => (caller.arn.clone(), "User"),
                CallerKind::FederatedUser => (caller.arn.clone(), "FederatedUser"),
                _ => (String::new(), "AssumedRole"),
            };
            context.set("aws:PrincipalType", kind);
            // The ARN of a session does not tell the path of its role.
            if !arn.is_empty() {
                context.set("aws:PrincipalArn", arn);
            } else if caller.kind == CallerKind::Role {
                context.set("aws:PrincipalArn", caller.arn.clone());
            }
            if caller.kind == CallerKind::User {
                context.set("aws:username", caller.name.clone());
            } else {
                context.set_absent("aws:username");
            }
        }
    }
    context
}
