//! The block of public access that S3 puts before a bucket's policy and its access list.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>, 2026-11-22.

use super::compile::CompiledPolicy;
use super::exposure;
use super::policy::{Condition, Effect, PrincipalType, Selection};
use crate::model::aws::AwsAccount;
use serde_json::{Value, json};

/// Widest networks that AWS takes for fixed: bits of the prefix, of IPv4 and of IPv6.
const FIXED_NETWORK: (u8, u8) = (8, 32);

/// What keeps everybody away from a bucket, whatever its policy and its access list say.
#[derive(Default)]
pub(super) struct Block {
    /// Access lists that let in everybody have no effect.
    pub(super) ignore_acls: bool,
    /// Policies that let in everybody let in nobody from outside.
    pub(super) restrict: bool,
    /// The bucket's own block and the account's were read.
    pub(super) known: bool,
}

impl Block {
    /// What stands before a resource; nothing for what is no bucket.
    pub(super) fn of(account: &AwsAccount, arn: &str) -> Self {
        let Some(bucket) = arn.split(":s3:::").nth(1) else {
            return Self::default();
        };
        let mut block = Self::default();
        let mut read = 0;
        for one in &account.public_access_blocks {
            if one.bucket.as_deref().is_none_or(|named| named == bucket) {
                block.ignore_acls |= one.ignore_acls;
                block.restrict |= one.restrict;
                read += 1;
            }
        }
        block.known = read > 1;
        block
    }
}

/// Whether a bucket's policy is public by AWS's own test: a statement lets in everybody and fixes nothing of the request.
pub(super) fn is_public(policy: &CompiledPolicy) -> bool {
    policy.statements.iter().any(|statement| {
        let everybody = match &statement.principals {
            Selection::Except(_) => true,
            named => named
                .values()
                .iter()
                .any(|named| named.kind == PrincipalType::Anyone),
        };
        statement.effect == Effect::Allow
            && everybody
            && !statement
                .conditions
                .iter()
                .any(|condition| exposure::binds(condition) || fixes_network(condition))
    })
}

/// What the block does to a public policy, as a statement: all are denied but services and the owner's own.
pub(super) fn denial(owner: &str) -> Value {
    json!({
        "Sid": "RestrictPublicBuckets of the block of public access",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {
            "StringNotEquals": {"aws:PrincipalAccount": owner},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
    })
}

/// Whether a statement given by an access list is for everybody, signed in or not.
pub(super) fn is_for_everybody(statement: &Value) -> bool {
    let principal = statement.get("Principal").unwrap_or(&Value::Null);
    let named = principal.get("AWS").unwrap_or(principal);
    named.as_str() == Some("*")
}

fn fixes_network(condition: &Condition) -> bool {
    condition.key.eq_ignore_ascii_case("aws:SourceIp")
        && condition
            .operator_text
            .to_ascii_lowercase()
            .starts_with("ipaddress")
        && !condition.values.is_empty()
        && condition.values.iter().all(|network| {
            let least = if network.contains(':') {
                FIXED_NETWORK.1
            } else {
                FIXED_NETWORK.0
            };
            network
                .split_once('/')
                .is_none_or(|(_, bits)| bits.parse::<u8>().is_ok_and(|bits| bits >= least))
        })
}
