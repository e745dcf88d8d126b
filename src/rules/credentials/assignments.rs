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
        HEADS.contains(word)
    }

    /// What a lower-case word is the head of a name of.
    pub fn family_of<'w>(&'static self, word: &'w str) -> Option<Head<'w>> {
        if self.names.lookalikes.contains(word) {
            return None;
        }
        let some = |rest: &'w str| (!rest.is_empty()).then_some(rest);
        let whole = self
            .families
            .iter()
            .find(|family| family.words.contains(word));
        if let Some(family) = whole {
            return Some(Head {
                family,
                before: None,
                after: None,
            });
        }
        for family in &self.families {
            for end in &family.ends {
                if let Some(rest) = word.strip_suffix(end.as_str()) {
                    return Some(Head {
                        family,
                        before: some(rest),
                        after: None,
                    });
                }
            }
        }
        for family in &self.families {
            for start in &family.starts {
                if let Some(rest) = word.strip_prefix(start.as_str()) {
                    return Some(Head {
                        family,
                        before: None,
                        after: some(rest),
                    });
                }
            }
        }
        None
    }
}

static ASSIGNMENTS: LazyLock<Assignments> =
    LazyLock::new(|| rules::read("assignments.toml").unwrap_or_default());

/// The whole words of all families.
static HEADS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let families = ASSIGNMENTS.families.iter();
    families
        .flat_map(|family| family.words.iter().map(String::as_str))
        .collect()
});

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
