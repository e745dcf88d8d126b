//! Text of a manifest that may be repeated in a report.

use regex::{Captures, Regex};
use std::sync::LazyLock;

/// Longest text repeated, in characters.
const MAX_CHARS: usize = 200;
/// Longest text looked at; masking comes before cutting, so that no half of a token is left over.
const MAX_READ_CHARS: usize = 4_000;
/// Shortest run of letters and digits that is taken for a token.
const TOKEN_CHARS: usize = 20;

/// Words that look like secrets: what follows `password=` and the like, the password of a URL, and runs of letters and
/// digits mixed.
static SUSPECTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)(?P<label>(?:pass(?:word|wd)?|secret|token|api[_-]?key|credentials?|authorization)["']?\s*[=:]\s*["']?"#,
        r#"(?:(?:bearer|basic|token)\s+)?|\b(?:bearer|basic)\s+|://[^/\s:@]*:)(?P<value>[^\s"'@$]{3,})"#,
        r"|(?P<word>[A-Za-z0-9_+=-]{20,})",
    ))
    .ok()
});

/// The text, safe to show: on one line, without control characters, bounded, and with everything that looks like a
/// secret masked.
pub(super) fn clean(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_READ_CHARS)
        .collect();
    let trimmed = line.trim();
    let Some(suspects) = SUSPECTS.as_ref() else {
        return String::new();
    };
    let mut shown = suspects
        .replace_all(trimmed, |found: &Captures<'_>| {
            if let Some(word) = found.name("word") {
                return if token_shaped(word.as_str()) {
                    "********".to_owned()
                } else {
                    word.as_str().to_owned()
                };
            }
            format!("{}********", found.name("label").map_or("", |m| m.as_str()))
        })
        .into_owned();
    if let Some((cut, _)) = shown.char_indices().nth(MAX_CHARS) {
        shown.truncate(cut);
        shown.push('…');
    }
    shown
}

/// Whether a line seems to hold a secret in clear text. Actions pinned to a commit do not.
pub(super) fn secretive(line: &str) -> bool {
    let pinned = |line: &str| {
        let line = line.trim_start().trim_start_matches("- ");
        line.starts_with("uses:") || line.starts_with("image:")
    };
    let Some(suspects) = SUSPECTS.as_ref() else {
        return true;
    };
    suspects.captures_iter(line).any(|found| {
        found
            .name("word")
            .is_none_or(|word| token_shaped(word.as_str()) && !pinned(line))
    })
}

/// A run of letters and digits that no one writes by hand.
fn token_shaped(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        run.len() >= TOKEN_CHARS
            && run.bytes().any(|b| b.is_ascii_digit())
            && run.bytes().any(|b| b.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_looks_like_a_secret_is_masked() {
        let token = ["gh", "p_16C7e42F292c6912E77", "10c838347Ae178B4a"].concat();
        for text in [
            format!("Bash(curl -H 'Authorization: Bearer {token}' x)"),
            format!("say {token}"),
            "postgres://app:hunter2x@db/prod".to_owned(),
            "PASSWORD=hunter2x".to_owned(),
        ] {
            let shown = clean(&text);
            assert!(
                !shown.contains("hunter2x") && !shown.contains("16C7e42F"),
                "{shown}"
            );
            assert!(shown.contains("********"));
        }
    }

    #[test]
    fn names_stay_as_they_are() {
        for text in [
            "Bash(npm run build:*)",
            "arn:aws:iam::123456789012:role/deploy-production-cluster",
            "system:serviceaccount:payments:nightly-reconciliation",
            "Deploy to production",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    proptest! {
        #[test]
        fn output_is_one_bounded_line(text in any::<String>()) {
            let shown = clean(&text);
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert!(shown.chars().count() <= MAX_CHARS + 1);
        }
    }
}
