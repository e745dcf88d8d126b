//! What kind of text a line stands in: an unquoted value is text in a configuration and an expression in code.

use super::part;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes on either side of a line that are looked at.
pub(super) const AROUND: usize = 700;
/// Lines on either side.
const LINES: usize = 8;

/// What the lines around an assignment look like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Surroundings {
    /// Lines that only a configuration file has.
    pub settings: u32,
    /// Lines that only code has.
    pub code: u32,
    /// Lines of running text.
    pub prose: u32,
    /// A user name stands beside it.
    pub user: bool,
    /// It is one that lets anyone in.
    pub anonymous: bool,
}

/// Looks at the lines before and after `line`.
pub(super) fn around(text: &[u8], line: &Range<usize>) -> Surroundings {
    let mut found = Surroundings::default();
    let before = part(text, line.start.saturating_sub(AROUND)..line.start);
    let after = part(text, line.end..text.len().min(line.end + AROUND));
    // The first line of what was cut may be half a line.
    let before = match memchr::memchr(b'\n', before) {
        Some(cut) if line.start > AROUND => before.get(cut + 1..).unwrap_or_default(),
        _ => before,
    };
    for (near, one) in before.rsplit(|byte| *byte == b'\n').take(LINES).enumerate() {
        found.count(one, near < 4);
    }
    for (near, one) in after.split(|byte| *byte == b'\n').take(LINES).enumerate() {
        found.count(one, near < 4);
    }
    let own = part(text, line.clone());
    found.count(own, true);
    found
}

impl Surroundings {
    fn count(&mut self, line: &[u8], near: bool) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        if near && !(self.user && self.anonymous) && speaks_of_user(line) {
            self.user = true;
            self.anonymous |= names_anonymous(line);
        }
        match kind(line) {
            Some(Kind::Settings) => self.settings += 1,
            Some(Kind::Code) => self.code += 1,
            Some(Kind::Prose) => self.prose += 1,
            None => {}
        }
    }

    /// Settings rather than code.
    pub(super) const fn is_configuration(self) -> bool {
        self.settings > self.code && self.settings >= self.prose
    }
}

enum Kind {
    Settings,
    Code,
    Prose,
}

/// Whether a line begins as only code does.
fn begins_code(line: &[u8]) -> bool {
    let starts: &[&[u8]] = match line.first() {
        Some(b'/') => &[b"//", b"/*"],
        Some(b'*') => &[b"* "],
        Some(b'#') => &[b"#include", b"#define"],
        Some(b'a') => &[b"assert", b"await "],
        Some(b'c') => &[b"class ", b"const "],
        Some(b'd') => &[b"def "],
        Some(b'e') => &[b"else", b"elif "],
        Some(b'f') => &[b"from ", b"for ", b"func ", b"fn "],
        Some(b'i') => &[b"import ", b"if ", b"if("],
        Some(b'l') => &[b"let "],
        Some(b'p') => &[b"public ", b"private ", b"package "],
        Some(b'r') => &[b"return"],
        Some(b's') => &[b"self."],
        Some(b't') => &[b"this."],
        Some(b'u') => &[b"use "],
        Some(b'v') => &[b"var "],
        _ => &[],
    };
    starts.iter().any(|start| line.starts_with(start))
}

fn kind(line: &[u8]) -> Option<Kind> {
    // A setting that is switched off.
    let line = match line {
        [b'#' | b';', rest @ ..] if memchr::memchr2(b'=', b':', rest).is_some() => {
            rest.trim_ascii_start()
        }
        _ => line,
    };
    let [.., last] = line else { return None };
    if begins_code(line) || matches!(last, b';' | b'{' | b'}' | b'(' | b')') {
        return Some(Kind::Code);
    }
    if [b"ENV ".as_slice(), b"ARG ", b"export ", b"SET ", b"set "]
        .iter()
        .any(|start| line.starts_with(start))
    {
        return Some(Kind::Settings);
    }
    if let [b'[', .., b']'] = line {
        return Some(Kind::Settings);
    }
    let line = line.strip_prefix(b"- ").unwrap_or(line);
    let name = line
        .iter()
        .take_while(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'"' | b'\'')
        })
        .count();
    let quoted = line
        .first()
        .is_some_and(|byte| matches!(byte, b'"' | b'\''));
    let rest = line.get(name..).unwrap_or_default();
    if name > 0 && !quoted {
        let value = match rest {
            [b':', rest @ ..] if rest.is_empty() || rest.first() == Some(&b' ') => Some(rest),
            [b'=', rest @ ..] | [b' ', b'=', b' ', rest @ ..] => Some(rest),
            _ => None,
        };
        if let Some(value) = value {
            let value = value.trim_ascii();
            let called = memchr::memchr(b'(', value).is_some()
                || value.ends_with(b",")
                || value.ends_with(b"[");
            return Some(if called { Kind::Code } else { Kind::Settings });
        }
    }
    let words = line
        .split(|byte| *byte == b' ')
        .filter(|word| {
            word.len() > 1
                && word
                    .iter()
                    .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b',' | b'.'))
        })
        .count();
    if line.first() != Some(&b'#') && words >= 5 {
        return Some(Kind::Prose);
    }
    None
}

/// Bytes on either side of a token that may sign a call.
const BESIDE: usize = 200;

/// Whether the token of `line` is the nonce of a signed call: the time and the signature over both stand beside it, as in
/// the webhooks of Mailgun. Who has it can do nothing with it.
/// Source: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks, 2026-11-23.
pub(super) fn is_of_signed_call(text: &[u8], line: &Range<usize>, value: &[u8]) -> bool {
    const LENGTH: usize = 50;
    let beside = part(
        text,
        line.start.saturating_sub(BESIDE)..text.len().min(line.end + BESIDE),
    );
    let has = |word: &[u8]| memchr::memmem::find(beside, word).is_some();
    value.len() == LENGTH && has(b"timestamp") && has(b"signature")
}

/// Words for who logs in.
static USERS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build([
            "user",
            "login",
            "email",
            "account",
            "usr",
            "uid",
            "client_id",
            "clientid",
        ])
        .ok()
});

/// Whether the user of a line is `anonymous`, whose password is anyone's.
fn names_anonymous(line: &[u8]) -> bool {
    let line = part(line, 0..line.len().min(200)).to_ascii_lowercase();
    memchr::memmem::find_iter(&line, b"anonymous").any(|at| {
        let quoted = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'"' | b'\''));
        let end = line.get(at + b"anonymous".len());
        quoted(end)
            && at
                .checked_sub(1)
                .is_some_and(|before| quoted(line.get(before)))
    })
}

fn speaks_of_user(line: &[u8]) -> bool {
    let line = part(line, 0..line.len().min(200));
    USERS.as_ref().is_some_and(|users| users.is_match(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Surroundings {
        let middle = text.find("HERE").unwrap();
        let start = text[..middle].rfind('\n').map_or(0, |at| at + 1);
        let end = text[middle..]
            .find('\n')
            .map_or(text.len(), |at| middle + at);
        around(text.as_bytes(), &(start..end))
    }

    #[test]
    fn the_nonce_of_a_signed_call_stands_between_its_time_and_its_signature() {
        let nonce = "4kF9".repeat(13);
        let is = |nonce: &str, beside: &str| {
            let text = format!("timestamp: 1539112500,\ntoken: {nonce},\n{beside}: x");
            let start = text.find("token").unwrap();
            is_of_signed_call(
                text.as_bytes(),
                &(start..start + 7 + nonce.len()),
                nonce.as_bytes(),
            )
        };
        assert!(is(&nonce[..50], "signature"));
        assert!(!is(&nonce[..49], "signature") && !is(&nonce[..50], "issuer"));
    }

    #[test]
    fn settings_are_told_from_code() {
        assert!(of("[db]\nuser = app\npassword = HERE\nport = 1\n").is_configuration());
        assert!(of("spring:\n  user: app\n  password: HERE\n").is_configuration());
        assert!(
            !of("def f():\n    x = get(1)\n    password = HERE\n    return x\n").is_configuration()
        );
        assert!(!of("f({\n  user: a.b,\n  password: HERE,\n});\n").is_configuration());
        assert!(of("username: x\npassword: HERE").user);
    }
}
