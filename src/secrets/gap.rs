//! What stands between a name and the secret it announces.

use super::assignment;
use super::found::Found;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::sync::LazyLock;

/// Words that announce something that is no secret.
static OTHERWISE: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(&crate::rules::credentials::context().placeholders.otherwise)
        .ok()
});

/// False where the gap speaks of a hash or a public id; less sure where nothing is assigned.
pub(super) fn check(text: &[u8], found: &mut Found) -> bool {
    let Some(gap) = found.gap.clone().and_then(|gap| text.get(gap)) else {
        return true;
    };
    let secret = found.secret.clone().and_then(|secret| text.get(secret));
    if OTHERWISE.as_ref().is_some_and(|words| words.is_match(gap))
        || pins(gap)
        || joins(gap)
        || is_encoded(gap)
        || (gap.ends_with(b"/") && (secret.is_some_and(is_uuid) || is_segment(gap)))
        || names_application(gap)
        || (secret.is_some_and(is_uuid) && names_thing(gap))
        || secret.is_some_and(is_name)
    {
        return false;
    }
    if !assigns(gap) {
        found.doubt("it stands near the name and is not assigned to it");
    }
    true
}

/// Words that end the name of a secret.
pub(super) const NOUNS: [&[u8]; 6] = [b"key", b"token", b"secret", b"access", b"private", b"pat"];

/// Whether the gap ends in a word for a secret: `…_TOKEN=`, `… secret `, `…Key: "`.
pub(super) fn announces(text: &[u8], found: &Found) -> bool {
    let Some(gap) = found.gap.clone().and_then(|gap| text.get(gap)) else {
        return false;
    };
    let end = gap
        .iter()
        .rposition(u8::is_ascii_alphanumeric)
        .map_or(0, |at| at + 1);
    let words = gap.get(..end).unwrap_or_default().to_ascii_lowercase();
    gap.len() - end <= MOST_SIGNS && NOUNS.iter().any(|noun| words.ends_with(noun))
}

/// Most signs between the last word and the value: `": "`, ` => '`.
pub(super) const MOST_SIGNS: usize = 6;

/// Whether what follows is a revision: `vendor/action@…`, `vendor.tgz#…`.
const fn pins(gap: &[u8]) -> bool {
    matches!(gap.last(), Some(b'@' | b'#'))
}

/// Whether the gap goes on into the value: `…Ab3?`, `…x%`.
fn joins(gap: &[u8]) -> bool {
    matches!(gap, [.., before, b'?' | b'%' | b'|' | b'#' | b'^' | b'*' | b'~'] if before.is_ascii_alphanumeric())
}

/// Whether name, gap and what follows are characters of one long text in base64, in which any short name comes up.
fn is_encoded(gap: &[u8]) -> bool {
    let is_mixed = |part: &[u8]| {
        part.len() >= 6
            && part.iter().any(u8::is_ascii_uppercase)
            && part.iter().any(u8::is_ascii_lowercase)
            && part.iter().any(u8::is_ascii_digit)
    };
    gap.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        && memchr::memchr2(b'+', b'/', gap).is_some()
        && (gap.contains(&b'+') || gap.split(|byte| *byte == b'/').any(is_mixed))
}

/// The rest of a part of a path, and the slash behind it: the name is that of a folder.
fn is_segment(gap: &[u8]) -> bool {
    gap.len() > 1
        && gap
            .iter()
            .rev()
            .skip(1)
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Groups of hexadecimal digits: in a path, the id of something.
fn is_uuid(value: &[u8]) -> bool {
    value.contains(&b'-')
        && value
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

/// Whether what is assigned is the public id of an application.
fn names_application(gap: &[u8]) -> bool {
    let lower = gap.to_ascii_lowercase();
    [
        &b"app_id"[..],
        b"app-id",
        b"app id",
        b"application_id",
        b"application id",
    ]
    .iter()
    .any(|name| memchr::memmem::find(&lower, name).is_some())
}

/// Whether what is assigned is the public id of something a vendor keeps: `organization_id`, `project id`.
fn names_thing(gap: &[u8]) -> bool {
    const THINGS: [&[u8]; 13] = [
        b"group",
        b"organization",
        b"organisation",
        b"org",
        b"project",
        b"region",
        b"zone",
        b"instance",
        b"image",
        b"volume",
        b"request",
        b"resource",
        b"server",
    ];
    let lower = gap.to_ascii_lowercase();
    let mut words = lower
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .rev();
    let last = words.next().unwrap_or_default();
    match last.strip_suffix(b"id") {
        Some(b"") => words.next().is_some_and(|word| THINGS.contains(&word)),
        Some(thing) => THINGS.contains(&thing),
        None => false,
    }
}

/// Whether what is assigned is a name of source code: `OAuth2TestsMixin`, `CONSUMER_KEY`.
fn is_name(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    if is_numbered(value) {
        let letters: Vec<u8> = value
            .iter()
            .copied()
            .filter(u8::is_ascii_alphabetic)
            .collect();
        return assignment::reads_like_words(&letters);
    }
    digits <= 1
        && !value
            .rsplit(|byte| matches!(byte, b'_' | b'-'))
            .next()
            .is_some_and(|last| last.len() > 8 && last.iter().all(u8::is_ascii_hexdigit))
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && assignment::reads_like_words(value)
}

/// Words and small numbers with dashes in between: `plan-value-1-2-40`.
fn is_numbered(value: &[u8]) -> bool {
    let is_number = |part: &[u8]| part.len() <= 3 && part.iter().all(u8::is_ascii_digit);
    let mut parts = value.split(|byte| matches!(byte, b'_' | b'-'));
    parts.clone().count() > 2
        && parts.all(|part| is_number(part) || part.iter().all(u8::is_ascii_lowercase))
}

/// Whether the gap ends in an assignment: `=`, `:`, `=>`, a comma or parenthesis between quotes, a header's blank.
fn assigns(gap: &[u8]) -> bool {
    let end = gap
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\'))
        .map_or(0, |at| at + 1);
    match gap.get(..end) {
        Some([.., b'=' | b':' | b'>' | b'(' | b',']) => true,
        Some(rest) => rest.to_ascii_lowercase().ends_with(b"bearer"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_told_from_neighbours() {
        for gap in [
            "_key=",
            "_KEY\" : \"",
            "-token => '",
            ".setKey(\"",
            " Authorization: Bearer ",
        ] {
            assert!(assigns(gap.as_bytes()), "{gap}");
        }
        assert!(pins(b"/setup-action@") && !pins(b"_url=https://user:"));
        for gap in ["_organization_id = \"", "ProjectId: ", "_group_id\":  \""] {
            assert!(names_thing(gap.as_bytes()), "{gap}");
        }
        for gap in ["_key_id = \"", "_secret: ", "_id="] {
            assert!(!names_thing(gap.as_bytes()), "{gap}");
        }
        assert!(is_name(b"plan-value-1-2-40") && !is_name(b"a1b2-value-1-2-40"));
        assert!(is_name(b"OVH_CONSUMER_KEY") && is_name(b"CONSUMER_KEY_NAME"));
        assert!(!is_name(b"abcdefabcdefabcdef") && !is_name(b"xkqzvwpjhgtrbnm"));
        for gap in [" ", "/", " is at ", ""] {
            assert!(!assigns(gap.as_bytes()), "{gap}");
        }
        assert!(
            is_encoded(b"kQ7/") == is_encoded(b"/") && is_encoded(b"kQ7vB2x/") && is_encoded(b"k+")
        );
        assert!(!is_encoded(b"/services/") && !is_encoded(b"_key=kQ7vB2x/") && !is_encoded(b""));
    }
}
