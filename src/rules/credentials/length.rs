//! How long the texts are that a pattern matches, and what they are made of. The build uses this file too.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Fewest letters of a [row](is_row).
pub(crate) const ROW: usize = 16;

/// Whether a byte is one of the letters that nearly all tokens are written in.
pub(crate) const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=')
}

/// A pattern as the engine compiles it; `None` for one that is none.
pub(crate) fn parsed(pattern: &str) -> Option<Hir> {
    let mut parser = ParserBuilder::new().utf8(false).unicode(false).build();
    parser.parse(pattern).ok()
}

/// Length of the longest text a pattern matches; 0 for one that is unbounded or wrong, which its rule is told of.
pub(crate) fn longest(pattern: &str) -> usize {
    parsed(pattern)
        .and_then(|hir| hir.properties().maximum_len())
        .unwrap_or(0)
}

/// Whether every text a pattern matches is a row of letters: [`ROW`] of them or more, and nothing else.
pub(crate) fn is_row(pattern: &str) -> bool {
    parsed(pattern)
        .is_some_and(|hir| hir.properties().minimum_len() >= Some(ROW) && is_of_letters(&hir))
}

fn is_of_letters(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => literal.0.iter().all(|byte| is_letter(*byte)),
        HirKind::Class(Class::Bytes(class)) => class
            .ranges()
            .iter()
            .all(|range| (range.start()..=range.end()).all(is_letter)),
        HirKind::Class(Class::Unicode(class)) => class.ranges().iter().all(|range| {
            range.end().is_ascii() && (range.start()..=range.end()).all(|one| is_letter(one as u8))
        }),
        HirKind::Repetition(repetition) => is_of_letters(&repetition.sub),
        HirKind::Capture(capture) => is_of_letters(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(is_of_letters),
    }
}
