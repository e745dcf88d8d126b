//! What became of earlier plans, as lines that every page shares.

use super::text::plural;
use crate::model::evidence::day;
use crate::model::{Changes, ItemProgress, ItemState, PlanItemId, Report, StandingDrift};

/// States in the order they are told of.
pub const STATES: [(ItemState, &str); 6] = [
    (ItemState::Reopened, "came back"),
    (ItemState::DualPath, "old and new way both work"),
    (ItemState::Done, "done"),
    (ItemState::Superseded, "overtaken by a new judgement"),
    (ItemState::Open, "open"),
    (ItemState::NotSeen, "not looked at"),
];

/// What became of an item of the plan; `None` of one that this run planned first.
pub fn of<'a>(report: &'a Report, id: &PlanItemId) -> Option<&'a ItemProgress> {
    let changes = report.changes.as_ref()?;
    changes.plan.iter().find(|one| one.item == *id)
}

/// `1 came back, 2 done, 7 open; 1 standing access since`; `None` where there is no earlier plan.
pub fn tally(changes: &Changes) -> Option<String> {
    if changes.plan.is_empty() && changes.standing.is_empty() {
        return None;
    }
    let counts: Vec<String> = STATES
        .into_iter()
        .filter_map(|(state, words)| match changes.planned(state).count() {
            0 => None,
            count => Some(format!("{count} {words}")),
        })
        .collect();
    let items = if counts.is_empty() {
        "no items".to_owned()
    } else {
        counts.join(", ")
    };
    let since = changes.standing.len() as u64;
    Some(format!(
        "{items}; {} since",
        match since {
            0 => "no standing access".to_owned(),
            _ => plural(since, "new standing access", "new standing accesses"),
        }
    ))
}

/// Day of the oldest item that is told of.
pub fn planned_since(changes: &Changes) -> Option<String> {
    changes.plan.iter().map(|one| one.planned_at).min().map(day)
}

/// `done since 2026-11-02`.
pub fn state(one: &ItemProgress) -> String {
    format!("{} since {}", one.state.as_str(), day(one.since))
}

/// `risk 40, new since 2026-11-02` or `risk 40, was 20`.
pub fn standing(one: &StandingDrift) -> String {
    match one.before {
        Some(before) => format!("risk {}, was {before}", one.risk),
        None => format!("risk {}, new since {}", one.risk, day(one.since)),
    }
}
