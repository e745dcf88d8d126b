//! Files one behind the other, each as what differs from the one before it: there may be millions, and files that are
//! beside each other share a folder, a device and most of their times.

use super::files::{FileKept, Stamp};
use crate::sources::git::Id;

/// The file has an id of its own.
const HAS_ID: u8 = 1;
/// The file is to be read again.
const AGAIN: u8 = 2;

/// A table of files, in the order in which they were added.
#[derive(Debug, Default)]
pub(in crate::sources) struct Table {
    bytes: Vec<u8>,
    files: u64,
    path: Vec<u8>,
    stamp: Stamp,
}

impl Table {
    /// Adds a file.
    pub(in crate::sources) fn add(&mut self, path: &[u8], file: &FileKept) {
        let shared = path
            .iter()
            .zip(&self.path)
            .take_while(|(one, other)| one == other)
            .count();
        let own = path.get(shared..).unwrap_or_default();
        self.number(shared as u64);
        self.number(own.len() as u64);
        self.bytes.extend_from_slice(own);
        for (is, was) in file.stamp.0.into_iter().zip(self.stamp.0) {
            self.number(folded(is.wrapping_sub(was)));
        }
        let id = if file.own.is_some() { HAS_ID } else { 0 };
        self.bytes.push(id | if file.again { AGAIN } else { 0 });
        self.bytes.extend(file.own.iter().flatten());
        self.files += 1;
        self.path.truncate(shared);
        self.path.extend_from_slice(own);
        self.stamp = file.stamp;
    }

    /// Number of files.
    pub(in crate::sources) const fn len(&self) -> u64 {
        self.files
    }

    pub(in crate::sources) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Seven bits a byte, the lowest first; the last one has its highest bit clear.
    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

/// Hands out the files of a table; `None` when it is not whole.
pub(super) fn each(mut table: &[u8], mut take: impl FnMut(&[u8], FileKept)) -> Option<()> {
    let mut path: Vec<u8> = Vec::new();
    let mut stamp = Stamp::default();
    while !table.is_empty() {
        let shared = usize::try_from(number(&mut table)?).ok()?;
        let own = usize::try_from(number(&mut table)?).ok()?;
        let (own, rest) = table.split_at_checked(own)?;
        table = rest;
        if shared > path.len() {
            return None;
        }
        path.truncate(shared);
        path.extend_from_slice(own);
        for part in &mut stamp.0 {
            *part = part.wrapping_add(unfolded(number(&mut table)?));
        }
        let (marks, rest) = table.split_first()?;
        table = rest;
        let mut own: Option<Id> = None;
        if marks & HAS_ID != 0 {
            let (id, rest) = table.split_first_chunk()?;
            own = Some(*id);
            table = rest;
        }
        let again = marks & AGAIN != 0;
        take(&path, FileKept { stamp, own, again });
    }
    Some(())
}

/// Small numbers for small differences in both directions.
const fn folded(difference: i64) -> u64 {
    ((difference << 1) ^ (difference >> 63)).cast_unsigned()
}

const fn unfolded(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

fn number(table: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = table.split_first()?;
        *table = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Option<Vec<(Vec<u8>, FileKept)>> {
        let mut files = Vec::new();
        each(bytes, |path, file| files.push((path.to_vec(), file)))?;
        Some(files)
    }

    fn any_file() -> impl Strategy<Value = (Vec<u8>, FileKept)> {
        (
            prop::collection::vec(prop::sample::select(b"ab/\xff".as_slice()), 0..8),
            any::<[i64; 7]>(),
            any::<Option<Id>>(),
            any::<bool>(),
        )
            .prop_map(|(path, stamp, own, again)| {
                let stamp = Stamp(stamp);
                (path, FileKept { stamp, own, again })
            })
    }

    proptest! {
        #[test]
        fn files_come_back_in_their_order(files in prop::collection::vec(any_file(), 0..20)) {
            let mut table = Table::default();
            for (path, file) in &files {
                table.add(path, file);
            }
            prop_assert_eq!(table.len(), files.len() as u64);
            prop_assert_eq!(read(table.bytes()), Some(files));
        }

        #[test]
        fn no_bytes_are_too_odd_to_be_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }

    #[test]
    fn neighbours_take_few_bytes() {
        let mut table = Table::default();
        for file in 0..1_000 {
            let at = 1_700_000_000 + file / 100;
            let file = FileKept {
                stamp: Stamp([
                    400 + file * 7 % 300,
                    at,
                    12_345 * file,
                    at,
                    12_345 * file,
                    file,
                    5,
                ]),
                own: None,
                again: false,
            };
            let path = format!("some/folder/of/a/project/file-{:04}", file.stamp.0[5]);
            table.add(path.as_bytes(), &file);
        }
        assert!(table.bytes().len() < 25_000, "{}", table.bytes().len());
    }
}
