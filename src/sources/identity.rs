//! Which repository a root is, wherever it lies and whatever else is scanned: what shards are decided by.

use super::discover::{Root, RootKind};
use super::git::{common_dir, default_branch, origin};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Keeps the roots that belong to one part of several. All roots of one repository, and all clones of one origin, belong to
/// the same part; another repository more or less moves none.
pub fn shard(roots: Vec<Root>, number: u32, of: u32) -> Vec<Root> {
    let identities = identities(&roots);
    let roots = roots.into_iter().zip(identities);
    roots
        .filter(|(_, identity)| part(identity, of) == number)
        .map(|(root, _)| root)
        .collect()
}

/// The part, from 1, that an identity belongs to: the one whose draw for it is the highest, so that another number of parts
/// moves as few as possible.
fn part(identity: &str, of: u32) -> u32 {
    let draw = |part: &u32| {
        let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 shard");
        hasher.update(&part.to_le_bytes());
        hasher.update(identity.as_bytes());
        *hasher.finalize().as_bytes()
    };
    (1..=of).max_by_key(draw).unwrap_or(1)
}

/// Host and path that roots were cloned from, by their names, and after `#` their default branch where the clone knows it;
/// those without, and names no host gives, are left out.
pub fn origins(roots: &[Root]) -> BTreeMap<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/+@".contains(c);
    roots
        .iter()
        .filter_map(|root| {
            let store = common_dir(root)?;
            Some((root.name.clone(), origin(&store)?, default_branch(&store)))
        })
        .filter(|(_, origin, _)| origin.len() <= 512 && origin.chars().all(plain))
        .map(|(name, origin, branch)| {
            let branch = branch.filter(|branch| branch.len() <= 128 && branch.chars().all(plain));
            let branch = branch.map_or_else(String::new, |branch| format!("#{branch}"));
            (name, origin + &branch)
        })
        .collect()
}

fn identities(roots: &[Root]) -> Vec<String> {
    let stores: Vec<Option<PathBuf>> = roots.iter().map(common_dir).collect();
    let mut of_store: BTreeMap<&PathBuf, String> = BTreeMap::new();
    for (root, store) in roots.iter().zip(&stores) {
        let Some(store) = store else { continue };
        let own = origin(store).unwrap_or_else(|| root.plain.clone());
        let known = of_store.entry(store).or_insert_with(|| own.clone());
        // Of several work trees, the one whose name comes first names all.
        if own < *known {
            *known = own;
        }
    }
    roots
        .iter()
        .zip(&stores)
        .map(|(root, store)| {
            let named = store.as_ref().and_then(|store| of_store.get(store));
            let kind = if root.kind == RootKind::File {
                "file"
            } else {
                "root"
            };
            named.map_or_else(
                || format!("{kind} {}", root.plain),
                |name| format!("repository {name}"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::discover;
    use crate::sources::testing::Place;
    use std::collections::BTreeSet;

    fn parts(place: &Place, of: u32) -> BTreeMap<String, u32> {
        let roots = discover(&[place.path("w")]).unwrap().roots;
        let mut out = BTreeMap::new();
        for number in 1..=of {
            for root in shard(roots.clone(), number, of) {
                assert_eq!(out.insert(root.name, number), None, "in two parts");
            }
        }
        assert_eq!(out.len(), roots.len(), "each is in one part");
        out
    }

    #[test]
    fn each_root_is_in_one_part_and_another_moves_none() {
        let place = Place::new();
        for at in 0..20 {
            place.repo(&format!("w/r{at}"));
        }
        let before = parts(&place, 4);
        assert!(before.values().collect::<BTreeSet<_>>().len() > 2);
        place.repo("w/another");
        place.repo("w/deeper/r1");
        let after = parts(&place, 4);
        for (name, part) in before {
            assert_eq!(after.get(&name), Some(&part), "{name}");
        }
    }

    #[test]
    fn clones_of_one_origin_stay_together() {
        let place = Place::new();
        let urls = [
            "https://user:word@git.example/team/app.git",
            "git@git.example:team/app",
            "ssh://git@git.example/team/app.git/",
        ];
        for (at, url) in urls.iter().enumerate() {
            let repo = place.repo(&format!("w/c{at}"));
            repo.0.remote("origin", url).unwrap();
        }
        let found: BTreeSet<u32> = parts(&place, 7).into_values().collect();
        assert_eq!(found.len(), 1);
    }
}
