//! What the disk says of everything that is to be read, without reading it: where that is the same, so is what reading
//! gives.

use super::ReadOptions;
use super::discover::RootKind;
use super::folders::Batch;
use super::git::{self, Access};
use super::kept::{SETTLED, Stamp};
use super::place::os_of;
use super::site::Site;
use rayon::prelude::*;
use std::fs::{self, Metadata};
use std::io::Read as _;
use std::path::Path;

/// The state of all roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Digest of what the file system and the repositories say.
    pub(super) digest: String,
    /// Digest of what stands in files that may have changed in the moment they were looked at.
    contents: Option<Box<blake3::Hash>>,
    /// When the last of these changed, in seconds since 1970.
    latest: i64,
}

impl State {
    /// The state of these roots. What was changed shortly before `began` may change again without its times telling.
    pub(super) fn of(sites: &[Site<'_>], options: &ReadOptions, began: i64) -> Self {
        let heads = Heads::of(sites, options, began);
        let largest = options.limits.max_file_bytes;
        let pieces: Vec<Vec<Piece>> = sites
            .par_iter()
            .filter(|site| site.root.kind != RootKind::Bare)
            .map(|site| {
                let batches = site.root.listing.batches.par_iter();
                let pieces = batches.map(|batch| look(site, batch, largest, began));
                pieces.collect()
            })
            .collect();
        heads.with(pieces.iter().flatten())
    }

    /// Whether what was read after this state was taken is what stands there as long as the state is this one.
    ///
    /// Files that had not changed for a while tell any later change by their times, also one made while they were read. Of
    /// others that is known only if nothing has changed `later` either, and what changes from `now` on will be seen.
    pub(super) fn stood(&self, later: impl FnOnce() -> Self, now: i64) -> bool {
        self.latest == i64::MIN || (self.latest.saturating_add(SETTLED) < now && *self == later())
    }
}

/// The state of all roots but of their files, which may be looked at while they are read.
pub(super) struct Heads(Piece);

impl Heads {
    pub(super) fn of(sites: &[Site<'_>], options: &ReadOptions, began: i64) -> Self {
        let heads: Vec<Piece> = sites
            .par_iter()
            .map(|site| {
                let mut one = One::new(began);
                one.head(site);
                site.rest();
                one.done()
            })
            .collect();
        let mut whole = One::new(began);
        whole.text(format!("{options:?}").as_bytes());
        for head in &heads {
            whole.add(head);
        }
        Self(whole.done())
    }

    /// The whole state, with the files in the order of the listings.
    pub(super) fn with<'p>(self, pieces: impl IntoIterator<Item = &'p Piece>) -> State {
        let Self(heads) = self;
        let mut whole = One::new(i64::MIN);
        whole.add(&heads);
        for piece in pieces {
            whole.add(piece);
        }
        let Piece {
            stamps,
            contents,
            latest,
        } = whole.done();
        State {
            digest: stamps.to_hex()[..32].to_owned(),
            contents,
            latest,
        }
    }
}

/// What the disk says of a piece, for long: a tree has thousands of folders, and what takes a digest is large.
pub(super) struct Piece {
    stamps: blake3::Hash,
    contents: Option<Box<blake3::Hash>>,
    latest: i64,
}

/// The same while it is looked at.
pub(super) struct One {
    began: i64,
    stamps: blake3::Hasher,
    /// Most pieces have none, and it is large.
    contents: Option<blake3::Hasher>,
    latest: i64,
}

impl One {
    fn new(began: i64) -> Self {
        Self {
            began,
            stamps: blake3::Hasher::new(),
            contents: None,
            latest: i64::MIN,
        }
    }

    /// One of files of a batch, none of them looked at yet.
    pub(super) fn of_batch(batch: &Batch, began: i64) -> Self {
        let mut one = Self::new(began);
        one.text(batch.folder());
        one
    }

    pub(super) fn done(self) -> Piece {
        Piece {
            stamps: self.stamps.finalize(),
            contents: self.contents.map(|contents| contents.finalize().into()),
            latest: self.latest,
        }
    }

    fn text(&mut self, text: &[u8]) {
        self.stamps.update(&(text.len() as u64).to_le_bytes());
        self.stamps.update(text);
    }

    fn content(&mut self, content: &[u8; 32]) {
        self.contents
            .get_or_insert_with(blake3::Hasher::new)
            .update(content);
    }

    fn add(&mut self, piece: &Piece) {
        self.stamps.update(piece.stamps.as_bytes());
        if let Some(contents) = &piece.contents {
            self.content(contents.as_bytes());
        }
        self.latest = self.latest.max(piece.latest);
    }

    fn head(&mut self, site: &Site<'_>) {
        let root = site.root;
        self.text(root.name.as_bytes());
        self.text(format!("{:?}", root.kind).as_bytes());
        self.text(root.path.as_os_str().as_encoded_bytes());
        match &site.access {
            Access::None => self.text(b"none"),
            Access::Refused(refusal) => self.text(format!("{refusal:?}").as_bytes()),
            Access::Open(repo) => {
                self.text(repo.common.as_os_str().as_encoded_bytes());
                self.text(&[u8::from(repo.main), u8::from(repo.partial)]);
                self.text(git::key(repo).as_bytes());
                let index = (root.kind != RootKind::Bare)
                    .then(|| git::index_file(repo))
                    .flatten();
                if let Some(index) = index {
                    let metadata = fs::symlink_metadata(&index).ok();
                    let hash = hash_of(&index, u64::MAX);
                    self.file(metadata.as_ref(), || hash);
                    self.text(&hash);
                }
            }
        }
        if root.kind == RootKind::Bare {
            return;
        }
        for omission in &root.listing.omissions {
            self.text(format!("{omission:?}").as_bytes());
        }
        // Which of the files that follow those of all roots are its own.
        let batches = root.listing.batches.len() as u64;
        self.text(&batches.to_le_bytes());
    }

    /// Adds the next file of a batch: what the file system says of it, and, where that may not tell of a change, the digest
    /// of what stands in it.
    pub(super) fn add_file(
        &mut self,
        name: &[u8],
        metadata: Option<&Metadata>,
        content: impl FnOnce() -> [u8; 32],
    ) {
        self.text(name);
        self.file(metadata, content);
    }

    fn file(&mut self, metadata: Option<&Metadata>, content: impl FnOnce() -> [u8; 32]) {
        let Some(metadata) = metadata else {
            return self.text(b"gone");
        };
        let stamp = Stamp::of(metadata);
        self.text(&stamp.as_bytes());
        if !stamp.settled(self.began) {
            self.latest = self.latest.max(stamp.changed());
            if metadata.is_file() {
                self.content(&content());
            }
        }
    }
}

/// The state of the files of a batch.
fn look(site: &Site<'_>, batch: &Batch, largest: u64, began: i64) -> Piece {
    let mut one = One::of_batch(batch, began);
    let mut path = site.folder_of(batch);
    for name in batch.names() {
        path.push(os_of(name));
        let metadata = fs::symlink_metadata(&path).ok();
        one.add_file(name, metadata.as_ref(), || hash_of(&path, largest));
        path.pop();
    }
    one.done()
}

/// Digest of what stands in a file, up to a length; none of what cannot be read.
pub(super) fn hash_of(path: &Path, largest: u64) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let read =
        fs::File::open(path).and_then(|file| std::io::copy(&mut file.take(largest), &mut hasher));
    match read {
        Ok(_) => *hasher.finalize().as_bytes(),
        Err(_) => [0; 32],
    }
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::{Place, put_bytes};
    use crate::sources::{
        Document, Everything, Facts, Kind, Memory, NoProgress, ReadOptions, Root, discover, look,
    };
    use std::fs;
    use std::path::Path;

    /// Keeps nothing; a run that began then.
    struct Began(i64);

    impl Memory for Began {
        fn recall(&self, _: Kind, _: &Path) -> Option<Vec<u8>> {
            None
        }

        fn keep(&self, _: Kind, _: &Path, _: Facts, _: Vec<u8>) {}

        fn began(&self) -> i64 {
            self.0
        }

        fn now(&self) -> i64 {
            i64::MAX
        }
    }

    /// The state as it is looked at before reading, and as it is while reading.
    fn states(roots: &[Root], began: i64) -> (String, String) {
        let memory = Began(began);
        let options = ReadOptions::default();
        let before = look(roots, &options, &memory, true);
        let visit = |document: &Document<'_>| (document.bytes.len() > 3).then(String::new);
        let looked = look(roots, &options, &memory, false);
        assert_eq!(looked.state(), None);
        let (_, while_read) = looked.collect(&NoProgress, &Everything, visit, &memory);
        (
            before.state().unwrap_or_default().to_owned(),
            while_read.unwrap_or_default(),
        )
    }

    #[test]
    fn the_state_is_the_same_before_reading_and_while_reading() {
        let place = Place::new();
        for at in 0..70 {
            place.file(&format!("w/many/{at}"), &format!("file {at}"));
        }
        place.file("w/alone", "");
        place.file("w/turns/into/a-folder", "x");
        place.file("w/goes", "x");
        place.repo("w/repo");
        place.file("w/repo/file", "content");
        let alone = place.file("single", "file");
        let roots = discover(&[place.path("w"), alone]).unwrap().roots;
        fs::remove_file(place.path("w/goes")).unwrap();
        fs::remove_file(place.path("w/turns/into/a-folder")).unwrap();
        place.folder("w/turns/into/a-folder");

        let (settled, while_read) = states(&roots, i64::MAX);
        assert_eq!(settled, while_read);
        // Of what may change without its times telling, the contents are compared as well.
        let (fresh, while_read) = states(&roots, 0);
        assert_eq!(fresh, while_read);

        put_bytes(&place.path("w/many/7"), b"other 7");
        let (changed, while_read) = states(&roots, i64::MAX);
        assert_eq!(changed, while_read);
        assert_ne!(changed, settled);
    }
}
