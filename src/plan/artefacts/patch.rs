//! Changes of pipelines: the diffs that the scan made, with the names of this item.

use super::facts::Facts;
use super::text::{fill, slug};
use super::{Made, Remarks};
use crate::jit::subject::Subject;
use crate::model::{ArtefactKind, PipelineEdit};
use crate::plan::PlanContext;

/// Adds the patches of an item, or why there are none.
pub(super) fn files(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    facts: &Facts<'_>,
    made: &mut Vec<Made>,
    remarks: &mut Remarks,
) {
    let users: Vec<_> = subject.consumers.iter().map(|one| &one.id).collect();
    let edits: Vec<&PipelineEdit> = context
        .inventory
        .edits
        .iter()
        .filter(|edit| edit.mechanism == facts.item.mechanism && users.contains(&&edit.consumer))
        .collect();
    if edits.is_empty() && facts.keeps_role() {
        return;
    }
    if edits.is_empty() {
        let why = if subject.consumers.iter().any(|one| {
            matches!(
                one.runtime.as_str(),
                "github-actions"
                    | "gitlab-ci"
                    | "bitbucket-pipelines"
                    | "circleci"
                    | "buildkite"
                    | "azure-pipelines"
                    | "jenkins"
            )
        }) {
            "no pipeline file was found in which this mechanism takes the place of a secret line by line; the steps say what to change"
        } else {
            "nothing that uses it is a job of a pipeline in the scanned repositories"
        };
        remarks.miss("pipeline patch", why);
        return;
    }
    let mut written: Vec<(&str, &str)> = Vec::new();
    for edit in edits {
        let place = format!("{}/{}", edit.repository, edit.path);
        for note in &edit.notes {
            let note = format!("{place}: {note}");
            if !remarks.notes.contains(&note) {
                remarks.notes.push(note);
            }
        }
        let Some(patch) = edit.patch.as_deref() else {
            continue;
        };
        if written.contains(&(place.as_str(), patch)) || written.iter().any(|one| one.1 == patch) {
            continue;
        }
        written.push((edit.path.as_str(), patch));
        let number = written.len();
        let stem = slug(edit.path.rsplit('/').next().unwrap_or_default(), 40);
        made.push(Made::new(
            format!("pipeline-{number:02}-{stem}.patch"),
            ArtefactKind::PipelinePatch,
            format!("change of {place}: run `git apply` in that repository"),
            filled(patch, facts),
        ));
    }
    if written.is_empty() {
        remarks.miss(
            "pipeline patch",
            "see the notes: none can be made for these files",
        );
    }
}

/// Only lines that come have placeholders; everything else is the file's own.
fn filled(patch: &str, facts: &Facts<'_>) -> String {
    let mut values = facts.values.clone();
    if let Some(audience) = facts.trust.and_then(|trust| trust.audience.as_deref()) {
        let audience = facts.fill(audience, str::to_owned);
        values.insert("audience", audience);
    }
    patch
        .split_inclusive('\n')
        .map(|line| {
            if line.starts_with('+') && !line.starts_with("+++ ") {
                fill(line, &values, plain)
            } else {
                line.to_owned()
            }
        })
        .collect()
}

/// A value that is the same text in YAML, in a shell and in quotes of either.
fn plain(value: &str) -> String {
    value
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_./:@-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect()
}
