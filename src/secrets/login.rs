//! Passwords in connection strings and URLs.

use super::entropy;
use super::found::Found;
use super::placeholder;
use super::structure::plain;
use crate::rules::credentials::context;
use base64::Engine as _;

/// Below this many bits per character a password looks like a word.
const WORD_ENTROPY: f64 = 2.6;

/// What a password is worth by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// It says what belongs in its place.
    StandIn,
    /// Known to everyone.
    Known,
    /// It looks like a word.
    Word,
    /// It may be anyone's.
    Own,
}

/// Judges the password by itself and by the host it is for; names the login.
pub(super) fn check(text: &[u8], found: &mut Found) -> bool {
    let Some(secret) = found.secret.clone().and_then(|span| text.get(span)) else {
        return false;
    };
    let login = found.span.clone();
    let login = text.get(login).and_then(|login| {
        let url = login_of(login).filter(|_| is_of_url(secret));
        url.or_else(|| netrc_of(login))
    });
    if login.is_none() && !is_of_url(secret) {
        return false;
    }
    let (user, host) = login.unwrap_or_else(|| (user_before(text, found), String::new()));
    let worth = worth(secret, &user);
    let (local, example) = (is_local(&host), is_example(&host));
    let is_template = |name: &str| !is_of_url(name.as_bytes());
    let harmless = is_template(&host)
        || match worth {
            Worth::StandIn => true,
            Worth::Known => {
                example
                    || (local || host.is_empty())
                        && !user.is_empty()
                        && user.as_bytes().eq_ignore_ascii_case(secret)
            }
            Worth::Word => example,
            Worth::Own => false,
        };
    if harmless {
        return false;
    }
    tell(worth, found);
    if local {
        found.doubt("the host is local");
    } else if example {
        found.doubt("the host is one that documentation uses");
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

/// The user of `user:password`, where that is what matched.
fn user_before(text: &[u8], found: &Found) -> String {
    let secret = found.secret.clone().unwrap_or_default();
    let head = text.get(found.span.start..secret.start).unwrap_or_default();
    let user = head.strip_suffix(b":").unwrap_or_default();
    let user = user
        .rsplit(|byte| matches!(byte, b' ' | b'"' | b'\'' | b'=' | b'/'))
        .next();
    user.and_then(plain).unwrap_or_default()
}

/// Judges a password by itself; false where it only says what belongs there.
pub(super) fn weigh(secret: &[u8], user: &str, found: &mut Found) -> bool {
    let worth = worth(secret, user);
    tell(worth, found);
    worth != Worth::StandIn
}

fn worth(secret: &[u8], user: &str) -> Worth {
    // `user:password;option@host` of mail and of old protocols.
    let secret = match memchr::memchr(b';', secret) {
        Some(end) if end > 2 => secret.get(..end).unwrap_or(secret),
        _ => secret,
    };
    let lower = secret.to_ascii_lowercase();
    let words = &context().passwords;
    // `user1:password1`, one of several.
    let numbered = !user.is_empty()
        && words.is_stand_in(short_stem(&lower))
        && words.is_stand_in(short_stem(user.to_ascii_lowercase().as_bytes()));
    if numbered || words.is_stand_in(&lower) {
        Worth::StandIn
    } else if words.is_weak(&lower)
        || words.is_weak(stem(&lower))
        || (!user.is_empty() && user.as_bytes().eq_ignore_ascii_case(secret))
    {
        Worth::Known
    } else if secret.len() < 6
        || !entropy::letters_and_digits(secret)
        || entropy::shannon(secret) < WORD_ENTROPY
    {
        Worth::Word
    } else {
        Worth::Own
    }
}

fn tell(worth: Worth, found: &mut Found) {
    match worth {
        Worth::Known => {
            found.discredit("the password is one that examples and local set-ups use");
        }
        Worth::Word => found.doubt("the password looks like a word"),
        Worth::StandIn | Worth::Own => {}
    }
}

/// A word without the number of one or two digits behind it, or one that counts from 1.
fn short_stem(lower: &[u8]) -> &[u8] {
    let word = stem(lower);
    let counts = lower
        .get(word.len()..)
        .is_some_and(|number| b"123456789".starts_with(number));
    if counts || lower.len() - word.len() <= 3 {
        word
    } else {
        lower
    }
}

/// A word without the number behind it.
fn stem(lower: &[u8]) -> &[u8] {
    let end = lower
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |at| at + 1);
    let word = lower.get(..end).unwrap_or_default();
    match word {
        [word @ .., b'-' | b'_'] if end < lower.len() => word,
        _ => word,
    }
}

/// Whether a text can be the password of a URL: no port with a query or a fragment behind it, no `%NAME` of a template.
fn is_of_url(secret: &[u8]) -> bool {
    let digits = secret
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    // Of `host:port`, of an address of version 6, or nothing but separators.
    let is_address = secret.ends_with(b"]") && !secret.contains(&b'[');
    let is_escaped = !secret.is_empty()
        && secret
            .chunks(3)
            .all(|three| matches!(three, [b'%', b'2' | b'3', _]));
    let is_port = (1..=5).contains(&digits) && matches!(secret.get(digits), Some(b'#' | b'?'));
    let is_template = secret
        .windows(5)
        .any(|five| matches!(five, [b'%', name @ ..] if name.iter().all(u8::is_ascii_uppercase)));
    !is_port && !is_address && !is_escaped && !is_template
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

/// Whether a host is one that is kept for documentation and tests.
fn is_example(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    context().passwords.example_hosts.iter().any(|end| {
        if end.ends_with(['.', ':']) {
            return host.starts_with(end.as_str());
        }
        host.strip_suffix(end.as_str())
            .is_some_and(|rest| rest.is_empty() || end.starts_with('.') || rest.ends_with('.'))
    })
}

/// User and host of `machine host login user password …`.
fn netrc_of(login: &[u8]) -> Option<(String, String)> {
    let mut words = login
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let host = words
        .find(|word| *word == b"machine")
        .and_then(|_| words.next())?;
    let user = words
        .find(|word| *word == b"login")
        .and_then(|_| words.next())?;
    Some((plain(user)?, plain(host)?))
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
            && is_printable(&plain)
            && memchr::memchr(b':', &plain).is_some_and(|at| {
                let user = plain.get(..at).unwrap_or_default();
                at > 0 && at + 1 < plain.len() && !user.contains(&b' ')
            })
    })
}

/// Takes away what is told in plain text beside a login in base64 that holds the same password: one login, not two.
pub(super) fn without_repeats(
    text: &[u8],
    mut found: Vec<Found>,
    is_generic: impl Fn(&Found) -> bool,
) -> Vec<Found> {
    let wrapped: Vec<Vec<u8>> = found
        .iter()
        .filter(|one| !is_generic(one))
        .filter_map(|one| one.secret_bytes(text))
        .filter(|secret| is_wrapped(secret))
        .filter_map(|secret| super::pem::LENIENT.decode(secret).ok())
        .collect();
    if !wrapped.is_empty() {
        let is_inside = |password: &[u8]| {
            let mut logins = wrapped.iter();
            logins.any(|login| {
                let end = login.strip_suffix(password);
                end.is_some_and(|user| user.ends_with(b":"))
            })
        };
        found.retain(|one| !(is_generic(one) && one.secret_bytes(text).is_some_and(is_inside)));
    }
    found
}

/// Text of any language on one line.
fn is_printable(plain: &[u8]) -> bool {
    std::str::from_utf8(plain)
        .is_ok_and(|text| !text.starts_with(' ') && !text.chars().any(char::is_control))
}

/// Whether the password of a login in base64 only says what belongs there.
pub(super) fn is_wrapped_stand_in(text: &[u8]) -> bool {
    super::pem::LENIENT.decode(text).is_ok_and(|plain| {
        let password = memchr::memchr(b':', &plain).and_then(|at| plain.get(at + 1..));
        password.is_some_and(|password| {
            let lower = password.to_ascii_lowercase();
            placeholder::is_stand_in(password, password) || context().passwords.is_stand_in(&lower)
        })
    })
}

/// Whether a padded text is the base64 of a word that only says what belongs there.
pub(super) fn is_encoded_stand_in(text: &[u8]) -> bool {
    const LONGEST: usize = 40;
    text.ends_with(b"=")
        && text.len() <= LONGEST
        && super::pem::LENIENT.decode(text).is_ok_and(|mut plain| {
            plain.make_ascii_lowercase();
            placeholder::is_stand_in(&plain, &plain) || context().passwords.is_stand_in(&plain)
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
    fn passwords_are_weighed() {
        let is = |secret: &str, user: &str, expected| {
            assert!(
                worth(secret.as_bytes(), user) == expected,
                "{user}:{secret}"
            );
        };
        is("passwd1", "user1", Worth::StandIn);
        is("password-1", "user-1", Worth::StandIn);
        is("invalid", "", Worth::StandIn);
        is("secret", "app", Worth::Known);
        is("letmein123", "joe", Worth::Known);
        is("joe", "joe", Worth::Known);
        is("aybabtu", "michal", Worth::Word);
        is("hV7kQ2mZ9pL4", "user1", Worth::Own);
        for text in ["80#", "443?x=y", "%HTTPPORT", "a%HOSTIP", ":1]", "%3a%3f"] {
            assert!(!is_of_url(text.as_bytes()), "{text}");
        }
        for text in ["80x#1", "p%40ss", "a#b?c", "100%ABs"] {
            assert!(is_of_url(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn logins_are_read() {
        let login = |url: &str| login_of(url.as_bytes());
        let of = |user: &str, host: &str| Some((user.to_owned(), host.to_owned()));
        assert_eq!(login("db://u:p@h.example:5432/x"), of("u", "h.example"));
        assert_eq!(login("db://:p@[::1]:1"), of("", "[::1]"));
        assert_eq!(login("db://u:p@ss@h/x"), of("u", "h"));
        assert_eq!(login("u:p@h"), None);
        assert_eq!(
            netrc_of(b"machine h.io login ci password x"),
            of("ci", "h.io")
        );
        assert!(is_example("db.example.com") && is_example("EXAMPLE.org") && is_example("a.test"));
        assert!(is_example("[2001:db8::1]") && is_example("192.0.2.7"));
        assert!(!is_example("myexample.com") && !is_example("example.company") && !is_example(""));
        assert!(is_local("127.0.0.1") && is_local("LOCALHOST") && !is_local("db.corp.net"));
    }
}
