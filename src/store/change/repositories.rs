//! Which repositories were renamed: those that are gone and those that are new, and that are the same but for the name.

use std::collections::{BTreeMap, BTreeSet};

/// Most repositories on one side that one thing tells apart: what more of them have in common says nothing.
const MOST_ALIKE: usize = 64;

/// New names of repositories with the ones they had.
pub(super) type Names = BTreeMap<String, String>;

/// Repositories that were cloned from the same place, where no other was.
pub(super) fn by_origin<'a>(
    vanished: impl Iterator<Item = (&'a String, &'a String)>,
    appeared: impl Iterator<Item = (&'a String, &'a String)>,
) -> Names {
    let mut by: BTreeMap<&str, Sides<'_>> = BTreeMap::new();
    for (name, text) in vanished {
        by.entry(place_of(text)).or_default().0.insert(name);
    }
    for (name, text) in appeared {
        by.entry(place_of(text)).or_default().1.insert(name);
    }
    by.values().filter_map(only).collect()
}

/// Where a repository was cloned from; what stands behind the sign is the default branch.
pub(super) fn place_of(origin: &str) -> &str {
    origin.split('#').next().unwrap_or(origin)
}

/// Adds repositories that have things in common: first those of one last name, then each other's best match. A thing comes
/// with its repository.
pub(super) fn by_content<'a, S: Ord>(
    vanished: impl Iterator<Item = (S, &'a str)>,
    appeared: impl Iterator<Item = (S, &'a str)>,
    names: &mut Names,
) {
    let mut by: BTreeMap<S, Sides<'_>> = BTreeMap::new();
    let settled: BTreeSet<String> = names.values().cloned().collect();
    for (thing, home) in vanished.filter(|(_, home)| !settled.contains(*home)) {
        by.entry(thing).or_default().0.insert(home);
    }
    for (thing, home) in appeared.filter(|(_, home)| !names.contains_key(*home)) {
        by.entry(thing).or_default().1.insert(home);
    }
    let last = |name: &'a str| name.rsplit('/').next().unwrap_or(name);
    let mut lasts: BTreeMap<&str, Sides<'_>> = BTreeMap::new();
    for (old, new) in by.values() {
        let news: BTreeSet<&str> = new.iter().map(|home| last(home)).collect();
        let olds: BTreeSet<&str> = old.iter().map(|home| last(home)).collect();
        for home in old.iter().filter(|home| news.contains(last(home))) {
            lasts.entry(last(home)).or_default().0.insert(home);
        }
        for home in new.iter().filter(|home| olds.contains(last(home))) {
            lasts.entry(last(home)).or_default().1.insert(home);
        }
    }
    names.extend(lasts.values().filter_map(only));
    let settled: BTreeSet<String> = names.values().cloned().collect();
    let mut votes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (old, new) in by.values() {
        let old: Vec<&str> = old
            .iter()
            .copied()
            .filter(|one| !settled.contains(*one))
            .collect();
        let new: Vec<&str> = new
            .iter()
            .copied()
            .filter(|one| !names.contains_key(*one))
            .collect();
        if old.len() > MOST_ALIKE || new.len() > MOST_ALIKE {
            continue;
        }
        for one in &old {
            for other in &new {
                *votes.entry((one, other)).or_default() += 1;
            }
        }
    }
    let from = best(&votes, |pair| pair.0);
    let to = best(&votes, |pair| pair.1);
    for pair in votes.keys() {
        if from.get(pair.0) == Some(&Some(*pair)) && to.get(pair.1) == Some(&Some(*pair)) {
            names.insert(pair.1.to_owned(), pair.0.to_owned());
        }
    }
}

/// Repositories that are gone and repositories that are new.
type Sides<'a> = (BTreeSet<&'a str>, BTreeSet<&'a str>);
type Pair<'a> = (&'a str, &'a str);

fn only((old, new): &Sides<'_>) -> Option<(String, String)> {
    Some((single(new)?.to_owned(), single(old)?.to_owned()))
}

fn single<'a>(all: &BTreeSet<&'a str>) -> Option<&'a str> {
    all.first().copied().filter(|_| all.len() == 1)
}

/// The pair with most votes of each repository on one side; none where two have as many.
fn best<'a>(
    votes: &BTreeMap<Pair<'a>, usize>,
    side: impl Fn(&Pair<'a>) -> &'a str,
) -> BTreeMap<&'a str, Option<Pair<'a>>> {
    let mut best: BTreeMap<&str, (usize, Option<Pair<'_>>)> = BTreeMap::new();
    for (pair, count) in votes {
        let known = best.entry(side(pair)).or_default();
        if *count > known.0 {
            *known = (*count, Some(*pair));
        } else if *count == known.0 {
            known.1 = None;
        }
    }
    best.into_iter()
        .map(|(name, (_, pair))| (name, pair))
        .collect()
}
