//! Expands the examples of rules.
//!
//! No file of the program holds a token-shaped text, so examples are templates: `{{generator:argument:seed}}` is replaced
//! by what the generator makes of the argument and the seed, always the same for the same template. Templates nest; the
//! innermost is expanded first.

use super::checksum;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::fmt::Write as _;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";

/// Longest text one generator may make.
const MAX_LENGTH: usize = 16 * 1024;
/// Most generators in one template.
const MAX_STEPS: usize = 64;

/// Expands one template; the same seed gives other texts under another salt, so that no two rules share an example's
/// random part.
///
/// # Errors
/// A sentence naming the generator that is unknown or misused.
pub fn expand(salt: &str, template: &str) -> Result<String, String> {
    let mut text = template.to_owned();
    for _ in 0..MAX_STEPS {
        let Some(close) = text.find("}}") else {
            return Ok(text);
        };
        let Some(open) = text.get(..close).and_then(|head| head.rfind("{{")) else {
            return Ok(text);
        };
        let call = text.get(open + 2..close).unwrap_or_default();
        let made = generate(salt, call)?;
        text.replace_range(open..close + 2, &made);
    }
    Err(format!("more than {MAX_STEPS} generators in one template"))
}

fn generate(salt: &str, call: &str) -> Result<String, String> {
    let (name, rest) = call.split_once(':').unwrap_or((call, ""));
    let salted = |seed: &str| format!("{salt} {seed}");
    if let Some(alphabet) = alphabet(name) {
        let (length, seed) = rest.split_once(':').unwrap_or((rest, ""));
        let length = length
            .parse::<usize>()
            .ok()
            .filter(|length| (1..=MAX_LENGTH).contains(length))
            .ok_or_else(|| format!("`{name}` needs a length and a seed"))?;
        return Ok(random(&alphabet, length, name, &salted(seed)));
    }
    match name {
        "text" => Ok(rest.to_owned()),
        "crc32" => {
            let (length, seed) = rest.split_once(':').unwrap_or((rest, ""));
            let length = length
                .parse::<usize>()
                .ok()
                .filter(|length| (1..=MAX_LENGTH).contains(length))
                .ok_or("`crc32` needs the length of the random part and a seed")?;
            let alphabet = format!("{DIGITS}{UPPER}{LOWER}");
            let body = random(&alphabet, length, name, &salted(seed));
            let checksum = checksum::of(body.as_bytes());
            Ok(format!("{body}{}", String::from_utf8_lossy(&checksum)))
        }
        "uuid" => {
            let hex = random("0123456789abcdef", 32, name, &salted(rest));
            let mut out = String::new();
            for (position, character) in hex.chars().enumerate() {
                if [8, 12, 16, 20].contains(&position) {
                    out.push('-');
                }
                out.push(if position == 12 { '4' } else { character });
            }
            Ok(out)
        }
        "encode" => Ok(STANDARD.encode(rest)),
        "escape" => Ok(rest.replace('\n', "\\n")),
        "jwt" => Ok(jwt(rest)),
        "pem" => {
            let (label, seed) = rest.split_once(':').unwrap_or((rest, ""));
            Ok(pem(label, &der(label, &salted(seed))))
        }
        "openssh" => {
            let (cipher, seed) = rest.split_once(':').unwrap_or((rest, ""));
            Ok(pem("OPENSSH PRIVATE KEY", &openssh(cipher, &salted(seed))))
        }
        _ => Err(format!("no generator is called `{name}`")),
    }
}

fn alphabet(name: &str) -> Option<String> {
    Some(match name {
        "hex" => "0123456789abcdef".to_owned(),
        "hexupper" => "0123456789ABCDEF".to_owned(),
        "digits" => DIGITS.to_owned(),
        "lower" => LOWER.to_owned(),
        "upper" => UPPER.to_owned(),
        "loweralnum" => format!("{LOWER}{DIGITS}"),
        "upperalnum" => format!("{UPPER}{DIGITS}"),
        "alnum" => format!("{UPPER}{LOWER}{DIGITS}"),
        "base32upper" => format!("{UPPER}234567"),
        "base64" => format!("{UPPER}{LOWER}{DIGITS}+/"),
        "base64url" => format!("{UPPER}{LOWER}{DIGITS}-_"),
        _ => return None,
    })
}

fn call_seed(name: &str, seed: &str) -> blake3::OutputReader {
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 rule examples");
    hasher.update(name.as_bytes());
    hasher.update(&[0]);
    hasher.update(seed.as_bytes());
    hasher.finalize_xof()
}

fn random(alphabet: &str, length: usize, name: &str, seed: &str) -> String {
    // The length is part of the seed, so that no shorter text is the beginning of a longer one.
    let mut source = call_seed(&format!("{name}:{length}"), seed);
    let letters = alphabet.as_bytes();
    let mut out = String::with_capacity(length);
    while out.len() < length {
        let mut bytes = [0_u8; 4];
        source.fill(&mut bytes);
        let index = u32::from_le_bytes(bytes) as usize % letters.len().max(1);
        out.push(char::from(letters.get(index).copied().unwrap_or(b'a')));
    }
    out
}

/// A signed token over a JSON payload given without its outer braces.
fn jwt(claims: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    let payload = URL_SAFE_NO_PAD.encode(format!("{{{claims}}}"));
    let signature = random(&format!("{UPPER}{LOWER}{DIGITS}-_"), 86, "jwt", claims);
    format!("{header}.{payload}.{signature}")
}

/// One DER element.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        length @ 0..=0x7f => out.push(length as u8),
        length => out.extend([0x82, (length >> 8) as u8, (length & 0xff) as u8]),
    }
    out.extend(content);
    out
}

/// Bytes of the shape that the private key of a PEM label has; the numbers in it are random.
fn der(label: &str, seed: &str) -> Vec<u8> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const OCTETS: u8 = 0x04;
    const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let mut source = call_seed("der", seed);
    let mut number = |length: usize| {
        let mut bytes = vec![0_u8; length];
        source.fill(&mut bytes);
        if let Some(first) = bytes.first_mut() {
            *first = 0x40 | (*first & 0x3f);
        }
        bytes
    };
    let version = tlv(INTEGER, &[0]);
    if label.starts_with("EC ") {
        let parts = [tlv(INTEGER, &[1]), tlv(OCTETS, &number(48))].concat();
        return tlv(SEQUENCE, &parts);
    }
    if label.starts_with("ENCRYPTED") {
        return tlv(
            SEQUENCE,
            &[tlv(SEQUENCE, RSA), tlv(OCTETS, &number(600))].concat(),
        );
    }
    let mut parts = version.clone();
    for length in [128, 3, 128, 64, 64, 64, 64, 64] {
        parts.extend(tlv(INTEGER, &number(length)));
    }
    let key = tlv(SEQUENCE, &parts);
    if label.starts_with("RSA ") {
        return key;
    }
    tlv(
        SEQUENCE,
        &[version, tlv(SEQUENCE, RSA), tlv(OCTETS, &key)].concat(),
    )
}

/// An OpenSSH container with the given cipher; its key is random.
fn openssh(cipher: &str, seed: &str) -> Vec<u8> {
    let string = |part: &[u8]| [(part.len() as u32).to_be_bytes().as_slice(), part].concat();
    let mut source = call_seed("openssh", seed);
    let mut number = |length: usize| {
        let mut bytes = vec![0_u8; length];
        source.fill(&mut bytes);
        bytes
    };
    let algorithm = string(b"ssh-ed25519");
    let public = string(&number(32));
    let check = number(4);
    let private = [
        check.clone(),
        check,
        algorithm.clone(),
        public.clone(),
        string(&number(64)),
        string(b"ci@build"),
        vec![1, 2, 3],
    ];
    [
        b"openssh-key-v1\0".to_vec(),
        string(cipher.as_bytes()),
        string(b""),
        string(b""),
        vec![0, 0, 0, 1],
        string(&[algorithm, public].concat()),
        string(&private.concat()),
    ]
    .concat()
}

fn pem(label: &str, bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while let Some((line, tail)) = rest.split_at_checked(64) {
        let _ = writeln!(out, "{line}");
        rest = tail;
    }
    if !rest.is_empty() {
        let _ = writeln!(out, "{rest}");
    }
    let _ = write!(out, "-----END {label}-----");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_expand_alike_each_time_and_nest() {
        let token = expand("s", "t_{{crc32:30:a}}").unwrap();
        assert_eq!(token, expand("s", "t_{{crc32:30:a}}").unwrap());
        assert_ne!(token, expand("s", "t_{{crc32:30:b}}").unwrap());
        assert!(checksum::holds(&token.as_bytes()[2..]));
        assert_eq!(expand("s", "{{encode:a{{text:b}}c}}").unwrap(), "YWJj");
        assert_eq!(expand("s", "a {{uuid:x}} }} b").unwrap().len(), 36 + 7);
        assert!(
            expand("s", "{{escape:{{pem:X:s}}}}")
                .unwrap()
                .contains("-----\\nMI")
        );
    }

    #[test]
    fn misuse_is_named() {
        assert!(expand("s", "{{hex}}").unwrap_err().contains("hex"));
        assert!(expand("s", "{{what:1}}").unwrap_err().contains("what"));
    }
}
