//! The review alone: how long a key and its frame take with many findings.
//!
//! `cargo bench --bench review -- [REPORT.json [FINDINGS…]]` multiplies a report (the demo's, unless another is given) until
//! it has so many findings (5,000 and 50,000), opens it and presses keys in every view. It prints, in milliseconds, how long
//! opening takes, the middle and the slowest frame of each kind of key, and the memory at the end.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use overstay::model::{Renames, Report};
use overstay::store::decisions::Decisions;
use overstay::tui::action::Action;
use overstay::tui::keymap::Keymap;
use overstay::tui::mode::View;
use overstay::tui::reduce::reduce;
use overstay::tui::state::{Settings, State};
use overstay::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/demo/report.json");
    let file = args.next().unwrap_or_else(|| demo.to_owned());
    let sizes: Vec<usize> = args.map(|text| text.parse()).collect::<Result<_, _>>()?;
    let sizes = if sizes.is_empty() {
        vec![5_000, 50_000]
    } else {
        sizes
    };
    let one: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    for findings in sizes {
        let report = multiplied(&one, findings)?;
        println!(
            "{} findings, {} identities, {} credentials, {} items of the plan",
            report.findings.len(),
            report.identities.len(),
            report.credentials.len(),
            report.plan.len()
        );
        run(&report)?;
    }
    Ok(())
}

/// The report so often that it has so many findings, each copy with ids of its own.
fn multiplied(one: &Value, findings: usize) -> Result<Report, Failure> {
    const LISTS: [&str; 7] = [
        "identities",
        "credentials",
        "grants",
        "consumers",
        "findings",
        "assessments",
        "plan",
    ];
    let entries = |list: &str| one[list].as_array().cloned().unwrap_or_default();
    let mut ids = BTreeSet::new();
    for entry in LISTS.iter().flat_map(|list| entries(list)) {
        ids.extend(entry["id"].as_str().map(str::to_owned));
    }
    let copies = findings.div_ceil(entries("findings").len().max(1));
    let mut all = one.clone();
    for list in LISTS {
        let one = entries(list);
        let copies =
            (0..copies).flat_map(|copy| one.iter().map(move |entry| (copy, entry.clone())));
        all[list] = copies
            .map(|(copy, entry)| renamed(entry, &ids, copy))
            .collect();
    }
    Ok(serde_json::from_value(all)?)
}

fn renamed(value: Value, ids: &BTreeSet<String>, copy: usize) -> Value {
    match value {
        Value::String(text) if ids.contains(&text) => format!("{text}{copy:05x}").into(),
        Value::Array(all) => all
            .into_iter()
            .map(|each| renamed(each, ids, copy))
            .collect(),
        Value::Object(all) => all
            .into_iter()
            .map(|(key, each)| (key, renamed(each, ids, copy)))
            .collect(),
        other => other,
    }
}

fn run(report: &Report) -> Result<(), Failure> {
    let settings = Settings {
        keymap: Keymap::default(),
        read_only: false,
        actor: "bench".into(),
        today: jiff::civil::date(2026, 11, 1),
        reasons: BTreeMap::new(),
        views: Vec::new(),
        trend: vec![3, 2, 1],
        renames: Renames::default(),
        reviewed: None,
    };
    let mut terminal = Terminal::new(TestBackend::new(200, 50))?;
    let start = Instant::now();
    let mut state = State::new(report, None, Decisions::default(), settings);
    terminal.draw(|frame| view::draw(&mut state, frame))?;
    println!("  open {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let mut frames: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut press = |state: &mut State<'_>, kind: &'static str, action: Action| {
        let start = Instant::now();
        reduce(state, action);
        let drawn = terminal.draw(|frame| view::draw(state, frame)).map(|_| ());
        frames
            .entry(kind)
            .or_default()
            .push(start.elapsed().as_secs_f64() * 1e3);
        drawn
    };
    for number in 1..=6 {
        press(
            &mut state,
            "a view for the first time",
            Action::View(number),
        )?;
        for _ in 0..60 {
            press(&mut state, "down", Action::Down)?;
        }
        press(&mut state, "fold all", Action::FoldAll)?;
        for _ in 0..20 {
            press(&mut state, "a page down", Action::PageDown)?;
        }
        press(&mut state, "the end", Action::Last)?;
        press(&mut state, "the beginning", Action::First)?;
        press(&mut state, "the other order", Action::Reverse)?;
        press(&mut state, "filter", Action::Filter)?;
        for letter in "severity:high a".chars() {
            press(&mut state, "a letter of a filter", Action::Type(letter))?;
        }
        press(&mut state, "filter", Action::Accept)?;
        press(&mut state, "mark all", Action::MarkAll)?;
        press(&mut state, "unmark all", Action::Unmark)?;
        press(&mut state, "no filter", Action::Back)?;
        press(&mut state, "next undecided", Action::NextUndecided)?;
        press(&mut state, "a page", Action::Open)?;
        press(&mut state, "back", Action::Back)?;
        press(&mut state, "a view again", Action::View(0))?;
    }
    assert_eq!(state.view, View::Start);
    for (kind, mut times) in frames {
        times.sort_by(f64::total_cmp);
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        let slowest = times.last().copied().unwrap_or_default();
        println!("  {kind:<26} {middle:>8.2} ms, slowest {slowest:>8.2} ms");
    }
    Ok(())
}
