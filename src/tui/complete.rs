//! Completion of filters: the names of fields, then the values the run has.

use super::data::{Data, Item};
use super::mode::View;
use crate::query::{self, FIELDS};
use std::collections::BTreeMap;

/// Most suggestions at once.
const MOST: usize = 8;
/// Most items that are asked for the values of a field, evenly from all of them.
const ASKED: usize = 5_000;

/// Whole filters that what is typed could become.
pub(super) fn suggestions(data: &Data<'_>, view: View, typed: &str) -> Vec<String> {
    let start = typed
        .rfind(|letter: char| letter.is_whitespace() || matches!(letter, '(' | ')'))
        .map_or(0, |at| {
            at + typed
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .map_or(1, char::len_utf8)
        });
    let (before, word) = typed.split_at(start);
    let sign = word.len() - word.trim_start_matches(['-', '!']).len();
    let (sign, word) = word.split_at(sign);
    let whole = |text: &str| format!("{before}{sign}{text}");
    match word.split_once(':') {
        None => FIELDS
            .iter()
            .filter(|field| !word.is_empty() && field.name.starts_with(&word.to_lowercase()))
            .take(MOST)
            .map(|field| whole(&format!("{}:", field.name)))
            .collect(),
        Some((field, value)) => values(data, view, field)
            .into_iter()
            .filter(|known| {
                known.to_lowercase().starts_with(&value.to_lowercase()) && known != value
            })
            .take(MOST)
            .map(|known| whole(&format!("{field}:{}", quoted(&known))))
            .collect(),
    }
}

/// The values that a field has in a view, the most frequent first.
fn values(data: &Data<'_>, view: View, field: &str) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for choice in query::choices(field) {
        counts.insert((*choice).to_owned(), 0);
    }
    let items: Vec<Item> = data.items(view);
    let step = items.len().div_ceil(ASKED).max(1);
    for item in items.into_iter().step_by(step) {
        let Some(subject) = data.subject(item) else {
            continue;
        };
        for value in query::values(field, &subject) {
            *counts.entry(value).or_default() += 1;
        }
    }
    let mut values: Vec<(String, usize)> = counts.into_iter().collect();
    values.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
    values.into_iter().map(|(value, _)| value).collect()
}

/// A value as a filter has it: in quotation marks where it has blanks.
pub(super) fn quoted(value: &str) -> String {
    let plain = |letter: char| !letter.is_whitespace() && !matches!(letter, '"' | '(' | ')' | ',');
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('"', "?"))
    }
}
