//! Reading blobs: each once, made by the packs in their own order; what they do not give is left to libgit2.

use super::ids::bytes;
use super::object::{self, oid};
use super::open::Repo;
use super::pack::{Bits, Kind, Object, Packs, Visitor};
use super::report::{Fault, Trouble};
use crate::sources::limits::Limits;
use crate::sources::screen::Screen;
use git2::{ObjectType, Oid};
use rayon::prelude::*;

/// Most blobs that are read one by one where the packs are not open yet: to open them costs as much as thousands of these.
const FEW: usize = 512;

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

/// Hands each of `ids` (sorted, distinct) that `screen` does not rule out to `visit`, with what that kept of it, and returns the outcomes that are
/// not quiet, by id. `done` is told of every blob that was looked at.
pub(in crate::sources) fn read_blobs<T: Send, S: Screen>(
    repo: &Repo,
    ids: &[Oid],
    limits: &Limits,
    trouble: &Trouble,
    screen: &S,
    done: impl Fn() + Sync,
    visit: impl Fn(Oid, &[u8], &S::Marks) -> Option<T> + Sync,
) -> Vec<(Oid, Reading<T>)> {
    let (done, visit) = (&done, &visit);
    let mut out: Vec<(Oid, Reading<T>)> = Vec::new();
    let mut others: Vec<Oid> = Vec::new();
    if ids.len() <= FEW && !repo.holds_packs() {
        others.extend_from_slice(ids);
    } else {
        let packs = repo.packs();
        let mut numbers = Bits::new(packs.len());
        for id in ids {
            match packs.number(&bytes(*id)) {
                Some(number) if packs.kind(number) == Some(Kind::Blob) => {
                    numbers.insert(number);
                }
                _ => others.push(*id),
            }
        }
        let visitor = Blobs {
            packs: &packs,
            screen,
            done,
            visit,
        };
        let read = packs.traverse(&numbers, limits, &visitor);
        for values in read.locals {
            let values = values.into_iter();
            out.extend(values.map(|(number, value)| (visitor.id(number), Reading::Value(value))));
        }
        others.extend(read.left.into_iter().map(|number| visitor.id(number)));
    }
    let alone = |id: Oid, bytes: &[u8]| {
        done();
        let (marks, worth) = screen.screen(bytes);
        if worth {
            visit(id, bytes, &marks)
        } else {
            None
        }
    };
    out.par_extend(
        others
            .par_iter()
            .with_min_len(16)
            .map_init(
                || repo.lease().ok(),
                |lease, &id| {
                    let Some(objects) = lease.as_ref().and_then(super::open::Lease::objects) else {
                        trouble.fault(id, Fault::Corrupt);
                        return (id, Reading::Fault);
                    };
                    let reading = match object::read(&objects, id, limits.max_blob_bytes) {
                        Ok(found) if found.kind() == ObjectType::Blob => {
                            alone(id, found.data()).map_or(Reading::Quiet, Reading::Value)
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
            .filter(|(_, reading)| !matches!(reading, Reading::Quiet)),
    );
    out.sort_by_key(|(id, _)| *id);
    out
}

/// Screens what the packs make, and visits what is worth it.
struct Blobs<'a, S, D, F> {
    packs: &'a Packs,
    screen: &'a S,
    done: &'a D,
    visit: &'a F,
}

impl<S, D, F> Blobs<'_, S, D, F> {
    fn id(&self, number: u32) -> Oid {
        let id = self.packs.ids().get(number as usize);
        oid(&id.copied().unwrap_or_default())
    }
}

impl<S, D, F, T> Visitor for Blobs<'_, S, D, F>
where
    S: Screen,
    D: Fn() + Sync,
    F: Fn(Oid, &[u8], &S::Marks) -> Option<T> + Sync,
    T: Send,
{
    type Kept = S::Marks;
    type Local = Vec<(u32, T)>;

    fn local(&self) -> Self::Local {
        Vec::new()
    }

    fn object(&self, values: &mut Self::Local, object: &Object<'_, S::Marks>) -> S::Marks {
        let (marks, worth) = match object.base {
            Some((base, copied)) => self.screen.screen_derived(object.text, base, copied),
            None => self.screen.screen(object.text),
        };
        if object.wanted {
            (self.done)();
            if worth {
                let value = (self.visit)(self.id(object.number), object.text, &marks);
                values.extend(value.map(|value| (object.number, value)));
            }
        }
        marks
    }
}
