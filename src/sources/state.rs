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
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The state of all roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Digest of what the file system and the repositories say.
    pub(super) digest: String,
    /// Digest of what stands in files that may have changed in the moment they were looked at.
    contents: blake3::Hash,
    /// When the last of these changed, in seconds since 1970.
    latest: i64,
}

impl State {
    /// The state of these roots. What was changed shortly before `began` may change again without its times telling.
    pub(super) fn of(sites: &[Site<'_>], options: &ReadOptions, began: i64) -> Self {
        let all: Vec<Part> = sites
            .par_iter()
            .map(|site| {
                let mut one = One::new(began, options.limits.max_file_bytes);
                one.site(site);
                site.rest();
                one.done()
            })
            .collect();
        let mut whole = One::new(began, 0);
        whole.text(format!("{options:?}").as_bytes());
        for one in all {
            whole.add(&one);
        }
        let Part {
            stamps,
            contents,
            latest,
        } = whole.done();
        Self {
            digest: stamps.to_hex()[..32].to_owned(),
            contents,
            latest,
        }
    }

    /// Whether what was read after this state was taken is what stands there as long as the state is this one.
    ///
    /// Files that had not changed for a while tell any later change by their times, also one made while they were read. Of
    /// others that is known only if nothing has changed `later` either, and what changes from `now` on will be seen.
    pub(super) fn stood(&self, later: impl FnOnce() -> Self, now: i64) -> bool {
        self.latest == i64::MIN || (self.latest.saturating_add(SETTLED) < now && *self == later())
    }
}

/// What the disk says of a part, for long: a tree has thousands of folders, and what takes a digest is large.
struct Part {
    stamps: blake3::Hash,
    contents: blake3::Hash,
    latest: i64,
}

/// The same while it is looked at.
struct One {
    began: i64,
    largest: u64,
    stamps: blake3::Hasher,
    contents: blake3::Hasher,
    latest: i64,
}

impl One {
    fn new(began: i64, largest: u64) -> Self {
        Self {
            began,
            largest,
            stamps: blake3::Hasher::new_derive_key("overstay 2026 state of what is read"),
            contents: blake3::Hasher::new_derive_key("overstay 2026 content of what is read"),
            latest: i64::MIN,
        }
    }

    fn done(self) -> Part {
        Part {
            stamps: self.stamps.finalize(),
            contents: self.contents.finalize(),
            latest: self.latest,
        }
    }

    fn text(&mut self, text: &[u8]) {
        self.stamps.update(&(text.len() as u64).to_le_bytes());
        self.stamps.update(text);
    }

    fn add(&mut self, part: &Part) {
        self.stamps.update(part.stamps.as_bytes());
        self.contents.update(part.contents.as_bytes());
        self.latest = self.latest.max(part.latest);
    }

    fn site(&mut self, site: &Site<'_>) {
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
                    self.file(&index);
                    self.content(&index, u64::MAX);
                }
            }
        }
        if root.kind == RootKind::Bare {
            return;
        }
        for omission in &root.listing.omissions {
            self.text(format!("{omission:?}").as_bytes());
        }
        let mut folder = root.path.clone();
        if root.kind == RootKind::File {
            folder.pop();
        }
        let below: Vec<Part> = root
            .listing
            .batches
            .par_iter()
            .map(|batch| {
                let mut one = Self::new(self.began, self.largest);
                one.batch(&folder, batch);
                one.done()
            })
            .collect();
        for one in &below {
            self.add(one);
        }
    }

    fn batch(&mut self, root: &Path, batch: &Batch) {
        let mut path: PathBuf = root.to_owned();
        for part in batch.folder().split(|byte| *byte == b'/') {
            path.push(os_of(part));
        }
        self.text(batch.folder());
        for name in batch.names() {
            self.text(name);
            path.push(os_of(name));
            self.file(&path);
            path.pop();
        }
    }

    fn file(&mut self, path: &Path) {
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return self.text(b"gone");
        };
        let stamp = Stamp::of(&metadata);
        self.text(&stamp.as_bytes());
        if !stamp.settled(self.began) {
            self.latest = self.latest.max(stamp.changed());
            if metadata.is_file() {
                let hash = hash_of(path, self.largest);
                self.contents.update(&hash);
            }
        }
    }

    /// What stands in a file, whatever its times say.
    fn content(&mut self, path: &Path, largest: u64) {
        self.text(&hash_of(path, largest));
    }
}

fn hash_of(path: &Path, largest: u64) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let read =
        fs::File::open(path).and_then(|file| std::io::copy(&mut file.take(largest), &mut hasher));
    match read {
        Ok(_) => *hasher.finalize().as_bytes(),
        Err(_) => [0; 32],
    }
}
