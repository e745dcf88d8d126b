//! Every check as a SARIF rule, and the frameworks they cite as taxonomies. All of them in every run, sorted by id, so
//! that indices stay the same from run to run.

use super::super::text;
use super::types::{
    Component, ComponentReference, Configuration, Relationship, Rule, RuleProperties, Target, Text,
};
use crate::model::{Finding, Severity};
use crate::rules::posture::{CheckMeta, Posture};
use std::collections::{BTreeMap, BTreeSet};

/// Most tags a rule may have (GitHub code scanning).
const MOST_TAGS: usize = 20;
/// Longest description in characters (GitHub code scanning).
const LONGEST: usize = 1024;
/// Frameworks whose ids come first among the tags, because only so many are shown.
const FIRST_TAGS: [&str; 3] = ["cwe", "owasp-nhi", "owasp-asi"];

/// The rules and taxonomies of a run.
pub(super) struct Rules {
    pub(super) described: Vec<Rule>,
    pub(super) taxonomies: Vec<Component>,
    pub(super) indices: Indices,
}

/// The position of every rule of a run.
pub(super) struct Indices(BTreeMap<String, usize>);

impl Indices {
    /// Position of a rule; every rule of the findings given to [`Rules::new`] has one.
    pub(super) fn of(&self, id: &str) -> usize {
        self.0.get(id).copied().unwrap_or_default()
    }
}

impl Rules {
    /// Describes every check, and in a word what findings cite beyond them.
    pub(super) fn new(posture: &Posture, findings: &[&Finding]) -> Self {
        let taxonomies = Taxonomies::new(posture);
        let ids: BTreeSet<&str> = posture
            .checks()
            .map(|meta| meta.id.as_str())
            .chain(findings.iter().map(|finding| finding.rule.as_str()))
            .collect();
        let others = |id: &str| posture.renames().others(id).map(str::to_owned).collect();
        let rules: Vec<_> = ids
            .iter()
            .map(|id| match posture.check(id) {
                Some(meta) => described(meta, others(id), &taxonomies),
                None => Rule {
                    id: (*id).to_owned(),
                    short_description: Some(short(id)),
                    full_description: Some(short(id)),
                    help: Some(short(id)),
                    ..Rule::default()
                },
            })
            .collect();
        let index = rules
            .iter()
            .enumerate()
            .map(|(at, rule)| (rule.id.clone(), at))
            .collect();
        Self {
            described: rules,
            taxonomies: taxonomies.components,
            indices: Indices(index),
        }
    }

    /// The taxonomies, as the driver lists them.
    pub(super) fn supported(&self) -> Vec<ComponentReference> {
        let named = self.taxonomies.iter().enumerate();
        named
            .map(|(index, each)| ComponentReference {
                name: each.name.clone(),
                index,
            })
            .collect()
    }
}

/// Level of SARIF for a severity.
pub(super) const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// A number in the middle of the band in which viewers show the severity; they read it per rule.
const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.5",
    }
}

struct Taxonomies {
    components: Vec<Component>,
    /// Framework and id to the positions of both.
    places: BTreeMap<(String, String), (usize, usize)>,
}

impl Taxonomies {
    fn new(posture: &Posture) -> Self {
        let mut components = Vec::new();
        let mut places = BTreeMap::new();
        for framework in posture.frameworks() {
            let cited: BTreeSet<&String> = posture
                .checks()
                .flat_map(|meta| [&meta.frameworks, &meta.agent_frameworks])
                .filter_map(|frameworks| frameworks.get(&framework.id))
                .flatten()
                .collect();
            if cited.is_empty() {
                continue;
            }
            let at = components.len();
            for (position, id) in cited.iter().enumerate() {
                places.insert((framework.id.clone(), (*id).clone()), (at, position));
            }
            let taxa = cited.iter().map(|id| Rule {
                id: (*id).clone(),
                short_description: framework.title(id).map(Text::plain),
                ..Rule::default()
            });
            components.push(Component {
                name: framework.id.to_uppercase(),
                full_name: Some(framework.name.clone()),
                version: Some(framework.version.clone()),
                short_description: Some(Text::plain(framework.name.clone())),
                taxa: taxa.collect(),
                is_comprehensive: Some(false),
                ..Component::default()
            });
        }
        Self { components, places }
    }

    fn relationship(&self, framework: &str, id: &str) -> Option<Relationship> {
        let key = (framework.to_owned(), id.to_owned());
        let (at, position) = *self.places.get(&key)?;
        let component = self.components.get(at)?;
        Some(Relationship {
            target: Target {
                id: id.to_owned(),
                index: position,
                tool_component: ComponentReference {
                    name: component.name.clone(),
                    index: at,
                },
            },
            kinds: vec!["superset"],
        })
    }
}

fn described(meta: &CheckMeta, deprecated_ids: Vec<String>, taxonomies: &Taxonomies) -> Rule {
    let cited: Vec<(&str, &str)> = [&meta.frameworks, &meta.agent_frameworks]
        .into_iter()
        .flatten()
        .flat_map(|(framework, ids)| ids.iter().map(|id| (framework.as_str(), id.as_str())))
        .collect();
    let steps = || meta.remediation.iter().enumerate();
    let plain: Vec<_> = steps()
        .map(|(number, step)| format!("{}. {step}", number + 1))
        .collect();
    let marked: Vec<_> = steps()
        .map(|(number, step)| format!("{}. {}", number + 1, text::markdown(step)))
        .collect();
    Rule {
        id: meta.id.clone(),
        name: Some(pascal(&meta.id)),
        deprecated_ids,
        short_description: Some(short(&meta.title)),
        full_description: Some(short(&meta.reports)),
        help: Some(Text {
            text: format!("{}\n\n{}", meta.rationale, plain.join("\n")),
            markdown: Some(format!(
                "{}\n\n**What to do**\n\n{}\n\n**What it does not report**\n\n{}",
                text::markdown(&meta.rationale),
                marked.join("\n"),
                text::markdown(&meta.silent)
            )),
        }),
        default_configuration: Some(Configuration {
            level: level(meta.severity),
        }),
        relationships: cited
            .iter()
            .filter_map(|(framework, id)| taxonomies.relationship(framework, id))
            .collect(),
        properties: Some(RuleProperties {
            tags: tags(&cited),
            precision: meta.precision.as_str(),
            security_severity: security_severity(meta.severity).to_owned(),
            problem_severity: match level(meta.severity) {
                "note" => "recommendation",
                other => other,
            },
        }),
    }
}

/// `security`, then `external/<framework>/<id>`, which readers that ignore taxonomies understand.
fn tags(cited: &[(&str, &str)]) -> Vec<String> {
    let rank = |framework: &str| {
        let first = FIRST_TAGS.iter().position(|each| *each == framework);
        first.unwrap_or(FIRST_TAGS.len())
    };
    let mut sorted = cited.to_vec();
    sorted.sort_by_key(|(framework, _)| rank(framework));
    let mut tags = vec!["security".to_owned()];
    for (framework, id) in sorted {
        let id = id.to_lowercase().replace([' ', ':'], "-");
        let tag = format!("external/{framework}/{id}");
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags.truncate(MOST_TAGS);
    tags
}

/// A description viewers accept.
fn short(description: &str) -> Text {
    if description.chars().count() <= LONGEST {
        return Text::plain(description);
    }
    let cut: String = description.chars().take(LONGEST - 1).collect();
    Text::plain(format!("{}…", cut.trim_end()))
}

/// `leaked-secret` as `LeakedSecret`.
fn pascal(id: &str) -> String {
    let words = id.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Renames;

    #[test]
    fn a_check_says_what_it_was_called() {
        let names = BTreeMap::from([("no-holder".to_owned(), "no-owner".to_owned())]);
        let renames = Renames::try_from(names).unwrap();
        let posture = Posture::builtin().unwrap().renamed(renames);
        let rules = Rules::new(&posture, &[]);
        let deprecated: Vec<&String> = rules
            .described
            .iter()
            .flat_map(|rule| &rule.deprecated_ids)
            .collect();
        assert_eq!(deprecated, ["no-holder"]);
    }
}
