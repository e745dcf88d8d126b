//! Ways among those who are nowhere near full control: whom each can become, and what that one may do beyond it.
//!
//! Who can become somebody on the way to full control is on that way too, so what is left reaches only its like. The steps
//! between those are worked out once, and each is walked from as far as they lead.

use super::best::{Found, likeliest};
use super::field::{Field, Node};
use super::lists::Lists;
use super::probe::{Class, Probe};
use super::search::{Edge, End, Ranks};
use super::steps::{Gain, Run, Way, way};
use super::{MAX_STEPS, MAX_TRIALS};
use crate::iam::power::Kinds;
use crate::model::EscalationGoal;
use crate::rules::aws::EscalationKind;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What somebody can do, as far as it is compared here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Reach {
    tier: u8,
    kinds: Kinds,
}

impl Reach {
    fn of(node: &Node<'_, '_>) -> Self {
        Self {
            tier: node.strength.tier,
            kinds: Kinds::of(&node.power),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            tier: self.tier.max(other.tier),
            kinds: self.kinds.and(other.kinds),
        }
    }

    /// What is here and not there; `None`: nothing.
    fn beyond(self, other: Self) -> Option<Self> {
        let more = Self {
            tier: if self.tier > other.tier { self.tier } else { 0 },
            kinds: self.kinds.beyond(other.kinds),
        };
        (more != Self::default()).then_some(more)
    }
}

/// One step to somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hop {
    rule: usize,
    class: Class,
    target: usize,
}

/// How somebody was reached: how surely, in how many steps, what all passed on the way can do, the last step and whom it
/// starts from.
#[derive(Clone, Copy)]
struct Reached {
    class: Class,
    steps: u32,
    reach: Reach,
    hop: Hop,
    from: Option<usize>,
}

/// The steps of everybody who has no way to full control.
#[derive(Default)]
pub(super) struct Web {
    own: Vec<Reach>,
    hops: Vec<Vec<Hop>>,
}

impl Web {
    /// `position` is everybody's place in the order in which targets are tried.
    ///
    /// First all are asked for steps to those who can do more, then for steps to those who have found any, until nobody
    /// finds more: who leads nowhere is never asked about.
    pub(super) fn of(field: &Field<'_, '_>, ranks: &Ranks, position: &[usize]) -> Self {
        let own: Vec<Reach> = field.nodes.iter().map(Reach::of).collect();
        let mut reach = own.clone();
        let mut hops: Vec<Vec<Hop>> = vec![Vec::new(); own.len()];
        let mut ring: Vec<usize> = (0..own.len())
            .filter(|index| ranks.get(*index).is_some_and(Option::is_none))
            .collect();
        let askers: Vec<(usize, &Node<'_, '_>)> = ring
            .iter()
            .filter_map(|index| Some((*index, field.nodes.get(*index)?)))
            .filter(|(_, node)| !node.is_group() && !node.rules.is_empty())
            .collect();
        for _ in 0..MAX_STEPS {
            ring.sort_by_key(|index| position.get(*index).copied());
            let asked = Asked {
                lists: Lists::of(field, ring.drain(..)),
                ranks,
                position,
                reach: &reach,
            };
            let found: Vec<(usize, Vec<Hop>)> = askers
                .par_iter()
                .map(|(index, node)| {
                    let rules = node.rules.iter();
                    let own = own.get(*index).copied().unwrap_or_default();
                    let hops = rules.flat_map(|rule| asked.hops(field, node, own, *rule));
                    (*index, hops.collect())
                })
                .collect();
            let before = reach.clone();
            for (index, new) in found {
                let known = |hop: &Hop| before.get(hop.target).copied().unwrap_or_default();
                let Some(slot) = reach.get_mut(index) else {
                    continue;
                };
                let all = new.iter().map(known).fold(*slot, Reach::and);
                if all != *slot {
                    *slot = all;
                    ring.push(index);
                }
                if let Some(slot) = hops.get_mut(index) {
                    slot.extend(new);
                }
            }
            if ring.is_empty() {
                break;
            }
        }
        Self { own, hops }
    }

    /// The best that one rule opens to somebody without a way to full control.
    pub(super) fn best(&self, start: usize, rule: usize, position: &[usize]) -> Option<Found> {
        let own = self.own.get(start).copied()?;
        let reached = self.reached(start, rule);
        let worth = |(index, reached): (&usize, &Reached)| {
            let more = reached.reach.beyond(own)?;
            let goal = if more.tier > 0 {
                EscalationGoal::Principal
            } else {
                EscalationGoal::Peer
            };
            let place = position.get(*index).copied();
            Some((
                Reverse(goal),
                reached.class,
                Reverse((more.tier, more.kinds.len())),
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

    /// Everybody whom a node reaches with one rule first: the surest way to each, of those the shortest.
    fn reached(&self, start: usize, rule: usize) -> BTreeMap<usize, Reached> {
        let mut known: BTreeMap<usize, Reached> = BTreeMap::new();
        let mut next: BTreeSet<(Class, u32, usize)> = BTreeSet::new();
        let mut done = BTreeSet::from([start]);
        let step = |hop: &Hop, before: Option<(usize, Reached)>| Reached {
            class: before.map_or(hop.class, |(_, before)| before.class.max(hop.class)),
            steps: before.map_or(0, |(_, before)| before.steps) + 1,
            reach: self
                .own
                .get(hop.target)
                .copied()
                .unwrap_or_default()
                .and(before.map_or_else(Reach::default, |(_, before)| before.reach)),
            hop: *hop,
            from: before.map(|(from, _)| from),
        };
        let mut meet: Vec<Reached> = self
            .from(start)
            .filter(|hop| hop.rule == rule)
            .map(|hop| step(hop, None))
            .collect();
        loop {
            for new in meet.drain(..) {
                let target = new.hop.target;
                let old = known.get(&target).map(|old| (old.class, old.steps));
                if target == start || old.is_some_and(|old| old <= (new.class, new.steps)) {
                    continue;
                }
                if let Some((class, steps)) = old {
                    next.remove(&(class, steps, target));
                }
                next.insert((new.class, new.steps, target));
                known.insert(target, new);
            }
            let Some((_, steps, at)) = next.pop_first() else {
                return known;
            };
            let before = known.get(&at).map(|before| (at, *before));
            if done.insert(at) && steps < MAX_STEPS && done.len() <= MAX_TRIALS {
                let further = self.from(at).filter(|hop| !done.contains(&hop.target));
                meet.extend(further.map(|hop| step(hop, before)));
            }
        }
    }

    fn from(&self, index: usize) -> impl Iterator<Item = &Hop> {
        self.hops.get(index).into_iter().flatten()
    }
}

/// Those who are asked about, and what each of them leads to.
struct Asked<'l, 'f> {
    lists: Lists<'f>,
    ranks: &'l Ranks,
    position: &'l [usize],
    reach: &'l [Reach],
}

impl Asked<'_, '_> {
    /// The steps of one rule to those who lead to more than a node has itself.
    fn hops<'w, 'a>(
        &self,
        field: &Field<'w, 'a>,
        node: &Node<'w, 'a>,
        own: Reach,
        index: usize,
    ) -> Vec<Hop> {
        let Some(rule) = field.tables.escalation.get(index) else {
            return Vec::new();
        };
        let mut probe = Probe::default();
        if way(rule) != Way::Target(Gain::Become) || !field.prepared(node, rule, &mut probe) {
            return Vec::new();
        }
        let mut out = Vec::new();
        // Of those who lead to the same, one is enough.
        let mut alike = BTreeSet::new();
        for run in field.runs(node, rule, &self.lists, Some(self.position)) {
            let mut run = run.filter(|target| self.more(*target, own).is_some());
            let run: Run<'_> = if rule.kind == EscalationKind::Workload {
                likeliest(field, node, rule, Box::new(run), self.ranks)
            } else {
                Box::new(run.by_ref())
            };
            for target in run.take(MAX_TRIALS) {
                let (Some(other), Some(more)) = (field.nodes.get(target), self.more(target, own))
                else {
                    continue;
                };
                let mut trial = probe.clone();
                if alike.contains(&more) || !field.reaches(node, rule, other, &mut trial) {
                    continue;
                }
                if trial.class == probe.class {
                    alike.insert(more);
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

    fn more(&self, target: usize, own: Reach) -> Option<Reach> {
        self.reach.get(target)?.beyond(own)
    }
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
