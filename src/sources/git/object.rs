//! Raw objects: reading them under a cap, and the few fields of commits, tags and trees that are needed.

use super::ids::{Id, bytes};
use super::loose::Loose;
use super::pack::Packs;
use super::report::Fault;
use git2::{ErrorCode, ObjectType, Odb, OdbObject, Oid};
use std::sync::Arc;

/// Sets libgit2 up for reading every object once: no cache of what will not be asked for again, and no second hash of
/// what the pack's own checksum covers.
pub(in crate::sources) fn prepare() {
    git2::opts::enable_caching(false);
    git2::opts::strict_hash_verification(false);
}

/// The id git gives to these bytes as a blob.
pub(in crate::sources) fn hash_blob(bytes: &[u8]) -> Option<Oid> {
    Oid::hash_object(ObjectType::Blob, bytes).ok()
}

/// The objects of a repository.
pub(super) struct Objects<'r> {
    pub(super) odb: Odb<'r>,
    pub(super) loose: &'r Loose,
    pub(super) packs: Arc<Packs>,
}

/// Reads an object if it is not larger than `cap` bytes.
pub(super) fn read<'a>(
    objects: &'a Objects<'_>,
    id: Oid,
    cap: u64,
) -> Result<OdbObject<'a>, Fault> {
    // libgit2 would follow a chain of bases without an end for ever.
    if objects.loose.is_cut_short(id) || objects.packs.is_endless(&bytes(id)) {
        return Err(Fault::Corrupt);
    }
    let odb = &objects.odb;
    let (size, _) = odb.read_header(id).map_err(|error| fault_of(&error))?;
    if size as u64 > cap {
        return Err(Fault::TooLarge);
    }
    odb.read(id).map_err(|error| fault_of(&error))
}

/// The type of an object.
pub(super) fn kind(objects: &Objects<'_>, id: Oid) -> Result<ObjectType, Fault> {
    if objects.loose.is_cut_short(id) {
        return Err(Fault::Corrupt);
    }
    let (_, kind) = objects
        .odb
        .read_header(id)
        .map_err(|error| fault_of(&error))?;
    Ok(kind)
}

fn fault_of(error: &git2::Error) -> Fault {
    if error.code() == ErrorCode::NotFound {
        Fault::Missing
    } else {
        Fault::Corrupt
    }
}

/// The fields of a commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CommitFields {
    pub(super) tree: Oid,
    pub(super) parents: Vec<Oid>,
    /// Committer time, seconds since 1970.
    pub(super) time: i64,
}

/// Parses the header of a commit; `None` when it is not one.
pub(super) fn commit_fields(raw: &[u8]) -> Option<CommitFields> {
    let mut parents = Vec::new();
    let (tree, time) = commit_ids(raw, |parent| parents.push(oid(&parent)))?;
    Some(CommitFields {
        tree: oid(&tree),
        parents,
        time,
    })
}

/// Parses the header of a commit: its tree and its committer's time; the parents are handed to `parent`.
pub(super) fn commit_ids(raw: &[u8], mut parent: impl FnMut(Id)) -> Option<(Id, i64)> {
    let mut tree = None;
    let mut time = 0;
    for line in header(raw) {
        if let Some(id) = line.strip_prefix(b"tree ") {
            tree = tree.or(Some(hex(id)?));
        } else if let Some(id) = line.strip_prefix(b"parent ") {
            parent(hex(id)?);
        } else if let Some(who) = line.strip_prefix(b"committer ") {
            time = signature_time(who).unwrap_or(0);
        }
    }
    Some((tree?, time))
}

/// `Name <mail>` of a commit's author, readable: controls become spaces, at most 256 characters.
pub(super) fn author(raw: &[u8]) -> Option<String> {
    person(header(raw).find_map(|line| line.strip_prefix(b"author "))?)
}

fn person(line: &[u8]) -> Option<String> {
    let end = line.iter().rposition(|&byte| byte == b'>')?;
    let text = String::from_utf8_lossy(line.get(..=end)?);
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(256)
        .collect();
    Some(clean.trim().to_owned())
}

/// Target and type of an annotated tag.
pub(super) fn tag_target(raw: &[u8]) -> Option<Oid> {
    header(raw).find_map(|line| Some(oid(&hex(line.strip_prefix(b"object ")?)?)))
}

/// The message of a commit or a tag: what follows the first empty line.
pub(super) fn message(raw: &[u8]) -> &[u8] {
    match memchr::memmem::find(raw, b"\n\n") {
        Some(end) => raw.get(end + 2..).unwrap_or_default(),
        None => &[],
    }
}

/// The name an annotated tag gives itself, who made it, and when.
pub(super) fn tag_fields(raw: &[u8]) -> (&[u8], Option<String>, Option<i64>) {
    let field = |name: &[u8]| header(raw).find_map(|line| line.strip_prefix(name));
    let tagger = field(b"tagger ");
    (
        field(b"tag ").unwrap_or_default(),
        tagger.and_then(person),
        tagger.and_then(signature_time),
    )
}

fn header(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        rest = tail.get(1..).unwrap_or_default();
        (!line.is_empty()).then_some(line)
    })
    .fuse()
}

fn hex(text: &[u8]) -> Option<Id> {
    let (pairs, rest) = text.as_chunks::<2>();
    let mut id = Id::default();
    if pairs.len() != id.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in id.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(id)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn signature_time(line: &[u8]) -> Option<i64> {
    let end = line.iter().rposition(|&byte| byte == b'>')?;
    let rest = std::str::from_utf8(line.get(end + 1..)?).ok()?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// The id of these bytes.
pub(in crate::sources) fn oid(id: &Id) -> Oid {
    Oid::from_bytes(id).unwrap_or(Oid::ZERO_SHA1)
}

/// What a tree entry points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    Tree,
    /// A file, executable or not.
    File,
    /// A symbolic link: a blob that holds its target.
    Link,
    /// A submodule's commit, which is not in this repository.
    Submodule,
}

/// One entry of a raw tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    pub(super) id: Id,
    pub(super) kind: EntryKind,
}

/// The entries of a raw tree. Ends early on malformed bytes, which [`Entries::intact`] tells.
pub(super) struct Entries<'a> {
    rest: &'a [u8],
}

/// The entries of a raw tree.
pub(super) fn entries(raw: &[u8]) -> Entries<'_> {
    Entries { rest: raw }
}

impl Entries<'_> {
    /// Whether everything could be parsed. Means something once the iteration is over.
    pub(super) fn intact(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes not parsed yet.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let nul = memchr::memchr(0, self.rest)?;
        let (head, tail) = self.rest.split_at(nul);
        let space = memchr::memchr(b' ', head)?;
        let (mode, name) = (head.get(..space)?, head.get(space + 1..)?);
        let id = *tail.get(1..)?.first_chunk::<20>()?;
        let kind = match mode {
            b"40000" | b"040000" => EntryKind::Tree,
            b"160000" => EntryKind::Submodule,
            b"120000" => EntryKind::Link,
            _ if mode.starts_with(b"100") => EntryKind::File,
            _ => return None,
        };
        if name.is_empty() {
            return None;
        }
        self.rest = tail.get(21..)?;
        Some(Entry { name, id, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commit_header() {
        let raw = b"tree 1111111111111111111111111111111111111111\nparent 2222222222222222222222222222222222222222\nauthor A \x01B <a@b> 5 +0000\ncommitter C <c@d> 1700000000 -0330\ngpgsig x\n tree 3333333333333333333333333333333333333333\n\ntree in the message\n";
        let fields = commit_fields(raw).unwrap();
        assert_eq!(fields.tree.to_string(), "1".repeat(40));
        assert_eq!(fields.parents.len(), 1);
        assert_eq!(fields.time, 1_700_000_000);
        assert_eq!(author(raw).unwrap(), "A  B <a@b>");
        assert!(commit_fields(b"no commit").is_none());
    }

    #[test]
    fn tree_entries() {
        let mut raw = Vec::new();
        for (mode, name) in [
            ("100644", "a b"),
            ("40000", "d"),
            ("160000", "s"),
            ("120000", "l"),
        ] {
            raw.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            raw.extend_from_slice(&[7; 20]);
        }
        let mut found = entries(&raw);
        let kinds: Vec<_> = found.by_ref().map(|entry| entry.kind).collect();
        assert!(found.intact());
        assert_eq!(
            kinds,
            [
                EntryKind::File,
                EntryKind::Tree,
                EntryKind::Submodule,
                EntryKind::Link
            ]
        );
        let mut cut = entries(&raw[..raw.len() - 1]);
        assert_eq!(cut.by_ref().count(), 3);
        assert!(!cut.intact());
    }

    proptest! {
        #[test]
        fn anything_is_parsed_without_panic(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = entries(&raw).count();
            let _ = commit_fields(&raw);
            let _ = author(&raw);
            let _ = tag_target(&raw);
            let _ = tag_fields(&raw);
            let _ = message(&raw);
        }
    }
}
