//! What each rule opens to one principal at best, once everybody's rank is known.

use super::field::{Field, Node};
use super::lists::Lists;
use super::probe::{Class, Probe};
use super::search::{Edge, End, Ranks, changes};
use super::steps::{Gain, Run, Way, way};
use super::web::Web;
use super::{MAX_STEPS, MAX_TRIALS};
use crate::model::EscalationGoal;
use crate::rules::aws::{EscalationKind, EscalationRule};
use std::cmp::Reverse;

/// The best that one rule opens.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub goal: EscalationGoal,
    pub class: Class,
    pub steps: u32,
    pub edge: Edge,
    /// The steps after it, where they lead past nobody on the way to full control.
    pub onward: Vec<Edge>,
}

impl Found {
    /// Better ones come first.
    pub(super) fn order(&self) -> (Reverse<EscalationGoal>, Class, u32) {
        (Reverse(self.goal), self.class, self.steps)
    }
}

/// What has been found out about everybody.
pub(super) struct Chart<'f> {
    /// How far each is from full control.
    pub ranks: Ranks,
    /// Nearest to full control first, then by what they can do.
    lists: Lists<'f>,
    /// Places in that order.
    position: Vec<usize>,
    web: Web,
}

impl<'f> Chart<'f> {
    pub(super) fn of(field: &'f Field<'_, '_>, ranks: Ranks) -> Self {
        let mut order: Vec<usize> = (0..field.nodes.len()).collect();
        order.sort_by_cached_key(|index| {
            let node = field.nodes.get(*index);
            let rank = ranks.get(*index).and_then(Option::as_ref);
            (
                rank.map_or((true, Class::Unseen, 0), |rank| {
                    (false, rank.class, rank.steps)
                }),
                Reverse(node.map_or(0, |node| node.strength.tier)),
                node.map_or("", |node| node.arn).to_owned(),
            )
        });
        let mut position = vec![0; order.len()];
        for (place, index) in order.iter().enumerate() {
            if let Some(slot) = position.get_mut(*index) {
                *slot = place;
            }
        }
        Self {
            web: Web::of(field, &ranks, &position),
            lists: Lists::of(field, order.into_iter()),
            position,
            ranks,
        }
    }
}

/// The best that one rule opens to a node.
pub(super) fn best<'w, 'a>(
    field: &Field<'w, 'a>,
    node: &Node<'w, 'a>,
    index: usize,
    chart: &Chart<'_>,
    may_change: bool,
) -> Option<Found> {
    let rule = field.tables.escalation.get(index)?;
    let mut probe = Probe::default();
    let found = |goal, class, steps, end| Found {
        goal,
        class,
        steps,
        edge: Edge {
            rule: index,
            class,
            end,
        },
        onward: Vec::new(),
    };
    match way(rule) {
        Way::Itself => {
            let goal = worth(node, node)?;
            field.itself(node, rule, &mut probe)?;
            Some(found(goal, filled(node, probe.class), 1, End::Itself))
        }
        Way::Account => field
            .prepared(node, rule, &mut probe)
            .then(|| found(EscalationGoal::Principal, probe.class, 1, End::Account)),
        Way::Target(Gain::Become) => {
            let own = field.by_arn.get(node.arn).copied();
            match own {
                // Whom a change has made another has other ways than the web tells.
                Some(own) if may_change && chart.ranks.get(own).is_some_and(Option::is_none) => {
                    chart.web.best(own, index, &chart.position)
                }
                _ => become_another(field, node, index, rule, chart),
            }
        }
        Way::Target(Gain::Everything) => {
            if !field.prepared(node, rule, &mut probe) {
                return None;
            }
            let mut best: Option<Found> = None;
            let runs = field.runs(node, rule, &chart.lists, Some(&chart.position));
            for target in runs.into_iter().flat_map(|run| run.take(MAX_TRIALS)) {
                let Some(other) = field.nodes.get(target) else {
                    continue;
                };
                let mut trial = probe.clone();
                let Some(goal) = worth(node, other) else {
                    continue;
                };
                if !field.reaches(node, rule, other, &mut trial) {
                    continue;
                }
                let end = End::Everything(target);
                keep(&mut best, found(goal, filled(other, trial.class), 1, end));
                if best.as_ref().is_some_and(|best| {
                    best.goal == EscalationGoal::Administrator && best.class == Class::Open
                }) {
                    break;
                }
            }
            best
        }
        Way::Joined | Way::Freed | Way::FreedOther | Way::Version => {
            if !may_change {
                return None;
            }
            let own = field.by_arn.get(node.arn).copied();
            let mut best: Option<Found> = None;
            for (change, after, trial) in changes(field, node, index) {
                let next = after
                    .rules
                    .iter()
                    .filter(|_| !after.strength.admin)
                    .filter_map(|rule| self::best(field, &after, *rule, chart, false))
                    .filter(|next| next.goal == EscalationGoal::Administrator)
                    .filter(|next| {
                        !next
                            .edge
                            .next()
                            .is_some_and(|to| passes(&chart.ranks, to, own))
                    })
                    .min_by_key(Found::order);
                let (goal, class, steps) = match &next {
                    _ if after.strength.admin => (
                        EscalationGoal::Administrator,
                        if after.strength.certain {
                            trial.class
                        } else {
                            trial.class.max(Class::Conditional)
                        },
                        1,
                    ),
                    Some(next) => (next.goal, next.class.max(trial.class), next.steps + 1),
                    None if after.strength.tier > node.strength.tier => {
                        (EscalationGoal::Principal, trial.class, 1)
                    }
                    None => continue,
                };
                let end = End::Changed(change, next.map(|next| Box::new(next.edge)));
                keep(&mut best, found(goal, class, steps, end));
            }
            best
        }
    }
}

fn become_another<'w, 'a>(
    field: &Field<'w, 'a>,
    node: &Node<'w, 'a>,
    index: usize,
    rule: &EscalationRule,
    chart: &Chart<'_>,
) -> Option<Found> {
    let mut probe = Probe::default();
    if !field.prepared(node, rule, &mut probe) {
        return None;
    }
    let own = field.by_arn.get(node.arn).copied();
    let mut best: Option<Found> = None;
    for run in field.runs(node, rule, &chart.lists, Some(&chart.position)) {
        let run = if rule.kind == EscalationKind::Workload {
            likeliest(field, node, rule, run, &chart.ranks)
        } else {
            run
        };
        for target in run.take(MAX_TRIALS) {
            let Some(other) = field.nodes.get(target) else {
                continue;
            };
            let rank = chart.ranks.get(target).and_then(Option::as_ref);
            let (goal, class, steps) = match rank {
                // A way that leads back through the node itself is no way.
                Some(_) if passes(&chart.ranks, target, own) => continue,
                Some(rank) => (EscalationGoal::Administrator, rank.class, rank.steps + 1),
                None if other.strength.tier > node.strength.tier => {
                    (EscalationGoal::Principal, Class::Open, 1)
                }
                None => break,
            };
            let least = (Reverse(goal), class.max(probe.class), steps);
            if best.as_ref().is_some_and(|best| best.order() <= least) {
                break;
            }
            let mut trial = probe.clone();
            if !field.reaches(node, rule, other, &mut trial) {
                continue;
            }
            let edge = Edge {
                rule: index,
                class: trial.class,
                end: End::Become(target),
            };
            keep(
                &mut best,
                Found {
                    goal,
                    class: trial.class.max(class),
                    steps,
                    edge,
                    onward: Vec::new(),
                },
            );
        }
    }
    best
}

/// Whether a target is a node, or passes it on its own way to full control.
fn passes(ranks: &Ranks, target: usize, node: Option<usize>) -> bool {
    let mut at = target;
    for _ in 0..MAX_STEPS {
        if Some(at) == node {
            return true;
        }
        let rank = ranks.get(at).and_then(Option::as_ref);
        match rank
            .and_then(|rank| rank.edge.as_ref())
            .and_then(Edge::next)
        {
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}

fn keep(best: &mut Option<Found>, found: Found) {
    if best
        .as_ref()
        .is_none_or(|known| found.order() < known.order())
    {
        *best = Some(found);
    }
}

/// What being given everything is worth to a node, as itself or as another.
fn worth(node: &Node<'_, '_>, as_whom: &Node<'_, '_>) -> Option<EscalationGoal> {
    if as_whom.ceiling.admin {
        Some(EscalationGoal::Administrator)
    } else if as_whom.ceiling.tier > node.strength.tier {
        Some(EscalationGoal::Principal)
    } else {
        None
    }
}

/// How sure it is that somebody given everything has it.
fn filled(node: &Node<'_, '_>, class: Class) -> Class {
    if node.ceiling.admin && !node.ceiling.certain {
        class.max(Class::Conditional)
    } else {
        class
    }
}

/// Of the roles that are worth the same, the one called most like what the actions reach comes first: what runs with a
/// role is often called like it.
pub(super) fn likeliest<'s, 'w, 'a>(
    field: &'s Field<'w, 'a>,
    node: &Node<'w, 'a>,
    rule: &EscalationRule,
    run: Run<'s>,
    ranks: &Ranks,
) -> Run<'s> {
    let names: Vec<String> = rule
        .indices
        .iter()
        .filter_map(|action| node.patterns(*action))
        .flatten()
        .map(|pattern| {
            let name = pattern.resource().rsplit(['/', ':']).next();
            name.unwrap_or_default().trim_matches('*').to_owned()
        })
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        return run;
    }
    let worth = |index: &usize| {
        let rank = ranks.get(*index).and_then(Option::as_ref);
        let tier = field.nodes.get(*index).map(|node| node.strength.tier);
        (rank.map(|rank| (rank.class, rank.steps)), tier)
    };
    let mut tried: Vec<usize> = run.take(MAX_TRIALS).collect();
    let first = tried.first().map(worth);
    let alike = tried
        .iter()
        .take_while(|index| Some(worth(index)) == first)
        .count();
    if let Some(same) = tried.get_mut(..alike) {
        same.sort_by_key(|index| {
            let name = field.nodes.get(*index).map_or("", |node| node.name);
            Reverse(names.iter().map(|wanted| common(name, wanted)).max())
        });
    }
    Box::new(tried.into_iter())
}

fn common(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count()
}
