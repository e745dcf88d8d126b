//! `reports/` holds what the program really prints. `UPDATE=1 cargo test --test it samples` writes it again.

use crate::support::{NOW, Workplace};
use std::fs;
use std::path::Path;

pub(crate) fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// The text without the folder it was made in and, as in every checked-in file, without anything shaped like a key id.
fn anonymous(bytes: &[u8], folder: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).replace(folder, "DIR");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("AKIA") {
        let (before, id) = rest.split_at(at);
        out.push_str(before);
        let end = id
            .find(|letter: char| !letter.is_ascii_alphanumeric())
            .unwrap_or(id.len());
        let (id, after) = id.split_at(end);
        if id.len() == 20 {
            out.push_str("AKIA-DEMO-");
            out.push_str(&id[16..]);
        } else {
            out.push_str(id);
        }
        rest = after;
    }
    out.push_str(rest);
    out.into_bytes()
}

/// Compares a sample with what was made, or replaces it.
pub(crate) fn settle(name: &str, made: &[u8], stale: &mut Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("reports")
        .join(name);
    if fs::read(&path).ok().as_deref() == Some(made) {
        return;
    }
    if updating() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, made).unwrap();
    } else {
        stale.push(name.to_owned());
    }
}

#[test]
fn the_samples_are_what_the_program_prints() {
    let place = Workplace::new();
    let demo = place
        .overstay()
        .args(["demo", "--out", "demo", "--now", NOW])
        .output()
        .unwrap();
    assert!(
        demo.status.success(),
        "{}",
        String::from_utf8_lossy(&demo.stderr)
    );
    let folder = place.path("demo").canonicalize().unwrap();
    let anonymous = |bytes: &[u8]| anonymous(bytes, &folder.display().to_string());

    let mut stale = Vec::new();
    settle("demo/summary.txt", &anonymous(&demo.stdout), &mut stale);
    for name in [
        "report.json",
        "findings.csv",
        "inventory.csv",
        "results.sarif",
        "plan.md",
    ] {
        settle(
            &format!("demo/{name}"),
            &anonymous(&fs::read(folder.join("overstay-report").join(name)).unwrap()),
            &mut stale,
        );
    }
    let explained = place
        .overstay()
        .current_dir(&folder)
        .args(["explain", "deploy-bot"])
        .output()
        .unwrap();
    settle(
        "demo/explain-deploy-bot.txt",
        &anonymous(&explained.stdout),
        &mut stale,
    );
    for command in [
        "", "scan", "demo", "review", "explain", "can", "who-can", "report", "rules", "doctor",
    ] {
        let words = command.split_whitespace().chain(["--help"]);
        let help = place.overstay().args(words).output().unwrap();
        let name = if command.is_empty() {
            "overstay"
        } else {
            command
        };
        settle(&format!("help/{name}.txt"), &help.stdout, &mut stale);
    }
    assert!(
        stale.is_empty(),
        "out of date: {stale:?}; look at the change, then UPDATE=1 cargo test --test it samples"
    );
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let summary = fs::read_to_string(root.join("reports/demo/summary.txt")).unwrap();
    let (before, rest) = summary.split_once("\nReports:").unwrap();
    let story = rest
        .split_once("\n\n")
        .unwrap()
        .1
        .split("\n\nEverything above")
        .next()
        .unwrap();
    for part in [before.trim_end(), story.trim_end()] {
        assert!(
            readme.contains(part),
            "README.md is out of date; the demo prints:\n{part}"
        );
    }
}
