//! Tolerant access to the fields of exported JSON: whatever is missing or of another type reads as absent.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(super) type Object = Map<String, Value>;

/// Takes a non-blank string out of an object.
pub(super) fn take_text(object: &mut Object, key: &str) -> Option<String> {
    match object.remove(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text),
        _ => None,
    }
}

/// A non-blank string of an object.
pub(super) fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object
        .get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
}

/// Takes a list out of an object; one lone object or string stands for a list of one.
pub(super) fn take_list(object: &mut Object, key: &str) -> Vec<Value> {
    match object.remove(key) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(other) => vec![other],
    }
}

/// Takes the objects of a list, leaving out what is no object.
pub(super) fn take_objects(object: &mut Object, key: &str) -> Vec<Object> {
    take_list(object, key)
        .into_iter()
        .filter_map(|item| match item {
            Value::Object(item) => Some(item),
            _ => None,
        })
        .collect()
}

/// Takes the strings of a list.
pub(super) fn take_texts(object: &mut Object, key: &str) -> Vec<String> {
    take_list(object, key)
        .into_iter()
        .filter_map(|item| match item {
            Value::String(item) => Some(item),
            _ => None,
        })
        .collect()
}

/// A time of an object.
pub(super) fn time(object: &Object, key: &str) -> Option<Timestamp> {
    match object.get(key)? {
        Value::String(text) => parse_time(text),
        Value::Number(number) => epoch(number.as_f64()?),
        _ => None,
    }
}

/// Reads ISO 8601 with an offset or `Z`, with `T` or a blank between date and time; a time without an offset is UTC, as
/// AWS means it; a number is seconds since 1970.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // Only after the attempt above: a civil time parser would drop a `Z` or an offset.
    let utc = |at: DateTime| at.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    if let Ok(at) = text.parse::<DateTime>() {
        return utc(at);
    }
    if let Ok(day) = text.parse::<Date>() {
        return utc(day.to_datetime(jiff::civil::Time::midnight()));
    }
    epoch(text.parse::<f64>().ok()?)
}

/// Seconds since 1970; larger numbers are milliseconds, which some SDKs write.
fn epoch(number: f64) -> Option<Timestamp> {
    if !number.is_finite() || number <= 0.0 {
        return None;
    }
    let seconds = if number > 1e11 {
        number / 1000.0
    } else {
        number
    };
    Timestamp::from_second(seconds as i64).ok()
}

/// Takes tags: a list of `{"Key", "Value"}`, or a plain object.
pub(super) fn take_tags(object: &mut Object) -> BTreeMap<String, String> {
    match object.remove("Tags") {
        Some(Value::Object(tags)) => tags
            .into_iter()
            .filter_map(|(key, value)| match value {
                Value::String(value) => Some((key, value)),
                _ => None,
            })
            .collect(),
        Some(Value::Array(tags)) => tags
            .into_iter()
            .filter_map(|tag| {
                let Value::Object(mut tag) = tag else {
                    return None;
                };
                let key = take_text(&mut tag, "Key").or_else(|| take_text(&mut tag, "key"))?;
                let value = take_text(&mut tag, "Value")
                    .or_else(|| take_text(&mut tag, "value"))
                    .unwrap_or_default();
                Some((key, value))
            })
            .collect(),
        _ => BTreeMap::new(),
    }
}

/// `at` minus whole days; `at` itself where the calendar ends.
pub(super) fn days_before(at: Timestamp, days: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_hours(days.saturating_mul(24)))
        .unwrap_or(at)
}

/// The account of an ARN: its fifth segment. Real ones are 12 digits; anonymised exports have shorter ones or words.
/// Policies of AWS belong to none.
pub(super) fn account_of(arn: &str) -> Option<&str> {
    let mut segments = arn.split(':');
    (segments.next() == Some("arn")).then_some(())?;
    let account = segments.nth(3)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!account.is_empty() && account != "aws" && account.len() <= 64 && account.bytes().all(plain))
        .then_some(account)
}

/// The partition of an ARN.
pub(super) fn partition_of(arn: &str) -> Option<&str> {
    let mut segments = arn.split(':');
    (segments.next() == Some("arn")).then_some(())?;
    segments.next().filter(|partition| !partition.is_empty())
}

/// 12 digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Has the form of an access key id: 16 to 128 upper-case letters and digits, `AKIA…` or `ASIA…`.
pub(super) fn is_key_id(text: &str) -> bool {
    (16..=128).contains(&text.len())
        && (text.starts_with("AKIA") || text.starts_with("ASIA"))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_of_every_exporter_mean_the_same_instant() {
        let expected: Timestamp = "2024-05-20T10:00:00Z".parse().unwrap();
        for text in [
            "2024-05-20T10:00:00Z",
            "2024-05-20T12:00:00+02:00",
            "2024-05-20 10:00:00+00:00",
            "2024-05-20T10:00:00",
            "1716199200",
            "1716199200.0",
            "1716199200000",
        ] {
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
        for text in ["N/A", "no_information", "", "soon", "-5", "NaN", "1e300"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn accounts_come_from_arns_of_every_partition() {
        let arn = |partition: &str| format!("arn:{partition}:iam::111122223333:role/x");
        for partition in ["aws", "aws-cn", "aws-us-gov"] {
            assert_eq!(account_of(&arn(partition)), Some("111122223333"));
            assert_eq!(partition_of(&arn(partition)), Some(partition));
        }
        assert_eq!(account_of("arn:aws:iam::aws:policy/ReadOnlyAccess"), None);
        assert_eq!(account_of("arn:aws:iam::111:user/dev"), Some("111"));
        assert_eq!(account_of("arn:aws:iam::../x:user/dev"), None);
        assert_eq!(account_of("arn:aws:iam:::user/dev"), None);
        assert_eq!(account_of("111122223333"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            parse_time(&text);
            account_of(&text);
            is_key_id(&text);
        }
    }
}
