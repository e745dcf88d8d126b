//! Rules that had other names: what was decided or written under an old name goes on being about the rule.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Old names of rules and checks, and what they are called now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct Renames {
    /// Of each rule that had another name: its names, the first one first and the present one last.
    rules: Vec<Vec<String>>,
}

impl TryFrom<BTreeMap<String, String>> for Renames {
    type Error = String;

    /// From each old name to the one that came after it.
    fn try_from(next: BTreeMap<String, String>) -> Result<Self, String> {
        let later: BTreeSet<&String> = next.values().collect();
        if later.len() < next.len() {
            return Err(
                "two rules cannot have become one: ids of findings would be the same".into(),
            );
        }
        let mut rules = Vec::new();
        let mut told = 0;
        for first in next.keys().filter(|name| !later.contains(name)) {
            let mut names = vec![first.clone()];
            while let Some(name) = names.last().and_then(|name| next.get(name)) {
                names.push(name.clone());
            }
            told += names.len() - 1;
            rules.push(names);
        }
        if told < next.len() {
            return Err("names go round in a circle".into());
        }
        Ok(Self { rules })
    }
}

impl Renames {
    fn of(&self, rule: &str) -> Option<&[String]> {
        let mut rules = self.rules.iter();
        let found = rules.find(|names| names.iter().any(|name| name == rule));
        found.map(Vec::as_slice)
    }

    /// The name that a rule had first, which ids of its findings are made from.
    pub fn first<'a>(&'a self, rule: &'a str) -> &'a str {
        let names = self.of(rule);
        names.and_then(<[_]>::first).map_or(rule, String::as_str)
    }

    /// What a rule of this name is called now.
    pub fn now<'a>(&'a self, rule: &'a str) -> &'a str {
        let names = self.of(rule);
        names.and_then(<[_]>::last).map_or(rule, String::as_str)
    }

    /// The other names of a rule.
    pub fn others<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a str> {
        let names = self.of(rule).unwrap_or_default().iter();
        names.map(String::as_str).filter(move |name| *name != rule)
    }

    /// Whether something is so of one of the names of a rule.
    pub fn any(&self, rule: &str, is: impl Fn(&str) -> bool) -> bool {
        is(rule) || self.others(rule).any(is)
    }

    /// Every name of the rules of which something is so of one name.
    pub fn meant(&self, is: impl Fn(&str) -> bool) -> Vec<&str> {
        let rules = self.rules.iter();
        let meant = rules.filter(|names| names.iter().any(|name| is(name)));
        meant.flatten().map(String::as_str).collect()
    }

    /// The present names of rules that had others.
    pub fn present(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter().filter_map(|names| names.last());
        rules.map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renames(pairs: &[(&str, &str)]) -> Result<Renames, String> {
        let pairs = pairs
            .iter()
            .map(|(old, new)| ((*old).into(), (*new).into()));
        pairs.collect::<BTreeMap<String, String>>().try_into()
    }

    #[test]
    fn a_rule_keeps_every_name_it_had() {
        let known = renames(&[("b", "c"), ("a", "b"), ("x", "y")]).unwrap();
        for name in ["a", "b", "c"] {
            assert_eq!((known.first(name), known.now(name)), ("a", "c"));
        }
        assert_eq!((known.first("z"), known.now("z")), ("z", "z"));
        assert_eq!(known.others("b").collect::<Vec<_>>(), ["a", "c"]);
        assert!(known.any("y", |name| name == "x") && !known.any("z", |name| name == "x"));
        assert_eq!(known.meant(|name| name.starts_with('b')), ["a", "b", "c"]);
        assert_eq!(known.present().collect::<Vec<_>>(), ["c", "y"]);
    }

    #[test]
    fn circles_and_two_that_became_one_are_refused() {
        assert!(renames(&[("a", "b"), ("b", "a")]).is_err());
        assert!(renames(&[("a", "b"), ("b", "c"), ("x", "x")]).is_err());
        assert!(renames(&[("a", "c"), ("b", "c")]).is_err());
        assert_eq!(renames(&[]), Ok(Renames::default()));
    }
}
