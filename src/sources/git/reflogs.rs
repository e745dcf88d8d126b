//! Reflogs: what the refs of this clone pointed at before. Git keeps the commits they name until an entry expires.

use super::refs::Way;
use git2::Oid;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

/// Largest part of one log that is read, in bytes.
const MAX_LOG: u64 = 256 << 20;
/// Longest line that is read; the ids stand in its first 81 bytes.
const MAX_LINE: u64 = 1 << 20;

/// The ids that any reflog below a git folder names. Older stash entries are only in the stash's reflog.
pub(super) fn reflogs(common: &Path) -> BTreeMap<Oid, Way> {
    let mut ids = BTreeMap::new();
    let work_trees = fs::read_dir(common.join("worktrees")).into_iter().flatten();
    let folders = work_trees.flatten().map(|entry| entry.path());
    for git_dir in folders.chain([common.to_owned()]) {
        let logs = git_dir.join("logs");
        for entry in walkdir::WalkDir::new(&logs).into_iter().flatten() {
            if entry.file_type().is_file() {
                let stash = entry.path() == logs.join("refs/stash");
                let way = if stash { Way::Stash } else { Way::Reflog };
                read(entry.path(), way, &mut ids);
            }
        }
    }
    ids
}

/// Adds both ids of each line: `<old> <new> <who> <time> <zone>\t<what>`.
fn read(log: &Path, way: Way, ids: &mut BTreeMap<Oid, Way>) {
    let Ok(file) = File::open(log) else {
        return;
    };
    let mut lines = BufReader::new(file.take(MAX_LOG));
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(1..) => {}
            Ok(0) | Err(_) => break,
        }
        for id in line.splitn(3, |&byte| byte == b' ').take(2) {
            let id = std::str::from_utf8(id).ok().filter(|id| id.len() == 40);
            if let Some(id) = id.and_then(|id| Oid::from_str(id).ok())
                && !id.is_zero()
            {
                let known = ids.entry(id).or_insert(way);
                *known = way.min(*known);
            }
        }
    }
}
