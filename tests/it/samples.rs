//! `reports/` holds what the program really prints. `UPDATE=1 cargo test --test it samples` writes it again.

use crate::support::{NOW, Workplace};
use std::fs;
use std::path::Path;

fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// Compares a sample with what was made, or replaces it.
fn settle(name: &str, made: &[u8], stale: &mut Vec<String>) {
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
    let anonymous = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .replace(&folder.display().to_string(), "DIR")
            .into_bytes()
    };

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
            &fs::read(folder.join("overstay-report").join(name)).unwrap(),
            &mut stale,
        );
    }
    let explained = place
        .overstay()
        .current_dir(&folder)
        .args(["explain", "deploy-bot"])
        .output()
        .unwrap();
    settle("demo/explain-deploy-bot.txt", &explained.stdout, &mut stale);
    for command in [
        "", "scan", "demo", "review", "explain", "report", "rules", "doctor",
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
