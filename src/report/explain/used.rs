//! What an identity uses of what it may, as the lines of its page.

use crate::model::PermissionUse;
use crate::report::charts::stacked;
use crate::report::text::line;

/// Policies told of.
const MOST: usize = 8;

/// Columns of a bar.
const BAR: usize = 30;

/// Granted against used as bars: the whole, then the statements that give most for nothing.
pub(super) fn bars(usage: &PermissionUse) -> Vec<String> {
    let bar = |used: u32, unused: u32, unknown: u32| {
        stacked(
            &[
                (used.into(), '█'),
                (unused.into(), '░'),
                (unknown.into(), '?'),
            ],
            BAR,
        )
    };
    if usage.actions_granted == 0 {
        return Vec::new();
    }
    let mut out = vec![format!(
        "{} of {} actions: █ used, ░ not used, ? no record",
        bar(
            usage.actions_used,
            usage.actions_unused,
            usage.actions_unknown
        ),
        usage.actions_granted
    )];
    let mut worst: Vec<_> = usage.statements.iter().collect();
    worst.sort_by_key(|statement| std::cmp::Reverse(statement.unused));
    for statement in worst.iter().take(MOST) {
        let used = statement
            .granted
            .saturating_sub(statement.unused.saturating_add(statement.unknown));
        let bar = bar(used, statement.unused, statement.unknown);
        if !bar.is_empty() {
            let name = format!("{}, {}", statement.policy, statement.statement);
            out.push(format!("{bar} {} {}", statement.granted, line(&name)));
        }
    }
    out
}

/// Lines with their indentation.
pub(super) fn lines(usage: &PermissionUse) -> Vec<(usize, String)> {
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
    let mut out = vec![(
        2,
        format!(
            "of {} actions granted, {} were used from {} to {}, {} were not, of {} nobody keeps a record",
            usage.actions_granted,
            usage.actions_used,
            day(usage.since),
            day(usage.until),
            usage.actions_unused,
            usage.actions_unknown
        ),
    )];
    let mut list = |what: &str, names: &[String]| {
        if !names.is_empty() {
            out.push((6, format!("{what}: {}", shortened(names))));
        }
    };
    list("services used", &usage.services_used);
    list("services not used", &usage.services_unused);
    list("services without a record", &usage.services_untracked);
    list(
        "services of which only the whole is recorded: their actions are kept",
        &usage.services_without_actions,
    );
    if let Some(why) = &usage.too_early {
        out.push((6, format!("nothing counts as unused yet: {why}")));
    }
    for smaller in usage.smaller.iter().take(MOST) {
        let sizes: Vec<String> = smaller.sizes.iter().map(u32::to_string).collect();
        let what = match smaller.documents.len() {
            0 => "nothing of it is left".to_owned(),
            1 => format!(
                "one {} policy of {} characters",
                smaller.form,
                sizes.concat()
            ),
            n => format!(
                "{n} {} policies of {} characters",
                smaller.form,
                sizes.join(", ")
            ),
        };
        out.push((2, format!("in place of {}: {what}", smaller.policy)));
        let levels: Vec<String> = smaller
            .removed_by_level
            .iter()
            .map(|(level, count)| format!("{count} {level}"))
            .collect();
        out.push((6, format!("removes {}", levels.join(", "))));
        if !smaller.removed_services.is_empty() {
            out.push((
                6,
                format!("removes all of {}", shortened(&smaller.removed_services)),
            ));
        }
        for (level, actions) in &smaller.removed_actions {
            out.push((6, format!("removes ({level}) {}", shortened(actions))));
        }
        for note in &smaller.notes {
            out.push((6, note.clone()));
        }
        for document in &smaller.documents {
            let text = document.to_string();
            if text.chars().count() <= 1_000 {
                out.push((6, text));
            } else {
                out.push((6, "the documents are in report.json".to_owned()));
                break;
            }
        }
    }
    out
}

fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = names.len().saturating_sub(SHOWN);
    if more == 0 {
        shown.join(", ")
    } else {
        format!("{} and {more} more", shown.join(", "))
    }
}
