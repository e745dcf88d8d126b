//! Metadata of the coded checks: `rules/posture/*.toml`, and the frameworks they map to: `rules/frameworks/*.toml`.
//!
//! A check's code decides whether something is wrong. What it is called, how bad it is at first, what to do about it,
//! which ids of which framework it answers to and the lists it judges by are data, and stand here.

use super::RuleError;
use crate::model::{ConsumerClass, Frameworks, Renames, Severity};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Folder of the checks' metadata below `rules/`.
const CHECKS: &str = "posture";
/// Folder of the frameworks below `rules/`.
const FRAMEWORKS: &str = "frameworks";

/// How seldom a check is wrong when it speaks, in the words of SARIF viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Wrong often.
    Low,
    /// Wrong at times.
    Medium,
    /// Seldom wrong.
    High,
    /// Reads a fact.
    VeryHigh,
}

impl Precision {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::VeryHigh => "very-high",
        }
    }
}

/// What is said about one check.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckMeta {
    /// Kebab-case id, the name of the file.
    pub id: String,
    /// The fault in a few words.
    pub title: String,
    /// Severity before anything about the subject is known.
    pub severity: Severity,
    /// What raises and lowers the severity.
    pub severity_moves: Vec<String>,
    /// How seldom the check is wrong.
    pub precision: Precision,
    /// Exactly what it reports.
    pub reports: String,
    /// What it does not report, on purpose or because it cannot see it.
    pub silent: String,
    /// Why it matters.
    pub rationale: String,
    /// What to do, in order.
    pub remediation: Vec<String>,
    /// What the facts rest on.
    pub source: String,
    /// Date of the facts, ISO 8601.
    pub as_of: String,
    /// Framework ids for every subject, after concepts were resolved to ids of the pinned version.
    pub frameworks: Frameworks,
    /// Framework ids added when the subject is an AI agent.
    #[serde(default)]
    pub agent_frameworks: Frameworks,
    /// Word lists the check judges by.
    #[serde(default)]
    pub words: BTreeMap<String, Vec<String>>,
    /// Numbers the check judges by.
    #[serde(default)]
    pub numbers: BTreeMap<String, i64>,
}

impl CheckMeta {
    /// A word list of the check; empty when it has none of that name.
    pub fn words(&self, name: &str) -> &[String] {
        self.words.get(name).map_or(&[], Vec::as_slice)
    }

    /// A number of the check.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.numbers.get(name).copied()
    }
}

/// One framework that checks map to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// Key in findings: `owasp-nhi`, `cwe`, …
    pub id: String,
    /// Full name.
    pub name: String,
    /// Version the ids are of.
    pub version: String,
    /// What the ids and titles rest on.
    pub source: String,
    /// Date of the facts, ISO 8601.
    pub as_of: String,
    /// Only findings about this provider cite it; `None`: all.
    #[serde(default)]
    pub provider: Option<String>,
    /// Id to title, the official one where the framework has titles.
    #[serde(default)]
    pub titles: BTreeMap<String, String>,
    /// Ids that exist and must not be cited.
    #[serde(default)]
    pub discouraged: Vec<String>,
    /// Concepts whose number depends on the framework's version.
    #[serde(default)]
    pub concepts: BTreeMap<String, Concept>,
}

/// A recommendation that keeps its meaning while its number moves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concept {
    /// What it asks for.
    pub title: String,
    /// Version to number; no entry where a version does not have it.
    pub numbers: BTreeMap<String, String>,
}

impl Framework {
    /// The ids a reference stands for: an id of the framework itself, or the number of a concept in the pinned version
    /// (none where that version dropped it). `None` when the reference is neither, or is discouraged.
    fn resolve(&self, reference: &str) -> Option<Vec<String>> {
        if self.discouraged.iter().any(|id| id == reference) {
            return None;
        }
        if let Some(concept) = self.concepts.get(reference) {
            return Some(
                concept
                    .numbers
                    .get(&self.version)
                    .cloned()
                    .into_iter()
                    .collect(),
            );
        }
        self.titles
            .contains_key(reference)
            .then(|| vec![reference.to_owned()])
    }

    /// Title of an id.
    pub fn title(&self, id: &str) -> Option<&str> {
        self.titles.get(id).map(String::as_str)
    }
}

/// Those embedded in the program, which several rooms ask for.
static BUILTIN: LazyLock<Result<Posture, RuleError>> = LazyLock::new(Posture::embedded);

/// All checks and frameworks.
#[derive(Clone, Debug, PartialEq)]
pub struct Posture {
    checks: BTreeMap<String, CheckMeta>,
    frameworks: BTreeMap<String, Framework>,
    renames: Renames,
}

impl Posture {
    /// The data of this build.
    ///
    /// # Errors
    /// When a file does not have its shape, or cites what its framework does not have.
    pub fn builtin() -> Result<Self, RuleError> {
        BUILTIN.clone()
    }

    fn embedded() -> Result<Self, RuleError> {
        let posture = Self::of(super::folder(CHECKS)?, super::folder(FRAMEWORKS)?)?;
        Ok(posture.renamed(super::renames::builtin()?))
    }

    /// Joins checks and frameworks, each with the path of its file.
    ///
    /// # Errors
    /// As [`Posture::builtin`].
    pub fn of(
        checks: Vec<(&str, CheckMeta)>,
        frameworks: Vec<(&str, Framework)>,
    ) -> Result<Self, RuleError> {
        let mut posture = Self {
            checks: BTreeMap::new(),
            frameworks: BTreeMap::new(),
            renames: Renames::default(),
        };
        for (file, mut framework) in frameworks {
            named_as_its_file(file, &framework.id)?;
            for concept in framework.concepts.values() {
                if let Some(number) = concept.numbers.get(&framework.version) {
                    framework
                        .titles
                        .insert(number.clone(), concept.title.clone());
                }
            }
            posture.frameworks.insert(framework.id.clone(), framework);
        }
        for (file, mut meta) in checks {
            named_as_its_file(file, &meta.id)?;
            meta.frameworks = posture.resolve(file, &meta.frameworks)?;
            meta.agent_frameworks = posture.resolve(file, &meta.agent_frameworks)?;
            posture.checks.insert(meta.id.clone(), meta);
        }
        Ok(posture)
    }

    fn resolve(&self, file: &str, cited: &Frameworks) -> Result<Frameworks, RuleError> {
        let mut resolved = Frameworks::new();
        for (key, references) in cited {
            let framework = self.frameworks.get(key).ok_or_else(|| {
                RuleError::invalid(file, format!("there is no framework `{key}`"))
            })?;
            let mut ids = Vec::new();
            for reference in references {
                ids.extend(framework.resolve(reference).ok_or_else(|| {
                    RuleError::invalid(file, format!("`{reference}` may not be cited from `{key}`"))
                })?);
            }
            if !ids.is_empty() {
                resolved.insert(key.clone(), ids);
            }
        }
        Ok(resolved)
    }

    /// The same checks, of which some had other names.
    #[must_use]
    pub fn renamed(self, renames: Renames) -> Self {
        Self { renames, ..self }
    }

    /// Rules and checks that had other names.
    pub const fn renames(&self) -> &Renames {
        &self.renames
    }

    /// Metadata of one check.
    pub fn check(&self, id: &str) -> Option<&CheckMeta> {
        self.checks.get(id)
    }

    /// All checks, by id.
    pub fn checks(&self) -> impl ExactSizeIterator<Item = &CheckMeta> {
        self.checks.values()
    }

    /// All frameworks, by id.
    pub fn frameworks(&self) -> impl ExactSizeIterator<Item = &Framework> {
        self.frameworks.values()
    }

    /// One framework.
    pub fn framework(&self, id: &str) -> Option<&Framework> {
        self.frameworks.get(id)
    }

    /// The ids a finding of a check cites: those of the subject's provider, and those about agents when it is one.
    pub fn frameworks_for(
        &self,
        meta: &CheckMeta,
        provider: Option<&str>,
        consumer: ConsumerClass,
    ) -> Frameworks {
        let of_agents = (consumer == ConsumerClass::Agent).then_some(&meta.agent_frameworks);
        let mut cited = Frameworks::new();
        for (key, ids) in meta
            .frameworks
            .iter()
            .chain(of_agents.into_iter().flatten())
        {
            let only = self.frameworks.get(key).and_then(|f| f.provider.as_deref());
            if only.is_none() || only == provider {
                let entry: &mut Vec<String> = cited.entry(key.clone()).or_default();
                entry.extend(ids.iter().cloned());
            }
        }
        cited
    }
}

fn named_as_its_file(file: &str, id: &str) -> Result<(), RuleError> {
    let name = file.rsplit('/').next().unwrap_or(file);
    if name.strip_suffix(".toml") == Some(id) {
        Ok(())
    } else {
        Err(RuleError::invalid(
            file,
            format!("holds `{id}`: the file must have its name"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMEWORK: &str = r#"
        id = "f"
        name = "F"
        version = "2"
        source = "s"
        as_of = "2026-01-01"
        provider = "aws"
        discouraged = ["X"]
        [titles]
        A = "a"
        [concepts.kept]
        title = "kept"
        numbers = { "1" = "1.1", "2" = "1.2" }
        [concepts.dropped]
        title = "dropped"
        numbers = { "1" = "1.3" }
    "#;

    fn check(cites: &str) -> String {
        format!(
            r#"
            id = "c"
            title = "t"
            severity = "low"
            severity_moves = []
            precision = "high"
            reports = "r"
            silent = "s"
            rationale = "why"
            remediation = ["do"]
            source = "s"
            as_of = "2026-01-01"
            [frameworks]
            f = [{cites}]
            [agent_frameworks]
            f = ["A"]
            "#
        )
    }

    fn load_as(file: &str, cites: &str) -> Result<Posture, RuleError> {
        let check = toml::from_str(&check(cites)).unwrap();
        let framework = toml::from_str(FRAMEWORK).unwrap();
        Posture::of(vec![(file, check)], vec![("frameworks/f.toml", framework)])
    }

    fn load(cites: &str) -> Result<Posture, RuleError> {
        load_as("posture/c.toml", cites)
    }

    #[test]
    fn concepts_become_numbers_of_the_pinned_version() {
        let posture = load(r#""kept", "dropped""#).unwrap();
        let meta = posture.check("c").unwrap();
        assert_eq!(meta.frameworks["f"], ["1.2"]);
        assert_eq!(posture.framework("f").unwrap().title("1.2"), Some("kept"));
        assert!(
            load(r#""dropped""#)
                .unwrap()
                .check("c")
                .unwrap()
                .frameworks
                .is_empty()
        );
    }

    #[test]
    fn only_the_subjects_own_frameworks_are_cited() {
        let posture = load(r#""kept""#).unwrap();
        let meta = posture.check("c").unwrap();
        let cited = |provider, class| posture.frameworks_for(meta, Some(provider), class);
        assert_eq!(cited("aws", ConsumerClass::Ci)["f"], ["1.2"]);
        assert_eq!(cited("aws", ConsumerClass::Agent)["f"], ["1.2", "A"]);
        assert!(cited("gcp", ConsumerClass::Agent).is_empty());
    }

    #[test]
    fn unknown_and_discouraged_ids_are_refused() {
        for (cites, told) in [(r#""B""#, "`B`"), (r#""X""#, "`X`")] {
            let error = load(cites).unwrap_err().to_string();
            assert!(
                error.contains("posture/c.toml") && error.contains(told),
                "{error}"
            );
        }
        assert!(load_as("posture/d.toml", r#""A""#).is_err());
    }

    #[test]
    fn the_data_of_this_build_is_sound() {
        let posture = Posture::builtin().unwrap();
        for meta in posture.checks() {
            assert!(meta.frameworks.contains_key("owasp-nhi"), "{}", meta.id);
            assert!(meta.frameworks.contains_key("cwe"), "{}", meta.id);
            assert!(!meta.remediation.is_empty(), "{}", meta.id);
            assert!(!meta.severity_moves.is_empty(), "{}", meta.id);
            assert!(
                meta.as_of.parse::<jiff::civil::Date>().is_ok(),
                "{}",
                meta.id
            );
            for key in ["owasp-asi", "maestro", "nist-ai-rmf"] {
                assert!(
                    !meta.frameworks.contains_key(key),
                    "{}: {key} is for agents",
                    meta.id
                );
            }
        }
        for framework in posture.frameworks() {
            assert!(
                framework.as_of.parse::<jiff::civil::Date>().is_ok(),
                "{}",
                framework.id
            );
            let cited = posture.checks().any(|meta| {
                meta.frameworks.contains_key(&framework.id)
                    || meta.agent_frameworks.contains_key(&framework.id)
            });
            assert!(cited, "no check cites {}", framework.id);
        }
    }
}
