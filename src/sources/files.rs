//! Files of folders and work trees: listing them and reading one.

use super::discover::{Root, RootKind};
use super::limits::Limits;
use super::place::{bytes_of, uri_of_bytes};
use crate::model::{Coverage, CoverageStatus};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Source word of this part of the coverage.
pub(super) const SOURCE: &str = "files";

/// Why a file or folder was left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Omission {
    /// Path below the root, `/`-separated; empty for the root itself.
    pub(super) path: Vec<u8>,
    pub(super) status: CoverageStatus,
    pub(super) reason: String,
}

impl Omission {
    fn failed(path: Vec<u8>, error: &io::Error) -> Self {
        Self {
            path,
            status: CoverageStatus::Failed,
            reason: reason_of(error),
        }
    }
}

/// The regular files of a root, by path.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: Vec<PathBuf>,
    pub(super) omissions: Vec<Omission>,
}

/// Lists the regular files of a root: hidden and git-ignored ones too, nothing behind a symbolic link, nothing of the
/// roots inside it, nothing in `.git`.
pub(super) fn list(root: &Root, limits: &Limits) -> Listing {
    let mut out = Listing::default();
    match root.kind {
        RootKind::Bare => return out,
        RootKind::File => {
            out.files.extend(root.path.file_name().map(PathBuf::from));
            return out;
        }
        RootKind::Folder | RootKind::WorkTree => {}
    }
    let mut walk = WalkDir::new(&root.path)
        .follow_links(false)
        .max_depth(limits.max_depth)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error
                    .path()
                    .and_then(|path| path.strip_prefix(&root.path).ok())
                    .map(bytes_of)
                    .unwrap_or_default();
                let error = error
                    .into_io_error()
                    .unwrap_or_else(|| io::ErrorKind::Other.into());
                // What went away below the root meanwhile has gone; a root that did was asked for.
                if error.kind() != io::ErrorKind::NotFound || path.is_empty() {
                    out.omissions.push(Omission::failed(path, &error));
                }
                continue;
            }
        };
        let depth = entry.depth();
        if depth == 0 {
            continue;
        }
        let kind = entry.file_type();
        let below = || entry.path().strip_prefix(&root.path).map(Path::to_path_buf);
        if entry.file_name() == ".git" || is_inner(root, entry.path()) {
            if kind.is_dir() {
                walk.skip_current_dir();
            }
        } else if kind.is_dir() {
            if depth == limits.max_depth {
                out.omissions.push(Omission {
                    path: below().as_deref().map(bytes_of).unwrap_or_default(),
                    status: CoverageStatus::Skipped,
                    reason: format!(
                        "folders below {} levels are not read; scan this folder by itself",
                        limits.max_depth
                    ),
                });
            }
        } else if kind.is_file()
            && let Ok(path) = below()
        {
            out.files.push(path);
        }
    }
    out
}

fn is_inner(root: &Root, path: &Path) -> bool {
    root.inner
        .binary_search_by(|inner| inner.as_path().cmp(path))
        .is_ok()
}

/// Reads a file whole into `buffer`, which is cleared first, and returns what the file system says of it.
///
/// # Errors
/// The omission to report when it is not there any more, too large, not a regular file any more, or not readable.
pub(super) fn load(
    root: &Root,
    relative: &Path,
    limits: &Limits,
    buffer: &mut Vec<u8>,
) -> Result<Metadata, Omission> {
    buffer.clear();
    let path = match root.kind {
        RootKind::File => root.path.clone(),
        _ => root.path.join(relative),
    };
    let omit = |status, reason: String| Omission {
        path: bytes_of(relative),
        status,
        reason,
    };
    let fail = |error: &io::Error| {
        if error.kind() == io::ErrorKind::NotFound {
            omit(
                CoverageStatus::Skipped,
                "removed while the scan ran".to_owned(),
            )
        } else {
            Omission::failed(bytes_of(relative), error)
        }
    };
    // Looked at again right before it is opened: opening a pipe would wait for its writer.
    let metadata = fs::symlink_metadata(&path).map_err(|error| fail(&error))?;
    if !metadata.is_file() {
        return Err(omit(
            CoverageStatus::Skipped,
            "not a regular file".to_owned(),
        ));
    }
    if metadata.len() > limits.max_file_bytes {
        return Err(omit(
            CoverageStatus::Skipped,
            too_large(limits.max_file_bytes),
        ));
    }
    let file = File::open(&path).map_err(|error| fail(&error))?;
    // One byte more than expected tells end of file without growing the buffer.
    buffer.reserve(
        usize::try_from(metadata.len())
            .unwrap_or(0)
            .saturating_add(1),
    );
    file.take(limits.max_file_bytes.saturating_add(1))
        .read_to_end(buffer)
        .map_err(|error| fail(&error))?;
    if buffer.len() as u64 > limits.max_file_bytes {
        return Err(omit(
            CoverageStatus::Skipped,
            too_large(limits.max_file_bytes),
        ));
    }
    Ok(metadata)
}

fn too_large(cap: u64) -> String {
    format!("larger than the cap of {} MiB for one file", cap >> 20)
}

fn reason_of(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "permission denied; run the scan as a user who may read it".to_owned()
        }
        kind => format!("could not be read: {kind}"),
    }
}

/// The coverage of one root's files: one entry of counts, one for each omission up to the cap, one for the rest.
pub(super) fn coverage(
    root: &str,
    files: u64,
    bytes: u64,
    mut omissions: Vec<Omission>,
    limits: &Limits,
) -> Vec<Coverage> {
    omissions.sort();
    omissions.dedup();
    let failed = omissions
        .iter()
        .filter(|omission| omission.status.incomplete())
        .count();
    let counts = format!("{}, {}", count(files, "file"), count(bytes, "byte"));
    let (status, counts) = if failed > 0 {
        let failed = count(failed as u64, "path");
        (
            CoverageStatus::Partial,
            format!("{counts}; {failed} could not be read"),
        )
    } else {
        (CoverageStatus::Read, counts)
    };
    let mut out = vec![Coverage::new(SOURCE, root, status, counts)];
    // What makes the scan incomplete is named first.
    omissions.sort_by_key(|omission| !omission.status.incomplete());
    let rest = omissions.split_off(omissions.len().min(limits.max_notes));
    for omission in omissions {
        let unit = if omission.path.is_empty() {
            root.to_owned()
        } else {
            format!("{root}/{}", uri_of_bytes(&omission.path))
        };
        out.push(Coverage::new(
            SOURCE,
            unit,
            omission.status,
            omission.reason,
        ));
    }
    for status in [CoverageStatus::Skipped, CoverageStatus::Failed] {
        let more = rest
            .iter()
            .filter(|omission| omission.status == status)
            .count();
        if more > 0 {
            out.push(Coverage::new(
                SOURCE,
                format!("{root}/…"),
                status,
                format!("{} more {}", more, status.as_str()),
            ));
        }
    }
    out
}

/// `1,204 blobs`, `1 blob`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + 8 + noun.len());
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out.push(' ');
    out.push_str(noun);
    if number != 1 {
        out.push('s');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::{
        Place, coverage as shown, lines, put_bytes, scan, scan_roots, scan_with,
    };
    use crate::sources::{ReadOptions, discover};
    use insta::assert_snapshot;

    #[test]
    fn hidden_and_ignored_files_are_read() {
        let place = Place::new();
        let repo = place.repo("w/app");
        repo.line(&[&[(".gitignore", "*.env\n")]]);
        place.file("w/app/.hidden/x.env", "SECRET x");
        place.file("w/app/.git/config.bak", "SECRET in git folder");
        place.file("w/loose", "SECRET loose");
        let outcome = scan(&[place.path("w")]);
        assert_snapshot!(lines(&outcome.items, &[]), @"
SECRET loose | w/loose - -..- head
SECRET x | w/app/.hidden/x.env - -..- head
");
        assert_snapshot!(shown(&outcome), @"
files w read: 1 file, 12 bytes
files w/app read: 2 files, 14 bytes
git w/app read: 1 commit, 1 blob
");
    }

    #[cfg(unix)]
    #[test]
    fn links_pipes_and_odd_names() {
        use std::os::unix::ffi::OsStrExt;
        let place = Place::new();
        place.file("outside/secret", "SECRET outside");
        place.folder("w");
        std::os::unix::fs::symlink(place.path("outside"), place.path("w/out")).unwrap();
        std::os::unix::fs::symlink(place.path("outside/secret"), place.path("w/file")).unwrap();
        std::os::unix::fs::symlink(place.path("w"), place.path("w/round")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(place.path("w/socket")).unwrap();
        put_bytes(
            &place
                .path("w")
                .join(std::ffi::OsStr::from_bytes(b"n\xff 1")),
            b"SECRET odd",
        );
        let outcome = scan(&[place.path("w")]);
        assert_snapshot!(lines(&outcome.items, &[]), @"SECRET odd | w/n%FF%201 - -..- head");
        assert_snapshot!(shown(&outcome), @"files w read: 1 file, 10 bytes");
    }

    #[test]
    fn a_single_file() {
        let place = Place::new();
        let file = place.file("w/a.env", "SECRET a");
        place.file("w/b.env", "SECRET b");
        let outcome = scan(&[file]);
        assert_snapshot!(lines(&outcome.items, &[]), @"SECRET a | a.env/a.env - -..- head");
    }

    #[test]
    fn what_is_left_out_is_named_up_to_a_cap() {
        let place = Place::new();
        for at in 0..5 {
            place.file(&format!("w/large{at}"), "SECRET too large");
        }
        place.file("w/small", "x");
        let options = ReadOptions {
            limits: Limits {
                max_file_bytes: 10,
                max_notes: 2,
                ..Limits::default()
            },
            ..ReadOptions::default()
        };
        let outcome = scan_with(&[place.path("w")], &options);
        assert_snapshot!(shown(&outcome), @"
files w read: 1 file, 1 byte
files w/large0 skipped: larger than the cap of 0 MiB for one file
files w/large1 skipped: larger than the cap of 0 MiB for one file
files w/… skipped: 3 more skipped
");
    }

    /// A folder that turns into something else between discovery and reading fails by itself; a file that goes is a
    /// notice.
    #[cfg(unix)]
    #[test]
    fn what_changes_while_the_scan_runs() {
        let place = Place::new();
        place.file("w/a", "SECRET a");
        place.file("w/b", "SECRET b");
        let roots = discover(&[place.path("w")]).unwrap().roots;
        let outcome = crate::sources::read(
            &roots,
            &ReadOptions::default(),
            &crate::sources::NoProgress,
            &crate::sources::Everything,
            |document| {
                let _ = fs::remove_file(place.path("w/a"));
                let _ = fs::remove_file(place.path("w/b"));
                Some(document.uri.unwrap_or_default().to_owned())
            },
        );
        assert!(!outcome.items.is_empty());
        let listing = Listing {
            files: vec![PathBuf::from("gone")],
            omissions: Vec::new(),
        };
        let error = load(
            &roots[0],
            &listing.files[0],
            &Limits::default(),
            &mut Vec::new(),
        )
        .unwrap_err();
        assert_eq!(error.status, CoverageStatus::Skipped);

        put_bytes(&place.path("w/plain"), b"");
        let error = load(
            &roots[0],
            Path::new("plain/below"),
            &Limits::default(),
            &mut Vec::new(),
        )
        .unwrap_err();
        assert_eq!(error.status, CoverageStatus::Failed);

        fs::remove_dir_all(place.path("w")).unwrap();
        let outcome = scan_roots(&roots, &ReadOptions::default());
        assert_snapshot!(shown(&outcome), @"
files w partial: 0 files, 0 bytes; 1 path could not be read
files w failed: could not be read: entity not found
");
    }

    #[test]
    fn permission_denied_says_what_to_do() {
        let denied = Omission::failed(b"a".to_vec(), &io::ErrorKind::PermissionDenied.into());
        let entries = coverage("app", 3, 4_096, vec![denied], &Limits::default());
        let lines: Vec<String> = entries
            .iter()
            .map(|entry| format!("{} {} {}", entry.unit, entry.status.as_str(), entry.reason))
            .collect();
        assert_snapshot!(lines.join("\n"), @"
app partial 3 files, 4,096 bytes; 1 path could not be read
app/a failed permission denied; run the scan as a user who may read it
");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(count(1, "blob"), "1 blob");
        assert_eq!(count(0, "blob"), "0 blobs");
        assert_eq!(count(999, "blob"), "999 blobs");
        assert_eq!(count(1_204, "blob"), "1,204 blobs");
        assert_eq!(count(1_234_567, "byte"), "1,234,567 bytes");
    }
}
