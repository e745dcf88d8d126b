//! Object ids as bytes.

use git2::Oid;

/// The bytes of an id, which compare without a call into libgit2.
pub(in crate::sources) type Id = [u8; 20];

/// The bytes of an id.
pub(in crate::sources) fn bytes(id: Oid) -> Id {
    let mut out = Id::default();
    for (to, from) in out.iter_mut().zip(id.as_bytes()) {
        *to = *from;
    }
    out
}
