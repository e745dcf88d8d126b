//! The header of a pack's entry.

use super::super::ids::Id;

/// What kind of object an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sources::git) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

/// How an entry's data is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The object itself.
    Whole(Kind),
    /// What to change in the object so many bytes before this entry.
    Behind(u64),
    /// What to change in the object of this id.
    Named(Id),
}

/// A parsed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) form: Form,
    /// Bytes of the inflated data.
    pub(super) size: u64,
    /// Bytes of the header; the deflated data follows.
    pub(super) length: usize,
}

/// Parses the header at the start of `raw`.
pub(super) fn header(raw: &[u8]) -> Option<Header> {
    let first = *raw.first()?;
    let mut size = u64::from(first & 15);
    let mut shift = 4;
    let mut at = 1;
    let mut last = first;
    while last & 0x80 != 0 {
        last = *raw.get(at)?;
        at += 1;
        let part = u64::from(last & 0x7f);
        if shift > 57 || part << shift >> shift != part {
            return None;
        }
        size |= part << shift;
        shift += 7;
    }
    let form = match (first >> 4) & 7 {
        1 => Form::Whole(Kind::Commit),
        2 => Form::Whole(Kind::Tree),
        3 => Form::Whole(Kind::Blob),
        4 => Form::Whole(Kind::Tag),
        6 => {
            let mut byte = *raw.get(at)?;
            at += 1;
            let mut distance = u64::from(byte & 0x7f);
            while byte & 0x80 != 0 {
                byte = *raw.get(at)?;
                at += 1;
                distance = distance
                    .checked_add(1)?
                    .checked_mul(128)?
                    .checked_add(u64::from(byte & 0x7f))?;
            }
            Form::Behind(distance)
        }
        7 => {
            let id = *raw.get(at..)?.first_chunk()?;
            at += id.len();
            Form::Named(id)
        }
        _ => return None,
    };
    Some(Header {
        form,
        size,
        length: at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_forms() {
        let whole = header(&[0xb5, 0x0a, 0xff]).unwrap();
        assert_eq!(
            (whole.form, whole.size, whole.length),
            (Form::Whole(Kind::Blob), 165, 2)
        );
        let behind = header(&[0x61, 0x91, 0x2e]).unwrap();
        assert_eq!(
            (behind.form, behind.size),
            (Form::Behind((0x11 + 1) * 128 + 0x2e), 1)
        );
        let mut raw = vec![0x71];
        raw.extend([9; 20]);
        assert_eq!(header(&raw).unwrap().form, Form::Named([9; 20]));
        assert_eq!(header(&raw[..20]), None);
        assert_eq!(header(&[0x50]), None);
        assert_eq!(header(&[0xb5]), None);
        // Sizes and distances beyond 64 bits.
        assert_eq!(header(&[0xff; 30]), None);
        assert_eq!(header(&[[0x60].as_slice(), &[0xff; 30]].concat()), None);
    }

    proptest! {
        #[test]
        fn anything_is_parsed_without_panic(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(header) = header(&raw) {
                prop_assert!(header.length <= raw.len());
            }
        }
    }
}
