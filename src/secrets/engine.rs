//! The way from bytes to sightings.

use super::announce::{Follows, Names};
use super::compile::{self, Compiled};
use super::marks::Marks;
use super::prefilter::Prefilter;
use super::sightings::Scanned;
use super::text;
use crate::model::{FingerprintKey, SeenCredential};
use crate::rules::RuleError;
use crate::rules::credentials::{CredentialRules, Paths, Window};
use std::collections::BTreeMap;

/// The compiled rules. Shared between threads by reference.
pub struct Engine {
    pub(super) rules: Vec<Compiled>,
    /// Of the literals, those that are looked for everywhere.
    pub(super) prefilter: Prefilter,
    /// The others.
    pub(super) names: Names,
    pub(super) literals: Vec<Known>,
    /// Length of the longest literal that is looked for everywhere.
    pub(super) longest: usize,
    /// The rules that match short documents as a whole.
    pub(super) whole: Vec<usize>,
    /// Of the rules that are bound to paths: which.
    pub(super) paths: BTreeMap<String, Paths>,
}

/// What is known of a literal.
pub(super) struct Known {
    /// Its bytes.
    pub(super) length: usize,
    /// The rules that have it.
    pub(super) uses: Vec<Use>,
    /// What has to follow it, of a name.
    pub(super) follows: Option<Follows>,
}

/// A literal of a rule.
#[derive(Clone, Copy)]
pub(super) struct Use {
    /// Index of the rule.
    pub(super) rule: usize,
    /// Which of the rule's literals it is.
    pub(super) which: usize,
    /// The rule's tokens name their own type.
    pub(super) structured: bool,
    /// The rule has a family of names for a pattern.
    pub(super) assignment: bool,
    /// Bytes around it that a match may reach.
    pub(super) window: Window,
}

impl Engine {
    /// Compiles rules.
    ///
    /// # Errors
    /// A pattern that is not a regular expression; the file and the rule are named.
    pub fn new(rules: &CredentialRules) -> Result<Self, RuleError> {
        compile::compile(rules)
    }

    /// Finds the credentials in a document: each at every line it stands on, in order. The sightings have line, column,
    /// context and rule; repository, uri and everything about commits are for the caller to fill in, who also asks
    /// [`Engine::stands_at`] for every path of the document.
    pub fn scan(&self, bytes: &[u8], key: &FingerprintKey) -> Vec<SeenCredential> {
        self.scan_all(bytes, key).seen
    }

    /// The same, and whether that is all: of a document of nothing but tokens, only so many are told of.
    pub fn scan_all(&self, bytes: &[u8], key: &FingerprintKey) -> Scanned {
        self.scan_screened(bytes, None, key)
    }

    /// The same for a document of which `marks` were kept when it was screened: what they rule out is not looked for.
    pub fn scan_screened(
        &self,
        bytes: &[u8],
        marks: Option<&Marks>,
        key: &FingerprintKey,
    ) -> Scanned {
        let text = text::read(bytes);
        let marks = marks.filter(|marks| marks.tell_of(&text));
        let windows = marks.map_or_else(|| self.windows(&text), Marks::windows);
        let found = self.matches(&text.bytes, &windows);
        let inside = match marks {
            Some(marks) if marks.is_plain() => Vec::new(),
            _ => self.inside(&text),
        };
        let around = text::wide(bytes).map(|wide| wide.name().to_owned());
        let around = around.as_slice();
        if found.is_empty() && inside.is_empty() {
            // Which of them holds is for the path to say, so none takes the text from another.
            let whole = self.whole(&text.bytes).into_iter();
            let seen = whole
                .flat_map(|one| {
                    self.sightings(&text.bytes, vec![one], Vec::new(), around, key)
                        .seen
                })
                .collect();
            return Scanned { seen, more: false };
        }
        self.sightings(&text.bytes, found, inside, around, key)
    }

    /// Whether what a rule found holds at a path: some rules are bound to the names that files of their kind have.
    pub fn stands_at(&self, rule: &str, path: &str) -> bool {
        self.paths.get(rule).is_none_or(|paths| paths.hold(path))
    }
}

#[cfg(test)]
impl Engine {
    /// Every match before it is judged: rule id, start, end.
    pub(super) fn raw_matches(&self, bytes: &[u8]) -> Vec<(String, usize, usize)> {
        let text = text::read(bytes);
        let mut out = Vec::new();
        self.each_match(
            &text.bytes,
            &self.windows(&text),
            |_, compiled, captures| {
                let whole = captures.whole();
                out.push((compiled.rule.id.clone(), whole.start, whole.end));
                None
            },
        );
        out.sort();
        out
    }

    /// Every secret that a rule recognised, raw and without its prefix split off.
    pub(super) fn secrets(&self, bytes: &[u8]) -> Vec<(Vec<u8>, String)> {
        let text = text::read(bytes);
        self.matches(&text.bytes, &self.windows(&text))
            .into_iter()
            .filter_map(|one| {
                let secret = text.bytes.get(one.secret.clone()?)?.to_vec();
                Some((secret, one.prefix))
            })
            .collect()
    }
}
