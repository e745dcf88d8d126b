//! Loose objects, which libgit2 must not be given when they are cut short: it would wait for the missing bytes forever.

use flate2::read::ZlibDecoder;
use git2::Oid;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Deepest chain of alternates followed; git's own limit.
const MAX_ALTERNATES: usize = 5;
/// Longest header of an object: type, blank, decimal size, NUL.
const MAX_HEADER: usize = 32;

/// The loose objects of a repository and of those it borrows from.
#[derive(Debug, Default)]
pub(super) struct Loose {
    folders: Vec<PathBuf>,
    ids: BTreeSet<Oid>,
}

impl Loose {
    /// Lists the loose objects of an object folder. What cannot be listed cannot be read either, and is reported there.
    pub(super) fn list(objects: &Path) -> Self {
        let mut loose = Self::default();
        loose.add(objects, 0);
        loose
    }

    fn add(&mut self, objects: &Path, depth: usize) {
        if depth > MAX_ALTERNATES || self.folders.iter().any(|known| known == objects) {
            return;
        }
        self.folders.push(objects.to_owned());
        for folder in names(objects).into_iter().filter(|name| name.len() == 2) {
            for name in names(&objects.join(&folder)) {
                self.ids.extend(
                    Oid::from_str(&format!("{folder}{name}"))
                        .ok()
                        .filter(|_| name.len() == 38),
                );
            }
        }
        let alternates = fs::read_to_string(objects.join("info/alternates")).unwrap_or_default();
        for line in alternates
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            self.add(&objects.join(line), depth + 1);
        }
    }

    /// The object folders: its own, and those it borrows from.
    pub(super) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The objects, in order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &Oid> {
        self.ids.iter()
    }

    /// Whether an object is loose and its file does not hold all it says.
    pub(super) fn is_cut_short(&self, id: Oid) -> bool {
        if !self.ids.contains(&id) {
            return false;
        }
        let name = id.to_string();
        let (folder, file) = name.split_at(2);
        self.folders
            .iter()
            .filter_map(|objects| File::open(objects.join(folder).join(file)).ok())
            .any(|file| !whole(file).unwrap_or(false))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}

/// Inflates a loose object and compares its length with the one in its header.
fn whole(file: File) -> io::Result<bool> {
    let mut inflated = ZlibDecoder::new(io::BufReader::new(file));
    let mut header = Vec::with_capacity(MAX_HEADER);
    let mut byte = [0];
    while header.len() < MAX_HEADER {
        inflated.read_exact(&mut byte)?;
        if byte == [0] {
            break;
        }
        header.extend(byte);
    }
    let declared: Option<u64> = std::str::from_utf8(&header)
        .ok()
        .and_then(|header| header.split_once(' ')?.1.parse().ok());
    let Some(declared) = declared else {
        return Ok(false);
    };
    Ok(io::copy(&mut inflated.take(declared), &mut io::sink())? == declared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::Place;

    #[test]
    fn only_what_is_cut_short_is_named() {
        let place = Place::new();
        let repo = place.repo("r");
        let (sound, cut) = (repo.blob("sound"), repo.blob(&"cut ".repeat(1_000)));
        let objects = repo.git_dir().join("objects");
        let name = cut.to_string();
        let path = objects.join(&name[..2]).join(&name[2..]);
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        crate::sources::testing::put_bytes(&path, &bytes[..bytes.len() / 2]);
        let loose = Loose::list(&objects);
        assert!(loose.is_cut_short(cut));
        assert!(!loose.is_cut_short(sound));
        assert!(!loose.is_cut_short(Oid::from_bytes(&[7; 20]).unwrap()));
    }
}
