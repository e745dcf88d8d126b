//! The coded checks, their metadata, their cases and their page in the reference are one set.

use overstay::checks::CHECKS;
use overstay::rules::posture::{CheckMeta, Framework, Posture};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- checks: begin -->";
const END: &str = "<!-- checks: end -->";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> PathBuf {
    root().join("rules/README.md")
}

fn reference() -> String {
    let text = std::fs::read_to_string(page()).unwrap();
    let (_, rest) = text
        .split_once(BEGIN)
        .expect("the page has a part about checks");
    rest.split_once(END).expect("the part ends").0.to_owned()
}

#[test]
fn checks_metadata_cases_and_reference_are_one_set() {
    let coded: BTreeSet<String> = CHECKS.iter().map(|check| check.id().to_owned()).collect();
    assert_eq!(coded.len(), CHECKS.len(), "an id is registered twice");

    let posture = Posture::builtin().unwrap();
    let described: BTreeSet<String> = posture.checks().map(|meta| meta.id.clone()).collect();
    assert_eq!(coded, described, "src/checks and rules/posture");

    let cases: BTreeSet<String> = std::fs::read_dir(root().join("fixtures/checks"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(coded, cases, "src/checks and fixtures/checks");

    let sections: BTreeSet<String> = reference()
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(str::to_owned)
        .collect();
    assert_eq!(coded, sections, "src/checks and rules/README.md");
}

/// With `UPDATE_REFERENCE=1` in the environment this writes the part instead of comparing it.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a developer's switch, and a page in the source tree"
)]
fn the_reference_is_made_from_the_data() {
    let posture = Posture::builtin().unwrap();
    let made = render(&posture);
    if std::env::var("UPDATE_REFERENCE").is_ok() {
        let text = std::fs::read_to_string(page()).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        std::fs::write(page(), format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
    }
    assert!(
        reference() == made,
        "rules/README.md does not say what rules/posture says; run UPDATE_REFERENCE=1 cargo test --test it checks"
    );
}

fn render(posture: &Posture) -> String {
    let mut out = String::from("\n");
    for meta in posture.checks() {
        section(&mut out, posture, meta);
    }
    out.push_str("\n## Frameworks the checks cite\n\n");
    for framework in posture.frameworks() {
        let Framework {
            id,
            name,
            version,
            source,
            as_of,
            ..
        } = framework;
        let _ = writeln!(
            out,
            "- `{id}`: {name}, version {version} ({source}; as of {as_of})"
        );
    }
    out
}

fn section(out: &mut String, posture: &Posture, meta: &CheckMeta) {
    let (severity, precision) = (meta.severity, meta.precision.as_str());
    let _ = writeln!(out, "\n### {}\n\n{}.", meta.id, meta.title);
    let _ = writeln!(out, "Starts at **{severity}**, precision {precision}.\n");
    let _ = writeln!(
        out,
        "Reports: {}\n\nSilent about: {}\n",
        meta.reports, meta.silent
    );
    let _ = writeln!(out, "Why: {}\n\nSeverity:\n", meta.rationale);
    for step in &meta.severity_moves {
        let _ = writeln!(out, "- {step}");
    }
    out.push_str("\nWhat to do:\n\n");
    for (number, step) in meta.remediation.iter().enumerate() {
        let _ = writeln!(out, "{}. {step}", number + 1);
    }
    out.push_str("\nAnswers to:\n\n");
    for (suffix, cited) in [
        ("", &meta.frameworks),
        (" (agents)", &meta.agent_frameworks),
    ] {
        for (key, ids) in cited {
            let framework = posture.framework(key).unwrap();
            let titled: Vec<String> = ids
                .iter()
                .map(|id| {
                    framework
                        .title(id)
                        .map_or(id.clone(), |title| format!("{id} {title}"))
                })
                .collect();
            let _ = writeln!(out, "- {}{suffix}: {}", framework.name, titled.join("; "));
        }
    }
    let _ = writeln!(out, "\nSource: {}; as of {}.", meta.source, meta.as_of);
}
