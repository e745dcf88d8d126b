//! Lines that are typed: filters, and the forms that decisions ask for.

use super::verdict::{Field, Verdict};

/// One line of text with suggestions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// What is typed.
    pub text: String,
    /// What could be meant.
    pub suggestions: Vec<String>,
    /// The suggestion that was taken last.
    taken: Option<usize>,
}

impl Input {
    /// A line that begins with a text.
    pub fn new(text: impl Into<String>, suggestions: Vec<String>) -> Self {
        Self {
            text: text.into(),
            suggestions,
            taken: None,
        }
    }

    /// Adds a letter.
    pub fn push(&mut self, letter: char) {
        if !letter.is_control() {
            self.text.push(letter);
            self.taken = None;
        }
    }

    /// Removes the last letter.
    pub fn erase(&mut self) {
        self.text.pop();
        self.taken = None;
    }

    /// Removes the last word.
    pub fn erase_word(&mut self) {
        let kept = self.text.trim_end();
        let end = kept.rfind(' ').map_or(0, |space| space + 1);
        self.text.truncate(end);
        self.taken = None;
    }

    /// Takes the next suggestion in place of the text.
    pub fn suggest(&mut self) {
        if self.suggestions.is_empty() {
            return;
        }
        let next = self.taken.map_or(0, |at| (at + 1) % self.suggestions.len());
        if let Some(text) = self.suggestions.get(next) {
            text.clone_into(&mut self.text);
            self.taken = Some(next);
        }
    }
}

/// What a form is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A decision.
    Decide(Verdict),
    /// Saving the filter.
    SaveView,
    /// Writing rows to a file.
    Export,
}

/// A form.
#[derive(Clone, Debug)]
pub struct Form {
    /// What it is for.
    pub purpose: Purpose,
    /// Heading: what is decided about how many.
    pub title: String,
    /// Fields: which, whether it has to be filled in, and what is typed.
    pub fields: Vec<(Field, bool, Input)>,
    /// The field that is typed in.
    pub at: usize,
    /// What is wrong.
    pub error: Option<String>,
}

impl Form {
    /// The field that is typed in.
    pub fn input(&mut self) -> Option<&mut Input> {
        self.error = None;
        self.fields.get_mut(self.at).map(|(_, _, input)| input)
    }

    /// The next or the previous field.
    pub fn step(&mut self, forward: bool) {
        let count = self.fields.len().max(1);
        self.at = (self.at + if forward { 1 } else { count - 1 }) % count;
    }

    /// What is typed in a field.
    pub fn text(&self, wanted: Field) -> &str {
        let found = self.fields.iter().find(|(field, ..)| *field == wanted);
        found.map_or("", |(_, _, input)| input.text.trim())
    }

    /// The first field that has to be filled in and is not.
    pub fn missing(&self) -> Option<(usize, Field)> {
        self.fields
            .iter()
            .enumerate()
            .find(|(_, (_, needed, input))| *needed && input.text.trim().is_empty())
            .map(|(at, (field, ..))| (at, *field))
    }
}
