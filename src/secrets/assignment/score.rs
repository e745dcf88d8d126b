//! From features to a confidence with its reasons.

use super::features::{self, Feature};
use super::form::{Form, Reading};
use super::key::Key;
use super::surroundings;
use super::value::{Quote, scheme};
use super::{Assigned, part, shape};
use crate::model::Confidence;
use crate::rules::credentials::assignments;

/// Most reasons that are told beside the first.
const TOLD: usize = 3;

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
        key.family.id
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
    let value = part(text, range.clone());
    let around = surroundings::around(text, &reading.line);
    let bare_code = reading.quote == Quote::Bare
        && !matches!(reading.form, Form::Flag | Form::Query)
        && !around.is_configuration();
    if shape::is_harmless(value, key, bare_code) || (reading.indirect && value.contains(&b' ')) {
        return None;
    }
    let found = features::of(value, text, key, reading, around, named > 0);
    Some((range, found))
}
