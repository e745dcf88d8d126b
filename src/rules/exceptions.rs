//! What of `overstay.toml` says nothing, or half of what it must: exceptions without an end or without anybody who answers for
//! them, and accounts that are none.

use super::config::{Annotation, Config, shown};
use toml::de::{DeTable, DeValue};

/// Digits of an AWS account id.
const ACCOUNT_DIGITS: usize = 12;

/// The first such mistake, with its line.
pub(super) fn check(text: &str, config: &Config) -> Result<(), String> {
    let Ok(document) = DeTable::parse(text) else {
        return Ok(());
    };
    let root = document.get_ref();
    if let Some(DeValue::Array(entries)) = root.get("identity").map(toml::Spanned::get_ref) {
        for (entry, note) in entries.iter().zip(&config.identities) {
            let DeValue::Table(table) = entry.get_ref() else {
                continue;
            };
            if let Some((keys, reason)) = mistake(note) {
                let at = keys
                    .iter()
                    .find_map(|wanted| {
                        let (key, _) = table
                            .iter()
                            .find(|(key, _)| key.get_ref().as_ref() == *wanted)?;
                        Some(key.span().start)
                    })
                    .unwrap_or(entry.span().start);
                return Err(shown(text, at, reason));
            }
        }
    }
    if let Some(DeValue::Table(accounts)) = root.get("account").map(toml::Spanned::get_ref) {
        for (key, _) in accounts {
            let id = key.get_ref();
            let number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
            if id.is_empty() || number && id.len() != ACCOUNT_DIGITS {
                let reason = format!(
                    "[account] `{id}` is no account: the id of an AWS account has {ACCOUNT_DIGITS} digits"
                );
                return Err(shown(text, key.span().start, &reason));
            }
        }
    }
    Ok(())
}

/// What is wrong with one entry, and the keys that tell of it.
fn mistake(note: &Annotation) -> Option<(&'static [&'static str], &'static str)> {
    const EXCEPTION: [&str; 3] = ["exception_expires", "exception_owner", "exception_reason"];
    let blank = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
    if note.matches.as_str().is_empty() {
        return Some((
            &["match"],
            "[[identity]] `match` is empty: it would fit nothing",
        ));
    }
    let excepted = note.exception_expires.is_some()
        || note.exception_owner.is_some()
        || note.exception_reason.is_some();
    if !excepted {
        return None;
    }
    if note.exception_expires.is_none() {
        return Some((
            &EXCEPTION,
            "[[identity]] an exception needs `exception_expires`: the day until which the access is accepted",
        ));
    }
    (blank(&note.exception_owner) && blank(&note.owner)).then_some((
        &EXCEPTION,
        "[[identity]] an exception needs `exception_owner` (or `owner`): somebody has to answer for it",
    ))
}

#[cfg(test)]
mod tests {
    use crate::rules::config::Config;

    #[test]
    fn half_an_exception_and_no_account_show_their_line() {
        for (text, line, named) in [
            (
                "[[identity]]\nmatch = \"*\"\nexception_expires = 2027-03-31\n",
                3,
                "exception_owner",
            ),
            (
                "[[identity]]\nmatch = \"a\"\nowner = \"x\"\n[[identity]]\nmatch = \"b\"\nexception_owner = \"x\"\n",
                6,
                "exception_expires",
            ),
            (
                "[[identity]]\nmatch = \"*\"\nexception_reason = \"x\"\n",
                3,
                "exception_expires",
            ),
            (
                "[[identity]]\nmatch = \"*\"\nexception_owner = \" \"\nexception_expires = 2027-03-31\n",
                4,
                "somebody",
            ),
            ("[[identity]]\nmatch = \"\"\nowner = \"x\"\n", 2, "match"),
            ("# c\n[account.12]\nown = true\n", 2, "12 digits"),
            (
                "account = { 1111222233334 = { own = true } }\n",
                1,
                "12 digits",
            ),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("line {line}:")) && error.contains(named),
                "{text}\n{error}"
            );
            assert!(
                error.contains(text.lines().nth(line - 1).unwrap()),
                "{error}"
            );
        }
        for text in [
            "[[identity]]\nmatch = \"*\"\nowner = \"x\"\nexception_expires = 2027-03-31\n",
            "[[identity]]\nmatch = \"*\"\nexception_owner = \"x\"\nexception_expires = 2027-03-31\n",
            "[account.111122223333]\nown = true\n[account.\"my-project\"]\nown = true\n",
        ] {
            Config::parse(text).unwrap();
        }
    }
}
