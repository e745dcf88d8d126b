//! Each room uses only the rooms below it. The table is the one in docs/architecture.md.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Room, and the rooms its files may name.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("rules", &["model"]),
    ("unpack", &[]),
    ("sources", &["model", "unpack"]),
    ("secrets", &["model", "rules", "unpack"]),
    ("manifests", &["model", "rules"]),
    ("iam", &["model", "rules"]),
    ("ask", &["model", "rules", "iam", "sources", "report"]),
    ("graph", &["model", "rules", "iam"]),
    ("checks", &["model", "rules", "iam", "graph"]),
    ("jit", &["model", "rules", "graph"]),
    ("plan", &["model", "rules", "iam", "jit", "report"]),
    ("query", &["model"]),
    ("report", &["model", "rules", "query"]),
    ("store", &["model"]),
    ("tui", &["model", "query", "report", "store"]),
    (
        "scan",
        &[
            "unpack",
            "model",
            "rules",
            "sources",
            "secrets",
            "manifests",
            "iam",
            "graph",
            "checks",
            "jit",
            "plan",
            "report",
            "store",
        ],
    ),
    (
        "cli",
        &[
            "ask", "model", "query", "rules", "scan", "sources", "secrets", "store", "report",
            "tui",
        ],
    ),
];

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Rooms named as `crate::room` outside the file's tests and comments.
fn rooms_used(text: &str) -> Vec<(usize, String)> {
    let mut used = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            // `use crate::{a, b::c};` names several.
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(group) => group.split(',').collect(),
                None => vec![rest],
            };
            for name in names {
                let name: String = name
                    .trim()
                    .chars()
                    .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
                    .collect();
                used.push((number + 1, name));
            }
        }
    }
    used
}

#[test]
fn rooms_use_only_what_the_table_allows() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let table: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let mut faults = Vec::new();
    let mut seen = 0;
    for path in files {
        let relative = path.strip_prefix(&source).unwrap();
        let room = relative
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        let test_only = ["tests.rs", "testing.rs", "fixtures.rs"]
            .iter()
            .any(|name| relative.ends_with(name));
        if ["lib", "main"].contains(&room) || test_only {
            continue;
        }
        let Some(allowed) = table.get(room) else {
            faults.push(format!(
                "{}: `{room}` is not a room of the table",
                relative.display()
            ));
            continue;
        };
        for (line, used) in rooms_used(&std::fs::read_to_string(&path).unwrap()) {
            seen += 1;
            if used != room
                && !allowed.contains(&used.as_str())
                && table.contains_key(used.as_str())
            {
                faults.push(format!(
                    "{}:{line}: `{room}` must not use `{used}`",
                    relative.display()
                ));
            }
        }
    }
    assert!(
        seen > 20,
        "the test reads `crate::` paths, and found only {seen}"
    );
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn no_source_file_grows_beyond_the_limit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    rust_files(&root.join("tests"), &mut files);
    let mut lengths: Vec<(usize, String)> = files
        .iter()
        .map(|path| {
            let lines = std::fs::read_to_string(path).unwrap().lines().count();
            (
                lines,
                path.strip_prefix(root).unwrap().display().to_string(),
            )
        })
        .collect();
    lengths.sort();
    let too_long: Vec<_> = lengths.iter().filter(|(lines, _)| *lines > 1_000).collect();
    assert_eq!(too_long, Vec::<&(usize, String)>::new());
    let median = lengths[lengths.len() / 2].0;
    assert!(median <= 250, "the median file has {median} lines");
}
