//! A report in brief: what lists and filters need of its entries, packed for tens of thousands of them. Every text is there
//! once; rows hold its number, and name each other by the texts of their ids. What only a page tells is not in it.

mod make;
mod rows;
mod texts;
mod ties;

pub use rows::{
    AssessmentRow, ConsumerRow, CredentialRow, FindingRow, IdentityRow, Place, PlanRow, Rows, Span,
};
pub use texts::{Text, Texts};
pub use ties::Entry;

use super::Report;
use std::sync::OnceLock;
use ties::Ties;

/// A report in brief, and what in it belongs together.
#[derive(Clone, Debug)]
pub struct Brief {
    rows: Rows,
    ties: Ties,
    /// Its texts in lower case, once somebody looks for a part of one.
    lower: OnceLock<Texts>,
}

impl Brief {
    /// Ties rows together.
    pub fn new(rows: Rows) -> Self {
        Self {
            ties: Ties::of(&rows),
            rows,
            lower: OnceLock::new(),
        }
    }

    /// Takes from a report what lists and filters need.
    pub fn of(report: &Report) -> Self {
        Self::new(Rows::of(report))
    }

    /// The rows themselves.
    pub const fn rows(&self) -> &Rows {
        &self.rows
    }

    /// What a number stands for; nothing for none.
    pub fn text(&self, text: Text) -> &str {
        self.rows.texts.get(text)
    }

    /// What a number stands for.
    pub fn maybe(&self, text: Text) -> Option<&str> {
        (text != Text::NONE).then(|| self.text(text))
    }

    /// The texts in lower case, by the same numbers.
    pub fn lower(&self) -> &Texts {
        self.lower.get_or_init(|| self.rows.texts.lower())
    }

    /// A list of texts.
    pub fn texts(&self, span: Span) -> &[Text] {
        span.of(&self.rows.lists)
    }

    /// A list of places.
    pub fn places(&self, span: Span) -> &[Place] {
        span.of(&self.rows.places)
    }

    /// A place as it is shown: `repository/path:line`.
    pub fn display(&self, place: &Place) -> String {
        let mut out = String::new();
        if let Some(repository) = self.maybe(place.repository) {
            out.push_str(repository);
            out.push('/');
        }
        out.push_str(self.text(place.uri));
        if let Some(line) = place.line {
            out.push(':');
            out.push_str(&line.to_string());
        }
        out
    }

    /// What has this id.
    pub fn find(&self, id: &str) -> Option<Entry> {
        self.entry(self.rows.texts.find(id)?)
    }

    /// The finding at a place.
    pub fn finding(&self, at: u32) -> Option<&FindingRow> {
        self.rows.findings.get(at as usize)
    }

    /// The identity at a place.
    pub fn identity(&self, at: u32) -> Option<&IdentityRow> {
        self.rows.identities.get(at as usize)
    }

    /// The credential at a place.
    pub fn credential(&self, at: u32) -> Option<&CredentialRow> {
        self.rows.credentials.get(at as usize)
    }

    /// The consumer at a place.
    pub fn consumer(&self, at: u32) -> Option<&ConsumerRow> {
        self.rows.consumers.get(at as usize)
    }

    /// The assessment at a place.
    pub fn assessment(&self, at: u32) -> Option<&AssessmentRow> {
        self.rows.assessments.get(at as usize)
    }

    /// The item of the plan at a place.
    pub fn plan(&self, at: u32) -> Option<&PlanRow> {
        self.rows.plan.get(at as usize)
    }
}
