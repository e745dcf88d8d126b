//! How long the texts are that a pattern matches. The build uses this file too.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

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
