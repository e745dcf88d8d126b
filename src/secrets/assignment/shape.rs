//! Values that are something else, whatever name they are assigned to.

use super::super::{login, placeholder};
use super::key::Key;
use super::words::wording;
use super::{contains, part};
use crate::rules::credentials::{assignments, context};

/// Longest value that is judged as an identifier, a path or the like.
const SHORT: usize = 200;

/// Whether a value cannot be the secret of `key`, wherever it stands.
pub(super) fn is_harmless(value: &[u8], key: &Key) -> bool {
    // What costs least comes first.
    value.len() < 3
        || is_number(value)
        || is_constant(value)
        || is_reference(value)
        || placeholder::is_placeholder(value, value)
        || is_stand_in(value, key)
        || is_hashed(value)
        || is_unsigned(value)
        || is_of_no_store(value, key)
        || (key.name.family.id == "auth" && login::is_wrapped_stand_in(value))
        || (key.name.family.id == "credential"
            && login::is_wrapped(value)
            && login::is_wrapped_stand_in(value))
        || (key.name.family.id == "password" && login::is_encoded_stand_in(value))
        || is_sealed(value)
        || is_data(value)
        || is_key_fingerprint(value, key)
        || (is_uuid(value) && key.name.family.id == "key" && !key.is_qualified())
        || (value.len() <= SHORT && (is_address(value) || is_date_or_version(value)))
        || is_sentence(value)
}

/// The fingerprint or the id of an OpenPGP key, which names a key and is public: `GPG_KEY=7169…`.
fn is_key_fingerprint(value: &[u8], key: &Key) -> bool {
    let before = &key.name.before;
    matches!(value.len(), 8 | 16 | 40)
        && key.name.family.id == "key"
        && !key.name.plural
        && before.iter().any(|word| word == "gpg" || word == "pgp")
        && value.iter().all(u8::is_ascii_hexdigit)
}

/// Words of languages that are no text.
fn is_constant(value: &[u8]) -> bool {
    const CONSTANTS: [&[u8]; 35] = [
        b"true",
        b"false",
        b"null",
        b"none",
        b"nil",
        b"undefined",
        b"yes",
        b"no",
        b"on",
        b"off",
        b"nan",
        b"void",
        b"self",
        b"this",
        b"optional",
        b"required",
        b"disabled",
        b"enabled",
        b"default",
        b"auto",
        b"string",
        b"object",
        b"bool",
        b"empty",
        b"function",
        b"number",
        b"boolean",
        b"symbol",
        b"digest",
        b"basic",
        b"bearer",
        b"ntlm",
        b"kerberos",
        b"negotiate",
        b"oauth2",
    ];
    CONSTANTS
        .iter()
        .any(|constant| value.eq_ignore_ascii_case(constant))
        || is_constant_name(value)
}

/// The name of a constant of three words and more: `VALUE_OF_A_PARAMETER`.
fn is_constant_name(value: &[u8]) -> bool {
    memchr::memchr_iter(b'_', value).count() > 1
        && value
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
        && wording(value).share > 0.6
}

/// A text that says what belongs in its place, the name itself among them.
fn is_stand_in(value: &[u8], key: &Key) -> bool {
    if !value.iter().any(u8::is_ascii_alphabetic) {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let letters: Vec<u8> = lower
        .iter()
        .copied()
        .filter(u8::is_ascii_alphabetic)
        .collect();
    let names: String = key.name.before.concat();
    let words = &context().passwords;
    words.is_stand_in(&lower)
        || (letters.len() == lower.len() && is_head(&lower))
        || letters == key.name.family.id.as_bytes()
        || is_own_word(&lower, key)
        || (key.name.family.id == "password"
            && lower.ends_with(b"password")
            && lower.iter().all(u8::is_ascii_lowercase))
        || (!names.is_empty()
            && letters.starts_with(names.as_bytes())
            && letters.ends_with(key.name.family.id.as_bytes()))
}

/// The word that the name says its password is for: `POSTGRES_PASSWORD: postgres`.
fn is_own_word(lower: &[u8], key: &Key) -> bool {
    key.name.family.id == "password"
        && key
            .name
            .before
            .iter()
            .any(|word| word.len() > 3 && word.as_bytes() == lower)
}

/// The word for a secret itself, in any of the languages that are known.
fn is_head(word: &[u8]) -> bool {
    std::str::from_utf8(word).is_ok_and(|word| assignments().is_head(word))
}

/// A reference into another store, an encrypted value, a variable.
fn is_reference(value: &[u8]) -> bool {
    const STARTS: [&[u8]; 26] = [
        b"arn:",
        // What a lock file says of a package.
        b"npm:",
        b"workspace:",
        // Certificates and public keys in base64.
        b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FUR",
        b"LS0tLS1CRUdJTiBQVUJMSUMgS0VZ",
        b"vault:",
        b"op://",
        b"ssm:",
        b"secretsmanager:",
        b"env:",
        b"file:",
        b"ENC[",
        b"{cipher}",
        b"!vault",
        b"!Ref",
        b"!Sub",
        b"$ANSIBLE_VAULT",
        b"@Microsoft.KeyVault",
        b"keyring:",
        b"ref+",
        b"secret://",
        b"kms:",
        b"AQICAH",
        b"process.",
        b"data:",
        b"os.environ",
    ];
    const ANYWHERE: [&[u8]; 7] = [b"${", b"{{", b"$(", b"#{", b"<%", b"secrets.", b"os.getenv"];
    STARTS.iter().any(|start| value.starts_with(start))
        || (!placeholder::is_crossed(value) && ANYWHERE.iter().any(|mark| contains(value, mark)))
        || placeholder::is_formatted(value)
        // A text that ends there and goes on behind a call: `'".md5($password)."'`.
        || (matches!(value, [b'.', .., b'.']) && value.contains(&b'('))
        || value.starts_with(b"&") && value.get(1).is_some_and(u8::is_ascii_alphabetic)
}

/// A password that is kept as a hash: it can be guessed, not used.
fn is_hashed(value: &[u8]) -> bool {
    const STARTS: [&[u8]; 21] = [
        b"$1$",
        b"$2$",
        b"$2a$",
        b"$2b$",
        b"$2y$",
        b"$5$",
        b"$6$",
        b"$7$",
        b"$argon2",
        b"$pbkdf2",
        b"$scrypt",
        b"$apr1$",
        b"$y$",
        b"pbkdf2",
        b"{SHA",
        b"{SSHA",
        b"{MD5",
        b"{CRYPT",
        b"bcrypt",
        b"sha1$",
        b"{bcrypt}",
    ];
    STARTS.iter().any(|start| value.starts_with(start)) || is_crypted(value)
}

/// `$id$salt$hash`, as crypt writes it, or `id$salt$hash`, as Django does, whatever the function.
fn is_crypted(value: &[u8]) -> bool {
    let mut parts = value
        .strip_prefix(b"$")
        .unwrap_or(value)
        .split(|byte| *byte == b'$');
    let [Some(id), Some(salt), Some(hash), None] = std::array::from_fn(|_| parts.next()) else {
        return false;
    };
    let plain = |part: &[u8]| {
        !part.is_empty()
            && part
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'-'))
    };
    plain(id) && plain(salt) && plain(hash) && hash.len() >= 16
}

/// A token of a shared access signature without the signature: it says what it is for and lets nobody in.
fn is_unsigned(value: &[u8]) -> bool {
    let has = |name: &[u8]| {
        value
            .split(|byte| matches!(byte, b'&' | b'?'))
            .any(|part| part.starts_with(name))
    };
    has(b"sv=") && has(b"se=") && has(b"sr=") && !has(b"sig=")
}

/// Whether it is no secret access key, neither of AWS (40 characters of base64) nor as other stores that speak S3 may give
/// one: as short, or so many hexadecimal digits as a hash has.
fn is_of_no_store(value: &[u8], key: &Key) -> bool {
    const LONGEST: usize = 48;
    let words = &key.name.before;
    let named = ["aws", "secret", "access"]
        .iter()
        .all(|word| words.iter().any(|own| own == word));
    let is_hex = value.iter().all(u8::is_ascii_hexdigit);
    named
        && if is_hex {
            value.len() > 24 && !matches!(value.len(), 32 | 40 | 48 | 64)
        } else {
            value.len() > LONGEST
        }
}

/// Whether a value in a column of passwords is the hash of one, which tables hold more often than the password: digits of the
/// length of a digest, its bytes in base64, and what frameworks write before it.
pub(super) fn is_digest(value: &[u8], family: &str) -> bool {
    const STARTS: [&[u8]; 12] = [
        b"$P$",
        b"$H$",
        b"$S$",
        b"SCRAM-SHA",
        b"scrypt:",
        b"sha256$",
        b"sha512$",
        b"md5$",
        b"sha256:",
        b"argon2",
        b"{PBKDF2",
        b"{X-",
    ];
    if family != "password" {
        return false;
    }
    let digits = [&b"0x"[..], b"*", b"md5", b"0200"]
        .iter()
        .find_map(|start| value.strip_prefix(*start))
        .unwrap_or(value);
    let is_hex = |digits: &[u8]| {
        digits.len() >= 16
            && digits.len().is_multiple_of(8)
            && digits.iter().all(u8::is_ascii_hexdigit)
    };
    let letters = value.iter().rev().skip_while(|byte| **byte == b'=').count();
    let is_base64 = matches!(
        (letters, value.len()),
        (22, 24) | (27, 28) | (43, 44) | (86, 88)
    ) && value
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    STARTS.iter().any(|start| value.starts_with(start))
        || is_hex(digits)
        || is_hex(value)
        || is_base64
}

/// A value that only a cluster can open (a sealed secret of Kubernetes): it begins with the two bytes of the length of an
/// RSA block, 256 to 1024, and holds that block.
fn is_sealed(value: &[u8]) -> bool {
    const SHORTEST: usize = 340;
    value.len() >= SHORTEST
        && matches!(value, [b'A', b'g', b'A'..=b'E', ..])
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// Whether a line is a header that proves a secret without telling it: the challenge of a server, or an answer or a
/// signature made with the secret.
pub(super) fn is_proof(line: &[u8], family: &str) -> bool {
    let has = |needle: &[u8]| contains(line, needle);
    match family {
        // Of a page's policy: everyone who reads the page is told.
        "nonce" => {
            has(b"realm=") && has(b"nonce=")
                || [
                    &b"<script"[..],
                    b"<style",
                    b"<link",
                    b"csp-nonce",
                    b"policy_nonce",
                ]
                .iter()
                .any(|mark| has(mark))
        }
        "auth" | "credential" => {
            has(b"realm=") && has(b"nonce=") || has(b"Credential=") && has(b"Signature=")
        }
        _ => false,
    }
}

/// Whether a value is a pattern that texts are compared with: `[a-f0-9]{32}`, `\w+`.
fn is_pattern(value: &[u8]) -> bool {
    const MARKS: [&[u8]; 8] = [
        b"[a-z", b"[A-Z", b"[0-9", b"[a-f", b"[A-F", b"(?:", b"(?P<", b"[^",
    ];
    MARKS.iter().any(|mark| contains(value, mark))
        || value.windows(3).any(|three| {
            matches!(
                three,
                [b'\\', b'w' | b'd' | b'S' | b's', b'+' | b'*' | b'{']
            )
        })
}

/// Whether a value is bytes with many zeros: a position, a number, no secret.
fn is_numeric_bytes(value: &[u8]) -> bool {
    value
        .windows(4)
        .filter(|four| *four == b"\\x00")
        .nth(2)
        .is_some()
}

/// Text in braces that Maven has encrypted with the master password.
fn is_encrypted(value: &[u8]) -> bool {
    let [b'{', inner @ .., b'}'] = value else {
        return false;
    };
    inner.len() >= 24
        && inner.len().is_multiple_of(4)
        && inner
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// Part of a structure or a filler that is replaced: `["…`, `%%NAME%%`, `###NAME###`.
fn is_data(value: &[u8]) -> bool {
    matches!(value, [b'[' | b'{', b'"' | b'\'' | b'{' | b'[', ..])
        || contains(value, b"=%s")
        || is_pattern(value)
        || is_numeric_bytes(value)
        || is_encrypted(value)
        || value
            .windows(3)
            .any(|three| matches!(three, [before, b'"', b':'] if *before != b'\\'))
        || value.starts_with(b"%%") && value.ends_with(b"%%")
        || value.starts_with(b"##") && value.ends_with(b"##")
        || value.starts_with(b"ENC(")
        || is_colour(value)
        || begins_with_variable(value)
}

/// `#00a885`, as style sheets write it.
fn is_colour(value: &[u8]) -> bool {
    matches!(value, [b'#', digits @ ..] if matches!(digits.len(), 3 | 4 | 6 | 8) && digits.iter().all(u8::is_ascii_hexdigit))
}

/// `$NAME://…`, `$NAME/…`: a shell puts the rest together with what the variable holds.
fn begins_with_variable(value: &[u8]) -> bool {
    let Some((b'$', rest)) = value.split_first() else {
        return false;
    };
    let name = rest
        .iter()
        .take_while(|byte| byte.is_ascii_uppercase() || **byte == b'_')
        .count();
    name >= 3 && matches!(rest.get(name), Some(b':' | b'/'))
}

/// A call: a name and an opening parenthesis.
pub(super) fn is_call(value: &[u8]) -> bool {
    memchr::memchr(b'(', value).is_some_and(|open| {
        open > 0
            && part(value, 0..open).iter().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'$' | b'@')
            })
    })
}

/// `8-4-4-4-12` hexadecimal digits.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Brackets that close what another kind opened, and neither a text in quotes nor a regular expression that could hold
/// them: no code is written so.
pub(super) fn is_riddled(value: &[u8]) -> bool {
    !value
        .iter()
        .any(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'^' | b'\\' | b' '))
        && placeholder::is_crossed(value)
}

/// Source code that is evaluated: names, calls, members, operators.
pub(super) fn is_code(value: &[u8]) -> bool {
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    let Some(first) = value.first() else {
        return true;
    };
    if value.iter().any(|byte| {
        matches!(
            byte,
            b'(' | b')'
                | b'['
                | b']'
                | b'{'
                | b'}'
                | b'<'
                | b'>'
                | b'"'
                | b'\''
                | b'`'
                | b'|'
                | b'\\'
        )
    }) {
        return true;
    }
    if matches!(
        first,
        b'&' | b'*' | b'!' | b'@' | b'$' | b':' | b'-' | b'.' | b',' | b'=' | b'^' | b'%'
    ) {
        return true;
    }
    // Members and paths: every part a name.
    let mut parts = value
        .split(|byte| matches!(byte, b'.' | b':' | b'-' | b'>' | b'?' | b'!' | b'/'))
        .filter(|part| !part.is_empty());
    let names =
        parts.all(|part| part.iter().all(name) && !part.first().is_some_and(u8::is_ascii_digit));
    if !names {
        return false;
    }
    // A random text of letters and digits is a name too: what looks like words is none.
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    digits == 0 || wording(value).share > 0.5 || value.len() < 8
}

/// Words, as the names of source code are made of.
pub(super) fn is_readable(value: &[u8]) -> bool {
    wording(value).share > 0.5
}

/// A place: a URL without a login, a path, a host, an e-mail address, a MIME type.
fn is_address(value: &[u8]) -> bool {
    if contains(value, b"://") {
        return !value.contains(&b'@');
    }
    if value.starts_with(b"/")
        || value.starts_with(b"./")
        || value.starts_with(b"../")
        || value.starts_with(b"~/")
        || value.starts_with(b"C:\\")
    {
        let slashes = memchr::memchr_iter(b'/', value).count();
        return !value.ends_with(b"=")
            && (slashes >= 2 || wording(value).share > 0.5)
            && !value.contains(&b'+');
    }
    if let Some(dot) = memchr::memrchr(b'.', value) {
        const ENDINGS: [&[u8]; 30] = [
            b"pem",
            b"key",
            b"crt",
            b"cer",
            b"json",
            b"yml",
            b"yaml",
            b"txt",
            b"js",
            b"ts",
            b"py",
            b"rb",
            b"go",
            b"php",
            b"java",
            b"html",
            b"css",
            b"xml",
            b"properties",
            b"conf",
            b"com",
            b"org",
            b"net",
            b"local",
            b"sh",
            b"p12",
            b"jks",
            b"pub",
            b"env",
            b"io",
        ];
        let end = value
            .get(dot + 1..)
            .unwrap_or_default()
            .to_ascii_lowercase();
        if ENDINGS.contains(&end.as_slice())
            && value.iter().all(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'@' | b'+' | b' ' | b'\\')
            })
        {
            return true;
        }
    }
    let slash = memchr::memchr(b'/', value);
    slash.is_some_and(|slash| slash > 0 && wording(value).share > 0.75 && !value.ends_with(b"="))
}

/// A number of up to 64 bits as code writes it: `0x31c45018`.
fn is_number(value: &[u8]) -> bool {
    const DIGITS: usize = 16;
    matches!(value, [b'0', b'x', digits @ ..] if digits.len() <= DIGITS && digits.iter().all(u8::is_ascii_hexdigit))
}

/// Numbers with marks between them, as dates, versions and the identifiers of Windows (`S-1-5-18`) are written.
fn is_date_or_version(value: &[u8]) -> bool {
    let head = [b"v".as_slice(), b"S-"]
        .iter()
        .find_map(|head| value.strip_prefix(*head));
    let plain = head.unwrap_or(value);
    let digits = plain.iter().filter(|byte| byte.is_ascii_digit()).count();
    let marks = plain
        .iter()
        .filter(|byte| matches!(byte, b'.' | b'-' | b':' | b'/' | b'T' | b'Z' | b' ' | b'+'))
        .count();
    digits > 0 && marks >= 2 && digits + marks == plain.len()
}

/// Running text: several words with blanks between them.
fn is_sentence(value: &[u8]) -> bool {
    let blanks = value
        .iter()
        .filter(|byte| byte.is_ascii_whitespace())
        .count();
    if blanks == 0 {
        return false;
    }
    let wording = wording(value);
    blanks >= 4 || wording.share > 0.5 || !value.is_ascii()
}
