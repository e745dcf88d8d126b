//! Charts: which files belong together, and with which values they are rendered.

use super::super::text::Text;
use super::super::yaml;
use super::eval::{File, Library};
use super::functions::CLUSTER_VERSION;
use super::lists::merge;
use super::syntax::{self, Malformed};
use super::value::Value;
use crate::model::KeptText;
use std::collections::{BTreeMap, BTreeSet};

/// Name of the release that templates are told of: the one Helm itself takes when it is told none.
const RELEASE: &str = "release-name";
/// Namespace of the release.
const NAMESPACE: &str = "default";
/// Deepest nesting of charts within charts.
const MAX_CHARTS: usize = 8;

/// One chart.
pub(super) struct Chart<'k> {
    /// Folder.
    pub(super) folder: String,
    /// Name.
    pub(super) name: String,
    about: Value,
    values: Value,
    dependencies: Vec<Dependency>,
    /// Templates, helpers included.
    pub(super) templates: Vec<&'k KeptText>,
}

struct Dependency {
    name: String,
    alias: String,
    condition: String,
}

/// One template to render: the file and what it is told.
pub(super) struct Job<'k> {
    /// The template.
    pub(super) text: &'k KeptText,
    /// Its context.
    pub(super) context: Value,
    /// The values do not switch its chart off.
    pub(super) enabled: bool,
}

fn document(text: &str) -> Value {
    let text = Text::new(text.as_bytes());
    yaml::parse(&text)
        .documents
        .first()
        .map_or(Value::Nil, Value::of)
}

impl Chart<'_> {
    /// A chart from its `Chart.yaml`.
    pub(super) fn new(folder: &str, about: &str) -> Self {
        let about = document(about);
        let dependencies = match about.field("dependencies") {
            Value::List(items) => items
                .iter()
                .map(|item| {
                    let name = item.field("name").show();
                    let alias = item.field("alias").show();
                    Dependency {
                        alias: if alias.is_empty() {
                            name.clone()
                        } else {
                            alias
                        },
                        name,
                        condition: item.field("condition").show(),
                    }
                })
                .collect(),
            _ => Vec::new(),
        };
        let name = about.field("name").show();
        Self {
            folder: folder.to_owned(),
            name: if name.is_empty() {
                folder.rsplit('/').next().unwrap_or_default().to_owned()
            } else {
                name
            },
            about,
            values: Value::map([]),
            dependencies,
            templates: Vec::new(),
        }
    }

    /// Names of the charts it depends on.
    pub(super) fn dependency_names(&self) -> Vec<String> {
        self.dependencies
            .iter()
            .map(|dependency| dependency.name.clone())
            .collect()
    }

    /// Charts it depends on that are none of these. Libraries that every chart of their publisher takes declare nothing.
    pub(super) fn missing(&self, charts: &[Chart<'_>]) -> Vec<&str> {
        self.dependencies
            .iter()
            .map(|dependency| dependency.name.as_str())
            .filter(|name| !name.is_empty() && *name != "common")
            .filter(|name| {
                !charts.iter().any(|chart| {
                    chart.name == *name || chart.folder.rsplit('/').next() == Some(*name)
                })
            })
            .collect()
    }

    /// What templates call one of the chart's files.
    fn path_of(&self, text: &KeptText) -> String {
        let inside = text.uri.strip_prefix(&self.folder).unwrap_or(&text.uri);
        format!("{}/{}", self.name, inside.trim_start_matches('/'))
    }

    /// Gives the chart its values.
    pub(super) fn value(&mut self, text: &str) {
        if let values @ Value::Map(_) = document(text) {
            self.values = values;
        }
    }

    /// The folder another chart is kept in to be part of this one.
    fn holds(&self, other: &Chart<'_>) -> bool {
        let folder = if self.folder.is_empty() {
            "charts/".to_owned()
        } else {
            format!("{}/charts/", self.folder)
        };
        other.folder.strip_prefix(&folder).is_some_and(|rest| {
            // Not part of a part of it.
            !rest.contains("/charts/")
        })
    }
}

/// Charts of one repository that no other chart holds.
pub(super) fn roots<'c, 'k>(charts: &'c [Chart<'k>]) -> Vec<&'c Chart<'k>> {
    charts
        .iter()
        .filter(|chart| !charts.iter().any(|other| other.holds(chart)))
        .collect()
}

/// Files whose templates a chart may name: its own, those of its parts and of what it depends on in the repository.
pub(super) fn files_of<'k>(charts: &[Chart<'k>], root: &Chart<'k>) -> Vec<&'k KeptText> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut waiting = vec![root];
    let mut texts: BTreeMap<&str, &'k KeptText> = BTreeMap::new();
    while let Some(chart) = waiting.pop() {
        if !wanted.insert(&chart.folder) || wanted.len() > 200 {
            continue;
        }
        texts.extend(
            chart
                .templates
                .iter()
                .map(|text| (text.uri.as_str(), *text)),
        );
        for other in charts {
            let named = chart
                .dependencies
                .iter()
                .any(|dependency| dependency.name == other.name);
            if chart.holds(other) || named {
                waiting.push(other);
            }
        }
    }
    texts.into_values().collect()
}

/// Templates of a chart and of its parts, each with its context.
pub(super) fn jobs<'k>(charts: &[Chart<'k>], root: &Chart<'k>) -> Vec<Job<'k>> {
    let mut out = Vec::new();
    add_jobs(charts, root, &root.values.copy(), true, 0, &mut out);
    out
}

fn add_jobs<'k>(
    charts: &[Chart<'k>],
    chart: &Chart<'k>,
    values: &Value,
    enabled: bool,
    depth: usize,
    out: &mut Vec<Job<'k>>,
) {
    if depth > MAX_CHARTS {
        return;
    }
    for text in &chart.templates {
        out.push(Job {
            text,
            context: context(chart, values, text),
            enabled,
        });
    }
    for other in charts.iter().filter(|other| chart.holds(other)) {
        let declared: Vec<&Dependency> = chart
            .dependencies
            .iter()
            .filter(|dependency| dependency.name == other.name)
            .collect();
        let names: Vec<(&str, bool)> = if declared.is_empty() {
            vec![(other.name.as_str(), true)]
        } else {
            declared
                .iter()
                .map(|dependency| (dependency.alias.as_str(), switched_on(dependency, values)))
                .collect()
        };
        for (name, on) in names {
            let inner = other.values.copy();
            merge(&inner, &values.field(name), true);
            let global = Value::map([("global".to_owned(), values.field("global"))]);
            merge(&inner, &global, true);
            add_jobs(charts, other, &inner, enabled && on, depth + 1, out);
        }
    }
}

/// Of several conditions the first that is set decides.
fn switched_on(dependency: &Dependency, values: &Value) -> bool {
    dependency
        .condition
        .split(',')
        .filter(|path| !path.trim().is_empty())
        .find_map(|path| {
            let value = path
                .trim()
                .split('.')
                .fold(values.clone(), |value, name| value.field(name));
            match value {
                Value::Bool(on) => Some(on),
                _ => None,
            }
        })
        .unwrap_or(true)
}

fn context(chart: &Chart<'_>, values: &Value, text: &KeptText) -> Value {
    let entry = |name: &str, value: Value| (name.to_owned(), value);
    let about = |name: &str, key: &str| entry(name, chart.about.field(key));
    let (major, minor, patch) = CLUSTER_VERSION;
    let version = format!("v{major}.{minor}.{patch}");
    Value::map([
        entry("Values", values.copy()),
        entry(
            "Chart",
            Value::map([
                entry("Name", Value::text(chart.name.as_str())),
                about("Version", "version"),
                about("AppVersion", "appVersion"),
                about("Type", "type"),
                about("Description", "description"),
                about("Home", "home"),
                about("Annotations", "annotations"),
                about("Dependencies", "dependencies"),
                entry("IsRoot", Value::Bool(true)),
            ]),
        ),
        entry(
            "Release",
            Value::map([
                entry("Name", Value::text(RELEASE)),
                entry("Namespace", Value::text(NAMESPACE)),
                entry("Service", Value::text("Helm")),
                entry("IsInstall", Value::Bool(true)),
                entry("IsUpgrade", Value::Bool(false)),
                entry("Revision", Value::Int(1)),
            ]),
        ),
        entry(
            "Capabilities",
            Value::map([
                entry(
                    "KubeVersion",
                    Value::map([
                        entry("Version", Value::text(version.as_str())),
                        entry("GitVersion", Value::text(version.as_str())),
                        entry("Major", Value::Text(major.to_string())),
                        entry("Minor", Value::Text(minor.to_string())),
                    ]),
                ),
                entry(
                    "APIVersions",
                    Value::map([entry("Has", Value::Method("has-api"))]),
                ),
                entry(
                    "HelmVersion",
                    Value::map([entry("Version", Value::text("v3.19.0"))]),
                ),
            ]),
        ),
        entry(
            "Template",
            Value::map([
                entry("Name", Value::Text(chart.path_of(text))),
                entry("BasePath", Value::Text(format!("{}/templates", chart.name))),
            ]),
        ),
        entry(
            "Files",
            Value::map([
                entry("Get", Value::Method("files-get")),
                entry("GetBytes", Value::Method("files-get")),
                entry("Glob", Value::Method("files-map")),
                entry("Lines", Value::Method("files-list")),
                entry("AsConfig", Value::Method("files-get")),
                entry("AsSecrets", Value::Method("files-get")),
            ]),
        ),
        entry("Subcharts", Value::map([])),
    ])
}

/// Templates that could be parsed, and those that could not with where.
#[derive(Default)]
pub(super) struct Templates<'k> {
    /// Texts, each with its pieces at the same index of `files`.
    pub(super) texts: Vec<&'k KeptText>,
    /// Pieces.
    pub(super) files: Vec<File<'k>>,
    /// Texts that are no templates.
    pub(super) broken: Vec<(&'k KeptText, Malformed)>,
}

/// Parses templates.
pub(super) fn parse<'k>(texts: &[&'k KeptText]) -> Templates<'k> {
    let mut out = Templates::default();
    for text in texts {
        match syntax::parse(&text.text) {
            Ok(parsed) => {
                out.texts.push(text);
                out.files.push(File {
                    source: &text.text,
                    parsed,
                });
            }
            Err(malformed) => out.broken.push((text, malformed)),
        }
    }
    out
}

/// Templates by name; of several of one name the last file's counts. A file as a whole goes by its path in its chart.
pub(super) fn library(charts: &[Chart<'_>], templates: &Templates<'_>) -> Library {
    let mut library = Library::new();
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for chart in charts {
        for text in &chart.templates {
            names.insert(&text.uri, chart.path_of(text));
        }
    }
    for (at, (text, file)) in templates.texts.iter().zip(&templates.files).enumerate() {
        if let Some(name) = names.get(text.uri.as_str()) {
            library.insert(name.clone(), (at, None));
        }
        for (index, (name, _)) in file.parsed.defines.iter().enumerate() {
            library.insert(name.clone(), (at, Some(index)));
        }
    }
    library
}
