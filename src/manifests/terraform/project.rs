//! Modules of one repository: the folders that hold Terraform code, and what each declares.

use super::super::capabilities::resource_mentioned;
use super::super::node::Problem;
use super::parse::{self, Attribute, Block};
use crate::model::KeptText;
use hcl_edit::expr::Expression;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A declared thing and the file it stands in.
pub(super) struct Placed<T> {
    pub(super) uri: String,
    pub(super) what: T,
}

/// One folder of Terraform code.
#[derive(Default)]
pub(super) struct Module {
    pub(super) variables: BTreeMap<String, Placed<Block>>,
    pub(super) locals: BTreeMap<String, Placed<Attribute>>,
    pub(super) outputs: BTreeMap<String, Placed<Block>>,
    pub(super) modules: BTreeMap<String, Placed<Block>>,
    /// By type and name.
    pub(super) resources: BTreeMap<(String, String), Placed<Block>>,
    /// By type and name.
    pub(super) data: BTreeMap<(String, String), Placed<Block>>,
    pub(super) providers: Vec<Placed<Block>>,
    /// Values that are loaded without being asked for, later ones win.
    pub(super) values: BTreeMap<String, Expression>,
}

/// Every module of one repository and the other texts its code may read.
pub(super) struct Project {
    pub(super) modules: BTreeMap<String, Module>,
    texts: BTreeMap<String, Arc<str>>,
}

/// What of a file could not be read.
pub(super) struct Broken {
    pub(super) uri: String,
    pub(super) problem: Problem,
}

/// What a path is to Terraform.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Hcl,
    Json,
    Values,
    ValuesJson,
    /// Something code may read.
    Text,
}

/// What a path is to Terraform.
pub(super) fn role(uri: &str) -> Role {
    let name = uri.rsplit('/').next().unwrap_or(uri);
    let values = name == "terraform.tfvars" || name.ends_with(".auto.tfvars");
    let values_json = name == "terraform.tfvars.json" || name.ends_with(".auto.tfvars.json");
    if values {
        Role::Values
    } else if values_json {
        Role::ValuesJson
    } else if name.ends_with(".tf.json") || name.ends_with(".tofu.json") {
        Role::Json
    } else if matches!(name.rsplit_once('.'), Some((_, "tf" | "tofu"))) {
        Role::Hcl
    } else {
        Role::Text
    }
}

/// The folder of a path; empty for the root.
pub(super) fn folder(uri: &str) -> &str {
    uri.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path with `.` and `..` resolved; `None` when it leads out of the repository.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

impl Project {
    /// Reads the folders that may declare identities, and those their modules are in.
    pub(super) fn read(texts: &[&KeptText]) -> (Self, Vec<Broken>) {
        let mut by_folder: BTreeMap<&str, Vec<&KeptText>> = BTreeMap::new();
        for text in texts {
            if role(&text.uri) != Role::Text {
                by_folder.entry(folder(&text.uri)).or_default().push(text);
            }
        }
        let wanted = wanted(&by_folder);
        let files: Vec<&KeptText> = by_folder
            .iter()
            .filter(|(folder, _)| wanted.contains(**folder))
            .flat_map(|(_, files)| files.iter().copied())
            .collect();
        let parsed: Vec<_> = files
            .par_iter()
            .map(|file| match role(&file.uri) {
                Role::Json | Role::ValuesJson => parse::json(&file.text),
                _ => parse::hcl(&file.text),
            })
            .collect();
        let mut project = Self {
            modules: BTreeMap::new(),
            texts: texts
                .iter()
                .filter(|text| role(&text.uri) == Role::Text)
                .map(|text| (text.uri.clone(), Arc::clone(&text.text)))
                .collect(),
        };
        let mut broken = Vec::new();
        for (file, (body, problems)) in files.into_iter().zip(parsed) {
            let module = project
                .modules
                .entry(folder(&file.uri).to_owned())
                .or_default();
            if matches!(role(&file.uri), Role::Values | Role::ValuesJson) {
                let values = body.attributes.into_iter();
                module
                    .values
                    .extend(values.map(|value| (value.name, value.expr)));
            } else {
                module.add(&file.uri, body);
            }
            broken.extend(problems.into_iter().map(|problem| Broken {
                uri: file.uri.clone(),
                problem,
            }));
        }
        (project, broken)
    }

    /// The text of another file of the repository.
    pub(super) fn text(&self, uri: &str) -> Option<&str> {
        self.texts.get(uri).map(|text| &**text)
    }

    /// Folders below a folder, and the texts in it, for `fileset` and the like.
    pub(super) fn texts_in<'p>(&'p self, folder: &'p str) -> impl Iterator<Item = &'p str> {
        self.texts.keys().filter_map(move |uri| {
            if folder.is_empty() {
                return Some(uri.as_str());
            }
            uri.strip_prefix(folder)?.strip_prefix('/')
        })
    }

    /// Folders that no other folder of the repository calls as a module.
    pub(super) fn roots(&self) -> Vec<&str> {
        let called: BTreeSet<String> = self
            .modules
            .iter()
            .flat_map(|(folder, module)| {
                let calls = module.modules.values();
                calls.filter_map(|call| Some((folder.clone(), local_source(&call.what)?)))
            })
            .filter_map(|(folder, source)| {
                let target = join(&folder, &source)?;
                // A module that calls itself is still the one to begin with.
                (target != folder).then_some(target)
            })
            .collect();
        let roots: Vec<&str> = self
            .modules
            .keys()
            .filter(|folder| !called.contains(*folder))
            .map(String::as_str)
            .collect();
        if roots.is_empty() {
            self.modules.keys().map(String::as_str).collect()
        } else {
            roots
        }
    }
}

/// The path of a module in the same repository.
pub(super) fn local_source(call: &Block) -> Option<String> {
    let source = call.body.attribute("source")?.expr.as_str()?.to_owned();
    (source.starts_with("./") || source.starts_with("../")).then_some(source)
}

impl Module {
    fn add(&mut self, uri: &str, body: parse::Body) {
        let placed = |what: Block| Placed {
            uri: uri.to_owned(),
            what,
        };
        for mut block in body.blocks {
            let mut labels = std::mem::take(&mut block.labels).into_iter();
            let (first, second) = (labels.next(), labels.next());
            match (block.kind.as_str(), first, second) {
                ("resource", Some(kind), Some(name)) => {
                    self.resources.insert((kind, name), placed(block));
                }
                ("data", Some(kind), Some(name)) => {
                    self.data.insert((kind, name), placed(block));
                }
                ("variable", Some(name), _) => {
                    self.variables.insert(name, placed(block));
                }
                ("output", Some(name), _) => {
                    self.outputs.insert(name, placed(block));
                }
                ("module", Some(name), _) => {
                    self.modules.insert(name, placed(block));
                }
                ("provider", Some(name), _) => {
                    block.labels.push(name);
                    self.providers.push(placed(block));
                }
                ("locals", ..) => {
                    for attribute in block.body.attributes {
                        let local = Placed {
                            uri: uri.to_owned(),
                            what: attribute,
                        };
                        self.locals.insert(local.what.name.clone(), local);
                    }
                }
                _ => {}
            }
        }
    }
}

/// What a folder must hold to be worth reading.
const MARKERS: [&str; 25] = [
    "aws_iam_",
    "aws_eks_pod_identity_association",
    "google_",
    "azuread_",
    "azurerm_role_",
    "azurerm_user_assigned_identity",
    "azurerm_federated_identity_credential",
    "kubernetes_service_account",
    "kubernetes_role_binding",
    "kubernetes_cluster_role_binding",
    "_access_key",
    "_token\"",
    "aws_lambda_function",
    "aws_ecs_task_definition",
    "iam_instance_profile",
    "aws_codebuild_project",
    "_role_arn",
    "azurerm_linux_",
    "azurerm_windows_",
    "azurerm_container_",
    "aws_sfn_",
    "service_role",
    "tfe_variable\"",
    "AWS_ACCESS_KEY_ID",
    "_deploy_key\"",
];

/// Folders with identities, those their modules lie in, and those that call them.
fn wanted(by_folder: &BTreeMap<&str, Vec<&KeptText>>) -> BTreeSet<String> {
    let mut calls: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for (folder, files) in by_folder {
        for file in files {
            let identities = MARKERS.iter().any(|marker| {
                memchr::memmem::find(file.text.as_bytes(), marker.as_bytes()).is_some()
            });
            if identities || resource_mentioned(&file.text) {
                wanted.insert((*folder).to_owned());
            }
            calls
                .entry(folder)
                .or_default()
                .extend(sources(&file.text).filter_map(|source| join(folder, source)));
        }
    }
    loop {
        let before = wanted.len();
        for (folder, targets) in &calls {
            if targets.iter().any(|target| wanted.contains(target)) {
                wanted.insert((*folder).to_owned());
            }
        }
        if wanted.len() == before {
            break;
        }
    }
    // What a wanted folder calls may give it values.
    loop {
        let before = wanted.len();
        let called: Vec<String> = calls
            .iter()
            .filter(|(folder, _)| wanted.contains(**folder))
            .flat_map(|(_, targets)| targets.iter().cloned())
            .collect();
        wanted.extend(called);
        if wanted.len() == before {
            return wanted;
        }
    }
}

/// Sources of modules from elsewhere, without parsing: registries, other repositories, archives.
pub(super) fn remote_sources(text: &str) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    let mut module = false;
    for line in text.lines() {
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            module = line.starts_with("module ") || line.starts_with("module\t");
        }
        let source = line
            .trim_start()
            .strip_prefix("source")
            .map(str::trim_start)
            .and_then(|rest| rest.strip_prefix('='))
            .and_then(|rest| rest.trim_start().strip_prefix('"'))
            .and_then(|rest| rest.split_once('"'));
        if let Some((source, _)) = source
            && module
            && !source.starts_with("./")
            && !source.starts_with("../")
            && !out.contains(&source)
        {
            out.push(source);
        }
    }
    out
}

/// Local module sources, without parsing: what stands in quotes behind `source`.
fn sources(text: &str) -> impl Iterator<Item = &str> {
    memchr::memmem::find_iter(text.as_bytes(), b"source").filter_map(|at| {
        let rest = text.get(at + "source".len()..)?;
        let rest = rest.trim_start_matches(['"', ' ', '\t', '=', ':']);
        let start = text.len() - rest.len();
        // The quote itself was trimmed as well.
        let quoted = text.get(start.checked_sub(1)?..start)? == "\"";
        let (source, _) = rest.split_once('"')?;
        (quoted && (source.starts_with("./") || source.starts_with("../"))).then_some(source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(uri: &str, text: &str) -> KeptText {
        KeptText {
            repository: "shop".to_owned(),
            uri: uri.to_owned(),
            text: text.into(),
        }
    }

    #[test]
    fn only_folders_that_may_declare_identities_are_read() {
        let files = [
            kept(
                "live/main.tf",
                "module \"ci\" {\n  source = \"../modules/ci\"\n}\n",
            ),
            kept(
                "modules/ci/main.tf",
                "resource \"aws_iam_role\" \"a\" {}\nmodule \"n\" { source = \"./names\" }\n",
            ),
            kept("modules/ci/names/main.tf", "output \"x\" { value = 1 }\n"),
            kept("network/main.tf", "resource \"aws_vpc\" \"a\" {}\n"),
        ];
        let all: Vec<&KeptText> = files.iter().collect();
        let (project, broken) = Project::read(&all);
        assert!(broken.is_empty());
        let folders: Vec<&str> = project.modules.keys().map(String::as_str).collect();
        assert_eq!(folders, ["live", "modules/ci", "modules/ci/names"]);
        assert_eq!(project.roots(), ["live"]);
    }

    #[test]
    fn modules_from_elsewhere_are_known_by_their_source() {
        let text = "terraform {\n  required_providers {\n    aws = {\n      source = \"hashicorp/aws\"\n    }\n  }\n}\nmodule \"a\" {\n  source  = \"terraform-aws-modules/iam/aws\"\n}\nmodule \"b\" {\n  source = \"./b\"\n}\n";
        assert_eq!(remote_sources(text), ["terraform-aws-modules/iam/aws"]);
    }

    #[test]
    fn paths_stay_in_the_repository() {
        assert_eq!(join("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(join("a", "../.."), None);
    }
}
