//! Whom the policies of resources let in besides the account itself.
//!
//! A statement counts as open when nothing in it, and no deny beside it, binds the caller: a condition on the address or the
//! transport narrows the way and leaves it open to anyone there.

use super::block::{self, Block};
use super::compile::CompiledPolicy;
use super::condition::{self, Truth};
use super::context::Context;
use super::matcher;
use super::policy::{Condition, Effect, Policy, PrincipalType, Selection};
use crate::iam::caller::{Caller, CallerKind};
use crate::model::aws::AwsAccount;
use crate::model::{ExposedTo, ResourceExposure};
use crate::rules::aws::{AccessLevel, AwsTables};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Keys that bind who asks, or on whose behalf.
const BINDING: [&str; 18] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltag/",
    "aws:resourceaccount",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "aws:username",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "sns:endpoint",
];

/// What the resources of an account leave open.
pub fn exposures(
    account: &AwsAccount,
    tables: &AwsTables,
    own: &BTreeSet<String>,
) -> Vec<ResourceExposure> {
    let mut out = Vec::new();
    let mut anybody = Context::default();
    anybody.set("aws:SecureTransport", "true");
    let mut changing = tables.actions.level(AccessLevel::Write).clone();
    changing.unite(tables.actions.level(AccessLevel::Permissions));
    let given = account.resource_grants.iter().map(|grant| {
        let policy = json!({"Version": "2012-10-17", "Statement": [grant.statement]});
        (&grant.arn, Cow::Owned(policy), &grant.location, true)
    });
    let written = account
        .resources
        .iter()
        .filter(|resource| !resource.policy.is_null())
        .map(|resource| {
            let policy = Cow::Borrowed(&resource.policy);
            (&resource.arn, policy, &resource.location, false)
        });
    for (arn, policy, location, grant) in written.chain(given) {
        let block = Block::of(account, arn);
        let policy = CompiledPolicy::of_resource(Policy::parse(&policy), &tables.actions);
        let restricted = !grant && block.restrict && block::is_public(&policy);
        // A deny to all who are not bound binds every allow beside it.
        let bound_by_deny = policy.statements.iter().any(|statement| {
            statement.effect == Effect::Deny
                && statement.conditions.iter().any(|condition| {
                    condition.operator_text.to_ascii_lowercase().contains("not")
                        && names_binding(condition)
                })
        });
        for statement in &policy.statements {
            if statement.effect != Effect::Allow {
                continue;
            }
            let bound = bound_by_deny || statement.conditions.iter().any(binds);
            let writes = statement.actions.meets(&changing);
            let mut say = |to, principal: &str, vendor: Option<String>| {
                let kept_out = match to {
                    ExposedTo::Anyone if grant => block.ignore_acls,
                    ExposedTo::Anyone => block.restrict,
                    ExposedTo::Account => restricted,
                    ExposedTo::Service => false,
                };
                if kept_out {
                    return;
                }
                out.push(ResourceExposure {
                    arn: arn.clone(),
                    account: account.account_id.clone(),
                    to,
                    principal: principal.to_owned(),
                    vendor,
                    statement: statement.label.clone(),
                    actions: statement.written.clone(),
                    writes,
                    conditions: statement.conditions.iter().map(Condition::words).collect(),
                    unblocked: block.known,
                    location: location.clone(),
                });
            };
            if matches!(statement.principals, Selection::Except(_)) {
                if !bound {
                    say(ExposedTo::Anyone, "*", None);
                }
                continue;
            }
            for named in statement.principals.values() {
                match named.kind {
                    PrincipalType::Anyone => {
                        let holds = condition::all_hold(
                            &statement.conditions,
                            &anybody,
                            statement.variables,
                        );
                        if !bound && holds != Truth::No {
                            say(ExposedTo::Anyone, "*", None);
                        }
                    }
                    PrincipalType::Service => {
                        if !bound && tables.is_deputy(&named.value) {
                            say(ExposedTo::Service, &named.value, None);
                        }
                    }
                    PrincipalType::Aws => {
                        let caller = Caller::parse(&named.value);
                        let id = match &caller {
                            Some(caller) if caller.kind != CallerKind::Anonymous => {
                                caller.account.as_str()
                            }
                            _ => named.value.as_str(),
                        };
                        let foreign = id.len() == 12
                            && id.bytes().all(|byte| byte.is_ascii_digit())
                            && id != account.account_id
                            && !own.contains(id);
                        if foreign {
                            let known = tables.known_account(id);
                            say(
                                ExposedTo::Account,
                                &named.value,
                                known.map(|known| known.name.to_owned()),
                            );
                        }
                    }
                    PrincipalType::Federated | PrincipalType::CanonicalUser => {}
                }
            }
        }
    }
    out.sort();
    out.dedup();
    out
}

fn names_binding(condition: &Condition) -> bool {
    let key = condition.key.to_ascii_lowercase();
    BINDING
        .iter()
        .any(|known| key == *known || (known.ends_with('/') && key.starts_with(known)))
}

/// Whether a condition binds the caller: one of the keys, compared with something narrower than everything.
pub(super) fn binds(condition: &Condition) -> bool {
    let operator = condition.operator_text.to_ascii_lowercase();
    names_binding(condition)
        && !operator.contains("not")
        && !operator.starts_with("null")
        && !condition.values.is_empty()
        && condition
            .values
            .iter()
            .all(|value| !value.bytes().all(|byte| byte == b'*') && !all_arns(value))
}

/// `arn:aws:*:*:*:*`: every ARN there is.
fn all_arns(value: &str) -> bool {
    value.starts_with("arn:")
        && value.split(':').skip(2).all(|part| {
            part.is_empty() || (matcher::has_wildcard(part) && part.trim_matches('*').is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::testing::{place, policy};
    use crate::model::aws::{AwsPublicAccessBlock, AwsResource, AwsResourceGrant};
    use serde_json::{Value, json};
    use std::sync::LazyLock;

    static TABLES: LazyLock<AwsTables> = LazyLock::new(|| AwsTables::builtin().unwrap());

    fn found(statements: &Value) -> Vec<(ExposedTo, String)> {
        let account = AwsAccount {
            account_id: "111122223333".into(),
            resources: vec![AwsResource {
                arn: "arn:aws:sqs:eu-west-1:111122223333:jobs".into(),
                policy: policy(statements),
                location: place(),
            }],
            ..AwsAccount::default()
        };
        let own = BTreeSet::from(["222233334444".to_owned()]);
        exposures(&account, &TABLES, &own)
            .into_iter()
            .map(|open| (open.to, open.principal))
            .collect()
    }

    fn allow(principal: &Value, condition: &Value) -> Value {
        json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Principal": principal, "Condition": condition})
    }

    #[test]
    fn anyone_is_anyone_unless_a_condition_binds_who_asks() {
        for (condition, open) in [
            (json!({}), true),
            (json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), true),
            (json!({"Bool": {"aws:SecureTransport": "true"}}), true),
            (
                json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
                false,
            ),
            (
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:t"}}),
                false,
            ),
            (
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:*:*:*:*"}}),
                true,
            ),
            (json!({"StringLike": {"aws:PrincipalArn": "*"}}), true),
            (json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}), false),
        ] {
            let list = found(&allow(&json!("*"), &condition));
            assert_eq!(!list.is_empty(), open, "{condition}");
        }
    }

    #[test]
    fn a_block_keeps_everybody_out_and_from_a_public_policy_the_named_too() {
        let block = |bucket: Option<&str>, restrict| AwsPublicAccessBlock {
            bucket: bucket.map(str::to_owned),
            ignore_acls: restrict,
            restrict,
        };
        let statement = json!({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Principal": "*"});
        let stranger = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
            "Principal": {"AWS": "arn:aws:iam::999988887777:root"}});
        let arn = "arn:aws:s3:::site".to_owned();
        let found_in = |statements: Value, blocks: Vec<AwsPublicAccessBlock>| {
            let account = AwsAccount {
                account_id: "111122223333".into(),
                resources: vec![AwsResource {
                    arn: arn.clone(),
                    policy: policy(&statements),
                    location: place(),
                }],
                resource_grants: vec![AwsResourceGrant {
                    arn: arn.clone(),
                    statement: statement.clone(),
                    location: place(),
                }],
                public_access_blocks: blocks,
                ..AwsAccount::default()
            };
            let list = exposures(&account, &TABLES, &BTreeSet::new());
            let open = list.iter().filter(|one| one.to == ExposedTo::Anyone);
            (
                open.count(),
                list.iter().any(|one| one.unblocked),
                list.len(),
            )
        };
        let found = |blocks| found_in(json!([statement, stranger]), blocks);
        // The same statement in the policy and in the access list is told once.
        assert_eq!(found(Vec::new()), (1, false, 2));
        assert_eq!(found(vec![block(None, false)]), (1, false, 2));
        let neither = vec![block(None, false), block(Some("site"), false)];
        assert_eq!(found(neither), (1, true, 2));
        assert_eq!(found(vec![block(None, true)]).0, 0);
        assert_eq!(found(vec![block(Some("site"), true)]), (0, false, 0));
        let blocked = || vec![block(Some("site"), true)];
        assert_eq!(found_in(stranger.clone(), blocked()), (0, false, 1));
        assert_eq!(found(vec![block(Some("other"), true)]).0, 1);
    }

    #[test]
    fn a_deny_to_the_others_binds_everyone() {
        let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}});
        assert_eq!(found(&json!([allow(&json!("*"), &json!({})), deny])), []);
    }

    #[test]
    fn services_are_bound_by_account_where_they_tell_it() {
        let s3 = json!({"Service": "s3.amazonaws.com"});
        assert_eq!(
            found(&allow(&s3, &json!({}))),
            [(ExposedTo::Service, "s3.amazonaws.com".to_owned())]
        );
        let own = json!({"StringEquals": {"aws:SourceAccount": "111122223333"}});
        assert_eq!(found(&allow(&s3, &own)), []);
        assert_eq!(
            found(&allow(&json!({"Service": "ec2.amazonaws.com"}), &json!({}))),
            []
        );
    }

    #[test]
    fn accounts_of_ones_own_are_no_strangers() {
        let of = |id: &str| json!({"AWS": format!("arn:aws:iam::{id}:root")});
        assert_eq!(found(&allow(&of("111122223333"), &json!({}))), []);
        assert_eq!(found(&allow(&of("222233334444"), &json!({}))), []);
        assert_eq!(found(&allow(&of("999988887777"), &json!({}))).len(), 1);
    }
}
