//! Whether any of some words stands in a text: what decides whether a file is worth reading at all.

use crate::rules::credentials::trigrams;
use aho_corasick::AhoCorasick;
use aho_corasick::packed::Searcher;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How often three neighbouring characters occur in source text.
static OFTEN: LazyLock<BTreeMap<[u8; 3], u32>> =
    LazyLock::new(|| trigrams().unwrap_or_default().into_iter().collect());

/// Length of the part that a word is looked for by, in bytes.
const PART: usize = 4;

/// Words to look for, with their case.
pub(super) struct Words {
    /// The rarest parts of the words. These few bytes are looked for many times faster than the words themselves; `None`
    /// where the processor has nothing to do that with, or a word is shorter than a part.
    parts: Option<Searcher>,
    whole: AhoCorasick,
}

impl Words {
    /// `None` when there are more words than can be searched for.
    pub(super) fn new<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Option<Self> {
        let words: Vec<W> = words.into_iter().collect();
        let parts: Option<Vec<&[u8]>> = words
            .iter()
            .map(|word| rarest(word.as_ref().as_bytes()))
            .collect();
        let parts = parts.and_then(|mut parts| {
            parts.sort_unstable();
            parts.dedup();
            Searcher::new(parts)
        });
        Some(Self {
            parts,
            whole: AhoCorasick::new(words.iter().map(AsRef::as_ref)).ok()?,
        })
    }

    /// Whether any of them stands in a text.
    pub(super) fn any_in(&self, text: &[u8]) -> bool {
        self.parts
            .as_ref()
            .is_none_or(|parts| parts.find(text).is_some())
            && self.whole.is_match(text)
    }
}

/// The part of a word that is rarest in source text.
fn rarest(word: &[u8]) -> Option<&[u8]> {
    word.windows(PART).min_by_key(|part| {
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
        assert_eq!(rarest(b"stringxkentation"), Some(&b"ngxk"[..]));
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
