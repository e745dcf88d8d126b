//! The search: how far everybody is from full control of an account, worked out once for all.
//!
//! Breadth first from the administrators backwards, first over steps that are open, then over those that hang on
//! conditions, last over those that need something nobody has seen. A principal is asked about each ring of those already
//! known, and about no others, until it has been placed.

use super::field::{Field, Node};
use super::lists::Lists;
use super::probe::{Class, Probe};
use super::steps::{Gain, Way, way};
use super::{MAX_STEPS, MAX_TRIALS};
use rayon::prelude::*;

/// One step as the search found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// Position of the rule.
    pub rule: usize,
    /// How sure the step is.
    pub class: Class,
    /// Where it ends.
    pub end: End,
}

impl Edge {
    /// Whom the step makes of those who have a way of their own from there.
    pub(super) fn next(&self) -> Option<usize> {
        match &self.end {
            End::Become(target) => Some(*target),
            End::Changed(_, next) => next.as_ref()?.next(),
            End::Itself | End::Everything(_) | End::Account => None,
        }
    }
}

/// Where a step ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At itself with all permissions that its limits leave.
    Itself,
    /// At another principal, as that one is.
    Become(usize),
    /// At another principal with all permissions that its limits leave.
    Everything(usize),
    /// At itself with other policies (in a group, without its boundary, with an older version) or at a role without the
    /// role's boundary. Then what that opens.
    Changed(Change, Option<Box<Edge>>),
    /// At the account.
    Account,
}

/// What changes about a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is in one more group.
    Joined(usize),
    /// Its boundary is gone.
    Freed,
    /// It is a role whose boundary is gone.
    FreedRole(usize),
    /// A policy is back at another version.
    Version { policy: String, version: String },
}

/// How far somebody is from full control.
#[derive(Clone, Debug)]
pub(super) struct Rank {
    pub class: Class,
    pub steps: u32,
    /// The first step; `None`: it has full control.
    pub edge: Option<Edge>,
}

/// Everybody's rank; `None`: no way to full control.
pub(super) type Ranks = Vec<Option<Rank>>;

/// What is searched for from one principal: one ring, at most this unsure.
#[derive(Clone, Copy)]
pub(super) struct Ring<'l, 'f> {
    /// Those in the ring.
    pub lists: &'l Lists<'f>,
    /// Everybody who can be given full control.
    pub fillable: &'l Lists<'f>,
    /// The ring of the administrators themselves.
    pub innermost: bool,
    pub class: Class,
    /// Position of the ring's members.
    pub step: u32,
}

/// Works out everybody's rank.
pub(super) fn ranks(field: &Field<'_, '_>) -> Ranks {
    let mut ranks: Ranks = field
        .nodes
        .iter()
        .map(|node| {
            (node.strength.admin && !node.is_group()).then_some(Rank {
                class: if node.strength.certain {
                    Class::Open
                } else {
                    Class::Conditional
                },
                steps: 0,
                edge: None,
            })
        })
        .collect();
    let fillable = Lists::of(
        field,
        (0..field.nodes.len()).filter(|index| {
            field
                .nodes
                .get(*index)
                .is_some_and(|node| node.ceiling.admin)
        }),
    );
    let mut open: Vec<usize> = (0..field.nodes.len())
        .filter(|index| ranks.get(*index).is_some_and(Option::is_none))
        .filter(|index| {
            field
                .nodes
                .get(*index)
                .is_some_and(|node| !node.rules.is_empty())
        })
        .collect();
    for class in [Class::Open, Class::Conditional, Class::Unseen] {
        let mut step = 0;
        let mut farthest = 0;
        while step <= farthest && step < MAX_STEPS {
            let in_ring = |index: &usize| {
                ranks
                    .get(*index)
                    .and_then(Option::as_ref)
                    .is_some_and(|rank| rank.steps == step && rank.class <= class)
            };
            farthest = ranks
                .iter()
                .flatten()
                .filter(|rank| rank.class <= class)
                .map(|rank| rank.steps)
                .max()
                .unwrap_or(0);
            let lists = Lists::of(field, (0..field.nodes.len()).filter(in_ring));
            let ring = Ring {
                lists: &lists,
                fillable: &fillable,
                innermost: step == 0,
                class,
                step,
            };
            let found: Vec<(usize, Rank)> = open
                .par_iter()
                .filter_map(|index| {
                    let node = field.nodes.get(*index)?;
                    let edge = first(field, node, ring, &ranks, true)?;
                    let rank = Rank {
                        class: edge.class.max(class),
                        steps: step + 1,
                        edge: Some(edge),
                    };
                    Some((*index, rank))
                })
                .collect();
            if !found.is_empty() {
                farthest = farthest.max(step + 1);
            }
            for (index, rank) in found {
                if let Some(slot) = ranks.get_mut(index) {
                    *slot = Some(rank);
                }
            }
            open.retain(|index| ranks.get(*index).is_some_and(Option::is_none));
            step += 1;
        }
    }
    ranks
}

/// The first step found from a node into a ring.
fn first(
    field: &Field<'_, '_>,
    node: &Node<'_, '_>,
    ring: Ring<'_, '_>,
    ranks: &Ranks,
    may_change: bool,
) -> Option<Edge> {
    node.rules
        .iter()
        .find_map(|rule| step(field, node, *rule, ring, ranks, may_change))
}

/// A step of one rule into a ring.
fn step<'w, 'a>(
    field: &Field<'w, 'a>,
    node: &Node<'w, 'a>,
    index: usize,
    ring: Ring<'_, '_>,
    ranks: &Ranks,
    may_change: bool,
) -> Option<Edge> {
    let rule = field.tables.escalation.get(index)?;
    let mut probe = Probe::default();
    let edge = |probe: &Probe, end| {
        (probe.class <= ring.class).then_some(Edge {
            rule: index,
            class: probe.class,
            end,
        })
    };
    match way(rule) {
        Way::Itself => {
            if !ring.innermost || !node.ceiling.admin {
                return None;
            }
            field.itself(node, rule, &mut probe)?;
            if !node.ceiling.certain {
                probe.at_best(Class::Conditional);
            }
            edge(&probe, End::Itself)
        }
        Way::Target(gain) => {
            let lists = match gain {
                Gain::Become => ring.lists,
                Gain::Everything if ring.innermost => ring.fillable,
                Gain::Everything => return None,
            };
            if !field.prepared(node, rule, &mut probe) || probe.class > ring.class {
                return None;
            }
            let wanted = |target: usize| match gain {
                Gain::Everything => field.nodes.get(target).is_some_and(|x| x.ceiling.admin),
                Gain::Become => in_ring(ranks, target, ring),
            };
            let runs = field.runs(node, rule, lists, None);
            let mut candidates = runs
                .into_iter()
                .flat_map(|run| run.filter(|target| wanted(*target)).take(MAX_TRIALS));
            candidates.find_map(|target| {
                let mut trial = probe.clone();
                let other = field.nodes.get(target)?;
                if !field.reaches(node, rule, other, &mut trial) {
                    return None;
                }
                match gain {
                    Gain::Become => edge(&trial, End::Become(target)),
                    Gain::Everything => {
                        if !other.ceiling.certain {
                            trial.at_best(Class::Conditional);
                        }
                        edge(&trial, End::Everything(target))
                    }
                }
            })
        }
        Way::Joined | Way::Freed | Way::FreedOther | Way::Version if may_change => {
            changes(field, node, index)
                .into_iter()
                .find_map(|(change, after, trial)| {
                    if trial.class > ring.class {
                        return None;
                    }
                    let next = if after.strength.admin {
                        if !ring.innermost || (!after.strength.certain && ring.class == Class::Open)
                        {
                            return None;
                        }
                        None
                    } else {
                        Some(Box::new(first(field, &after, ring, ranks, false)?))
                    };
                    edge(&trial, End::Changed(change, next))
                })
        }
        Way::Account | Way::Joined | Way::Freed | Way::FreedOther | Way::Version => None,
    }
}

fn in_ring(ranks: &Ranks, target: usize, ring: Ring<'_, '_>) -> bool {
    ranks
        .get(target)
        .and_then(Option::as_ref)
        .is_some_and(|rank| rank.steps == ring.step && rank.class <= ring.class)
}

/// What a rule may change about a node, and the node afterwards.
pub(super) fn changes<'w, 'a>(
    field: &Field<'w, 'a>,
    node: &Node<'w, 'a>,
    index: usize,
) -> Vec<(Change, Node<'w, 'a>, Probe)> {
    const MAX_CHANGES: usize = 24;
    let Some(rule) = field.tables.escalation.get(index) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    match way(rule) {
        Way::Freed => {
            let mut probe = Probe::default();
            if field.itself(node, rule, &mut probe).is_some() {
                out.extend(field.freed(node).map(|after| (Change::Freed, after, probe)));
            }
        }
        Way::Version => {
            for (policy, _) in &node.policies {
                let versions = field.versions(node.account, policy);
                let mut probe = Probe::default();
                if versions.is_empty() || !field.all_on(node, rule, policy, &mut probe) {
                    continue;
                }
                for version in versions.iter().take(MAX_CHANGES) {
                    let change = Change::Version {
                        policy: policy.clone(),
                        version: version.id.clone(),
                    };
                    let after = field.with_version(node, policy, &version.document);
                    out.extend(after.map(|after| (change, after, probe.clone())));
                }
            }
        }
        Way::FreedOther => {
            let bounded = field.bounded.get(node.account).into_iter().flatten();
            for target in bounded.take(MAX_TRIALS) {
                let mut probe = Probe::default();
                let Some(role) = field.nodes.get(*target).filter(|_| out.len() < MAX_CHANGES)
                else {
                    break;
                };
                if !field.reaches(node, rule, role, &mut probe) {
                    continue;
                }
                let after = field
                    .freed(role)
                    .filter(|after| after.strength != role.strength || after.rules != role.rules);
                out.extend(after.map(|after| (Change::FreedRole(*target), after, probe)));
            }
        }
        Way::Joined if node.is_user() => {
            for target in field.groups.get(node.account).into_iter().flatten() {
                let mut probe = Probe::default();
                let Some(group) = field.nodes.get(*target).filter(|_| out.len() < MAX_CHANGES)
                else {
                    break;
                };
                if field.reaches(node, rule, group, &mut probe) {
                    let after = field.joined(node, group);
                    out.extend(after.map(|after| (Change::Joined(*target), after, probe)));
                }
            }
        }
        _ => {}
    }
    out
}
