//! The README of an item: what has to be filled in, what to do in which order, what was checked, what is not there.

use super::bench::Checked;
use super::facts::Facts;
use super::text::{markdown, placeholders};
use super::{Made, Remarks};
use crate::model::ArtefactKind;
use crate::report::text::code;
use crate::rules::artefacts::Artefacts;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What is done, in its order, with the kinds of files it is done with.
const ORDER: &[(&str, &[ArtefactKind])] = &[
    (
        "Have the request approved",
        &[ArtefactKind::ApprovalRequest],
    ),
    (
        "Read the policies and what was tried with them",
        &[
            ArtefactKind::TrustPolicy,
            ArtefactKind::PermissionPolicy,
            ArtefactKind::PermissionsBoundary,
            ArtefactKind::SessionPolicy,
            ArtefactKind::Validation,
        ],
    ),
    (
        "Create the new way beside the old one",
        &[
            ArtefactKind::Terraform,
            ArtefactKind::KubernetesManifest,
            ArtefactKind::Configuration,
        ],
    ),
    (
        "Switch one consumer at a time",
        &[ArtefactKind::PipelinePatch],
    ),
    (
        "Watch the old and the new way",
        &[ArtefactKind::MonitoringQuery],
    ),
    ("End the old access", &[ArtefactKind::Revocation]),
    ("Prove that it has ended", &[ArtefactKind::NegativeTest]),
    (
        "Keep at hand",
        &[ArtefactKind::KillSwitch, ArtefactKind::Rollback],
    ),
];

/// The same where the credential stays.
const KEPT: &[(&str, &[ArtefactKind])] = &[
    (
        "Have the request approved",
        &[ArtefactKind::ApprovalRequest],
    ),
    (
        "Read the policies and what was tried with them",
        &[
            ArtefactKind::PermissionPolicy,
            ArtefactKind::PermissionsBoundary,
            ArtefactKind::Validation,
        ],
    ),
    (
        "Narrow what it may do; its key goes on working",
        &[ArtefactKind::Configuration],
    ),
    ("Watch its use", &[ArtefactKind::MonitoringQuery]),
    ("Prove its bounds", &[ArtefactKind::NegativeTest]),
    (
        "Keep at hand; none of these is a step of the plan",
        &[
            ArtefactKind::Revocation,
            ArtefactKind::KillSwitch,
            ArtefactKind::Rollback,
        ],
    ),
];

/// The README.
pub(super) fn file(
    facts: &Facts<'_>,
    made: &[Made],
    remarks: &Remarks,
    checked: Option<&Checked>,
    data: &Artefacts,
) -> Made {
    let item = facts.item;
    let mut out = format!("# {}\n\n", markdown(&item.title));
    let _ = writeln!(
        out,
        "Plan item {}, wave {}. {}. Catalogue of {}.\n",
        code(item.id.as_str()),
        item.wave,
        markdown(&item.mechanism_title),
        if item.catalogue_as_of.is_empty() {
            "no date"
        } else {
            &item.catalogue_as_of
        }
    );
    to_fill(&mut out, made, data);
    order(&mut out, made, facts);
    if let Some(trust) = facts.trust {
        let _ = writeln!(out, "## The trust\n\n{}\n", trust.explain);
    }
    if let Some(checked) = checked {
        tried(&mut out, checked);
    }
    section(
        &mut out,
        "Taken for granted",
        remarks.assumed.iter().cloned(),
    );
    section(&mut out, "To know", remarks.notes.iter().cloned());
    if let Some(sets) = &item.permissions {
        section(
            &mut out,
            "What the logs cannot show",
            sets.gaps.iter().cloned(),
        );
    }
    section(
        &mut out,
        "Facts of the catalogue that nobody has verified",
        item.unverified.iter().cloned(),
    );
    section(
        &mut out,
        "Questions that come first",
        item.open_questions.iter().cloned(),
    );
    section(
        &mut out,
        "Not in this folder",
        remarks
            .missing
            .iter()
            .map(|(what, why)| format!("{what}: {why}")),
    );
    let _ = writeln!(out, "Done when: {}", markdown(&item.detect_done));
    Made::new(
        "README.md",
        ArtefactKind::Readme,
        "what has to be filled in, and what is done in which order",
        out,
    )
}

fn to_fill(out: &mut String, made: &[Made], data: &Artefacts) {
    let mut places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for one in made {
        for name in placeholders(&one.text) {
            places.entry(name).or_default().push(&one.path);
        }
    }
    if places.is_empty() {
        out.push_str("Nothing has to be filled in.\n\n");
        return;
    }
    out.push_str("## Fill in first\n\nNothing that was scanned tells these. Replace each in every file of this folder, for example:\n\n");
    out.push_str("```sh\ngrep -rl __NAME__ . | xargs sed -i 's|__NAME__|value|g'\n```\n\n");
    for (name, paths) in places {
        let known = data.placeholders.get(&name.to_ascii_lowercase());
        let means = known.map_or("see the file", |one| one.means.as_str());
        let _ = write!(out, "- `__{name}__`: {means}");
        if let Some(find) = known.and_then(|one| one.find.as_deref()) {
            let _ = write!(out, " ({})", code(find));
        }
        let _ = writeln!(out, ". In {}.", paths.join(", "));
    }
    out.push('\n');
}

fn order(out: &mut String, made: &[Made], facts: &Facts<'_>) {
    use crate::model::Disposition;
    out.push_str("## In this order\n\n");
    let all = if facts.keeps_credential { KEPT } else { ORDER };
    let mut steps: Vec<&(&str, &[ArtefactKind])> = all.iter().collect();
    if facts.item.disposition == Disposition::RevokeNow {
        // Others may have it: it is switched off before anything else is done.
        steps.sort_by_key(|(title, _)| {
            !matches!(*title, "End the old access" | "Prove that it has ended")
        });
    }
    let mut number = 0;
    for (title, kinds) in steps {
        let files: Vec<&Made> = made
            .iter()
            .filter(|one| kinds.contains(&one.kind))
            .collect();
        if files.is_empty() {
            continue;
        }
        number += 1;
        let _ = writeln!(out, "{number}. {title}");
        let mut files = files;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        for one in files {
            let _ = writeln!(out, "   - `{}`: {}", one.path, markdown(&one.description));
        }
    }
    out.push('\n');
}

fn tried(out: &mut String, checked: &Checked) {
    let _ = writeln!(
        out,
        "## What was tried\n\nThe policies were tried by the evaluator of this program before they were written: {} questions, {}.",
        checked.tried.len(),
        if checked.passed {
            "and every answer is the one that it should be"
        } else {
            "AND NOT EVERY ANSWER IS THE ONE THAT IT SHOULD BE"
        }
    );
    if checked.actions_used > 0 {
        let _ = writeln!(
            out,
            "{} actions were used, and {} are allowed.",
            checked.actions_used, checked.actions_allowed
        );
    }
    for one in checked.failed() {
        let _ = writeln!(out, "- Failed: {}", markdown(&one.what));
    }
    for (path, (size, limit)) in &checked.sizes {
        if size > limit {
            let _ = writeln!(out, "- Too long: {path} has {size} characters of {limit}");
        }
    }
    out.push_str("Policies of organisations, resources and endpoints that the scan did not see may allow less.\n\n");
}

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut any = false;
    for line in lines {
        if !any {
            let _ = writeln!(out, "## {title}\n");
            any = true;
        }
        let _ = writeln!(out, "- {}", markdown(&line));
    }
    if any {
        out.push('\n');
    }
}
