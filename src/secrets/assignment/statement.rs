//! What the line around an assignment says of it: an argument of a command, a setting alone, a login.

use super::form::{Form, Reading};
use super::key::Key;
use super::value::is_quote;
use super::{at, contains, part};

/// Whether a name is that of a variable in the arguments of a command: `-e NAME=value`, `--build-arg NAME=value`.
pub(super) fn is_variable_argument(text: &[u8], key: &Key, reading: &Reading) -> bool {
    const FLAGS: [&[u8]; 5] = [
        b" -e",
        b" --env",
        b" --build-arg",
        b" --set-env-vars",
        b" -E",
    ];
    let head = part(text, reading.line.start..key.range.start);
    let head = head.strip_suffix(b"\"").unwrap_or(head);
    let head = head.strip_suffix(b"'").unwrap_or(head);
    let apart = head.trim_ascii_end();
    reading.form == Form::Equals
        && !reading.spaced
        && apart.len() < head.len()
        && FLAGS
            .iter()
            .any(|flag| apart.ends_with(flag) || apart == flag.trim_ascii())
}

/// Whether a line is `name=value` and nothing else, as settings are and hardly any statement is.
pub(super) fn is_line(text: &[u8], key: &Key, reading: &Reading) -> bool {
    let line = part(text, reading.line.clone()).trim_ascii();
    let name = part(text, key.range.clone());
    reading.form == Form::Equals
        && !reading.spaced
        && line.len() == name.len() + 1 + reading.value.len()
        && line.starts_with(name)
        && at(text, key.range.end + 1) != b' '
}

/// Whether a password follows the name of who logs in with it, on its line and written in the same way:
/// `{user: app, password: …}`.
pub(super) fn is_login(text: &[u8], key: &Key, reading: &Reading) -> bool {
    const USERS: [&[u8]; 5] = [b"user", b"username", b"login", b"usr", b"email"];
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@');
    let head = part(text, reading.line.start..key.range.start).trim_ascii_end();
    let Some(head) = head.strip_suffix(b",") else {
        return false;
    };
    let unquoted = |text: &[u8]| -> usize {
        let end = usize::from(text.last().is_some_and(|last| is_quote(*last)));
        text.len() - end
    };
    let head = part(head, 0..unquoted(head));
    let login = head
        .rsplit(|byte| !is_word(byte))
        .next()
        .unwrap_or_default();
    let head = part(head, 0..head.len() - login.len());
    let head = part(head, 0..unquoted(head)).trim_ascii_end();
    let Some((operator, head)) = head.split_last() else {
        return false;
    };
    let head = part(head, 0..unquoted(head));
    let name = head
        .rsplit(|byte| !is_word(byte))
        .next()
        .unwrap_or_default();
    key.name.family.id == "password"
        && !login.is_empty()
        && matches!(
            (operator, reading.form),
            (b':', Form::Colon | Form::Member) | (b'=', Form::Equals)
        )
        && !name.eq_ignore_ascii_case(login)
        && USERS.iter().any(|user| name.eq_ignore_ascii_case(user))
}

/// Whether a statement is about someone who logs in, as those of SQL with `IDENTIFIED BY` are.
pub(super) fn is_of_user(line: &[u8]) -> bool {
    let line = line.to_ascii_lowercase();
    [&b"user"[..], b"grant", b"role", b"link"]
        .iter()
        .any(|word| contains(&line, word))
}
