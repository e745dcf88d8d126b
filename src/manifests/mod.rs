//! Declared identities: what CI workflows, Kubernetes manifests and agents' configuration say about who runs, as whom,
//! and with which credentials. One file or folder a surface.
//!
//! What the graph relies on: a consumer and the credentials of the same file (repository and uri) belong together, unless
//! a reference names its consumer. Native ids of [`Uses`](crate::model::Uses) are as declared. Identities that a file only
//! names (a service account a workload runs as) come with grade C and may come from several files: the id is the same.

mod agents;
mod calls;
mod capabilities;
pub mod catalog;
mod ci;
mod clean;
mod cloudformation;
mod code;
pub mod codeowners;
mod context;
pub mod defaults;
mod edits;
mod github;
mod gitlab;
mod helm;
mod hosts;
mod infra;
mod jsonc;
mod kubernetes;
mod kustomize;
mod link;
mod margin;
mod names;
mod node;
mod routines;
mod stores;
mod terraform;
#[cfg(test)]
mod testing;
mod text;
mod tokens;
mod toml;
mod words;
mod yaml;

use crate::model::{CoverageStatus, Declarations, FingerprintKey, KeptText};
use crate::rules::manifests::{AgentClient, ManifestTables};
use code::Code;
use context::Context;
pub use edits::withhold;
use infra::{ansible, tasks};
use node::{Node, Parsed};
use rayon::prelude::*;
use text::Text;

/// Type of a literal of which nothing but its name tells that it is a secret.
pub const STATIC_TOKEN: &str = agents::literals::STATIC_TOKEN;

/// Largest file read as a manifest, in bytes.
const MAX_BYTES: usize = 5 << 20;

/// What a path says a file is.
#[derive(Clone, Copy)]
enum Surface<'t> {
    Agent(&'t AgentClient),
    AgentInstructions,
    GithubWorkflow,
    GithubAction,
    GitlabPipeline,
    Pipeline(ci::System),
    /// Terraform code, its values, and templates that it may read: evaluated by [`link`].
    Terraform,
    /// Other code of which the path says what it is.
    Code(Code),
    /// Templates that those of a chart name.
    ChartHelper,
    /// Policies, configuration of servers, scripts: read for what single lines say.
    Lines,
    /// A file of a format that manifests are written in; its content decides.
    Any,
}

/// Whether a path is that of settings, in which logins may be that products come with.
fn holds_settings(uri: &str) -> bool {
    defaults::wants(uri.rsplit('/').next().unwrap_or(uri))
}

/// What a path says a file is.
fn surface(uri: &str) -> Option<Surface<'static>> {
    let (folder, name) = uri.rsplit_once('/').unwrap_or(("", uri));
    if agents::instructions::is_instruction(folder, name) {
        return Some(Surface::AgentInstructions);
    }
    let yaml = has_extension(name, &["yml", "yaml"]);
    let workflows = || {
        let above = folder.strip_suffix("/workflows");
        let last = above.and_then(|above| above.rsplit('/').next());
        last.is_some_and(|last| matches!(last, ".github" | ".forgejo" | ".gitea"))
    };
    if yaml && workflows() {
        return Some(Surface::GithubWorkflow);
    }
    if matches!(name, "action.yml" | "action.yaml") {
        return Some(Surface::GithubAction);
    }
    if gitlab::is_pipeline(folder, name) {
        return Some(Surface::GitlabPipeline);
    }
    let code = Code::of(folder, name);
    // Beside pipelines stand the services that their jobs use.
    if code == Some(Code::Compose) {
        return Some(Surface::Code(Code::Compose));
    }
    if let Some(system) = ci::system_of(folder, name) {
        return Some(Surface::Pipeline(system));
    }
    if helm::part(uri) == Some(helm::Part::Helper) && !yaml {
        return Some(Surface::ChartHelper);
    }
    if terraform::wants(uri) {
        return Some(Surface::Terraform);
    }
    if let Some(code) = code {
        return Some(Surface::Code(code));
    }
    let client = ManifestTables::builtin()
        .ok()
        .filter(|_| has_extension(name, &["json", "jsonc", "toml", "yml", "yaml"]))
        .and_then(|tables| tables.agents.client_of(uri));
    if let Some(client) = client {
        return Some(Surface::Agent(client));
    }
    if capabilities::is_policy(uri) {
        return Some(Surface::Lines);
    }
    (yaml || has_extension(name, &["json", "template"]) || kustomize::is_kustomization(uri))
        .then_some(Surface::Any)
}

/// Whether the folders of a path, given as `one/below/another`, stand somewhere in a folder.
fn is_below(folder: &str, wanted: &str) -> bool {
    folder.match_indices(wanted).any(|(at, found)| {
        let before = folder.get(..at).unwrap_or_default();
        let after = folder.get(at + found.len()..).unwrap_or_default();
        (before.is_empty() || before.ends_with('/')) && (after.is_empty() || after.starts_with('/'))
    })
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ext)| {
        extensions
            .iter()
            .any(|known| ext.eq_ignore_ascii_case(known))
    })
}

/// Reads one file; `None` when it declares nothing and nothing went wrong.
pub fn read(
    repository: &str,
    uri: &str,
    bytes: &[u8],
    key: &FingerprintKey,
) -> Option<Declarations> {
    let surface = surface(uri);
    let routine = routines::Kind::of(uri);
    let program = agents::program::wants(uri);
    let settings = holds_settings(uri);
    if surface.is_none() && routine.is_none() && !program && !settings {
        return None;
    }
    let bytes = &*text::utf8(bytes);
    let mut out = surface.and_then(|surface| read_as(surface, repository, uri, bytes, key));
    let Ok(tables) = ManifestTables::builtin() else {
        return out;
    };
    let mut also = |reader: fn(&Context<'_>, &mut Declarations)| {
        let context = Context {
            repository,
            uri,
            text: &Text::new(bytes),
            key,
            tables,
        };
        let mut found = Declarations::default();
        reader(&context, &mut found);
        if found != Declarations::default() {
            terraform::absorb(out.get_or_insert_default(), found);
        }
    };
    match routine.filter(|kind| kind.says(bytes)) {
        Some(routines::Kind::Text) => also(routines::texts),
        Some(routines::Kind::Code) => also(routines::code),
        None => {}
    }
    if program && agents::program::interesting(uri, bytes) {
        also(agents::program::read);
    }
    if settings && defaults::interesting(bytes) {
        also(defaults::read);
    }
    out
}

/// Reads one file as what its path says it is.
fn read_as(
    surface: Surface<'_>,
    repository: &str,
    uri: &str,
    bytes: &[u8],
    key: &FingerprintKey,
) -> Option<Declarations> {
    let mut kept = Vec::new();
    if matches!(surface, Surface::Any | Surface::ChartHelper) {
        kept.extend(helm::keep(repository, uri, bytes));
        kept.extend(kustomize::keep(repository, uri, bytes));
        // A template says what it says once its chart is known.
        if !kept.is_empty() && helm::part(uri) >= Some(helm::Part::Template) {
            return Some(Declarations {
                kept,
                ..Declarations::default()
            });
        }
    }
    if kept.is_empty()
        && matches!(surface, Surface::Terraform | Surface::Any)
        && terraform::worth_keeping(uri, bytes)
    {
        kept.push(KeptText {
            repository: repository.to_owned(),
            uri: uri.to_owned(),
            text: Text::new(bytes).as_str().into(),
        });
    }
    if kept.is_empty()
        && matches!(surface, Surface::GitlabPipeline | Surface::Any)
        && gitlab::worth_keeping(uri, bytes)
    {
        kept.push(KeptText {
            repository: repository.to_owned(),
            uri: uri.to_owned(),
            text: Text::new(bytes).as_str().into(),
        });
    }
    let out = read_alone(repository, uri, bytes, key, surface);
    if kept.is_empty() {
        return out;
    }
    let mut out = out.unwrap_or_default();
    out.kept.extend(kept);
    Some(out)
}

/// Reads one file for itself; `None` when it declares nothing and nothing went wrong.
fn read_alone(
    repository: &str,
    uri: &str,
    bytes: &[u8],
    key: &FingerprintKey,
    surface: Surface<'_>,
) -> Option<Declarations> {
    let mut out = Declarations::default();
    let interesting = match surface {
        Surface::Any => {
            kubernetes::interesting(bytes)
                || capabilities::interesting(bytes)
                || gitlab::interesting(bytes)
                || ci::interesting(bytes)
                || github::interesting(bytes)
                || agents::mentioned(bytes)
                || agents::frameworks::interesting(uri, bytes)
                || ci::casc::interesting(bytes)
                || cloudformation::interesting(bytes)
                || ansible::interesting(uri, bytes)
                || tasks::interesting(bytes)
        }
        Surface::Agent(client) => agents::interesting(client, bytes),
        Surface::GithubWorkflow
        | Surface::GithubAction
        | Surface::GitlabPipeline
        | Surface::Pipeline(_)
        | Surface::Code(_)
        | Surface::AgentInstructions => true,
        Surface::Lines => capabilities::says(bytes),
        Surface::ChartHelper | Surface::Terraform => false,
    };
    if !interesting {
        return (out != Declarations::default()).then_some(out);
    }
    let Ok(tables) = ManifestTables::builtin() else {
        out.notices.push(context::notice(
            repository,
            uri,
            CoverageStatus::Failed,
            "the rule data for manifests is not usable; run `overstay rules check`",
        ));
        return Some(out);
    };
    if bytes.len() > MAX_BYTES {
        out.notices.push(context::notice(
            repository,
            uri,
            CoverageStatus::Skipped,
            "larger than 5 MiB, read as text only",
        ));
        return Some(out);
    }
    let text = Text::new(bytes);
    let context = Context {
        repository,
        uri,
        text: &text,
        key,
        tables,
    };
    let plain = match surface {
        Surface::Pipeline(ci::System::Jenkins) => {
            ci::jenkins::read(&context, &mut out);
            edits::profiles(&context, "jenkins", &mut out);
            true
        }
        Surface::AgentInstructions => {
            agents::instructions::read(&context, &mut out);
            true
        }
        _ => false,
    };
    if plain {
        return (out != Declarations::default()).then_some(out);
    }
    if matches!(surface, Surface::Lines) {
        capabilities::policy(&context, &mut out);
        return (out != Declarations::default()).then_some(out);
    }
    if let Surface::Code(code) = surface {
        code.read(&context, &mut out);
        return (out != Declarations::default()).then_some(out);
    }
    // Templates may be either.
    let braced = has_extension(uri, &["template"]) && text.as_str().trim_start().starts_with('{');
    let parsed = if braced || has_extension(uri, &["json", "jsonc"]) {
        jsonc::parse(&text)
    } else if has_extension(uri, &["toml"]) {
        toml::parse(&text)
    } else {
        yaml::parse(&text)
    };
    let recognised = match surface {
        Surface::Any => kubernetes::unmistakable(text.as_str()),
        Surface::Agent(client) => client.marker.is_empty(),
        Surface::GithubWorkflow
        | Surface::GithubAction
        | Surface::GitlabPipeline
        | Surface::Pipeline(_)
        | Surface::Lines
        | Surface::Code(_)
        | Surface::AgentInstructions => true,
        Surface::ChartHelper | Surface::Terraform => false,
    };
    let started_stack = parsed.broken.iter().any(cloudformation::is_template);
    report_problems(&context, &parsed, recognised || started_stack, &mut out);
    match surface {
        Surface::Any => unplaced(&context, &parsed, &mut out),
        Surface::Agent(client) => each(&parsed, |root| {
            agents::read(&context, client, root, &mut out);
        }),
        Surface::GithubWorkflow => {
            started(&parsed, |root| github::workflow(&context, root, &mut out));
            if let [root] = parsed.documents.as_slice() {
                edits::workflow(&context, root, &mut out);
                edits::own_tokens(&context, root, "github-actions", &mut out);
            }
        }
        Surface::GithubAction => each(&parsed, |root| github::composite(&context, root, &mut out)),
        Surface::GitlabPipeline => {
            started(&parsed, |root| gitlab::read(&context, root, &mut out));
            // A header of inputs may stand before the pipeline.
            if let Some(root) = parsed.documents.last() {
                edits::pipeline(&context, root, edits::System::Gitlab, &mut out);
                edits::own_tokens(&context, root, "gitlab-ci", &mut out);
            }
        }
        Surface::Pipeline(system) => {
            started(&parsed, |root| {
                ci::read(&context, system, root, &mut out);
            });
            if let (Some(system), [root]) = (system.editable(), parsed.documents.as_slice()) {
                edits::pipeline(&context, root, system, &mut out);
            } else {
                edits::profiles(&context, "azure-pipelines", &mut out);
            }
        }
        Surface::AgentInstructions
        | Surface::ChartHelper
        | Surface::Terraform
        | Surface::Code(_)
        | Surface::Lines => {}
    }
    (out != Declarations::default()).then_some(out)
}

/// Reads a file whose place says nothing: its content decides.
fn unplaced(context: &Context<'_>, parsed: &Parsed, out: &mut Declarations) {
    kubernetes::read(context, &parsed.documents, out);
    capabilities::read(context, &parsed.documents, out);
    each(parsed, |root| {
        if agents::by_content(root) {
            if let Some(client) = context.tables.agents.any_client() {
                agents::read(context, client, root, out);
            }
        } else if agents::frameworks::by_content(context.uri, root) {
            agents::frameworks::read(context, root, out);
        } else if ci::casc::by_content(root) {
            ci::casc::read(context, root, out);
        } else if ansible::is_playbook(root)
            || (ansible::is_tasks(context.uri) && !root.items().is_empty())
        {
            ansible::read(context, root, out);
        } else if cloudformation::is_template(root) {
            cloudformation::read(context, root, "cloudformation", out);
        } else if tasks::is_definition(root) {
            tasks::read(context, root, out);
        } else if github::by_content(root) {
            github::elsewhere(context, root, out);
        } else if let Some(system) = ci::by_content(root) {
            ci::read(context, system, root, out);
        } else if gitlab::by_content(root) {
            gitlab::read(context, root, out);
        }
    });
    for root in &parsed.broken {
        if cloudformation::is_template(root) {
            cloudformation::read(context, root, "cloudformation", out);
        }
    }
}

/// Reads what files say only together: charts, each rendered by its values, and kustomizations. To be called once, after every file was read,
/// with the declarations in a stable order, and before [`link`].
pub fn assemble(declarations: &mut Vec<Declarations>, key: &FingerprintKey) {
    let Ok(tables) = ManifestTables::builtin() else {
        return;
    };
    let mut kept: Vec<KeptText> = declarations
        .iter()
        .flat_map(|file| &file.kept)
        .filter(|text| helm::part(&text.uri).is_some() || kustomize::is_kustomization(&text.uri))
        .cloned()
        .collect();
    kept.sort_by(|a, b| (&a.repository, &a.uri).cmp(&(&b.repository, &b.uri)));
    kept.dedup();
    let (rendered, alone) = helm::render(tables, key, &kept);
    let mut alone: Vec<Declarations> = alone
        .par_iter()
        .filter_map(|text| {
            let bytes = text.text.as_bytes();
            read_alone(&text.repository, &text.uri, bytes, key, Surface::Any)
        })
        .collect();
    declarations.extend(rendered);
    declarations.append(&mut alone);
    let kustomizations: Vec<&KeptText> = kept
        .iter()
        .filter(|text| kustomize::is_kustomization(&text.uri))
        .collect();
    declarations.push(kustomize::generated(&kustomizations));
    kustomize::apply(declarations, &kustomizations);
    gitlab::assemble(declarations, tables, key);
}

/// Joins what the files of each repository say about each other; to be called once, after every file was read, with the
/// declarations in a stable order. An identity is then in one file of its repository only, Kubernetes bindings are grants
/// with their tier, and workloads know the cloud identities of their service account.
pub fn link(declarations: &mut [Declarations]) {
    let kept: Vec<KeptText> = declarations
        .iter_mut()
        .flat_map(|file| std::mem::take(&mut file.kept))
        .collect();
    for more in terraform::link(&kept) {
        if let Some(first) = declarations.first_mut() {
            terraform::absorb(first, more);
        }
    }
    calls::join(declarations);
    hosts::systemd::join(declarations);
    if let Ok(tables) = ManifestTables::builtin() {
        link::link(tables, declarations);
    }
}

/// Of a broken pipeline, the jobs before the break are known all the same.
fn started(parsed: &Parsed, visit: impl FnMut(&Node)) {
    parsed
        .documents
        .iter()
        .chain(&parsed.broken)
        .for_each(visit);
}

fn each(parsed: &Parsed, visit: impl FnMut(&Node)) {
    parsed.documents.iter().for_each(visit);
}

/// One notice for what of a file could not be parsed. `recognised`: the file is a manifest of ours beyond doubt, so what
/// is missing makes the scan incomplete.
fn report_problems(
    context: &Context<'_>,
    parsed: &Parsed,
    recognised: bool,
    out: &mut Declarations,
) {
    let Some(first) = parsed.problems.first() else {
        return;
    };
    let notice = if context.templated() {
        context.notice(CoverageStatus::Skipped, "templated, read as text only")
    } else {
        let status = if recognised {
            CoverageStatus::Partial
        } else {
            CoverageStatus::Skipped
        };
        context.notice(
            status,
            &format!(
                "{} at line {}, column {}; what depends on it was left out",
                first.kind, first.line, first.column
            ),
        )
    };
    out.notices.push(notice);
}

#[cfg(test)]
mod tests;
