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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register<'a> {
    /// By time, then by id; never empty.
    pub heads: Vec<&'a Recorded>,
}

/// What holds of a register on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held<'a> {
    /// This decision, until this day if it ends.
    InForce(&'a Recorded, Option<Date>),
    /// This one, which has run out.
    Expired(&'a Recorded),
    /// People who did not know of each other decided differently.
    Conflict(Vec<&'a Recorded>),
}

impl<'a> Register<'a> {
    /// What holds today. Of decisions that agree, the one that ends first says when.
    pub fn held(&self, today: Date) -> Option<Held<'a>> {
        let last = *self.heads.last()?;
        let same = |one: &&Recorded| one.event.decision == last.event.decision;
        if !self.heads.iter().all(same) {
            return Some(Held::Conflict(self.heads.clone()));
        }
        let ends = self.ends();
        Some(if ends.is_some_and(|day| day < today) {
            Held::Expired(last)
        } else {
            Held::InForce(last, ends)
        })
    }

    /// The first of the days on which its events end.
    pub fn ends(&self) -> Option<Date> {
        self.heads.iter().filter_map(|one| one.event.expires).min()
    }
}

/// Every event, and what stands, by what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    events: Vec<Recorded>,
    /// Where each event is, by its id.
    places: BTreeMap<String, u32>,
    /// Places of the events whose place each event takes, in order; `None`: of all that are earlier.
    over: Vec<Option<Vec<u32>>>,
    /// Places of the events about each thing, in order.
    about: BTreeMap<(Scope, Topic), Vec<u32>>,
}

impl Standing {
    /// Folds events.
    pub fn of(decisions: Decisions) -> Self {
        let mut standing = Self::default();
        standing.add(decisions.events);
        standing
    }

    /// Adds events.
    pub fn add(&mut self, events: Vec<Recorded>) {
        let first = self.events.len();
        for (at, one) in (first..).zip(events) {
            let place = u32::try_from(at).unwrap_or(u32::MAX);
            self.places.insert(one.id.clone(), place);
            let topic = Topic::of(&one.event.decision);
            for scope in one.event.scope.each() {
                let events = self.about.entry((scope, topic)).or_default();
                if events.last() != Some(&place) {
                    events.push(place);
                }
            }
            self.events.push(one);
        }
        // An event may know of one that comes later, by a clock that is behind.
        for one in self.events.iter().skip(first) {
            let known = one.event.after.as_ref().map(|ids| {
                let places = ids.iter().filter_map(|id| self.places.get(id));
                let mut places: Vec<u32> = places.copied().collect();
                places.sort_unstable();
                places
            });
            self.over.push(known);
        }
    }

    /// Every event, by time.
    pub fn events(&self) -> &[Recorded] {
        &self.events
    }

    /// Whether nothing was decided.
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// What stands about everything that was decided about.
    pub fn registers(&self) -> impl Iterator<Item = (&Scope, Topic, Register<'_>)> {
        self.about
            .iter()
            .map(|((scope, topic), places)| (scope, *topic, self.fold(places)))
    }

    /// What stands about a thing.
    pub fn register(&self, scope: &Scope, topic: Topic) -> Option<Register<'_>> {
        let places = self.about.get(&(scope.clone(), topic))?;
        Some(self.fold(places))
    }

    /// What stood about a thing before the event at a place.
    pub fn before(&self, scope: &Scope, topic: Topic, place: usize) -> Option<Register<'_>> {
        let places = self.about.get(&(scope.clone(), topic))?;
        let earlier = places.partition_point(|at| (*at as usize) < place);
        let places = places.get(..earlier)?;
        (!places.is_empty()).then(|| self.fold(places))
    }

    /// Places of the events about a thing, in order.
    pub fn about(&self, scope: &Scope, topic: Topic) -> &[u32] {
        let places = self.about.get(&(scope.clone(), topic));
        places.map_or(&[], Vec::as_slice)
    }

    /// Ids of the events about a thing and topic that a new decision on it takes the place of.
    pub fn heads(&self, scope: &Scope, topic: Topic) -> Vec<String> {
        let register = self.register(scope, topic);
        let heads = register.into_iter().flat_map(|register| register.heads);
        heads.map(|one| one.id.clone()).collect()
    }

    /// Events are by time. One without a list of what its author knew takes the place of all earlier ones.
    fn fold(&self, places: &[u32]) -> Register<'_> {
        let over = |place: u32| self.over.get(place as usize).and_then(Option::as_deref);
        let plain = places.iter().rposition(|place| over(*place).is_none());
        let latest = places.get(plain.unwrap_or(0)..).unwrap_or_default();
        let mut gone: BTreeSet<u32> = BTreeSet::new();
        if places.len() > 1 {
            for known in places.iter().filter_map(|place| over(*place)) {
                // An event about many knows of many.
                let (few, many) = if known.len() < latest.len() {
                    (known, latest)
                } else {
                    (latest, known)
                };
                let both = few.iter().filter(|place| many.binary_search(place).is_ok());
                gone.extend(both.copied());
            }
        }
        let heads = latest.iter().filter(|place| !gone.contains(place));
        Register {
            heads: heads
                .filter_map(|place| self.events.get(*place as usize))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::decisions::{Event, RulePath};
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
            scope: scope().into(),
            decision,
            reason: "r".into(),
            expires: None,
            ticket: None,
            after,
            run: None,
            evidence: None,
            undoes: None,
        };
        Recorded::of(event)
    }

    fn standing(mut events: Vec<Recorded>) -> Standing {
        events.sort_by(|a, b| (a.event.at, &a.id).cmp(&(b.event.at, &b.id)));
        Standing::of(Decisions {
            events,
            bad: Vec::new(),
        })
    }

    fn held(standing: &Standing) -> String {
        let today = "2026-11-01".parse().unwrap();
        let register = standing.register(&scope(), Topic::Verdict).unwrap();
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
