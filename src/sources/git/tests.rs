//! Histories of every shape, read as a user would.

use crate::sources::testing::{Place, coverage, lines, put, put_bytes, scan, scan_with};
use crate::sources::{Document, Everything, NoProgress, ReadOptions, discover, read};
use git2::{Oid, Repository, Signature, Time};
use insta::assert_snapshot;
use std::fs;
use std::sync::Mutex;

#[test]
fn present_removed_renamed_and_untracked() {
    let place = Place::new();
    let repo = place.repo("app");
    let commits = repo.line(&[
        &[("keep.env", "SECRET keep"), ("gone.env", "SECRET gone")],
        &[
            ("keep.env", "SECRET keep"),
            ("d/old.env", "SECRET moved"),
            ("x", "1"),
        ],
        &[
            ("keep.env", "SECRET keep"),
            ("d/new.env", "SECRET moved"),
            ("x", "2"),
        ],
        &[
            ("keep.env", "SECRET keep"),
            ("d/new.env", "SECRET moved"),
            ("gone.env", "SECRET gone"),
        ],
        &[("keep.env", "SECRET keep"), ("d/new.env", "SECRET moved")],
    ]);
    place.file("app/.env", "SECRET untracked");
    place.file("app/gone.env", "SECRET gone");
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(lines(&outcome.items, &commits), @"
SECRET untracked | app/.env - -..- head
SECRET moved | app/d/new.env c2 1200..1400 head
SECRET moved | app/d/old.env c1 1100..1100 until c2 1200
SECRET gone | app/gone.env c0 1000..1300 head
SECRET keep | app/keep.env c0 1000..1400 head
");
    assert_snapshot!(coverage(&outcome), @"
files app read: 4 files, 50 bytes
git app read: 5 commits, 5 blobs
");
}

#[test]
fn content_of_a_merge_alone() {
    let place = Place::new();
    let repo = place.repo("app");
    let base = repo.commit("refs/heads/main", 1_000, &[], &[("a", "1")]);
    let left = repo.commit("refs/heads/main", 1_100, &[base], &[("a", "2")]);
    let right = repo.commit("refs/heads/side", 1_200, &[base], &[("a", "3")]);
    let merge = repo.commit(
        "refs/heads/main",
        1_300,
        &[left, right],
        &[("a", "2"), ("evil.env", "SECRET merge")],
    );
    let last = repo.commit("refs/heads/main", 1_400, &[merge], &[("a", "2")]);
    repo.check_out("refs/heads/main");
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(lines(&outcome.items, &[base, left, right, merge, last]), @"SECRET merge | app/evil.env c3 1300..1300 until c4 1400");
}

#[test]
fn a_commit_with_a_wrong_clock_still_comes_after_its_parent() {
    let place = Place::new();
    let repo = place.repo("app");
    let first = repo.commit("refs/heads/main", 5_000, &[], &[("a", "SECRET a")]);
    let second = repo.commit(
        "refs/heads/main",
        10,
        &[first],
        &[("a", "SECRET a"), ("b", "")],
    );
    repo.check_out("refs/heads/main");
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(lines(&outcome.items, &[first, second]), @"SECRET a | app/a c0 5000..5000 head");
}

#[test]
fn every_kind_of_ref() {
    let place = Place::new();
    let mut repo = place.repo("app");
    let commits = repo.line(&[&[("a", "1")]]);
    let who = Signature::new("Ada", "ada@example.com", &Time::new(2_000, 0)).unwrap();
    let on = |name: &str, time: i64| {
        let file = name.rsplit('/').next().unwrap();
        repo.commit(
            name,
            time,
            &commits,
            &[(file, format!("SECRET {file}").as_str())],
        )
    };
    on("refs/heads/branch", 2_000);
    on("refs/remotes/origin/remote", 2_100);
    on("refs/pull/1/pull", 2_200);
    let tagged = on("refs/heads/tagged", 2_300);
    repo.0
        .tag(
            "v1",
            &repo.0.find_object(tagged, None).unwrap(),
            &who,
            "one",
            false,
        )
        .unwrap();
    repo.0
        .find_reference("refs/heads/tagged")
        .unwrap()
        .delete()
        .unwrap();
    repo.0
        .note(&who, &who, None, commits[0], "SECRET note", false)
        .unwrap();
    let blob = repo.blob("SECRET blob by ref");
    repo.0.reference("refs/keys/blob", blob, true, "").unwrap();
    let tree = repo.tree(&[("in/tree", "SECRET tree by ref")]);
    repo.0.reference("refs/keys/tree", tree, true, "").unwrap();
    for text in ["SECRET stashed first", "SECRET stashed second"] {
        place.file("app/a", text);
        repo.0.stash_save(&who, "wip", None).unwrap();
    }
    let detached = repo.commit(
        "refs/heads/tmp",
        2_400,
        &commits,
        &[("a", "SECRET detached")],
    );
    repo.0.set_head_detached(detached).unwrap();
    repo.0
        .find_reference("refs/heads/tmp")
        .unwrap()
        .delete()
        .unwrap();
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(lines(&outcome.items, &commits), @"
SECRET note | app/.git/notes/commits/dfc9194dbedc13f5241fb61b9d96c124a1279252 ? 2000..2000 [note] on refs/notes/commits by ref
SECRET stashed first | app/a ? 2000..2000 by stash
SECRET detached | app/a ? 2400..2400 head on HEAD
SECRET stashed second | app/a ? 2000..2000 by stash
SECRET branch | app/branch ? 2000..2000 on branch
SECRET tree by ref | app/in/tree - -..- by ref
SECRET pull | app/pull ? 2200..2200 on refs/pull/1/pull by ref
SECRET blob by ref | app/refs/keys/blob - -..- [blob] on refs/keys/blob by ref
SECRET remote | app/remote ? 2100..2100 on origin/remote
SECRET tagged | app/tagged ? 2300..2300 on refs/tags/v1 by tag
");
    assert_snapshot!(coverage(&outcome), @"
files app read: 1 file, 1 byte
git app read: 10 commits, 11 blobs
");
}

#[test]
fn a_bare_clone_is_read_at_head_with_its_paths() {
    let place = Place::new();
    let repo = place.repo("src");
    let commits = repo.line(&[
        &[("gone", "SECRET gone")],
        &[
            ("d/here", "SECRET here"),
            ("copy", "SECRET here"),
            ("d/e/quiet", ""),
        ],
    ]);
    Repository::init_bare(place.path("app.git")).unwrap();
    let bare = git2::build::RepoBuilder::new().bare(true).clone(
        place.path("src").to_str().unwrap(),
        &place.path("clone.git"),
    );
    bare.unwrap();
    let outcome = scan(&[place.path("clone.git")]);
    assert_snapshot!(lines(&outcome.items, &commits), @"
SECRET here | clone/copy c1 1100..1100 head
SECRET here | clone/d/here c1 1100..1100 head
SECRET gone | clone/gone c0 1000..1000 until c1 1100
");
    assert_snapshot!(coverage(&outcome), @"
files clone read: 3 files, 22 bytes
git clone read: 2 commits, 3 blobs
");
    let outcome = scan(&[place.path("app.git")]);
    assert_snapshot!(coverage(&outcome), @"
files app read: 0 files, 0 bytes
git app read: no commits yet
");
}

/// Two clones: each distinct blob is visited once, whatever the number of branches and clones that hold it, and every
/// clone is named.
#[test]
fn a_blob_is_read_once_for_all_clones() {
    let place = Place::new();
    let repo = place.repo("w/one");
    let commits = repo.line(&[
        &[("old", "SECRET old"), ("both", "SECRET both")],
        &[("both", "SECRET both"), ("plain", "2")],
    ]);
    repo.commit(
        "refs/heads/other",
        3_000,
        &commits[..1],
        &[("renamed", "SECRET old")],
    );
    git2::build::RepoBuilder::new()
        .clone(place.path("w/one").to_str().unwrap(), &place.path("w/two"))
        .unwrap();
    let visits = Mutex::new(Vec::new());
    let roots = discover(&[place.path("w")]).unwrap().roots;
    let outcome = read(
        &roots,
        &ReadOptions::default(),
        &NoProgress,
        &Everything,
        |document: &Document<'_>| {
            let text = String::from_utf8_lossy(document.bytes).into_owned();
            if text == "change" {
                // The message of every commit.
                return None;
            }
            visits.lock().unwrap().push(format!(
                "{:?} {} {text}",
                document.origin,
                document.uri.unwrap_or("-")
            ));
            text.contains("SECRET").then_some(text)
        },
    );
    let mut visits = visits.into_inner().unwrap();
    visits.sort();
    assert_snapshot!(visits.join("\n"), @"
Current both SECRET both
Current both SECRET both
Current plain 2
Current plain 2
History - SECRET old
");
    assert_snapshot!(lines(&outcome.items, &commits), @"
SECRET both | w/one/both c0 1000..1100 head on main+other
SECRET old | w/one/old c0 1000..1000 until c1 1100 on main+other
SECRET old | w/one/renamed ? 3000..3000 on other
SECRET old | w/two/old c0 1000..1000 until c1 1100 on main+origin/other
SECRET old | w/two/renamed ? 3000..3000 on origin/other
SECRET both | w/two/both c0 1000..1100 head on main+origin/other
");
    assert_snapshot!(coverage(&outcome), @"
files w/one read: 2 files, 12 bytes
files w/two read: 2 files, 12 bytes
git w/one read: 3 commits, 3 blobs
git w/two read: 3 commits, 3 blobs
");
}

#[test]
fn nothing_depends_on_threads_or_order() {
    let place = Place::new();
    let mut paths = Vec::new();
    for name in ["b", "a", "c"] {
        let repo = place.repo(name);
        repo.line(&[
            &[("x/1", "SECRET 1"), ("x/2", name)],
            &[("x/2", "SECRET 2"), ("y", "SECRET 1")],
        ]);
        paths.push(place.path(name));
    }
    let run = |threads: usize, paths: &[std::path::PathBuf]| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| scan(paths))
    };
    let one = run(1, &paths);
    paths.reverse();
    let four = run(4, &paths);
    assert_eq!(one, four);
    assert_eq!(one.items.len(), 6);
}

#[test]
fn since_leaves_out_what_is_older() {
    let place = Place::new();
    let repo = place.repo("app");
    let commits = repo.line(&[
        &[("a", "SECRET before")],
        &[("b", "SECRET border")],
        &[("a", "SECRET before"), ("c", "SECRET after")],
        &[("d", "")],
    ]);
    let since = |second| ReadOptions {
        since: Some(jiff::Timestamp::from_second(second).unwrap()),
        ..ReadOptions::default()
    };
    let outcome = scan_with(&[place.path("app")], &since(1_200));
    assert_snapshot!(lines(&outcome.items, &commits), @"SECRET after | app/c c2 1200..1200 until c3 1300");
    assert_snapshot!(coverage(&outcome), @"
files app read: 1 file, 0 bytes
git app read: 4 commits, 3 blobs introduced since 1970-01-01T00:20:00Z
");
    let outcome = scan_with(&[place.path("app")], &since(1_100));
    assert_snapshot!(lines(&outcome.items, &commits), @"
SECRET border | app/b c1 1100..1100 until c2 1200
SECRET after | app/c c2 1200..1200 until c3 1300
");
}

#[test]
fn without_history() {
    let place = Place::new();
    let repo = place.repo("app");
    repo.line(&[&[("a", "SECRET a")], &[("b", "SECRET b")]]);
    let options = ReadOptions {
        history: false,
        ..ReadOptions::default()
    };
    let outcome = scan_with(&[place.path("app")], &options);
    assert_snapshot!(lines(&outcome.items, &[]), @"SECRET b | app/b - -..- head");
    assert_snapshot!(coverage(&outcome), @"
files app read: 1 file, 8 bytes
git app skipped: history was not read, as asked
");
}

/// The work tree of a repository that git cannot open is read all the same.
fn refused(prepare: impl FnOnce(&std::path::Path)) -> String {
    let place = Place::new();
    let repo = place.repo("app");
    repo.line(&[&[("a", "SECRET old")], &[("a", "SECRET new")]]);
    prepare(&repo.git_dir());
    let outcome = scan(&[place.path("app")]);
    format!("{}{}", lines(&outcome.items, &[]), coverage(&outcome))
}

#[test]
fn sha256() {
    assert_snapshot!(refused(|git| put(
        &git.join("config"),
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"
    )), @"
SECRET new | app/a - -..- head
files app read: 1 file, 10 bytes
git app unsupported: its object format is SHA-256, which this version cannot read: scan a clone in the SHA-1 format if there is one; history was not read; the work tree was
");
    let place = Place::new();
    let bare = Repository::init_bare(place.path("x.git")).unwrap();
    put(
        &bare.path().join("config"),
        "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n",
    );
    assert_snapshot!(coverage(&scan(&[place.path("x.git")])), @"
files x read: 0 files, 0 bytes
git x unsupported: its object format is SHA-256, which this version cannot read: scan a clone in the SHA-1 format if there is one; nothing of this repository was read
");
}

#[test]
fn reftable() {
    assert_snapshot!(refused(|git| put(
        &git.join("config"),
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n"
    )), @"
SECRET new | app/a - -..- head
files app read: 1 file, 10 bytes
git app unsupported: it keeps its refs as a reftable, which this version cannot read: run `git refs migrate --ref-format=files` in a copy and scan that; history was not read; the work tree was
");
}

#[test]
fn unknown_extension_and_broken_configuration() {
    assert_snapshot!(refused(|git| put(
        &git.join("config"),
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tfuture = yes\n"
    )), @"
SECRET new | app/a - -..- head
files app read: 1 file, 10 bytes
git app unsupported: the repository uses a format extension this version does not know: scan a plain clone of it; history was not read; the work tree was
");
    assert_snapshot!(refused(|git| put(&git.join("config"), "[core\nbroken")), @"
SECRET new | app/a - -..- head
files app read: 1 file, 10 bytes
git app failed: the repository's configuration cannot be parsed: `git config --list` in it shows where; history was not read; the work tree was
");
}

#[test]
fn dot_git_that_leads_nowhere() {
    let place = Place::new();
    place.file("app/.git", "gitdir: /nowhere/at/all\n");
    place.file("app/a", "SECRET a");
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(lines(&outcome.items, &[]), @"SECRET a | app/a - -..- head");
    assert_snapshot!(coverage(&outcome), @"
files app read: 1 file, 8 bytes
git app failed: the .git file does not lead to a repository: run `git worktree repair` or `git submodule update --init`, or scan a complete clone; history was not read; the work tree was
");
}

#[test]
fn no_commits_and_a_head_that_names_nothing() {
    assert_snapshot!(refused(|git| put(&git.join("HEAD"), "ref: refs/heads/nothing\n")), @"
SECRET new | app/a ? 1100..1100 head
SECRET old | app/a ? 1000..1000
files app read: 1 file, 10 bytes
git app read: 2 commits, 2 blobs
");
    assert_snapshot!(refused(|git| put(&git.join("HEAD"), "not a head\n")), @"
SECRET new | app/a ? 1100..1100 head
SECRET old | app/a ? 1000..1000
files app read: 1 file, 10 bytes
git app partial: 2 commits, 2 blobs; HEAD cannot be resolved: point it at a branch with `git symbolic-ref HEAD`
");
    let place = Place::new();
    place.repo("empty");
    assert_snapshot!(coverage(&scan(&[place.path("empty")])), @"
files empty read: 0 files, 0 bytes
git empty read: no commits yet
");
}

#[test]
fn shallow() {
    let place = Place::new();
    let repo = place.repo("app");
    let commits = repo.line(&[
        &[("a", "SECRET one")],
        &[("a", "SECRET two")],
        &[("a", "3")],
    ]);
    put(
        &repo.git_dir().join("shallow"),
        &format!("{}\n", commits[1]),
    );
    remove_object(&repo.git_dir(), commits[0]);
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(lines(&outcome.items, &commits), @"SECRET two | app/a c1 1100..1100 until c2 1200");
    assert_snapshot!(coverage(&outcome), @"
files app read: 1 file, 1 byte
git app partial: 2 commits, 2 blobs; this is a shallow clone: `git fetch --unshallow` brings the rest of the history
");
}

#[test]
fn partial_clone() {
    let place = Place::new();
    let repo = place.repo("app");
    let commits = repo.line(&[
        &[("a", "SECRET one")],
        &[("a", "SECRET two")],
        &[("a", "3")],
    ]);
    put(
        &repo.git_dir().join("config"),
        "[core]\n\trepositoryformatversion = 1\n[remote \"origin\"]\n\tpromisor = true\n\
         \tpartialclonefilter = blob:none\n[extensions]\n\tpartialClone = origin\n",
    );
    remove_object(&repo.git_dir(), repo.blob("SECRET one"));
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(lines(&outcome.items, &commits), @"SECRET two | app/a c1 1100..1100 until c2 1200");
    assert_snapshot!(redacted(&coverage(&outcome)), @"
files app read: 1 file, 1 byte
git app partial: 3 commits, 3 blobs; 1 object missing (first: <id>): this is a partial clone; `git fetch --refetch --no-filter` brings the rest
");
}

#[test]
fn a_damaged_object_loses_only_itself() {
    let place = Place::new();
    let repo = place.repo("app");
    let commits = repo.line(&[
        &[
            ("a", "SECRET one"),
            ("b", "SECRET other"),
            ("d/e", "SECRET below"),
        ],
        &[("a", "2")],
    ]);
    damage(
        &object_path(&repo.git_dir(), repo.blob("SECRET one")),
        b"damaged",
    );
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(lines(&outcome.items, &commits), @"
SECRET other | app/b c0 1000..1000 until c1 1100
SECRET below | app/d/e c0 1000..1000 until c1 1100
");
    assert_snapshot!(redacted(&coverage(&outcome)), @"
files app read: 1 file, 1 byte
git app partial: 2 commits, 4 blobs; 1 object not readable (first: <id>): run `git fsck`, then clone again
");
    // A second, whole clone gives what the first has lost.
    let whole = place.repo("whole");
    whole.line(&[&[("a", "SECRET one")]]);
    let outcome = scan(&[place.path("app"), place.path("whole")]);
    assert!(
        lines(&outcome.items, &commits)
            .contains("SECRET one | app/a c0 1000..1000 until c1 1100\n")
    );
}

#[test]
fn damaged_pack_refs_and_index() {
    let place = Place::new();
    let repo = place.repo("app");
    let commits = repo.line(&[&[("a", "SECRET one"), ("b", "1")], &[("a", "SECRET two")]]);
    let mut builder = repo.0.packbuilder().unwrap();
    for id in &commits {
        builder.insert_commit(*id).unwrap();
    }
    let pack = repo.git_dir().join("objects/pack");
    fs::create_dir_all(&pack).unwrap();
    builder.write(&pack, 0).unwrap();
    for entry in fs::read_dir(repo.git_dir().join("objects")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().len() == 2 {
            fs::remove_dir_all(path).unwrap();
        }
    }
    let before = scan(&[place.path("app")]);
    assert_snapshot!(lines(&before.items, &commits), @"
SECRET two | app/a c1 1100..1100 head
SECRET one | app/a c0 1000..1000 until c1 1100
");
    for entry in fs::read_dir(&pack).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "pack") {
            let bytes = fs::read(&path).unwrap();
            damage(&path, &bytes[..bytes.len() / 2]);
        }
    }
    damage(&repo.git_dir().join("index"), b"DIRCnonsense");
    put(&repo.git_dir().join("refs/heads/bad"), "zzz\n");
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(lines(&outcome.items, &commits), @"SECRET two | app/a - -..- head");
    assert_snapshot!(redacted(&coverage(&outcome)), @"
files app read: 1 file, 10 bytes
git app partial: 0 commits, 0 blobs; some refs cannot be read: `git show-ref` shows them; delete or restore them; the index is damaged: `git read-tree HEAD` makes it anew; 1 object missing (first: <id>): run `git fsck`, then fetch again or restore the alternates
");
}

#[test]
fn a_linked_work_tree_shares_the_history_of_its_repository() {
    let place = Place::new();
    let repo = place.repo("app");
    let commits = repo.line(&[&[("a", "SECRET one")], &[("a", "2")]]);
    repo.0
        .worktree("linked", &place.path("linked"), None)
        .unwrap();
    place.file("linked/a", "SECRET one");
    let outcome = scan(&[place.path("app"), place.path("linked")]);
    assert_snapshot!(lines(&outcome.items, &commits), @"
SECRET one | app/a c0 1000..1000 until c1 1100 on main+linked
SECRET one | linked/a c0 1000..1000 head on main+linked
");
    assert_snapshot!(coverage(&outcome), @"
files app read: 1 file, 1 byte
files linked read: 1 file, 10 bytes
git app read: 2 commits, 2 blobs
git linked read: history read with app
");
}

/// A few trees that describe billions of paths.
#[test]
fn a_tree_that_unfolds_without_end_is_cut() {
    let place = Place::new();
    let repo = place.repo("bomb");
    let mut tree = repo.tree(&[("f", "SECRET bomb")]);
    for _ in 0..12 {
        let mut builder = repo.0.treebuilder(None).unwrap();
        for name in "abcdefghij".chars() {
            builder.insert(name.to_string(), tree, 0o040_000).unwrap();
        }
        tree = builder.write().unwrap();
    }
    let who = Signature::new("Ada", "ada@example.com", &Time::new(7, 0)).unwrap();
    let tree = repo.0.find_tree(tree).unwrap();
    repo.0
        .commit(Some("HEAD"), &who, &who, "x", &tree, &[])
        .unwrap();
    let options = ReadOptions {
        limits: crate::sources::Limits {
            max_paths: 1_000,
            max_places: 5,
            ..Default::default()
        },
        ..ReadOptions::default()
    };
    let outcome = scan_with(&[place.path("bomb")], &options);
    assert_eq!(outcome.items[0].places.len(), 5);
    assert!(coverage(&outcome).contains("beyond the cap left out"));
    let bare = git2::build::RepoBuilder::new().bare(true).clone(
        place.path("bomb").to_str().unwrap(),
        &place.path("bare.git"),
    );
    bare.unwrap();
    let outcome = scan_with(&[place.path("bare.git")], &options);
    assert!(coverage(&outcome).contains("beyond the cap left out"));
}

#[test]
fn a_large_blob_is_left_out_and_named() {
    let place = Place::new();
    let repo = place.repo("app");
    repo.line(&[&[("a", "SECRET far too long")], &[("a", "x")]]);
    let options = ReadOptions {
        limits: crate::sources::Limits {
            max_blob_bytes: 10,
            ..Default::default()
        },
        ..ReadOptions::default()
    };
    let outcome = scan_with(&[place.path("app")], &options);
    assert!(outcome.items.is_empty());
    assert_snapshot!(coverage(&outcome), @"
files app read: 1 file, 1 byte
git app read: 2 commits, 2 blobs
git app/… skipped: 1 blob larger than the cap of 0 MiB
");
}

#[cfg(unix)]
#[test]
fn a_repository_of_another_user() {
    let place = Place::new();
    let repo = place.repo("app");
    repo.line(&[&[("a", "SECRET old")], &[("a", "SECRET new")]]);
    for path in [place.path("app"), repo.git_dir()] {
        // Only root can give files away; others cannot make this test's input.
        if std::os::unix::fs::chown(path, Some(54_321), None).is_err() {
            return;
        }
    }
    let outcome = scan(&[place.path("app")]);
    assert_snapshot!(coverage(&outcome), @"
files app read: 1 file, 10 bytes
git app failed: the repository belongs to another user: run the scan as that user, or pass --trust-repo-owner; history was not read; the work tree was
");
    let options = ReadOptions {
        trust_repo_owner: true,
        ..ReadOptions::default()
    };
    let outcome = scan_with(&[place.path("app")], &options);
    assert_eq!(outcome.items.len(), 2);
    assert!(coverage(&outcome).contains("git app read: 2 commits"));
}

fn object_path(git_dir: &std::path::Path, id: Oid) -> std::path::PathBuf {
    let id = id.to_string();
    git_dir.join("objects").join(&id[..2]).join(&id[2..])
}

fn remove_object(git_dir: &std::path::Path, id: Oid) {
    fs::remove_file(object_path(git_dir, id)).unwrap();
}

/// Replaces the content of a read-only file.
fn damage(path: &std::path::Path, with: &[u8]) {
    fs::remove_file(path).unwrap();
    put_bytes(path, with);
}

/// Object ids, which depend on the version of libgit2 that wrote the objects, by a letter.
fn redacted(text: &str) -> String {
    regex::Regex::new("[0-9a-f]{40}")
        .unwrap()
        .replace_all(text, "<id>")
        .into_owned()
}
