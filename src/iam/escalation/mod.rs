//! Escalation: permissions that lead to more permissions, as ways through the accounts of a scan.
//!
//! Users and roles are nodes, what one can do to become another, or to give itself more, is a step. Every step is put to
//! the evaluation (`World::ask`) request by request, so conditions, boundaries, control policies and denies that break it
//! do break it. How far everybody is from full control is worked out once ([`search`]); then each principal is told what
//! every rule opens to it at best ([`best`]), or that it holds a permission with nothing to use it on ([`hold`]).

mod best;
mod field;
mod hold;
mod lists;
mod probe;
mod search;
mod steps;
mod tell;
#[cfg(test)]
mod tests;
mod web;

use super::power::{Masks, Power};
use super::world::World;
use crate::model::{EscalationGoal, EscalationPath};
use best::{Chart, Found, best};
use field::{Field, Node};
use probe::Class;
use rayon::prelude::*;
use std::collections::BTreeMap;

const ASSUME_ROLE: &str = "sts:AssumeRole";
const PASS_ROLE: &str = "iam:PassRole";
/// Steps of one way at most.
const MAX_STEPS: u32 = 16;
/// Targets tried for one rule of one principal at most; those nearest to full control are tried first.
const MAX_TRIALS: usize = 512;
/// Ways of one principal whose steps are kept.
const MAX_WITH_STEPS: usize = 8;
/// Permissions without anything to use them on that are told of one principal.
const MAX_HELD: usize = 8;

/// What a principal can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Strength {
    /// 0–5.
    tier: u8,
    /// Full control of its account.
    admin: bool,
    /// Without any condition.
    certain: bool,
}

impl Strength {
    const fn full() -> Self {
        Self {
            tier: 5,
            admin: true,
            certain: true,
        }
    }
}

/// Ways of one principal, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ways {
    /// The ways, then permissions with nothing to use them on.
    pub paths: Vec<EscalationPath>,
    /// Position of the way that lifts the tier: open as far as anyone can tell.
    pub counts: Option<usize>,
}

/// What one principal can do by its policies.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    /// What they amount to.
    pub power: Power,
    /// A deny takes part of it away, depending on the resource or on conditions.
    pub partly_denied: bool,
}

/// Ways of everybody, by ARN, and what everybody has without going any.
#[derive(Clone, Debug, Default)]
pub struct Escalations {
    ways: BTreeMap<String, Ways>,
    holdings: BTreeMap<String, Holding>,
}

impl Escalations {
    /// Searches all accounts of a world.
    pub fn of(world: &World<'_>, masks: &Masks) -> Self {
        let field = Field::new(world, masks);
        let chart = Chart::of(&field, search::ranks(&field));
        let ways = field
            .nodes
            .par_iter()
            .filter(|node| !node.is_group() && !node.strength.admin && !node.rules.is_empty())
            .map(|node| (node.arn.to_owned(), ways(&field, node, &chart)))
            .filter(|(_, ways)| !ways.paths.is_empty())
            .collect();
        let holdings = field
            .nodes
            .into_iter()
            .filter(|node| !node.is_group())
            .map(|node| {
                let holding = Holding {
                    power: node.power,
                    partly_denied: node.partly_denied,
                };
                (node.arn.to_owned(), holding)
            })
            .collect();
        Self { ways, holdings }
    }

    /// What one principal has by its policies.
    pub fn holding(&self, arn: &str) -> Option<&Holding> {
        self.holdings.get(arn)
    }

    /// Ways of one principal.
    pub fn ways(&self, arn: &str) -> Option<&Ways> {
        self.ways.get(arn)
    }
}

fn ways<'w, 'a>(field: &Field<'w, 'a>, node: &Node<'w, 'a>, chart: &Chart<'_>) -> Ways {
    let mut found: Vec<_> = node
        .rules
        .iter()
        .filter_map(|rule| best(field, node, *rule, chart, true))
        .collect();
    found.sort_by_key(|found| (found.order(), found.edge.rule));
    // Who can run what it made itself needs nobody else to.
    let actions = |found: &Found| {
        let rule = field.tables.escalation.get(found.edge.rule);
        rule.map_or(&[][..], |rule| rule.actions.as_slice())
    };
    let later = |found: &Found| {
        let rule = field.tables.escalation.get(found.edge.rule);
        rule.is_some_and(|rule| rule.later)
    };
    let whole: Vec<Vec<&str>> = found
        .iter()
        .filter(|found| !later(found))
        .map(|found| actions(found).to_vec())
        .collect();
    found.retain(|found| {
        !later(found)
            || !whole
                .iter()
                .any(|more| actions(found).iter().all(|action| more.contains(action)))
    });
    let mut counts = found.iter().position(|found| {
        found.goal > EscalationGoal::Peer
            && (found.class < Class::Unseen || field.is_wide(node, found.edge.rule))
    });
    let mut paths: Vec<EscalationPath> = found
        .iter()
        .enumerate()
        .map(|(position, found)| {
            tell::path(field, node, found, &chart.ranks, position < MAX_WITH_STEPS)
        })
        .collect();
    if found.iter().all(|found| found.goal <= EscalationGoal::Peer) {
        let rules = node
            .rules
            .iter()
            .filter_map(|rule| field.tables.escalation.get(*rule));
        let held: Vec<EscalationPath> = rules.filter_map(|rule| field.held(node, rule)).collect();
        // Whoever may pass any role may pass every role made later.
        let passing = held
            .iter()
            .find(|path| path.actions.iter().any(|action| action == PASS_ROLE))
            .map(|path| path.id.clone());
        let known = paths.len();
        for path in held.into_iter().take(MAX_HELD) {
            if !paths.iter().take(known).any(|known| known.id == path.id) {
                paths.push(path);
            }
        }
        counts = passing.and_then(|id| paths.iter().position(|path| path.id == id));
    }
    Ways { paths, counts }
}

impl<'w, 'a> Field<'w, 'a> {
    /// Whether the actions of a rule are allowed on everything of their kind, so that what runs anywhere is reached.
    fn is_wide(&self, node: &Node<'w, 'a>, rule: usize) -> bool {
        use crate::iam::arn::Breadth;
        let rule = self.tables.escalation.get(rule);
        rule.is_some_and(|rule| {
            rule.indices.iter().all(|action| {
                node.patterns(*action).is_none_or(|patterns| {
                    patterns
                        .iter()
                        .any(|pattern| pattern.breadth() >= Breadth::Service)
                })
            })
        })
    }
}
