//! What can be told of an assignment, as numbers.

use super::super::{entropy, login};
use super::form::{Form, Reading};
use super::key::Key;
use super::surroundings::Surroundings;
use super::value::Quote;
use super::words::wording;
use super::{contains, part, shape, statement};
use crate::rules::credentials::{assignments, context};

/// One feature of an assignment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feature {
    /// Its name in `rules/assignments.toml`.
    pub name: &'static str,
    /// How much of it there is; 1 where it is there or not.
    pub amount: f64,
}

struct Found(Vec<Feature>);

impl Found {
    /// Room for what most values have.
    fn new() -> Self {
        Self(Vec::with_capacity(32))
    }

    fn when(&mut self, name: &'static str, holds: bool) {
        if holds {
            self.amount(name, 1.0);
        }
    }

    fn amount(&mut self, name: &'static str, amount: f64) {
        self.0.push(Feature { name, amount });
    }
}

/// Letters, digits and the rest of a value.
struct Alphabet {
    lower: usize,
    upper: usize,
    digits: usize,
    marks: usize,
    hex: bool,
    turns: usize,
}

impl Alphabet {
    fn of(value: &[u8]) -> Self {
        let count = |holds: fn(&u8) -> bool| value.iter().filter(|byte| holds(byte)).count();
        let class = |byte: &u8| match byte {
            b'a'..=b'z' => 0,
            b'A'..=b'Z' => 1,
            b'0'..=b'9' => 2,
            _ => 3,
        };
        let (lower, upper, digits) = (
            count(u8::is_ascii_lowercase),
            count(u8::is_ascii_uppercase),
            count(u8::is_ascii_digit),
        );
        Self {
            lower,
            upper,
            digits,
            marks: value.len() - lower - upper - digits,
            hex: value.iter().all(u8::is_ascii_hexdigit),
            turns: value
                .windows(2)
                .filter(|pair| matches!(pair, [a, b] if class(a) != class(b)))
                .count(),
        }
    }

    fn size(&self) -> usize {
        let of = |count: usize, size: usize| if count > 0 { size } else { 0 };
        if self.hex && self.digits > 0 {
            return 16;
        }
        of(self.lower, 26) + of(self.upper, 26) + of(self.digits, 10) + of(self.marks, 16)
    }

    fn classes(&self) -> usize {
        [self.lower, self.upper, self.digits, self.marks]
            .iter()
            .filter(|count| **count > 0)
            .count()
    }
}

/// The features of the name that something is assigned to; a list of values is `listed` under a plural.
pub(super) fn of_name(key: &Key, listed: bool) -> Vec<Feature> {
    let mut found = Found::new();
    name(&mut found, key, listed);
    found.0
}

/// The features of how something is assigned, as far as what stands around its line decides of them.
pub(super) fn of_form(reading: &Reading, around: Surroundings, settings: bool) -> Vec<Feature> {
    let mut found = Found::new();
    found.when(form_name(reading), true);
    match reading.quote {
        Quote::Own => found.when("quoted", true),
        Quote::Text => found.when("in-text", true),
        Quote::Bare if settings => found.when("bare-settings", true),
        Quote::Bare | Quote::Bytes => found.when("bare-code", true),
    }
    found.when("settings-around", settings);
    found.when("prose-around", around.prose > around.settings + around.code);
    found.when("user-beside", around.user);
    found.0
}

/// The most that [`of_form`] can come to, whatever stands around.
pub(super) fn most_of_form(reading: &Reading, weight: impl Fn(&str) -> f64) -> f64 {
    let quote = match reading.quote {
        Quote::Own => weight("quoted"),
        Quote::Text => weight("in-text"),
        Quote::Bare | Quote::Bytes => weight("bare-settings").max(weight("bare-code")),
    };
    let around = ["settings-around", "prose-around", "user-beside"];
    let around: f64 = around.iter().map(|name| weight(name).max(0.0)).sum();
    weight(form_name(reading)) + quote + around
}

/// The features of the line that something is assigned on.
pub(super) fn of_line(text: &[u8], key: &Key, reading: &Reading, scheme: bool) -> Vec<Feature> {
    let mut found = Found::new();
    line(&mut found, text, key, reading, scheme);
    found.0
}

/// The features of the value that is assigned.
pub(super) fn of_value(value: &[u8], key: &Key, reading: &Reading) -> Vec<Feature> {
    let mut found = Found::new();
    worth(&mut found, value, key, reading);
    found.0
}

fn name(found: &mut Found, key: &Key, listed: bool) {
    let family = match key.name.family.id.as_str() {
        "password" => "name-password",
        "secret" => "name-secret",
        "token" => "name-token",
        "key" => "name-key",
        "auth" => "name-auth",
        "credential" => "name-credential",
        "salt" => "name-salt",
        "nonce" => "name-nonce",
        _ => "name-otp",
    };
    found.when(family, true);
    if key.name.family.id == "key" {
        found.when("key-qualified", key.is_qualified());
        found.when(
            "key-alone",
            key.name.before.is_empty()
                && key.name.after.is_empty()
                && !key.name.compound
                && !key.spoken,
        );
    }
    found.when(
        "name-alone",
        key.name.before.is_empty() && key.name.after.is_empty(),
    );
    found.when("name-goes-on", key.name.unknown);
    found.when("name-plural", key.name.plural && !listed);
}

fn form_name(reading: &Reading) -> &'static str {
    match reading.form {
        Form::Equals => "form-equals",
        Form::Colon => "form-colon",
        Form::Member => "form-member",
        Form::Arrow => "form-arrow",
        Form::Compare => "form-compare",
        Form::Call => "form-call",
        Form::Argument => "form-argument",
        Form::Markup => "form-markup",
        Form::Paired => "form-paired",
        Form::Flag => "form-flag",
        Form::Query => "form-query",
        Form::Beside => "form-beside",
        Form::Column => "form-column",
    }
}

fn line(found: &mut Found, text: &[u8], key: &Key, reading: &Reading, scheme: bool) {
    found.when("typed", reading.typed);
    found.when("indirect", reading.indirect);
    found.when("inside", reading.inside);
    found.when("spaced", reading.spaced);
    found.when(
        "more",
        reading.more && !statement::is_variable_argument(text, key, reading),
    );
    let login = reading.table.is_some_and(|table| table.login) && key.name.family.id == "password";
    found.when(
        "login-pair",
        login || statement::is_login(text, key, reading),
    );
    found.when("scheme", scheme);
    found.when("long-line", reading.line.len() > 600);
    found.when(
        "upper-name",
        part(text, key.range.clone())
            .iter()
            .all(|byte| !byte.is_ascii_lowercase()),
    );
    let head = part(text, reading.line.start..key.range.start).trim_ascii_start();
    found.when(
        "comment",
        head.starts_with(b"//")
            || head.starts_with(b"#")
            || head.starts_with(b"*")
            || head.starts_with(b"--")
            || head.starts_with(b";"),
    );
    let line = part(text, reading.line.clone()).to_ascii_lowercase();
    let says = |word: &[u8]| contains(&line, word);
    found.when(
        "line-test",
        says(b"assert") || says(b"expect") || says(b"should") || says(b"mock"),
    );
}

fn worth(found: &mut Found, value: &[u8], key: &Key, reading: &Reading) {
    let alphabet = Alphabet::of(value);
    let words = wording(value);
    let length = match value.len() {
        0..=3 => "length-3",
        4..=5 => "length-4",
        6..=7 => "length-6",
        8..=11 => "length-8",
        12..=15 => "length-12",
        16..=19 => "length-16",
        20..=31 => "length-20",
        32..=47 => "length-32",
        48..=127 => "length-48",
        _ => "length-128",
    };
    found.when(length, true);
    let most = (value.len() as f64).min(alphabet.size() as f64).log2();
    found.amount(
        "entropy",
        if most > 0.0 {
            entropy::shannon(value) / most
        } else {
            0.0
        },
    );
    found.amount("turns", alphabet.turns as f64 / value.len().max(1) as f64);
    found.amount("word-share", words.share);
    found.amount("common-trigrams", words.common);
    found.when("words-one", words.words == 1);
    found.when("words-more", words.words >= 2);
    found.when("riddle", words.riddles > 0);
    let password = key.name.family.id == "password";
    found.when("word-password", password && words.share > 0.7);
    found.when("word-other", !password && words.share > 0.5);
    found.when("no-word-password", password && words.share < 0.3);
    let digits = alphabet.digits > 0;
    let letters = alphabet.lower + alphabet.upper > 0;
    found.when("digits-only", digits && alphabet.digits == value.len());
    found.when("letters-and-digits", digits && letters);
    let mixed = alphabet.lower > 0 && alphabet.upper > 0;
    found.when("mixed-case", mixed);
    found.when("upper-only", alphabet.upper > 0 && alphabet.lower == 0);
    found.when("lower-only", alphabet.lower == value.len());
    let base64 = alphabet.marks == marks_of_base64(value);
    // So many letters of a name would look like words.
    let riddle = value.len() >= 12 && mixed && base64 && words.share < 0.2;
    found.when("letters-only-other", !password && !digits && !riddle);
    found.when("three-classes", alphabet.classes() >= 3);
    found.when(
        "short-letters",
        value.len() < 12 && alphabet.lower + alphabet.upper == value.len() && is_issued(value, key),
    );
    let mut there = [false; 256];
    for byte in value {
        there[usize::from(*byte)] = true;
    }
    let has = |byte: u8| there[usize::from(byte)];
    let few = b"!@#$%^&*?~".iter().any(|mark| has(*mark));
    found.when("password-marks", few);
    found.when("blank", has(b' '));
    found.when("dot", has(b'.'));
    found.when("slash", has(b'/'));
    found.when("colon", has(b':'));
    found.when("comma", has(b','));
    found.when("underscore", has(b'_'));
    found.when("dash", has(b'-'));
    found.when("backslash", has(b'\\'));
    found.when("bracket", b"()[]{}<>".iter().any(|bracket| has(*bracket)));
    found.when("dollar", has(b'$'));
    found.when("padded", value.ends_with(b"="));
    found.when("not-ascii", !value.is_ascii());
    // Salts are written so more often than not, and few hashes are shorter than this.
    let hashes = match key.name.family.id.as_str() {
        "salt" | "nonce" => usize::MAX,
        "token" | "auth" => 20,
        _ => 8,
    };
    found.when(
        "hex",
        alphabet.hex && digits && letters && value.len() >= hashes,
    );
    found.when(
        "hex-32",
        alphabet.hex && matches!(value.len(), 32 | 40 | 64 | 128),
    );
    found.when("uuid", shape::is_uuid(value));
    found.when("identifier", is_identifier(value) && words.share > 0.6);
    found.when(
        "identifier-digits",
        is_identifier(value) && digits && words.share > 0.4,
    );
    found.when(
        "constant-case",
        alphabet.lower == 0 && alphabet.upper > 2 && has(b'_'),
    );
    found.when("login-inside", login::is_wrapped(value));
    let lower = value.to_ascii_lowercase();
    let says = |word: &[u8]| contains(&lower, word);
    found.when(
        "says-name",
        (says(key.name.family.id.as_bytes()) || says(b"pass") || says(b"secret") || says(b"token"))
            && !(password && few && digits),
    );
    found.when(
        "says-test",
        says(b"test") || says(b"demo") || says(b"abc") || (says(b"123") && !few),
    );
    found.when(
        "password-like",
        password && is_password_like(value, &alphabet),
    );
    let known = known(&lower);
    found.when("known-weak", known == Some(Known::Itself));
    found.when("known-weak-number", known == Some(Known::WithNumber));
    found.when(
        "short-bare",
        reading.quote == Quote::Bare && value.len() < 8,
    );
    found.when(
        "foreign-mark",
        is_issued(value, key) && has_foreign_mark(value),
    );
    found.when("riddled", shape::is_riddled(value));
    found.when(
        "random-key",
        key.name.family.id == "key"
            && !key.is_qualified()
            && matches!(value.len(), 24..=64)
            && !alphabet.hex
            && digits
            && mixed
            && base64
            && words.share < 0.3,
    );
    let random = digits && letters && words.share < 0.4 && value.len() >= 16;
    // No name looks so.
    let plain = random && value.len() >= 20;
    found.when(
        "spaced-bare",
        reading.spaced && reading.quote == Quote::Bare && !plain,
    );
    found.when("random-16", random);
    found.when(
        "random-16-key",
        random && matches!(key.name.family.id.as_str(), "key" | "token" | "secret"),
    );
}

/// How many marks of a value are those of base64.
fn marks_of_base64(value: &[u8]) -> usize {
    let padding = value.iter().rev().take_while(|byte| **byte == b'=').count();
    let marks = |byte: &&u8| matches!(byte, b'+' | b'/');
    padding + value.iter().filter(marks).count()
}

/// Where a password of default installations and examples is known from.
#[derive(PartialEq, Eq)]
enum Known {
    /// It is one.
    Itself,
    /// It is one with a number behind it.
    WithNumber,
}

fn known(lower: &[u8]) -> Option<Known> {
    let words = &context().passwords;
    let is = |value: &[u8]| words.is_weak(value) || words.is_stand_in(value);
    if is(lower) {
        return Some(Known::Itself);
    }
    let digits = lower
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let stem = part(lower, 0..lower.len() - digits);
    (!stem.is_empty() && is(stem)).then_some(Known::WithNumber)
}

/// As people make passwords up: letters with a number or a mark, nothing that joins words.
fn is_password_like(value: &[u8], alphabet: &Alphabet) -> bool {
    (6..=20).contains(&value.len())
        && alphabet.lower + alphabet.upper >= 3
        && (alphabet.digits > 0 || alphabet.marks > 0)
        && alphabet.turns <= 5
        && !value.iter().any(|byte| {
            matches!(
                byte,
                b'_' | b'-' | b'.' | b'/' | b':' | b' ' | b',' | b'\\' | b'(' | b'<' | b'[' | b'{'
            )
        })
}

/// Whether a value is one that a service hands out, by the name it is assigned to; people make up the others.
fn is_issued(value: &[u8], key: &Key) -> bool {
    match key.name.family.id.as_str() {
        "token" | "auth" | "credential" => true,
        "key" => !key
            .name
            .before
            .iter()
            .any(|word| assignments().names.own_keys.contains(word)),
        "secret" => value.len() >= 20,
        _ => false,
    }
}

/// A mark that is in no alphabet of tokens, between the letters and digits of a long one.
fn has_foreign_mark(value: &[u8]) -> bool {
    let plain = value
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .count();
    value.len() >= 16
        && plain * 5 >= value.len() * 4
        && value.iter().enumerate().any(|(at, byte)| match byte {
            b'?' | b'^' | b'#' | b'(' | b')' | b'!' | b'*' | b'$' | b'<' | b'>' | b'|' | b'['
            | b']' | b'{' | b'}' | b'&' | b'@' | b',' | b';' => true,
            b'%' => !part(value, at + 1..at + 3)
                .iter()
                .all(u8::is_ascii_hexdigit),
            b'=' => value.get(at + 1).is_some_and(u8::is_ascii_alphanumeric),
            _ => false,
        })
}

/// Words joined by dashes, underscores, dots or case.
fn is_identifier(value: &[u8]) -> bool {
    value.iter().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/')
    }) && value.first().is_some_and(u8::is_ascii_alphabetic)
}
