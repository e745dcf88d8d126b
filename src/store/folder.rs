//! A folder of files that is replaced whole or not at all. A folder that holds anything else is left alone.

use super::atomic::{PREFIX, SUFFIX, WriteError, make_folder, private, written};
use std::collections::BTreeSet;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// File that says whose a folder is.
const MARK: &str = ".overstay";
/// One file in so many may differ for the folder to stay where it is.
const FEW: usize = 8;

/// A folder that is being written beside the one it will take the place of. Files that are as they were are not written
/// again; where most of them are, the old folder stays and the others are replaced in it, each in one step.
pub struct Folder {
    target: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Files that the old folder has with the same text.
    same: Vec<String>,
    /// The other files.
    other: Vec<String>,
    /// Where the other files are.
    new: Option<tempfile::TempDir>,
}

impl Folder {
    /// Begins a folder.
    ///
    /// # Errors
    /// When the file system refuses, or the place holds something that this program did not write.
    pub fn begin(target: &Path) -> Result<Self, WriteError> {
        let failed = |source| WriteError {
            path: target.to_owned(),
            source,
        };
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        if !ours(&target).map_err(failed)? {
            return Err(failed(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "it holds files that this program did not write; they are left alone",
            )));
        }
        make_folder(beside(&target))?;
        let folder = Self {
            target,
            inner: Mutex::default(),
        };
        folder.add(MARK, "This folder is written anew by every run.\n")?;
        Ok(folder)
    }

    /// Writes a file of it, by a path of plain names. Several threads may write at once.
    ///
    /// # Errors
    /// When the file system refuses or the path leads out of the folder.
    pub fn add(&self, path: &str, text: &str) -> Result<(), WriteError> {
        let place = self.target.join(path);
        self.take(path, text).map_err(|source| WriteError {
            path: place,
            source,
        })
    }

    fn take(&self, path: &str, text: &str) -> io::Result<()> {
        let relative = Path::new(path);
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        if path.is_empty() || !relative.components().all(plain) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let same = is_text(&self.target.join(relative), text);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if same {
            inner.same.push(path.to_owned());
            return Ok(());
        }
        inner.other.push(path.to_owned());
        let place = inner.beside(&self.target)?.join(relative);
        drop(inner);
        make_parent(&place)?;
        private(OpenOptions::new().write(true).create_new(true))
            .open(&place)?
            .write_all(text.as_bytes())
    }

    /// Puts it in the place of the old one.
    ///
    /// # Errors
    /// When the file system refuses; the old folder is then still there.
    pub fn commit(self) -> Result<(), WriteError> {
        let Self { target, inner } = self;
        let mut inner = inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        let failed = |source| WriteError {
            path: target.clone(),
            source,
        };
        let stays = owners_alone(&target).unwrap_or(false)
            && target.join(MARK).is_file()
            && inner.other.len() <= inner.same.len() / FEW;
        if stays && inner.replace(&target).map_err(failed)? {
            return Ok(());
        }
        inner.complete(&target).map_err(failed)?;
        let Some(new) = inner.new else {
            return Ok(());
        };
        written().remove(new.path());
        let old = new.path().with_extension("old.tmp");
        let there = target.exists();
        let put = || {
            if there {
                fs::rename(&target, &old)?;
            }
            let placed = fs::rename(new.path(), &target);
            if placed.is_err() && there {
                fs::rename(&old, &target)?;
            }
            placed
        };
        put().map_err(|source| WriteError {
            path: target.clone(),
            source,
        })?;
        // It has moved: there is nothing to remove any more.
        let _ = new.keep();
        if there {
            // What is left is swept by the next run.
            let _ = fs::remove_dir_all(&old);
        }
        Ok(())
    }
}

impl Inner {
    /// The new folder.
    fn beside(&mut self, target: &Path) -> io::Result<PathBuf> {
        if let Some(new) = &self.new {
            return Ok(new.path().to_owned());
        }
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o700));
        }
        let new = builder.tempdir_in(beside(target))?;
        let place = new.path().to_owned();
        written().insert(place.clone());
        self.new = Some(new);
        Ok(place)
    }

    /// Adds what the old folder has with the same text.
    fn complete(&mut self, target: &Path) -> io::Result<()> {
        let new = self.beside(target)?;
        for relative in std::mem::take(&mut self.same) {
            let to = new.join(&relative);
            make_parent(&to)?;
            link(&target.join(&relative), &to)?;
        }
        Ok(())
    }

    /// Replaces the other files in the old folder and removes what is no longer in it; whether that could be done.
    fn replace(&mut self, target: &Path) -> io::Result<bool> {
        let fits = |relative: &String| {
            let parents = Path::new(relative)
                .ancestors()
                .skip(1)
                .filter(|one| *one != Path::new(""));
            let is_folder = |about: Metadata| about.is_dir();
            let mut folders = parents.map(|parent| fs::symlink_metadata(target.join(parent)));
            folders.all(|about| about.map_or(true, is_folder))
                && fs::symlink_metadata(target.join(relative)).map_or(true, |one| one.is_file())
        };
        if !self.other.iter().all(fits) {
            return Ok(false);
        }
        if let Some(new) = &self.new {
            for relative in &self.other {
                let to = target.join(relative);
                make_parent(&to)?;
                fs::rename(new.path().join(relative), to)?;
            }
        }
        let keep: BTreeSet<String> = self.same.drain(..).chain(self.other.drain(..)).collect();
        strip(target, &keep)?;
        if let Some(new) = self.new.take() {
            written().remove(new.path());
        }
        Ok(true)
    }
}

/// What the file system says of a folder that was written here, of these files in it and of their folders: as long as it says
/// the same, nothing in it was changed, added or removed. `None` where one of them is missing, or nothing tells of changes.
pub fn state(target: &Path, files: impl IntoIterator<Item = String>) -> Option<String> {
    let target = fs::canonicalize(target).ok()?;
    let mut folders = BTreeSet::from([String::new()]);
    let mut state = State::new();
    let mut place = target.clone();
    let mut add = |below: &str| {
        place.push(below);
        let added = state.add(&place);
        place.clone_from(&target);
        added
    };
    for file in files.into_iter().chain([MARK.to_owned()]) {
        add(&file)?;
        let mut below = file.as_str();
        while let Some((parent, _)) = below.rsplit_once('/') {
            if folders.contains(parent) {
                break;
            }
            folders.insert(parent.to_owned());
            below = parent;
        }
    }
    folders.iter().try_for_each(|folder| add(folder))?;
    Some(state.0.finalize().to_hex().to_string())
}

/// The same of single files.
pub fn state_of_files(files: impl IntoIterator<Item = PathBuf>) -> Option<String> {
    let mut state = State::new();
    files.into_iter().try_for_each(|file| state.add(&file))?;
    Some(state.0.finalize().to_hex().to_string())
}

struct State(blake3::Hasher);

impl State {
    fn new() -> Self {
        Self(blake3::Hasher::new_derive_key(
            "overstay 2026 state of a folder",
        ))
    }

    #[cfg(unix)]
    fn add(&mut self, path: &Path) -> Option<()> {
        use std::os::unix::fs::MetadataExt;
        let about = fs::symlink_metadata(path).ok()?;
        let numbers = [
            i64::from(about.mode()),
            about.size().cast_signed(),
            about.mtime(),
            about.mtime_nsec(),
            about.ctime(),
            about.ctime_nsec(),
            about.ino().cast_signed(),
            about.dev().cast_signed(),
        ];
        for number in numbers {
            self.0.update(&number.to_le_bytes());
        }
        Some(())
    }

    /// Nothing tells of changes here.
    #[cfg(not(unix))]
    fn add(&mut self, _: &Path) -> Option<()> {
        None
    }
}

/// Removes what is not to be kept; whether anything is left.
fn strip(target: &Path, keep: &BTreeSet<String>) -> io::Result<bool> {
    strip_below(target, &mut String::new(), keep)
}

fn strip_below(folder: &Path, below: &mut String, keep: &BTreeSet<String>) -> io::Result<bool> {
    let mut left = false;
    let before = below.len();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        // What has no such name was not written here.
        let name = name.to_str().unwrap_or("\0");
        below.push_str(name);
        if keep.contains(below.as_str()) {
            left = true;
        } else if !entry.file_type()?.is_dir() {
            fs::remove_file(entry.path())?;
        } else {
            below.push('/');
            if strip_below(&entry.path(), below, keep)? {
                left = true;
            } else {
                fs::remove_dir(entry.path())?;
            }
        }
        below.truncate(before);
    }
    Ok(left)
}

fn make_parent(place: &Path) -> io::Result<()> {
    match place.parent().filter(|folder| !folder.is_dir()) {
        Some(folder) => make_folder(folder).map_err(|error| error.source),
        None => Ok(()),
    }
}

/// The folder a place is in.
fn beside(target: &Path) -> &Path {
    target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Whether a file is there, for its owner alone, with this text.
fn is_text(place: &Path, text: &str) -> bool {
    let as_it_was = || {
        let mut file = unlinked(OpenOptions::new().read(true)).open(place)?;
        let about = file.metadata()?;
        if !about.is_file() || about.len() != text.len() as u64 || !for_owner(&about) {
            return Ok(false);
        }
        let mut there = vec![0; text.len()];
        file.read_exact(&mut there)?;
        Ok::<_, io::Error>(there == text.as_bytes())
    };
    as_it_was().unwrap_or(false)
}

/// Opens no link, and waits for nothing.
fn unlinked(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    options
}

/// Whether nobody but its owner may do anything with a place.
fn owners_alone(place: &Path) -> io::Result<bool> {
    fs::metadata(place).map(|about| for_owner(&about))
}

fn for_owner(about: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let others = about.permissions().mode() & 0o077;
        others == 0
    }
    #[cfg(not(unix))]
    {
        about.is_file() || about.is_dir()
    }
}

/// The same file in another place; a copy where the file system knows no links.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(|_| ()))
}

/// Whether a place may be taken: nothing is there, or an empty folder, or one that was written here.
fn ours(target: &Path) -> io::Result<bool> {
    match fs::read_dir(target) {
        Ok(mut entries) => Ok(target.join(MARK).is_file() || entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::atomic::write as write_file;
    use super::*;
    use proptest::prelude::*;

    fn count(folder: &Path) -> io::Result<usize> {
        let mut files = 0;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            files += if entry.file_type()?.is_dir() {
                // An empty folder is one more than there should be.
                count(&entry.path())?.max(1)
            } else {
                1
            };
        }
        Ok(files)
    }

    #[test]
    fn a_folder_is_replaced_whole_and_others_are_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("plan");
        for name in ["one", "two"] {
            let folder = Folder::begin(&target).unwrap();
            folder.add(&format!("{name}/file"), name).unwrap();
            folder.commit().unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = fs::metadata(&target).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o700);
            }
        }
        assert!(!target.join("one").exists());
        assert_eq!(fs::read_to_string(target.join("two/file")).unwrap(), "two");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        // What is begun and given up leaves nothing.
        drop(Folder::begin(&target).unwrap());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);

        let foreign = place.path().join("foreign");
        fs::create_dir(&foreign).unwrap();
        write_file(&foreign.join("mine"), b"x").unwrap();
        assert!(Folder::begin(&foreign).is_err());
        assert!(foreign.join("mine").exists());
    }

    #[test]
    fn what_is_as_it_was_is_not_written_again() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("plan");
        let write = |two: &str| {
            let folder = Folder::begin(&target).unwrap();
            folder.add("a/one", "1").unwrap();
            folder.add("b/two", two).unwrap();
            folder.commit().unwrap();
            fs::metadata(target.join("a/one"))
                .unwrap()
                .modified()
                .unwrap()
        };
        let first = write("2");
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(write("2"), first);
        assert_eq!(write("3"), first);
        assert_eq!(fs::read_to_string(target.join("b/two")).unwrap(), "3");
        // What was changed by hand is written again, and what was put there goes.
        write_file(&target.join("a/one"), b"x").unwrap();
        write_file(&target.join("b/more"), b"x").unwrap();
        write("3");
        assert_eq!(fs::read_to_string(target.join("a/one")).unwrap(), "1");
        assert!(!target.join("b/more").exists());
        write_file(&target.join("b/more"), b"x").unwrap();
        write("3");
        assert!(!target.join("b/more").exists());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_folder_is_what_was_written_last(
            rounds in prop::collection::vec(prop::collection::btree_map("[ab]/[cd]", "[xy]{0,2}", 0..4), 1..5)
        ) {
            let place = tempfile::tempdir().unwrap();
            let target = place.path().join("plan");
            for files in rounds {
                let folder = Folder::begin(&target).unwrap();
                for (path, text) in &files {
                    folder.add(path, text).unwrap();
                }
                folder.commit().unwrap();
                prop_assert_eq!(count(&target).unwrap(), files.len() + 1);
                for (path, text) in &files {
                    prop_assert_eq!(&fs::read_to_string(target.join(path)).unwrap(), text);
                }
                prop_assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn whatever_is_done_to_a_folder_changes_its_state() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("plan");
        let folder = Folder::begin(&target).unwrap();
        for path in ["a/one", "a/b/two"] {
            folder.add(path, "1").unwrap();
        }
        folder.commit().unwrap();
        let now = || state(&target, ["a/one".to_owned(), "a/b/two".to_owned()]);
        let mut seen = vec![now().unwrap()];
        assert_eq!(now().unwrap(), seen[0]);
        let mut changed = |what: &str| {
            let now = now().unwrap();
            assert!(!seen.contains(&now), "{what}");
            seen.push(now);
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        std::thread::sleep(std::time::Duration::from_millis(20));
        write_file(&target.join("a/one"), b"2").unwrap();
        changed("another text");
        write_file(&target.join("a/b/more"), b"1").unwrap();
        changed("a file more");
        fs::create_dir(target.join("c")).unwrap();
        changed("a folder more");
        fs::remove_file(target.join("a/one")).unwrap();
        assert_eq!(now(), None);
    }

    #[test]
    fn paths_do_not_lead_out() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::begin(&place.path().join("plan")).unwrap();
        for path in ["../x", "/etc/x", "a/../../x", ""] {
            assert!(folder.add(path, "x").is_err(), "{path}");
        }
    }
}
