//! Detection rules: `rules/credentials/*.toml`. The format is described in `docs/credential-rules.md`.

mod assignments;
pub mod checksum;
mod context;
mod length;
mod named;
mod problems;
pub mod template;

pub use assignments::{Assignments, Family, Names, assignments};
pub use context::{Context, Place, blocks, context, trigrams};
pub(super) use length::parsed;
pub(crate) use length::{ROW, is_letter, longest};
pub use named::Named;
pub use problems::RuleProblem;

use super::RuleError;
use super::config::{ConfigError, Pattern};
use crate::model::Confidence;
use jiff::civil::Date;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// How far around a literal, in bytes, a match may reach.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Bytes before the start of the literal.
    pub before: usize,
    /// Bytes after the end of the literal.
    pub after: usize,
}

/// A structural validation of what a pattern matched.
///
/// A failed checksum lowers the confidence and hides nothing; a structure that cannot be the credential (a JWT whose
/// header is not JSON, a key without material) is no match.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The last six of 36 characters after the prefix are a base 62 CRC-32 of the 30 before them.
    GithubCrc32,
    /// The same scheme as used by npm.
    NpmCrc32,
    /// Extends the match over a whole JSON Web Token; decodes issuer, subject and times.
    Jwt,
    /// As `jwt`, for a token of a Kubernetes service account only.
    JwtKubernetes,
    /// As `jwt-kubernetes`, for one wrapped in base64 as a Kubernetes Secret stores it.
    Base64JwtKubernetes,
    /// Extends the match over a whole PEM block; tells encrypted and damaged keys.
    Pem,
    /// As `pem`, for a block wrapped in base64 as kubeconfig files store it.
    Base64Pem,
    /// Decodes the account from an AWS key id.
    AwsKeyId,
    /// Notes the address of a store that speaks S3 and is not AWS, where one stands beside the key.
    OtherStore,
    /// Completes a Google service account key from the JSON around its `private_key_id`.
    GcpServiceAccount,
    /// Judges a password in a connection string: weak, word-like, local.
    Password,
    /// At least this many bits of Shannon entropy per character, else no match.
    Entropy(f64),
    /// Letters and digits both, else no match: drops identifiers and words.
    LettersAndDigits,
    /// Not hexadecimal, else no match: drops hashes.
    NotHex,
    /// Base64 of `user:password`, else no match.
    Base64Login,
    /// Base64 of printable text, else no match.
    Base64Text,
    /// Judges a password by itself: weak, word-like; no match where it only says what belongs there.
    WeakPassword,
    /// Extends the match over a whole PuTTY key file; tells encrypted and damaged keys.
    Ppk,
    /// What stands between a name and the secret it announces neither ends the thought nor speaks of a hash; without an
    /// assignment it is less sure.
    Gap,
}

/// A binary file format that holds private keys.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    /// PKCS #12 (RFC 7292): `.p12`, `.pfx`.
    Pkcs12,
    /// Java's own key stores, JKS and JCEKS.
    JavaKeyStore,
    /// A private key in DER: PKCS #1, PKCS #8, SEC 1.
    Der,
}

/// Which part of a credential a companion pattern supplies.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The secret.
    Secret,
    /// The public identifier.
    Id,
    /// The identity it lets in as.
    Subject,
    /// The account it belongs to.
    Account,
}

/// A second part of the credential, searched around the first.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Companion {
    /// The part it supplies; the named group `part` of the pattern holds it.
    pub part: Part,
    /// Regular expression over bytes with the group `part`.
    pub pattern: String,
    /// Bytes around the first part in which it is searched, though not beyond the next first part; what follows wins
    /// over what precedes.
    pub window: Window,
    /// Without it, there is no match at all.
    #[serde(default)]
    pub required: bool,
    /// What its value must fulfil: `entropy`, `letters-and-digits`, `not-hex`.
    #[serde(default)]
    pub checks: Vec<Check>,
}

/// One detection rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique, kebab-case.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Issuer.
    pub provider: String,
    /// Credential type; the same secret under two rules of one type is one credential.
    pub credential_type: String,
    /// Texts of which at least one is within the window of every match; what the prefilter looks for.
    #[serde(default)]
    pub literals: Vec<String>,
    /// In place of literals, pattern and window: the secret is known by a name in front of it.
    pub named: Option<Named>,
    /// In place of a pattern: the kind of name (a family of `rules/assignments.toml`) that the secret is assigned to.
    pub assignment: Option<String>,
    /// Whether the literals match in any letter case (ASCII).
    #[serde(default)]
    pub ignore_case: bool,
    /// Texts that must all be inside the window too before the pattern is tried.
    #[serde(default)]
    pub also: Vec<String>,
    /// Regular expression over bytes, bounded in length, with the groups `secret`, `prefix` (inside `secret`: the part
    /// that names the type and may be shown), `id`, `subject` and `account`, of which `secret` or `id` must be there.
    #[serde(default)]
    pub pattern: String,
    /// How far around a literal a match may reach.
    #[serde(default)]
    pub window: Window,
    /// Holds only at these paths: globs in lower case over the whole path, or the file name where they have no `/`.
    #[serde(default)]
    pub paths: Vec<String>,
    /// The pattern matches short documents as a whole; no literal is needed then.
    #[serde(default)]
    pub whole: bool,
    /// In place of literals and pattern: the binary format of the whole document.
    pub container: Option<Container>,
    /// Confidence before the checks.
    pub confidence: Confidence,
    /// Why that is not high, where the form alone does not say it.
    pub doubt: Option<String>,
    /// Gives way to any other rule that claims the same text.
    #[serde(default)]
    pub generic: bool,
    /// Structural validations, in order.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// Patterns that the secret must not hold.
    #[serde(default)]
    pub not: Vec<String>,
    /// Further parts around the match.
    #[serde(default)]
    pub companions: Vec<Companion>,
    /// Privilege tier the type grants by default, 0–5.
    pub default_tier: Option<u8>,
    /// Whether the type expires by itself; absent where it depends.
    pub expires_by_nature: Option<bool>,
    /// Migration target.
    pub target: String,
    /// Where the format is described.
    pub source: String,
    /// Day the source was last compared with the rule.
    pub as_of: Date,
    /// Texts it matches, as templates (see [`template`]).
    #[serde(default)]
    pub examples: Vec<String>,
    /// Texts it does not match, as templates.
    #[serde(default)]
    pub negative_examples: Vec<String>,
    /// File the rule came from, for messages.
    #[serde(skip)]
    pub file: String,
    /// Most bytes between a literal and the secret behind it, where that is a row of letters that passes
    /// [`Check::LettersAndDigits`]; `None` where the secret may be anything else, or anywhere.
    #[serde(skip)]
    pub gap: Option<usize>,
    /// It came with the program, whose tests prove that its patterns are sound.
    #[serde(skip)]
    pub builtin: bool,
}

impl Rule {
    /// Replaces the `named` form by the literals, the pattern and the window it stands for.
    fn write_out(&mut self) {
        let Some(named) = &self.named else { return };
        let expanded = named.expand();
        self.literals = expanded.literals;
        self.pattern = expanded.pattern;
        self.window = expanded.window;
        self.gap = expanded.gap;
        self.ignore_case = true;
        let own = std::mem::take(&mut self.checks);
        self.checks = expanded.checks;
        for check in own {
            let same =
                |known: &Check| std::mem::discriminant(known) == std::mem::discriminant(&check);
            self.checks.retain(|known| !same(known));
            self.checks.push(check);
        }
    }
}

/// The paths a rule holds at.
#[derive(Clone, Debug)]
pub struct Paths(Vec<(bool, Pattern)>);

impl Paths {
    /// Compiles the globs of a rule.
    ///
    /// # Errors
    /// When one is not a glob.
    pub fn new(globs: &[String]) -> Result<Self, ConfigError> {
        let paths = globs
            .iter()
            .map(|glob| Ok((glob.contains('/'), Pattern::new(glob)?)))
            .collect::<Result<_, ConfigError>>()?;
        Ok(Self(paths))
    }

    /// Whether a path is one of them.
    pub fn hold(&self, path: &str) -> bool {
        let path = path.to_lowercase();
        let name = path.rsplit('/').next().unwrap_or(&path);
        self.0
            .iter()
            .any(|(whole, glob)| glob.matches(if *whole { &path } else { name }))
    }
}

/// A set of detection rules.
#[derive(Clone, Debug)]
pub struct CredentialRules {
    rules: Vec<Arc<Rule>>,
}

/// The rules embedded in the program, which several rooms ask for.
static BUILTIN: LazyLock<Result<CredentialRules, RuleError>> =
    LazyLock::new(CredentialRules::embedded);

/// Most memory that one thread spends on the states of a pattern that is compiled here, in bytes.
const STATES: usize = 128 << 10;

/// Compiles a pattern the way the engine does: over bytes, ASCII classes.
///
/// # Errors
/// When it is not a regular expression, or too large.
pub fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .dfa_size_limit(STATES)
        .build()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<toml::Value>,
}

impl CredentialRules {
    /// The rules embedded in the program.
    ///
    /// # Errors
    /// When an embedded file does not have the rule format; the tests prove that none is.
    pub fn builtin() -> Result<Self, RuleError> {
        BUILTIN.clone()
    }

    fn embedded() -> Result<Self, RuleError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            rule: Vec<Rule>,
        }
        let mut rules = Vec::new();
        for (name, file) in super::folder::<File>("credentials")? {
            rules.extend(file.rule.into_iter().map(|mut rule| {
                name.clone_into(&mut rule.file);
                rule.builtin = true;
                rule.write_out();
                Arc::new(rule)
            }));
        }
        Ok(Self { rules })
    }

    /// Rules from `(file name, text)` pairs, in the order given.
    ///
    /// # Errors
    /// A file that is not TOML, a rule with a missing or unknown key, or two rules with one id; the file and the rule are
    /// named.
    pub fn load<N, T>(files: impl IntoIterator<Item = (N, T)>) -> Result<Self, RuleError>
    where
        N: AsRef<str>,
        T: AsRef<str>,
    {
        let mut rules = Vec::new();
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for (name, text) in files {
            let (name, text) = (name.as_ref(), text.as_ref());
            let file: File = toml::from_str(text)
                .map_err(|error| RuleError::invalid(name, error.to_string()))?;
            for (position, value) in file.rule.into_iter().enumerate() {
                let label = value.get("id").and_then(toml::Value::as_str).map_or_else(
                    || format!("entry {}", position + 1),
                    |id| format!("rule `{id}`"),
                );
                let mut rule: Rule = value.try_into().map_err(|error: toml::de::Error| {
                    RuleError::invalid(name, format!("{label}: {}", error.message()))
                })?;
                name.clone_into(&mut rule.file);
                rule.write_out();
                if let Some(other) = seen.insert(rule.id.clone(), name.to_owned()) {
                    return Err(RuleError::invalid(
                        name,
                        format!("{label}: the id is taken by a rule in `{other}`"),
                    ));
                }
                rules.push(Arc::new(rule));
            }
        }
        Ok(Self { rules })
    }

    /// The rules without those of these ids.
    ///
    /// # Errors
    /// When there is no rule of an id.
    pub fn without(mut self, ids: &[String]) -> Result<Self, RuleError> {
        for id in ids {
            let before = self.rules.len();
            self.rules.retain(|rule| rule.id != *id);
            if self.rules.len() == before {
                let reason = format!("`rules.disable`: there is no rule `{id}`");
                return Err(RuleError::invalid("overstay.toml", reason));
            }
        }
        Ok(self)
    }

    /// These rules and others beside them.
    ///
    /// # Errors
    /// When two rules have one id.
    pub fn and(mut self, other: Self) -> Result<Self, RuleError> {
        for rule in other.rules {
            if self.rules.iter().any(|known| known.id == rule.id) {
                let reason = format!(
                    "rule `{}`: a built-in rule has the id; name yours otherwise, or disable the built-in one",
                    rule.id
                );
                return Err(RuleError::invalid(&rule.file, reason));
            }
            self.rules.push(rule);
        }
        Ok(self)
    }

    /// A set of rules made elsewhere.
    pub fn of(rules: Vec<Rule>) -> Self {
        let rules = rules.into_iter().map(Arc::new).collect();
        Self { rules }
    }

    /// The rules, in load order.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// One rule by its id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        let mut rules = self.rules.iter();
        rules.find(|rule| rule.id == id).map(AsRef::as_ref)
    }

    /// What is wrong with the rules by themselves, in load order. What the engine makes of their examples is checked by
    /// `secrets::check`.
    pub fn check(&self) -> Vec<RuleProblem> {
        let rules = self.rules.iter();
        rules.flat_map(|rule| problems::check(rule)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn with(extra: &str) -> String {
        format!(
            r#"
[[rule]]
id = "acme-token"
title = "Acme token"
provider = "acme"
credential_type = "acme-token"
literals = ["acme_"]
pattern = '''\b(?P<secret>(?P<prefix>acme_)[0-9a-f]{{20}})\b'''
window = {{ before = 1, after = 24 }}
confidence = "high"
target = "saas-scoped-token"
source = "https://acme.example/docs"
as_of = "2026-11-21"
{extra}
"#
        )
    }

    const EXAMPLE: &str = "examples = [\"key: acme_{{hex:20:one}}\"]";

    #[test]
    fn the_embedded_rules_have_no_problem() {
        let rules = CredentialRules::builtin().unwrap();
        assert_eq!(rules.check(), Vec::new());
        assert!(rules.rules().len() >= 40, "{}", rules.rules().len());
        let ids: BTreeSet<&str> = rules.rules().iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids.len(), rules.rules().len(), "two rules have one id");
    }

    #[test]
    fn unknown_keys_are_named_with_file_and_rule() {
        let text = with(&format!("{EXAMPLE}\nlitterals = []"));
        let error = CredentialRules::load([("acme.toml", text)])
            .unwrap_err()
            .to_string();
        for part in ["acme.toml", "acme-token", "litterals"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn two_rules_cannot_share_an_id() {
        let error = CredentialRules::load([("a.toml", with(EXAMPLE)), ("b.toml", with(EXAMPLE))])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("a.toml") && error.contains("b.toml"),
            "{error}"
        );
    }

    fn problems(text: String) -> String {
        CredentialRules::load([("acme.toml", text)])
            .unwrap()
            .check()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_sound_rule_has_no_problem() {
        assert_eq!(problems(with(EXAMPLE)), "");
    }

    #[test]
    fn faults_are_found() {
        let cases = [
            (with(EXAMPLE).replace("[\"acme_\"]", "[]"), "no literals"),
            (
                with(EXAMPLE).replace("[\"acme_\"]", "[\"ac\"]"),
                "shorter than 3",
            ),
            (with(EXAMPLE).replace("{20}", "{20,}"), "unbounded"),
            (with(EXAMPLE).replace("after = 24", "after = 12"), "window"),
            (with(EXAMPLE).replace("(?P<secret>", "("), "`secret`"),
            (with(EXAMPLE).replace("[0-9a-f]", "[0-9a-f"), "pattern"),
            (
                with(EXAMPLE).replace("\"acme-token\"\ntitle", "\"Acme\"\ntitle"),
                "kebab-case",
            ),
            (with("examples = []"), "no examples"),
            (with("examples = [\"key: acme-1\"]"), "does not match"),
            (with("examples = [\"{{nonsense:1}}\"]"), "nonsense"),
            (
                with(&format!("{EXAMPLE}\ndefault_tier = 6")),
                "default_tier",
            ),
        ];
        for (text, needle) in cases {
            let found = problems(text);
            assert!(found.contains(needle), "expected {needle}, got: {found}");
        }
    }
}
