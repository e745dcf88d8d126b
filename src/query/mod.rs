//! The filter language of lists and reports: `owner:none type:iam-user age:>365 provider:aws`. Pure.
//!
//! A filter is conditions beside each other, all of which hold; `or` and brackets join them otherwise, `not`, `-` or `!`
//! turns one round. A condition is `field:value`, with `*` and `?` in the value, several values behind commas, or a
//! comparison of numbers; a word alone is looked for in names, titles and paths. `none` is what is missing.

mod asked;
mod field;
mod parse;
mod subject;

pub use asked::Asked;
pub use field::{FIELDS, Field};
pub use subject::{Said, Subject};

use crate::model::Renames;
use crate::model::brief::Brief;
use field::{Kind, Value};
use globset::GlobMatcher;
use thiserror::Error;

/// Why a filter cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}\n  {filter}\n  {marks}")]
pub struct QueryError {
    /// What is wrong, and what would be right.
    pub message: String,
    /// The filter.
    pub filter: String,
    /// Marks under the place.
    marks: String,
    /// First character of the place, from 0.
    pub at: usize,
}

impl QueryError {
    fn new(filter: &str, (from, to): (usize, usize), message: impl Into<String>) -> Self {
        let count = |part: Option<&str>| part.map_or(0, |part| part.chars().count());
        let at = count(filter.get(..from));
        let length = count(filter.get(from..to)).max(1);
        Self {
            message: message.into(),
            filter: filter
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect(),
            marks: format!("{}{}", " ".repeat(at), "^".repeat(length)),
            at,
        }
    }
}

/// A filter.
#[derive(Clone, Debug, Default)]
pub struct Query(Option<Expression>);

#[derive(Clone, Debug)]
enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Is(&'static Field, Vec<Test>),
    Tag(String, Vec<Test>),
    Word(String),
}

/// What one value is compared with.
#[derive(Clone, Debug)]
enum Test {
    /// Nothing is known.
    None,
    /// Something is known.
    Some,
    /// The whole word, in lower case.
    Word(String),
    /// The whole word, with wildcards.
    Glob(String, GlobMatcher),
    /// Part of a text, in lower case.
    Part(String),
    /// A number.
    Number(Comparison, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    MoreOrEqual,
    More,
}

impl Comparison {
    const fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Equal => left == right,
            Self::MoreOrEqual => left >= right,
            Self::More => left > right,
        }
    }
}

impl Query {
    /// Reads a filter; an empty one lets everything through.
    ///
    /// # Errors
    /// When it is no filter: the message points at the place.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::query(text).map(Self)
    }

    /// The same filter, which means a rule by any name it had.
    #[must_use]
    pub fn renamed(mut self, renames: &Renames) -> Self {
        if let Some(expression) = &mut self.0 {
            expression.rename(renames);
        }
        self
    }

    /// The filter, ready to be asked of the subjects of a report.
    pub fn ask<'q>(&'q self, brief: &'q Brief) -> Asked<'q> {
        Asked::new(self, brief)
    }

    /// Whether a text passes, of which nothing is known but its words: no condition on a field holds.
    pub fn matches_text(&self, text: &str) -> bool {
        self.0.as_ref().is_none_or(|it| it.holds_of(text))
    }

    /// Whether everything passes.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl Expression {
    fn rename(&mut self, renames: &Renames) {
        match self {
            Self::All(all) | Self::Any(all) => {
                for each in all {
                    each.rename(renames);
                }
            }
            Self::Not(inner) => inner.rename(renames),
            Self::Is(field, tests) if field.name == "finding" => {
                let means = |name: &str| {
                    let mut tests = tests.iter();
                    tests.any(|test| match test {
                        Test::Word(word) => is_word(word, name),
                        Test::Glob(_, glob) => glob.is_match(name),
                        Test::Part(part) => part_of(part, name),
                        Test::None | Test::Some | Test::Number(..) => false,
                    })
                };
                let meant = renames.meant(means).into_iter();
                let meant: Vec<Test> = meant.map(|name| Test::Word(name.to_lowercase())).collect();
                tests.extend(meant);
            }
            Self::Is(..) | Self::Tag(..) | Self::Word(_) => {}
        }
    }

    fn holds_of(&self, text: &str) -> bool {
        match self {
            Self::All(all) => all.iter().all(|each| each.holds_of(text)),
            Self::Any(any) => any.iter().any(|each| each.holds_of(text)),
            Self::Not(inner) => !inner.holds_of(text),
            Self::Is(..) | Self::Tag(..) => false,
            Self::Word(word) => part_of(word, text),
        }
    }
}

/// The words a field can have, where there is a list of them.
pub fn choices(field: &str) -> &'static [&'static str] {
    match Field::named(field).map(|field| field.kind) {
        Some(Kind::Choice(words)) => words,
        _ => &[],
    }
}

/// The values of a field that a subject has, in words.
pub fn values(field: &str, subject: &Subject<'_>) -> Vec<String> {
    let Some(field) = Field::named(field) else {
        return Vec::new();
    };
    let words = (field.values)(subject)
        .into_iter()
        .map(|value| match value {
            Value::Text(text) => subject.brief.text(text).to_owned(),
            Value::Word(word) => word.to_owned(),
            Value::Number(number) => number.to_string(),
        });
    words.collect()
}

/// Whether a text in lower case is part of another in any case.
fn part_of(part: &str, text: &str) -> bool {
    if !part.is_ascii() || !text.is_ascii() {
        return text.to_lowercase().contains(part);
    }
    let (part, text) = (part.as_bytes(), text.as_bytes());
    part.is_empty()
        || text
            .windows(part.len())
            .any(|window| window.eq_ignore_ascii_case(part))
}

/// Whether a text is a word in lower case, in any case.
fn is_word(word: &str, text: &str) -> bool {
    if word.is_ascii() && text.is_ascii() {
        word.eq_ignore_ascii_case(text)
    } else {
        text.to_lowercase() == word
    }
}

/// The fields for people: one line each.
pub fn help() -> String {
    let tag = (
        "tag",
        "tag, label or annotation: tag:KEY=VALUE; tag:KEY alone: it has one",
    );
    let all = FIELDS.iter().map(|field| (field.name, field.about));
    let lines: Vec<String> = all
        .chain([tag])
        .map(|(name, about)| format!("  {name:<13} {about}"))
        .collect();
    lines.join("\n")
}

impl Field {
    const fn numeric(&self) -> bool {
        matches!(self.kind, Kind::Number | Kind::Days)
    }
}

#[cfg(test)]
mod tests;
