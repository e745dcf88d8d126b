//! Where a document of interest was found.

use crate::model::Trail;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;

/// One path of one repository that holds, or held, a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the root.
    pub repository: String,
    /// Path below the root, percent-encoded, `/`-separated. The name of the ref for a blob that a ref points at directly.
    pub uri: String,
    /// Full id of the earliest commit, parents before children, whose tree has this content at this path; `None` outside
    /// git and while uncommitted.
    pub commit: Option<String>,
    /// Author of that commit, `Name <mail>`.
    pub author: Option<String>,
    /// Committer time of that commit: when the content entered this history, which a rebase moves and an author date
    /// does not.
    pub first_seen: Option<Timestamp>,
    /// Committer time of HEAD where HEAD holds it; otherwise of the latest commit, on any ref, that does.
    pub last_seen: Option<Timestamp>,
    /// In the work tree or in HEAD's tree at this path.
    pub at_head: bool,
    /// What git tells beside that.
    pub trail: Trail,
}

/// What the visitor made of one document, and every place the document stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// What the visitor returned.
    pub value: T,
    /// The places, sorted; never empty.
    pub places: Vec<Place>,
}

/// What stays literal in a uri: the unreserved characters of RFC 3986 section 2.3, and those of its `pchar` (section
/// 3.3) that cannot be mistaken for a scheme or a query.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The uri of a `/`-separated path of bytes.
pub(super) fn uri_of_bytes(path: &[u8]) -> String {
    uri_of(path).into_owned()
}

/// The same, as it stands where nothing has to be encoded.
pub(super) fn uri_of(path: &[u8]) -> Cow<'_, str> {
    percent_encode(path, ENCODED).into()
}

/// A relative path as `/`-separated bytes.
pub(super) fn bytes_of(path: &Path) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.as_os_str().len());
    for part in path.components() {
        if !out.is_empty() {
            out.push(b'/');
        }
        out.extend_from_slice(part.as_os_str().as_encoded_bytes());
    }
    out
}

/// A name as the system takes it.
#[cfg(unix)]
pub(super) fn os_of(name: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(name)
}

/// A name as the system takes it.
#[cfg(not(unix))]
#[expect(
    unsafe_code,
    reason = "nothing safe makes a name of this system out of bytes"
)]
pub(super) fn os_of(name: &[u8]) -> &OsStr {
    // SAFETY: the bytes are those of a whole name that this program got from the system.
    unsafe { OsStr::from_encoded_bytes_unchecked(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_that_is_not_plain_is_encoded() {
        assert_eq!(uri_of_bytes(b"a/b c.txt"), "a/b%20c.txt");
        assert_eq!(uri_of_bytes(b"\xff\n%:"), "%FF%0A%25%3A");
        assert_eq!(uri_of_bytes("é".as_bytes()), "%C3%A9");
        assert_eq!(
            uri_of_bytes(b".github/w@x+y=z~.yml"),
            ".github/w@x+y=z~.yml"
        );
    }
}
