//! The task boundary and the two permission sets in words, the same on every page.

use crate::model::{Assessment, PermissionLine, PermissionSets, Ternary};

/// Most lines of one set.
const MOST: usize = 12;

/// Names and values about where the task begins and ends.
pub(super) fn task(assessment: &Assessment) -> Vec<(&'static str, String)> {
    let task = &assessment.task;
    if task.evidence.is_empty() {
        return Vec::new();
    }
    let mut out = vec![
        (
            "task ends",
            match task.bounded {
                Ternary::Yes => "by itself",
                Ternary::No => "never by itself",
                Ternary::Unknown => "not known",
            }
            .to_owned(),
        ),
        (
            "end provable",
            match task.stop_provable {
                Ternary::Yes => "yes",
                Ternary::No => "no",
                Ternary::Unknown => "not from what was read",
            }
            .to_owned(),
        ),
    ];
    out.extend(
        task.evidence
            .iter()
            .map(|line| ("", format!("[{}] {}", line.grade.as_str(), line.text))),
    );
    out
}

/// The lines of one set.
pub(super) fn lines(set: &[PermissionLine]) -> Vec<String> {
    let mut out: Vec<String> = set
        .iter()
        .take(MOST)
        .map(|line| {
            format!(
                "{} on {}",
                some(&line.actions, 12),
                if line.resources.iter().any(|resource| resource == "*") {
                    "resources that no event names".to_owned()
                } else {
                    some(&line.resources, 4)
                }
            )
        })
        .collect();
    if set.len() > MOST {
        out.push(format!("and {} more lines", set.len() - MOST));
    }
    out
}

fn some(list: &[String], most: usize) -> String {
    let shown: Vec<&str> = list.iter().take(most).map(String::as_str).collect();
    if list.len() > most {
        format!("{} and {} more", shown.join(", "), list.len() - most)
    } else {
        shown.join(", ")
    }
}

/// Headings and lines of both sets.
pub(super) fn sets(sets: &PermissionSets) -> [(String, Vec<String>); 3] {
    [
        (
            format!("May stay (seen in use: {})", sets.source),
            lines(&sets.baseline),
        ),
        ("Asked for when needed".to_owned(), lines(&sets.elevated)),
        ("What this cannot show".to_owned(), sets.gaps.clone()),
    ]
}

/// The same under names that fit a narrow column.
pub(super) fn short(sets: &PermissionSets) -> [(&'static str, Vec<String>); 4] {
    [
        ("seen in use", vec![sets.source.clone()]),
        ("may stay", lines(&sets.baseline)),
        ("on demand", lines(&sets.elevated)),
        ("not shown", sets.gaps.clone()),
    ]
}
