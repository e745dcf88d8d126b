//! Addresses of files, relative to what the viewer shows: one repository, or the folder that holds them all.

use crate::model::{Location, Report};
use std::collections::BTreeSet;

/// How the name of a repository and the path in it become one address.
pub(super) struct Addresses {
    prefixed: bool,
}

impl Addresses {
    /// Paths are relative to the repository when the whole report knows only one, and begin with the repository's name
    /// when it knows more.
    pub(super) fn of(report: &Report) -> Self {
        let seen = report.credentials.iter().flat_map(|each| &each.sightings);
        let locations = report.findings.iter().flat_map(|each| &each.locations);
        let declared = report.identities.iter().flat_map(|each| &each.locations);
        let read = report
            .coverage
            .iter()
            .filter(|entry| matches!(entry.source.as_str(), "git" | "files"))
            .map(|entry| entry.unit.as_str());
        let named: BTreeSet<&str> = seen
            .map(|each| each.repository.as_str())
            .chain(
                locations
                    .chain(declared)
                    .filter_map(|each| each.repository.as_deref()),
            )
            .filter(|name| !is_cloud(name))
            .collect();
        let inside = |unit: &str, name: &str| {
            unit.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let others = read
            .filter(|unit| !named.iter().any(|name| inside(unit, name)))
            .count();
        Self {
            prefixed: named.len() + others > 1,
        }
    }

    /// The address of a place.
    pub(super) fn of_place(&self, place: &Location) -> String {
        let repository = place.repository.as_deref().unwrap_or_default();
        let path = place.uri.trim_start_matches('/');
        if repository.is_empty() || (!self.prefixed && !is_cloud(repository)) {
            encode(path)
        } else {
            encode(&format!("{}/{path}", repository.trim_start_matches('/')))
        }
    }
}

/// The place lies in an account snapshot, not in a repository.
pub(super) fn is_cloud(repository: &str) -> bool {
    repository.starts_with("aws/")
}

/// A relative reference: what is encoded already stays, everything a path may not hold is encoded. Never empty, never a
/// scheme, never upwards.
fn encode(path: &str) -> String {
    // Most paths are references as they are.
    let plain = |byte: u8| byte == b'/' || unreserved(byte);
    if path.bytes().all(plain) && path.split('/').all(|part| !matches!(part, "" | "." | "..")) {
        return path.to_owned();
    }
    let kept = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "." | ".."));
    let segments: Vec<_> = kept
        .enumerate()
        // In the first segment a colon would end a scheme.
        .map(|(position, segment)| encode_segment(segment, position > 0))
        .collect();
    if segments.is_empty() {
        "unnamed".to_owned()
    } else {
        segments.join("/")
    }
}

/// Stands in a path as it is, wherever it is.
const fn unreserved(byte: u8) -> bool {
    matches!(
        byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')'
            | b'*' | b'+' | b',' | b';' | b'=' | b'@'
    )
}

fn encode_segment(segment: &str, colons: bool) -> String {
    let bytes = segment.as_bytes();
    let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut out = String::with_capacity(segment.len());
    for (at, byte) in segment.bytes().enumerate() {
        let kept = match byte {
            b'%' => hex(at + 1) && hex(at + 2),
            b':' => colons,
            other => unreserved(other),
        };
        if kept {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for half in [byte >> 4, byte & 15] {
                out.extend(char::from_digit(u32::from(half), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_relative_and_encoded_once() {
        for (path, address) in [
            ("src/a.rs", "src/a.rs"),
            ("a%20b c/é", "a%20b%20c/%C3%A9"),
            ("100%", "100%25"),
            ("c:/x:y", "c%3A/x:y"),
            ("/etc/../passwd", "etc/passwd"),
            ("javascript:x", "javascript%3Ax"),
            ("", "unnamed"),
            ("..", "unnamed"),
            ("a?b#c[d]", "a%3Fb%23c%5Bd%5D"),
        ] {
            assert_eq!(encode(path), address);
        }
    }

    #[test]
    fn snapshots_always_name_their_account() {
        let one = Addresses { prefixed: false };
        let cloud = Location::file("aws/111122223333", "a.json", 1, 1);
        assert_eq!(one.of_place(&cloud), "aws/111122223333/a.json");
        let file = Location::file("shop", "a.env", 1, 1);
        assert_eq!(one.of_place(&file), "a.env");
        assert_eq!(Addresses { prefixed: true }.of_place(&file), "shop/a.env");
    }

    proptest! {
        #[test]
        fn any_path_becomes_a_relative_reference(path in any::<String>()) {
            let address = encode(&path);
            prop_assert!(!address.is_empty() && !address.starts_with('/'));
            prop_assert!(address.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(!address.split('/').next().unwrap().contains(':'));
            prop_assert_eq!(encode(&address), address);
        }
    }
}
