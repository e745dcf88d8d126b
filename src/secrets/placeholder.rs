//! Values that stand in for a secret: never a finding.

use crate::rules::credentials::context;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::sync::LazyLock;

/// Longest value searched for placeholder words; longer ones are encoded material.
const MAX_LENGTH: usize = 400;
/// A run of one character this long is a filler.
const FILLER_RUN: usize = 6;

static WORDS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| automaton(&context().placeholders.words));
static SEQUENCES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| automaton(&context().placeholders.sequences));
static MARKERS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| automaton(&context().placeholders.markers));

fn automaton(patterns: &[String]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        // Values are short.
        .prefilter(false)
        .kind(Some(AhoCorasickKind::DFA))
        .build(patterns)
        .ok()
}

/// Whether a value stands in for a secret. `random` is the part of it that would be random in a real one.
pub(super) fn is_placeholder(value: &[u8], random: &[u8]) -> bool {
    is_stand_in(value, random) || is_typed(value, random)
}

/// Whether a value says of itself that it is none: a word, a template, a filler.
pub(super) fn is_stand_in(value: &[u8], random: &[u8]) -> bool {
    if value.is_empty() || value.len() > MAX_LENGTH {
        return value.is_empty();
    }
    says_so(value) || is_filler(random)
}

/// The same for a text in a vendor's own form: what is filled with `A` in place of `x` may be meant as a key, hardly.
pub(super) fn is_vendor_stand_in(value: &[u8], random: &[u8]) -> bool {
    if value.is_empty() || value.len() > MAX_LENGTH {
        return value.is_empty();
    }
    says_so(value) || (is_filler(random) && !is_lettered(random))
}

fn says_so(value: &[u8]) -> bool {
    let filled_in = (holds(&MARKERS, value) && !is_crossed(value))
        || is_formatted(value)
        || is_variable(value)
        || has_variable(value);
    holds(&WORDS, value) || (filled_in && !is_strewn(value))
}

/// Shortest name between percent signs that stands inside a longer value: escapes of bytes have two digits.
const VARIABLE: usize = 3;

/// `%NAME%` anywhere, as batch files write it.
fn has_variable(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'%');
    let last = parts.next_back();
    last.is_some()
        && parts.skip(1).any(|name| {
            name.len() >= VARIABLE
                && name
                    .iter()
                    .all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
        })
}

/// Whether so many different marks are among the letters and digits of a value that it was drawn from all there are, those
/// of templates among them.
fn is_strewn(value: &[u8]) -> bool {
    const MARKS: usize = 10;
    let has = |class: fn(&u8) -> bool| value.iter().any(class);
    if !has(u8::is_ascii_lowercase) || !has(u8::is_ascii_uppercase) || !has(u8::is_ascii_digit) {
        return false;
    }
    let mut seen = [false; 128];
    for byte in value.iter().filter(|byte| byte.is_ascii_punctuation()) {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    seen.iter().filter(|slot| **slot).count() >= MARKS
}

/// Whether a value is filled up with few characters.
pub(super) fn is_filler(random: &[u8]) -> bool {
    few_characters(random) || has_run(random)
}

/// A filler of letters other than `x`.
fn is_lettered(random: &[u8]) -> bool {
    random
        .windows(FILLER_RUN)
        .all(|run| !matches!(run, [first, rest @ ..] if !is_key_letter(*first) && rest.iter().all(|byte| byte == first)))
        && random.iter().filter(|byte| is_key_letter(**byte)).count() * 10 >= random.len() * 7
}

const fn is_key_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() && !matches!(byte, b'x' | b'X')
}

/// `%(name)s`: a name between the parentheses, for a password may hold `%(` too.
pub(super) fn is_formatted(value: &[u8]) -> bool {
    memchr::memchr_iter(b'%', value).any(|at| {
        let Some([b'(', rest @ ..]) = value.get(at + 1..) else {
            return false;
        };
        let name = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
            .count();
        name > 0 && matches!(rest.get(name), Some(b')') | None)
    })
}

/// Brackets that close what another kind opened: no template is written so, a password may be.
pub(super) fn is_crossed(value: &[u8]) -> bool {
    let mut open = Vec::new();
    for byte in value {
        match byte {
            b'{' => open.push(b'}'),
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'}' | b')' | b']' if open.pop().is_some_and(|expected| expected != *byte) => {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// Whether a value looks typed in by hand: a long sequence of the alphabet or the digits is in it.
pub(super) fn is_typed(value: &[u8], random: &[u8]) -> bool {
    value.len() <= MAX_LENGTH && (holds(&SEQUENCES, value) || is_sequence(random))
}

fn holds(automaton: &LazyLock<Option<AhoCorasick>>, value: &[u8]) -> bool {
    automaton
        .as_ref()
        .is_some_and(|automaton| automaton.is_match(value))
}

/// `$NAME`, `%NAME%`, `<name>`, `[name]`, `{name}`, `__NAME__`, `%s`, `*TAKEN*OUT*` and the like: filled in elsewhere.
fn is_variable(value: &[u8]) -> bool {
    let name = |part: &[u8]| {
        part.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ' | b':')
        })
    };
    match value {
        [b'$', rest @ ..] => {
            !rest.is_empty()
                && rest
                    .iter()
                    .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'0'..=b'9'))
                && !rest.first().is_some_and(u8::is_ascii_digit)
        }
        // `%b64[text]b64%`: a function of a test's text.
        [b'%', rest @ ..] if calls(rest) => true,
        [b'%', rest @ .., b'%']
        | [b'{', rest @ .., b'}']
        | [b'[', rest @ .., b']']
        | [b'_', b'_', rest @ .., b'_', b'_'] => name(rest),
        [b'*', rest @ .., b'*'] => rest
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'*' | b'_' | b' ')),
        [b'%', b's' | b'd' | b'v' | b'q' | b'@'] | [b'@', b'@', ..] | [b'<', ..] | [.., b'>'] => {
            true
        }
        _ => false,
    }
}

/// The name of a function and the bracket of its argument.
fn calls(rest: &[u8]) -> bool {
    let name = rest
        .iter()
        .take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        .count();
    name > 1 && rest.get(name) == Some(&b'[')
}

/// One or two different characters in all.
fn few_characters(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in value {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    let distinct = seen.iter().filter(|slot| **slot).count();
    distinct <= 1 || (value.len() >= 8 && distinct <= 2) || (value.len() >= 16 && distinct <= 4)
}

fn has_run(value: &[u8]) -> bool {
    let mut run = 0;
    let mut last = None;
    for byte in value {
        run = if last == Some(*byte) { run + 1 } else { 1 };
        last = Some(*byte);
        if run >= FILLER_RUN {
            return true;
        }
    }
    false
}

/// Most neighbours differ by one: `abcdef…`, `987654…`; or its letters and its digits do, each by themselves:
/// `a1b2c3d4…`, `AaBb-CcDd…`, `abc123def456…`.
fn is_sequence(value: &[u8]) -> bool {
    is_row(value) || is_counted(value)
}

/// Fewest letters and digits of a value that counts in both.
const COUNTED: usize = 16;

/// The letters go through the alphabet, in any case and each once or twice, and so do the digits.
fn is_counted(value: &[u8]) -> bool {
    let class = |holds: fn(&u8) -> bool| {
        let of = value.iter().filter(|byte| holds(byte));
        of.map(u8::to_ascii_lowercase).collect::<Vec<u8>>()
    };
    let (letters, digits) = (class(u8::is_ascii_alphabetic), class(u8::is_ascii_digit));
    letters.len() + digits.len() >= COUNTED
        && letters.len() >= 6
        && digits.len() >= 3
        && counts(&letters)
        && counts(&digits)
}

/// Most of them are followed by themselves or by the next.
fn counts(row: &[u8]) -> bool {
    let steps = row
        .windows(2)
        .filter(|pair| {
            matches!(pair, [a, b] if b.wrapping_sub(*a) <= 1 || matches!((a, b), (b'z', b'a') | (b'9', b'0' | b'1')))
        })
        .count();
    steps * 10 >= (row.len() - 1) * 8
}

fn is_row(value: &[u8]) -> bool {
    if value.len() < 6 {
        return false;
    }
    let steps = value
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.abs_diff(*b) == 1))
        .count();
    steps * 10 >= (value.len() - 1) * 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stand_ins_are_known() {
        for value in [
            "",
            "changeme",
            "MyChangeMe1",
            "xxxxxxxx",
            "XXXXXXXXXXXX",
            "your-api-key",
            "<token>",
            "${TOKEN}",
            "$TOKEN",
            "{{ token }}",
            "%s",
            "%TOKEN%",
            "********",
            "aaaaaaaaaaaaaaaa",
            "0123456789abcdef",
            "abcdefghijklmnop",
            "EXAMPLEKEY",
            "__TOKEN__",
            "ab12000000000000",
            "a1B2c3D4e5F6g7H8",
            "Aa1Bb2-Cc3Dd4-Ee5Ff6Gg7H",
            "abc123def456ghi789jkl012mno345",
            "[password]",
            "{password}",
            "%b64[iam:myself]b64%",
            "%USER%@%RANDOM%",
            "*TAKEN*OUT*",
        ] {
            assert!(
                is_placeholder(value.as_bytes(), value.as_bytes()),
                "{value}"
            );
        }
        for value in [
            "hV7kQ2mZ9pL4",
            "correct-horse",
            "c0rrect",
            "$2a$10$Kd8sXw",
            "p%40ss",
            "%E4%B8%AD%E6",
            "*k9*",
            "a1b2c3d4",
            "3f9a1c7e5b2d8f604a6c",
            "R7mQ2vN9xK4pT8cW1zL6gH3sD5fJ0aB7",
            "gW1:OKgr&4sgFsq `= .DcBO4qZhK|f_#`( /%M E8$(`x~SCe=r2[yW0qR>",
        ] {
            assert!(
                !is_placeholder(value.as_bytes(), value.as_bytes()),
                "{value}"
            );
        }
    }

    #[test]
    fn sequences_are_told_from_words() {
        for value in ["k9-1234567890-zq", "ABCDEFGH-x7", "0123456789abcdef"] {
            let value = value.as_bytes();
            assert!(is_typed(value, value) && !is_stand_in(value, value));
        }
        assert!(!is_typed(b"changeme", b"changeme") && is_stand_in(b"changeme", b"changeme"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(value in proptest::collection::vec(any::<u8>(), 0..500)) {
            let _ = is_placeholder(&value, &value);
        }
    }
}
