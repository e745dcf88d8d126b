//! What is said of what was found, against a reading of small histories commit by commit; and everything in a
//! repository that is not a file of a commit.

use crate::sources::testing::{Place, Repo, lines, put, scan, scan_with};
use crate::sources::{Located, ReadOptions};
use git2::{Oid, Signature, StashFlags, Time};
use insta::assert_snapshot;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

fn who(time: i64) -> Signature<'static> {
    Signature::new("Ada", "ada@example.com", &Time::new(time, 0)).unwrap()
}

/// A commit that no ref names.
fn loose_commit(repo: &Repo, time: i64, message: &str, parents: &[Oid], text: &str) -> Oid {
    let tree = repo.0.find_tree(repo.tree(&[("a", text)])).unwrap();
    let parents: Vec<_> = parents
        .iter()
        .map(|id| repo.0.find_commit(*id).unwrap())
        .collect();
    let parents: Vec<_> = parents.iter().collect();
    let who = who(time);
    let made = repo.0.commit(None, &who, &who, message, &tree, &parents);
    made.unwrap()
}

fn forget(repo: &Repo) {
    let _ = fs::remove_dir_all(repo.git_dir().join("logs"));
}

fn unreachable() -> ReadOptions {
    ReadOptions {
        unreachable: true,
        ..ReadOptions::default()
    }
}

/// Ids by a letter.
fn redacted(items: &[Located<String>], known: &[Oid]) -> String {
    regex::Regex::new("[0-9a-f]{40}")
        .unwrap()
        .replace_all(&lines(items, known), "<id>")
        .into_owned()
}

#[test]
fn messages_of_commits_and_tags() {
    let place = Place::new();
    let repo = place.repo("app");
    let base = repo.commit("refs/heads/main", 1_000, &[], &[("a", "1")]);
    let told = loose_commit(
        &repo,
        1_100,
        "fix\n\nwith SECRET in a message\n",
        &[base],
        "1",
    );
    repo.0.reference("refs/heads/main", told, true, "").unwrap();
    repo.0.reference("refs/heads/dev", told, true, "").unwrap();
    let target = repo.0.find_object(base, None).unwrap();
    let tagger = who(1_200);
    repo.0
        .tag("v1", &target, &tagger, "SECRET of a tag", false)
        .unwrap();
    repo.check_out("refs/heads/main");
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(redacted(&outcome.items, &[base, told]), @"
    with SECRET in a message | app/.git/commit/<id> c1 1100..1100 [commit-message] on main+dev
    SECRET of a tag | app/.git/tag/v1 c0 1200..1200 [tag-message] on refs/tags/v1 by tag
    ");
    // Messages are as old as their commits.
    let options = ReadOptions {
        since: Some(jiff::Timestamp::from_second(1_150).unwrap()),
        ..ReadOptions::default()
    };
    let outcome = scan_with(&[place.path("app")], &options);
    assert_eq!(outcome.items.len(), 1);
}

/// The work tree's state, the index, and the untracked files: each is a parent of its own.
#[test]
fn all_parts_of_a_stash() {
    let place = Place::new();
    let mut repo = place.repo("app");
    let commits = repo.line(&[&[("a", "1")]]);
    place.file("app/a", "SECRET staged");
    let mut index = repo.0.index().unwrap();
    index.add_path(std::path::Path::new("a")).unwrap();
    index.write().unwrap();
    place.file("app/a", "SECRET in the work tree");
    place.file("app/new", "SECRET untracked");
    let flags = Some(StashFlags::INCLUDE_UNTRACKED);
    repo.0.stash_save(&who(2_000), "wip", flags).unwrap();
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(redacted(&outcome.items, &commits), @"
SECRET staged | app/a ? 2000..2000 by stash
SECRET in the work tree | app/a ? 2000..2000 by stash
SECRET untracked | app/new ? 2000..2000 by stash
");
}

#[test]
fn commits_that_only_a_reflog_names() {
    let place = Place::new();
    let repo = place.repo("app");
    let commits = repo.line(&[&[("a", "1")]]);
    forget(&repo);
    let dropped = loose_commit(&repo, 1_100, "SECRET message", &commits, "SECRET dropped");
    assert!(scan(&[place.path("app")]).items.is_empty());
    let pruned = "9".repeat(40);
    put(
        &repo.git_dir().join("logs/refs/heads/main"),
        &format!(
            "{} {dropped} Ada <a@b> 1100 +0000\tcommit\n{dropped} {pruned} Ada <a@b> 1100 +0000\treset\nnonsense\n",
            "0".repeat(40)
        ),
    );
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(redacted(&outcome.items, &[dropped]), @"
    SECRET message | app/.git/commit/<id> c0 1100..1100 [commit-message] by reflog
    SECRET dropped | app/a c0 1100..1100 by reflog
    ");
    assert!(
        outcome
            .coverage
            .iter()
            .all(|entry| !entry.status.incomplete())
    );
}

#[test]
fn what_nothing_leads_to() {
    let place = Place::new();
    let repo = place.repo("app");
    let commits = repo.line(&[&[("a", "SECRET kept")], &[("a", "2")]]);
    let lost = loose_commit(&repo, 900, "x", &[], "SECRET kept");
    let child = loose_commit(&repo, 1_500, "x", &[lost], "SECRET lost");
    repo.blob("SECRET blob");
    repo.tree(&[("in/tree", "SECRET tree")]);
    let target = repo.0.find_object(lost, None).unwrap();
    repo.0
        .tag_annotation_create("gone", &target, &who(950), "SECRET tag")
        .unwrap();
    forget(&repo);
    let told = "SECRET kept | app/a c0 1000..1000 until c1 1100\n";
    let outcome = scan(&[place.path("app")]);
    assert_eq!(lines(&outcome.items, &commits), told);
    let all = [commits[0], commits[1], lost, child];
    let outcome = scan_with(&[place.path("app")], &unreachable());
    assert_snapshot!(redacted(&outcome.items, &all), @"
    SECRET blob | app/.git/blob/<id> - -..- [blob] by unreachable
    SECRET tag | app/.git/tag/gone c2 950..950 [tag-message] by unreachable
    SECRET kept | app/a c0 1000..1000 until c1 1100
    SECRET lost | app/a c3 1500..1500 by unreachable
    SECRET tree | app/in/tree - -..- by unreachable
    ");
    // Git deletes what nothing leads to object by object.
    let id = lost.to_string();
    let objects = repo.git_dir().join("objects");
    fs::remove_file(objects.join(&id[..2]).join(&id[2..])).unwrap();
    let outcome = scan_with(&[place.path("app")], &unreachable());
    assert!(lines(&outcome.items, &all).contains("SECRET lost"));
    assert!(
        outcome
            .coverage
            .iter()
            .all(|entry| !entry.status.incomplete())
    );
}

/// What a log of changes shows: nothing of a merge.
#[test]
fn a_merge_brings_what_no_log_of_changes_shows() {
    let place = Place::new();
    let repo = place.repo("app");
    let base = repo.commit("refs/heads/main", 1_000, &[], &[("a", "1"), ("b", "1")]);
    let left = repo.commit("refs/heads/main", 1_100, &[base], &[("a", "2"), ("b", "1")]);
    let right = repo.commit("refs/heads/side", 1_200, &[base], &[("a", "1"), ("b", "2")]);
    let both = [left, right];
    let evil = [("a", "2\nSECRET of the merge"), ("b", "2")];
    let merge = repo.commit("refs/heads/main", 1_300, &both, &evil);
    repo.check_out("refs/heads/main");
    let mut log = String::new();
    for id in [base, left, right, merge] {
        let commit = repo.0.find_commit(id).unwrap();
        if commit.parent_count() > 1 {
            continue;
        }
        let before = commit.parent(0).ok().map(|parent| parent.tree().unwrap());
        let tree = commit.tree().unwrap();
        let diff = repo.0.diff_tree_to_tree(before.as_ref(), Some(&tree), None);
        let print =
            |_: git2::DiffDelta<'_>, _: Option<git2::DiffHunk<'_>>, line: git2::DiffLine<'_>| {
                log.push_str(&String::from_utf8_lossy(line.content()));
                true
            };
        diff.unwrap().print(git2::DiffFormat::Patch, print).unwrap();
    }
    assert!(log.contains("+++ b/a") && !log.contains("SECRET"));
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(lines(&outcome.items, &[merge]), @"SECRET of the merge | app/a c0 1300..1300 head");
}

/// One commit of a random history.
#[derive(Clone, Debug)]
struct Step {
    parents: Vec<prop::sample::Index>,
    /// Content of `a` and of `d/b`: 0 is none.
    holds: [u8; 2],
    branch: bool,
}

const PATHS: [&str; 2] = ["a", "d/b"];

fn step() -> impl Strategy<Value = Step> {
    let parents = proptest::collection::vec(any::<prop::sample::Index>(), 1..4);
    (parents, [0..3_u8, 0..3_u8], any::<bool>()).prop_map(|(parents, holds, branch)| Step {
        parents,
        holds,
        branch,
    })
}

/// A history by positions, read commit by commit.
struct Plain {
    parents: Vec<Vec<usize>>,
    holds: Vec<[u8; 2]>,
    tips: BTreeMap<String, usize>,
}

impl Plain {
    fn before(&self, at: usize) -> BTreeSet<usize> {
        let mut all = BTreeSet::from([at]);
        for &parent in &self.parents[at] {
            all.extend(self.before(parent));
        }
        all
    }

    fn removed(&self, at: usize, has: &dyn Fn(usize) -> bool) -> Option<usize> {
        let ever = |at: usize| self.before(at).into_iter().any(has);
        if has(at) || !ever(at) {
            return None;
        }
        let gone = self.parents[at].iter().find(|&&one| !has(one) && ever(one));
        gone.map_or(Some(at), |&parent| self.removed(parent, has))
    }

    /// The line that the scan should print for one content at one path.
    fn line(&self, path: usize, content: u8, head: usize) -> Option<String> {
        let has = |at: usize| self.holds[at][path] == content;
        let reached: BTreeSet<usize> = self.tips.values().flat_map(|&at| self.before(at)).collect();
        let holders: Vec<usize> = reached.into_iter().filter(|&at| has(at)).collect();
        let first = *holders.first()?;
        let last = if has(head) { head } else { *holders.last()? };
        let time = |at: usize| 1_000 + 100 * at;
        let mut out = format!(
            "SECRET {content} | app/{} c{first} {}..{}",
            PATHS[path],
            time(first),
            time(last)
        );
        if has(head) {
            out.push_str(" head");
        }
        if let Some(at) = self.removed(head, &has) {
            write!(out, " until c{at} {}", time(at)).unwrap();
        }
        let on: Vec<&str> = self
            .tips
            .iter()
            .filter(|(_, at)| self.before(**at).into_iter().any(has))
            .map(|(name, _)| name.as_str())
            .collect();
        if on != ["main"] {
            write!(out, " on {}", on.join("+")).unwrap();
        }
        Some(out)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn histories_are_told_as_a_reading_commit_by_commit_would(
        steps in proptest::collection::vec(step(), 1..9),
        at_head: prop::sample::Index,
    ) {
        let place = Place::new();
        let repo = place.repo("app");
        let mut ids: Vec<Oid> = Vec::new();
        let mut plain = Plain { parents: Vec::new(), holds: Vec::new(), tips: BTreeMap::new() };
        let head = at_head.index(steps.len());
        for (at, step) in steps.iter().enumerate() {
            let mut parents: Vec<usize> = Vec::new();
            for parent in step.parents.iter().filter(|_| at > 0) {
                let parent = parent.index(at);
                if !parents.contains(&parent) {
                    parents.push(parent);
                }
            }
            let texts: Vec<String> = step.holds.iter().map(|one| format!("SECRET {one}")).collect();
            let unique = format!("{at}");
            let mut files = vec![("x", unique.as_str())];
            files.extend((0..2).filter(|&one| step.holds[one] > 0).map(|one| (PATHS[one], texts[one].as_str())));
            let of: Vec<Oid> = parents.iter().map(|&parent| ids[parent]).collect();
            let name = match (at == head, step.branch) {
                (true, _) => "main".to_owned(),
                (_, true) => format!("{at}"),
                _ => "tmp".to_owned(),
            };
            ids.push(repo.commit(&format!("refs/heads/{name}"), 1_000 + 100 * at as i64, &of, &files));
            if name != "tmp" {
                plain.tips.insert(name, at);
            }
            plain.parents.push(parents);
            plain.holds.push(step.holds);
        }
        if let Ok(mut tmp) = repo.0.find_reference("refs/heads/tmp") {
            tmp.delete().unwrap();
        }
        repo.check_out("refs/heads/main");
        forget(&repo);
        let mut expected = BTreeSet::new();
        for path in 0..2 {
            for content in 1..3 {
                expected.extend(plain.line(path, content, head));
            }
        }
        let told = lines(&scan(&[place.path("app")]).items, &ids);
        let told: BTreeSet<String> = told
            .lines()
            .map(|line| match line.split_once(" on ") {
                // The branch of HEAD comes first; otherwise they are in the order of their names.
                Some((start, names)) => {
                    let names: BTreeSet<&str> = names.split('+').collect();
                    format!("{start} on {}", names.into_iter().collect::<Vec<_>>().join("+"))
                }
                None => line.to_owned(),
            })
            .collect();
        prop_assert_eq!(told, expected);
    }
}
