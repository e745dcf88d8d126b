//! What the user says over what is built in, and which of it is wrong.

use super::{OVERRIDES, RuleError, Scoring, base};
use toml::{Table, Value};

/// Keys of these tables are names of the user's own; everywhere else a key must exist.
fn open(path: &str) -> bool {
    matches!(
        path,
        "sensitivity.types" | "sensitivity.tag_levels" | "nature.tiers"
    )
}

/// Puts what the user says over what is built in.
pub(super) fn merge(into: &mut Table, from: &Table, path: &str) -> Result<(), RuleError> {
    for (key, value) in from {
        let full = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match (into.get_mut(key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new, &full)?,
            (Some(old), new) if old.same_type(new) => *old = new.clone(),
            (Some(old), new) => {
                return Err(RuleError::invalid(
                    OVERRIDES,
                    format!(
                        "`{full}` must be of type {}, not {}",
                        old.type_str(),
                        new.type_str()
                    ),
                ));
            }
            (None, new) if open(path) => {
                into.insert(key.clone(), new.clone());
            }
            (None, _) => {
                return Err(RuleError::invalid(
                    OVERRIDES,
                    format!("`{full}` is not a known key"),
                ));
            }
        }
    }
    Ok(())
}

/// The one value that is of no use by itself, where there is one: a number that is too large for its key, a list of the
/// wrong things.
pub(super) fn culprit(overrides: &Table) -> Option<RuleError> {
    let mut leaves = Vec::new();
    collect(overrides, &mut Vec::new(), &mut leaves);
    leaves.into_iter().find_map(|(path, value)| {
        let mut alone = value.clone();
        for key in path.iter().rev() {
            alone = Value::Table(Table::from_iter([(key.clone(), alone)]));
        }
        let mut table = base().ok()?;
        merge(&mut table, alone.as_table()?, "").ok()?;
        let error = Value::Table(table).try_into::<Scoring>().err()?;
        let name = path.join(".");
        Some(RuleError::invalid(
            OVERRIDES,
            format!("`{name}`: {}", error.message()),
        ))
    })
}

fn collect<'a>(table: &'a Table, path: &mut Vec<String>, into: &mut Vec<(Vec<String>, &'a Value)>) {
    for (key, value) in table {
        path.push(key.clone());
        match value {
            Value::Table(inner) => collect(inner, path, into),
            leaf => into.push((path.clone(), leaf)),
        }
        path.pop();
    }
}
