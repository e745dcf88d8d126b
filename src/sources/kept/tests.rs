use super::*;
use crate::sources::testing::{MARK, Place, Repo, put};
use crate::sources::{
    Document, Everything, NoProgress, ReadOptions, ReadOutcome, collect, combine, discover,
};
use git2::Oid;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Keeps everything, and takes every file for settled.
#[derive(Default)]
struct Kept(Mutex<BTreeMap<(Kind, PathBuf), Vec<u8>>>);

impl Memory for Kept {
    fn recall(&self, kind: Kind, path: &Path) -> Option<Vec<u8>> {
        self.0
            .lock()
            .unwrap()
            .get(&(kind, path.to_owned()))
            .cloned()
    }

    fn keep(&self, kind: Kind, path: &Path, _: Facts, packed: Vec<u8>) {
        self.0
            .lock()
            .unwrap()
            .insert((kind, path.to_owned()), packed);
    }

    fn began(&self) -> i64 {
        i64::MAX
    }

    fn now(&self) -> i64 {
        i64::MAX
    }
}

/// What is read below `w`, and how many documents had to be looked at for it.
fn read(place: &Place, memory: &dyn Memory) -> (ReadOutcome<String>, u64) {
    let roots = discover(&[place.path("w")]).unwrap().roots;
    let options = ReadOptions::default();
    let looked = AtomicU64::new(0);
    let visit = |document: &Document<'_>| {
        looked.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(document.bytes);
        let line = text.lines().find(|line| line.contains(MARK));
        line.map(ToOwned::to_owned)
    };
    let parts = collect(&roots, &options, &NoProgress, &Everything, visit, memory);
    (combine(parts, &options), looked.into_inner())
}

#[test]
fn what_was_not_looked_at_because_reading_was_stopped_is_read_by_the_next_run() {
    let place = Place::new();
    for number in 0..40 {
        put(
            &place.path(&format!("w/r/file{number}")),
            "SECRET in a file",
        );
    }
    let memory = Kept::default();
    let options = ReadOptions::default();
    let roots = discover(&[place.path("w")]).unwrap().roots;
    let looked = AtomicU64::new(0);
    let visit = |document: &Document<'_>| {
        if looked.fetch_add(1, Ordering::Relaxed) == 5 {
            options.limits.halt.call();
        }
        let text = String::from_utf8_lossy(document.bytes);
        text.contains(MARK).then(|| text.into_owned())
    };
    let parts = collect(&roots, &options, &NoProgress, &Everything, visit, &memory);
    let stopped = combine(parts, &options);
    assert!(stopped.items.len() < 40);
    assert!(stopped.coverage.iter().any(|one| one.status.incomplete()));
    let (next, _) = read(&place, &memory);
    assert_eq!(next, read(&place, &NoMemory).0);
    assert_eq!(next.items.len(), 40);
}

fn text(number: usize, length: usize) -> String {
    // Of different lengths, so that a file that was written twice in one tick of the clock is seen to have changed.
    let mark = if number.is_multiple_of(2) {
        MARK
    } else {
        "plain"
    };
    format!("{mark} {number}\n{}", "x".repeat(length))
}

/// One repository while it is changed.
struct Tested {
    repo: Repo,
    commits: Vec<Oid>,
}

/// Does one step to one of the repositories.
fn step(
    place: &Place,
    all: &mut [Tested],
    length: usize,
    (which, what, number): (usize, u8, usize),
) {
    let at = which % all.len();
    let name = format!("w/r{at}");
    let tested = &mut all[at];
    let path = format!("file{}", number % 3);
    match what {
        0 | 1 => put(
            &place.path(&format!("{name}/{path}")),
            &text(number, length),
        ),
        2..=4 => {
            let parents: Vec<Oid> = tested.commits.last().copied().into_iter().collect();
            let text = text(number, length);
            let files = [(path.as_str(), text.as_str()), ("always", "SECRET shared")];
            let time = 1_000 + length as i64;
            let id = tested
                .repo
                .commit("refs/heads/main", time, &parents, &files);
            tested.commits.push(id);
            tested.repo.check_out("refs/heads/main");
        }
        5 if tested.commits.len() > 1 => {
            tested.commits.pop();
            let last = *tested.commits.last().unwrap();
            let repo = &tested.repo.0;
            repo.reference("refs/heads/main", last, true, "back")
                .unwrap();
            tested.repo.check_out("refs/heads/main");
            let _ = std::fs::remove_dir_all(repo.path().join("logs"));
        }
        6 if !tested.commits.is_empty() => {
            let first = tested.commits[0];
            let branch = format!("refs/heads/b{}", number % 2);
            tested
                .repo
                .0
                .reference(&branch, first, true, "branch")
                .unwrap();
        }
        7 => {
            let _ = std::fs::remove_file(place.path(&format!("{name}/{path}")));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_kept_changes_nothing(
        steps in proptest::collection::vec((0_usize..3, 0_u8..9, 0_usize..6), 1..14),
    ) {
        let place = Place::new();
        let mut all: Vec<Tested> = (0..3)
            .map(|at| Tested { repo: place.repo(&format!("w/r{at}")), commits: Vec::new() })
            .collect();
        let memory = Kept::default();
        for (length, what) in steps.into_iter().enumerate() {
            step(&place, &mut all, length, what);
            let (full, _) = read(&place, &NoMemory);
            let (kept, _) = read(&place, &memory);
            prop_assert_eq!(&kept, &full);
            let (again, looked) = read(&place, &memory);
            prop_assert_eq!(again, full);
            prop_assert_eq!(looked, 0, "nothing changed, and something was read");
        }
    }
}

#[test]
fn what_somebody_else_gave_is_read_when_they_are_gone() {
    let place = Place::new();
    for name in ["w/a", "w/b"] {
        let repo = place.repo(name);
        repo.line(&[&[("x", "SECRET old")], &[("x", "gone")]]);
    }
    let memory = Kept::default();
    assert_eq!(read(&place, &memory).0, read(&place, &NoMemory).0);
    std::fs::remove_dir_all(place.path("w/a")).unwrap();
    let (outcome, looked) = read(&place, &memory);
    assert_eq!(outcome, read(&place, &NoMemory).0);
    assert_eq!(outcome.items.len(), 1);
    assert!(looked > 0, "only the other one had read it");
}

#[test]
fn parts_that_were_read_apart_say_what_they_say_together() {
    let place = Place::new();
    for at in 0..5 {
        let repo = place.repo(&format!("w/r{at}"));
        let own = format!("SECRET {at}");
        repo.line(&[&[("x", &own), ("y", "SECRET shared")], &[("x", "gone")]]);
        place.file(&format!("w/r{at}/untracked"), "SECRET shared");
    }
    let options = ReadOptions::default();
    let visit = |document: &Document<'_>| {
        let text = String::from_utf8_lossy(document.bytes).into_owned();
        text.contains(MARK).then_some(text)
    };
    let roots = discover(&[place.path("w")]).unwrap().roots;
    let go = |roots: &[crate::sources::Root]| {
        collect(roots, &options, &NoProgress, &Everything, visit, &NoMemory)
    };
    let single = combine(go(&roots), &options);
    let mut together = Parts::default();
    for number in [3, 1, 2] {
        let some = crate::sources::shard(roots.clone(), number, 3);
        let packed = go(&some).pack(&options).unwrap();
        together.add(Parts::unpack(&packed, &options).unwrap());
    }
    assert_eq!(combine(together, &options), single);
}
