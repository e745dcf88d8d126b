//! From features to a confidence with its reasons.

use super::features::{self, Feature};
use super::form::{Form, Reading};
use super::key::Key;
use super::surroundings;
use super::value::{Quote, scheme};
use super::{Assigned, Judgement, part, shape, vendors};
use crate::model::Confidence;
use crate::rules::credentials::assignments;
use std::ops::Range;

/// Most reasons that are told beside the first.
const TOLD: usize = 3;

/// An unquoted value on a line this long stands in generated code.
const LONG_LINE: usize = 600;

/// Judges one reading.
pub(super) fn judge(text: &[u8], key: &Key, reading: &Reading) -> Judgement {
    match value_of(text, key, reading) {
        None => Judgement::Nothing,
        Some((value, scheme)) => {
            weigh(text, key, reading, value, scheme).map_or(Judgement::Unlikely, Judgement::Secret)
        }
    }
}

/// Adds up what the features of a value weigh; `None` where that is too little for a finding.
fn weigh(
    text: &[u8],
    key: &Key,
    reading: &Reading,
    value: Range<usize>,
    scheme: bool,
) -> Option<Assigned> {
    let known = assignments();
    let mut score = known.score.start;
    let mut told: Vec<(f64, &str)> = Vec::new();
    let mut add = |Feature { name, amount }| {
        let Some(feature) = known.feature(name) else {
            return score;
        };
        let points = feature.weight * amount;
        score += points;
        if !feature.reason.is_empty() {
            told.push((points, &feature.reason));
        }
        score
    };
    let found = features_of(text, key, reading, value.clone(), scheme)?;
    let so_far = found.into_iter().map(&mut add).last();
    // It can only speak against a secret and is dear to find out, so it comes last.
    if so_far.is_some_and(|score| score >= known.score.low)
        && vendors::are_near(text, &reading.line)
    {
        add(Feature {
            name: "vendor-near",
            amount: 1.0,
        });
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

/// The value of a reading without the name of its scheme, and whether it had one; `None` where it cannot be a secret,
/// whatever stands around its line.
fn value_of(text: &[u8], key: &Key, reading: &Reading) -> Option<(Range<usize>, bool)> {
    let mut range = reading.value.clone();
    let named = scheme(part(text, range.clone()));
    range.start += named;
    if part(text, range.clone()).starts_with(b"pass:") {
        range.start += b"pass:".len();
    }
    let value = part(text, range.clone());
    let is_code =
        reading.quote == Quote::Bare && (reading.line.len() > LONG_LINE || shape::is_call(value));
    let harmless = is_code
        || shape::is_harmless(value, key)
        || shape::is_proof(part(text, reading.line.clone()), &key.name.family.id)
        || (reading.indirect && value.contains(&b' '))
        || vendors::is_of_another_form(text, key, &reading.line, value);
    (!harmless).then_some((range, named > 0))
}

/// The features of a value; `None` where it is code.
fn features_of(
    text: &[u8],
    key: &Key,
    reading: &Reading,
    value: Range<usize>,
    scheme: bool,
) -> Option<Vec<Feature>> {
    let value = part(text, value);
    let around = surroundings::around(text, &reading.line);
    // `NAME=value` of a shell, and whatever follows a flag or a scheme, is text.
    let name = part(text, key.range.clone());
    let variable =
        reading.form == Form::Equals && !reading.spaced && !name.iter().any(u8::is_ascii_lowercase);
    let is_text = matches!(reading.form, Form::Flag | Form::Query)
        || variable
        || scheme
        || around.is_configuration();
    if reading.quote == Quote::Bare && !is_text && shape::is_code(value) {
        return None;
    }
    Some(features::of(value, text, key, reading, around, scheme))
}
