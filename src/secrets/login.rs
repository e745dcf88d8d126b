//! Passwords in connection strings and URLs.

use super::entropy;
use super::found::Found;
use super::placeholder;
use super::structure::plain;
use crate::rules::credentials::context;
use base64::Engine as _;

/// Below this many bits per character a password looks like a word.
const WORD_ENTROPY: f64 = 2.6;

/// Judges the password by itself and by the host it is for; names the login.
pub(super) fn check(text: &[u8], found: &mut Found) -> bool {
    let Some(secret) = found.secret.clone().and_then(|span| text.get(span)) else {
        return false;
    };
    let login = found.span.clone();
    let login = text.get(login).and_then(login_of);
    let (user, host) = login.unwrap_or_default();
    if !weigh(secret, &user, found) || is_example(secret, &user, &host) {
        return false;
    }
    if is_local(&host) {
        found.doubt("the host is local");
    }
    if !host.is_empty() {
        found.subject = Some(if user.is_empty() {
            host
        } else {
            format!("{user}@{host}")
        });
    }
    true
}

/// Judges a password by itself; false where it only says what belongs there.
pub(super) fn weigh(secret: &[u8], user: &str, found: &mut Found) -> bool {
    let lower = secret.to_ascii_lowercase();
    let words = &context().passwords;
    if words.stand_ins.iter().any(|word| word.as_bytes() == lower) {
        return false;
    }
    if words.weak.iter().any(|weak| weak.as_bytes() == lower)
        || (!user.is_empty() && user.as_bytes().eq_ignore_ascii_case(secret))
    {
        found.discredit("the password is one that examples and local set-ups use");
    } else if secret.len() < 6
        || !entropy::letters_and_digits(secret)
        || entropy::shannon(secret) < WORD_ENTROPY
    {
        found.doubt("the password looks like a word");
    }
    true
}

/// One word twice for this machine: `redis:redis@localhost`.
fn is_example(secret: &[u8], user: &str, host: &str) -> bool {
    !user.is_empty() && is_local(host) && user.as_bytes().eq_ignore_ascii_case(secret)
}

fn is_local(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    context().passwords.local_hosts.iter().any(|local| {
        if local.ends_with('.') {
            host.starts_with(local.as_str())
        } else {
            host == *local
        }
    })
}

/// User and host of `scheme://user:password@host`.
fn login_of(url: &[u8]) -> Option<(String, String)> {
    let rest = url.get(memchr::memmem::find(url, b"://")? + 3..)?;
    let at = memchr::memrchr(b'@', rest)?;
    let user = rest.get(..memchr::memchr(b':', rest)?)?;
    let host = rest.get(at + 1..)?;
    let end = if host.first() == Some(&b'[') {
        memchr::memchr(b']', host).map_or(host.len(), |close| close + 1)
    } else {
        host.iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')))
            .unwrap_or(host.len())
    };
    Some((
        plain(user).unwrap_or_default(),
        plain(host.get(..end)?).unwrap_or_default(),
    ))
}

/// Whether base64 text is `user:password` in printable characters.
pub(super) fn is_wrapped(text: &[u8]) -> bool {
    super::pem::LENIENT.decode(text).is_ok_and(|plain| {
        plain.len() >= 5
            && plain.iter().all(u8::is_ascii_graphic)
            && memchr::memchr(b':', &plain).is_some_and(|at| at > 0 && at + 1 < plain.len())
    })
}

/// Whether the password of a login in base64 only says what belongs there.
pub(super) fn is_wrapped_stand_in(text: &[u8]) -> bool {
    super::pem::LENIENT.decode(text).is_ok_and(|plain| {
        let password = memchr::memchr(b':', &plain).and_then(|at| plain.get(at + 1..));
        password.is_some_and(|password| {
            let lower = password.to_ascii_lowercase();
            placeholder::is_stand_in(password, password)
                || context()
                    .passwords
                    .stand_ins
                    .iter()
                    .any(|word| word.as_bytes() == lower)
        })
    })
}

/// Whether base64 text is printable characters.
pub(super) fn is_wrapped_text(text: &[u8]) -> bool {
    super::pem::LENIENT
        .decode(text)
        .is_ok_and(|plain| plain.len() >= 4 && plain.iter().all(u8::is_ascii_graphic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_read() {
        let login = |url: &str| login_of(url.as_bytes());
        let of = |user: &str, host: &str| Some((user.to_owned(), host.to_owned()));
        assert_eq!(login("db://u:p@h.example:5432/x"), of("u", "h.example"));
        assert_eq!(login("db://:p@[::1]:1"), of("", "[::1]"));
        assert_eq!(login("db://u:p@ss@h/x"), of("u", "h"));
        assert_eq!(login("u:p@h"), None);
        assert!(is_local("127.0.0.1") && is_local("LOCALHOST") && !is_local("db.corp.net"));
    }
}
