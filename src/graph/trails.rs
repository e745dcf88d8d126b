//! What git tells of a credential over several versions, clones and places.

use crate::model::{CredentialTrail, MOST_NAMES, Reach, Sighting, Trail};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Nobody who fetches gets it.
pub(super) fn hidden(sighting: &Sighting) -> bool {
    sighting.trail.reached_by >= Some(Reach::Stash)
}

/// Two versions of one occurrence, or the same in two clones: `last` is the one that lasted longer.
pub(super) fn join(newer: &Sighting, older: &Sighting, last: &Sighting) -> Trail {
    let (a, b) = (&newer.trail, &older.trail);
    let removed = if newer.at_head || older.at_head {
        None
    } else {
        // Replaced by a version that still holds it is not removed.
        removal(a).max(removal(b))
    };
    let (branches, branches_total) = union(
        (&a.branches, a.branches_total),
        (&b.branches, b.branches_total),
    );
    let (clones, clones_total) = union((&a.clones, a.clones_total), (&b.clones, b.clones_total));
    Trail {
        medium: a.medium,
        reached_by: a.reached_by.into_iter().chain(b.reached_by).min(),
        last_commit: last.trail.last_commit.clone(),
        removed_in: removed.as_ref().map(|(_, commit)| commit.clone()),
        removed_at: removed.and_then(|(at, _)| at),
        branches,
        branches_total,
        clones,
        clones_total,
    }
}

fn removal(trail: &Trail) -> Option<(Option<Timestamp>, String)> {
    let commit = trail.removed_in.clone()?;
    Some((trail.removed_at, commit))
}

/// All names of two lists, the first list's first; where a list was cut, the total is a lower bound.
fn union((a, a_total): (&[String], u32), (b, b_total): (&[String], u32)) -> (Vec<String>, u32) {
    let mut all = a.to_vec();
    all.extend(b.iter().filter(|name| !a.contains(name)).cloned());
    let total = a_total.max(b_total).max(all.len() as u32);
    all.truncate(MOST_NAMES);
    (all, total)
}

/// One sighting for what several clones of a repository have in common: the same occurrence at the same path, brought in
/// by the same commit or tag. The repository named is the first of those that have it today.
pub(super) fn across_clones(sightings: Vec<Sighting>) -> Vec<Sighting> {
    let mut origins: BTreeMap<(String, String), Vec<Sighting>> = BTreeMap::new();
    let mut out = Vec::new();
    for sighting in sightings {
        match &sighting.commit {
            Some(commit) => origins
                .entry((commit.clone(), sighting.uri.clone()))
                .or_default()
                .push(sighting),
            None => out.push(sighting),
        }
    }
    for mut sightings in origins.into_values() {
        sightings.sort();
        let mut occurrences: BTreeMap<usize, Vec<Sighting>> = BTreeMap::new();
        let mut before: BTreeMap<String, usize> = BTreeMap::new();
        for sighting in sightings {
            let ordinal = before.entry(sighting.repository.clone()).or_default();
            occurrences.entry(*ordinal).or_default().push(sighting);
            *ordinal += 1;
        }
        out.extend(occurrences.into_values().filter_map(shared));
    }
    out.sort();
    out
}

/// The sightings of one occurrence in several clones as one.
fn shared(mut clones: Vec<Sighting>) -> Option<Sighting> {
    clones.sort_by(|a, b| (!a.at_head, a).cmp(&(!b.at_head, b)));
    let names: BTreeSet<String> = clones.iter().map(|one| one.repository.clone()).collect();
    let mut clones = clones.into_iter();
    let mut first = clones.next()?;
    for other in clones {
        let last = if (other.at_head, other.last_seen) > (first.at_head, first.last_seen) {
            &other
        } else {
            &first
        };
        let (trail, last_seen) = (join(&first, &other, last), last.last_seen);
        first.trail = trail;
        first.last_seen = last_seen;
        first.at_head |= other.at_head;
        first.public |= other.public;
    }
    if names.len() > 1 {
        first.trail.clones_total = names.len() as u32;
        first.trail.clones = names.into_iter().take(MOST_NAMES).collect();
    }
    Some(first)
}

/// The trail of a credential over all its places; `None` where no commit holds it.
pub(super) fn of_credential(sightings: &[Sighting]) -> Option<CredentialTrail> {
    let committed = || sightings.iter().filter(|seen| seen.commit.is_some());
    let first = committed().min_by_key(|seen| {
        let undated = seen.first_seen.is_none();
        (hidden(seen), undated, seen.first_seen, *seen)
    })?;
    let last =
        committed().max_by_key(|seen| (seen.at_head, !hidden(seen), seen.last_seen, *seen))?;
    let at_head = sightings.iter().any(|seen| seen.at_head);
    let removed = if at_head {
        None
    } else {
        sightings
            .iter()
            .filter_map(|seen| removal(&seen.trail))
            .max()
    };
    let mut branches = (Vec::new(), 0);
    let mut repositories = BTreeSet::new();
    let mut more_clones = 0;
    for seen in sightings {
        let trail = &seen.trail;
        branches = union(
            (&branches.0, branches.1),
            (&trail.branches, trail.branches_total),
        );
        repositories.insert(seen.repository.as_str());
        repositories.extend(trail.clones.iter().map(String::as_str));
        more_clones = more_clones.max(trail.clones_total);
    }
    Some(CredentialTrail {
        repository: first.repository.clone(),
        first_commit: first.commit.clone(),
        introduced_by: first.author.clone(),
        introduced_at: first.first_seen,
        last_commit: last.trail.last_commit.clone(),
        at_head,
        removed_in: removed.as_ref().map(|(_, commit)| commit.clone()),
        removed_at: removed.and_then(|(at, _)| at),
        branches: branches.0,
        branches_total: branches.1,
        repositories: (repositories.len() as u32).max(more_clones),
        sightings: sightings.len() as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(repository: &str, commit: &str, line: u32, at_head: bool) -> Sighting {
        Sighting {
            repository: repository.into(),
            uri: "a.env".into(),
            line,
            column: 1,
            commit: Some(commit.into()),
            author: Some("Ann <ann@example.org>".into()),
            first_seen: Timestamp::from_second(86_400).ok(),
            last_seen: Timestamp::from_second(2 * 86_400).ok(),
            at_head,
            context: None,
            rule: "r".into(),
            public: false,
            layers: Vec::new(),
            ignored: None,
            trail: Trail {
                reached_by: Some(Reach::Branch),
                last_commit: Some(format!("last of {repository}")),
                removed_in: (!at_head).then(|| format!("removal in {repository}")),
                removed_at: Timestamp::from_second(3 * 86_400).ok(),
                branches: vec![format!("branch of {repository}")],
                branches_total: 1,
                ..Trail::default()
            },
        }
    }

    #[test]
    fn clones_share_what_one_commit_brought() {
        let all = across_clones(vec![
            sighting("a", "c1", 1, false),
            sighting("a", "c1", 5, false),
            sighting("b", "c1", 2, true),
            sighting("b", "c1", 6, true),
            sighting("c", "c2", 2, true),
        ]);
        let told: Vec<_> = all
            .iter()
            .map(|one| {
                (
                    &*one.repository,
                    one.line,
                    one.at_head,
                    one.trail.clones_total,
                )
            })
            .collect();
        assert_eq!(
            told,
            [("b", 2, true, 2), ("b", 6, true, 2), ("c", 2, true, 0)]
        );
        assert_eq!(all[0].trail.clones, ["a", "b"]);
        assert_eq!(all[0].trail.branches, ["branch of b", "branch of a"]);
        assert_eq!(all[0].trail.removed_in, None);
        assert_eq!(all[0].trail.last_commit.as_deref(), Some("last of b"));
        let trail = of_credential(&all).unwrap();
        assert_eq!((trail.repositories, trail.sightings), (3, 3));
    }

    #[test]
    fn a_credential_is_removed_when_the_last_of_it_is() {
        let mut late = sighting("b", "c2", 1, false);
        late.trail.removed_at = Timestamp::from_second(9 * 86_400).ok();
        late.first_seen = None;
        let mut dropped = sighting("b", "c3", 9, false);
        dropped.trail.reached_by = Some(Reach::Reflog);
        dropped.trail.removed_in = None;
        dropped.first_seen = Timestamp::from_second(1).ok();
        let trail = of_credential(&[sighting("a", "c1", 1, false), late, dropped]).unwrap();
        assert_eq!(trail.first_commit.as_deref(), Some("c1"));
        assert_eq!(trail.removed_in.as_deref(), Some("removal in b"));
        assert!(!trail.at_head);
        let mut untracked = sighting("a", "", 1, true);
        untracked.commit = None;
        assert_eq!(of_credential(&[untracked]), None);
    }
}
