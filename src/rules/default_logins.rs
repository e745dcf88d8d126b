//! Logins that products come with: `rules/manifests/default-logins.toml`.

use serde::Deserialize;
use std::collections::BTreeSet;

/// Published logins, and how to recognise the settings that hold them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultLogins {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    user_ends: Vec<String>,
    password_ends: Vec<String>,
    pairs: Vec<(String, String)>,
    login: Vec<DefaultLogin>,
    #[serde(skip)]
    known: BTreeSet<String>,
    /// Length of the longest of `known`, in bytes.
    #[serde(skip)]
    longest: usize,
}

/// Logins of one product.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultLogin {
    /// Name for people.
    pub product: String,
    /// Issuer.
    pub provider: String,
    /// Credential type.
    pub kind: String,
    /// Privilege tier of whoever signs in with it.
    pub tier: u8,
    users: Vec<String>,
    passwords: Vec<String>,
    user_keys: Vec<String>,
    password_keys: Vec<String>,
    schemes: Vec<String>,
    #[serde(default)]
    anywhere: Vec<String>,
}

/// A key as the tables spell it: upper case, without punctuation.
pub fn bare_key(key: &str) -> String {
    key.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

fn ends_in_one<'k>(key: &str, ends: &'k [String]) -> Option<&'k String> {
    ends.iter().find(|end| key.ends_with(end.as_str()))
}

impl DefaultLogins {
    /// The same with keys in the spelling of [`bare_key`], and ready to be asked.
    #[must_use]
    pub fn spelled(mut self) -> Self {
        let anywhere = self.login.iter().flat_map(|login| &login.anywhere);
        let known = anywhere.map(String::as_str).chain(self.passwords());
        self.known = known.map(str::to_owned).collect();
        self.longest = self.known.iter().map(String::len).max().unwrap_or(0);
        for login in &mut self.login {
            for key in login.user_keys.iter_mut().chain(&mut login.password_keys) {
                *key = bare_key(key);
            }
        }
        self
    }

    /// Whether a value is a password of any of them.
    pub fn knows(&self, value: &str) -> bool {
        value.len() <= self.longest && self.known.contains(value)
    }

    /// The product whose password a setting holds, if the value is one that is published for it.
    pub fn of_setting(&self, key: &str, value: &str) -> Option<&DefaultLogin> {
        let named = self.login.iter().find(|login| {
            ends_in_one(key, &login.password_keys).is_some()
                && login.passwords.iter().any(|known| known == value)
        });
        named.or_else(|| {
            ends_in_one(key, &self.password_ends)?;
            self.login
                .iter()
                .find(|login| login.anywhere.iter().any(|known| known == value))
        })
    }

    /// What a key holds the password of, where no product is told: the key up to the word for it.
    pub fn password_stem<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_suffix(ends_in_one(key, &self.password_ends)?.as_str())
    }

    /// What a key holds the name for.
    pub fn user_stem<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_suffix(ends_in_one(key, &self.user_ends)?.as_str())
    }

    /// Whether a name and a password are a pair that everybody tries first.
    pub fn is_pair(&self, user: &str, password: &str) -> bool {
        self.pairs
            .iter()
            .any(|(name, word)| name.eq_ignore_ascii_case(user) && word == password)
    }

    /// The product of an address of this scheme.
    pub fn of_scheme(&self, scheme: &str) -> Option<&DefaultLogin> {
        self.login
            .iter()
            .find(|login| login.schemes.iter().any(|known| known == scheme))
    }

    /// Every password of the tables.
    fn passwords(&self) -> impl Iterator<Item = &str> {
        let of_products = self.login.iter().flat_map(|login| &login.passwords);
        let of_pairs = self.pairs.iter().map(|(_, word)| word);
        of_products.chain(of_pairs).map(String::as_str)
    }
}

impl DefaultLogin {
    /// Whether the published passwords belong to this name.
    pub fn is_user(&self, user: &str) -> bool {
        self.users
            .iter()
            .any(|known| known.eq_ignore_ascii_case(user))
    }

    /// Whether a name and a password are published for the product.
    pub fn is_login(&self, user: &str, password: &str) -> bool {
        self.is_user(user) && self.passwords.iter().any(|known| known == password)
    }

    /// Whether a key holds the name for the product.
    pub fn names_user(&self, key: &str) -> bool {
        ends_in_one(key, &self.user_keys).is_some()
    }
}
