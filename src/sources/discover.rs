//! From the paths a user gave to the roots below them.

use super::folders::{Found, Listing, roots_below};
use super::limits::Limits;
use super::names::{self, Candidate};
use crate::model::{Coverage, CoverageStatus};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A path that cannot be scanned because of how the program was called.
#[derive(Debug, Error)]
pub enum DiscoverError {
    /// Nothing is there.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
}

/// What kind of root a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RootKind {
    /// A folder without version control.
    Folder,
    /// A single file given as an argument.
    File,
    /// A git work tree: a repository, a linked work tree or a submodule.
    WorkTree,
    /// A bare git repository.
    Bare,
}

/// One unit of reading: a folder, a file or a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Stable name, unique in a scan, never absolute.
    pub name: String,
    /// Canonical path on this machine. Goes into no report.
    pub path: PathBuf,
    /// What it is.
    pub kind: RootKind,
    /// Its name as it would be if no other root had the same.
    pub(super) plain: String,
    /// Its files, as they were when it was found.
    pub(super) listing: Listing,
}

/// Everything found below the arguments.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Roots by name.
    pub roots: Vec<Root>,
    /// Arguments that could not be looked at.
    pub coverage: Vec<Coverage>,
}

/// Finds folders, files, work trees and bare clones at and below `paths`. The result does not depend on the order of
/// `paths`, nor on how often or by which links one folder is reached.
///
/// # Errors
/// When a path does not exist.
pub fn discover(paths: &[PathBuf]) -> Result<Discovery, DiscoverError> {
    discover_except(paths, &[], &Limits::default())
}

/// Like [`discover`], without the program's own folders, such as the one its reports go to: what a run writes is no input
/// of the next one. A folder that is not there is nothing to leave out.
///
/// # Errors
/// When a path does not exist.
pub fn discover_except(
    paths: &[PathBuf],
    own: &[PathBuf],
    limits: &Limits,
) -> Result<Discovery, DiscoverError> {
    let own: BTreeSet<PathBuf> = own
        .iter()
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    let mut out = Discovery::default();
    let mut arguments = BTreeSet::new();
    for path in paths {
        match fs::canonicalize(path) {
            Ok(found) => {
                arguments.insert(without_dot_git(found));
            }
            Err(error) if absent(&error) => return Err(DiscoverError::Missing(path.clone())),
            Err(_) => out.coverage.push(unreachable_argument(path)),
        }
    }
    // Sorted, a folder comes before everything below it.
    let mut found: BTreeMap<PathBuf, (PathBuf, Found)> = BTreeMap::new();
    let mut walked: Vec<PathBuf> = Vec::new();
    for argument in arguments {
        if walked.iter().any(|outer| covers(outer, &argument, &found)) {
            continue;
        }
        for root in roots_below(&argument, &own, limits.max_depth) {
            found
                .entry(root.path.clone())
                .or_insert_with(|| (argument.clone(), root));
        }
        walked.push(argument);
    }
    out.roots = named(found);
    out.coverage.sort();
    out.coverage.dedup();
    Ok(out)
}

fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn unreachable_argument(path: &Path) -> Coverage {
    let unit = path.file_name().map_or_else(
        || "argument".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    Coverage::new(
        "files",
        unit,
        CoverageStatus::Failed,
        "the path exists but cannot be reached; check the permissions of the folders above it and that no symbolic \
         link leads back to itself",
    )
}

/// A `.git` given as an argument stands for the work tree it belongs to.
fn without_dot_git(path: PathBuf) -> PathBuf {
    match path.parent() {
        Some(parent) if path.file_name().is_some_and(|name| name == ".git") => parent.to_path_buf(),
        _ => path,
    }
}

/// Whether walking `outer` reached `path`.
fn covers(outer: &Path, path: &Path, found: &BTreeMap<PathBuf, (PathBuf, Found)>) -> bool {
    let Ok(below) = path.strip_prefix(outer) else {
        return false;
    };
    let hidden = below.components().any(|part| part.as_os_str() == ".git")
        || path.ancestors().skip(1).any(|above| {
            found
                .get(above)
                .is_some_and(|(_, root)| root.kind == RootKind::Bare)
        });
    !hidden
}

fn named(found: BTreeMap<PathBuf, (PathBuf, Found)>) -> Vec<Root> {
    let candidates: Vec<Candidate<'_>> = found
        .iter()
        .map(|(path, (argument, root))| Candidate {
            argument,
            path,
            bare: root.kind == RootKind::Bare,
        })
        .collect();
    let plain = names::plain(&candidates);
    let names = names::assign(&candidates);
    let mut roots: Vec<Root> = found
        .into_values()
        .zip(names.into_iter().zip(plain))
        .map(|((_, root), (name, plain))| Root {
            name,
            path: root.path,
            kind: root.kind,
            plain,
            listing: root.listing,
        })
        .collect();
    roots.sort_by(|a, b| a.name.cmp(&b.name));
    roots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::Place;
    use insta::assert_snapshot;

    fn shown(discovery: &Discovery) -> String {
        let lines: Vec<String> = discovery
            .roots
            .iter()
            // The last is the number of its files.
            .map(|root| format!("{} {:?} {}", root.name, root.kind, root.listing.files))
            .collect();
        lines.join("\n")
    }

    #[test]
    fn everything_below_one_folder() {
        let place = Place::new();
        place.repo("w/team/app");
        place.repo("w/team/app/vendor/inner");
        git2::Repository::init_bare(place.path("w/mirror.git")).unwrap();
        place.file("w/sub/.git", "gitdir: ../x");
        place.file("w/loose.txt", "");
        place.file("w/team/app/.git/hooks/sample", "");
        let found = discover(&[place.path("w")]).unwrap();
        assert_snapshot!(shown(&found), @"
w Folder 1
w/mirror Bare 0
w/sub WorkTree 0
w/team/app WorkTree 0
w/team/app/vendor/inner WorkTree 0
");
    }

    #[test]
    fn a_folder_of_repositories_alone_is_no_root_itself() {
        let place = Place::new();
        place.repo("w/a");
        place.folder("w/empty");
        assert_snapshot!(shown(&discover(&[place.path("w")]).unwrap()), @"w/a WorkTree 0");
        assert_snapshot!(shown(&discover(&[place.path("w/empty")]).unwrap()), @"empty Folder 0");
    }

    #[cfg(unix)]
    #[test]
    fn one_folder_reached_often_is_one_root() {
        use std::os::unix::fs::symlink;
        let place = Place::new();
        place.repo("w/a");
        place.file("w/plain/file", "");
        symlink(place.path("w"), place.path("w/loop")).unwrap();
        symlink(place.path("w/a"), place.path("alias")).unwrap();
        let mut paths = vec![
            place.path("w/a/.git"),
            place.path("alias"),
            place.path("w/a/../a/"),
            place.path("w/a/."),
            place.path("w"),
            place.path("w/plain/file"),
        ];
        let forward = discover(&paths).unwrap();
        paths.reverse();
        let backward = discover(&paths).unwrap();
        assert_eq!(forward.roots, backward.roots);
        assert_snapshot!(shown(&forward), @"
w Folder 1
w/a WorkTree 0
");
        assert_snapshot!(shown(&discover(&paths[4..]).unwrap()), @"a WorkTree 0");
    }

    #[test]
    fn a_file_and_an_argument_inside_a_git_folder() {
        let place = Place::new();
        let repo = place.repo("w/a");
        let hooks = repo.git_dir().join("hooks");
        fs::remove_dir_all(&hooks).unwrap();
        place.file("w/a/.git/hooks/sample", "");
        let file = place.file("w/one.env", "");
        assert_snapshot!(shown(&discover(&[file, hooks, place.path("w/a")]).unwrap()), @"
a WorkTree 0
hooks Folder 1
one.env File 1
");
    }

    #[test]
    fn the_programs_own_folders_are_left_out() {
        let place = Place::new();
        place.file("w/a.txt", "a");
        place.file("w/report/report.json", "{}");
        let own = [place.path("w/report"), place.path("w/not-there")];
        let found = discover_except(&[place.path("w")], &own, &Limits::default()).unwrap();
        assert_snapshot!(shown(&found), @"w Folder 1");
        let only = Place::new();
        only.file("w/report/report.json", "{}");
        let found = discover_except(
            &[only.path("w")],
            &[only.path("w/report")],
            &Limits::default(),
        )
        .unwrap();
        assert_snapshot!(shown(&found), @"w Folder 0");
    }

    #[test]
    fn a_missing_path_is_named() {
        let place = Place::new();
        let error = discover(&[place.path(""), place.path("nothing")]).unwrap_err();
        assert!(error.to_string().ends_with("nothing does not exist"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_itself_is_reported() {
        let place = Place::new();
        std::os::unix::fs::symlink(place.path("x"), place.path("x")).unwrap();
        let found = discover(&[place.path("x")]).unwrap();
        assert_eq!(found.coverage.len(), 1);
        assert_eq!(found.coverage[0].status, CoverageStatus::Failed);
    }
}
