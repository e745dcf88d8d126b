//! `overstay history`: how figures went from run to run.

use super::args::{Global, History, HistoryFormat};
use super::exit::{CommandResult, Outcome};
use super::{print, runs, tables};
use crate::report::text;
use crate::store::runs::Figures;
use std::fmt::Write as _;

/// Columns of the chart.
const WIDTH: usize = 60;
/// Its levels.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A figure of a run.
type Figure = fn(&Figures) -> Option<f64>;

/// What is drawn, with what it is called.
const LINES: [(&str, Figure); 9] = [
    ("standing risk", |one| Some(one.standing_risk as f64)),
    ("  after the plan", |one| {
        Some(one.standing_risk_after as f64)
    }),
    ("machine identities", |one| {
        Some(one.machine_identities as f64)
    }),
    ("credentials", |one| Some(one.credentials as f64)),
    ("  long-lived", |one| Some(one.long_lived as f64)),
    ("  mean age, days", |one| one.mean_age_days),
    ("open findings", |one| Some(one.open as f64)),
    ("  critical or high", |one| {
        Some((one.critical + one.high) as f64)
    }),
    ("plan done, %", progress),
];

/// Share of the plan that is done.
fn progress(one: &Figures) -> Option<f64> {
    let all = one.plan_done + one.plan_open;
    (all > 0).then(|| (one.plan_done as f64 / all as f64 * 1_000.0).round() / 10.0)
}

/// Prints the trend.
pub(super) fn run(args: &History, global: &Global) -> CommandResult {
    let store = runs::open(global)?;
    let mut all = store.trend().map_err(runs::failed)?;
    if let Some(last) = args.last {
        all.drain(..all.len().saturating_sub(last));
    }
    let text = match args.format {
        HistoryFormat::Chart => chart(&all),
        HistoryFormat::Csv => table(&all)?,
    };
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}

fn chart(all: &[Figures]) -> String {
    let (Some(first), Some(last)) = (all.first(), all.last()) else {
        return "no run is stored\n".to_owned();
    };
    let mut out = format!(
        "{} from {} to {}\n\n",
        text::plural(all.len() as u64, "run", "runs"),
        day(&first.now),
        day(&last.now)
    );
    for (name, figure) in LINES {
        let values: Vec<Option<f64>> = all.iter().map(figure).collect();
        let shown = |value: Option<f64>| {
            value.map_or_else(
                || "–".to_owned(),
                |value| {
                    if value.fract() == 0.0 {
                        text::thousands(value as u64)
                    } else {
                        format!("{value:.1}")
                    }
                },
            )
        };
        let known: Vec<f64> = values.iter().flatten().copied().collect();
        let _ = writeln!(
            out,
            "{name:<20} {:>9} → {:>9}  {}",
            shown(known.first().copied()),
            shown(known.last().copied()),
            bars(&values)
        );
    }
    let _ = writeln!(
        out,
        "\nlast run {}: {} new, {} fixed, {} accepted; plan {} done, {} open",
        last.run, last.new, last.fixed, last.accepted, last.plan_done, last.plan_open
    );
    out
}

/// A bar for each run; of more runs than there is room for, the last of every few.
fn bars(values: &[Option<f64>]) -> String {
    let step = values.len().div_ceil(WIDTH).max(1);
    let shown: Vec<Option<f64>> = values
        .rchunks(step)
        .rev()
        .filter_map(|some| some.last().copied())
        .collect();
    let highest = shown.iter().flatten().copied().fold(0.0, f64::max);
    shown
        .iter()
        .map(|value| match value {
            None => ' ',
            Some(_) if highest == 0.0 => BARS[0],
            Some(value) => {
                let level = (value / highest * (BARS.len() - 1) as f64).round() as usize;
                BARS.get(level).copied().unwrap_or('█')
            }
        })
        .collect()
}

fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

fn table(all: &[Figures]) -> Result<String, super::exit::Failure> {
    let header = [
        "run",
        "now",
        "complete",
        "standing_risk",
        "standing_risk_after",
        "machine_identities",
        "credentials",
        "long_lived_credentials",
        "mean_age_days",
        "open_findings",
        "critical",
        "high",
        "accepted",
        "new",
        "fixed",
        "plan_open",
        "plan_done",
    ];
    let rows = all
        .iter()
        .map(|one| {
            [
                one.run.clone(),
                one.now.clone(),
                one.complete.to_string(),
                one.standing_risk.to_string(),
                one.standing_risk_after.to_string(),
                one.machine_identities.to_string(),
                one.credentials.to_string(),
                one.long_lived.to_string(),
                one.mean_age_days
                    .map_or_else(String::new, |days| days.to_string()),
                one.open.to_string(),
                one.critical.to_string(),
                one.high.to_string(),
                one.accepted.to_string(),
                one.new.to_string(),
                one.fixed.to_string(),
                one.plan_open.to_string(),
                one.plan_done.to_string(),
            ]
        })
        .collect();
    tables::csv(&header, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_has_a_bar_for_each_run_and_room_for_many() {
        let few: Vec<_> = [0.0, 5.0, 10.0].into_iter().map(Some).collect();
        assert_eq!(bars(&few), "▁▅█");
        assert_eq!(bars(&[None, Some(0.0)]), " ▁");
        let many: Vec<_> = (0..1_000).map(|at| Some(f64::from(at))).collect();
        let drawn = bars(&many);
        assert!(drawn.chars().count() <= WIDTH);
        assert!(drawn.ends_with('█'));
        assert!(chart(&[]).contains("no run"));
    }
}
