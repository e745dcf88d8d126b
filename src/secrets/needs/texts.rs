//! What every match of a pattern holds for certain: short texts, as they are written.

use super::sequence::{Part, parts};
use memchr::memmem::Finder;
use regex_syntax::hir::Hir;

/// Most texts that are looked for.
const MOST: usize = 3;
/// What stands in most windows by itself.
const COMMON: &[u8] = b" \t\n\"':=/.-_(),";

/// Texts that a match holds, the longest first.
pub(super) struct Texts(Vec<Finder<'static>>);

impl Texts {
    /// Those of a pattern.
    pub(super) fn of(hir: &Hir) -> Self {
        let mut all: Vec<Vec<u8>> = Vec::new();
        let mut text: Vec<u8> = Vec::new();
        for part in parts(hir) {
            match part {
                Part::Fixed(sets) => {
                    for set in sets {
                        match set.only() {
                            Some(byte) => text.push(byte),
                            None => all.push(std::mem::take(&mut text)),
                        }
                    }
                }
                Part::Nothing => {}
                Part::Open { .. } | Part::End(_) => all.push(std::mem::take(&mut text)),
            }
        }
        all.push(text);
        all.retain(|text| text.iter().any(|byte| !COMMON.contains(byte)));
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        all.truncate(MOST);
        let finders = all.iter().map(|text| Finder::new(text).into_owned());
        Self(finders.collect())
    }

    /// Whether `text` holds all of them.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        self.0.iter().all(|one| one.find(text).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn what_is_written_in_every_match_is_needed() {
        let of = |pattern: &str| {
            let texts = Texts::of(&parse(pattern).unwrap()).0;
            let texts = texts
                .iter()
                .map(|one| String::from_utf8_lossy(one.needle()).into_owned());
            texts.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            of(r"\bmachine\s{1,8}(?P<x>\S{1,9})\s{1,8}login\b=[a-z]"),
            "machine login="
        );
        assert_eq!(of(r"(?i:user)(?:password)?;[^=]{2}@(?:a|bc)"), "; @");
        assert_eq!(of(r"[a-z]{2}://x?"), "");
        let texts = Texts::of(&parse("ab[0-9]{2}c;").unwrap());
        assert!(texts.are_in(b"c; ab") && !texts.are_in(b"ab12c"));
    }
}
