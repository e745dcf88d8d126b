//! Conditions, in three values: a scan knows some keys of a request and not others.

use super::arn::ArnPattern;
use super::context::{Context, Known};
use super::matcher;
use super::policy::Condition;
use super::variables::{self, Resolved};
use jiff::Timestamp;
use std::net::IpAddr;

/// Yes, no, or it depends on what a scan cannot know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    #[default]
    No,
    /// Nobody can tell before the request.
    Unknown,
}

impl Truth {
    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    /// Either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            _ => Self::Unknown,
        }
    }

    /// The opposite.
    #[must_use]
    pub const fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// `StringEquals`.
    StringEquals,
    /// `StringEqualsIgnoreCase`.
    StringEqualsIgnoreCase,
    /// `StringLike`.
    StringLike,
    /// `NumericEquals`.
    NumericEquals,
    /// `NumericLessThan`.
    NumericLess,
    /// `NumericLessThanEquals`.
    NumericLessOrEqual,
    /// `NumericGreaterThan`.
    NumericGreater,
    /// `NumericGreaterThanEquals`.
    NumericGreaterOrEqual,
    /// `DateEquals`.
    DateEquals,
    /// `DateLessThan`.
    DateLess,
    /// `DateLessThanEquals`.
    DateLessOrEqual,
    /// `DateGreaterThan`.
    DateGreater,
    /// `DateGreaterThanEquals`.
    DateGreaterOrEqual,
    /// `Bool`.
    Bool,
    /// `BinaryEquals`.
    BinaryEquals,
    /// `IpAddress`.
    IpAddress,
    /// `ArnEquals` and `ArnLike`, which AWS treats alike.
    Arn,
    /// `Null`.
    Null,
}

/// Set prefix of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantifier {
    /// None: the key has one value.
    One,
    /// `ForAllValues:`.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// A condition operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operator {
    /// How values are compared.
    pub comparison: Comparison,
    /// The comparison must hold for no value (`StringNotEquals`).
    pub negated: bool,
    /// Set prefix.
    pub quantifier: Quantifier,
    /// `…IfExists`: holds when the key is not in the request.
    pub if_exists: bool,
}

impl Operator {
    /// Reads an operator. `None` for one this program does not know.
    pub fn parse(text: &str) -> Option<Self> {
        let (quantifier, rest) = match text.split_once(':') {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("ForAllValues") => {
                (Quantifier::All, rest)
            }
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("ForAnyValue") => {
                (Quantifier::Any, rest)
            }
            Some(_) => return None,
            None => (Quantifier::One, text),
        };
        let lower = rest.to_ascii_lowercase();
        let (name, if_exists) = lower
            .strip_suffix("ifexists")
            .map_or((lower.as_str(), false), |name| (name, true));
        use Comparison as C;
        let (comparison, negated) = match name {
            "stringequals" => (C::StringEquals, false),
            "stringnotequals" => (C::StringEquals, true),
            "stringequalsignorecase" => (C::StringEqualsIgnoreCase, false),
            "stringnotequalsignorecase" => (C::StringEqualsIgnoreCase, true),
            "stringlike" => (C::StringLike, false),
            "stringnotlike" => (C::StringLike, true),
            "numericequals" => (C::NumericEquals, false),
            "numericnotequals" => (C::NumericEquals, true),
            "numericlessthan" => (C::NumericLess, false),
            "numericlessthanequals" => (C::NumericLessOrEqual, false),
            "numericgreaterthan" => (C::NumericGreater, false),
            "numericgreaterthanequals" => (C::NumericGreaterOrEqual, false),
            "dateequals" => (C::DateEquals, false),
            "datenotequals" => (C::DateEquals, true),
            "datelessthan" => (C::DateLess, false),
            "datelessthanequals" => (C::DateLessOrEqual, false),
            "dategreaterthan" => (C::DateGreater, false),
            "dategreaterthanequals" => (C::DateGreaterOrEqual, false),
            "bool" => (C::Bool, false),
            "binaryequals" => (C::BinaryEquals, false),
            "ipaddress" => (C::IpAddress, false),
            "notipaddress" => (C::IpAddress, true),
            "arnequals" | "arnlike" => (C::Arn, false),
            "arnnotequals" | "arnnotlike" => (C::Arn, true),
            "null" if !if_exists => (C::Null, false),
            _ => return None,
        };
        Some(Self {
            comparison,
            negated,
            quantifier,
            if_exists,
        })
    }
}

/// Whether all conditions hold.
pub fn all_hold(conditions: &[Condition], context: &Context, variables: bool) -> Truth {
    let mut truth = Truth::Yes;
    for condition in conditions {
        truth = truth.and(holds(condition, context, variables));
        if truth == Truth::No {
            break;
        }
    }
    truth
}

/// Whether one condition holds.
pub fn holds(condition: &Condition, context: &Context, variables: bool) -> Truth {
    let Some(operator) = condition.operator else {
        return Truth::Unknown;
    };
    let known = context.get(&condition.key);
    if operator.comparison == Comparison::Null {
        let absent = match known {
            Known::Absent => true,
            Known::Value(_) | Known::Present => false,
            Known::Unknown => return Truth::Unknown,
        };
        return condition.values.iter().fold(Truth::No, |truth, value| {
            truth.or((value.eq_ignore_ascii_case("true") == absent).into())
        });
    }
    let actual = match known {
        Known::Value(values) => values,
        Known::Absent => {
            return if operator.if_exists {
                Truth::Yes
            } else {
                match operator.quantifier {
                    Quantifier::All => Truth::Yes,
                    Quantifier::Any => Truth::No,
                    Quantifier::One => operator.negated.into(),
                }
            };
        }
        Known::Present | Known::Unknown => return by_time(condition, operator, context),
    };
    let one = |value: &String| {
        let mut any = Truth::No;
        for wanted in &condition.values {
            match compare(operator.comparison, wanted, value, context, variables) {
                Some(truth) => any = any.or(truth),
                // A variable without a value, or a value of the wrong type, makes no condition hold: not even one that
                // asks for the opposite.
                None if operator.negated => return Truth::No,
                None => {}
            }
        }
        if operator.negated { any.negated() } else { any }
    };
    match operator.quantifier {
        Quantifier::Any => actual.iter().fold(Truth::No, |t, value| t.or(one(value))),
        Quantifier::One if !operator.negated => {
            actual.iter().fold(Truth::No, |t, value| t.or(one(value)))
        }
        // `NotEquals` asks that no value matches.
        Quantifier::All | Quantifier::One => {
            actual.iter().fold(Truth::Yes, |t, value| t.and(one(value)))
        }
    }
}

/// Longest life of a session token: a request may carry one issued that long before.
const TOKEN_LIFE: jiff::SignedDuration = jiff::SignedDuration::from_hours(36);

/// Decides a condition on the time of a request that can only come later.
fn by_time(condition: &Condition, operator: Operator, context: &Context) -> Truth {
    let token = condition.key.eq_ignore_ascii_case("aws:TokenIssueTime");
    let clock = ["aws:CurrentTime", "aws:EpochTime"]
        .iter()
        .any(|key| condition.key.eq_ignore_ascii_case(key));
    let (Some(from), true) = (context.not_before(), token || clock) else {
        return Truth::Unknown;
    };
    let from = if token {
        from.checked_sub(TOKEN_LIFE).unwrap_or(from)
    } else {
        from
    };
    let passed = condition
        .values
        .iter()
        .all(|value| date(value).is_some_and(|at| at < from));
    if !passed || condition.values.is_empty() {
        return Truth::Unknown;
    }
    use Comparison as C;
    match operator.comparison {
        // A request without a token meets an `IfExists`.
        C::DateLess | C::DateLessOrEqual | C::NumericLess | C::NumericLessOrEqual
            if !(token && operator.if_exists) =>
        {
            Truth::No
        }
        // A request signed with an access key has no token, and then the condition fails: only the time is certain.
        C::DateGreater | C::DateGreaterOrEqual | C::NumericGreater | C::NumericGreaterOrEqual
            if clock =>
        {
            Truth::Yes
        }
        _ => Truth::Unknown,
    }
}

/// Whether a value is the one wanted; `None` when what is wanted can be compared with nothing.
fn compare(
    comparison: Comparison,
    wanted: &str,
    actual: &str,
    context: &Context,
    variables: bool,
) -> Option<Truth> {
    let resolved;
    let wanted = if variables && variables::has_variable(wanted) {
        match variables::resolve(wanted, context) {
            Resolved::Text(text) => {
                resolved = text;
                resolved.as_str()
            }
            Resolved::Unknown(_) => return Some(Truth::Unknown),
            Resolved::Never => return None,
        }
    } else {
        wanted
    };
    use Comparison as C;
    let holds = match comparison {
        C::StringEquals => wanted == actual,
        C::BinaryEquals => wanted.trim_end_matches('=') == actual.trim_end_matches('='),
        C::StringEqualsIgnoreCase => wanted.to_lowercase() == actual.to_lowercase(),
        C::StringLike => matcher::matches(wanted, actual),
        C::Bool => wanted.eq_ignore_ascii_case(actual),
        C::Arn => ArnPattern::parse(wanted).is_some_and(|pattern| pattern.matches(actual)),
        C::IpAddress => in_network(wanted, actual),
        C::NumericEquals
        | C::NumericLess
        | C::NumericLessOrEqual
        | C::NumericGreater
        | C::NumericGreaterOrEqual => {
            let wanted = wanted.parse::<f64>().ok()?;
            let actual = actual.parse::<f64>().ok();
            ordered(
                comparison,
                actual.and_then(|actual| actual.partial_cmp(&wanted)),
            )
        }
        C::DateEquals
        | C::DateLess
        | C::DateLessOrEqual
        | C::DateGreater
        | C::DateGreaterOrEqual => {
            let wanted = date(wanted)?;
            ordered(comparison, date(actual).map(|actual| actual.cmp(&wanted)))
        }
        C::Null => return Some(Truth::Unknown),
    };
    Some(holds.into())
}

fn ordered(comparison: Comparison, order: Option<std::cmp::Ordering>) -> bool {
    use Comparison as C;
    let Some(order) = order else {
        return false;
    };
    match comparison {
        C::NumericEquals | C::DateEquals => order.is_eq(),
        C::NumericLess | C::DateLess => order.is_lt(),
        C::NumericLessOrEqual | C::DateLessOrEqual => order.is_le(),
        C::NumericGreater | C::DateGreater => order.is_gt(),
        C::NumericGreaterOrEqual | C::DateGreaterOrEqual => order.is_ge(),
        _ => false,
    }
}

/// ISO 8601 (a date alone means its midnight in UTC) or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok();
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    format!("{day}T00:00:00Z").parse().ok()
}

fn in_network(network: &str, address: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let (base, bits) = match network.split_once('/') {
        Some((base, bits)) => {
            let Ok(bits) = bits.parse::<u32>() else {
                return false;
            };
            (base, Some(bits))
        }
        None => (network, None),
    };
    let Ok(base) = base.parse::<IpAddr>() else {
        return false;
    };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            let bits = bits.unwrap_or(32).min(32);
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(base) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            let bits = bits.unwrap_or(128).min(128);
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(base) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(operator: &str, key: &str, values: &[&str], context: &Context) -> Truth {
        holds(
            &Condition {
                operator: Operator::parse(operator),
                operator_text: operator.to_owned(),
                key: key.to_owned(),
                values: values.iter().map(ToString::to_string).collect(),
            },
            context,
            true,
        )
    }

    #[test]
    fn operators_on_known_keys() {
        let mut c = Context::of_request();
        c.set("aws:SourceIp", "10.1.2.3");
        c.set("aws:username", "ana");
        c.set("aws:CurrentTime", "2026-11-01T00:00:00Z");
        c.set("s3:max-keys", "10");
        c.set("aws:PrincipalArn", "arn:aws:iam::1:role/a/b");
        c.set_all("aws:TagKeys", vec!["a".into(), "b".into()]);
        for (operator, key, values, expected) in [
            (
                "StringEquals",
                "AWS:UserName",
                &["ana", "eve"][..],
                Truth::Yes,
            ),
            ("StringEquals", "aws:username", &["Ana"], Truth::No),
            (
                "StringEqualsIgnoreCase",
                "aws:username",
                &["Ana"],
                Truth::Yes,
            ),
            (
                "StringNotEquals",
                "aws:username",
                &["ana", "eve"],
                Truth::No,
            ),
            ("StringNotLike", "aws:username", &["e*"], Truth::Yes),
            ("IpAddress", "aws:SourceIp", &["10.0.0.0/8"], Truth::Yes),
            ("NotIpAddress", "aws:SourceIp", &["10.0.0.0/8"], Truth::No),
            ("IpAddress", "aws:SourceIp", &["::/0"], Truth::No),
            (
                "DateLessThan",
                "aws:CurrentTime",
                &["2026-12-01"],
                Truth::Yes,
            ),
            (
                "DateGreaterThan",
                "aws:CurrentTime",
                &["1796083200"],
                Truth::No,
            ),
            ("NumericLessThanEquals", "s3:max-keys", &["10"], Truth::Yes),
            (
                "ArnLike",
                "aws:PrincipalArn",
                &["arn:aws:iam::*:role/*"],
                Truth::Yes,
            ),
            (
                "ForAllValues:StringEquals",
                "aws:TagKeys",
                &["a", "b", "c"],
                Truth::Yes,
            ),
            (
                "ForAllValues:StringEquals",
                "aws:TagKeys",
                &["a"],
                Truth::No,
            ),
            (
                "ForAnyValue:StringEquals",
                "aws:TagKeys",
                &["a"],
                Truth::Yes,
            ),
            ("ForAllValues:StringEquals", "missing", &["a"], Truth::Yes),
            ("ForAnyValue:StringEquals", "missing", &["a"], Truth::No),
            ("StringEquals", "missing", &["a"], Truth::No),
            ("StringNotEquals", "missing", &["a"], Truth::Yes),
            ("StringEqualsIfExists", "missing", &["a"], Truth::Yes),
            (
                "BoolIfExists",
                "aws:MultiFactorAuthPresent",
                &["true"],
                Truth::Yes,
            ),
            ("Bool", "aws:MultiFactorAuthPresent", &["true"], Truth::No),
            ("Null", "missing", &["true"], Truth::Yes),
            ("Null", "aws:username", &["true"], Truth::No),
            (
                "StringEquals",
                "aws:username",
                &["${aws:username}"],
                Truth::Yes,
            ),
            ("Sideways", "aws:username", &["ana"], Truth::Unknown),
        ] {
            assert_eq!(
                check(operator, key, values, &c),
                expected,
                "{operator} {key}"
            );
        }
    }

    #[test]
    fn times_that_have_passed_are_decided() {
        let mut c = Context::default();
        c.start_at("2026-11-01T00:00:00Z".parse().ok());
        for (operator, key, value, expected) in [
            (
                "DateLessThan",
                "aws:TokenIssueTime",
                "2020-01-01",
                Truth::No,
            ),
            ("DateLessThan", "aws:CurrentTime", "2020-01-01", Truth::No),
            (
                "DateLessThan",
                "aws:CurrentTime",
                "2030-01-01",
                Truth::Unknown,
            ),
            (
                "DateGreaterThan",
                "aws:CurrentTime",
                "2020-01-01",
                Truth::Yes,
            ),
            (
                "DateGreaterThan",
                "aws:TokenIssueTime",
                "2020-01-01",
                Truth::Unknown,
            ),
            (
                "DateLessThanIfExists",
                "aws:TokenIssueTime",
                "2020-01-01",
                Truth::Unknown,
            ),
        ] {
            assert_eq!(
                check(operator, key, &[value], &c),
                expected,
                "{operator} {key}"
            );
        }
    }

    #[test]
    fn unknown_keys_stay_unknown() {
        let c = Context::default();
        for operator in [
            "StringEquals",
            "StringNotEquals",
            "Null",
            "ForAllValues:StringLike",
            "BoolIfExists",
        ] {
            assert_eq!(check(operator, "aws:SourceIp", &["x"], &c), Truth::Unknown);
        }
    }
}
