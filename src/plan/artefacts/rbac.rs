//! RBAC of a service account, narrowed to its namespace and to what is named.

use super::Made;
use super::facts::Facts;
use super::text::{comments, json};
use crate::model::{ArtefactKind, RbacRule};
use crate::plan::PlanContext;
use std::fmt::Write as _;

/// Most rules taken over.
const MAX_RULES: usize = 40;

/// A Role and its binding in the namespace, in place of what is bound today.
pub(super) fn manifest(context: &PlanContext<'_>, facts: &Facts<'_>) -> Option<Made> {
    let applies = facts.item.mechanism.starts_with("kubernetes-");
    let (namespace, account) = (
        facts.values.get("namespace"),
        facts.values.get("service_account"),
    );
    if !applies {
        return None;
    }
    let show = |value: Option<&String>, name: &str| {
        value.map_or_else(|| super::text::placeholder(name), |value| json(value))
    };
    let (space, name) = (
        show(namespace, "namespace"),
        show(account, "service_account"),
    );
    let subject = format!(
        "system:serviceaccount:{}:{}",
        namespace.map_or("", String::as_str),
        account.map_or("", String::as_str)
    );
    let inventory = context.inventory;
    let mut kept: Vec<RbacRule> = Vec::new();
    let mut dropped: Vec<String> = Vec::new();
    for binding in inventory
        .bindings
        .iter()
        .filter(|binding| binding.of_cluster() && binding.subjects.contains(&subject))
    {
        let role = inventory.roles.iter().find(|role| {
            role.of_cluster()
                && role.name == binding.role
                && role.namespace.is_none() == binding.cluster_role
        });
        let Some(role) = role else {
            dropped.push(format!(
                "{}, which is not declared in the scanned files",
                binding.role
            ));
            continue;
        };
        for rule in &role.rules {
            let wide = [&rule.api_groups, &rule.resources, &rule.verbs]
                .into_iter()
                .flatten()
                .any(|word| word == "*");
            if wide || !rule.non_resource_urls.is_empty() || kept.len() >= MAX_RULES {
                dropped.push(format!("{}: {}", binding.role, words(rule)));
            } else if !kept.contains(rule) {
                kept.push(rule.clone());
            }
        }
    }
    let mut out = comments(
        "Rights in the namespace alone, and only those that are named. Apply it, watch the audit log for refused calls, then delete the bindings of today.",
    );
    for one in &dropped {
        out.push_str(&comments(&format!(
            "Left out, because it names no resources or verbs, or is not known: {one}"
        )));
    }
    let _ = write!(
        out,
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: \"{name}\"\n  namespace: \"{space}\"\nautomountServiceAccountToken: false\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: \"{name}-task\"\n  namespace: \"{space}\"\n"
    );
    if kept.is_empty() {
        out.push_str("# Nothing named is bound to it today: list what the audit log shows, one rule for each kind of object.\nrules: []\n");
    } else {
        out.push_str("rules:\n");
        for rule in &kept {
            let _ = write!(
                out,
                "  - apiGroups: {}\n    resources: {}\n    verbs: {}\n",
                list(&rule.api_groups),
                list(&rule.resources),
                list(&rule.verbs)
            );
            if !rule.resource_names.is_empty() {
                let _ = writeln!(out, "    resourceNames: {}", list(&rule.resource_names));
            }
        }
    }
    let _ = write!(
        out,
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: \"{name}-task\"\n  namespace: \"{space}\"\nsubjects:\n  - kind: ServiceAccount\n    name: \"{name}\"\n    namespace: \"{space}\"\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: \"{name}-task\"\n"
    );
    Some(Made::new(
        "rbac.yaml",
        ArtefactKind::KubernetesManifest,
        "service account without automounting, and a Role of its namespace with what is named today",
        out,
    ))
}

fn list(words: &[String]) -> String {
    serde_json::to_string(words).unwrap_or_else(|_| "[]".to_owned())
}

fn words(rule: &RbacRule) -> String {
    format!("{} on {}", rule.verbs.join(","), rule.resources.join(","))
}
