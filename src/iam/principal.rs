//! What is known of a principal's requests before it makes them.

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
