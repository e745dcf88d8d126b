//! Reading blobs: each once, in the order the packs hold them.

use super::object;
use super::open::Repo;
use super::report::{Fault, Trouble};
use crate::sources::limits::Limits;
use git2::{ObjectType, Oid};
use rayon::prelude::*;

/// What became of one blob.
pub(in crate::sources) enum Reading<T> {
    /// Read, and nothing of interest in it.
    Quiet,
    /// Read, with what the visitor returned.
    Value(T),
    /// Not readable in this repository.
    Fault,
    /// Above the cap.
    TooLarge,
}

/// Hands each of `ids` (sorted, distinct) to `visit` and returns the outcomes that are not quiet, by id.
pub(in crate::sources) fn read_blobs<T: Send>(
    repo: &Repo,
    ids: &[Oid],
    limits: &Limits,
    trouble: &Trouble,
    visit: impl Fn(Oid, &[u8]) -> Option<T> + Sync,
) -> Vec<(Oid, Reading<T>)> {
    let order = in_pack_order(repo, ids);
    let mut out: Vec<(Oid, Reading<T>)> = order
        .par_iter()
        .with_min_len(64)
        .map_init(
            || repo.lease().ok(),
            |lease, &id| {
                let Some(objects) = lease.as_ref().and_then(super::open::Lease::objects) else {
                    trouble.fault(id, Fault::Corrupt);
                    return (id, Reading::Fault);
                };
                let reading = match object::read(&objects, id, limits.max_blob_bytes) {
                    Ok(found) if found.kind() == ObjectType::Blob => {
                        visit(id, found.data()).map_or(Reading::Quiet, Reading::Value)
                    }
                    Ok(_) => {
                        trouble.fault(id, Fault::Corrupt);
                        Reading::Fault
                    }
                    Err(fault) => {
                        trouble.fault(id, fault);
                        if fault == Fault::TooLarge {
                            Reading::TooLarge
                        } else {
                            Reading::Fault
                        }
                    }
                };
                (id, reading)
            },
        )
        .filter(|(_, reading)| !matches!(reading, Reading::Quiet))
        .collect();
    out.sort_by_key(|(id, _)| *id);
    out
}

/// `ids` in the order in which the packs hold them, so that a delta's base was read shortly before it. Ids that no
/// listing names come last.
fn in_pack_order(repo: &Repo, ids: &[Oid]) -> Vec<Oid> {
    let mut order = Vec::with_capacity(ids.len());
    let mut taken = vec![false; ids.len()];
    // Listing costs as much as the whole store holds; a few blobs are read sooner than that.
    if ids.len() >= 256
        && let Ok(lease) = repo.lease()
        && let Some(objects) = lease.objects()
    {
        // A damaged pack ends the listing; what it did not name follows below.
        let _ = objects.odb.foreach(|id| {
            if let Ok(at) = ids.binary_search(id)
                && !std::mem::replace(&mut taken[at], true)
            {
                order.push(*id);
            }
            true
        });
    }
    order.extend(
        ids.iter()
            .zip(&taken)
            .filter(|(_, taken)| !**taken)
            .map(|(id, _)| *id),
    );
    order
}
