//! Declared identities: what CI workflows, Kubernetes manifests and agents' configuration say about who runs, as whom,
//! and with which credentials. One file or folder a surface.
//!
//! What the graph relies on: a consumer and the credentials of the same file (repository and uri) belong together, unless
//! a reference names its consumer. Native ids of [`Uses`](crate::model::Uses) are as declared. Identities that a file only
//! names (a service account a workload runs as) come with grade C and may come from several files: the id is the same.

mod clean;
pub mod codeowners;
mod context;
mod github;
mod jsonc;
mod kubernetes;
mod link;
mod names;
mod node;
mod text;
mod tokens;
mod yaml;

use crate::model::{CoverageStatus, Declarations, FingerprintKey};
use crate::rules::manifests::ManifestTables;
use context::Context;
use node::Parsed;
use std::sync::LazyLock;
use text::Text;

/// Largest file read as a manifest, in bytes.
const MAX_BYTES: usize = 5 << 20;

static TABLES: LazyLock<Option<ManifestTables>> = LazyLock::new(|| ManifestTables::builtin().ok());

/// What a path says a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surface {
    GithubWorkflow,
    GithubAction,
    /// A file of a format that manifests are written in; its content decides.
    Any,
}

/// Whether a file of this path can declare anything: cheap, by name only.
pub fn wants(uri: &str) -> bool {
    surface(uri).is_some()
}

/// What a path says a file is.
fn surface(uri: &str) -> Option<Surface> {
    let (folder, name) = uri.rsplit_once('/').unwrap_or(("", uri));
    let yaml = has_extension(name, &["yml", "yaml"]);
    if yaml && (folder == ".github/workflows" || folder.ends_with("/.github/workflows")) {
        return Some(Surface::GithubWorkflow);
    }
    if matches!(name, "action.yml" | "action.yaml") {
        return Some(Surface::GithubAction);
    }
    (yaml || has_extension(name, &["json"])).then_some(Surface::Any)
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
    let surface = surface(uri)?;
    if surface == Surface::Any && !kubernetes::interesting(bytes) {
        return None;
    }
    let mut out = Declarations::default();
    let Some(tables) = TABLES.as_ref() else {
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
    match surface {
        Surface::Any => {
            let parsed = if has_extension(uri, &["json"]) {
                jsonc::parse(&text)
            } else {
                yaml::parse(&text)
            };
            let recognised = kubernetes::unmistakable(text.as_str());
            report_problems(&context, &parsed, recognised, &mut out);
            kubernetes::read(&context, &parsed.documents, &mut out);
        }
        Surface::GithubWorkflow | Surface::GithubAction => {
            let parsed = yaml::parse(&text);
            report_problems(&context, &parsed, true, &mut out);
            for document in &parsed.documents {
                if surface == Surface::GithubWorkflow {
                    github::workflow(&context, document, &mut out);
                } else {
                    github::composite(&context, document, &mut out);
                }
            }
        }
    }
    (out != Declarations::default()).then_some(out)
}

/// Joins what the files of each repository say about each other; to be called once, after every file was read, with the
/// declarations in a stable order. An identity is then in one file of its repository only, Kubernetes bindings are grants
/// with their tier, and workloads know the cloud identities of their service account.
pub fn link(declarations: &mut [Declarations]) {
    if let Some(tables) = TABLES.as_ref() {
        link::link(tables, declarations);
    }
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
