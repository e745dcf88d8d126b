//! Helm charts: templates rendered by their chart's values, every resource at its place in the template.
//!
//! Nothing outside the repository is asked for. What a template needs and does not have is marked in its output, told in
//! the coverage, and leaves out the resources whose name hangs on it.

mod chart;
mod common;
mod eval;
mod functions;
mod lists;
mod off;
mod places;
mod scope;
mod syntax;
mod texts;
mod value;

pub(super) use eval::UNRENDERED;

use super::context::{Context, templated};
use super::node::Node;
use super::text::Text;
use super::{capabilities, is_below, kubernetes, yaml};
use crate::model::{Coverage, CoverageStatus, Declarations, FingerprintKey, KeptText};
use crate::rules::manifests::ManifestTables;
use chart::{Chart, Job};
use eval::{Engine, File, Library};
use places::Places;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Largest file that is rendered, in bytes.
const MAX_BYTES: usize = 512 << 10;

/// What a path says a file is to a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// `Chart.yaml`.
    About,
    /// `values.yaml`.
    Values,
    /// Templates that write resources.
    Template,
    /// Templates that others name.
    Helper,
}

/// What a path says a file is to a chart, if anything.
pub(super) fn part(uri: &str) -> Option<Part> {
    let (folder, name) = uri.rsplit_once('/').unwrap_or(("", uri));
    match name {
        "Chart.yaml" | "Chart.yml" => return Some(Part::About),
        "values.yaml" | "values.yml" => return Some(Part::Values),
        _ => {}
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let part = match extension {
        "tpl" => Part::Helper,
        "yaml" | "yml" if name.starts_with('_') => Part::Helper,
        "yaml" | "yml" => Part::Template,
        _ => return None,
    };
    is_below(folder, "templates").then_some(part)
}

/// The text, when it only says something together with other files of a chart.
pub(super) fn keep(repository: &str, uri: &str, bytes: &[u8]) -> Option<KeptText> {
    let part = part(uri)?;
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let text = Text::new(bytes);
    let kept = match part {
        Part::About => text.as_str().contains("apiVersion"),
        Part::Values => true,
        Part::Template | Part::Helper => templated(text.as_str()),
    };
    kept.then(|| KeptText {
        repository: repository.to_owned(),
        uri: uri.to_owned(),
        text: text.as_str().into(),
    })
}

/// Renders every chart. The second part are templates that belong to no chart.
pub(super) fn render<'k>(
    tables: &ManifestTables,
    key: &FingerprintKey,
    kept: &'k [KeptText],
) -> (Vec<Declarations>, Vec<&'k KeptText>) {
    let mut by_repository: BTreeMap<&str, Vec<&KeptText>> = BTreeMap::new();
    for text in kept {
        by_repository
            .entry(&text.repository)
            .or_default()
            .push(text);
    }
    let mut rendered = Vec::new();
    let mut alone = Vec::new();
    for (_, texts) in by_repository {
        let (charts, without) = gather(&texts);
        alone.extend(without);
        // Values are shared within a chart only, so charts are rendered side by side.
        let folders: Vec<String> = chart::roots(&charts)
            .iter()
            .map(|chart| chart.folder.clone())
            .collect();
        drop(charts);
        let of_each: Vec<Vec<Declarations>> = folders
            .par_iter()
            .map(|folder| {
                let near = near(&texts, folder);
                let (charts, _) = gather(&near);
                let root = charts.iter().find(|chart| chart.folder == *folder);
                root.map_or_else(Vec::new, |root| {
                    render_chart(tables, key, &charts, root, &near)
                })
            })
            .collect();
        rendered.extend(of_each.into_iter().flatten());
    }
    (rendered, alone)
}

/// Texts that a chart may need: its own, and those of the charts its `Chart.yaml` names.
fn near<'k>(texts: &[&'k KeptText], folder: &str) -> Vec<&'k KeptText> {
    let inside = |text: &KeptText| {
        folder.is_empty()
            || text
                .uri
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let about = texts
        .iter()
        .filter(|text| inside(text) && part(&text.uri) == Some(Part::About));
    let named: BTreeSet<String> = about
        .flat_map(|text| Chart::new("", &text.text).dependency_names())
        .collect();
    let folders: Vec<&str> = texts
        .iter()
        .filter(|text| part(&text.uri) == Some(Part::About))
        .filter_map(|text| {
            let folder = text.uri.rsplit_once('/').map_or("", |(folder, _)| folder);
            let name = folder.rsplit('/').next().unwrap_or_default();
            named.contains(name).then_some(folder)
        })
        .filter(|folder| !folder.is_empty())
        .collect();
    texts
        .iter()
        .filter(|text| {
            inside(text)
                || folders.iter().any(|folder| {
                    text.uri
                        .strip_prefix(folder)
                        .is_some_and(|rest| rest.starts_with('/'))
                })
        })
        .copied()
        .collect()
}

/// Charts of one repository by folder, and templates of none.
fn gather<'k>(texts: &[&'k KeptText]) -> (Vec<Chart<'k>>, Vec<&'k KeptText>) {
    let mut charts: BTreeMap<&str, Chart<'k>> = BTreeMap::new();
    let folder_of = |text: &'k KeptText| text.uri.rsplit_once('/').map_or("", |(folder, _)| folder);
    for text in texts
        .iter()
        .filter(|text| part(&text.uri) == Some(Part::About))
    {
        let folder = folder_of(text);
        charts.insert(folder, Chart::new(folder, &text.text));
    }
    let mut alone = Vec::new();
    for text in texts {
        match part(&text.uri) {
            Some(Part::Values) => {
                if let Some(chart) = charts.get_mut(folder_of(text)) {
                    chart.value(&text.text);
                }
            }
            Some(part @ (Part::Template | Part::Helper)) => {
                let mut folders = text
                    .uri
                    .match_indices("templates/")
                    .filter(|(at, _)| *at == 0 || text.uri[..*at].ends_with('/'))
                    .map(|(at, _)| text.uri.get(..at).unwrap_or_default().trim_end_matches('/'))
                    .collect::<Vec<_>>();
                folders.reverse();
                match folders
                    .into_iter()
                    .find(|folder| charts.contains_key(folder))
                {
                    Some(folder) => {
                        if let Some(chart) = charts.get_mut(folder) {
                            chart.templates.push(text);
                        }
                    }
                    None if part == Part::Template => alone.push(*text),
                    None => {}
                }
            }
            Some(Part::About) | None => {}
        }
    }
    (charts.into_values().collect(), alone)
}

fn render_chart(
    tables: &ManifestTables,
    key: &FingerprintKey,
    charts: &[Chart<'_>],
    root: &Chart<'_>,
    about: &[&KeptText],
) -> Vec<Declarations> {
    let texts = chart::files_of(charts, root);
    let templates = chart::parse(&texts);
    let library = chart::library(charts, &templates);
    let chart::Templates {
        texts,
        files,
        broken,
    } = templates;
    let mut out = Vec::new();
    for (text, malformed) in broken {
        if part(&text.uri) == Some(Part::Template) {
            let (line, column) = Text::new(text.text.as_bytes()).position(malformed.at);
            out.push(told(
                text,
                &format!("no template that could be read at line {line}, column {column}; read as text only"),
            ));
        }
    }
    out.extend(
        charts
            .iter()
            .filter_map(|chart| from_elsewhere(chart, charts, root, about)),
    );
    let jobs = chart::jobs(charts, root);
    let on: BTreeSet<&str> = jobs
        .iter()
        .filter(|job| job.enabled)
        .map(|job| job.text.uri.as_str())
        .collect();
    for job in &jobs {
        if part(&job.text.uri) != Some(Part::Template) {
            continue;
        }
        let at = texts.iter().position(|text| text.uri == job.text.uri);
        if let Some(at) = at {
            let mut one = render_file(tables, key, &files, &library, at, job);
            // A part that is taken twice is off only where no other taking has it on.
            if !job.enabled && on.contains(job.text.uri.as_str()) {
                one.notices.clear();
            }
            out.push(one);
        }
    }
    out
}

/// What is not known for want of a chart.
fn from_elsewhere(
    chart: &Chart<'_>,
    charts: &[Chart<'_>],
    root: &Chart<'_>,
    about: &[&KeptText],
) -> Option<Declarations> {
    const SHOWN: usize = 5;
    let inside = chart.folder == root.folder
        || chart
            .folder
            .strip_prefix(&root.folder)
            .is_some_and(|rest| root.folder.is_empty() || rest.starts_with('/'));
    let missing = chart.missing(charts);
    if !inside || missing.is_empty() {
        return None;
    }
    let text = about.iter().find(|text| {
        part(&text.uri) == Some(Part::About)
            && text.uri.rsplit_once('/').map_or("", |(folder, _)| folder) == chart.folder
    })?;
    let shown: Vec<String> = missing
        .iter()
        .take(SHOWN)
        .map(|name| super::clean::clean(name))
        .collect();
    let more = match missing.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(told(
        text,
        &format!(
            "depends on charts from elsewhere, which are not in the scan: what they declare is unknown ({}{more})",
            shown.join(", ")
        ),
    ))
}

fn told(text: &KeptText, reason: &str) -> Declarations {
    Declarations {
        notices: vec![Coverage::new(
            "manifests",
            format!("{}/{}", text.repository, text.uri),
            CoverageStatus::Skipped,
            reason,
        )],
        ..Declarations::default()
    }
}

fn render_file(
    tables: &ManifestTables,
    key: &FingerprintKey,
    files: &[File<'_>],
    library: &Library,
    at: usize,
    job: &Job<'_>,
) -> Declarations {
    let root = &job.context;
    if !job.enabled {
        let mut out = told(
            job.text,
            "the values of its chart switch it off; read as text only",
        );
        off::declare(
            tables,
            key,
            files,
            library,
            at,
            job,
            &BTreeSet::new(),
            &mut out,
        );
        return out;
    }
    let mut output = Engine::new(files, library).render(at, root);
    places::part(&mut output);
    let text = Text::new(job.text.text.as_bytes());
    let rendered = Text::new(output.text.as_bytes());
    let places = Places {
        output: &rendered,
        marks: &output.marks,
        template: &text,
    };
    let context = Context {
        repository: &job.text.repository,
        uri: &job.text.uri,
        text: &text,
        key,
        tables,
    };
    let mut parsed = yaml::parse(&rendered);
    for document in &mut parsed.documents {
        places.move_node(document);
    }
    let mut out = Declarations::default();
    kubernetes::read(&context, &parsed.documents, &mut out);
    capabilities::read(&context, &parsed.documents, &mut out);
    // What stands in the values is found there.
    out.credentials.clear();
    let nameless = !out.notices.is_empty();
    out.notices.retain(|notice| {
        notice.status != CoverageStatus::Skipped || !notice.reason.starts_with("templated")
    });
    let mut reasons = Vec::new();
    if let Some(problem) = parsed.problems.first() {
        let (line, column) = places.place(problem.line, problem.column);
        reasons.push(format!(
            "what it renders to is {} (from line {line}, column {column})",
            problem.kind
        ));
    }
    let mut faults: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (at, fault) in &output.faults {
        let known = faults.entry(fault).or_insert((*at, 0));
        known.1 += 1;
    }
    for (fault, (at, count)) in faults.iter().take(3) {
        let (line, column) = text.position(*at);
        let more = if *count > 1 {
            format!(" and {} more places", count - 1)
        } else {
            String::new()
        };
        reasons.push(format!("{fault} (line {line}, column {column}{more})"));
    }
    if faults.len() > 3 {
        reasons.push(format!("{} other reasons", faults.len() - 3));
    }
    let rendered: BTreeSet<u32> = parsed
        .documents
        .iter()
        .filter_map(|document| document.entry("kind"))
        .map(|(key, _)| key.line)
        .collect();
    off::declare(tables, key, files, library, at, job, &rendered, &mut out);
    if reasons.is_empty() {
        out.notices
            .extend(switched_off(&context, &parsed.documents, &rendered));
    } else {
        let left_out = if nameless {
            "; resources without a name were left out"
        } else {
            ""
        };
        out.notices.push(context.notice(
            CoverageStatus::Skipped,
            &format!(
                "rendered by its chart's values, but not whole: {}{left_out}",
                reasons.join("; ")
            ),
        ));
    }
    out
}

/// Tells of resources that a template would write by other values.
fn switched_off(
    context: &Context<'_>,
    documents: &[Node],
    rendered: &BTreeSet<u32>,
) -> Option<Coverage> {
    if !kubernetes::interesting(context.text.as_str().as_bytes()) {
        return None;
    }
    if documents.iter().all(|document| !document.is_map()) {
        return Some(context.notice(
            CoverageStatus::Noted,
            "the values of its chart render nothing of it",
        ));
    }
    let lines = (1_u32..).zip(context.text.as_str().lines());
    let missing: Vec<String> = lines
        .filter(|(line, text)| text.starts_with("kind: ") && !rendered.contains(line))
        .map(|(line, _)| line.to_string())
        .collect();
    let shown = missing.get(..missing.len().min(5)).unwrap_or_default();
    (!missing.is_empty()).then(|| {
        context.notice(
            CoverageStatus::Noted,
            &format!(
                "the values of its chart render {} of its resources otherwise or not at all (line {})",
                missing.len(),
                shown.join(", ")
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::manifests::{assemble, link, read};
    use crate::model::{CoverageStatus, Declarations, FingerprintKey};

    fn chart(files: &[(&str, &str)]) -> Vec<Declarations> {
        let key = FingerprintKey::new([7; 32]);
        let mut read: Vec<Declarations> = files
            .iter()
            .filter_map(|(uri, text)| read("shop", uri, text.as_bytes(), &key))
            .collect();
        assemble(&mut read, &key);
        link(&mut read);
        read
    }

    fn shown(files: &[Declarations]) -> String {
        let identities = files
            .iter()
            .flat_map(|file| &file.identities)
            .map(|identity| {
                let places: Vec<String> = identity
                    .locations
                    .iter()
                    .map(|place| format!("{}:{}", place.display(), place.column.unwrap_or(0)))
                    .collect();
                format!(
                    "{} {} {}",
                    identity.native_id,
                    identity.grade.as_str(),
                    places.join(" ")
                )
            });
        let consumers = files
            .iter()
            .flat_map(|file| &file.consumers)
            .map(|consumer| {
                format!(
                    "{} {}",
                    consumer.name,
                    consumer.location.as_ref().unwrap().display()
                )
            });
        let notices = files.iter().flat_map(|file| &file.notices).map(|notice| {
            format!(
                "{} {}: {}",
                notice.status.as_str(),
                notice.unit,
                notice.reason
            )
        });
        identities
            .chain(consumers)
            .chain(notices)
            .collect::<Vec<_>>()
            .join("\n")
    }

    const HELPERS: &str = r#"
{{- define "app.fullname" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- define "app.account" -}}
{{- default (include "app.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}
"#;

    #[test]
    fn templates_are_rendered_by_their_values_and_keep_their_places() {
        let files = chart(&[
            (
                "charts/app/Chart.yaml",
                "apiVersion: v2\nname: app\nversion: 1.0.0\n",
            ),
            (
                "charts/app/values.yaml",
                "serviceAccount:\n  create: true\n  annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::123456789012:role/app'}\nrbac: {create: false}\n",
            ),
            ("charts/app/templates/_helpers.tpl", HELPERS),
            (
                "charts/app/templates/account.yaml",
                "{{- if .Values.serviceAccount.create -}}\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ include \"app.account\" . }}\n  {{- with .Values.serviceAccount.annotations }}\n  annotations:\n    {{- toYaml . | nindent 4 }}\n  {{- end }}\n{{- end }}\n",
            ),
            (
                "charts/app/templates/deployment.yaml",
                "# the app\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ include \"app.fullname\" . }}\nspec:\n  template:\n    spec:\n      serviceAccountName: {{ include \"app.account\" . }}\n      containers: []\n",
            ),
            (
                "charts/app/templates/either.yaml",
                "apiVersion: v1\n{{- if .Values.rbac.create }}\nkind: Secret\n{{- else }}\nkind: ServiceAccount\n{{- end }}\nmetadata:\n  name: either\n  annotations: {sum: '{{ include (print $.Template.BasePath \"/account.yaml\") . | sha256sum }}'}\n",
            ),
            (
                "charts/app/templates/role.yaml",
                "{{ if .Values.rbac.create }}\nkind: Role\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}\n{{ end }}",
            ),
            (
                "charts/app/templates/job.yaml",
                "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ include \"other.name\" . }}\nspec: {template: {spec: {}}}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: plain}\n",
            ),
            ("charts/app/templates/broken.yaml", "kind: Pod\n{{ if }"),
        ]);
        insta::assert_snapshot!(shown(&files), @r#"
        system:serviceaccount:default:release-name-app B shop/charts/app/templates/account.yaml:3:1
        system:serviceaccount:default:either B shop/charts/app/templates/either.yaml:5:1
        system:serviceaccount:default:plain B shop/charts/app/templates/job.yaml:8:1
        Deployment default/release-name-app shop/charts/app/templates/deployment.yaml:3
        skipped shop/charts/app/templates/broken.yaml: no template that could be read at line 2, column 7; read as text only
        noted shop/charts/app/templates/either.yaml: the values of its chart render 1 of its resources otherwise or not at all (line 3)
        skipped shop/charts/app/templates/job.yaml: rendered by its chart's values, but not whole: template `other.name` is not in the repository (line 4, column 9); resources without a name were left out
        noted shop/charts/app/templates/role.yaml: the values of its chart render nothing of it
        "#);
        let roles: Vec<String> = files
            .iter()
            .flat_map(|file| &file.roles)
            .map(|role| {
                format!(
                    "{} {} {}",
                    role.name,
                    role.location.display(),
                    role.switched_off
                )
            })
            .collect();
        assert_eq!(roles, ["x shop/charts/app/templates/role.yaml:2 true"]);
        let account = files
            .iter()
            .flat_map(|file| &file.consumers)
            .find(|consumer| consumer.name.starts_with("Deployment"));
        assert!(
            account
                .unwrap()
                .uses
                .native_ids
                .contains(&"arn:aws:iam::123456789012:role/app".to_owned())
        );
    }

    #[test]
    fn what_values_switch_off_is_listed_and_gives_nothing() {
        let files = chart(&[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: app\ndependencies:\n  - {name: redis, repository: 'https://charts.example.com'}\n  - {name: common, repository: 'oci://x'}\n",
            ),
            (
                "values.yaml",
                "account: {create: false}\nrbac: {create: false, kinds: []}\n",
            ),
            (
                "templates/all.yaml",
                "{{- if .Values.account.create }}\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: {{ .Chart.Name }}}\n{{- end }}\n---\n{{- if .Values.rbac.create }}\n{{- if .Values.rbac.wide }}\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: wide}\nrules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n{{- else }}\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: narrow}\nrules: []\n{{- end }}\n---\n{{- range .Values.rbac.kinds }}\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: wide}\nroleRef: {kind: ClusterRole, name: wide}\nsubjects: [{kind: ServiceAccount, name: app, namespace: default}]\n{{- end }}\n{{- end }}\n",
            ),
        ]);
        insta::assert_snapshot!(shown(&files), @"
        system:serviceaccount:default:app B shop/templates/all.yaml:3:1
        skipped shop/Chart.yaml: depends on charts from elsewhere, which are not in the scan: what they declare is unknown (redis)
        noted shop/templates/all.yaml: the values of its chart render nothing of it
        ");
        let mut listed: Vec<String> = files
            .iter()
            .flat_map(|file| {
                let roles = file
                    .roles
                    .iter()
                    .map(|one| (&one.name, &one.location, one.switched_off));
                let bindings = file
                    .bindings
                    .iter()
                    .map(|one| (&one.name, &one.location, one.switched_off));
                roles.chain(bindings)
            })
            .map(|(name, place, off)| format!("{name} {} {off}", place.display()))
            .collect();
        listed.sort();
        assert_eq!(
            listed,
            [
                "narrow shop/templates/all.yaml:15 true",
                "wide shop/templates/all.yaml:10 true",
                "wide shop/templates/all.yaml:22 true",
            ]
        );
        let account = files
            .iter()
            .find_map(|file| file.identities.first())
            .unwrap();
        assert!(account.grants.is_empty() && account.privilege.tier == 0);
        assert!(
            account
                .notes
                .iter()
                .any(|note| note.text.contains("switched off"))
        );
    }

    #[test]
    fn parts_of_a_chart_have_the_values_it_gives_them() {
        let files = chart(&[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: top\ndependencies:\n  - {name: sub, condition: sub.enabled}\n  - {name: off, condition: off.enabled}\n",
            ),
            (
                "values.yaml",
                "sub: {enabled: true, account: given}\noff: {enabled: false}\nglobal: {space: g}\n",
            ),
            ("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\n"),
            ("charts/sub/values.yaml", "account: own\n"),
            (
                "charts/sub/templates/a.yaml",
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: '{{ .Values.account }}', namespace: '{{ .Values.global.space }}'}\n",
            ),
            ("charts/off/Chart.yaml", "apiVersion: v2\nname: off\n"),
            (
                "charts/off/templates/a.yaml",
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: '{{ .Chart.Name }}'}\n",
            ),
        ]);
        insta::assert_snapshot!(shown(&files), @"
        system:serviceaccount:default:off B shop/charts/off/templates/a.yaml:2:1
        system:serviceaccount:g:given B shop/charts/sub/templates/a.yaml:2:1
        skipped shop/charts/off/templates/a.yaml: the values of its chart switch it off; read as text only
        ");
    }

    #[test]
    fn templates_without_a_chart_are_read_as_text() {
        let files = chart(&[(
            "templates/a.yaml",
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: '{{ .Values.account }}'}\n",
        )]);
        assert_eq!(files[1].notices[0].status, CoverageStatus::Skipped);
    }
}
