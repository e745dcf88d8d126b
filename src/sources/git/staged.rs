//! What the next commit would bring in: the index against HEAD. Reads nothing of the work tree and nothing of history.

use super::object;
use super::open::{Access, open};
use crate::model::{Coverage, CoverageStatus};
use crate::sources::discover::{Root, RootKind};
use crate::sources::folders::Listing;
use crate::sources::given::Given;
use crate::sources::limits::Limits;
use crate::sources::place::uri_of_bytes;
use git2::{Delta, DiffFile, DiffOptions, ErrorCode, FileMode, Index, Oid, Repository};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the index could not be read at all.
#[derive(Debug, Error)]
pub enum StagedError {
    /// Not inside a repository.
    #[error("{} is not inside a git work tree", .0.display())]
    NoRepository(PathBuf),
    /// A repository that cannot be opened.
    #[error("the repository {name} cannot be read: {reason}")]
    Refused {
        /// Name of its folder.
        name: String,
        /// Why.
        reason: String,
    },
    /// Its index or HEAD is damaged.
    #[error("the index of {0} cannot be compared with HEAD")]
    Index(String),
}

/// What is staged.
#[derive(Debug, Default)]
pub struct Staged {
    /// The documents as the commit would hold them, by path.
    pub after: Vec<Given>,
    /// The same documents as HEAD holds them, by path.
    pub before: Vec<Given>,
    /// What could not be read.
    pub coverage: Vec<Coverage>,
}

/// Reads what is staged in the repository around `path`. `index` is the index file that git hands to a hook, if it is
/// not the repository's own.
///
/// # Errors
/// When there is no repository, or its index or HEAD cannot be read.
pub fn staged(
    path: &Path,
    index: Option<&Path>,
    trust_owner: bool,
    limits: &Limits,
) -> Result<Staged, StagedError> {
    super::prepare();
    let root = root_around(path)?;
    let refused = |reason: String| StagedError::Refused {
        name: root.name.clone(),
        reason,
    };
    let repo = match open(&root, trust_owner) {
        Access::Open(repo) => repo,
        Access::None => return Err(StagedError::NoRepository(path.to_owned())),
        Access::Refused(refusal) => return Err(refused(refusal.reason)),
    };
    let lease = repo
        .lease()
        .map_err(|_| refused("it cannot be opened a second time".to_owned()))?;
    let (Some(repository), Some(objects)) = (lease.repository(), lease.objects()) else {
        return Err(refused("its objects cannot be opened".to_owned()));
    };
    let sides = sides(repository, index).map_err(|_| StagedError::Index(root.name.clone()))?;
    let mut out = Staged::default();
    let mut given = |side: &Side| {
        let uri = uri_of_bytes(&side.path);
        if let Ok(found) = object::read(&objects, side.id, limits.max_blob_bytes) {
            return Some(Given {
                repository: root.name.clone(),
                uri,
                bytes: found.data().to_vec(),
            });
        }
        out.coverage.push(Coverage::new(
            "git",
            format!("{}/{uri}", root.name),
            CoverageStatus::Failed,
            "its staged content is missing, damaged or over the size cap",
        ));
        None
    };
    let after = sides.after.iter().filter_map(&mut given).collect();
    let before = sides.before.iter().filter_map(&mut given).collect();
    (out.after, out.before) = (after, before);
    out.coverage.extend(sides.unmerged.iter().map(|path| {
        Coverage::new(
            "git",
            format!("{}/{}", root.name, uri_of_bytes(path)),
            CoverageStatus::Skipped,
            "it is unmerged; a commit is not possible before that is resolved",
        )
    }));
    Ok(out)
}

fn root_around(path: &Path) -> Result<Root, StagedError> {
    let outside = || StagedError::NoRepository(path.to_owned());
    let start = std::fs::canonicalize(path).map_err(|_| outside())?;
    let folder = start
        .ancestors()
        .find(|folder| folder.join(".git").exists())
        .ok_or_else(outside)?;
    let name = folder.file_name().map_or_else(
        || "repository".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    Ok(Root {
        name,
        path: folder.to_owned(),
        kind: RootKind::WorkTree,
        plain: String::new(),
        listing: Listing::default(),
    })
}

/// One side of a change.
struct Side {
    path: Vec<u8>,
    id: Oid,
}

#[derive(Default)]
struct Sides {
    after: Vec<Side>,
    before: Vec<Side>,
    unmerged: Vec<Vec<u8>>,
}

fn sides(repository: &Repository, index: Option<&Path>) -> Result<Sides, git2::Error> {
    let tree = match repository.head() {
        Ok(head) => Some(head.peel_to_tree()?),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => None,
        Err(error) => return Err(error),
    };
    let index = match index {
        Some(path) => Index::open(path)?,
        None => repository.index()?,
    };
    let mut options = DiffOptions::new();
    options.include_typechange(true).ignore_submodules(true);
    let diff = repository.diff_tree_to_index(tree.as_ref(), Some(&index), Some(&mut options))?;
    let mut out = Sides::default();
    for delta in diff.deltas() {
        if delta.status() == Delta::Conflicted {
            out.unmerged
                .extend(delta.new_file().path_bytes().map(<[u8]>::to_vec));
            continue;
        }
        out.after.extend(side(&delta.new_file()));
        out.before.extend(side(&delta.old_file()));
    }
    Ok(out)
}

/// A side that is the content of a file or the target of a link.
fn side(file: &DiffFile<'_>) -> Option<Side> {
    let holds_text = matches!(
        file.mode(),
        FileMode::Blob | FileMode::BlobExecutable | FileMode::BlobGroupWritable | FileMode::Link
    );
    (holds_text && !file.id().is_zero()).then(|| Side {
        path: file.path_bytes().unwrap_or_default().to_vec(),
        id: file.id(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::Place;

    fn shown(given: &[Given]) -> Vec<String> {
        let text = |one: &Given| String::from_utf8_lossy(&one.bytes).into_owned();
        given
            .iter()
            .map(|one| format!("{}={}", one.uri, text(one)))
            .collect()
    }

    #[test]
    fn the_index_is_read_and_not_the_work_tree() {
        let place = Place::new();
        let repo = place.repo("app").0;
        let stage = |name: &str, text: &str| {
            place.file(&format!("app/{name}"), text);
            let mut index = repo.index().unwrap();
            index.add_path(Path::new(name)).unwrap();
            index.write().unwrap();
        };
        let staged = || staged(&place.path("app"), None, true, &Limits::default()).unwrap();
        stage("a.env", "one");
        assert_eq!(shown(&staged().after), ["a.env=one"]);
        let tree = repo
            .find_tree(repo.index().unwrap().write_tree().unwrap())
            .unwrap();
        let me = git2::Signature::now("a", "a@acme.io").unwrap();
        repo.commit(Some("HEAD"), &me, &me, "m", &tree, &[])
            .unwrap();
        assert_eq!(shown(&staged().after), [""; 0]);
        stage("a.env", "two");
        place.file("app/a.env", "three");
        place.file("app/b.env", "not added");
        let found = staged();
        assert_eq!(shown(&found.after), ["a.env=two"]);
        assert_eq!(shown(&found.before), ["a.env=one"]);
        let mut index = repo.index().unwrap();
        index.remove_path(Path::new("a.env")).unwrap();
        index.write().unwrap();
        assert_eq!(shown(&staged().after), [""; 0]);
    }

    #[test]
    fn outside_a_repository_there_is_nothing_staged() {
        let place = Place::new();
        place.folder("plain");
        let found = staged(&place.path("plain"), None, true, &Limits::default());
        assert!(matches!(found, Err(StagedError::NoRepository(_))));
    }
}
