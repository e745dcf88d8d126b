//! The two switches of libgit2 that cost an `unsafe` call: trust in repositories of other users, and the extension
//! name that partial clones carry.

use git2::{Error, Repository, RepositoryOpenFlags};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Once, PoisonError, RwLock};

static EXTENSIONS: Once = Once::new();
/// The owner switch is one for the whole process: opening with it turned over excludes every other opening.
static OWNER_SWITCH: RwLock<()> = RwLock::new(());

/// Opens the repository at `location` and nowhere above it.
pub(super) fn open_repository(
    location: &Path,
    bare: bool,
    trust_owner: bool,
) -> Result<Repository, Error> {
    EXTENSIONS.call_once(know_partial_clones);
    let flags = if bare {
        RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT | RepositoryOpenFlags::BARE
    } else {
        RepositoryOpenFlags::NO_SEARCH
    };
    let open = || Repository::open_ext(location, flags, std::iter::empty::<&OsStr>());
    if trust_owner {
        let _alone = OWNER_SWITCH.write().unwrap_or_else(PoisonError::into_inner);
        verify_owner(false)?;
        let opened = open();
        verify_owner(true)?;
        opened
    } else {
        let _shared = OWNER_SWITCH.read().unwrap_or_else(PoisonError::into_inner);
        open()
    }
}

#[expect(
    unsafe_code,
    reason = "git2 marks the switch unsafe because it is a global that other threads may read; OWNER_SWITCH orders \
              every opening against it"
)]
fn verify_owner(verify: bool) -> Result<(), Error> {
    // SAFETY: libgit2 is initialised by git2 before the call; no other thread opens a repository meanwhile.
    unsafe { git2::opts::set_verify_owner_validation(verify) }
}

/// A partial clone differs from a full one in missing objects only, which are reported one by one; libgit2 refuses it
/// for its name unless told.
#[expect(
    unsafe_code,
    reason = "git2 marks the switch unsafe because it is a global; it is set once, before any repository is opened here"
)]
fn know_partial_clones() {
    // SAFETY: runs once, under `Once`, before the first repository is opened.
    // Failure means that partial clones stay refused, which opening them reports.
    let _ = unsafe { git2::opts::set_extensions(&["partialclone"]) };
}
