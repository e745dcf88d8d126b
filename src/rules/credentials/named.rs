//! Rules for secrets without a shape of their own: a name stands before them.

use super::length::{is_row, longest};
use super::{Check, Window};
use serde::Deserialize;

/// Bytes between the name and the secret where a rule does not say.
const REACH: usize = 40;
/// Bits per character of a value where a rule does not say.
const ENTROPY: f64 = 2.5;
/// Longest word that may be joined to the secret by a hyphen: `acme-private-…`.
const NOUN: usize = 7;

/// A secret that is recognised by a name in front of it: `acme_key = …`, `"acme": {"token": "…"}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Names, in any letter case; each is a literal of the rule.
    pub names: Vec<String>,
    /// Regular expression of the secret itself, without groups; what surrounds it is not of its alphabet.
    pub value: String,
    /// Most bytes between the name and the secret, line ends included.
    pub reach: Option<usize>,
    /// Length of the longest value; worked out from `value` where it is not given, as the build does for our own rules.
    pub longest: Option<usize>,
    /// Whether every value is a row of letters; worked out like `longest`.
    pub row: Option<bool>,
}

/// What a [`Named`] form stands for.
pub(super) struct Expanded {
    pub literals: Vec<String>,
    pub pattern: String,
    pub window: Window,
    pub checks: Vec<Check>,
    pub gap: Option<usize>,
}

impl Named {
    /// Writes the form out as literals, pattern, window and the checks that every such secret has to pass.
    pub(super) fn expand(&self) -> Expanded {
        let reach = self.reach.unwrap_or(REACH);
        let names: Vec<String> = self
            .names
            .iter()
            .map(|name| regex_syntax::escape(name))
            .collect();
        let lengths = || self.names.iter().map(String::len);
        let uneven = lengths()
            .max()
            .unwrap_or(0)
            .saturating_sub(lengths().min().unwrap_or(0));
        let turns: Vec<String> = self.names.iter().filter_map(|name| turn(name)).collect();
        let turns = if turns.is_empty() {
            String::new()
        } else {
            format!("|[a-z](?:{})", turns.join("|"))
        };
        let pattern = format!(
            r"(?:(?:^|[^A-Za-z])(?i:{}){turns})(?P<gap>(?s-u:.){{0,{reach}}}?(?:[^A-Za-z0-9_-]|(?i:key|token|secret|access|private)[_-]))(?P<secret>{})(?:[^A-Za-z0-9_?%|#^!*~$-]|[?%|#^!*~$](?:[^A-Za-z0-9]|$)|$)",
            names.join("|"),
            self.value
        );
        Expanded {
            literals: self
                .names
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
            pattern,
            window: Window {
                before: 1,
                after: uneven
                    + reach
                    + NOUN
                    + 3
                    + self.longest.unwrap_or_else(|| longest(&self.value)),
            },
            gap: self
                .row
                .unwrap_or_else(|| is_row(&self.value))
                .then_some(uneven + reach + NOUN + 1),
            checks: vec![Check::Gap, Check::Entropy(ENTROPY), Check::LettersAndDigits],
        }
    }
}

/// The pattern of a name that begins a word within others: `myAcmeKey`.
fn turn(name: &str) -> Option<String> {
    let first = name.chars().next().filter(char::is_ascii_alphabetic)?;
    let rest = regex_syntax::escape(name.get(1..)?);
    Some(format!("{}(?i:{rest})", first.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use crate::rules::credentials::CredentialRules;

    #[test]
    fn the_short_form_is_a_sound_rule() {
        let text = r#"
[[rule]]
id = "acme-key"
title = "Acme key"
provider = "acme"
credential_type = "acme-key"
named = { names = ["Acme.io", "acme_ltd"], value = '[0-9a-f]{32}' }
checks = [{ entropy = 2.5 }]
confidence = "medium"
target = "saas-scoped-token"
source = "https://acme.example/docs"
as_of = "2026-11-22"
examples = ["ACME.IO_KEY = '{{hex:32:a}}'"]
"#;
        let rules = CredentialRules::load([("acme.toml", text)]).unwrap();
        assert_eq!(rules.check(), []);
        let rule = &rules.rules()[0];
        assert_eq!(rule.literals, ["acme.io", "acme_ltd"]);
        assert_eq!(rule.window.after, 1 + 40 + 7 + 3 + 32);
        insta::assert_compact_debug_snapshot!(rule.checks, @"[Gap, LettersAndDigits, Entropy(2.5)]");
    }
}
