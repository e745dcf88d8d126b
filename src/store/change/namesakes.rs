//! Ids that two things lay claim to: what moved is known by the id it had, and what stands in its old place now has that id
//! from its place. The one that moved keeps it; the newcomer gets one of its own.

use std::collections::{BTreeMap, BTreeSet};

/// What is known of the ids of the things of one kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// Ids that things have by their places, with the ones they are known by, where that is another.
    pub(super) ids: BTreeMap<String, String>,
    /// Those of them that nobody knew before.
    pub(super) fresh: BTreeMap<String, String>,
}

/// Gives things the ids they are known by. `own` are the ids they have by their places, `taken` all ids of the run, which
/// are those of the result afterwards; `moved` tells of a thing and the id it was known by whether it is the one that had it
/// last, where another has that id by its place.
pub(super) fn settle(
    own: &[&str],
    taken: &mut BTreeSet<String>,
    aliases: &BTreeMap<String, String>,
    moved: impl Fn(&str, &str) -> bool,
) -> Settled {
    let mut settled = Settled::default();
    let mut left: Vec<(&str, &String)> = own
        .iter()
        .filter_map(|id| Some((*id, aliases.get(*id)?)))
        .filter(|(id, known)| *id != known.as_str())
        .collect();
    left.sort_unstable();
    // One may wait for an id that another gives up.
    loop {
        let before = left.len();
        left.retain(|(id, known)| {
            if taken.contains(*known) {
                return true;
            }
            taken.remove(*id);
            taken.insert((*known).clone());
            settled.ids.insert((*id).to_owned(), (*known).clone());
            false
        });
        if left.len() == before {
            break;
        }
    }
    let places: BTreeSet<&str> = own.iter().copied().collect();
    for (id, known) in left {
        let open = |id: &str| places.contains(id) && !settled.ids.contains_key(id);
        if !open(id) || !open(known) || !moved(id, known) {
            continue;
        }
        settled.part(known, taken);
        taken.remove(id);
        taken.insert(known.clone());
        settled.ids.insert(id.to_owned(), known.clone());
    }
    settled
}

impl Settled {
    /// Gives what has an id by its place another one, because something else is known by it.
    pub(super) fn part(&mut self, id: &str, taken: &mut BTreeSet<String>) {
        let name = (1..=u32::MAX)
            .map(|number| namesake(id, number))
            .find(|name| !taken.contains(name))
            .unwrap_or_default();
        taken.insert(name.clone());
        self.ids.insert(id.to_owned(), name.clone());
        self.fresh.insert(id.to_owned(), name);
    }
}

/// An id of the same kind for another thing.
fn namesake(id: &str, number: u32) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 id of a namesake");
    hasher.update(id.as_bytes());
    hasher.update(&number.to_le_bytes());
    let kind = id.split_once('-').map_or(id, |(kind, _)| kind);
    format!("{kind}-{}", &hasher.finalize().to_hex()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(id, known): &(&str, &str)| ((*id).to_owned(), (*known).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn what_moved_keeps_its_id_and_the_newcomer_has_one_of_its_own() {
        let aliases = map(&[("i-moved", "i-old")]);
        let own = ["i-moved", "i-old"];
        let first = settle(&own, &mut set(&own), &aliases, |_, _| true);
        let newcomer = first.fresh["i-old"].clone();
        assert!(newcomer.starts_with("i-") && newcomer != "i-old");
        assert_eq!(
            first.ids,
            map(&[("i-moved", "i-old"), ("i-old", &newcomer)])
        );
        // From now on nobody has to be asked, and the one that moved may go.
        let mut aliases = aliases;
        aliases.extend(first.fresh);
        let later = settle(&own, &mut set(&own), &aliases, |_, _| false);
        assert_eq!(later.ids, first.ids);
        assert!(later.fresh.is_empty());
        let alone = settle(&["i-old"], &mut set(&["i-old"]), &aliases, |_, _| false);
        assert_eq!(alone.ids, map(&[("i-old", &newcomer)]));
    }

    #[test]
    fn what_nobody_knows_to_have_moved_leaves_the_id_to_its_place() {
        let aliases = map(&[("i-moved", "i-old")]);
        let own = ["i-moved", "i-old"];
        let settled = settle(&own, &mut set(&own), &aliases, |_, _| false);
        assert_eq!(settled, Settled::default());
    }

    proptest! {
        #[test]
        fn no_two_things_have_one_id(
            own in prop::collection::btree_set("[a-f]", 1..6),
            aliases in prop::collection::btree_map("[a-f]", "[a-f]", 0..6),
            moved in any::<bool>(),
        ) {
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            let mut taken = set(&own);
            let settled = settle(&own, &mut taken, &aliases, |_, _| moved);
            let result: BTreeSet<&str> = own
                .iter()
                .map(|id| settled.ids.get(*id).map_or(*id, String::as_str))
                .collect();
            prop_assert_eq!(result.len(), own.len());
            prop_assert_eq!(taken.iter().map(String::as_str).collect::<BTreeSet<_>>(), result);
        }
    }
}
