//! Where a history begins: every ref, HEAD, the stash, the HEADs of linked work trees.

use super::object::{self, tag_target};
use super::open::{Lease, Repo, small_file};
use super::report::{Fault, Trouble};
use git2::{ErrorCode, ObjectType, Oid};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Deepest chain of tags that point at tags.
const MAX_TAG_CHAIN: usize = 32;
/// Most unreadable refs that are skipped before the rest is given up.
const MAX_BAD_REFS: usize = 10_000;

/// What the refs point at, tags resolved.
#[derive(Debug, Default)]
pub(super) struct Tips {
    pub(super) commits: BTreeSet<Oid>,
    /// Trees that a ref points at directly, by the first such ref.
    pub(super) trees: BTreeMap<Oid, String>,
    /// Blobs that a ref points at directly, by the first such ref.
    pub(super) blobs: BTreeMap<Oid, String>,
    /// The commit of HEAD.
    pub(super) head: Option<Oid>,
}

/// Gathers all tips.
pub(super) fn tips(repo: &Repo, lease: &Lease<'_>, cap: u64, trouble: &Trouble) -> Tips {
    let mut named: BTreeMap<Oid, String> = BTreeMap::new();
    let mut add = |id: Oid, name: &str| {
        named
            .entry(id)
            .and_modify(|known| {
                if name < known.as_str() {
                    name.clone_into(known);
                }
            })
            .or_insert_with(|| name.to_owned());
    };
    let head = head(lease, trouble);
    if let Some(id) = head {
        add(id, "HEAD");
    }
    all_refs(repo, lease, trouble, &mut add);
    stash(lease, &mut add);
    for id in linked_heads(repo) {
        add(id, "HEAD of a linked work tree");
    }
    let mut tips = Tips {
        head,
        ..Tips::default()
    };
    let Some(objects) = lease.objects() else {
        trouble.note("the object store cannot be opened: run `git fsck`");
        return tips;
    };
    for (id, name) in named {
        let mut target = id;
        for _ in 0..MAX_TAG_CHAIN {
            let found = match object::read(&objects, target, cap) {
                Ok(found) => found,
                Err(fault) => {
                    trouble.fault(target, fault);
                    break;
                }
            };
            match found.kind() {
                ObjectType::Commit => {
                    tips.commits.insert(target);
                }
                ObjectType::Tree => {
                    tips.trees.insert(target, name.clone());
                }
                ObjectType::Blob => {
                    tips.blobs.insert(target, name.clone());
                }
                _ => {
                    if let Some(next) = tag_target(found.data()) {
                        target = next;
                        continue;
                    }
                    trouble.fault(target, Fault::Corrupt);
                }
            }
            break;
        }
    }
    tips
}

/// The commit HEAD names, through its branch or directly.
pub(super) fn head(lease: &Lease<'_>, trouble: &Trouble) -> Option<Oid> {
    match lease.repository()?.head() {
        Ok(head) => head.target(),
        // A branch without a commit yet.
        Err(error) if error.code() == ErrorCode::UnbornBranch => None,
        Err(_) => {
            trouble
                .note("HEAD cannot be resolved: point it at a branch with `git symbolic-ref HEAD`");
            None
        }
    }
}

fn all_refs(repo: &Repo, lease: &Lease<'_>, trouble: &Trouble, add: &mut impl FnMut(Oid, &str)) {
    let mut bad = 0;
    if let Some(repository) = lease.repository() {
        match repository.references() {
            Ok(references) => {
                for reference in references {
                    match reference {
                        // A symbolic ref has no target of its own; what it names is listed itself.
                        Ok(reference) => {
                            if let Some(id) = reference.target() {
                                add(id, &String::from_utf8_lossy(reference.name_bytes()));
                            }
                        }
                        Err(_) => bad += 1,
                    }
                    if bad >= MAX_BAD_REFS {
                        break;
                    }
                }
            }
            Err(_) => bad += 1,
        }
    }
    if bad + bad_loose_refs(repo) > 0 {
        trouble.note("some refs cannot be read: `git show-ref` shows them; delete or restore them");
    }
}

/// Number of ref files that are neither an id nor the name of another ref; libgit2 passes over them in silence.
fn bad_loose_refs(repo: &Repo) -> usize {
    walkdir::WalkDir::new(repo.common.join("refs"))
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| entry.path().extension().is_none_or(|end| end != "lock"))
        .filter(|entry| {
            small_file(entry.path())
                .is_none_or(|text| !text.starts_with("ref:") && Oid::from_str(text.trim()).is_err())
        })
        .count()
}

/// Older stash entries are only in the stash's reflog.
fn stash(lease: &Lease<'_>, add: &mut impl FnMut(Oid, &str)) {
    if let Some(repository) = lease.repository()
        && let Ok(reflog) = repository.reflog("refs/stash")
    {
        for entry in reflog.iter() {
            add(entry.id_new(), "refs/stash");
        }
    }
}

/// The detached HEADs of linked work trees.
fn linked_heads(repo: &Repo) -> Vec<Oid> {
    let Ok(folders) = fs::read_dir(repo.common.join("worktrees")) else {
        return Vec::new();
    };
    folders
        .flatten()
        .filter_map(|folder| small_file(&folder.path().join("HEAD")))
        .filter_map(|text| Oid::from_str(text.trim()).ok())
        .collect()
}
