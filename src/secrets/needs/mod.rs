//! What every match of a pattern needs, worked out from the pattern: it costs a few comparisons to see that it is not there,
//! where running the pattern costs thousands.

mod beside;
mod run;
mod sequence;
mod set;
mod texts;

pub(super) use beside::Beside;
use regex_syntax::hir::Hir;
use run::Run;
use sequence::Sequence;
use texts::Texts;

/// What a text needs to hold for a pattern to match in it.
pub(super) struct Needs {
    run: Option<Run>,
    sequence: Option<Sequence>,
    texts: Option<Texts>,
}

impl Needs {
    /// What the matches of a pattern need; nothing of one that cannot be parsed.
    pub(super) fn of(pattern: &str) -> Self {
        let hir = parse(pattern);
        Self {
            run: hir.as_ref().and_then(Run::of),
            sequence: hir.as_ref().and_then(Sequence::of),
            texts: hir.as_ref().map(Texts::of),
        }
    }

    /// Whether the pattern may match inside `part`.
    pub(super) fn are_in(&self, part: &[u8]) -> bool {
        self.texts.as_ref().is_none_or(|texts| texts.are_in(part))
            && self.run.is_none_or(|run| run.is_in(part))
            && self.sequence.as_ref().is_none_or(|one| one.is_in(part))
    }
}

/// A pattern as it is matched: by bytes.
fn parse(pattern: &str) -> Option<Hir> {
    regex_syntax::ParserBuilder::new()
        .utf8(false)
        .unicode(false)
        .build()
        .parse(pattern)
        .ok()
}
