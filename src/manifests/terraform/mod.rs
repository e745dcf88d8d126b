//! Terraform and OpenTofu: the modules of a repository evaluated as far as code tells, and the identities they declare.
//!
//! Files are only kept while a scan reads them; [`link`] evaluates a repository once all of them are known: every folder
//! that no other one calls is run with its defaults and automatically loaded values, as `plan` would without asking.

mod computed;
mod evaluate;
pub(super) mod functions;
mod parse;
mod policy_document;
mod project;
pub(super) mod relax;
mod repeated;
mod scope;
pub(super) mod state;
mod types;

use super::clean::clean;
use super::infra::cloud::{self, Unit, interesting};
use super::infra::draft::Declared;
use super::infra::item::Item;
use super::infra::value::Attributes;
use crate::model::{Coverage, CoverageStatus, Declarations, Grade, IdentityId, KeptText, Location};
use crate::rules::manifests::ManifestTables;
use project::{Broken, Project, Role, remote_sources, role};
use rayon::prelude::*;
use scope::{Binding, Resource, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// Whether a path may be part of Terraform code, or read by it.
pub(super) fn wants(uri: &str) -> bool {
    role(uri) != Role::Text || is_template(uri)
}

fn is_template(uri: &str) -> bool {
    [".tftpl", ".tpl", ".tmpl", ".tmpl.json"]
        .iter()
        .any(|ending| uri.ends_with(ending))
}

/// Whether a text other than code may be a policy or a list of identities that code reads.
pub(super) fn worth_keeping(uri: &str, bytes: &[u8]) -> bool {
    let has = |what: &str| memchr::memmem::find(bytes, what.as_bytes()).is_some();
    match role(uri) {
        Role::Text => bytes.len() <= 256 << 10 && (is_template(uri) || has("\"Statement\"")),
        _ => bytes.len() <= 2 << 20,
    }
}

/// Evaluates the code of every repository.
pub(super) fn link(texts: &[KeptText]) -> Vec<Declarations> {
    let mut by_repository: BTreeMap<&str, Vec<&KeptText>> = BTreeMap::new();
    for text in texts {
        by_repository
            .entry(&text.repository)
            .or_default()
            .push(text);
    }
    by_repository
        .into_iter()
        .filter(|(_, texts)| {
            texts
                .iter()
                .any(|text| matches!(role(&text.uri), Role::Hcl | Role::Json))
        })
        .map(|(repository, texts)| repository_of(repository, &texts))
        .collect()
}

fn repository_of(repository: &str, texts: &[&KeptText]) -> Declarations {
    let (project, broken) = Project::read(texts);
    let project = Arc::new(project);
    let mut out = Declarations::default();
    out.notices
        .extend(broken.iter().map(|broken| told(repository, broken)));
    out.notices
        .extend(texts.iter().filter_map(|text| from_elsewhere(text)));
    let roots: Vec<String> = project.roots().into_iter().map(str::to_owned).collect();
    let run: Vec<(Declarations, BTreeSet<Place>)> = roots
        .par_iter()
        .map(|root| run(repository, &project, root))
        .collect();
    let mut made = BTreeSet::new();
    for (declared, places) in run {
        made.extend(places);
        absorb(&mut out, declared);
    }
    for (folder, left) in left_out(&project, &made) {
        absorb(&mut out, switched_off(repository, &project, &folder, &left));
    }
    out
}

/// File, line and column.
type Place = (String, u32, u32);

fn told(repository: &str, broken: &Broken) -> Coverage {
    let problem = &broken.problem;
    let (status, then) = if problem.kind == parse::REPEATED {
        (CoverageStatus::Noted, "the last of them counts")
    } else {
        (CoverageStatus::Partial, "what depends on it was left out")
    };
    Coverage::new(
        "manifests",
        format!("{repository}/{}", broken.uri),
        status,
        format!(
            "{} at line {}, column {}; {then}",
            problem.kind, problem.line, problem.column
        ),
    )
}

/// What is not known for want of a module's code.
fn from_elsewhere(text: &KeptText) -> Option<Coverage> {
    const SHOWN: usize = 5;
    if role(&text.uri) != Role::Hcl {
        return None;
    }
    let sources = remote_sources(&text.text);
    let shown: Vec<String> = sources
        .iter()
        .take(SHOWN)
        // A source may hold a login.
        .map(|source| clean(source.rsplit_once('@').map_or(*source, |(_, rest)| rest)))
        .collect();
    let more = match sources.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!shown.is_empty()).then(|| {
        Coverage::new(
            "manifests",
            format!("{}/{}", text.repository, text.uri),
            CoverageStatus::Skipped,
            format!(
                "calls modules from elsewhere, which are not in the scan: what they declare is unknown ({}{more})",
                shown.join(", ")
            ),
        )
    })
}

/// Adds what another reading declares.
pub(super) fn absorb(out: &mut Declarations, more: Declarations) {
    out.identities.extend(more.identities);
    out.grants.extend(more.grants);
    out.consumers.extend(more.consumers);
    out.references.extend(more.references);
    out.credentials.extend(more.credentials);
    out.stacks.extend(more.stacks);
    out.issued.extend(more.issued);
    out.placed.extend(more.placed);
    out.roles.extend(more.roles);
    out.bindings.extend(more.bindings);
    out.capabilities.extend(more.capabilities);
    out.routines.extend(more.routines);
    out.notices.extend(more.notices);
}

/// What one root module makes, while it is run.
struct Run<'r> {
    repository: &'r str,
    made: BTreeSet<Place>,
    items: Vec<Item>,
}

/// Runs a root module.
fn run(repository: &str, project: &Arc<Project>, folder: &str) -> (Declarations, BTreeSet<Place>) {
    let scope = Scope::root(project, folder);
    let mut run = Run {
        repository,
        made: BTreeSet::new(),
        items: Vec::new(),
    };
    run.walk(&scope);
    let mut out = declare(repository, folder, &run.items);
    if scope.spent() {
        out.notices.push(Coverage::new(
            "manifests",
            format!("{repository}/{folder}"),
            CoverageStatus::Partial,
            "the Terraform code takes too long to evaluate; what was not reached is unknown",
        ));
    }
    scope.forget();
    (out, run.made)
}

impl Run<'_> {
    fn walk(&mut self, scope: &Rc<Scope>) {
        let Some(module) = scope.module_code() else {
            return;
        };
        for (kind, name) in module.resources.keys() {
            if interesting(kind) {
                self.emit(scope, kind, name);
            }
        }
        for name in module.modules.keys() {
            for (_, child) in scope.children_of(name, 0) {
                self.walk(&child);
            }
        }
    }

    fn emit(&mut self, scope: &Rc<Scope>, kind: &str, name: &str) {
        let Some(block) = scope
            .module_code()
            .and_then(|module| module.resources.get(&(kind.to_owned(), name.to_owned())))
        else {
            return;
        };
        let instances = scope.instances_of(&scope::address(false, kind, name), &block.what.body, 0);
        for binding in &instances.list {
            let (line, column) = block.what.place;
            self.made.insert((block.uri.clone(), line, column));
            let item = self.item(scope, kind, name, binding, None);
            self.items.extend(item);
        }
    }

    fn item(
        &self,
        scope: &Rc<Scope>,
        kind: &str,
        name: &str,
        binding: &Binding,
        off: Option<&str>,
    ) -> Option<Item> {
        let resource = Resource {
            scope: Rc::clone(scope),
            data: false,
            kind: kind.to_owned(),
            name: name.to_owned(),
            binding: binding.clone(),
        };
        let block = resource.block()?;
        let (line, column) = block.what.place;
        let account = match block.what.body.attribute("provider") {
            Some(provider) if kind.starts_with("aws_") => {
                let text = provider.expr.to_string();
                match text.trim().strip_prefix("aws.") {
                    Some(alias) => computed::account_of_alias(scope, alias),
                    None => scope.account.clone(),
                }
            }
            _ => scope.account.clone(),
        };
        let attributes = binding.with(scope, 0, |at| at.body(&block.what.body));
        let attributes = completed(&resource, attributes);
        Some(Item {
            kind: kind.to_owned(),
            declared: Declared {
                address: resource.address(),
                location: Location::file(self.repository, &block.uri, line, column),
                open: binding.open.clone().or_else(|| off.map(str::to_owned)),
            },
            attributes,
            account,
        })
    }
}

/// Attributes beside those that the code sets, as far as others refer to them.
fn completed(
    resource: &Resource,
    attributes: super::infra::value::Val,
) -> super::infra::value::Val {
    use super::infra::value::Val;
    let Val::Map(map) = attributes else {
        return attributes;
    };
    let mut map = Rc::unwrap_or_clone(map);
    let computed: &[&str] = match resource.kind.as_str() {
        "aws_iam_role" | "aws_iam_user" | "aws_iam_group" | "aws_iam_instance_profile" => &["name"],
        "aws_iam_policy" => &["name", "arn"],
        "google_service_account" => &["email"],
        _ => &[],
    };
    for name in computed {
        if map.get(*name).is_none_or(Val::is_null) {
            map.insert((*name).to_owned(), resource.attribute(name));
        }
    }
    Val::map(map)
}

fn declare(repository: &str, unit: &str, items: &[Item]) -> Declarations {
    let unit = Unit {
        repository,
        tool: "terraform",
        name: unit,
    };
    ManifestTables::builtin().map_or_else(
        |_| Declarations::default(),
        |tables| cloud::declare(&unit, tables, items),
    )
}

/// Resources that no run makes: their count is zero, or nothing that is run calls their module.
fn left_out(project: &Project, made: &BTreeSet<Place>) -> BTreeMap<String, Vec<(String, String)>> {
    let mut left: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (folder, module) in &project.modules {
        for ((kind, name), block) in &module.resources {
            let (line, column) = block.what.place;
            if interesting(kind) && !made.contains(&(block.uri.clone(), line, column)) {
                left.entry(folder.clone())
                    .or_default()
                    .push((kind.clone(), name.clone()));
            }
        }
    }
    left
}

/// What they would be.
fn switched_off(
    repository: &str,
    project: &Arc<Project>,
    folder: &str,
    left: &[(String, String)],
) -> Declarations {
    let scope = Scope::root(project, folder);
    let run = Run {
        repository,
        made: BTreeSet::new(),
        items: Vec::new(),
    };
    let off = "settings under which this repository makes none";
    let items: Vec<Item> = left
        .iter()
        .filter_map(|(kind, name)| run.item(&scope, kind, name, &Binding::default(), Some(off)))
        .collect();
    let mut out = declare(repository, &format!("{folder} (off)"), &items);
    scope.forget();
    for role in &mut out.roles {
        role.switched_off = true;
    }
    for binding in &mut out.bindings {
        binding.switched_off = true;
    }
    // Whom a binding that is not made would name is nobody yet.
    let nobody: BTreeSet<IdentityId> = out
        .identities
        .iter()
        .filter(|identity| identity.grade == Grade::C && identity.name.contains('<'))
        .map(|identity| identity.id.clone())
        .collect();
    out.identities
        .retain(|identity| !nobody.contains(&identity.id));
    out.grants.retain(|grant| !nobody.contains(&grant.identity));
    out
}
