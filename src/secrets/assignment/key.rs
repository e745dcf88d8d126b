//! The name that something is assigned to, and what it says of it.

use super::{at, before, part};
use crate::rules::credentials::{Family, Names, assignments};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// Longest name, on either side of the keyword.
pub(super) const LONGEST: usize = 64;

/// A name that speaks of a secret, where it stands.
pub(super) struct Key {
    /// Its place, without sigils and dashes before it.
    pub range: Range<usize>,
    /// What it says.
    pub name: Rc<Name>,
    /// Dashes right before it, as of a flag.
    pub dashes: usize,
    /// The word before it makes it a secret: `API key`, `Access Key`.
    pub spoken: bool,
}

impl Key {
    /// A key (in the narrow sense) that its other words make a secret, those of its name or the one before it.
    pub(super) fn is_qualified(&self) -> bool {
        self.spoken || self.name.is_qualified(&assignments().names)
    }

    /// Whether the values of a column of this name may be secrets of `family`: what a key is for has to be told, and salts and
    /// the like are data in a table.
    pub(super) fn is_head_of(&self, family: &str) -> bool {
        self.name.family.id == family
            && match family {
                "key" => self.is_qualified(),
                "salt" | "nonce" | "otp" => false,
                _ => true,
            }
    }
}

/// What a name says of the secret that is assigned to it.
pub(super) struct Name {
    /// What its head is.
    pub family: &'static Family,
    /// Words before the head; the beginning of the head's own word among them (`db` of `dbpassword`).
    pub before: Vec<String>,
    /// Words after the head that say nothing else.
    pub after: Vec<String>,
    /// Of these, one is unknown.
    pub unknown: bool,
    /// In the plural.
    pub plural: bool,
    /// The head is one word with what it is for: `apikey`, `secretkey`.
    pub compound: bool,
}

impl Name {
    /// A key (in the narrow sense) that its other words make a secret: an API key, a private key.
    fn is_qualified(&self, names: &Names) -> bool {
        let qualifies = |word: &String| names.secret_keys.contains(word);
        self.compound
            || self.before.last().is_some_and(qualifies)
            || self.before.iter().any(|word| word == "secret")
    }

    /// What a name says; `None` where it speaks of no secret.
    fn read(name: &[u8]) -> Option<Self> {
        let words = Words::of(name);
        let known = assignments();
        let (position, found) = (0..words.len())
            .rev()
            .find_map(|position| Some((position, known.family_of(words.get(position))?)))?;
        let names = &known.names;
        let before = (0..position).map(|at| words.get(at)).chain(found.before);
        let behind = (position + 1..words.len()).map(|at| words.get(at));
        let after = found.after.into_iter().chain(behind);
        let last = before.clone().last();
        let is_other_key =
            found.family.id == "key" && last.is_some_and(|word| names.other_keys.contains(word));
        // By its name no secret; but `NEXT_PUBLIC_…` tells where a value goes. The token of a public key is part of its hash.
        let is_public = before.clone().eq(["public"]) || before.clone().eq(["public", "key"]);
        if is_other_key
            || is_public
            || after.clone().any(|word| names.otherwise.contains(word))
            || before.clone().any(|word| names.harmless.contains(word))
        {
            return None;
        }
        let head = words.get(position);
        let compound = head
            .trim_end_matches('s')
            .strip_suffix("key")
            .is_some_and(|head| {
                names
                    .secret_keys
                    .iter()
                    .any(|word| head.ends_with(word.as_str()))
            });
        Some(Self {
            compound: found.family.id == "key" && compound,
            plural: head.ends_with('s') && !head.ends_with("ss"),
            unknown: after.clone().any(|word| !names.neutral.contains(word)),
            family: found.family,
            before: before.map(str::to_owned).collect(),
            after: after.map(str::to_owned).collect(),
        })
    }
}

/// Names whose meaning is remembered: a source has few, each many times.
const REMEMBERED: usize = 4096;
/// Longest that are, in bytes: with what they say they are as long as a line of the caches.
const KEPT: usize = 55;

/// A name and what it says.
#[repr(align(64))]
struct Meaning {
    length: u8,
    name: [u8; KEPT],
    says: Option<Rc<Name>>,
}

impl Meaning {
    const NONE: Self = Self {
        length: 0,
        name: [0; KEPT],
        says: None,
    };

    fn is_of(&self, name: &[u8]) -> bool {
        usize::from(self.length) == name.len() && self.name.starts_with(name)
    }
}

thread_local! {
    /// Each name has one place; the last one that came there is remembered.
    static NAMES: RefCell<Vec<Meaning>> = const { RefCell::new(Vec::new()) };
}

/// What a name says, remembered by this thread.
fn meaning(name: &[u8]) -> Option<Rc<Name>> {
    let read = || Name::read(name).map(Rc::new);
    if name.len() > KEPT {
        return read();
    }
    NAMES.with_borrow_mut(|names| {
        if names.is_empty() {
            names.resize_with(REMEMBERED, || Meaning::NONE);
        }
        let known = names.get_mut(place(name))?;
        if !known.is_of(name) {
            *known = Meaning {
                length: name.len() as u8,
                says: read(),
                ..Meaning::NONE
            };
            known.name.get_mut(..name.len())?.copy_from_slice(name);
        }
        known.says.clone()
    })
}

/// The place of a name among those that are remembered.
fn place(name: &[u8]) -> usize {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum.rotate_left(29) ^ word).wrapping_mul(MIX);
    let (words, rest) = name.as_chunks();
    let sum = words.iter().fold(name.len() as u64, |sum, word| {
        mix(sum, u64::from_le_bytes(*word))
    });
    let last = rest
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte));
    (mix(sum, last) >> 32) as usize % REMEMBERED
}

/// Whether a byte continues a name.
pub(super) const fn continues(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Of each byte, whether it continues a name.
static CONTINUES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = continues(byte as u8);
        byte += 1;
    }
    table
};

/// Whether a byte belongs to a name: dashes and dots count between two of its bytes.
fn belongs(byte: u8, beyond: Option<&u8>) -> bool {
    let continues = |byte: u8| CONTINUES[usize::from(byte)];
    continues(byte)
        || (matches!(byte, b'-' | b'.') && beyond.is_some_and(|beyond| continues(*beyond)))
}

/// The end of the name that goes on at `index`.
pub(super) fn end_of(text: &[u8], index: usize) -> usize {
    let rest = text.get(index..).unwrap_or_default();
    let mut length = 0;
    while length < LONGEST
        && let Some(byte) = rest.get(length)
        && belongs(*byte, rest.get(length + 1))
    {
        length += 1;
    }
    index + length
}

fn start_of(text: &[u8], index: usize) -> usize {
    let head = text.get(..index).unwrap_or_default();
    let mut start = head.len();
    while head.len() - start < LONGEST
        && let [rest @ .., byte] = part(head, 0..start)
        && belongs(*byte, rest.last())
    {
        start -= 1;
    }
    start
}

/// Where the name around the keyword at `hit` stands.
pub(super) fn range(text: &[u8], hit: &Range<usize>) -> Range<usize> {
    start_of(text, hit.start)..end(text, hit)
}

/// Where it ends.
pub(super) fn end(text: &[u8], hit: &Range<usize>) -> usize {
    // A short keyword may bring the operator along: `pw:`.
    let operator = usize::from(matches!(before(text, hit.end), b':' | b'='));
    end_of(text, hit.end - operator)
}

/// The name at `range`; `None` where it speaks of no secret.
pub(super) fn read(text: &[u8], range: Range<usize>) -> Option<Key> {
    let name = meaning(part(text, range.clone()))?;
    let mut dashes = 0;
    while dashes < 2 && before(text, range.start - dashes) == b'-' {
        dashes += 1;
    }
    let spoken = name.family.id == "key"
        && name.before.is_empty()
        && matches!(at(text, range.end), b':' | b'=')
        && is_spoken(text, range.start);
    Some(Key {
        range,
        name,
        dashes,
        spoken,
    })
}

/// Whether the word before `index`, one blank away, makes a key a secret.
fn is_spoken(text: &[u8], index: usize) -> bool {
    const LONGEST_WORD: usize = 16;
    if before(text, index) != b' ' {
        return false;
    }
    let end = index - 1;
    let letters = part(text, end.saturating_sub(LONGEST_WORD)..end)
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let word = part(text, end - letters..end).to_ascii_lowercase();
    let known = &assignments().names.secret_keys;
    known.iter().any(|one| one.as_bytes() == word) || word == b"authentication"
}

/// The words of a name in lower case: cut at everything that is no letter and at changes of case. Digits are left out.
struct Words {
    /// One behind the other.
    letters: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Words {
    fn of(name: &[u8]) -> Self {
        let name = String::from_utf8_lossy(name);
        let mut words = Self {
            letters: String::with_capacity(name.len()),
            ends: Vec::with_capacity(8),
        };
        let mut characters = name.chars().peekable();
        let mut last: Option<char> = None;
        while let Some(character) = characters.next() {
            if !character.is_alphabetic() {
                words.end();
                last = None;
                continue;
            }
            let starts = character.is_uppercase()
                && last.is_some_and(|last| {
                    last.is_lowercase() || characters.peek().is_some_and(|next| next.is_lowercase())
                });
            if starts {
                words.end();
            }
            if character.is_ascii() {
                words.letters.push(character.to_ascii_lowercase());
            } else {
                words.letters.extend(character.to_lowercase());
            }
            last = Some(character);
        }
        words.end();
        words
    }

    /// Ends a word, if one has begun.
    fn end(&mut self) {
        if self.start(self.ends.len()) < self.letters.len() {
            self.ends.push(self.letters.len());
        }
    }

    fn start(&self, at: usize) -> usize {
        let before = at.checked_sub(1).and_then(|before| self.ends.get(before));
        before.copied().unwrap_or(0)
    }

    const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The word at a place; nothing behind the last.
    fn get(&self, at: usize) -> &str {
        let end = self.ends.get(at);
        end.and_then(|end| self.letters.get(self.start(at)..*end))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_cut_into_words() {
        for (name, expected) in [
            ("DB_PASSWORD", "db password"),
            ("dbPassword2", "db password"),
            ("spring.datasource.password", "spring datasource password"),
            ("APIKey", "api key"),
            ("X-Api-Key", "x api key"),
            ("HTTPSToken", "https token"),
            ("secretKeyBase", "secret key base"),
            ("contraseña", "contraseña"),
        ] {
            let words = Words::of(name.as_bytes());
            let all: Vec<&str> = (0..words.len()).map(|at| words.get(at)).collect();
            assert_eq!(all.join(" "), expected);
        }
    }

    fn family(name: &str, literal: &str) -> Option<&'static str> {
        let start = name.to_lowercase().find(literal)?;
        let hit = start..start + literal.len();
        let key = read(name.as_bytes(), range(name.as_bytes(), &hit))?;
        Some(&key.name.family.id)
    }

    #[test]
    fn the_head_of_a_name_decides() {
        for (name, literal, expected) in [
            ("password", "pass", Some("password")),
            ("MYSQL_ROOT_PASSWORD_PROD", "pass", Some("password")),
            ("dbpassword", "pass", Some("password")),
            ("secret_key", "key", Some("key")),
            ("client_secret", "secret", Some("secret")),
            ("X-Auth-Token", "token", Some("token")),
            ("passwordSalt", "salt", Some("salt")),
            ("password_hash", "pass", None),
            ("passwordField", "pass", None),
            ("token_url", "token", None),
            ("tokenType", "token", None),
            ("secret_name", "secret", None),
            ("key_id", "key", None),
            ("publicToken", "token", None),
            ("PublicKeyToken", "token", None),
            ("NEXT_PUBLIC_API_KEY", "key", Some("key")),
            ("keyVaultToStoreSecrets", "secret", None),
            ("public_key", "key", None),
            ("keyboard", "key", None),
            ("monkey", "key", None),
            ("Sec-WebSocket-Key", "key", None),
            ("root_pw:", "pw:", Some("password")),
            ("bypass", "pass", None),
            ("author", "auth", None),
        ] {
            assert_eq!(family(name, literal), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn names_end_where_a_byte_by_byte_reading_ends(text in "[a-c.\\-_ é:]{0,90}", at in 0_usize..90) {
            let text = text.as_bytes();
            let index = at.min(text.len());
            let joins = |byte: u8| matches!(byte, b'-' | b'.');
            let mut end = index;
            while end < index + LONGEST
                && (continues(super::super::at(text, end))
                    || (joins(super::super::at(text, end)) && continues(super::super::at(text, end + 1))))
            {
                end += 1;
            }
            prop_assert_eq!(end_of(text, index), end);
            let mut start = index;
            while start > index.saturating_sub(LONGEST)
                && (continues(before(text, start))
                    || (joins(before(text, start)) && continues(before(text, start - 1))))
            {
                start -= 1;
            }
            prop_assert_eq!(start_of(text, index), start);
        }
    }
}
