//! Deciding one request: may this principal do this action on this resource?

use super::arn::ArnPattern;
use super::compile::{CompiledPolicy, CompiledStatement, ResourceItem, valid_action};
use super::condition::{self, Truth};
use super::context::Context;
use super::matcher;
use super::policy::{Effect, Selection};
use super::variables::{self, Resolved};

/// Answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Allowed, by these statements.
    Allowed(Vec<String>),
    /// Denied: by the statement named, else because nothing allows it.
    Denied(Option<String>),
    /// Allowed if what a scan cannot know turns out right; the conditions in words.
    DependsOn(Vec<String>),
}

impl Decision {
    /// How much it permits: denied, perhaps, allowed.
    pub const fn permits(&self) -> u8 {
        match self {
            Self::Denied(_) => 0,
            Self::DependsOn(_) => 1,
            Self::Allowed(_) => 2,
        }
    }
}

/// Decides one request against the policies of a principal (its own, its groups') and its boundary.
///
/// An explicit deny in any of them wins; else one of the policies and the boundary must both allow.
pub fn decide<'a>(
    policies: impl Iterator<Item = (&'a str, &'a CompiledPolicy)>,
    boundary: Option<&CompiledPolicy>,
    action: &str,
    resource: &str,
    context: &Context,
) -> Decision {
    let mut identity = Layer::default();
    for (label, policy) in policies {
        identity.add(label, policy, action, resource, context);
    }
    let limit = boundary.map(|policy| {
        let mut layer = Layer::default();
        layer.add("permission boundary", policy, action, resource, context);
        layer
    });
    for layer in std::iter::once(&identity).chain(&limit) {
        if let Some(denied) = &layer.denied {
            return Decision::Denied(Some(denied.clone()));
        }
    }
    let mut allowed = identity.allow;
    let mut open = identity.perhaps_denied;
    if let Some(layer) = limit {
        allowed = allowed.and(layer.allow);
        open.extend(layer.perhaps_denied);
        if layer.allow == Truth::Unknown {
            open.extend(layer.allow_conditions);
        }
    }
    if identity.allow == Truth::Unknown {
        open.extend(identity.allow_conditions);
    }
    open.sort();
    open.dedup();
    match allowed {
        Truth::No => Decision::Denied(None),
        Truth::Yes if open.is_empty() => Decision::Allowed(identity.allowed_by),
        _ => Decision::DependsOn(open),
    }
}

/// What one layer of policies says.
struct Layer {
    allow: Truth,
    allowed_by: Vec<String>,
    allow_conditions: Vec<String>,
    denied: Option<String>,
    perhaps_denied: Vec<String>,
}

impl Default for Layer {
    fn default() -> Self {
        Self {
            allow: Truth::No,
            allowed_by: Vec::new(),
            allow_conditions: Vec::new(),
            denied: None,
            perhaps_denied: Vec::new(),
        }
    }
}

impl Layer {
    fn add(
        &mut self,
        label: &str,
        policy: &CompiledPolicy,
        action: &str,
        resource: &str,
        context: &Context,
    ) {
        for statement in &policy.statements {
            let applies = applies(statement, action, resource, context);
            if applies == Truth::No {
                continue;
            }
            let name = format!("{label}, {}", statement.label);
            let words = || {
                statement
                    .conditions
                    .iter()
                    .map(super::policy::Condition::words)
            };
            match (statement.effect, applies) {
                (Effect::Deny, Truth::Yes) => self.denied = self.denied.take().or(Some(name)),
                (Effect::Deny, _) => self.perhaps_denied.push(format!(
                    "unless denied by {name} ({})",
                    words().collect::<Vec<_>>().join("; ")
                )),
                (Effect::Allow, truth) => {
                    self.allow = self.allow.or(truth);
                    if truth == Truth::Yes {
                        self.allowed_by.push(name);
                    } else {
                        self.allow_conditions.extend(words());
                    }
                }
            }
        }
    }
}

/// Whether a statement applies to a request.
pub fn applies(
    statement: &CompiledStatement,
    action: &str,
    resource: &str,
    context: &Context,
) -> Truth {
    if !names_action(statement, action) {
        return Truth::No;
    }
    let resource = names_resource(statement, resource, context);
    if resource == Truth::No {
        return Truth::No;
    }
    resource.and(condition::all_hold(
        &statement.conditions,
        context,
        statement.variables,
    ))
}

/// Whether the statement's action element matches `service:Action`.
pub fn names_action(statement: &CompiledStatement, action: &str) -> bool {
    let hit = statement
        .written
        .iter()
        .any(|pattern| action_matches(pattern, action));
    // A statement without any action element names none.
    if statement.inverted { !hit } else { hit }
}

/// Whether a written action pattern matches `service:Action`.
pub fn action_matches(pattern: &str, action: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let (Some((service, name)), Some((wanted, wanted_name))) =
        (pattern.split_once(':'), action.split_once(':'))
    else {
        return false;
    };
    valid_action(service, name)
        && service.eq_ignore_ascii_case(wanted)
        && matcher::matches_ignoring_case(name, wanted_name)
}

fn names_resource(statement: &CompiledStatement, resource: &str, context: &Context) -> Truth {
    let any = |items: &[ResourceItem]| {
        items.iter().fold(Truth::No, |truth, item| {
            truth.or(match item {
                ResourceItem::Pattern(pattern, _) => matches(pattern, resource),
                ResourceItem::Variable(text) => match variables::resolve(text, context) {
                    Resolved::Text(text) => ArnPattern::parse(&text)
                        .map_or(Truth::No, |pattern| matches(&pattern, resource)),
                    Resolved::Unknown(text) => ArnPattern::parse(&text)
                        .map_or(Truth::No, |pattern| {
                            matches(&pattern, resource).and(Truth::Unknown)
                        }),
                    Resolved::Never => Truth::No,
                },
            })
        })
    };
    match &statement.resources {
        Selection::Absent => Truth::No,
        Selection::Only(items) => any(items),
        Selection::Except(items) => any(items).negated(),
    }
}

fn matches(pattern: &ArnPattern, resource: &str) -> Truth {
    // A request that names no resource is written `*`; only the bare star matches it.
    if resource == "*" {
        return pattern.is_everything().into();
    }
    pattern.matches(resource).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::policy::Policy;
    use crate::rules::aws::AwsTables;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::sync::LazyLock;

    static TABLES: LazyLock<AwsTables> = LazyLock::new(|| AwsTables::builtin().unwrap());

    fn compiled(statements: &Value) -> CompiledPolicy {
        CompiledPolicy::new(
            Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements})),
            &TABLES.actions,
        )
    }

    fn ask(statements: &Value, boundary: Option<&Value>, action: &str, resource: &str) -> Decision {
        let mut context = Context::default();
        context.set("aws:username", "ana");
        let policy = compiled(statements);
        let boundary = boundary.map(compiled);
        decide(
            std::iter::once(("p", &policy)),
            boundary.as_ref(),
            action,
            resource,
            &context,
        )
    }

    #[test]
    fn explicit_deny_wins_and_boundaries_only_limit() {
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let s3 = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        let nothing = json!([]);
        assert_eq!(ask(&all, None, "iam:CreateUser", "*").permits(), 2);
        assert_eq!(ask(&all, Some(&s3), "iam:CreateUser", "*").permits(), 0);
        assert_eq!(
            ask(&nothing, Some(&all), "iam:CreateUser", "*").permits(),
            0
        );
        let deny =
            json!([all, {"Sid": "No", "Effect": "Deny", "Action": "iam:*", "Resource": "*"}]);
        assert_eq!(
            ask(&deny, None, "IAM:createuser", "*"),
            Decision::Denied(Some("p, statement `No`".into()))
        );
        // A boundary may be written with NotAction.
        let not_iam = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
        assert_eq!(
            ask(&all, Some(&not_iam), "s3:GetObject", "arn:aws:s3:::b/k").permits(),
            2
        );
        assert_eq!(
            ask(&all, Some(&not_iam), "iam:CreateUser", "*").permits(),
            0
        );
    }

    #[test]
    fn unknown_conditions_are_kept() {
        let mfa = json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*",
             "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]);
        let Decision::DependsOn(words) = ask(&mfa, None, "s3:PutObject", "arn:aws:s3:::b/k") else {
            panic!()
        };
        assert_eq!(
            words,
            ["unless denied by p, statement 2 (BoolIfExists aws:MultiFactorAuthPresent = false)"]
        );
        assert_eq!(ask(&mfa, None, "iam:CreateUser", "*").permits(), 2);
    }

    #[test]
    fn self_service_reaches_only_oneself() {
        let own = json!({"Effect": "Allow", "Action": "iam:CreateAccessKey",
            "Resource": "arn:aws:iam::*:user/${aws:username}"});
        assert_eq!(
            ask(&own, None, "iam:CreateAccessKey", "arn:aws:iam::1:user/ana").permits(),
            2
        );
        assert_eq!(
            ask(&own, None, "iam:CreateAccessKey", "arn:aws:iam::1:user/eve").permits(),
            0
        );
    }

    #[test]
    fn unknown_actions_match_literally() {
        let new = json!({"Effect": "Allow", "Action": "new:Do*", "Resource": "*"});
        assert_eq!(ask(&new, None, "new:DoIt", "*").permits(), 2);
        assert_eq!(ask(&new, None, "new:Other", "*").permits(), 0);
    }

    #[test]
    fn a_deny_on_one_resource_does_not_stop_actions_without_resources() {
        let policy = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b"}]);
        assert_eq!(ask(&policy, None, "s3:ListAllMyBuckets", "*").permits(), 2);
        assert_eq!(
            ask(&policy, None, "s3:ListBucket", "arn:aws:s3:::b").permits(),
            0
        );
    }

    fn statement(effect: &'static str) -> impl Strategy<Value = Value> {
        (
            prop_oneof![Just("Action"), Just("NotAction")],
            prop_oneof![Just("*"), Just("s3:*"), Just("s3:Get*"), Just("iam:PassRole"), Just("x:Y")],
            prop_oneof![Just("Resource"), Just("NotResource")],
            prop_oneof![Just("*"), Just("arn:aws:s3:::b/*"), Just("arn:aws:iam::1:role/${aws:username}")],
            prop_oneof![
                Just(json!({})),
                Just(json!({"Bool": {"aws:MultiFactorAuthPresent": true}})),
                Just(json!({"StringEquals": {"aws:username": "ana"}}))
            ],
        )
            .prop_map(move |(a, action, r, resource, condition)| {
                json!({"Effect": effect, a: action, r: resource, "Condition": condition})
            })
    }

    proptest! {
        #[test]
        fn denies_only_take_away_and_allows_only_add(
            base in prop::collection::vec(prop_oneof![statement("Allow"), statement("Deny")], 0..4),
            deny in statement("Deny"), allow in statement("Allow"),
            boundary in prop::option::of(statement("Allow")),
            action in prop_oneof![Just("s3:GetObject"), Just("iam:PassRole"), Just("x:Y"), Just("ec2:RunInstances")],
            resource in prop_oneof![Just("arn:aws:s3:::b/k"), Just("arn:aws:iam::1:role/ana"), Just("*")],
        ) {
            let with = |extra: &Value| {
                let mut list = base.clone();
                list.push(extra.clone());
                ask(&Value::from(list), boundary.as_ref(), action, resource).permits()
            };
            let before = ask(&Value::from(base.clone()), boundary.as_ref(), action, resource).permits();
            prop_assert!(with(&deny) <= before);
            prop_assert!(with(&allow) >= before);
            let unbounded = ask(&Value::from(base.clone()), None, action, resource).permits();
            prop_assert!(before <= unbounded);
        }
    }
}
