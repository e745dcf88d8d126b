//! Going through a folder once: the repositories below it, and the files of each root.

use super::discover::RootKind;
use super::entries::{Entries, Kind};
use super::files::Omission;
use super::place::bytes_of;
use crate::model::CoverageStatus;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Most files of one batch.
const BATCH: usize = 32;

/// Some files of one folder: the folder's path below its root, `/`-separated, and the names of the files. All in one
/// piece of memory, each ended by a zero byte, which no path holds: there may be millions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch(Box<[u8]>);

impl Batch {
    fn new(folder: &[u8], names: &[OsString]) -> Self {
        let parts =
            || std::iter::once(folder).chain(names.iter().map(|name| name.as_encoded_bytes()));
        let mut text = Vec::with_capacity(parts().map(|part| part.len() + 1).sum());
        for part in parts() {
            text.extend_from_slice(part);
            text.push(0);
        }
        Self(text.into_boxed_slice())
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let text = self.0.strip_suffix(b"\0").unwrap_or_default();
        text.split(|byte| *byte == 0)
    }

    /// The folder, empty for the root itself.
    pub(super) fn folder(&self) -> &[u8] {
        self.parts().next().unwrap_or_default()
    }

    /// The names of the files.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.parts().skip(1)
    }
}

/// The regular files of a root: hidden and git-ignored ones too, nothing behind a symbolic link, nothing of the roots
/// inside it, nothing in `.git`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) batches: Vec<Batch>,
    /// How many files that are.
    pub(super) files: u64,
    pub(super) omissions: Vec<Omission>,
}

impl Listing {
    fn add(&mut self, folder: &[u8], names: &[OsString]) {
        self.files += names.len() as u64;
        let batches = names.chunks(BATCH).map(|names| Batch::new(folder, names));
        self.batches.extend(batches);
    }

    fn append(&mut self, mut other: Self) {
        self.files += other.files;
        self.batches.append(&mut other.batches);
        self.omissions.append(&mut other.omissions);
    }

    fn fail(&mut self, path: Vec<u8>, error: &io::Error) {
        // What went away below the root meanwhile has gone; a root that did was asked for.
        if error.kind() != io::ErrorKind::NotFound || path.is_empty() {
            self.omissions.push(Omission::failed(path, error));
        }
    }
}

/// A root, and its files.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) kind: RootKind,
    pub(super) listing: Listing,
}

/// The roots at and below one canonical path. What is in `own` is not looked into, and below `max_depth` folders of a
/// root only further roots are looked for.
pub(super) fn roots_below(
    argument: &Path,
    own: &BTreeSet<PathBuf>,
    max_depth: usize,
) -> Vec<Found> {
    let mut found = vec![Found {
        path: argument.to_path_buf(),
        kind: RootKind::Folder,
        listing: Listing::default(),
    }];
    if !argument.is_dir() {
        for root in &mut found {
            root.kind = RootKind::File;
            let name = argument.file_name().map(ToOwned::to_owned);
            root.listing.add(b"", name.as_slice());
        }
        return found;
    }
    let own: Vec<(&Path, &OsStr)> = own
        .iter()
        .filter_map(|own| own.parent().zip(own.file_name()))
        .collect();
    let mut loose = false;
    let mut level = vec![Folder {
        path: argument.to_path_buf(),
        root: 0,
        depth: 0,
    }];
    while !level.is_empty() {
        let looked: Vec<Looked> = level
            .into_par_iter()
            .map_init(Entries::default, |entries, folder| {
                folder.look(entries, &found, &own, max_depth)
            })
            .collect();
        level = Vec::new();
        for one in looked {
            let Looked {
                folder,
                kind,
                listing,
                files,
                folders,
            } = one;
            let (root, depth) = match kind {
                None => (folder.root, folder.depth),
                Some(kind) if folder.path == argument => {
                    found[0].kind = kind;
                    (0, 0)
                }
                Some(kind) => {
                    found.push(Found {
                        path: folder.path.clone(),
                        kind,
                        listing: Listing::default(),
                    });
                    (found.len() - 1, 0)
                }
            };
            loose |= root == 0 && files;
            level.extend(folders.into_iter().map(|name| Folder {
                path: folder.path.join(name),
                root,
                depth: depth + 1,
            }));
            found[root].listing.append(listing);
        }
    }
    // A folder of nothing but repositories is none itself.
    if found[0].kind == RootKind::Folder && !loose && found.len() > 1 {
        found.remove(0);
    }
    found
}

/// A folder to look into.
struct Folder {
    path: PathBuf,
    /// Which of the roots it is in.
    root: usize,
    /// How far below that.
    depth: usize,
}

/// What a folder holds.
struct Looked {
    folder: Folder,
    /// What it is, when it is a root of its own.
    kind: Option<RootKind>,
    /// Its files, by their paths below the root it is in.
    listing: Listing,
    /// It has files.
    files: bool,
    /// Folders to look into next.
    folders: Vec<OsString>,
}

impl Folder {
    fn look(
        self,
        entries: &mut Entries,
        roots: &[Found],
        own: &[(&Path, &OsStr)],
        max_depth: usize,
    ) -> Looked {
        let mut names = Vec::new();
        let mut folders = Vec::new();
        // Names here, where they are known, that could not be looked at.
        let mut failures: Vec<(Option<OsString>, io::Error)> = Vec::new();
        let (mut dot_git, mut head) = (false, false);
        let path = self.path.as_os_str();
        let own_here = |name: &OsStr| {
            let mut own = own.iter();
            own.any(|(folder, own)| *own == name && folder.as_os_str() == path)
        };
        let read = entries.each(&self.path, |name, kind| {
            dot_git |= name.eq_ignore_ascii_case(".git");
            head |= name.eq_ignore_ascii_case("HEAD");
            if name == ".git" || own_here(name) {
                return;
            }
            match kind {
                Ok(Kind::Folder) => folders.push(name.to_owned()),
                Ok(Kind::File) => names.push(name.to_owned()),
                Ok(Kind::Other) => {}
                Err(error) => failures.push((Some(name.to_owned()), error)),
            }
        });
        if let Err(error) = read {
            // Where the folder cannot be read, its names have to be guessed.
            (dot_git, head) = (true, true);
            failures.push((None, error));
        }
        let mut listing = Listing::default();
        let files = !names.is_empty();
        if dot_git && has_dot_git(&self.path) {
            listing.add(b"", &names);
            for (name, error) in failures {
                listing.fail(below(b"", name), &error);
            }
            return Looked {
                folder: self,
                kind: Some(RootKind::WorkTree),
                listing,
                files,
                folders,
            };
        }
        if head && is_bare(&self.path) {
            return Looked {
                folder: self,
                kind: Some(RootKind::Bare),
                listing,
                files: false,
                folders: Vec::new(),
            };
        }
        let root = roots.get(self.root).map(|root| root.path.as_path());
        let here = root
            .and_then(|root| self.path.strip_prefix(root).ok())
            .map(bytes_of)
            .unwrap_or_default();
        if self.depth < max_depth {
            listing.add(&here, &names);
            for (name, error) in failures {
                listing.fail(below(&here, name), &error);
            }
        } else if self.depth == max_depth {
            listing.omissions.push(Omission {
                path: here,
                status: CoverageStatus::Skipped,
                reason: format!(
                    "folders below {max_depth} levels are not read; scan this folder by itself"
                ),
            });
        }
        Looked {
            folder: self,
            kind: None,
            listing,
            files,
            folders,
        }
    }
}

/// The path of what is in a folder, or of the folder itself.
fn below(folder: &[u8], name: Option<OsString>) -> Vec<u8> {
    let mut path = folder.to_vec();
    if let Some(name) = name {
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name.as_encoded_bytes());
    }
    path
}

/// Whether a folder carries a repository: `.git` as a folder, or as the file that links to one.
fn has_dot_git(folder: &Path) -> bool {
    fs::metadata(folder.join(".git")).is_ok_and(|found| found.is_dir() || found.is_file())
}

/// Whether a folder is laid out as a repository itself.
fn is_bare(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join("HEAD")).is_ok()
        && folder.join("objects").is_dir()
        && folder.join("refs").is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::Place;
    use insta::assert_snapshot;

    fn paths(listing: &Listing) -> Vec<String> {
        let of = |batch: &Batch| -> Vec<String> {
            let folder = String::from_utf8_lossy(batch.folder()).into_owned();
            let names = batch.names().map(String::from_utf8_lossy);
            names.map(|name| format!("{folder}/{name}")).collect()
        };
        let mut all: Vec<String> = listing.batches.iter().flat_map(of).collect();
        all.sort();
        all
    }

    #[test]
    fn every_file_is_listed_once() {
        let place = Place::new();
        for at in 0..100 {
            place.file(&format!("w/a/{at:03}"), "");
        }
        place.file("w/top", "");
        let found = roots_below(&place.path("w"), &BTreeSet::new(), 9);
        assert_eq!(found.len(), 1);
        let mut expected: Vec<String> = (0..100).map(|at| format!("a/{at:03}")).collect();
        expected.insert(0, "/top".to_owned());
        assert_eq!(paths(&found[0].listing), expected);
        assert_eq!(found[0].listing.files, 101);
    }

    /// Below the deepest folder that is read, repositories are still found, and have a depth of their own.
    #[test]
    fn folders_are_read_to_a_depth() {
        let place = Place::new();
        place.file("w/1/2/file", "");
        place.file("w/1/2/3/file", "");
        place.file("w/1/2/3/4/file", "");
        place.repo("w/1/2/3/4/5/repo");
        place.file("w/1/2/3/4/5/repo/1/file", "");
        let found = roots_below(&place.path("w"), &BTreeSet::new(), 3);
        let shown: Vec<String> = found
            .iter()
            .map(|root| {
                let left_out = root.listing.omissions.iter();
                let left_out: Vec<String> = left_out
                    .map(|one| format!("{}: {}", String::from_utf8_lossy(&one.path), one.reason))
                    .collect();
                format!("{:?} {:?} {left_out:?}", root.kind, paths(&root.listing))
            })
            .collect();
        assert_snapshot!(shown.join("\n"), @r#"
        Folder ["1/2/file"] ["1/2/3: folders below 3 levels are not read; scan this folder by itself"]
        WorkTree ["1/file"] []
        "#);
    }
}
