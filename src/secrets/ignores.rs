//! Comments that say what is to be ignored: `overstay:ignore[rule-id, rule-id] reason`.

use crate::rules::config::Pattern;
use memchr::memmem;

const MARKER: &[u8] = b"overstay:ignore";
/// Longest list of rules, and longest reason, in bytes.
const MAX_PART: usize = 300;
/// Most markers heeded in one document.
const MAX_MARKERS: usize = 10_000;
/// What ends a comment on its own line.
const CLOSERS: &[&str] = &[
    "*/", "--->", "-->", "--%>", "%>", "#}", "=#", "*)", "|#", "#>", "]]", "-}", "--}}", "*}",
    "*#", "*@", "###",
];
/// What opens a comment and is more than punctuation; in lower case.
const OPENERS: &[&[u8]] = &[
    b"rem ", b"@rem ", b"dnl ", b"::", b"..", b"--[[", b"[//]: #", b"@*", b"@", b"\\",
];
/// What some editors begin a UTF-8 file with.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// One such comment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Marker {
    /// Line it stands on, from 1.
    pub line: u32,
    /// Nothing but the comment is on its line, so it speaks of the next one.
    pub alone: bool,
    /// Ids of detection rules or checks, or patterns over them; empty for all.
    pub rules: Vec<String>,
    /// Why; empty where none is given, and then nothing is ignored.
    pub reason: String,
}

impl Marker {
    /// Whether it speaks of a rule or check on a line.
    pub fn covers(&self, line: u32, rule: &str) -> bool {
        !self.reason.is_empty() && self.reaches(line) && self.names(rule)
    }

    fn reaches(&self, line: u32) -> bool {
        line == self.line || (self.alone && line == self.line.saturating_add(1))
    }

    fn names(&self, rule: &str) -> bool {
        self.rules.is_empty() || self.rules.iter().any(|named| Pattern::names(named, rule))
    }
}

/// The markers of a document, by line.
pub fn markers(text: &[u8]) -> Vec<Marker> {
    let mut out: Vec<Marker> = Vec::new();
    let (mut line, mut counted) = (1_u32, 0);
    for at in memmem::find_iter(text, MARKER).take(MAX_MARKERS) {
        let between = text.get(counted..at).unwrap_or_default();
        line = line.saturating_add(memchr::memchr_iter(b'\n', between).count() as u32);
        counted = at;
        let before = text.get(..at).unwrap_or_default();
        let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let rest = text.get(at + MARKER.len()..).unwrap_or_default();
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let rest = rest.get(..end.min(2 * MAX_PART)).unwrap_or_default();
        let rest = String::from_utf8_lossy(rest);
        if let Some((rules, reason)) = parts(&rest) {
            out.push(Marker {
                line,
                alone: opens_comment(before.get(start..).unwrap_or_default()),
                rules,
                reason,
            });
        }
    }
    out
}

/// The first marker that covers a rule on a line. They are sorted by line.
pub(super) fn covering<'m>(markers: &'m [Marker], line: u32, rule: &str) -> Option<&'m Marker> {
    let first = markers.partition_point(|marker| marker.line.saturating_add(1) < line);
    let near = markers.get(first..).unwrap_or_default().iter();
    near.take_while(|marker| marker.line <= line)
        .find(|marker| marker.covers(line, rule))
}

/// Rules and reason behind the marker; `None` where the text goes on as another word.
fn parts(rest: &str) -> Option<(Vec<String>, String)> {
    let (rules, reason) = match rest.strip_prefix('[') {
        Some(list) => {
            let (list, reason) = list.split_once(']')?;
            let ids = list.split(',').map(str::trim).filter(|id| !id.is_empty());
            (ids.map(ToOwned::to_owned).collect(), reason)
        }
        None if rest
            .starts_with(|next: char| next.is_alphanumeric() || "-_`'\"".contains(next)) =>
        {
            return None;
        }
        None => (Vec::new(), rest),
    };
    let cut = CLOSERS
        .iter()
        .filter_map(|closer| reason.find(closer))
        .min();
    let reason = reason
        .get(..cut.unwrap_or(reason.len()))
        .unwrap_or_default();
    let mut reason = reason.trim().trim_start_matches([':', '-']).trim();
    // Of a Markdown comment: `[//]: # (overstay:ignore reason)`.
    if !reason.contains('(') {
        reason = reason.trim_end_matches(')').trim_end();
    }
    // Of a member of JSON: `"_comment": "overstay:ignore reason"}`.
    if reason.matches('"').count() == 1 {
        reason = reason.trim_end_matches([',', '}', ']', ' ']);
        reason = reason.strip_suffix('"').unwrap_or(reason).trim_end();
    }
    let shown = reason.chars().filter(|character| !character.is_control());
    Some((rules, shown.take(MAX_PART).collect()))
}

/// Whether only what opens a comment stands before the marker.
fn opens_comment(before: &[u8]) -> bool {
    let before = before
        .strip_prefix(MARK)
        .unwrap_or(before)
        .trim_ascii_start();
    let begins = |opener: &&&[u8]| {
        let head = before.get(..opener.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(opener))
    };
    let opener = OPENERS.iter().find(begins).map_or(0, |opener| opener.len());
    let rest = before.get(opener..).unwrap_or_default();
    rest.iter()
        .all(|byte| byte.is_ascii_whitespace() || b"/*#-;<!%{'\"=(|".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn only(text: &str) -> Marker {
        let mut all = markers(text.as_bytes());
        assert_eq!(all.len(), 1, "{text}");
        all.remove(0)
    }

    #[test]
    fn patterns_name_rules() {
        let marker = only("x = 1 # overstay:ignore[generic-*, aws-?] known");
        for (rule, covered) in [("generic-key", true), ("aws-x", true), ("aws-xy", false)] {
            assert_eq!(marker.covers(1, rule), covered, "{rule}");
        }
    }

    #[test]
    fn quotes_that_close_are_no_reason() {
        let marker = only("{\"t\": 1, \"_c\": \"overstay:ignore kept for the tests\"},");
        assert_eq!(marker.reason, "kept for the tests");
    }

    #[test]
    fn comments_of_many_languages_are_read() {
        let alone = [
            "# {}",
            "// {}",
            "/* {} */",
            "<!-- {} -->",
            "<!--- {} --->",
            "-- {}",
            "--[[ {} ]]",
            "; {}",
            "% {}",
            "REM {}",
            "@rem {}",
            ":: {}",
            "dnl {}",
            ".. {}",
            "' {}",
            "\" {}",
            "! {}",
            "{- {} -}",
            "{# {} #}",
            "{* {} *}",
            "{{!-- {} --}}",
            "<%# {} %>",
            "(* {} *)",
            "<# {} #>",
            "#* {} *#",
            "@* {} *@",
            "@ {}",
            "[//]: # ({})",
            "### {} ###",
            "\\ {}",
            "   * {}",
            "\u{feff}# {}",
        ];
        for comment in alone {
            let text = comment.replace("{}", "overstay:ignore[a] why not");
            let marker = only(&text);
            assert_eq!(
                (marker.alone, marker.reason.as_str()),
                (true, "why not"),
                "{text}"
            );
            let behind = only(&format!("x = 1 {text}"));
            assert_eq!(
                (behind.alone, behind.reason.as_str()),
                (false, "why not"),
                "{text}"
            );
        }
        assert!(!only("}, // overstay:ignore of this line").alone);
        assert_eq!(
            only("# overstay:ignore sample (old)").reason,
            "sample (old)"
        );
    }

    #[test]
    fn markers_name_rules_and_reason() {
        let one =
            only("a\nkey = \"x\" # overstay:ignore[github-token, leaked-secret] rotated in May\n");
        assert_eq!(one.line, 2);
        assert_eq!(one.rules, ["github-token", "leaked-secret"]);
        assert_eq!(one.reason, "rotated in May");
        assert!(!one.alone);
        assert!(one.covers(2, "leaked-secret") && !one.covers(2, "other"));
        assert!(!one.covers(3, "leaked-secret"));
        let two = only("<!-- overstay:ignore a sample -->\n<a/>");
        assert_eq!((two.reason.as_str(), two.alone), ("a sample", true));
        assert!(two.covers(1, "any") && two.covers(2, "any") && !two.covers(3, "any"));
    }

    #[test]
    fn a_marker_without_a_reason_covers_nothing() {
        assert!(!only("// overstay:ignore[x]").covers(1, "x"));
        assert!(!only("/* overstay:ignore */ k = 1").covers(1, "x"));
        assert_eq!(markers(b"`overstay:ignore`, overstay:ignored"), []);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(parts in proptest::collection::vec(prop_oneof![
            Just(b"overstay:ignore".to_vec()), Just(b"[".to_vec()), Just(b"]".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..20)], 0..10)) {
            let _ = markers(&parts.concat());
        }
    }
}
