//! Waves: the narrow target set first, then by risk, by risk removed for the effort, grouped by mechanism, capped, with
//! what others wait for in front.

use super::PlanContext;
use super::approval::level;
use crate::model::{Assessment, Disposition, PlanItem, Report, RiskBand, WaveRisk};
use crate::rules::scoring::{PlanRules, Scoring};
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

/// Whether an item belongs to the narrow target set: access of high risk, sensitive, or privileged, of which something is
/// taken away. What only asks for evidence, or accepts what stands, comes later whatever it is about.
pub fn narrow(rules: &PlanRules, assessment: &Assessment, item: &PlanItem) -> bool {
    let acts = match item.disposition {
        Disposition::Review | Disposition::KeepStanding => false,
        // These come before others remove anything.
        Disposition::RevokeNow | Disposition::SplitFirst | Disposition::BreakGlassIsolate => true,
        _ => item.risk_removed > 0,
    };
    acts && (assessment.risk.band >= RiskBand::High
        || level(assessment, "S") >= rules.narrow_target_sensitivity
        || level(assessment, "P") >= rules.narrow_target_privilege)
}

/// Cuts the plan of a finished report into waves of another size, in the same order.
pub fn recut(report: &mut Report, scoring: &Scoring, size: usize) {
    let judged: BTreeMap<_, _> = report
        .assessments
        .iter()
        .map(|assessment| (&assessment.id, assessment))
        .collect();
    let narrow_set: BTreeSet<_> = report
        .plan
        .iter()
        .filter(|item| {
            judged
                .get(&item.assessment)
                .is_some_and(|assessment| narrow(&scoring.plan, assessment, item))
        })
        .map(|item| item.assessment.clone())
        .collect();
    report
        .plan
        .sort_by(|a, b| (a.wave, a.position, &a.id).cmp(&(b.wave, b.position, &b.id)));
    let mut cutter = Cutter::new(size);
    for item in &mut report.plan {
        cutter.place(item, narrow_set.contains(&item.assessment));
    }
    let mut left = report.summary.standing_risk;
    let last = report.plan.last().map_or(0, |item| item.wave);
    report.summary.risk_by_wave = (1..=last)
        .map(|wave| {
            let items = || report.plan.iter().filter(|item| item.wave == wave);
            let removed: u32 = items().map(|item| u32::from(item.risk_removed)).sum();
            left = left.saturating_sub(removed);
            WaveRisk {
                wave,
                items: u32::try_from(items().count()).unwrap_or(u32::MAX),
                removed,
                left,
                effort: items().map(|item| u32::from(item.effort.points)).sum(),
            }
        })
        .collect();
    report.summary.waves = report
        .summary
        .risk_by_wave
        .iter()
        .map(|wave| wave.items)
        .collect();
}

/// Gives out waves and positions.
struct Cutter {
    size: usize,
    wave: u32,
    position: u32,
    narrow: Option<bool>,
}

impl Cutter {
    fn new(size: usize) -> Self {
        Self {
            size: size.max(1),
            wave: 1,
            position: 0,
            narrow: None,
        }
    }

    fn place(&mut self, item: &mut PlanItem, narrow: bool) {
        let full = self.position as usize >= self.size;
        // The first waves hold the narrow target set and nothing else.
        let turns = self.narrow == Some(true) && !narrow;
        if full || turns {
            self.wave += 1;
            self.position = 0;
        }
        self.narrow = Some(narrow);
        self.position += 1;
        item.wave = self.wave;
        item.position = self.position;
        item.folder = item.folder_in(item.wave);
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
    let mut slots: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    let mut items = Vec::with_capacity(slots.len());
    let mut cutter = Cutter::new(context.scoring.plan.wave_size);
    for index in order {
        let Some(mut candidate) = slots.get_mut(index).and_then(Option::take) else {
            continue;
        };
        cutter.place(&mut candidate.item, candidate.narrow);
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
