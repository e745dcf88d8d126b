//! Names that secrets are assigned to, and what the features of an assignment weigh: `rules/assignments.toml`.

use crate::rules;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// What is known of assignments.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignments {
    /// Kinds of name.
    #[serde(rename = "family")]
    pub families: Vec<Family>,
    /// Words beside the head of a name.
    pub names: Names,
    /// What a score means.
    pub score: Score,
    /// What each feature adds to the score, and how it is told.
    #[serde(rename = "feature")]
    pub features: BTreeMap<String, Feature>,
}

/// One kind of name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// What rules call it.
    pub id: String,
    /// Whole words.
    pub words: BTreeSet<String>,
    /// Ends of longer words.
    pub ends: Vec<String>,
    /// Beginnings of longer words.
    pub starts: Vec<String>,
}

/// Words beside the head of a name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// After the head; they change nothing.
    pub neutral: BTreeSet<String>,
    /// After the head; it is something else.
    pub otherwise: BTreeSet<String>,
    /// Before the head; it is no secret.
    pub harmless: BTreeSet<String>,
    /// Before `key`; it is no secret.
    pub other_keys: BTreeSet<String>,
    /// Before `key`; it is one.
    pub secret_keys: BTreeSet<String>,
    /// Before `key`; its owner makes it up, no service issues it.
    pub own_keys: BTreeSet<String>,
    /// Whole words that only look like a head.
    pub lookalikes: BTreeSet<String>,
}

/// What a score means.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Before any feature.
    pub start: f64,
    /// From here on, it is reported.
    pub low: f64,
    /// From here on, the confidence is medium.
    pub medium: f64,
    /// From here on, it is high.
    pub high: f64,
}

/// One feature.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// What it adds, times its value.
    pub weight: f64,
    /// How it is told where it supports the judgement or speaks against it; nothing where it is not worth telling.
    #[serde(default)]
    pub reason: String,
}

/// The head of a name.
pub struct Head<'w> {
    /// Its kind.
    pub family: &'static Family,
    /// What precedes it in its word.
    pub before: Option<&'w str>,
    /// What follows it in its word.
    pub after: Option<&'w str>,
}

/// How features are looked up: few of them share a length and the letters at both ends.
static BY_NAME: LazyLock<Vec<Vec<(&'static str, &'static Feature)>>> = LazyLock::new(|| {
    let mut table = vec![Vec::new(); FEATURE_SLOTS];
    for (name, feature) in &ASSIGNMENTS.features {
        if let Some(slot) = table.get_mut(feature_slot(name)) {
            slot.push((name.as_str(), feature));
        }
    }
    table
});

const FEATURE_SLOTS: usize = 512;

fn feature_slot(name: &str) -> usize {
    let name = name.as_bytes();
    let letter = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    (name.len() * 67
        + letter(name.first()) * 31
        + letter(name.last()) * 5
        + letter(name.get(name.len() / 2)))
        % FEATURE_SLOTS
}

impl Assignments {
    /// What a feature adds to the score.
    pub fn feature(&self, name: &str) -> Option<&'static Feature> {
        let slot = BY_NAME.get(feature_slot(name))?;
        let found = slot.iter().find(|(known, _)| *known == name);
        found.map(|(_, feature)| *feature)
    }

    /// Whether a lower-case word is the whole head of a name, of whatever family.
    pub fn is_head(&self, word: &str) -> bool {
        HEADS.whole.get(word).is_some_and(Option::is_some)
    }

    /// What a lower-case word is the head of a name of.
    pub fn family_of<'w>(&self, word: &'w str) -> Option<Head<'w>> {
        let some = |rest: &'w str| (!rest.is_empty()).then_some(rest);
        if let Some(family) = HEADS.whole.get(word) {
            return family.map(|family| Head {
                family,
                before: None,
                after: None,
            });
        }
        let bytes = word.as_bytes();
        for (end, family) in HEADS.ends.of(bytes.last()) {
            if let Some(rest) = word.strip_suffix(end) {
                return Some(Head {
                    family,
                    before: some(rest),
                    after: None,
                });
            }
        }
        for (start, family) in HEADS.starts.of(bytes.first()) {
            if let Some(rest) = word.strip_prefix(start) {
                return Some(Head {
                    family,
                    before: None,
                    after: some(rest),
                });
            }
        }
        None
    }
}

static ASSIGNMENTS: LazyLock<Assignments> =
    LazyLock::new(|| rules::read("assignments.toml").unwrap_or_default());

/// The heads of all families, as they are looked up.
static HEADS: LazyLock<Heads> = LazyLock::new(|| {
    let mut heads = Heads::default();
    // Of a word of two families, the first has it.
    for family in ASSIGNMENTS.families.iter().rev() {
        let words = family.words.iter().map(String::as_str);
        heads.whole.extend(words.map(|word| (word, Some(family))));
    }
    let lookalikes = ASSIGNMENTS.names.lookalikes.iter();
    heads
        .whole
        .extend(lookalikes.map(|word| (word.as_str(), None)));
    for family in &ASSIGNMENTS.families {
        for end in &family.ends {
            heads.ends.add(end.as_bytes().last(), end, family);
        }
        for start in &family.starts {
            heads.starts.add(start.as_bytes().first(), start, family);
        }
    }
    heads
});

#[derive(Default)]
struct Heads {
    /// The family of each whole word; none of those that only look like a head.
    whole: BTreeMap<&'static str, Option<&'static Family>>,
    ends: ByLetter,
    starts: ByLetter,
}

/// Parts of words by the letter they have at the end or at the beginning of the word.
#[derive(Default)]
struct ByLetter(Vec<Vec<(&'static str, &'static Family)>>);

impl ByLetter {
    fn add(&mut self, letter: Option<&u8>, part: &'static str, family: &'static Family) {
        self.0.resize_with(256, Vec::new);
        let slot = letter.and_then(|letter| self.0.get_mut(usize::from(*letter)));
        if let Some(slot) = slot {
            slot.push((part, family));
        }
    }

    fn of(&self, letter: Option<&u8>) -> impl Iterator<Item = (&'static str, &'static Family)> {
        let known = letter.and_then(|letter| self.0.get(usize::from(*letter)));
        known.into_iter().flatten().copied()
    }
}

/// The embedded knowledge. A test proves that the embedded file is whole.
pub fn assignments() -> &'static Assignments {
    &ASSIGNMENTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_is_whole() {
        let known: Assignments = rules::read("assignments.toml").unwrap();
        assert!(known.families.len() >= 6 && known.features.len() >= 20);
        for (name, feature) in &known.features {
            let found = assignments().feature(name).unwrap();
            assert!(
                (found.weight - feature.weight).abs() < f64::EPSILON,
                "{name}"
            );
        }
        assert!(assignments().feature("no such feature").is_none());
        assert!(known.score.low < known.score.medium && known.score.medium < known.score.high);
    }
}
