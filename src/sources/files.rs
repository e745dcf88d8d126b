//! What is told of the files of a root.

use super::limits::Limits;
use super::load::Unread;
use super::place::uri_of_bytes;
use crate::model::{Coverage, CoverageStatus};
use serde::{Deserialize, Serialize};
use std::io;

/// Source word of this part of the coverage.
pub(super) const SOURCE: &str = "files";

/// Said of what was to be read when reading was stopped.
pub(super) const STOPPED: &str =
    "the scan was stopped before all of it was read: give it more time, it goes on where it was";

/// Why a file or folder was left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Omission {
    /// Path below the root, `/`-separated; empty for the root itself.
    pub(super) path: Vec<u8>,
    pub(super) status: CoverageStatus,
    pub(super) reason: String,
}

impl Omission {
    pub(super) fn failed(path: Vec<u8>, error: &io::Error) -> Self {
        Self {
            path,
            status: CoverageStatus::Failed,
            reason: reason_of(error),
        }
    }

    /// Of a root when reading was stopped.
    pub(super) fn stopped() -> Self {
        Self {
            path: Vec::new(),
            status: CoverageStatus::Failed,
            reason: STOPPED.to_owned(),
        }
    }

    /// Of what is beyond the cap in a file.
    pub(super) fn cut(path: Vec<u8>, limits: &Limits) -> Self {
        let cap = limits.max_file_bytes >> 20;
        Self {
            path,
            status: CoverageStatus::Skipped,
            reason: format!("larger than {cap} MiB: the rest was not read"),
        }
    }

    /// Of a file that was there when the folder was looked into.
    pub(super) fn unread(path: Vec<u8>, why: &Unread) -> Self {
        let reason = match why {
            Unread::NotAFile => "not a regular file".to_owned(),
            Unread::Failed(error) if error.kind() == io::ErrorKind::NotFound => {
                "removed while the scan ran".to_owned()
            }
            Unread::Failed(error) => return Self::failed(path, error),
        };
        Self {
            path,
            status: CoverageStatus::Skipped,
            reason,
        }
    }
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
    use std::fs;

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
        // What is within the cap is looked at.
        assert!(lines(&outcome.items, &[]).starts_with("SECRET too | w/large0 "));
        assert_snapshot!(shown(&outcome), @"
files w read: 6 files, 51 bytes
files w/large0 skipped: larger than 0 MiB: the rest was not read
files w/large1 skipped: larger than 0 MiB: the rest was not read
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
        assert_snapshot!(shown(&scan_roots(&roots, &ReadOptions::default())), @"
files w read: 0 files, 0 bytes
files w/a skipped: removed while the scan ran
files w/b skipped: removed while the scan ran
");

        put_bytes(&place.path("w/a"), b"");
        put_bytes(&place.path("w/b/below"), b"");
        let changed = discover(&[place.path("w")]).unwrap().roots;
        fs::remove_file(place.path("w/a")).unwrap();
        fs::remove_dir_all(place.path("w/b")).unwrap();
        put_bytes(&place.path("w/a/below"), b"");
        put_bytes(&place.path("w/b"), b"");
        assert_snapshot!(shown(&scan_roots(&changed, &ReadOptions::default())), @"
files w partial: 0 files, 0 bytes; 1 path could not be read
files w/a skipped: not a regular file
files w/b/below failed: could not be read: not a directory
");

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
