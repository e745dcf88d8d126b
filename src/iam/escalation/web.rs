//! Ways among those who are nowhere near full control: whom each can become, and what that one may do beyond it.
//!
//! Who can become somebody on the way to full control is on that way too, so what is left reaches only its like. The steps
//! between those are worked out once, and each is walked from as far as they lead.

use super::best::{Found, likeliest};
use super::field::{Field, Node};
use super::lists::Lists;
use super::probe::{Class, Probe};
use super::search::{Edge, End, Ranks};
use super::steps::{Gain, Way, way};
use super::{MAX_STEPS, MAX_TRIALS};
use crate::model::EscalationGoal;
use crate::rules::aws::EscalationKind;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// One step to somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hop {
    rule: usize,
    class: Class,
    target: usize,
}

/// How somebody was reached: how surely, in how many steps, and the last of them with whom it starts from.
#[derive(Clone, Copy)]
struct Reached {
    class: Class,
    steps: u32,
    hop: Hop,
    from: Option<usize>,
}

/// The steps of everybody who has no way to full control.
#[derive(Default)]
pub(super) struct Web {
    hops: Vec<Vec<Hop>>,
}

impl Web {
    /// `position` is everybody's place in the order in which targets are tried.
    pub(super) fn of(field: &Field<'_, '_>, ranks: &Ranks, position: &[usize]) -> Self {
        let unranked = |index: &usize| ranks.get(*index).is_some_and(Option::is_none);
        let mut left: Vec<usize> = (0..field.nodes.len()).filter(unranked).collect();
        left.sort_by_key(|index| position.get(*index).copied());
        let lists = Lists::of(field, left.into_iter());
        let hops = field
            .nodes
            .par_iter()
            .enumerate()
            .map(|(index, node)| {
                if node.is_group() || !unranked(&index) {
                    return Vec::new();
                }
                let rules = node.rules.iter();
                rules
                    .flat_map(|rule| hops(field, node, *rule, &lists, (ranks, position)))
                    .collect()
            })
            .collect();
        Self { hops }
    }

    /// The best that one rule opens to somebody without a way to full control.
    pub(super) fn best(
        &self,
        field: &Field<'_, '_>,
        start: usize,
        rule: usize,
        position: &[usize],
    ) -> Option<Found> {
        let node = field.nodes.get(start)?;
        let reached = self.reached(start, rule);
        let worth = |(index, reached): (&usize, &Reached)| {
            let more = more(node, field.nodes.get(*index)?)?;
            let place = position.get(*index).copied();
            Some((
                Reverse(more.goal),
                reached.class,
                Reverse((more.tier, more.kinds)),
                reached.steps,
                place,
                *index,
            ))
        };
        let (goal, class, _, steps, _, end) = reached.iter().filter_map(worth).min()?;
        let mut edges = Vec::new();
        let mut at = Some(end);
        while let Some(step) = at.and_then(|index| reached.get(&index)) {
            edges.push(Edge {
                rule: step.hop.rule,
                class: step.hop.class,
                end: End::Become(step.hop.target),
            });
            at = step.from;
        }
        let edge = edges.pop()?;
        edges.reverse();
        Some(Found {
            goal: goal.0,
            class,
            steps,
            edge,
            onward: edges,
        })
    }

    /// Everybody whom a node reaches with one rule first: the surest way to each, then the shortest.
    fn reached(&self, start: usize, rule: usize) -> BTreeMap<usize, Reached> {
        let mut known: BTreeMap<usize, Reached> = BTreeMap::new();
        let mut done = BTreeSet::from([start]);
        let mut next: BTreeSet<(Class, u32, usize)> = BTreeSet::new();
        let meet = |known: &mut BTreeMap<usize, Reached>,
                    next: &mut BTreeSet<(Class, u32, usize)>,
                    new: Reached| {
            let target = new.hop.target;
            let old = known.get(&target).map(|old| (old.class, old.steps));
            if target == start || old.is_some_and(|old| old <= (new.class, new.steps)) {
                return;
            }
            if let Some((class, steps)) = old {
                next.remove(&(class, steps, target));
            }
            next.insert((new.class, new.steps, target));
            known.insert(target, new);
        };
        for hop in self.from(start).filter(|hop| hop.rule == rule) {
            let first = Reached {
                class: hop.class,
                steps: 1,
                hop: *hop,
                from: None,
            };
            meet(&mut known, &mut next, first);
        }
        while let Some((class, steps, at)) = next.pop_first() {
            if !done.insert(at) || steps >= MAX_STEPS || done.len() > MAX_TRIALS {
                continue;
            }
            for hop in self.from(at).filter(|hop| !done.contains(&hop.target)) {
                let further = Reached {
                    class: class.max(hop.class),
                    steps: steps + 1,
                    hop: *hop,
                    from: Some(at),
                };
                meet(&mut known, &mut next, further);
            }
        }
        known
    }

    fn from(&self, index: usize) -> impl Iterator<Item = &Hop> {
        self.hops.get(index).into_iter().flatten()
    }
}

/// What somebody may do beyond somebody else.
struct More {
    goal: EscalationGoal,
    tier: u8,
    /// Kinds of power it has and the other lacks.
    kinds: usize,
}

fn more(node: &Node<'_, '_>, other: &Node<'_, '_>) -> Option<More> {
    let kinds = node.power.lacks_of(&other.power).len();
    let goal = if other.strength.tier > node.strength.tier {
        EscalationGoal::Principal
    } else if kinds > 0 {
        EscalationGoal::Peer
    } else {
        return None;
    };
    Some(More {
        goal,
        tier: other.strength.tier,
        kinds,
    })
}

/// The steps of one rule: to those who may do more, and to those who go on from there.
fn hops<'w, 'a>(
    field: &Field<'w, 'a>,
    node: &Node<'w, 'a>,
    index: usize,
    lists: &Lists<'_>,
    (ranks, position): (&Ranks, &[usize]),
) -> Vec<Hop> {
    let Some(rule) = field.tables.escalation.get(index) else {
        return Vec::new();
    };
    let mut probe = Probe::default();
    if way(rule) != Way::Target(Gain::Become) || !field.prepared(node, rule, &mut probe) {
        return Vec::new();
    }
    let mut out = Vec::new();
    // Of those who are worth the same and lead no further, one is enough.
    let mut alike = BTreeSet::new();
    for run in field.runs(node, rule, lists, Some(position)) {
        let run = if rule.kind == EscalationKind::Workload {
            likeliest(field, node, rule, run, ranks)
        } else {
            run
        };
        for target in run.take(MAX_TRIALS) {
            let Some(other) = field.nodes.get(target) else {
                continue;
            };
            let ends = other.rules.is_empty();
            if ends && more(node, other).is_none() {
                continue;
            }
            let power = (other.strength.tier, node.power.lacks_of(&other.power));
            if ends && alike.contains(&power) {
                continue;
            }
            let mut trial = probe.clone();
            if !field.reaches(node, rule, other, &mut trial) {
                continue;
            }
            if ends && trial.class == probe.class {
                alike.insert(power);
            }
            out.push(Hop {
                rule: index,
                class: trial.class,
                target,
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{OWN, account, allow, arn, paths_of, search, trust_of};
    use crate::iam::testing::{role, user};
    use crate::model::EscalationGoal as Goal;
    use serde_json::{Value, json};

    fn assumes(name: &str) -> Value {
        allow(&json!("sts:AssumeRole"), &json!(arn("role", name)))
    }

    fn reads() -> Value {
        allow(&json!("s3:GetObject"), &json!("arn:aws:s3:::payroll/*"))
    }

    fn open_to(name: &str, kind: &str) -> Value {
        trust_of(&json!({"AWS": arn(kind, name)}))
    }

    #[test]
    fn a_chain_to_other_access_is_told_step_by_step() {
        let start = user(OWN, "start", &assumes("first"));
        let first = role(OWN, "first", &open_to("start", "user"), &assumes("second"));
        let second = role(OWN, "second", &open_to("first", "role"), &assumes("reader"));
        let reader = role(OWN, "reader", &open_to("second", "role"), &reads());
        let ways = search(&[account(vec![start], vec![first, second, reader])]);
        let path = &paths_of(&ways, &arn("user", "start"))[0];
        assert_eq!(path.reaches, Goal::Peer);
        assert_eq!(path.target, Some(arn("role", "reader")));
        insta::assert_snapshot!(
            path.note,
            @"assumes another role that trusts it: `first` (on the way); then as `first` assumes another role that trusts it: `second` (on the way); then as `second` assumes another role that trusts it: `reader` (tier 2, reads stored data)"
        );
        assert!(ways[&arn("user", "start")].counts.is_none());
    }

    #[test]
    fn who_may_do_the_same_is_no_way() {
        let start = user(OWN, "start", &json!([assumes("reader"), reads()]));
        let reader = role(OWN, "reader", &open_to("start", "user"), &reads());
        let ways = search(&[account(vec![start], vec![reader])]);
        assert!(paths_of(&ways, &arn("user", "start")).is_empty());
    }

    #[test]
    fn a_stronger_end_further_on_is_preferred_and_a_deny_breaks_it() {
        let writes = allow(&json!("s3:*"), &json!("*"));
        let start = user(OWN, "start", &assumes("reader"));
        let both = json!([reads(), assumes("writer")]);
        let reader = role(OWN, "reader", &open_to("start", "user"), &both);
        let writer = role(OWN, "writer", &open_to("reader", "role"), &writes);
        let ways = search(&[account(vec![start.clone()], vec![reader, writer.clone()])]);
        let path = &paths_of(&ways, &arn("user", "start"))[0];
        assert_eq!(path.reaches, Goal::Principal);
        assert_eq!(path.target, Some(arn("role", "writer")));
        assert_eq!(path.steps.len(), 2);

        let deny = json!({"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": arn("role", "writer")});
        let denied = json!([reads(), assumes("writer"), deny]);
        let reader = role(OWN, "reader", &open_to("start", "user"), &denied);
        let ways = search(&[account(vec![start], vec![reader, writer])]);
        let path = &paths_of(&ways, &arn("user", "start"))[0];
        assert_eq!(path.reaches, Goal::Peer);
        assert_eq!(path.target, Some(arn("role", "reader")));
    }

    #[test]
    fn a_role_freed_of_its_boundary_is_worth_what_its_policies_say() {
        let both = json!(["iam:DeleteRolePermissionsBoundary", "sts:AssumeRole"]);
        let start = user(OWN, "start", &allow(&both, &json!("*")));
        let root = trust_of(&json!({"AWS": format!("arn:aws:iam::{OWN}:root")}));
        let strong = allow(&json!("*"), &json!("*"));
        let mut bounded = role(OWN, "bounded", &root, &strong);
        bounded.boundary = Some("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess".into());
        let ways = search(&[account(vec![start.clone()], vec![bounded.clone()])]);
        let path = paths_of(&ways, &arn("user", "start"))
            .iter()
            .find(|path| path.id == "x-032")
            .unwrap();
        assert_eq!(path.reaches, Goal::Administrator);
        assert_eq!(path.target, Some(arn("role", "bounded")));

        bounded.inline[0].document = crate::iam::testing::policy(&reads());
        let ways = search(&[account(vec![start], vec![bounded])]);
        let freed = paths_of(&ways, &arn("user", "start"))
            .iter()
            .find(|path| path.id == "x-032" && path.reaches == Goal::Administrator);
        assert!(freed.is_none());
    }
}
