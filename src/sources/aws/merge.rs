//! Two descriptions of one entity, from two pages or two kinds of export, become one.

use crate::model::LastUse;
use crate::model::aws::{AwsAttached, AwsGroup, AwsInlinePolicy, AwsPolicy, AwsRole, AwsUser};
use serde_json::Value;

/// Adds to a user what another description of it knows more.
pub(super) fn user(into: &mut AwsUser, from: AwsUser) {
    if into.unique_id.is_empty() && !from.unique_id.is_empty() {
        into.unique_id = from.unique_id;
        into.location = from.location;
        into.path = from.path;
    }
    into.created_at = into.created_at.or(from.created_at);
    into.boundary = into.boundary.take().or(from.boundary);
    texts(&mut into.groups, from.groups);
    inline(&mut into.inline, from.inline);
    attached(&mut into.attached, from.attached);
    into.tags.extend(from.tags);
    into.password = into.password.or(from.password);
    into.password_last_use = last_use(into.password_last_use, from.password_last_use);
    into.mfa = into.mfa.or(from.mfa);
}

/// Adds to a group what another description of it knows more.
pub(super) fn group(into: &mut AwsGroup, from: AwsGroup) {
    inline(&mut into.inline, from.inline);
    attached(&mut into.attached, from.attached);
}

/// Adds to a role what another description of it knows more.
pub(super) fn role(into: &mut AwsRole, from: AwsRole) {
    if into.unique_id.is_empty() && !from.unique_id.is_empty() {
        into.unique_id = from.unique_id;
        into.location = from.location;
        into.path = from.path;
        if !from.trust.is_null() {
            into.trust = from.trust.clone();
        }
    }
    if into.trust.is_null() {
        into.trust = from.trust;
    }
    into.description = into.description.take().or(from.description);
    into.created_at = into.created_at.or(from.created_at);
    into.boundary = into.boundary.take().or(from.boundary);
    into.max_session_seconds = into.max_session_seconds.or(from.max_session_seconds);
    into.last_use = last_use(into.last_use, from.last_use);
    texts(&mut into.instance_profiles, from.instance_profiles);
    inline(&mut into.inline, from.inline);
    attached(&mut into.attached, from.attached);
    into.tags.extend(from.tags);
}

/// Adds to a policy what another description of it knows more.
pub(super) fn policy(into: &mut AwsPolicy, from: AwsPolicy) {
    if into.document.is_null() {
        into.document = from.document;
    }
    into.versions = into.versions.max(from.versions);
    into.updated_at = into.updated_at.max(from.updated_at);
    for version in from.others {
        if !into.others.iter().any(|known| known.id == version.id) {
            into.others.push(version);
        }
    }
}

/// The later of two uses; a use before no use, no use before not knowing.
pub(super) fn last_use(a: LastUse, b: LastUse) -> LastUse {
    match (a, b) {
        (LastUse::At(a), LastUse::At(b)) => LastUse::At(a.max(b)),
        (LastUse::At(at), _) | (_, LastUse::At(at)) => LastUse::At(at),
        (LastUse::NeverSince(a), LastUse::NeverSince(b)) => LastUse::NeverSince(a.max(b)),
        (LastUse::NeverSince(at), LastUse::Unknown)
        | (LastUse::Unknown, LastUse::NeverSince(at)) => LastUse::NeverSince(at),
        (LastUse::Unknown, LastUse::Unknown) => LastUse::Unknown,
    }
}

fn texts(into: &mut Vec<String>, from: Vec<String>) {
    for text in from {
        if !into.contains(&text) {
            into.push(text);
        }
    }
}

fn inline(into: &mut Vec<AwsInlinePolicy>, from: Vec<AwsInlinePolicy>) {
    for policy in from {
        match into.iter_mut().find(|known| known.name == policy.name) {
            Some(known) if known.document == Value::Null => known.document = policy.document,
            Some(_) => {}
            None => into.push(policy),
        }
    }
}

fn attached(into: &mut Vec<AwsAttached>, from: Vec<AwsAttached>) {
    for policy in from {
        if !into.iter().any(|known| known.arn == policy.arn) {
            into.push(policy);
        }
    }
}
