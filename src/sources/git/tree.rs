//! The files of HEAD's tree.

use super::object::{self, EntryKind, entries, oid};
use super::open::Repo;
use super::refs::head;
use super::report::{Fault, Trouble};
use crate::sources::limits::Limits;
use git2::{ObjectType, Oid};

/// One file of HEAD's tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sources) struct HeadFile {
    pub(in crate::sources) path: Vec<u8>,
    pub(in crate::sources) id: Oid,
}

/// The regular files of HEAD's tree, by path. Empty when there is no HEAD.
pub(in crate::sources) fn head_files(
    repo: &Repo,
    limits: &Limits,
    trouble: &Trouble,
) -> Vec<HeadFile> {
    let mut files = Vec::new();
    let Ok(lease) = repo.lease() else {
        return files;
    };
    let (Some(commit), Some(objects)) = (head(&lease, trouble), lease.objects()) else {
        return files;
    };
    let root = match object::read(&objects, commit, limits.max_object_bytes) {
        Ok(found) => object::commit_fields(found.data()).ok_or(Fault::Corrupt),
        Err(fault) => Err(fault),
    };
    let root = match root {
        Ok(fields) => fields.tree,
        Err(fault) => {
            trouble.fault(commit, fault);
            return files;
        }
    };
    let mut pending = vec![(Vec::new(), root, 0_usize)];
    let mut trees = 0_usize;
    while let Some((prefix, id, depth)) = pending.pop() {
        if depth > limits.max_depth {
            trouble.too_deep();
            continue;
        }
        trees += 1;
        if files.len() + trees > limits.max_paths {
            trouble.too_many(1 + pending.len() as u64);
            break;
        }
        let found = match object::read(&objects, id, limits.max_object_bytes) {
            Ok(found) if found.kind() == ObjectType::Tree => found,
            Ok(_) => {
                trouble.fault(id, Fault::Corrupt);
                continue;
            }
            Err(fault) => {
                trouble.fault(id, fault);
                continue;
            }
        };
        let mut all = entries(found.data());
        for entry in all.by_ref() {
            let mut path = prefix.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(entry.name);
            match entry.kind {
                EntryKind::Tree => pending.push((path, oid(&entry.id), depth + 1)),
                EntryKind::File => files.push(HeadFile {
                    path,
                    id: oid(&entry.id),
                }),
                EntryKind::Link | EntryKind::Submodule => {}
            }
        }
        if !all.intact() {
            trouble.fault(id, Fault::Corrupt);
        }
    }
    files.sort();
    files
}
