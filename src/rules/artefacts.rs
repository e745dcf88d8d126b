//! What artefacts of the plan are made from: `rules/artefacts/`.

use super::RuleError;
use super::targets::matches;
use crate::model::ArtefactKind;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Operator, key and value of the conditions of a statement.
pub type Conditions = BTreeMap<String, BTreeMap<String, String>>;

/// Everything.
#[derive(Clone, Debug)]
pub struct Artefacts {
    /// Trust policies.
    pub trusts: Vec<Trust>,
    /// What boundaries deny, and what is tried against roles.
    pub boundary: Boundary,
    /// What has to be filled in.
    pub placeholders: BTreeMap<String, Placeholder>,
    /// Commands of negative tests.
    pub negative: Vec<Negative>,
    /// Scripts, queries, code and manifests.
    pub files: Vec<FileText>,
}

/// A trust policy of a target.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Targets of the catalogue.
    pub targets: Vec<String>,
    /// Providers it is limited to.
    pub systems: Vec<String>,
    /// Name of the role.
    pub role: String,
    /// Issuer of an OIDC provider, as host and path.
    pub issuer: Option<String>,
    /// Audience of the provider.
    pub audience: Option<String>,
    /// Service of AWS.
    pub service: Option<String>,
    /// Principal of AWS.
    pub aws: Option<String>,
    /// Actions; of an OIDC provider its own one.
    pub actions: Vec<String>,
    /// For people.
    pub explain: String,
    /// Conditions.
    pub when: Conditions,
    /// Other ways to write them.
    pub form: Vec<Form>,
    /// Who must be refused.
    pub refuse: Vec<Refuse>,
    /// It is the trust of this target, for a role that is there.
    pub like: Option<String>,
    /// For roles that trust this issuer.
    pub when_issuer: Option<String>,
}

/// Another way to write a trust.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Form {
    /// Part of the file's name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Issuer, where it is another one.
    pub issuer: Option<String>,
    /// Conditions.
    pub when: Conditions,
}

/// A request that must be refused.
#[derive(Clone, Debug, Deserialize)]
pub struct Refuse {
    /// For people.
    pub what: String,
    /// Principal, where it is another one.
    pub principal: Option<String>,
    /// Keys that are different; left out where empty.
    #[serde(flatten)]
    pub keys: BTreeMap<String, String>,
}

/// What boundaries deny, and what is tried against roles.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundary {
    /// Denied unless used.
    pub never: Vec<String>,
    /// Must be refused unless used.
    pub probes: Vec<String>,
}

/// Something to fill in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placeholder {
    /// What it is.
    pub means: String,
    /// Command that shows it.
    pub find: Option<String>,
}

/// Commands that must be refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Negative {
    /// Types of the old credential.
    pub credentials: Vec<String>,
    /// Targets of the catalogue.
    pub targets: Vec<String>,
    /// Providers.
    pub systems: Vec<String>,
    /// Values that have to be known.
    pub needs: Vec<String>,
    /// Tries the old credential.
    pub old: String,
    /// Looks for an identity that was deleted.
    pub gone: String,
    /// Tries the new way out of bounds.
    pub new: String,
}

/// One file by a template.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileText {
    /// Its name.
    pub path: String,
    /// What it is.
    pub kind: ArtefactKind,
    /// For people.
    pub description: String,
    /// Targets of the catalogue; any when empty.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Providers; any when empty.
    #[serde(default)]
    pub systems: Vec<String>,
    /// Runtimes of the consumers; any when empty.
    #[serde(default)]
    pub runtimes: Vec<String>,
    /// Values that must be known.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Text.
    pub text: String,
}

/// Whether a name is in a list of patterns, or the list has none.
pub fn fits(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, name))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trusts {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    trust: Vec<Trust>,
    boundary: Boundary,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripts {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    #[serde(default)]
    negative: Vec<Negative>,
    #[serde(default)]
    file: Vec<FileText>,
}

impl Artefacts {
    /// The data as shipped, read once.
    ///
    /// # Errors
    /// When the embedded data is not valid; a test rules that out for a release.
    pub fn builtin() -> Result<&'static Self, RuleError> {
        static READ: OnceLock<Result<Artefacts, RuleError>> = OnceLock::new();
        READ.get_or_init(Self::embedded)
            .as_ref()
            .map_err(Clone::clone)
    }

    fn embedded() -> Result<Self, RuleError> {
        let Trusts {
            trust, boundary, ..
        } = super::read("artefacts/trust.toml")?;
        let Scripts {
            mut negative,
            mut file,
            ..
        } = super::read("artefacts/scripts.toml")?;
        for path in ["artefacts/negative.toml", "artefacts/code.toml"] {
            let more: Scripts = super::read(path)?;
            negative.extend(more.negative);
            file.extend(more.file);
        }
        let placeholders: BTreeMap<String, Placeholder> =
            super::read("artefacts/placeholders.toml")?;
        let mut trusts = Vec::with_capacity(trust.len());
        for one in &trust {
            let mut whole = one.clone();
            if let Some(like) = &one.like {
                let model = trust
                    .iter()
                    .find(|other| other.like.is_none() && other.targets.contains(like))
                    .ok_or_else(|| {
                        RuleError::invalid("artefacts/trust.toml", format!("`{like}` is no trust"))
                    })?;
                whole = Trust {
                    targets: one.targets.clone(),
                    systems: one.systems.clone(),
                    role: one.role.clone(),
                    like: one.like.clone(),
                    when_issuer: one.when_issuer.clone(),
                    ..model.clone()
                };
            }
            if whole.actions.is_empty() {
                whole.actions = vec!["sts:AssumeRoleWithWebIdentity".to_owned()];
            }
            let principals = [&whole.issuer, &whole.service, &whole.aws];
            if principals.into_iter().flatten().count() != 1 {
                return Err(RuleError::invalid(
                    "artefacts/trust.toml",
                    format!(
                        "the trust of {} needs one principal",
                        whole.targets.join(", ")
                    ),
                ));
            }
            trusts.push(whole);
        }
        Ok(Self {
            trusts,
            boundary,
            placeholders,
            negative,
            files: file,
        })
    }

    /// The trust of a target, for a system and, where the role is there, one of the issuers that it trusts.
    pub fn trust(&self, target: &str, system: &str, issuers: &[&str]) -> Option<&Trust> {
        self.trusts.iter().find(|trust| {
            trust.targets.iter().any(|name| name == target)
                && fits(&trust.systems, system)
                && trust
                    .when_issuer
                    .as_deref()
                    .is_none_or(|wanted| issuers.iter().any(|issuer| matches(wanted, issuer)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::targets::Targets;

    #[test]
    fn every_entry_is_for_something_that_is_there() {
        let data = Artefacts::builtin().unwrap();
        let targets = Targets::builtin().unwrap();
        let known = |name: &String| {
            targets
                .entries()
                .iter()
                .any(|target| matches(name, &target.id))
        };
        for trust in &data.trusts {
            assert!(trust.targets.iter().all(known), "{:?}", trust.targets);
            assert!(!trust.refuse.is_empty(), "{:?}", trust.targets);
        }
        for file in &data.files {
            assert!(file.targets.iter().all(known), "{:?}", file.targets);
        }
        for negative in &data.negative {
            assert!(negative.targets.iter().all(known), "{:?}", negative.targets);
            let tries = [&negative.old, &negative.new, &negative.gone];
            assert_eq!(tries.iter().filter(|text| !text.is_empty()).count(), 1);
        }
    }
}
