//! What is kept of a screened text.

use super::text::Text;
use super::windows::Span;
use std::borrow::Cow;

/// What is kept of a screened text, so that texts derived from it cost only what they add. Holds no text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Literals, by place.
    pub(super) hits: Vec<Hit>,
    /// Windows in which a pattern matched, by rule and place.
    pub(super) noted: Vec<Noted>,
    /// Bytes of the text.
    pub(super) length: u32,
    /// Whether the text is binary.
    pub(super) binary: bool,
    /// Whether something beyond the rules' windows was found.
    pub(super) beyond: bool,
    /// Whether the text may be a document that declares texts inside it.
    pub(super) declares: bool,
}

/// A literal in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) at: u32,
    /// Which, and whether it is [`Hit::dull`].
    what: u32,
}

/// Set where a literal is dull.
const DULL: u32 = 1 << 31;

impl Hit {
    pub(super) const fn new(at: usize, literal: usize) -> Self {
        Self {
            at: at as u32,
            what: literal as u32,
        }
    }

    /// Which literal.
    pub(super) const fn literal(self) -> usize {
        (self.what & !DULL) as usize
    }

    /// What literals are sorted by.
    pub(super) const fn place(self) -> (u32, usize) {
        (self.at, self.literal())
    }

    /// What stands right beside it keeps it from being that of a match.
    pub(super) const fn is_dull(self) -> bool {
        self.what & DULL != 0
    }

    pub(super) const fn dull(&mut self) {
        self.what |= DULL;
    }

    /// The same literal in a text derived from this one, with as much beside it as decides whether it is dull or not.
    pub(super) const fn moved(self, at: usize, decided: bool) -> Self {
        Self {
            at: at as u32,
            what: if decided {
                self.what
            } else {
                self.what & !DULL
            },
        }
    }
}

/// A window in which a pattern matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Noted {
    pub(super) rule: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) verdict: Verdict,
}

/// What a window has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// No match of the pattern. Not kept.
    Still,
    /// Matches, none of which is a credential.
    Quiet,
    /// A credential.
    Loud,
}

impl Marks {
    /// Whether this was kept of such a text, as it is searched: what was decoded was screened as it was before.
    pub(super) fn tell_of(&self, text: &Text<'_>) -> bool {
        matches!(text.bytes, Cow::Borrowed(_))
            && self.length as usize == text.bytes.len()
            && self.binary == text.binary
    }

    /// The windows in which a pattern matches, sorted; nothing does in any other.
    pub(super) fn windows(&self) -> Vec<Span> {
        let noted = self.noted.iter();
        noted
            .map(|noted| Span {
                rule: noted.rule as usize,
                start: noted.start as usize,
                end: noted.end as usize,
            })
            .collect()
    }

    /// Whether nothing beyond the rules' windows tells of a credential, nor of what is none.
    pub(super) const fn is_plain(&self) -> bool {
        !self.beyond && !self.declares
    }

    /// Index of the first literal at or behind `from`; `cursor` is a guess.
    pub(super) fn seek(&self, cursor: usize, from: usize) -> usize {
        let before = |hit: &Hit| (hit.at as usize) < from;
        let passed = cursor
            .checked_sub(1)
            .and_then(|last| self.hits.get(last))
            .is_none_or(before);
        let start = if passed { cursor } else { 0 };
        let rest = self.hits.get(start..).unwrap_or_default();
        // Most often it is one of the next.
        match rest.iter().take(8).position(|hit| !before(hit)) {
            Some(at) => start + at,
            None => start + rest.partition_point(before),
        }
    }

    /// The first window with a match that shares bytes with this one.
    pub(super) fn noted_at(&self, window: &Span) -> Option<&Noted> {
        let at = self.noted.partition_point(|noted| {
            (noted.rule as usize, noted.end as usize) <= (window.rule, window.start)
        });
        self.noted.get(at).filter(|noted| {
            noted.rule as usize == window.rule && (noted.start as usize) < window.end
        })
    }
}
