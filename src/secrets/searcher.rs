//! Patterns as the engine searches with them: over bytes, ASCII classes, and small. The `regex` crate would make a table for
//! each besides, of up to a megabyte, that only tells the groups of matches sooner; almost nothing that is searched matches.

use crate::rules::credentials::longest;
use regex_automata::meta::{BuildError, Config, Regex};
use regex_automata::util::captures;
use regex_automata::util::syntax;
use regex_automata::{Input, Span};
use std::ops::Range;

/// Memory that one thread may spend on the states of one pattern, in bytes. There are hundreds of patterns, and most need few
/// states.
const LEAST_ROOM: usize = 64 << 10;
/// The same for patterns of long texts, which have a state for each byte of them: where it does not suffice, a search takes
/// a hundred times as long.
const MOST_ROOM: usize = 512 << 10;
/// What a state takes, in bytes.
const STATE: usize = 256;

/// A compiled pattern.
pub(super) struct Searcher(Regex);

impl Searcher {
    /// Compiles a pattern.
    pub(super) fn new(pattern: &str) -> Result<Self, Box<BuildError>> {
        let room = (longest(pattern) * STATE).clamp(LEAST_ROOM, MOST_ROOM);
        Regex::builder()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .configure(
                Config::new()
                    .utf8_empty(false)
                    .onepass(false)
                    .hybrid_cache_capacity(room),
            )
            .build(pattern)
            .map(Self)
            .map_err(Box::new)
    }

    /// The first match that begins at `from` or later; what stands before it is looked at where the pattern asks for it.
    pub(super) fn find_at(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let input = Input::new(text).span(from..text.len());
        self.0.search(&input).map(|found| found.range())
    }

    /// The same with its groups.
    pub(super) fn captures_at<'t>(&self, text: &'t [u8], from: usize) -> Option<Captures<'t>> {
        let input = Input::new(text).span(from..text.len());
        let mut groups = self.0.create_captures();
        self.0.search_captures(&input, &mut groups);
        let whole = groups.get_match()?.range();
        Some(Captures {
            text,
            groups,
            whole,
        })
    }

    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.0.is_match(text)
    }
}

/// A match and its groups.
pub(super) struct Captures<'t> {
    text: &'t [u8],
    groups: captures::Captures,
    whole: Range<usize>,
}

impl<'t> Captures<'t> {
    /// Where the match is.
    pub(super) fn whole(&self) -> Range<usize> {
        self.whole.clone()
    }

    /// Where the next match may begin: the sign behind a secret that ends this one is the one before the next, where one
    /// secret is on the line below the other.
    pub(super) fn behind(&self) -> usize {
        let secret = self.range("secret").or_else(|| self.range("id"));
        secret
            .filter(|secret| secret.end + 1 == self.whole.end)
            .map_or(self.whole.end, |secret| secret.end)
    }

    /// Where the group of this name is.
    pub(super) fn range(&self, name: &str) -> Option<Range<usize>> {
        let Span { start, end } = self.groups.get_group_by_name(name)?;
        Some(start..end)
    }

    /// What the group of this name holds.
    pub(super) fn bytes(&self, name: &str) -> Option<&'t [u8]> {
        self.text.get(self.range(name)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATTERN: &str = r"(?:^|[^a-z])(?P<secret>(?P<prefix>x_)[a-c]{2,4})(?:[^a-z]|$)";

    proptest! {
        #[test]
        fn matches_are_those_of_the_regex_crate(text in "[a-dx_ ]{0,60}", from in 0_usize..60) {
            let text = text.as_bytes();
            let from = from.min(text.len());
            let ours = Searcher::new(PATTERN).unwrap();
            let theirs = crate::rules::credentials::compile(PATTERN).unwrap();
            prop_assert_eq!(ours.find_at(text, from), theirs.find_at(text, from).map(|one| one.range()));
            let ours = ours.captures_at(text, from);
            let theirs = theirs.captures_at(text, from);
            prop_assert_eq!(ours.is_some(), theirs.is_some());
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                prop_assert_eq!(Some(ours.whole()), theirs.get(0).map(|one| one.range()));
                for group in ["secret", "prefix", "none"] {
                    prop_assert_eq!(ours.range(group), theirs.name(group).map(|one| one.range()));
                    prop_assert_eq!(ours.bytes(group), theirs.name(group).map(|one| one.as_bytes()));
                }
            }
        }
    }
}
