//! Users and roles for tests.

use crate::model::aws::{AwsInlinePolicy, AwsRole, AwsUser};
use crate::model::{LastUse, Location};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn place() -> Location {
    Location {
        repository: None,
        uri: "account.json".into(),
        line: None,
        column: None,
        logical: None,
    }
}

pub(super) fn policy(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

pub(super) fn inline(statements: &Value) -> Vec<AwsInlinePolicy> {
    vec![AwsInlinePolicy {
        name: "inline".into(),
        document: policy(statements),
    }]
}

pub(super) fn user(account: &str, name: &str, statements: &Value) -> AwsUser {
    AwsUser {
        name: name.into(),
        path: "/".into(),
        arn: format!("arn:aws:iam::{account}:user/{name}"),
        unique_id: format!("AIDA{name}"),
        created_at: None,
        groups: Vec::new(),
        inline: inline(statements),
        attached: Vec::new(),
        boundary: None,
        tags: BTreeMap::new(),
        keys: Vec::new(),
        password: None,
        password_last_use: LastUse::Unknown,
        mfa: None,
        services: None,
        location: place(),
    }
}

pub(super) fn role(account: &str, name: &str, trust: &Value, statements: &Value) -> AwsRole {
    AwsRole {
        name: name.into(),
        path: "/".into(),
        arn: format!("arn:aws:iam::{account}:role/{name}"),
        unique_id: format!("AROA{name}"),
        description: None,
        created_at: None,
        trust: policy(trust),
        inline: inline(statements),
        attached: Vec::new(),
        boundary: None,
        max_session_seconds: None,
        last_use: LastUse::Unknown,
        instance_profiles: Vec::new(),
        tags: BTreeMap::new(),
        services: None,
        location: place(),
    }
}
