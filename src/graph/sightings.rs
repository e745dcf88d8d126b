//! From every version of every file to the places people act on: one for each occurrence in a path of a repository.

use super::trails::{self, hidden};
use crate::model::Sighting;
use std::collections::BTreeMap;

/// Collapses the sightings of one credential. Within one version occurrences are numbered from the top, and the same
/// number in other versions of the path is the same occurrence: earliest introduction, latest presence, and the line of
/// the newest version.
pub(super) fn collapse(mut sightings: Vec<Sighting>) -> Vec<Sighting> {
    sightings.sort_by(|a, b| spot(a).cmp(&spot(b)).then_with(|| a.cmp(b)));
    // Two rules at one spot.
    sightings.dedup_by(|b, a| spot(a) == spot(b));
    let mut occurrences: BTreeMap<(usize, usize), Sighting> = BTreeMap::new();
    for (place, sighting) in places(&sightings).into_iter().zip(sightings) {
        match occurrences.remove(&place) {
            Some(known) => occurrences.insert(place, one(known, sighting)),
            None => occurrences.insert(place, sighting),
        };
    }
    let mut collapsed: Vec<Sighting> = occurrences.into_values().collect();
    collapsed.sort();
    collapsed
}

/// The version of a file a sighting was made in.
fn version(sighting: &Sighting) -> impl Ord + '_ {
    (
        (&sighting.repository, &sighting.uri),
        &sighting.commit,
        (sighting.first_seen, sighting.last_seen, sighting.at_head),
    )
}

/// That, and where in it.
fn spot(sighting: &Sighting) -> impl Ord + '_ {
    (version(sighting), sighting.line, sighting.column)
}

/// Of sightings in the order of their spots, the number of the path and that of the occurrence within its version.
fn places(sightings: &[Sighting]) -> Vec<(usize, usize)> {
    let (mut path, mut ordinal) = (0, 0);
    let mut places = Vec::with_capacity(sightings.len());
    let mut before: Option<&Sighting> = None;
    for sighting in sightings {
        if let Some(before) = before {
            let same = before.uri == sighting.uri && before.repository == sighting.repository;
            path += usize::from(!same);
            let within = version(before) == version(sighting);
            ordinal = if within { ordinal + 1 } else { 0 };
        }
        before = Some(sighting);
        places.push((path, ordinal));
    }
    places
}

/// Two versions of one occurrence.
fn one(a: Sighting, b: Sighting) -> Sighting {
    // What is present is newer than what is not; then the later, then the greater, so that the order of a and b is none.
    let age = |s: &Sighting| (s.at_head, !hidden(s), s.last_seen, s.first_seen);
    let (newer, older) = if (age(&a), &a) >= (age(&b), &b) {
        (a, b)
    } else {
        (b, a)
    };
    // A version without a commit was introduced after all that have one, and what everybody has counts before what only
    // this clone has.
    let introduced = |s: &Sighting| {
        let undated = s.first_seen.is_none();
        (s.commit.is_none(), hidden(s), undated, s.first_seen)
    };
    let first = if (introduced(&older), &older) <= (introduced(&newer), &newer) {
        &older
    } else {
        &newer
    };
    let lasted = |s: &Sighting| (s.last_seen.is_some(), s.at_head, !hidden(s), s.last_seen);
    let last = if lasted(&older) > lasted(&newer) {
        &older
    } else {
        &newer
    };
    Sighting {
        trail: trails::join(&newer, &older, last),
        commit: first.commit.clone(),
        author: first.author.clone(),
        first_seen: first.first_seen,
        last_seen: last.last_seen,
        at_head: older.at_head || newer.at_head,
        public: older.public || newer.public,
        ..newer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Trail;
    use proptest::prelude::*;

    fn sighting(commit: Option<u8>, line: u32, at_head: bool) -> Sighting {
        let time = |n: u8| jiff::Timestamp::from_second(i64::from(n) * 86_400).ok();
        Sighting {
            repository: "shop".into(),
            uri: "a.env".into(),
            line,
            column: 1,
            commit: commit.map(|n| format!("{n:040}")),
            author: commit.map(|n| format!("author {n}")),
            first_seen: commit.and_then(time),
            last_seen: commit.and_then(|n| time(n + 1)),
            at_head,
            context: None,
            layers: Vec::new(),
            ignored: None,
            trail: Trail::default(),
            rule: "r".into(),
            public: false,
        }
    }

    #[test]
    fn many_versions_of_a_path_are_one_place() {
        let all = collapse(vec![
            sighting(Some(3), 9, true),
            sighting(Some(1), 4, false),
            sighting(Some(2), 6, false),
        ]);
        assert_eq!(all.len(), 1);
        let one = &all[0];
        assert_eq!((one.line, one.at_head), (9, true));
        assert_eq!(one.author.as_deref(), Some("author 1"));
        assert_eq!(one.last_seen, jiff::Timestamp::from_second(4 * 86_400).ok());
    }

    #[test]
    fn occurrences_within_one_version_stay_apart() {
        let all = collapse(vec![
            sighting(Some(1), 4, false),
            sighting(Some(1), 8, false),
            sighting(Some(2), 5, true),
            sighting(Some(2), 5, true),
        ]);
        let lines: Vec<u32> = all.iter().map(|one| one.line).collect();
        assert_eq!(lines, [5, 8]);
    }

    #[test]
    fn an_uncommitted_line_keeps_the_commit_that_introduced_it() {
        let all = collapse(vec![sighting(None, 2, true), sighting(Some(1), 1, false)]);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].line, 2);
        assert!(all[0].commit.is_some() && all[0].at_head);
    }

    proptest! {
        #[test]
        fn order_does_not_matter(seeds in proptest::collection::vec((0..4_u8, 1..4_u32, any::<bool>()), 0..8), shift in 0..8_usize) {
            let all: Vec<Sighting> = seeds
                .iter()
                .map(|(n, line, head)| sighting((*n > 0).then_some(*n), *line, *head))
                .collect();
            let mut other = all.clone();
            if !other.is_empty() {
                let by = shift % other.len();
                other.rotate_left(by);
                other.reverse();
            }
            prop_assert_eq!(collapse(all), collapse(other));
        }
    }
}
