//! Policies made ready: action patterns as sets over the action table, resources as parsed patterns.
//!
//! Done once for each distinct document, whatever the number of principals that hold it.

use super::arn::{self, ArnPattern};
use super::matcher;
use super::policy::{Condition, Effect, Policy, PrincipalName, Selection, Statement};
use super::variables;
use crate::rules::aws::{ActionSet, ActionTable};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One resource of a statement.
#[derive(Clone, Debug)]
pub enum ResourceItem {
    /// A pattern, with those of the statement's actions that can work on it.
    Pattern(ArnPattern, Arc<ActionSet>),
    /// A pattern with policy variables, to be resolved for each principal.
    Variable(String),
}

/// A statement made ready.
#[derive(Clone, Debug)]
pub struct CompiledStatement {
    /// How people find it.
    pub label: String,
    /// Position in the document, from 0.
    pub index: usize,
    /// `Sid`, where it has one.
    pub sid: Option<String>,
    /// Whom a resource policy speaks of.
    pub principals: Selection<PrincipalName>,
    /// Effect.
    pub effect: Effect,
    /// Known actions it matches.
    pub actions: Arc<ActionSet>,
    /// Action patterns as written.
    pub written: Vec<String>,
    /// The written patterns are left out (`NotAction`).
    pub inverted: bool,
    /// Written patterns that match no known action: kept, and never taken as harmless.
    pub unknown: Vec<String>,
    /// Resources.
    pub resources: Selection<ResourceItem>,
    /// Resources as written.
    pub resources_written: Vec<String>,
    /// Conditions.
    pub conditions: Vec<Condition>,
    /// Policy variables are replaced.
    pub variables: bool,
}

/// A document made ready.
#[derive(Clone, Debug, Default)]
pub struct CompiledPolicy {
    /// Statements.
    pub statements: Vec<CompiledStatement>,
    /// What could not be read or can never match.
    pub notices: Vec<String>,
}

impl CompiledPolicy {
    /// Makes a policy of a principal ready.
    pub fn new(policy: Policy, table: &ActionTable) -> Self {
        Self::ready(policy, table, false)
    }

    /// Makes a policy of a resource ready: its statements may leave the resource out.
    pub fn of_resource(policy: Policy, table: &ActionTable) -> Self {
        Self::ready(policy, table, true)
    }

    /// Whether one of its statements allows every action on every resource, whoever asks.
    pub fn allows_everything(&self) -> bool {
        self.statements.iter().any(|statement| {
            statement.effect == Effect::Allow
                && statement.conditions.is_empty()
                && !statement.inverted
                && statement.written.iter().any(|written| written == "*")
                && matches!(&statement.resources, Selection::Only(items) if items.iter().any(
                    |item| matches!(item, ResourceItem::Pattern(pattern, _) if pattern.is_everything())
                ))
        })
    }

    /// Whether one of its statements denies anything.
    pub fn denies(&self) -> bool {
        self.statements
            .iter()
            .any(|statement| statement.effect == Effect::Deny)
    }

    fn ready(policy: Policy, table: &ActionTable, own: bool) -> Self {
        let mut notices = policy.notices;
        let mut statements = Vec::with_capacity(policy.statements.len());
        for statement in policy.statements {
            statements.push(compile(
                statement,
                policy.variables,
                own,
                table,
                &mut notices,
            ));
        }
        Self {
            statements,
            notices,
        }
    }
}

fn compile(
    statement: Statement,
    variables: bool,
    own: bool,
    table: &ActionTable,
    notices: &mut Vec<String>,
) -> CompiledStatement {
    let label = statement.label();
    let mut matched = table.none().clone();
    let mut unknown = Vec::new();
    for pattern in statement.actions.values() {
        match add_matches(pattern, table, &mut matched) {
            Matched::Some => {}
            Matched::None => {
                notices.push(format!(
                    "{label} names an action AWS does not list: kept as unknown"
                ));
                unknown.push(pattern.clone());
            }
            Matched::Invalid => {
                notices.push(format!(
                    "{label} has an action pattern that matches nothing"
                ));
            }
        }
    }
    let inverted = matches!(statement.actions, Selection::Except(_));
    if inverted {
        let mut rest = table.all().clone();
        rest.remove(&matched);
        matched = rest;
        unknown.clear();
    }
    let actions = Arc::new(matched);
    let written = statement.resources.values().iter();
    let resources_written = written.map(|text| arn::shown(text).into_owned()).collect();
    let mut by_service: BTreeMap<String, Arc<ActionSet>> = BTreeMap::new();
    let mut read = |texts: Vec<String>| -> Vec<ResourceItem> {
        let mut items = Vec::with_capacity(texts.len());
        for text in texts {
            if variables && variables::has_variable(&text) {
                items.push(ResourceItem::Variable(text));
            } else if let Some(pattern) = ArnPattern::parse(&text) {
                let set = if pattern.is_everything() {
                    Arc::clone(&actions)
                } else {
                    Arc::clone(
                        by_service
                            .entry(pattern.service().to_owned())
                            .or_insert_with_key(|service| {
                                Arc::new(workable(&actions, service, table))
                            }),
                    )
                };
                items.push(ResourceItem::Pattern(pattern, set));
            } else {
                notices.push(format!(
                    "{label} has a resource that is no ARN and matches nothing"
                ));
            }
        }
        items
    };
    let resources = match statement.resources {
        Selection::Absent => {
            if !own {
                notices.push(format!("{label} names no resource and matches nothing"));
            }
            Selection::Absent
        }
        Selection::Only(texts) => Selection::Only(read(texts)),
        Selection::Except(texts) => Selection::Except(read(texts)),
    };
    notices.dedup();
    CompiledStatement {
        label,
        index: statement.index,
        sid: statement.sid,
        principals: statement.principals,
        effect: statement.effect,
        actions,
        written: statement.actions.values().to_vec(),
        inverted,
        unknown,
        resources,
        resources_written,
        conditions: statement.conditions,
        variables,
    }
}

/// Those actions that can work on a resource whose ARN has this service segment.
pub fn workable(actions: &ActionSet, service: &str, table: &ActionTable) -> ActionSet {
    let mut set = actions.clone();
    if matcher::has_wildcard(service) {
        set.remove(table.without_resource());
    } else if let Some(here) = table.on_arn_service(service) {
        let mut able = here.clone();
        able.unite(table.on_any_service());
        set.keep(&able);
    } else {
        // A service segment the table does not know: any action may mean it.
        set.remove(table.without_resource());
    }
    set
}

enum Matched {
    Some,
    None,
    Invalid,
}

/// Adds the known actions that one written pattern matches.
fn add_matches(pattern: &str, table: &ActionTable, set: &mut ActionSet) -> Matched {
    if pattern == "*" {
        set.unite(table.all());
        return Matched::Some;
    }
    let Some((service, name)) = pattern.split_once(':') else {
        return Matched::Invalid;
    };
    if !valid_action(service, name) {
        return Matched::Invalid;
    }
    let service = service.to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    if !matcher::has_wildcard(&name) {
        return match table.index_of(pattern) {
            Some(index) => {
                set.insert(index);
                Matched::Some
            }
            None => Matched::None,
        };
    }
    let Some(range) = table.service(&service) else {
        return Matched::None;
    };
    let mut any = false;
    for (index, known) in table.names(range.clone()) {
        if matcher::matches(&name, known) {
            set.insert(index);
            any = true;
        }
    }
    if any { Matched::Some } else { Matched::None }
}

/// Whether AWS would match an action pattern at all: no wildcard in the service, no comma, no blank.
pub fn valid_action(service: &str, name: &str) -> bool {
    let plain = |text: &str| !text.is_empty() && !text.contains([',', ' ', '\t', '\n', ':']);
    plain(service) && !matcher::has_wildcard(service) && plain(name)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::aws::AwsTables;
    use serde_json::json;

    fn one(statement: &serde_json::Value) -> (CompiledStatement, Vec<String>, AwsTables) {
        let tables = AwsTables::builtin().unwrap();
        let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statement}));
        let compiled = CompiledPolicy::new(policy, &tables.actions);
        (compiled.statements[0].clone(), compiled.notices, tables)
    }

    #[test]
    fn case_rules_and_invalid_patterns() {
        for (pattern, matches) in [
            ("S3:getobject", 1),
            ("*:Get*", 0),
            ("s3*:GetObject", 0),
            ("s3:GetObject,s3:PutObject", 0),
            (" s3:GetObject", 0),
            ("s3:GetObject ", 0),
            ("*", 22_321),
            ("iam:PassRol?", 1),
            ("nosuch:Thing", 0),
        ] {
            let (statement, ..) =
                one(&json!({"Effect": "Allow", "Action": pattern, "Resource": "*"}));
            assert_eq!(statement.actions.len(), matches, "{pattern}");
        }
    }

    #[test]
    fn unknown_actions_are_kept_and_invalid_ones_noted() {
        let (statement, notices, _) =
            one(&json!({"Effect": "Allow", "Action": ["new:Thing", "*:Get*"], "Resource": "*"}));
        assert_eq!(statement.unknown, ["new:Thing"]);
        assert_eq!(notices.len(), 2);
    }

    #[test]
    fn not_action_takes_everything_else_even_when_the_exception_is_invalid() {
        let (statement, _, tables) =
            one(&json!({"Effect": "Allow", "NotAction": ["iam:*", " "], "Resource": "*"}));
        assert!(
            !statement
                .actions
                .contains(tables.actions.index_of("iam:PassRole").unwrap())
        );
        assert!(
            statement
                .actions
                .contains(tables.actions.index_of("s3:GetObject").unwrap())
        );
        let (all, ..) = one(&json!({"Effect": "Allow", "NotAction": "", "Resource": "*"}));
        assert_eq!(all.actions.len(), tables.actions.len());
    }

    #[test]
    fn actions_that_cannot_work_on_a_resource_are_left_out() {
        let (statement, _, tables) =
            one(&json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/*"}));
        let Selection::Only(items) = &statement.resources else {
            panic!()
        };
        let ResourceItem::Pattern(_, set) = &items[0] else {
            panic!()
        };
        assert!(set.contains(tables.actions.index_of("s3:GetObject").unwrap()));
        assert!(!set.contains(tables.actions.index_of("s3:ListAllMyBuckets").unwrap()));
        assert!(!set.contains(tables.actions.index_of("iam:CreateUser").unwrap()));
    }
}
