//! One question: may this caller do this action on this resource, as far as a context is known?

use super::arn::ArnPattern;
use super::caller::Caller;
use super::compile::{self, CompiledStatement, ResourceItem};
use super::condition::{self, Truth};
use super::context::Context;
use super::policy::{Effect, Selection};
use super::variables::{self, Resolved};
use crate::rules::aws::AwsTables;

/// What an action is asked to work on.
#[derive(Clone, Debug)]
pub enum Target<'r> {
    /// Nothing: the action knows no resources, so only `"Resource": "*"` speaks of it.
    Nothing,
    /// One resource.
    One(&'r str),
    /// Any or all of several, written with wildcards: an allow that reaches one of them counts, a deny only when it
    /// takes in all of them.
    Several(ArnPattern),
}

impl<'r> Target<'r> {
    /// Reads a resource; `without` says that the action knows no resources.
    pub fn parse(resource: &'r str, without: bool) -> Self {
        if without && (resource == "*" || resource.is_empty()) {
            return Self::Nothing;
        }
        let text = if resource.is_empty() { "*" } else { resource };
        match ArnPattern::parse(text) {
            Some(pattern) if super::matcher::has_wildcard(text) => Self::Several(pattern),
            _ => Self::One(resource),
        }
    }

    /// Resource segment of the ARN; `*` for anything.
    pub fn resource_in(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::One(arn) => arn.splitn(6, ':').nth(5),
            Self::Several(pattern) => Some(pattern.resource()),
        }
    }

    /// Account segment of the ARN.
    pub fn account_in(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::One(arn) => arn.split(':').nth(4),
            Self::Several(pattern) => Some(pattern.account()),
        }
    }
}

/// One question.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// `service:Action`.
    pub action: &'a str,
    /// Its index in the action table, if it is a known one.
    pub index: Option<usize>,
    /// On what.
    pub target: Target<'a>,
    /// Account the resource belongs to.
    pub account: &'a str,
    /// What is known of the request.
    pub context: &'a Context,
}

impl<'a> Request<'a> {
    /// Puts a question together.
    pub fn new(
        caller: &'a Caller,
        action: &'a str,
        resource: &'a str,
        account: &'a str,
        context: &'a Context,
        tables: &AwsTables,
    ) -> Self {
        let index = tables.actions.index_of(action);
        let without = index.is_some_and(|index| tables.actions.without_resource().contains(index));
        Self {
            caller,
            action,
            index,
            target: Target::parse(resource, without),
            account,
            context,
        }
    }

    /// Says whether the action works on resources, whatever AWS lists.
    pub fn name_resources(&mut self, resource: &'a str, names: bool) {
        self.target = Target::parse(resource, !names);
    }

    /// Whether a statement's action, resource and conditions speak of this request. `own`: the policy stands at the
    /// resource, so a statement without a resource element speaks of that resource.
    pub fn meets(&self, statement: &CompiledStatement, own: bool) -> Truth {
        let acts = match self.index {
            Some(index) => statement.actions.contains(index),
            None => compile::names_action(statement, self.action),
        };
        if !acts {
            return Truth::No;
        }
        let resource = self.reaches(statement, own);
        if resource == Truth::No {
            return Truth::No;
        }
        resource.and(condition::all_hold(
            &statement.conditions,
            self.context,
            statement.variables,
        ))
    }

    fn reaches(&self, statement: &CompiledStatement, own: bool) -> Truth {
        let allow = statement.effect == Effect::Allow;
        match &statement.resources {
            Selection::Absent => own.into(),
            Selection::Only(items) => self.any(items, allow),
            // A variable without a value makes no statement speak of anything.
            Selection::Except(items) if self.has_void(items) => Truth::No,
            Selection::Except(items) => self.any(items, !allow).negated(),
        }
    }

    fn has_void(&self, items: &[ResourceItem]) -> bool {
        items.iter().any(|item| match item {
            ResourceItem::Variable(text) => {
                variables::resolve(text, self.context) == Resolved::Never
            }
            ResourceItem::Pattern(..) => false,
        })
    }

    /// Whether one of the items takes in the target; `part`: a common part of both is enough.
    fn any(&self, items: &[ResourceItem], part: bool) -> Truth {
        let mut truth = Truth::No;
        for item in items {
            truth = truth.or(match item {
                ResourceItem::Pattern(pattern, _) => self.takes_in(pattern, part),
                ResourceItem::Variable(text) => match variables::resolve(text, self.context) {
                    Resolved::Text(text) => ArnPattern::parse(&text)
                        .map_or(Truth::No, |pattern| self.takes_in(&pattern, part)),
                    Resolved::Unknown(text) => ArnPattern::parse(&text)
                        .map_or(Truth::No, |pattern| {
                            self.takes_in(&pattern, part).and(Truth::Unknown)
                        }),
                    Resolved::Never => Truth::No,
                },
            });
            if truth == Truth::Yes {
                break;
            }
        }
        truth
    }

    fn takes_in(&self, pattern: &ArnPattern, part: bool) -> Truth {
        match &self.target {
            Target::Nothing => pattern.is_everything().into(),
            Target::One(arn) => pattern.matches(arn).into(),
            Target::Several(asked) if part => pattern.intersects(asked).into(),
            Target::Several(asked) => pattern.covers(asked).into(),
        }
    }
}
