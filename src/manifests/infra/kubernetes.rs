//! Kubernetes service accounts, roles and bindings that infrastructure code makes.

use super::super::clean::clean;
use super::cloud::Unit;
use super::item::{Item, known_entries};
use super::value::{Val, shown};
use crate::model::{
    Declarations, Evidence, Grade, Identity, IdentityKind, RbacBinding, RbacRole, RbacRule,
};
use crate::rules::manifests::ManifestTables;
use std::collections::BTreeMap;

/// Whether a type is read here.
pub(super) fn interesting(kind: &str) -> bool {
    let kind = kind.strip_suffix("_v1").unwrap_or(kind);
    matches!(
        kind,
        "kubernetes_service_account"
            | "kubernetes_default_service_account"
            | "kubernetes_role"
            | "kubernetes_cluster_role"
            | "kubernetes_role_binding"
            | "kubernetes_cluster_role_binding"
    )
}

/// Reads them.
pub(super) fn add(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    items: &[Item],
    out: &mut Declarations,
) {
    for item in items.iter().filter(|item| interesting(&item.kind)) {
        let kind = item.kind.strip_suffix("_v1").unwrap_or(&item.kind);
        match kind {
            "kubernetes_service_account" | "kubernetes_default_service_account" => {
                account(unit, tables, item, out);
            }
            "kubernetes_role" | "kubernetes_cluster_role" => role(unit, item, kind, out),
            _ => binding(unit, item, kind, out),
        }
    }
}

fn metadata(item: &Item) -> Val {
    first(&item.get("metadata"))
}

fn first(value: &Val) -> Val {
    match value {
        Val::List(items) => items.first().cloned().unwrap_or(Val::Null),
        other => other.clone(),
    }
}

fn text(value: &Val, name: &str) -> Option<String> {
    let text = value.get(name).as_text().filter(|text| !text.is_empty())?;
    Some(clean(&shown(&text)))
}

fn name_of(item: &Item) -> (String, String) {
    let metadata = metadata(item);
    let name =
        text(&metadata, "name").unwrap_or_else(|| format!("<{}>", clean(&item.declared.address)));
    let namespace = text(&metadata, "namespace").unwrap_or_else(|| "default".to_owned());
    (namespace, name)
}

fn account(unit: &Unit<'_>, tables: &ManifestTables, item: &Item, out: &mut Declarations) {
    let (namespace, mut name) = name_of(item);
    if item.kind.starts_with("kubernetes_default") {
        "default".clone_into(&mut name);
    }
    let native = format!("system:serviceaccount:{namespace}:{name}");
    let mut identity = Identity::named(
        "kubernetes",
        IdentityKind::KubernetesServiceAccount,
        &name,
        &native,
        Grade::B,
    );
    identity.environment = tables.environments.of(&namespace);
    identity.locations.push(item.declared.location.clone());
    let metadata = metadata(item);
    let mut all = BTreeMap::new();
    known_entries(&metadata.get("labels"), &mut all);
    if let Val::Map(annotations) = metadata.get("annotations") {
        for (key, value) in annotations.iter() {
            if let Some(value) = value.as_text() {
                all.insert(clean(&shown(key)), clean(&shown(&value)));
            }
        }
    }
    all.retain(|key, _| tables.kubernetes.is_tag(key));
    identity.tags = all;
    identity.notes.push(Evidence::new(
        Grade::B,
        format!(
            "declared in code as {} ({})",
            clean(&item.declared.address),
            unit.tool
        ),
    ));
    out.identities.push(identity);
}

fn texts(value: &Val, name: &str) -> Vec<String> {
    value
        .get(name)
        .items()
        .unwrap_or_default()
        .iter()
        .filter_map(Val::as_text)
        .map(|text| clean(&shown(&text)))
        .collect()
}

fn role(unit: &Unit<'_>, item: &Item, kind: &str, out: &mut Declarations) {
    let (namespace, name) = name_of(item);
    let mut labels = BTreeMap::new();
    known_entries(&metadata(item).get("labels"), &mut labels);
    let rules = item.get("rule").items().unwrap_or_default();
    out.roles.push(RbacRole {
        repository: unit.repository.to_owned(),
        provider: "kubernetes".to_owned(),
        switched_off: false,
        namespace: (kind == "kubernetes_role").then_some(namespace),
        name,
        labels,
        aggregates: Vec::new(),
        rules: rules
            .iter()
            .map(|rule| RbacRule {
                api_groups: texts(rule, "api_groups"),
                resources: texts(rule, "resources"),
                verbs: texts(rule, "verbs"),
                resource_names: texts(rule, "resource_names"),
                non_resource_urls: texts(rule, "non_resource_urls"),
            })
            .collect(),
        tier: 0,
        evidence: Vec::new(),
        location: item.declared.location.clone(),
    });
}

fn binding(unit: &Unit<'_>, item: &Item, kind: &str, out: &mut Declarations) {
    let (namespace, name) = name_of(item);
    let reference = first(&item.get("role_ref"));
    let (mut subjects, mut people) = (Vec::new(), Vec::new());
    for subject in item.get("subject").items().unwrap_or_default() {
        let who = text(&subject, "name").unwrap_or_default();
        let kind = text(&subject, "kind").unwrap_or_default();
        if kind == "ServiceAccount" {
            let namespace = text(&subject, "namespace").unwrap_or_else(|| "default".to_owned());
            let native = format!("system:serviceaccount:{namespace}:{who}");
            let mut identity = Identity::named(
                "kubernetes",
                IdentityKind::KubernetesServiceAccount,
                &who,
                &native,
                Grade::C,
            );
            identity.locations.push(item.declared.location.clone());
            out.identities.push(identity);
            subjects.push(native);
        } else if who.starts_with("system:serviceaccount") {
            subjects.push(who);
        } else {
            people.push(format!("{kind} {who}"));
        }
    }
    out.bindings.push(RbacBinding {
        repository: unit.repository.to_owned(),
        provider: "kubernetes".to_owned(),
        switched_off: false,
        namespace: (kind == "kubernetes_role_binding").then_some(namespace),
        name,
        cluster_role: text(&reference, "kind").as_deref() == Some("ClusterRole"),
        role: text(&reference, "name").unwrap_or_default(),
        subjects,
        people,
        tier: 0,
        location: item.declared.location.clone(),
    });
}
