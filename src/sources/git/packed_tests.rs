//! The same histories loose and packed: what is noted while packs are gone through must tell what reading tree by tree
//! tells.

use crate::model::Copied;
use crate::sources::testing::{Place, Repo, coverage, lines, scan_with};
use crate::sources::{Document, Limits, NoProgress, ReadOptions, Screen, discover, read};
use git2::Oid;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// One commit: the file it changes, the number it writes there (none to remove it), and how far back its parents are.
type Step = (u8, Option<u8>, Vec<u8>);

const FILES: usize = 24;

fn history(repo: &Repo, steps: &[Step]) -> Vec<Oid> {
    let mut commits: Vec<Oid> = Vec::new();
    let mut trees: Vec<BTreeMap<String, String>> = Vec::new();
    for (at, (file, value, back)) in steps.iter().enumerate() {
        let parents: Vec<usize> = back
            .iter()
            .filter_map(|back| at.checked_sub(1 + usize::from(*back)))
            .collect();
        let mut tree = parents
            .first()
            .map(|parent| trees[*parent].clone())
            .unwrap_or_default();
        let path = match file % 4 {
            0 => format!("file{file}"),
            1 => format!("folder/file{file}"),
            _ => format!("folder/deep{}/file{file}", file % 3),
        };
        match value {
            Some(value) => {
                let secret = if value % 3 == 0 { "SECRET" } else { "plain" };
                let filler = "filler\n".repeat(usize::from(value % 5) * 4);
                tree.insert(path, format!("{filler}{secret} {value}\n{filler}"));
            }
            None => _ = tree.remove(&path),
        }
        let files: Vec<(&str, &str)> = tree
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        let mut ids: Vec<Oid> = parents.iter().map(|parent| commits[*parent]).collect();
        ids.dedup();
        let name = if at % 3 == 0 {
            "refs/heads/main"
        } else {
            "refs/heads/side"
        };
        commits.push(repo.commit(name, 1_000 + at as i64 * 10, &ids, &files));
        trees.push(tree);
    }
    repo.check_out("refs/heads/main");
    commits
}

/// Packs every object into so many packs and removes the loose ones, but for every `keep`th.
fn pack(git: &Path, packs: usize, keep: usize) {
    let repo = git2::Repository::open(git).unwrap();
    let mut ids = Vec::new();
    let odb = repo.odb().unwrap();
    odb.foreach(|id| {
        ids.push(*id);
        true
    })
    .unwrap();
    ids.sort();
    let folder = git.join("objects/pack");
    fs::create_dir_all(&folder).unwrap();
    let of = |at: usize| at % (packs + 1);
    for part in 0..packs {
        let mut builder = repo.packbuilder().unwrap();
        for (at, id) in ids.iter().enumerate() {
            // What falls to nobody is in every pack.
            if of(at) == part || of(at) == packs {
                builder.insert_object(*id, None).unwrap();
            }
        }
        builder.write(&folder, 0).unwrap();
    }
    for id in ids
        .iter()
        .enumerate()
        .filter(|(at, _)| at % keep != 0)
        .map(|(_, id)| id.to_string())
    {
        fs::remove_file(git.join("objects").join(&id[..2]).join(&id[2..])).unwrap();
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let file = 0..FILES as u8;
    let back = proptest::collection::vec(0_u8..4, 0..3);
    proptest::collection::vec(
        (file, proptest::option::weighted(0.85, any::<u8>()), back),
        1..40,
    )
}

fn options(since: Option<i64>, unreachable: bool, limits: Limits) -> ReadOptions {
    ReadOptions {
        unreachable,
        since: since.map(|at| jiff::Timestamp::from_second(at).unwrap()),
        limits,
        ..ReadOptions::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn packed_tells_what_loose_tells(
        steps in steps(),
        packs in 1_usize..4,
        keep in prop_oneof![Just(usize::MAX), 2_usize..9],
        unreachable: bool,
        since in proptest::option::of(990_i64..1_400),
        cap in prop_oneof![4 => Just(1_u64 << 20), 1 => Just(100)],
    ) {
        let place = Place::new();
        let commits = history(&place.repo("app"), &steps);
        let limits = Limits { max_blob_bytes: cap, ..Limits::default() };
        let options = options(since, unreachable, limits);
        let loose = scan_with(&[place.path("app")], &options);
        pack(&place.path("app/.git"), packs, keep);
        let packed = scan_with(&[place.path("app")], &options);
        prop_assert_eq!(lines(&loose.items, &commits), lines(&packed.items, &commits));
        prop_assert_eq!(coverage(&loose), coverage(&packed));
        prop_assert_eq!(loose, packed);
    }

    /// What a screen keeps of a text, and what it is told of the next, lead to the same visits as looking at every text.
    #[test]
    fn a_screen_that_looks_at_what_is_new_misses_nothing(steps in steps(), packs in 1_usize..3) {
        let place = Place::new();
        history(&place.repo("app"), &steps);
        pack(&place.path("app/.git"), packs, usize::MAX);
        let every = scan_with(&[place.path("app")], &ReadOptions::default());
        let roots = discover(&[place.path("app")]).unwrap().roots;
        let screened = read(&roots, &ReadOptions::default(), &NoProgress, &Marks, |document: &Document<'_>| {
            let text = String::from_utf8_lossy(document.bytes);
            text.lines().find(|line| line.contains("SECRET")).map(ToOwned::to_owned)
        });
        prop_assert_eq!(every.items, screened.items);
    }
}

/// Trees can be written that call a folder a file and a file a folder.
#[test]
fn entries_of_another_kind_than_they_are_called_lead_nowhere() {
    let place = Place::new();
    let repo = place.repo("app");
    let secret = repo.blob("SECRET 1\n");
    let folder = repo.tree(&[("key", "SECRET 1\n")]);
    let entry = |mode: &str, name: &str, id: Oid| {
        [format!("{mode} {name}\0").as_bytes(), id.as_bytes()].concat()
    };
    let tree = [
        entry("100644", "called-file", folder),
        entry("40000", "called-folder", secret),
        entry("100644", "plain", secret),
    ]
    .concat();
    let odb = repo.0.odb().unwrap();
    let tree = odb.write(git2::ObjectType::Tree, &tree).unwrap();
    let who = git2::Signature::new("Ann", "ann@example.org", &git2::Time::new(1_000, 0)).unwrap();
    let tree = repo.0.find_tree(tree).unwrap();
    let commit = repo
        .0
        .commit(Some("refs/heads/other"), &who, &who, "odd", &tree, &[]);
    let commits = [commit.unwrap()];
    let options = options(None, true, Limits::default());
    for packed in [false, true] {
        if packed {
            pack(&place.path("app/.git"), 1, usize::MAX);
        }
        let found = lines(&scan_with(&[place.path("app")], &options).items, &commits);
        assert!(found.contains("plain"), "{found}");
        assert!(!found.contains("called"), "{found}");
    }
}

/// Where the word begins: carried over where it was copied whole, looked for where it was not.
struct Marks;

impl Screen for Marks {
    type Marks = Vec<usize>;

    fn screen(&self, text: &[u8]) -> (Vec<usize>, bool) {
        let found: Vec<usize> = memchr::memmem::find_iter(text, b"SECRET").collect();
        let any = !found.is_empty();
        (found, any)
    }

    fn screen_derived(
        &self,
        text: &[u8],
        base: &Vec<usize>,
        copied: &[Copied],
    ) -> (Vec<usize>, bool) {
        let carried = |start: usize| {
            copied.iter().find_map(|one| {
                let inside = one.to <= start && start + 6 <= one.to + one.len;
                inside.then(|| one.from + (start - one.to))
            })
        };
        let mut found = Vec::new();
        for start in 0..text.len().saturating_sub(5) {
            let there = match carried(start) {
                Some(from) => base.contains(&from),
                None => text[start..].starts_with(b"SECRET"),
            };
            if there {
                found.push(start);
            }
        }
        assert_eq!(found, self.screen(text).0);
        let any = !found.is_empty();
        (found, any)
    }
}
