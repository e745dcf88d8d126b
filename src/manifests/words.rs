//! Whether any of some words stands in a text: what decides whether a file is worth reading at all.

use crate::rules::credentials::trigrams;
use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, Span};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How often three neighbouring characters occur in source text.
static OFTEN: LazyLock<BTreeMap<[u8; 3], u32>> =
    LazyLock::new(|| trigrams().unwrap_or_default().into_iter().collect());

/// Length of the part that a word is looked for by, in bytes.
const PART: usize = 4;

/// Words to look for, with their case.
pub(super) enum Words {
    /// By their rarest parts: a few bytes are looked for many times faster than many words.
    Parts {
        parts: Searcher,
        /// The words that each part is of.
        words: Vec<Vec<Word>>,
    },
    /// Where the processor has nothing to do that with, there are too many, or one is shorter than a part.
    Whole(AhoCorasick),
}

/// A word, and where in it its rarest part begins.
pub(super) struct Word {
    at: usize,
    word: Box<[u8]>,
}

impl Words {
    /// `None` when there are more words than can be searched for.
    pub(super) fn new<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Option<Self> {
        let words: Vec<W> = words.into_iter().collect();
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_ref().as_bytes()).collect();
        Self::by_parts(&words).or_else(|| AhoCorasick::new(&words).ok().map(Self::Whole))
    }

    fn by_parts(words: &[&[u8]]) -> Option<Self> {
        let mut of: BTreeMap<&[u8], Vec<Word>> = BTreeMap::new();
        for word in words {
            let (at, part) = rarest(word)?;
            of.entry(part).or_default().push(Word {
                at,
                word: (*word).into(),
            });
        }
        Some(Self::Parts {
            parts: Searcher::new(of.keys())?,
            words: of.into_values().collect(),
        })
    }

    /// Whether any of them stands in a text.
    pub(super) fn any_in(&self, text: &[u8]) -> bool {
        match self {
            Self::Parts { parts, words } => {
                let mut from = 0;
                let mut places = std::iter::from_fn(|| {
                    let found = parts.find_in(text, Span::from(from..text.len()))?;
                    // The next one may begin inside this one.
                    from = found.start() + 1;
                    Some((found.pattern().as_usize(), found.start()))
                });
                places.any(|(part, start)| {
                    let mut of = words.get(part).into_iter().flatten();
                    of.any(|word| word.is_around(text, start))
                })
            }
            Self::Whole(words) => words.is_match(text),
        }
    }
}

impl Word {
    /// Whether it stands in a text that has its part at `start`.
    fn is_around(&self, text: &[u8], start: usize) -> bool {
        start
            .checked_sub(self.at)
            .and_then(|begin| text.get(begin..))
            .is_some_and(|text| text.starts_with(&self.word))
    }
}

/// The part of a word that is rarest in source text, and where it begins.
fn rarest(word: &[u8]) -> Option<(usize, &[u8])> {
    word.windows(PART).enumerate().min_by_key(|(_, part)| {
        let often = |three: &[u8; 3]| OFTEN.get(&three.map(|byte| byte | 0x20)).copied();
        let often = part
            .array_windows()
            .map(|three| often(three).unwrap_or_default());
        (often.clone().min(), often.sum::<u32>())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_word_is_looked_for_by_what_is_rare_in_it() {
        assert_eq!(rarest(b"stringxkentation"), Some((4, &b"ngxk"[..])));
        assert_eq!(rarest(b"ab"), None);
    }

    proptest! {
        #[test]
        fn words_are_found_wherever_they_stand(
            words in proptest::collection::vec("[a-zé _-]{1,12}", 1..40),
            before in "[a-z _-]{0,40}",
            after in "[a-z _-]{0,40}",
            which in any::<proptest::sample::Index>(),
        ) {
            let all = Words::new(&words).unwrap();
            let text = format!("{before}{}{after}", which.get(&words));
            prop_assert!(all.any_in(text.as_bytes()));
            let without = format!("{before}{after}");
            let has = words.iter().any(|word| without.contains(word.as_str()));
            prop_assert_eq!(all.any_in(without.as_bytes()), has);
        }
    }
}
