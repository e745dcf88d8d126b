//! Which row of the table came nearest where none holds, so that a review says what it waits for.

use crate::model::{Disposition, DispositionTrace, Ternary};

/// Most conditions named.
const MOST: usize = 3;

/// The row with the fewest conditions that do not hold, and those.
pub(super) fn nearest(trace: &[DispositionTrace]) -> Option<String> {
    let open = |row: &DispositionTrace| -> Vec<String> {
        row.conditions
            .iter()
            .filter(|condition| condition.held != Ternary::Yes)
            // An alternative to the others is not one more of them.
            .filter(|condition| !condition.text.starts_with("or "))
            .map(|condition| match condition.held {
                Ternary::Unknown => format!("{} (not known)", condition.text),
                _ => condition.text.clone(),
            })
            .collect()
    };
    let (row, open) = trace
        .iter()
        .filter(|row| {
            matches!(
                row.disposition,
                Disposition::MigrateNow
                    | Disposition::Hybrid
                    | Disposition::KeepStanding
                    | Disposition::PlanMigration
            )
        })
        .map(|row| (row, open(row)))
        .filter(|(_, open)| !open.is_empty())
        // Of equals the later row: it asks for less.
        .rev()
        .min_by_key(|(_, open)| open.len())?;
    let more = match open.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let named: Vec<&str> = open.iter().take(MOST).map(String::as_str).collect();
    Some(format!(
        "nearest is {}, which fails on: {}{more}",
        row.disposition.title(),
        named.join("; ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConditionResult;

    #[test]
    fn the_row_with_the_fewest_open_conditions_is_named() {
        let row = |disposition, conditions: &[(&str, Ternary)]| DispositionTrace {
            disposition,
            conditions: conditions
                .iter()
                .map(|(text, held)| ConditionResult {
                    text: (*text).to_owned(),
                    held: *held,
                })
                .collect(),
            matched: false,
        };
        let trace = [
            row(Disposition::RevokeNow, &[("leaked", Ternary::No)]),
            row(
                Disposition::MigrateNow,
                &[("fit", Ternary::No), ("renewal", Ternary::Unknown)],
            ),
            row(
                Disposition::KeepStanding,
                &[
                    ("P", Ternary::Yes),
                    ("S", Ternary::Unknown),
                    ("or already", Ternary::No),
                ],
            ),
        ];
        assert_eq!(
            nearest(&trace).unwrap(),
            "nearest is Keep standing (justified), which fails on: S (not known)"
        );
        assert_eq!(nearest(&trace[..1]), None);
    }
}
