//! What a decision asks for before it is made.

use crate::model::Disposition;
use crate::store::decisions::{Decision, Scope};
use jiff::civil::Date;
use jiff::{Span, ToSpan};

/// A kind of decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accept the risk.
    AcceptRisk,
    /// It is not what the finding says.
    FalsePositive,
    /// It will be fixed.
    Remediate,
    /// Look again later.
    Defer,
    /// Who owns it.
    Owner,
    /// What it is for.
    Purpose,
    /// Emergency access.
    BreakGlass,
    /// Another disposition.
    Disposition,
    /// Take back what was decided.
    Reopen,
}

/// What a field of a form holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Why.
    Reason,
    /// Until when.
    Until,
    /// Where it is tracked.
    Ticket,
    /// Who owns it.
    Owner,
    /// What it is for.
    Purpose,
    /// What is to be done.
    Disposition,
    /// Name of a saved filter.
    Name,
    /// File to write.
    File,
}

impl Field {
    /// Its name in the form.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Reason => "reason",
            Self::Until => "until",
            Self::Ticket => "ticket",
            Self::Owner => "owner",
            Self::Purpose => "purpose",
            Self::Disposition => "what to do",
            Self::Name => "name",
            Self::File => "file",
        }
    }
}

impl Verdict {
    /// What is done, for the heading of the form and the question.
    pub const fn title(self) -> &'static str {
        match self {
            Self::AcceptRisk => "Accept the risk of",
            Self::FalsePositive => "False positive:",
            Self::Remediate => "Will be fixed:",
            Self::Defer => "Defer",
            Self::Owner => "Owner of",
            Self::Purpose => "Purpose of",
            Self::BreakGlass => "Emergency access:",
            Self::Disposition => "Another disposition for",
            Self::Reopen => "Take back what was decided about",
        }
    }

    /// The word that configuration and the command line have for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AcceptRisk => "accept-risk",
            Self::FalsePositive => "false-positive",
            Self::Remediate => "remediate",
            Self::Defer => "defer",
            Self::Owner => "owner",
            Self::Purpose => "purpose",
            Self::BreakGlass => "break-glass",
            Self::Disposition => "disposition",
            Self::Reopen => "reopen",
        }
    }

    /// What is asked for: the field, and whether it has to be filled in.
    pub const fn fields(self) -> &'static [(Field, bool)] {
        match self {
            Self::AcceptRisk => &[
                (Field::Reason, true),
                (Field::Until, true),
                (Field::Ticket, false),
            ],
            Self::FalsePositive | Self::BreakGlass => {
                &[(Field::Reason, true), (Field::Ticket, false)]
            }
            Self::Remediate => &[
                (Field::Reason, true),
                (Field::Until, false),
                (Field::Ticket, false),
            ],
            Self::Defer => &[(Field::Reason, true), (Field::Until, true)],
            Self::Owner => &[(Field::Owner, true), (Field::Reason, false)],
            Self::Purpose => &[(Field::Purpose, true), (Field::Reason, false)],
            Self::Disposition => &[
                (Field::Disposition, true),
                (Field::Reason, true),
                (Field::Until, false),
            ],
            Self::Reopen => &[(Field::Reason, false)],
        }
    }

    /// Whether it can only be said of an identity.
    pub const fn of_identities(self) -> bool {
        matches!(self, Self::Owner | Self::Purpose | Self::BreakGlass)
    }
}

/// A decision that is about to be recorded; who and when are added at the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// About what: one thing, or many that are decided about together.
    pub scopes: Vec<Scope>,
    /// What.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// Last day it holds.
    pub expires: Option<Date>,
    /// Where it is tracked.
    pub ticket: Option<String>,
    /// The first of the events that it undoes or does again.
    pub undoes: Option<String>,
}

/// The days for which a risk is accepted unless somebody says otherwise.
pub(super) const DEFAULT_DAYS: i64 = 90;

/// Reads a day: `2027-01-31`, or a time from today: `90d`, `6w`, `3m`, `1y`.
///
/// # Errors
/// What would be right, where it is neither, or a day that has passed.
pub(super) fn day(text: &str, today: Date) -> Result<Date, String> {
    const FORMS: &str = "a day is `2027-01-31`, or from today `90d`, `6w`, `3m`, `1y`";
    let text = text.trim();
    let found = text
        .parse::<Date>()
        .ok()
        .or_else(|| from_today(text, today));
    match found {
        None => Err(FORMS.to_owned()),
        Some(day) if day < today => Err(format!("{day} has passed; {FORMS}")),
        Some(day) => Ok(day),
    }
}

fn from_today(text: &str, today: Date) -> Option<Date> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    if !(0..=36_500).contains(&number) {
        return None;
    }
    // Beyond these, no day of the calendar would come out.
    let at_most = |most: i64| (number <= most).then_some(number);
    let span: Span = match unit {
        'd' => number.days(),
        'w' => at_most(5200)?.weeks(),
        'm' => at_most(1200)?.months(),
        'y' => at_most(100)?.years(),
        _ => return None,
    };
    today.checked_add(span).ok()
}

/// The disposition of a word or a title, in any case.
pub(super) fn disposition(text: &str) -> Option<Disposition> {
    let text = text.trim();
    Disposition::ALL.into_iter().find(|known| {
        known.as_str().eq_ignore_ascii_case(text) || known.title().eq_ignore_ascii_case(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_read_in_every_form() {
        let today: Date = "2026-11-22".parse().unwrap();
        let read = |text: &str| day(text, today).map(|day| day.to_string());
        assert_eq!(read(" 2027-01-31 "), Ok("2027-01-31".into()));
        assert_eq!(read("90d"), Ok("2027-02-20".into()));
        assert_eq!(read("6w"), Ok("2027-01-03".into()));
        assert_eq!(read("3m"), Ok("2027-02-22".into()));
        assert_eq!(read("1y"), Ok("2027-11-22".into()));
        assert_eq!(
            read("2026-11-21"),
            Err("2026-11-21 has passed; a day is `2027-01-31`, or from today `90d`, `6w`, `3m`, `1y`".into())
        );
        assert!(read("soon").is_err() && read("").is_err() && read("99999d").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,12}|[0-9]{1,20}[dwmy]") {
            let _ = day(&text, jiff::civil::date(2026, 11, 22));
        }
    }
}
