//! Every name in docs/requirements.md exists.

use overstay::model::Disposition;
use overstay::report::{findings_csv, inventory_csv, plan::table};
use overstay::rules::{posture::Posture, targets::Targets};
use std::collections::BTreeSet;
use std::path::Path;

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Numbers of the rows and the `kind:name` words of each.
fn rows() -> Vec<(u32, Vec<(String, String)>)> {
    text("docs/requirements.md")
        .lines()
        .filter_map(|line| {
            let number = line.strip_prefix("| ")?.split(' ').next()?.parse().ok()?;
            let words = line
                .split('`')
                .skip(1)
                .step_by(2)
                .filter_map(|word| word.split_once(':'))
                .map(|(kind, name)| (kind.to_owned(), name.to_owned()))
                .collect();
            Some((number, words))
        })
        .collect()
}

fn fields(value: &serde_json::Value, into: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(map) => {
            if let Some(serde_json::Value::Object(properties)) = map.get("properties") {
                into.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| fields(value, into));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| fields(value, into)),
        _ => {}
    }
}

#[test]
fn all_rows_are_there_and_say_where() {
    let rows = rows();
    let numbers: Vec<u32> = rows.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=110).collect::<Vec<_>>());
    for (number, words) in &rows {
        assert!(!words.is_empty(), "row {number} names nothing");
    }
}

#[test]
fn every_name_exists() {
    let posture = Posture::builtin().unwrap();
    let targets = Targets::builtin().unwrap();
    let schema = serde_json::to_value(schemars::schema_for!(overstay::model::Report)).unwrap();
    let mut known = BTreeSet::new();
    fields(&schema, &mut known);
    let scoring: toml::Table = toml::from_str(&text("rules/scoring.toml")).unwrap();
    let blockers = text("src/jit/blockers.rs");
    let config = text("src/rules/config.rs");
    let arguments = text("src/cli/args.rs").to_lowercase();
    let column = |file: &str, name: &str| match file {
        "findings.csv" => findings_csv::columns().iter().any(|each| each.name == name),
        "inventory.csv" => inventory_csv::columns()
            .iter()
            .any(|each| each.name == name),
        "plan.csv" => table::columns().iter().any(|each| each.name == name),
        _ => false,
    };
    for (number, words) in rows() {
        for (kind, name) in words {
            let there = match kind.as_str() {
                "check" => posture.check(&name).is_some(),
                "factor" => ["E", "T", "H", "P", "S", "B"].contains(&name.as_str()),
                "fit" => (1..=7).any(|n| name == format!("F{n}")),
                "blocker" => blockers.contains(&format!("\"{name}\"")),
                "row" => Disposition::ALL.iter().any(|each| each.as_str() == name),
                "field" => known.contains(&name),
                "column" => name
                    .split_once('/')
                    .is_some_and(|(file, name)| column(file, name)),
                "setting" => {
                    let mut table = Some(&scoring);
                    let mut found = false;
                    for part in name.split('.') {
                        let value = table.and_then(|table| table.get(part));
                        found = value.is_some();
                        table = value.and_then(toml::Value::as_table);
                    }
                    found
                }
                "target" => targets.get(&name).is_some(),
                "command" => arguments.contains(&format!("    {name}(")),
                "note" => config.contains(&format!("    pub {name}: ")),
                "doc" => Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("docs")
                    .join(&name)
                    .is_file(),
                _ => false,
            };
            assert!(there, "row {number}: there is no {kind} `{name}`");
        }
    }
}
