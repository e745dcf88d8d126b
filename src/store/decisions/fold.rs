//! From events to what stands: the same whatever the order of the lines and whoever merged them.

use super::{Decision, Decisions, Recorded, Scope};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// What a decision is a decision on: one on the owner takes nothing from one on the risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// What to do about it.
    Verdict,
    /// Who owns it.
    Owner,
    /// What it is for.
    Purpose,
}

impl Topic {
    /// The topic of a decision.
    pub const fn of(decision: &Decision) -> Self {
        match decision {
            Decision::AcceptRisk
            | Decision::FalsePositive
            | Decision::Remediate
            | Decision::Defer
            | Decision::BreakGlass { .. }
            | Decision::Disposition { .. }
            | Decision::Reopen => Self::Verdict,
            Decision::Owner { .. } => Self::Owner,
            Decision::Purpose { .. } => Self::Purpose,
        }
    }
}

/// The events about one thing and topic that no other event has taken the place of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// By time, then by id; never empty.
    pub heads: Vec<Recorded>,
}

/// What holds of a register on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held<'a> {
    /// This decision, until this day if it ends.
    InForce(&'a Recorded, Option<Date>),
    /// This one, which has run out.
    Expired(&'a Recorded),
    /// People who did not know of each other decided differently.
    Conflict(&'a [Recorded]),
}

impl Register {
    /// Folds events about one thing and topic, by time and then by id.
    pub fn of(events: &[&Recorded]) -> Self {
        fold(events)
    }

    /// What holds today. Of decisions that agree, the one that ends first says when.
    pub fn held(&self, today: Date) -> Option<Held<'_>> {
        let last = self.heads.last()?;
        let same = |one: &Recorded| one.event.decision == last.event.decision;
        if !self.heads.iter().all(same) {
            return Some(Held::Conflict(&self.heads));
        }
        let ends = self.heads.iter().filter_map(|one| one.event.expires).min();
        Some(if ends.is_some_and(|day| day < today) {
            Held::Expired(last)
        } else {
            Held::InForce(last, ends)
        })
    }
}

/// What stands, by what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// By scope and topic.
    pub registers: BTreeMap<(Scope, Topic), Register>,
}

impl Standing {
    /// Folds events.
    pub fn of(decisions: &Decisions) -> Self {
        let mut all: BTreeMap<(Scope, Topic), Vec<&Recorded>> = BTreeMap::new();
        for one in &decisions.events {
            let topic = Topic::of(&one.event.decision);
            all.entry((one.event.scope.clone(), topic))
                .or_default()
                .push(one);
        }
        let registers = all
            .into_iter()
            .map(|(about, events)| (about, fold(&events)));
        Self {
            registers: registers.collect(),
        }
    }

    /// Ids of the events about a thing and topic that a new decision on it takes the place of.
    pub fn heads(&self, scope: &Scope, topic: Topic) -> Vec<String> {
        let register = self.registers.get(&(scope.clone(), topic));
        let heads = register.into_iter().flat_map(|register| &register.heads);
        heads.map(|one| one.id.clone()).collect()
    }
}

/// Events are by time. One without a list of what its author knew takes the place of all earlier ones.
fn fold(events: &[&Recorded]) -> Register {
    let mut over: BTreeSet<&str> = BTreeSet::new();
    for (at, one) in events.iter().enumerate() {
        match &one.event.after {
            Some(known) => over.extend(known.iter().map(String::as_str)),
            None => over.extend(events.iter().take(at).map(|earlier| earlier.id.as_str())),
        }
    }
    let heads = events.iter().filter(|one| !over.contains(one.id.as_str()));
    Register {
        heads: heads.map(|one| (*one).clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::decisions::{Event, RulePath, id_of};
    use proptest::prelude::*;

    fn scope() -> Scope {
        Scope::RulePath(RulePath {
            rule: "r".into(),
            path: "p".into(),
        })
    }

    fn event(at: i64, actor: &str, decision: Decision, after: Option<Vec<String>>) -> Recorded {
        let event = Event {
            at: jiff::Timestamp::from_second(at).unwrap(),
            actor: actor.into(),
            scope: scope(),
            decision,
            reason: "r".into(),
            expires: None,
            ticket: None,
            after,
            run: None,
            evidence: None,
        };
        Recorded {
            id: id_of(&serde_json::to_value(&event).unwrap()),
            event,
        }
    }

    fn standing(mut events: Vec<Recorded>) -> Standing {
        events.sort_by(|a, b| (a.event.at, &a.id).cmp(&(b.event.at, &b.id)));
        Standing::of(&Decisions {
            events,
            bad: Vec::new(),
        })
    }

    fn held(standing: &Standing) -> String {
        let today = "2026-11-01".parse().unwrap();
        let register = &standing.registers[&(scope(), Topic::Verdict)];
        match register.held(today).unwrap() {
            Held::InForce(one, _) => one.event.decision.as_str().to_owned(),
            Held::Expired(_) => "expired".to_owned(),
            Held::Conflict(heads) => format!("{} disagree", heads.len()),
        }
    }

    #[test]
    fn two_who_did_not_know_of_each_other_are_a_conflict_until_somebody_knows_both() {
        let ada = event(1, "ada", Decision::AcceptRisk, Some(Vec::new()));
        let lee = event(2, "lee", Decision::Remediate, Some(Vec::new()));
        let both = vec![ada.clone(), lee.clone()];
        assert_eq!(held(&standing(both.clone())), "2 disagree");
        let same = event(2, "lee", Decision::AcceptRisk, Some(Vec::new()));
        assert_eq!(held(&standing(vec![ada.clone(), same])), "accept-risk");
        let knowing = Some(vec![ada.id.clone(), lee.id.clone()]);
        // Even by a clock that is behind.
        let settled = event(0, "mo", Decision::FalsePositive, knowing);
        let all = [both.clone(), vec![settled]].concat();
        assert_eq!(held(&standing(all)), "false-positive");
        let plain = event(9, "mo", Decision::Reopen, None);
        assert_eq!(held(&standing([both, vec![plain]].concat())), "reopen");
    }

    proptest! {
        #[test]
        fn the_order_of_lines_means_nothing(
            times in proptest::collection::vec((0_i64..9, 0_u8..3, 0_u8..3), 1..9),
            seed in any::<u64>(),
        ) {
            let mut events: Vec<Recorded> = Vec::new();
            for (at, what, knows) in times {
                let decision = [Decision::AcceptRisk, Decision::Defer, Decision::Reopen][usize::from(what)].clone();
                let after = match knows {
                    0 => None,
                    1 => Some(Vec::new()),
                    _ => Some(events.iter().map(|one| one.id.clone()).collect()),
                };
                events.push(event(at, "a", decision, after));
            }
            let expected = standing(events.clone());
            let mut shuffled = events;
            let length = shuffled.len();
            for at in 0..length {
                shuffled.swap(at, (seed as usize).wrapping_mul(at + 7) % length);
            }
            prop_assert_eq!(standing(shuffled), expected);
        }
    }
}
