//! From features to a confidence with its reasons.

use super::features::{self, Feature};
use super::form::{Form, Reading};
use super::key::Key;
use super::surroundings;
use super::value::{Quote, scheme};
use super::{Assigned, part, shape, vendors};
use crate::model::Confidence;
use crate::rules::credentials::assignments;

/// Most reasons that are told beside the first.
const TOLD: usize = 3;

/// An unquoted value on a line this long stands in generated code.
const LONG_LINE: usize = 600;

/// Judges one reading; `None` where its score is too low for a finding.
pub(super) fn judge(text: &[u8], key: &Key, reading: &Reading) -> Option<Assigned> {
    let (value, found) = candidate(text, key, reading)?;
    let known = assignments();
    let mut score = known.score.start;
    let mut told: Vec<(f64, &str)> = Vec::new();
    for Feature { name, amount } in found {
        let Some(feature) = known.features.get(name) else {
            continue;
        };
        let points = feature.weight * amount;
        score += points;
        if !feature.reason.is_empty() {
            told.push((points, &feature.reason));
        }
    }
    let confidence = match score {
        score if score >= known.score.high => Confidence::High,
        score if score >= known.score.medium => Confidence::Medium,
        score if score >= known.score.low => Confidence::Low,
        _ => return None,
    };
    told.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let mut reasons = vec![format!(
        "assigned to a name that speaks of a {}",
        key.name.family.id
    )];
    for (points, reason) in told.into_iter().take(TOLD) {
        let sign = if points < 0.0 { "less sure: " } else { "" };
        reasons.push(format!("{sign}{reason}"));
    }
    Some(Assigned {
        secret: value,
        confidence,
        reasons,
    })
}

/// The value of a reading without its scheme, and its features; `None` where it cannot be a secret.
pub(super) fn candidate(
    text: &[u8],
    key: &Key,
    reading: &Reading,
) -> Option<(std::ops::Range<usize>, Vec<Feature>)> {
    let mut range = reading.value.clone();
    let named = scheme(part(text, range.clone()));
    range.start += named;
    if part(text, range.clone()).starts_with(b"pass:") {
        range.start += b"pass:".len();
    }
    let value = part(text, range.clone());
    let bare = reading.quote == Quote::Bare;
    if bare && (reading.line.len() > LONG_LINE || shape::is_call(value)) {
        return None;
    }
    if shape::is_harmless(value, key) || (reading.indirect && value.contains(&b' ')) {
        return None;
    }
    let around = surroundings::around(text, &reading.line);
    // `NAME=value` of a shell, and whatever follows a flag or a scheme, is text.
    let name = part(text, key.range.clone());
    let variable =
        reading.form == Form::Equals && !reading.spaced && !name.iter().any(u8::is_ascii_lowercase);
    let is_text = matches!(reading.form, Form::Flag | Form::Query)
        || variable
        || named > 0
        || around.is_configuration();
    if bare && !is_text && shape::is_code(value) {
        return None;
    }
    if vendors::is_of_another_form(text, key, &reading.line, value) {
        return None;
    }
    let found = features::of(value, text, key, reading, around, named > 0);
    Some((range, found))
}
