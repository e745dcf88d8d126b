//! `overstay.toml`: what a user says about their own organisation. Unknown keys are errors, with the line shown.

pub use super::pattern::Pattern;
use super::people::{People, Person};
use crate::model::{Environment, Location, Renames, Ternary};
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use thiserror::Error;

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Not valid TOML, or a key or value that is not known.
    #[error("{0}")]
    Parse(String),
    /// A pattern that is not a glob.
    #[error("`{0}` is not a valid pattern; `*` stands for any text, `?` for one character")]
    Pattern(String),
    /// A list of people that names nobody.
    #[error("{0}")]
    People(String),
}

/// The whole configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// File with the 32-byte fingerprint key, in hexadecimal; relative to the configuration file.
    pub fingerprint_key_file: Option<PathBuf>,
    /// Overrides of `rules/scoring.toml`, same keys; validated by the scoring rules.
    pub scoring: toml::Table,
    /// What is known of identities and credentials. Later entries win over earlier ones.
    #[serde(rename = "identity")]
    pub identities: Vec<Annotation>,
    /// What is known of accounts, by account id.
    pub account: BTreeMap<String, AccountNote>,
    /// What is known of repositories. Later entries win over earlier ones.
    #[serde(rename = "repository")]
    pub repositories: Vec<RepositoryNote>,
    /// How sensitive is what lies behind a tag, in an account, a namespace or a path. The last entry that fits wins.
    #[serde(rename = "sensitivity")]
    pub sensitivities: Vec<SensitivityNote>,
    /// What is to be ignored, and why.
    #[serde(rename = "ignore")]
    pub ignores: Vec<Ignore>,
    /// Detection rules of one's own.
    pub rules: OwnRules,
    /// The review in the terminal.
    pub review: Review,
    /// People, here or gone.
    pub person: Vec<Person>,
    /// File with more of them; relative to the configuration file.
    pub people_file: Option<PathBuf>,
    /// Everybody who is here is on the list.
    pub people_complete: bool,
    /// All of them, by name.
    #[serde(skip)]
    pub people: People,
    /// Digest of everything above that judgements rest on, however it is laid out in the file; empty without a file.
    #[serde(skip)]
    pub digest: String,
}

/// How the review in the terminal is to be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Review {
    /// Keys by the name of what they do.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Reasons to suggest, by the word of the decision.
    pub reasons: BTreeMap<String, Vec<String>>,
}

/// What is known of one identity or credential, or of several that one pattern names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    /// Pattern over native id (ARN …), name, credential public id or report id.
    #[serde(rename = "match")]
    pub matches: Pattern,
    /// Owner.
    pub owner: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
    /// Deployment environment.
    pub environment: Option<Environment>,
    /// Sensitivity of what it reaches, 0–3.
    #[serde(default, deserialize_with = "level")]
    pub sensitivity: Option<u8>,
    /// Confirmed break-glass access.
    pub break_glass: Option<bool>,
    /// A person, not a machine (or the reverse).
    pub human: Option<bool>,
    /// The vendor accepts nothing but a static key.
    pub vendor_static: Option<bool>,
    /// The consumer caches the secret where the issuer cannot see it.
    pub cached_secret: Option<bool>,
    /// The system cannot authorize per session.
    pub no_session_authz: Option<bool>,
    /// The system has no live signal about posture or context.
    pub no_live_signal: Option<bool>,
    /// Production breaks if the access changes.
    pub brittle_dependency: Option<bool>,
    /// Logs of its use are kept and watched.
    pub logged: Option<bool>,
    /// The consumer can ask again safely.
    #[serde(default)]
    pub can_rerequest: Option<Ternary>,
    /// A failed renewal is tolerable.
    #[serde(default)]
    pub renewal_failure_tolerable: Option<Ternary>,
    /// A policy judges the agent's intent: file or engine.
    pub intent_policy: Option<String>,
    /// How long its task takes, in seconds.
    #[serde(default, deserialize_with = "duration")]
    pub task_seconds: Option<u64>,
    /// Until when standing access is accepted: a TOML date, quoted or not.
    #[serde(default, deserialize_with = "date")]
    pub exception_expires: Option<Date>,
    /// Who answers for that exception; the owner where nobody else is named.
    pub exception_owner: Option<String>,
    /// Why it is accepted.
    pub exception_reason: Option<String>,
    /// Day on which a person revoked the credential at its issuer, which no scan can see.
    #[serde(default, deserialize_with = "date")]
    pub revoked: Option<Date>,
}

/// How sensitive something is; every condition given holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "WrittenSensitivity")]
pub struct SensitivityNote {
    /// Key and pattern of the value of a tag or label.
    pub tag: Option<(String, Pattern)>,
    /// Pattern over the account.
    pub account: Option<Pattern>,
    /// Pattern over the Kubernetes namespace.
    pub namespace: Option<Pattern>,
    /// Pattern over `repository/path` of a place it is declared or seen at.
    pub path: Option<Pattern>,
    /// 0 to 3.
    pub level: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSensitivity {
    tag: Option<String>,
    account: Option<Pattern>,
    namespace: Option<Pattern>,
    path: Option<Pattern>,
    #[serde(deserialize_with = "rating")]
    level: u8,
}

impl TryFrom<WrittenSensitivity> for SensitivityNote {
    type Error = String;

    fn try_from(written: WrittenSensitivity) -> Result<Self, String> {
        let tag = match written.tag {
            None => None,
            Some(text) => {
                let (key, value) = text.split_once('=').unwrap_or((&text, "*"));
                let value = Pattern::new(value).map_err(|error| error.to_string())?;
                Some((key.to_owned(), value))
            }
        };
        if tag.is_none()
            && written.account.is_none()
            && written.namespace.is_none()
            && written.path.is_none()
        {
            return Err("a sensitivity needs `tag`, `account`, `namespace` or `path`".to_owned());
        }
        Ok(Self {
            tag,
            account: written.account,
            namespace: written.namespace,
            path: written.path,
            level: written.level,
        })
    }
}

fn level<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    rating(deserializer).map(Some)
}

/// A level of sensitivity; a mistake keeps the line it stands in.
fn rating<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let level = i64::deserialize(deserializer)?;
    u8::try_from(level)
        .ok()
        .filter(|level| *level <= 3)
        .ok_or_else(|| serde::de::Error::custom("a level of sensitivity must lie between 0 and 3"))
}

/// How long something takes: never nothing.
fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let seconds = i64::deserialize(deserializer)?;
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => Ok(Some(seconds)),
        _ => Err(serde::de::Error::custom(
            "a task takes at least 1 s: `task_seconds` must be more than 0",
        )),
    }
}

pub(super) fn date<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Date>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Bare(toml::value::Datetime),
        Quoted(String),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Bare(date) => date.to_string(),
        Written::Quoted(text) => text,
    };
    text.parse()
        .map(Some)
        .map_err(|_| serde::de::Error::custom("expected a date such as 2027-03-31"))
}

/// Something that is to be ignored: every one of its conditions holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "WrittenIgnore")]
pub struct Ignore {
    /// Pattern over `repository/path`, or the path alone.
    path: Option<Pattern>,
    /// Pattern over the ids of detection rules and checks.
    rule: Option<Pattern>,
    /// Fingerprint or id of a credential.
    fingerprint: Option<String>,
    /// Why.
    pub reason: String,
    /// Last day it holds.
    pub expires: Option<Date>,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenIgnore {
    path: Option<String>,
    rule: Option<String>,
    fingerprint: Option<String>,
    reason: String,
    #[serde(default, deserialize_with = "date")]
    expires: Option<Date>,
}

impl TryFrom<WrittenIgnore> for Ignore {
    type Error = String;

    fn try_from(written: WrittenIgnore) -> Result<Self, String> {
        let said = [
            ("path", &written.path),
            ("rule", &written.rule),
            ("fingerprint", &written.fingerprint),
        ];
        let said: Vec<String> = said
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key} {}", value.as_ref()?)))
            .collect();
        if said.is_empty() {
            return Err("an ignore needs `path`, `rule` or `fingerprint`".to_owned());
        }
        if written.reason.trim().is_empty() {
            return Err("an ignore needs a `reason`".to_owned());
        }
        let pattern = |text: Option<String>| {
            text.map(|text| Pattern::new(&text))
                .transpose()
                .map_err(|error| error.to_string())
        };
        Ok(Self {
            path: pattern(written.path)?,
            rule: pattern(written.rule)?,
            fingerprint: written.fingerprint,
            reason: written.reason,
            expires: written.expires,
            name: said.join(", "),
        })
    }
}

impl Ignore {
    /// Whether it speaks of a rule or check at a place, of a credential with these names.
    pub fn covers(
        &self,
        names: &[String],
        place: &Location,
        rule: &str,
        renames: &Renames,
    ) -> bool {
        let at = |path: &Pattern| {
            let named = |name: &String| path.fits_place(name, &place.uri);
            path.matches(&place.uri) || place.repository.as_ref().is_some_and(named)
        };
        self.path.as_ref().is_none_or(at)
            && self
                .rule
                .as_ref()
                .is_none_or(|pattern| renames.any(rule, |name| pattern.matches(name)))
            && self
                .fingerprint
                .as_ref()
                .is_none_or(|print| names.contains(print))
    }

    /// Its conditions, as it is told of.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Detection rules of one's own, and built-in ones that are not wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnRules {
    /// Rule files, or folders of them; relative to the configuration file.
    pub files: Vec<PathBuf>,
    /// Ids of built-in rules that are left out. A rule of one's own may take the id.
    pub disable: Vec<String>,
}

/// What is known of one account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountNote {
    /// Name.
    pub name: Option<String>,
    /// Deployment environment.
    pub environment: Option<Environment>,
    /// Owner of what has no better one.
    pub owner: Option<String>,
    /// Belongs to the own organisation: trusting it is not third-party trust.
    pub own: bool,
}

/// What is known of one repository, or of several that one pattern names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepositoryNote {
    /// Pattern over the repository's name in the scan.
    #[serde(rename = "match")]
    pub matches: Pattern,
    /// Known to be public.
    pub public: Option<bool>,
    /// Deployment environment.
    pub environment: Option<Environment>,
    /// Owner of what has no better one.
    pub owner: Option<String>,
}

/// A mistake in the weights, with the line of the key it names.
fn placed(text: &str, error: &super::RuleError) -> String {
    let super::RuleError::Invalid { reason, .. } = error else {
        return error.to_string();
    };
    let key = reason.split('`').nth(1).unwrap_or_default();
    let reason = format!("[scoring] {reason}");
    match line_of(text, key) {
        Some(at) => shown(text, at, &reason),
        None => reason,
    }
}

/// A mistake with the line that a byte of the text lies in.
pub(super) fn shown(text: &str, at: usize, reason: &str) -> String {
    let before = text.get(..at).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default().trim_end();
    let bar = " ".repeat(number.to_string().len());
    format!("line {number}: {reason}\n{bar} |\n{number} | {line}\n{bar} |")
}

/// Where a key below `[scoring]` is set, or the nearest part of its path that is written.
fn line_of(text: &str, key: &str) -> Option<usize> {
    use toml::de::{DeTable, DeValue};
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut at = None;
    let path = format!("scoring.{key}");
    let mut rest = path.as_str();
    while !rest.is_empty() {
        // Names of types may hold dots, as may quoted keys: the longest that is written wins.
        let found = table
            .iter()
            .filter(|(name, _)| {
                let name = name.get_ref().as_ref();
                rest == name
                    || rest
                        .strip_prefix(name)
                        .is_some_and(|behind| behind.starts_with('.'))
            })
            .max_by_key(|(name, _)| name.get_ref().len());
        let Some((name, value)) = found else { break };
        at = Some(name.span().start);
        rest = rest.get(name.get_ref().len() + 1..).unwrap_or_default();
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    at
}

impl Config {
    /// Parses the text of an `overstay.toml`.
    ///
    /// # Errors
    /// With the line and the key at fault.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let failed = |error: toml::de::Error| ConfigError::Parse(error.to_string());
        let mut config: Self = toml::from_str(text).map_err(failed)?;
        let mut table: toml::Table = toml::from_str(text).map_err(failed)?;
        if let Err(error) = super::scoring::Scoring::with_overrides(&config.scoring) {
            return Err(ConfigError::Parse(placed(text, &error)));
        }
        super::exceptions::check(text, &config).map_err(ConfigError::Parse)?;
        for person in &config.person {
            config.people.add(person);
        }
        config.people.complete(config.people_complete);
        // Where the key lies and how the review looks say nothing about the policy, and the weights have a digest of their own.
        table.remove("fingerprint_key_file");
        table.remove("scoring");
        table.remove("review");
        if !table.is_empty() {
            config.digest = blake3::hash(table.to_string().as_bytes())
                .to_hex()
                .chars()
                .take(16)
                .collect();
        }
        Ok(config)
    }

    /// Adds a list of people, as text.
    ///
    /// # Errors
    /// When it names nobody.
    pub fn add_people(&mut self, text: &str) -> Result<(), ConfigError> {
        self.people.read(text).map_err(ConfigError::People)?;
        let both = format!("{}\n{text}", self.digest);
        blake3::hash(both.as_bytes()).to_hex()[..16].clone_into(&mut self.digest);
        Ok(())
    }

    /// Annotations whose pattern matches any of the names, in file order (so that the last one wins).
    pub fn annotations<'a>(
        &'a self,
        names: &'a [&'a str],
    ) -> impl DoubleEndedIterator<Item = &'a Annotation> {
        self.identities
            .iter()
            .filter(move |note| names.iter().any(|name| note.matches.fits_name(name)))
    }

    /// The last annotation matching any of the names that answers `field`.
    pub fn annotated<T>(
        &self,
        names: &[&str],
        field: impl Fn(&Annotation) -> Option<T>,
    ) -> Option<T> {
        self.annotations(names).rev().find_map(field)
    }

    /// The last note on a repository that answers `field`.
    pub fn repository<T>(
        &self,
        name: &str,
        field: impl Fn(&RepositoryNote) -> Option<T>,
    ) -> Option<T> {
        self.repositories
            .iter()
            .rev()
            .filter(|note| note.matches.fits_name(name))
            .find_map(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_matching_annotation_that_answers_wins() {
        let config = Config::parse(
            r#"
            [[identity]]
            match = "arn:aws:iam::*:user/*"
            owner = "platform"
            purpose = "automation"
            [[identity]]
            match = "*/deployer"
            owner = "release"
            [account.111122223333]
            own = true
            [[repository]]
            match = "site*"
            public = true
            "#,
        )
        .unwrap();
        let names = ["arn:aws:iam::111122223333:user/deployer"];
        assert_eq!(
            config.annotated(&names, |note| note.owner.clone()),
            Some("release".into())
        );
        assert_eq!(
            config.annotated(&names, |note| note.purpose.clone()),
            Some("automation".into())
        );
        assert_eq!(
            config.repository("site-web", |note| note.public),
            Some(true)
        );
        assert!(config.account["111122223333"].own);
    }

    #[test]
    fn dates_are_read_quoted_or_not() {
        for text in ["2027-03-31", "\"2027-03-31\""] {
            let config = Config::parse(&format!(
                "[[identity]]\nmatch = \"x\"\nexception_owner = \"o\"\nexception_expires = {text}\n"
            ))
            .unwrap();
            let date = config
                .annotated(&["x"], |note| note.exception_expires)
                .unwrap();
            assert_eq!(date.to_string(), "2027-03-31");
        }
        assert!(
            Config::parse("[[identity]]\nmatch = \"x\"\nexception_expires = \"soon\"\n").is_err()
        );
    }

    #[test]
    fn the_digest_heeds_what_is_said_and_not_how() {
        let digest = |text: &str| Config::parse(text).unwrap().digest;
        let said = digest("[[identity]]\nmatch = \"x\"\nowner = \"y\"\n");
        assert_eq!(
            said,
            digest("# why\n[[identity]]\nowner = 'y'\nmatch = 'x'\n")
        );
        assert_ne!(said, digest("[[identity]]\nmatch = \"x\"\nowner = \"z\"\n"));
        assert_eq!(digest("fingerprint_key_file = 'k'"), "");
    }

    #[test]
    fn mistakes_in_weights_show_their_line() {
        for (text, line, named) in [
            ("[scoring.thresholds]\n\nunusd_days = 3\n", 3, "unusd_days"),
            ("# x\n[scoring]\nthresholds.unused_days = 0\n", 3, "is 0"),
            ("[scoring.sensitivity.types]\n\"a.b\" = 9\n", 2, "a.b"),
            ("[scoring.gates]\n\nmigrate_fit = 800\n", 3, "migrate_fit"),
            (
                "[scoring.ttl]\n#\nallowed_seconds = [\"x\"]\n",
                3,
                "allowed_seconds",
            ),
            ("[scoring]\nplan = { wave_size = \"x\" }\n", 2, "wave_size"),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(
                error.contains(&format!("line {line}")) && error.contains(named),
                "{error}"
            );
        }
        for (text, line, named) in [
            (
                "[[sensitivity]]\naccount = \"1\"\nlevel = 4\n",
                3,
                "level = 4",
            ),
            (
                "[[sensitivity]]\naccount = \"1\"\nlevel = -1\n",
                3,
                "between 0 and 3",
            ),
            ("[[sensitivity]]\nlevel = 2\n", 1, "a sensitivity needs"),
            (
                "[[identity]]\nmatch = \"x\"\nsensitivity = 4\n",
                3,
                "sensitivity = 4",
            ),
            (
                "[[identity]]\nmatch = \"x\"\ntask_seconds = 0\n",
                3,
                "task_seconds = 0",
            ),
            (
                "[[identity]]\nmatch = \"x\"\ntask_seconds = -5\n",
                3,
                "more than 0",
            ),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(
                error.contains(&format!("line {line}")) && error.contains(named),
                "{error}"
            );
        }
        let hour = "[[identity]]\nmatch = \"x\"\ntask_seconds = 3600\n";
        assert_eq!(
            Config::parse(hour).unwrap().identities[0].task_seconds,
            Some(3600)
        );
    }

    #[test]
    fn mistakes_show_their_line() {
        let error = Config::parse("[[identity]]\nmatch = \"x\"\nownr = \"y\"\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 3") && error.contains("ownr"),
            "{error}"
        );
    }
}
