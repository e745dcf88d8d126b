//! Kustomizations: what is declared in the files they take together is deployed under their namespace and name prefix.
//!
//! Nothing is fetched and no patch is applied field by field: a patch says what it says of the resource it names, as any
//! other file does.

use super::clean::clean;
use super::node::Node;
use super::text::Text;
use super::yaml;
use crate::model::{
    ConsumerId, Coverage, CoverageStatus, DEFINED, Declarations, Evidence, Grade, Identity,
    IdentityId, IdentityKind, KeptText, Location, SecretReference,
};
use std::collections::{BTreeMap, BTreeSet};

/// Deepest chain of kustomizations.
const MAX_DEPTH: usize = 20;
/// Most secrets one kustomization generates.
const MAX_GENERATED: usize = 500;
/// Most ways one file is deployed.
const MAX_WAYS: usize = 30;
/// Most files all the kustomizations of a scan take, each time they do.
const MAX_TAKEN: usize = 100_000;

/// Whether a path is one of a kustomization.
pub(super) fn is_kustomization(uri: &str) -> bool {
    let name = uri.rsplit('/').next().unwrap_or_default();
    matches!(
        name,
        "kustomization.yaml" | "kustomization.yml" | "Kustomization"
    )
}

/// The text of a kustomization.
pub(super) fn keep(repository: &str, uri: &str, bytes: &[u8]) -> Option<KeptText> {
    (is_kustomization(uri) && bytes.len() <= 1 << 20).then(|| KeptText {
        repository: repository.to_owned(),
        uri: uri.to_owned(),
        text: Text::new(bytes).as_str().into(),
    })
}

/// One kustomization.
#[derive(Default)]
struct Kustomization {
    uri: String,
    /// Files and folders it takes, resolved.
    takes: Vec<String>,
    namespace: Option<String>,
    prefix: String,
    suffix: String,
}

/// How a file is deployed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    namespace: Option<String>,
    prefix: String,
    suffix: String,
    /// The outermost kustomization.
    by: String,
}

impl Way {
    fn changes(&self) -> bool {
        self.namespace.is_some() || !self.prefix.is_empty() || !self.suffix.is_empty()
    }
}

/// A path from a folder, with `.` and `..` taken away; `None` where it leads out of the repository.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
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

fn remote(path: &str) -> bool {
    path.contains("://")
        || path.contains("?ref=")
        || path.starts_with("git@")
        || path.starts_with("github.com/")
}

/// Where the values of secrets stand that kustomizations generate.
pub(super) fn generated(kustomizations: &[&KeptText]) -> Declarations {
    let mut out = Declarations::default();
    for text in kustomizations {
        let source = Text::new(text.text.as_bytes());
        let parsed = yaml::parse(&source);
        let folder = text.uri.rsplit_once('/').map_or("", |(folder, _)| folder);
        let generators = parsed
            .documents
            .iter()
            .filter_map(|root| root.get("secretGenerator"))
            .flat_map(Node::items);
        for generator in generators.take(MAX_GENERATED) {
            let Some(name) = generator.text_at(&["name"]) else {
                continue;
            };
            let mut define = |key: &str, uri: &str, line: Option<u32>| {
                out.references.push(SecretReference {
                    name: clean(&format!("{name}/{key}")),
                    store: format!("{DEFINED}kubernetes-secret"),
                    kind: None,
                    provider: None,
                    repository: text.repository.clone(),
                    consumer: None,
                    location: Location {
                        repository: Some(text.repository.clone()),
                        uri: uri.to_owned(),
                        line,
                        column: line.map(|_| 1),
                        logical: None,
                    },
                });
            };
            for literal in generator.get("literals").map_or(&[][..], Node::items) {
                let key = literal.as_str().and_then(|text| text.split_once('='));
                if let Some((key, _)) = key {
                    define(key, &text.uri, Some(literal.line));
                }
            }
            for list in ["envs", "env"] {
                let files = generator.get(list).into_iter().flat_map(Node::texts);
                for uri in files.filter_map(|path| resolve(folder, path)) {
                    define("*", &uri, None);
                }
            }
            for file in generator.get("files").into_iter().flat_map(Node::texts) {
                let (key, path) = file
                    .split_once('=')
                    .unwrap_or((file.rsplit('/').next().unwrap_or(file), file));
                if let Some(uri) = resolve(folder, path) {
                    define(key, &uri, None);
                }
            }
        }
    }
    out
}

fn read(text: &KeptText, notices: &mut Vec<Coverage>) -> Option<Kustomization> {
    let source = Text::new(text.text.as_bytes());
    let parsed = yaml::parse(&source);
    let root = parsed.documents.first()?;
    let folder = text.uri.rsplit_once('/').map_or("", |(folder, _)| folder);
    let word = |key: &str| {
        root.text_at(&[key])
            .map(clean)
            .filter(|word| !word.is_empty())
    };
    let lists = ["resources", "bases", "components", "patchesStrategicMerge"];
    let named = lists
        .iter()
        .filter_map(|key| root.get(key))
        .flat_map(Node::texts);
    let patches = root
        .get("patches")
        .map_or(&[][..], Node::items)
        .iter()
        .filter_map(|patch| patch.text_at(&["path"]));
    let mut takes = Vec::new();
    let mut away = 0;
    for path in named.chain(patches) {
        // A patch may be written in place.
        if path.contains('\n') {
            continue;
        }
        match resolve(folder, path).filter(|_| !remote(path)) {
            Some(path) => takes.push(path),
            None => away += 1,
        }
    }
    if away > 0 {
        notices.push(Coverage::new(
            "manifests",
            format!("{}/{}", text.repository, text.uri),
            CoverageStatus::Skipped,
            format!("takes {away} resources from outside the repository, which are not read"),
        ));
    }
    Some(Kustomization {
        uri: text.uri.clone(),
        takes,
        namespace: word("namespace"),
        prefix: word("namePrefix").unwrap_or_default(),
        suffix: word("nameSuffix").unwrap_or_default(),
    })
}

/// Puts what kustomizations take under their namespace and names. `kept`: their texts, in a stable order.
pub(super) fn apply(declarations: &mut Vec<Declarations>, kept: &[&KeptText]) {
    let mut by_repository: BTreeMap<&str, Vec<&KeptText>> = BTreeMap::new();
    for text in kept {
        by_repository
            .entry(&text.repository)
            .or_default()
            .push(text);
    }
    let mut notices = Vec::new();
    let mut ways: BTreeMap<(String, String), BTreeSet<Way>> = BTreeMap::new();
    for (repository, texts) in by_repository {
        let all: BTreeMap<String, Kustomization> = texts
            .into_iter()
            .filter_map(|text| {
                let one = read(text, &mut notices)?;
                let folder = one.uri.rsplit_once('/').map_or("", |(folder, _)| folder);
                Some((folder.to_owned(), one))
            })
            .collect();
        let taken: BTreeSet<&str> = all
            .values()
            .flat_map(|one| one.takes.iter().map(String::as_str))
            .collect();
        let mut found = Vec::new();
        for (folder, one) in all
            .iter()
            .filter(|(folder, _)| !taken.contains(folder.as_str()))
        {
            let start = Way {
                by: one.uri.clone(),
                ..Way::default()
            };
            walk(&all, folder, &start, 0, &mut found);
        }
        for (uri, way) in found {
            let known = ways.entry((repository.to_owned(), uri)).or_default();
            if known.len() < MAX_WAYS {
                known.insert(way);
            }
        }
    }
    ways.retain(|_, ways| ways.iter().any(Way::changes));
    if !ways.is_empty() {
        deploy(declarations, &ways);
    }
    if !notices.is_empty() {
        declarations.push(Declarations {
            notices,
            ..Declarations::default()
        });
    }
}

fn walk(
    all: &BTreeMap<String, Kustomization>,
    folder: &str,
    outer: &Way,
    depth: usize,
    found: &mut Vec<(String, Way)>,
) {
    let Some(one) = all
        .get(folder)
        .filter(|_| depth < MAX_DEPTH && found.len() < MAX_TAKEN)
    else {
        return;
    };
    let way = Way {
        namespace: outer.namespace.clone().or_else(|| one.namespace.clone()),
        prefix: format!("{}{}", outer.prefix, one.prefix),
        suffix: format!("{}{}", one.suffix, outer.suffix),
        by: outer.by.clone(),
    };
    for path in &one.takes {
        if all.contains_key(path) {
            walk(all, path, &way, depth + 1, found);
        } else {
            found.push((path.clone(), way.clone()));
        }
    }
}

/// The file that declares what there is, when it is one.
fn file_of(declarations: &Declarations) -> Option<(String, String)> {
    let of_identities = declarations
        .identities
        .iter()
        .flat_map(|one| &one.locations);
    let of_consumers = declarations
        .consumers
        .iter()
        .filter_map(|one| one.location.as_ref());
    let of_roles = declarations.roles.iter().map(|one| &one.location);
    let of_bindings = declarations.bindings.iter().map(|one| &one.location);
    let place = of_identities
        .chain(of_consumers)
        .chain(of_roles)
        .chain(of_bindings)
        .next()?;
    Some((place.repository.clone()?, place.uri.clone()))
}

/// Replaces what a file declares by what it is deployed as, once for each way.
fn deploy(declarations: &mut Vec<Declarations>, ways: &BTreeMap<(String, String), BTreeSet<Way>>) {
    let files: Vec<Option<(String, String)>> = declarations.iter().map(file_of).collect();
    // Names that a kustomization declares are those it changes.
    let mut declared: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (file, key) in declarations.iter().zip(&files) {
        let Some(key) = key else {
            continue;
        };
        for way in ways.get(key).into_iter().flatten() {
            let names = declared.entry((key.0.clone(), way.by.clone())).or_default();
            names.extend(
                file.identities
                    .iter()
                    .filter(|one| {
                        one.grade == Grade::B && one.kind == IdentityKind::KubernetesServiceAccount
                    })
                    .map(|one| one.name.clone()),
            );
        }
    }
    let mut more = Vec::new();
    for (file, key) in declarations.iter_mut().zip(&files) {
        let Some((key, ways)) = key.as_ref().and_then(|key| Some((key, ways.get(key)?))) else {
            continue;
        };
        let whole = std::mem::take(file);
        for (at, way) in ways.iter().enumerate() {
            let names = declared.get(&(key.0.clone(), way.by.clone()));
            let mut copy = Declarations {
                identities: whole.identities.clone(),
                consumers: whole.consumers.clone(),
                references: whole.references.clone(),
                roles: whole.roles.clone(),
                bindings: whole.bindings.clone(),
                capabilities: whole.capabilities.clone(),
                ..Declarations::default()
            };
            if way.changes() {
                rename(&mut copy, way, names.unwrap_or(&BTreeSet::new()));
            }
            if at == 0 {
                copy.credentials.clone_from(&whole.credentials);
                copy.notices.clone_from(&whole.notices);
                copy.kept.clone_from(&whole.kept);
                copy.grants.clone_from(&whole.grants);
            }
            more.push(copy);
        }
    }
    declarations.extend(more);
}

fn rename(file: &mut Declarations, way: &Way, names: &BTreeSet<String>) {
    let space = |known: &str| way.namespace.clone().unwrap_or_else(|| known.to_owned());
    let account = |native: &str| -> String {
        let Some((namespace, name)) = native
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| rest.split_once(':'))
        else {
            return native.to_owned();
        };
        if names.contains(name) {
            format!(
                "system:serviceaccount:{}:{}{name}{}",
                space(namespace),
                way.prefix,
                way.suffix
            )
        } else if name == "default" {
            format!("system:serviceaccount:{}:default", space(namespace))
        } else {
            native.to_owned()
        }
    };
    let mut identities: BTreeMap<IdentityId, (IdentityId, String)> = BTreeMap::new();
    for identity in &mut file.identities {
        if identity.kind != IdentityKind::KubernetesServiceAccount {
            continue;
        }
        let mut native = account(&identity.native_id);
        // What runs in these files runs in the namespace, whatever declares its account.
        if native == identity.native_id
            && identity.grade != Grade::B
            && !identity.consumers.is_empty()
            && let Some(namespace) = &way.namespace
        {
            native = format!("system:serviceaccount:{namespace}:{}", identity.name);
        }
        if native == identity.native_id {
            continue;
        }
        let id = Identity::id_of("kubernetes", &native);
        identities.insert(identity.id.clone(), (id.clone(), native.clone()));
        if let Some(name) = native.rsplit(':').next()
            && name != identity.name
        {
            identity.notes.push(Evidence::new(
                Grade::B,
                format!(
                    "declared as {}, deployed as {name} by {}",
                    identity.name,
                    clean(&way.by)
                ),
            ));
            name.clone_into(&mut identity.name);
        }
        identity.id = id;
        identity.native_id = native;
    }
    let mut consumers: BTreeMap<ConsumerId, ConsumerId> = BTreeMap::new();
    for consumer in &mut file.consumers {
        let known = consumer.id.clone();
        if let Some((kind, rest)) = consumer.name.split_once(' ')
            && let Some((namespace, name)) = rest.split_once('/')
        {
            consumer.name = format!(
                "{kind} {}/{}{name}{}",
                space(namespace),
                way.prefix,
                way.suffix
            );
        }
        consumer.environment = consumer.environment.take().map(|known| space(&known));
        let repository = consumer.repository.clone().unwrap_or_default();
        let uri = consumer
            .location
            .as_ref()
            .map_or("", |location| location.uri.as_str());
        consumer.id = ConsumerId::of(&[&consumer.runtime, &repository, uri, &consumer.name]);
        consumers.insert(known, consumer.id.clone());
        let moved = |id: &mut IdentityId| {
            if let Some((new, _)) = identities.get(id) {
                *id = new.clone();
            }
        };
        consumer.identity.iter_mut().for_each(moved);
        consumer.uses.identities.iter_mut().for_each(moved);
        for native in &mut consumer.uses.native_ids {
            let id = Identity::id_of("kubernetes", native);
            if let Some((_, new)) = identities.get(&id) {
                native.clone_from(new);
            }
        }
    }
    for id in file
        .identities
        .iter_mut()
        .flat_map(|identity| &mut identity.consumers)
    {
        if let Some(new) = consumers.get(id) {
            *id = new.clone();
        }
    }
    for reference in &mut file.references {
        if let Some(new) = reference.consumer.as_ref().and_then(|id| consumers.get(id)) {
            reference.consumer = Some(new.clone());
        }
    }
    for role in &mut file.roles {
        role.namespace = role.namespace.take().map(|known| space(&known));
    }
    for binding in &mut file.bindings {
        binding.namespace = binding.namespace.take().map(|known| space(&known));
        for subject in &mut binding.subjects {
            *subject = account(subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use crate::manifests::{assemble, link, read};
    use crate::model::{Declarations, FingerprintKey};

    #[test]
    fn what_an_overlay_takes_is_under_its_namespace_and_names() {
        let key = FingerprintKey::new([7; 32]);
        let files = [
            (
                "base/kustomization.yaml",
                "resources: [app.yaml, rbac.yaml, github.com/a/b//c?ref=v1]\n",
            ),
            (
                "base/app.yaml",
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: app}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec: {template: {spec: {serviceAccountName: app}}}\n",
            ),
            (
                "base/rbac.yaml",
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: app}\nroleRef: {kind: ClusterRole, name: edit}\nsubjects: [{kind: ServiceAccount, name: app}]\n",
            ),
            (
                "overlays/prod/kustomization.yaml",
                "namespace: prod\nnamePrefix: big-\nresources: [../../base]\npatches: [{path: role.yaml}]\n",
            ),
            (
                "overlays/prod/role.yaml",
                "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: app\n  annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::123456789012:role/app'}\n",
            ),
            (
                "overlays/dev/kustomization.yml",
                "namespace: dev\nresources: [../../base]\n",
            ),
        ];
        let mut read: Vec<Declarations> = files
            .iter()
            .filter_map(|(uri, text)| read("shop", uri, text.as_bytes(), &key))
            .collect();
        assemble(&mut read, &key);
        link(&mut read);
        let mut shown: Vec<String> = read
            .iter()
            .flat_map(|file| &file.identities)
            .map(|one| {
                let places: Vec<String> = one
                    .locations
                    .iter()
                    .map(crate::model::Location::display)
                    .collect();
                format!(
                    "{} {} tier {} {:?}",
                    one.name, one.native_id, one.privilege.tier, places
                )
            })
            .chain(
                read.iter()
                    .flat_map(|file| &file.consumers)
                    .map(|one| format!("{} as {:?}", one.name, one.uses.native_ids)),
            )
            .chain(
                read.iter()
                    .flat_map(|file| &file.notices)
                    .map(|one| format!("{}: {}", one.unit, one.reason)),
            )
            .collect();
        shown.sort();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        Deployment dev/app as ["system:serviceaccount:dev:app"]
        Deployment prod/big-app as ["system:serviceaccount:prod:big-app", "arn:aws:iam::123456789012:role/app"]
        app system:serviceaccount:dev:app tier 4 ["shop/base/app.yaml:2"]
        big-app system:serviceaccount:prod:big-app tier 4 ["shop/base/app.yaml:2", "shop/overlays/prod/role.yaml:2"]
        shop/base/kustomization.yaml: takes 1 resources from outside the repository, which are not read
        "#);
    }

    #[test]
    fn paths_do_not_leave_the_repository() {
        assert_eq!(
            resolve("a/b", "../c/./d.yaml").as_deref(),
            Some("a/c/d.yaml")
        );
        assert_eq!(resolve("a", "../../x"), None);
    }
}
