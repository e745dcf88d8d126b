//! Objects of a store that no ref and no reflog leads to: what was amended, dropped or staged and never committed.

use super::object::{self, EntryKind, entries, oid};
use super::open::{Lease, Repo};
use super::refs::{Name, Tips, Told};
use super::report::Trouble;
use git2::{ObjectType, Oid};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Everything in an object store by type, each list sorted.
#[derive(Debug, Default)]
pub(super) struct Stored {
    commits: Vec<Oid>,
    tags: Vec<Oid>,
    trees: Vec<Oid>,
    blobs: Vec<Oid>,
}

impl Stored {
    /// Lists the store, loose and packed.
    pub(super) fn list(repo: &Repo, lease: &Lease<'_>, trouble: &Trouble) -> Self {
        let mut ids = Vec::new();
        if let Some(objects) = lease.objects() {
            let listed = objects.odb.foreach(|id| {
                ids.push(*id);
                true
            });
            if listed.is_err() {
                trouble.note("the object store cannot be listed whole: run `git fsck`");
            }
        }
        ids.sort_unstable();
        ids.dedup();
        let kinds: Vec<Option<ObjectType>> = ids
            .par_iter()
            .with_min_len(1_024)
            .map_init(
                || repo.lease().ok(),
                |lease, id| {
                    let objects = lease.as_ref().and_then(Lease::objects)?;
                    match object::kind(&objects, *id) {
                        Ok(kind) => Some(kind),
                        Err(fault) => {
                            trouble.fault(*id, fault);
                            None
                        }
                    }
                },
            )
            .collect();
        let mut stored = Self::default();
        for (id, kind) in ids.into_iter().zip(kinds) {
            match kind {
                Some(ObjectType::Commit) => stored.commits.push(id),
                Some(ObjectType::Tag) => stored.tags.push(id),
                Some(ObjectType::Tree) => stored.trees.push(id),
                Some(ObjectType::Blob) => stored.blobs.push(id),
                Some(ObjectType::Any) | None => {}
            }
        }
        stored
    }

    /// Adds to the tips every commit and tag that they do not lead to.
    pub(super) fn lost_tips(
        &self,
        tips: &mut Tips,
        lease: &Lease<'_>,
        cap: u64,
        trouble: &Trouble,
        told: Told<'_>,
        reached: impl Fn(Oid) -> bool,
    ) {
        let nameless = BTreeSet::from([Name::none()]);
        for id in &self.tags {
            if !tips.tags.contains_key(id) {
                tips.resolve(lease, *id, &nameless, cap, trouble, told);
            }
        }
        for id in self.commits.iter().filter(|id| !reached(**id)) {
            tips.commits.entry(*id).or_default().insert(Name::none());
        }
    }

    /// Of the trees that were not reached, those that are in no other such tree.
    pub(super) fn lost_trees(
        &self,
        lease: &Lease<'_>,
        cap: u64,
        reached: impl Fn(Oid) -> bool,
    ) -> Vec<Oid> {
        let lost: Vec<Oid> = self
            .trees
            .iter()
            .filter(|id| !reached(**id))
            .copied()
            .collect();
        let mut below = vec![false; lost.len()];
        if let Some(objects) = lease.objects() {
            for id in &lost {
                // What cannot be read is reported when its blobs are looked for.
                let Ok(found) = object::read(&objects, *id, cap) else {
                    continue;
                };
                for entry in entries(found.data()).filter(|entry| entry.kind == EntryKind::Tree) {
                    if let Ok(at) = lost.binary_search(&oid(&entry.id)) {
                        below[at] = true;
                    }
                }
            }
        }
        lost.into_iter()
            .zip(below)
            .filter(|(_, below)| !below)
            .map(|(id, _)| id)
            .collect()
    }

    /// Whether a blob is there.
    pub(super) fn has_blob(&self, id: Oid) -> bool {
        self.blobs.binary_search(&id).is_ok()
    }

    /// The blobs that are not among `reached`, which is sorted.
    pub(super) fn lost_blobs(&self, reached: &[Oid]) -> Vec<Oid> {
        self.blobs
            .iter()
            .filter(|id| reached.binary_search(id).is_err())
            .copied()
            .collect()
    }
}
