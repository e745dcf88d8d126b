//! What is kept of the current files of a root: of each its stamps, and of those of interest what the visitor made of
//! them.

use super::bytes::{Reader, Writer};
use super::table::{Table, each};
use super::{Facts, Value, latin, text_of};
use crate::sources::archives::Visited;
use crate::sources::git::Id;
use std::collections::BTreeMap;
use std::fs::Metadata;

/// Marks the form of what is kept.
const FORM: &[u8] = b"overstay files 4";
/// Values of interest that are packed together.
const TOGETHER: usize = 64;
/// Seconds that must lie between the last change of a file and the beginning of the run that read it: a file that was
/// changed in the same moment may have been changed once more.
pub(in crate::sources) const SETTLED: i64 = 2;

/// What the file system says of a file: it has changed when any of it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sources) struct Stamp(pub(super) [i64; 7]);

impl Stamp {
    #[cfg(unix)]
    pub(in crate::sources) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self([
            metadata.size().cast_signed(),
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
            metadata.ino().cast_signed(),
            metadata.dev().cast_signed(),
        ])
    }

    /// No change time here: no file can be told to be unchanged.
    #[cfg(not(unix))]
    pub(in crate::sources) fn of(_: &Metadata) -> Self {
        Self([i64::MAX; 7])
    }

    /// Of a blob, which never changes.
    pub(in crate::sources) const fn of_blob() -> Self {
        Self([0; 7])
    }

    /// Number of bytes.
    pub(in crate::sources) fn bytes(&self) -> u64 {
        self.0[0].cast_unsigned()
    }

    /// The same with this number of bytes.
    pub(in crate::sources) fn sized(mut self, bytes: u64) -> Self {
        self.0[0] = bytes.cast_signed();
        self
    }

    /// When it was last changed, in seconds since 1970.
    pub(in crate::sources) fn changed(&self) -> i64 {
        self.0[1].max(self.0[3])
    }

    /// Whether a later change would be seen.
    pub(in crate::sources) fn settled(&self, began: i64) -> bool {
        self.changed().saturating_add(SETTLED) < began
    }

    pub(in crate::sources) fn as_bytes(&self) -> [u8; 56] {
        let mut bytes = [0; 56];
        for (to, number) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *to = number.to_le_bytes();
        }
        bytes
    }
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sources) struct FileKept {
    pub(in crate::sources) stamp: Stamp,
    /// Its id as git would have it, where somebody asked.
    pub(in crate::sources) own: Option<Id>,
    /// What was made of it may not be kept: it is read again.
    pub(in crate::sources) again: bool,
}

/// The files of a root.
#[derive(Clone, Debug)]
pub(in crate::sources) struct FileMemory<T> {
    /// Name the root had.
    pub(in crate::sources) name: String,
    /// State of the repository, of a bare one.
    pub(in crate::sources) key: String,
    pub(in crate::sources) files: BTreeMap<Vec<u8>, FileKept>,
    pub(in crate::sources) of_interest: BTreeMap<Vec<u8>, Visited<T>>,
}

impl<T: Value> FileMemory<T> {
    pub(in crate::sources) fn new(name: &str, key: &str) -> Self {
        Self {
            name: name.to_owned(),
            key: key.to_owned(),
            files: BTreeMap::new(),
            of_interest: BTreeMap::new(),
        }
    }

    /// Notes a file.
    pub(in crate::sources) fn note(
        &mut self,
        path: &[u8],
        stamp: Stamp,
        own: Option<Id>,
        value: Option<&Visited<T>>,
    ) {
        let again = value.is_some_and(|value| !value.keepable());
        self.files
            .insert(path.to_vec(), FileKept { stamp, own, again });
        let value = value.filter(|_| !again);
        if let Some(value) = value {
            self.of_interest.insert(path.to_vec(), value.clone());
        }
    }

    /// As bytes, with what is told of them; `None` when something of it would not come back as it is.
    pub(in crate::sources) fn pack(&self) -> Option<Packed> {
        let mut table = Table::default();
        for (path, file) in &self.files {
            table.add(path, file);
        }
        let of_interest = self.of_interest.iter();
        pack(
            (&self.name, &self.key),
            vec![table],
            of_interest.map(|(path, value)| (path.as_slice(), value)),
        )
    }

    pub(in crate::sources) fn unpack(packed: &[u8]) -> Option<Self> {
        let mut reader = Reader(packed);
        if reader.section()? != FORM {
            return None;
        }
        let mut memory = Self::new(
            std::str::from_utf8(reader.section()?).ok()?,
            std::str::from_utf8(reader.section()?).ok()?,
        );
        let many = u64::from_le_bytes(reader.section()?.try_into().ok()?);
        for _ in 0..many {
            each(reader.section()?, |path, file| {
                memory.files.insert(path.to_vec(), file);
            })?;
        }
        while !reader.is_empty() {
            let of_interest: Vec<(String, Visited<T>)> = reader.json()?;
            for (path, value) in of_interest {
                memory.of_interest.insert(latin(&path)?, value);
            }
        }
        Some(memory)
    }
}

/// What is kept of the files of a root, as bytes.
pub(in crate::sources) struct Packed {
    pub(in crate::sources) facts: Facts,
    pub(in crate::sources) bytes: Vec<u8>,
}

/// Packs files, and those of interest among them; the values some at a time, so that there is no second copy of all of
/// them. `None` when something of it would not come back as it is.
pub(in crate::sources) fn pack<'a, T: Value + 'a>(
    (name, key): (&str, &str),
    tables: Vec<Table>,
    of_interest: impl Iterator<Item = (&'a [u8], &'a Visited<T>)>,
) -> Option<Packed> {
    let mut facts = Facts::default();
    let mut writer = Writer::default();
    writer.section(FORM);
    writer.section(name.as_bytes());
    writer.section(key.as_bytes());
    writer.section(&(tables.len() as u64).to_le_bytes());
    for table in tables {
        facts.documents += table.len();
        writer.section(table.bytes());
    }
    let mut some: Vec<(String, &Visited<T>)> = Vec::with_capacity(TOGETHER);
    for (path, value) in of_interest {
        facts.of_interest += 1;
        some.push((text_of(path), value));
        if some.len() == TOGETHER {
            writer.json(&some)?;
            some.clear();
        }
    }
    if !some.is_empty() {
        writer.json(&some)?;
    }
    Some(Packed {
        facts,
        bytes: writer.done(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back() {
        let mut memory: FileMemory<String> = FileMemory::new("app", "k");
        let value = Visited::plain("found".to_owned());
        memory.note(
            b"a/\xff",
            Stamp([1, 2, 3, 4, 5, 6, -7]),
            Some([9; 20]),
            Some(&value),
        );
        memory.note(b"b", Stamp::of_blob(), None, None);
        memory.note(b"c", Stamp::of_blob(), Some([8; 20]), None);
        if let Some(file) = memory.files.get_mut(b"c".as_slice()) {
            file.again = true;
        }
        let back: FileMemory<String> = FileMemory::unpack(&memory.pack().unwrap().bytes).unwrap();
        assert_eq!(back.files, memory.files);
        assert_eq!(back.of_interest, memory.of_interest);
        assert_eq!((back.name.as_str(), back.key.as_str()), ("app", "k"));
    }

    #[test]
    fn a_file_of_this_moment_is_not_settled() {
        let at = |mtime, ctime| Stamp([0, mtime, 0, ctime, 0, 0, 0]);
        assert!(at(10, 10).settled(13));
        assert!(!at(10, 10).settled(12));
        assert!(!at(5, 20).settled(13), "its times lie in the future");
    }
}
