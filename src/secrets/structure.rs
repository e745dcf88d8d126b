//! Runs a rule's checks on a match.

use super::found::Found;
use super::{aws, entropy, gap, gcp, jwt, login, pem, placeholder, ppk, stores};
use crate::rules::credentials::{Check, Rule, checksum};

/// Longest public id, subject or account taken from material.
const MAX_NAME: usize = 256;

/// Runs the checks in order; false where what matched is no credential.
pub(super) fn judge(rule: &Rule, text: &[u8], found: &mut Found) -> bool {
    let secret = found.secret.clone().and_then(|span| text.get(span));
    let secret = secret.filter(|_| !reads_on(rule));
    let id = found.public_id.as_deref().map(str::as_bytes);
    let values = [(secret, found.prefix.len()), (id, 0)];
    let any = |holds: fn(&[u8], &[u8]) -> bool| {
        values.iter().any(|(value, prefix)| {
            value.is_some_and(|value| holds(value, value.get(*prefix..).unwrap_or(value)))
        })
    };
    // Where a login has its form, a sequence is a bad password and not a stand-in for one.
    let is_login = rule
        .checks
        .iter()
        .any(|check| matches!(check, Check::Password));
    let none = if rule.generic && is_login {
        placeholder::is_stand_in
    } else if rule.generic {
        placeholder::is_placeholder
    } else {
        placeholder::is_vendor_stand_in
    };
    if any(none) {
        return false;
    }
    // A vendor's form is more than chance; that the rest of it is `1234567890` makes it an example, most likely.
    let filler = any(|_, random| placeholder::is_filler(random));
    if any(placeholder::is_typed) {
        found.discredit("it holds a sequence, as examples do");
    }
    if filler {
        found.discredit("it is filled up with one letter, as examples are");
    }
    rule.checks.iter().all(|check| passes(*check, text, found))
}

/// Rules whose match is only the beginning of the credential: their checks judge the whole.
fn reads_on(rule: &Rule) -> bool {
    rule.checks.iter().any(|check| {
        matches!(
            check,
            Check::Jwt
                | Check::JwtKubernetes
                | Check::Base64JwtKubernetes
                | Check::Pem
                | Check::Base64Pem
                | Check::GcpServiceAccount
                | Check::Ppk
        )
    })
}

fn passes(check: Check, text: &[u8], found: &mut Found) -> bool {
    let secret = found.secret.clone().and_then(|span| text.get(span));
    match check {
        Check::GithubCrc32 | Check::NpmCrc32 => {
            let body = secret.and_then(|secret| secret.get(found.prefix.len()..));
            if body.is_some_and(checksum::holds) {
                found.note("its checksum holds");
            } else {
                found.doubt("its checksum does not hold");
            }
            true
        }
        Check::Jwt => jwt::check(text, found, false),
        Check::JwtKubernetes => jwt::check(text, found, true),
        Check::Base64JwtKubernetes => jwt::check_wrapped(text, found),
        Check::Pem => pem::check(text, found),
        Check::Base64Pem => pem::check_wrapped(text, found),
        Check::AwsKeyId => {
            aws::check(found);
            true
        }
        Check::OtherStore => {
            stores::check(text, found);
            true
        }
        Check::GcpServiceAccount => gcp::check(text, found),
        Check::Password => login::check(text, found),
        Check::Gap => gap::check(text, found),
        Check::Ppk => ppk::check(text, found),
        Check::WeakPassword => secret.is_none_or(|secret| login::weigh(secret, "", found)),
        Check::LettersAndDigits if secret.is_some_and(|secret| !value_passes(check, secret)) => {
            let announced = gap::announces(text, found);
            if announced {
                found.discredit("it lacks either letters or digits");
            }
            announced
        }
        Check::Entropy(_)
        | Check::LettersAndDigits
        | Check::NotHex
        | Check::Base64Login
        | Check::Base64Text => secret.is_none_or(|secret| {
            value_passes(check, secret.get(found.prefix.len()..).unwrap_or(secret))
        }),
    }
}

/// How many bytes around a match a check looks at; `None` where there is no limit. Texts that keep so much of an earlier
/// one keep its verdict.
pub(super) const fn reach(check: &Check) -> Option<usize> {
    match check {
        Check::Jwt
        | Check::JwtKubernetes
        | Check::Base64JwtKubernetes
        | Check::Pem
        | Check::Base64Pem
        | Check::Ppk
        | Check::GcpServiceAccount => None,
        Check::OtherStore => Some(stores::AROUND),
        Check::GithubCrc32
        | Check::NpmCrc32
        | Check::AwsKeyId
        | Check::Password
        | Check::WeakPassword
        | Check::Gap
        | Check::Entropy(_)
        | Check::LettersAndDigits
        | Check::NotHex
        | Check::Base64Text
        | Check::Base64Login => Some(0),
    }
}

/// The checks that need nothing but a value. Others hold.
pub(super) fn value_passes(check: Check, value: &[u8]) -> bool {
    match check {
        Check::Entropy(least) => entropy::shannon(value) >= least,
        Check::LettersAndDigits => entropy::letters_and_digits(value),
        Check::NotHex => !value.iter().all(u8::is_ascii_hexdigit),
        Check::Base64Login => login::is_wrapped(value) && !login::is_wrapped_stand_in(value),
        Check::Base64Text => login::is_wrapped_text(value),
        _ => true,
    }
}

/// Text that may be shown: printable ASCII of a sane length.
pub(super) fn plain(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty() && bytes.len() <= MAX_NAME && bytes.iter().all(u8::is_ascii_graphic))
        .then(|| String::from_utf8_lossy(bytes).into_owned())
}
