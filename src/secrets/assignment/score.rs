//! From features to a confidence with its reasons.

use super::features::{self, Feature};
use super::form::{Form, Reading};
use super::key::Key;
use super::surroundings;
use super::value::{Quote, scheme};
use super::{Assigned, list, part, shape, statement, table, vendors};
use crate::model::Confidence;
use crate::rules::credentials::assignments;
use std::ops::Range;

/// Most reasons that are told beside the first.
const TOLD: usize = 3;

/// An unquoted value on a line this long stands in generated code.
const LONG_LINE: usize = 600;

/// What is made of one reading.
pub(super) enum Verdict {
    /// No secret, whatever stands around.
    Nothing,
    /// What stands around speaks against it.
    Unlikely,
    /// A secret.
    Secret(Assigned),
}

/// Judges one reading.
pub(super) fn judge(text: &[u8], key: &Key, reading: &Reading) -> Verdict {
    if reading.quote == Quote::Bytes {
        return of_bytes(text, key, reading).map_or(Verdict::Nothing, Verdict::Secret);
    }
    match value_of(text, key, reading) {
        None => Verdict::Nothing,
        Some((value, scheme)) => {
            let Some(features) = Features::of(text, key, reading, value.clone(), scheme) else {
                return Verdict::Nothing;
            };
            // It is dear to find out, so it comes after what rules out most values.
            if vendors::is_of_another_form(text, key, &reading.line, part(text, value.clone())) {
                return Verdict::Nothing;
            }
            let weighed = weigh(text, key, reading, value, scheme, features);
            weighed.map_or(Verdict::Unlikely, Verdict::Secret)
        }
    }
}

/// Bytes under a name that says what they are for. Tokens of parsers and of models are numbers too.
fn of_bytes(text: &[u8], key: &Key, reading: &Reading) -> Option<Assigned> {
    let family = key.name.family.id.as_str();
    let fits = match family {
        "key" => key.is_qualified(),
        "token" => false,
        _ => true,
    };
    (fits && list::looks_random(part(text, reading.value.clone()))).then(|| Assigned {
        secret: reading.value.clone(),
        confidence: Confidence::Medium,
        reasons: vec![
            format!("assigned to a name that speaks of a {family}"),
            "it is a list of bytes without order".to_owned(),
        ],
    })
}

/// Adds up what the features of a value weigh; `None` where that is too little for a finding.
fn weigh(
    text: &[u8],
    key: &Key,
    reading: &Reading,
    value: Range<usize>,
    scheme: bool,
    features: Features,
) -> Option<Assigned> {
    let known = assignments();
    let mut score = known.score.start;
    let found = features.around(text, key, reading, value.clone(), scheme)?;
    let points = |Feature { name, amount }: Feature| {
        let feature = known.feature(name)?;
        Some((feature.weight * amount, feature.reason.as_str()))
    };
    for (points, _) in found.iter().copied().filter_map(points) {
        score += points;
    }
    let mut near = None;
    // It can only speak against a secret and is dear to find out, so it comes last. No vendor makes up passwords.
    let issued = !matches!(key.name.family.id.as_str(), "password" | "salt" | "nonce");
    if issued && score >= known.score.low && vendors::are_near(text, &reading.line) {
        near = Some(Feature {
            name: "vendor-near",
            amount: 1.0,
        });
        score += near.and_then(points).map_or(0.0, |(points, _)| points);
    }
    if key.name.family.id == "token"
        && surroundings::is_of_signed_call(text, &reading.line, part(text, value.clone()))
    {
        return None;
    }
    let confidence = match score {
        score if score >= known.score.high => Confidence::High,
        score if score >= known.score.medium => Confidence::Medium,
        score if score >= known.score.low => Confidence::Low,
        _ => return None,
    };
    let mut told: Vec<(f64, &str)> = found
        .into_iter()
        .chain(near)
        .filter_map(points)
        .filter(|(_, reason)| !reason.is_empty())
        .collect();
    told.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let family = &key.name.family.id;
    let mut reasons = match reading.table {
        None => vec![format!("assigned to a name that speaks of a {family}")],
        Some(table) => {
            let rows = if table.more {
                format!(", of which the first {} rows are told", table::MOST)
            } else {
                String::new()
            };
            vec![format!(
                "in a table{rows}, under a name that speaks of a {family}"
            )]
        }
    };
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
    let is_code = reading.quote == Quote::Bare
        && (reading.line.len() > LONG_LINE || shape::is_call(value) || value.starts_with(b"@'"));
    let harmless = is_code
        || (reading.table.is_some() && shape::is_digest(value, &key.name.family.id))
        || shape::is_harmless(value, key)
        || shape::is_proof(part(text, reading.line.clone()), &key.name.family.id)
        || (reading.indirect && value.contains(&b' '))
        // A format with `<name>` in it, and the arguments behind it.
        || (reading.form == Form::Markup && value.contains(&b'"') && value.ends_with(b");"))
        // `identified by` is said of other things too.
        || (reading.quote == Quote::Bare
            && key.name.family.id == "password"
            && part(text, key.range.clone()).eq_ignore_ascii_case(b"identified by")
            && !statement::is_of_user(part(text, reading.line.clone())))
        // What credentials are made of begins with ids.
        || (reading.form == Form::Call
            && key.name.family.id == "credential"
            && shape::is_uuid(value));
    (!harmless).then_some((range, named > 0))
}

/// The features of a value that its own line tells.
struct Features {
    name: Vec<Feature>,
    line: Vec<Feature>,
    value: Vec<Feature>,
}

impl Features {
    /// `None` where the value is no finding, whatever stands around its line.
    fn of(
        text: &[u8],
        key: &Key,
        reading: &Reading,
        value: Range<usize>,
        scheme: bool,
    ) -> Option<Self> {
        let found = Self {
            name: features::of_name(key, reading.listed),
            line: features::of_line(text, key, reading, scheme),
            value: features::of_value(part(text, value), key, reading),
        };
        let all = found.name.iter().chain(&found.line).chain(&found.value);
        is_possible(all, reading).then_some(found)
    }

    /// With those that what stands around tells; `None` where the value is code.
    fn around(
        self,
        text: &[u8],
        key: &Key,
        reading: &Reading,
        value: Range<usize>,
        scheme: bool,
    ) -> Option<Vec<Feature>> {
        let value = part(text, value);
        let around = surroundings::around(text, &reading.line);
        if around.anonymous && key.name.family.id == "password" {
            return None;
        }
        // `NAME=value` of a shell, and whatever follows a flag or a scheme, is text.
        let name = part(text, key.range.clone());
        let variable = reading.form == Form::Equals
            && !reading.spaced
            && !name.iter().any(u8::is_ascii_lowercase);
        let is_text = matches!(reading.form, Form::Flag | Form::Query)
            || variable
            || scheme
            || around.is_configuration()
            || ((statement::is_login(text, key, reading)
                || statement::is_line(text, key, reading))
                && !shape::is_readable(value));
        if reading.quote == Quote::Bare
            && !is_text
            && !(reading.announced && shape::is_riddled(value))
            && shape::is_code(value)
        {
            return None;
        }
        let mut found = self.name;
        let is_setting =
            around.is_configuration() || statement::is_variable_argument(text, key, reading);
        found.extend(features::of_form(reading, around, is_setting));
        found.extend(self.line);
        found.extend(self.value);
        Some(found)
    }
}

/// Whether a value of which these features are known may be a finding at all: what stands around it is dear to find out, and
/// where it does not decide, nothing has to be judged anew when that changes.
fn is_possible<'f>(features: impl Iterator<Item = &'f Feature>, reading: &Reading) -> bool {
    // More than adding up in another order changes.
    const ROUNDING: f64 = 1e-6;
    let known = assignments();
    let weight = |name: &str| known.feature(name).map_or(0.0, |feature| feature.weight);
    let points: f64 = features.map(|one| weight(one.name) * one.amount).sum();
    let most = known.score.start + points + features::most_of_form(reading, weight);
    most + ROUNDING >= known.score.low
}

#[cfg(test)]
mod tests {
    use super::super::{key, reader};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_ruled_out_by_its_line_weighs_too_little_anywhere(
            around in proptest::collection::vec("(user = app|port: 1|def f\\(\\):|some words of a text for people|\\[db\\]|)", 0..6),
            name in "(db_|# |self\\.|)(password|token|api_key|client_secret|auth)(s|_name|)",
            operator in "( = |=|: |\": \"|\\(\"| == ')",
            value in "[a-zA-Z0-9$/_.+=-]{3,40}",
            end in "(\"|'|,|;|\\)|)",
        ) {
            let around = around.join("\n");
            let text = format!("{around}\n{name}{operator}{value}{end}\n{around}");
            let text = text.as_bytes();
            let start = around.len() + 1;
            let Some(key) = key::read(text, key::range(text, &(start..start + name.len()))) else {
                return Ok(());
            };
            for reading in reader::readings(text, &key) {
                let Some((value, scheme)) = value_of(text, &key, &reading) else {
                    continue;
                };
                if Features::of(text, &key, &reading, value.clone(), scheme).is_some() {
                    continue;
                }
                let all = Features {
                    name: features::of_name(&key, reading.listed),
                    line: features::of_line(text, &key, &reading, scheme),
                    value: features::of_value(part(text, value.clone()), &key, &reading),
                };
                prop_assert!(weigh(text, &key, &reading, value, scheme, all).is_none());
            }
        }
    }
}
