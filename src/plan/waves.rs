//! Waves: the narrow target set first, then by risk, by risk removed for the effort, grouped by mechanism, capped, with
//! what others wait for in front.

use super::PlanContext;
use crate::model::{Disposition, PlanItem, RiskBand};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// An item with what its place is decided on.
pub struct Candidate {
    /// The item.
    pub item: PlanItem,
    /// Band of its risk today.
    pub band: RiskBand,
    /// Privileged, sensitive, or of high risk.
    pub narrow: bool,
    /// Account it belongs to.
    pub account: Option<String>,
    /// It is emergency access.
    pub break_glass: bool,
    /// It is the key of a root user.
    pub root_key: bool,
}

impl Candidate {
    fn ratio(&self) -> u32 {
        u32::from(self.item.risk_removed) * 1000 / u32::from(self.item.effort.points.max(1))
    }
}

/// Orders the items and gives each its wave and position.
pub fn cut(context: &PlanContext<'_>, mut candidates: Vec<Candidate>) -> Vec<PlanItem> {
    let mut best: BTreeMap<(bool, RiskBand, String), u32> = BTreeMap::new();
    for candidate in &candidates {
        let group = (
            candidate.narrow,
            candidate.band,
            candidate.item.mechanism.clone(),
        );
        let ratio = best.entry(group).or_default();
        *ratio = (*ratio).max(candidate.ratio());
    }
    candidates.sort_by_cached_key(|candidate| {
        let group = (
            candidate.narrow,
            candidate.band,
            candidate.item.mechanism.clone(),
        );
        (
            Reverse(candidate.narrow),
            Reverse(candidate.band),
            Reverse(best.get(&group).copied().unwrap_or_default()),
            candidate.item.mechanism.clone(),
            Reverse(candidate.ratio()),
            candidate.item.id.clone(),
        )
    });
    let order = topological(&candidates);
    let size = context.scoring.plan.wave_size.max(1);
    let mut slots: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    let mut items = Vec::with_capacity(slots.len());
    let (mut wave, mut position, mut narrow) = (1u32, 0u32, None);
    for index in order {
        let Some(mut candidate) = slots.get_mut(index).and_then(Option::take) else {
            continue;
        };
        let full = position as usize >= size;
        // The first waves hold the narrow target set and nothing else.
        let turns = narrow == Some(true) && !candidate.narrow;
        if full || turns {
            wave += 1;
            position = 0;
        }
        narrow = Some(candidate.narrow);
        position += 1;
        candidate.item.wave = wave;
        candidate.item.position = position;
        items.push(candidate.item);
    }
    items
}

/// Indices in sorted order, except that what an item waits for comes first.
fn topological(candidates: &[Candidate]) -> Vec<usize> {
    let mut waits: Vec<Vec<usize>> = vec![Vec::new(); candidates.len()];
    let mut first_of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut sealed: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let first = matches!(
            candidate.item.disposition,
            Disposition::RevokeNow | Disposition::SplitFirst
        );
        if let (true, Some(identity)) = (first, &candidate.item.identity) {
            first_of.entry(identity.as_str()).or_default().push(index);
        }
        if let (true, Some(account)) = (candidate.break_glass, &candidate.account) {
            sealed.entry(account).or_default().push(index);
        }
    }
    for (index, candidate) in candidates.iter().enumerate() {
        let rank = |disposition| match disposition {
            Disposition::RevokeNow => 0,
            Disposition::SplitFirst => 1,
            _ => 2,
        };
        let own = rank(candidate.item.disposition);
        let identity = candidate.item.identity.as_ref();
        let earlier = identity.and_then(|identity| first_of.get(identity.as_str()));
        let Some(list) = waits.get_mut(index) else {
            continue;
        };
        list.extend(earlier.into_iter().flatten().copied().filter(|other| {
            candidates
                .get(*other)
                .is_some_and(|other| rank(other.item.disposition) < own)
        }));
        if candidate.root_key
            && let Some(account) = &candidate.account
        {
            list.extend(sealed.get(account.as_str()).into_iter().flatten());
        }
    }
    let mut done = BTreeSet::new();
    let mut order = Vec::with_capacity(candidates.len());
    for index in 0..candidates.len() {
        place(index, &waits, &mut done, &mut order);
    }
    order
}

/// What an item waits for is at most two steps away (root key, emergency access, its revocation), so this ends.
fn place(index: usize, waits: &[Vec<usize>], done: &mut BTreeSet<usize>, order: &mut Vec<usize>) {
    if !done.insert(index) {
        return;
    }
    for other in waits.get(index).into_iter().flatten() {
        place(*other, waits, done, order);
    }
    order.push(index);
}
