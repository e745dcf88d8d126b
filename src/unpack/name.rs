//! The way to a document inside archives, as part of an address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde::{Deserialize, Serialize};

/// What stands between an archive and the path inside it.
pub const SEPARATOR: &str = "!/";

/// Longest name of a member that is shown, in bytes.
const LONGEST: usize = 1024;

/// One step into an archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Step {
    /// A member by its name as the archive has it: any bytes at all.
    Member(Vec<u8>),
    /// The one document of a compressed stream, which has no name of its own.
    Content,
}

/// Everything is encoded but the unreserved characters of RFC 3986 and those of its paths that mean nothing here; the
/// exclamation mark does.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@')
    .remove(b'+')
    .remove(b'=')
    .remove(b'$')
    .remove(b',')
    .remove(b'(')
    .remove(b')');

/// The address of what is inside `outer`: `lib/app.jar!/config/app.properties`. Names that lead upwards, to a root, or
/// nowhere lose those parts.
pub fn address(outer: &str, steps: &[Step]) -> String {
    let mut out = outer.to_owned();
    for step in steps {
        let name = match step {
            Step::Member(raw) => member(raw),
            Step::Content => content(&out),
        };
        out.push_str(SEPARATOR);
        out.push_str(&name);
    }
    out
}

fn member(raw: &[u8]) -> String {
    let raw = raw.get(..LONGEST).unwrap_or(raw);
    let parts: Vec<String> = raw
        .split(|byte| matches!(byte, b'/' | b'\\'))
        .filter(|part| !matches!(*part, b"" | b"." | b".."))
        .map(|part| percent_encode(part, ENCODED).to_string())
        .collect();
    if parts.is_empty() {
        "unnamed".to_owned()
    } else {
        parts.join("/")
    }
}

/// The name of the compressed file without the ending that says how it is compressed.
fn content(outer: &str) -> String {
    let name = outer.rsplit('/').next().unwrap_or(outer);
    let stem = [".gz", ".bz2", ".xz", ".zst", ".zstd"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    match stem {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => "content".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_stay_inside_the_archive() {
        let of = |name: &[u8]| address("a.zip", &[Step::Member(name.to_vec())]);
        assert_eq!(of(b"conf/app.env"), "a.zip!/conf/app.env");
        assert_eq!(of(b"../../etc/passwd"), "a.zip!/etc/passwd");
        assert_eq!(of(b"/abs//./x"), "a.zip!/abs/x");
        assert_eq!(of(b"C:\\win\\x"), "a.zip!/C%3A/win/x");
        assert_eq!(of(b"\x1b[31m\xff\n"), "a.zip!/%1B%5B31m%FF%0A");
        assert_eq!(of(b".."), "a.zip!/unnamed");
        assert_eq!(of(b"a!/b"), "a.zip!/a%21/b");
    }

    #[test]
    fn a_stream_is_named_after_its_file() {
        let of = |outer: &str| address(outer, &[Step::Content]);
        assert_eq!(of("log/app.log.gz"), "log/app.log.gz!/app.log");
        assert_eq!(of("blob"), "blob!/content");
        assert_eq!(of(".gz"), ".gz!/content");
    }

    proptest! {
        #[test]
        fn any_name_gives_a_plain_address(name in proptest::collection::vec(any::<u8>(), 0..60)) {
            let address = address("a.zip", &[Step::Member(name)]);
            prop_assert!(address.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(address.matches(SEPARATOR).count(), 1);
            prop_assert!(address.split('/').all(|part| !matches!(part, ".." | "." | "")));
        }
    }
}
