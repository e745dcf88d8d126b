//! Roles that allow more than anybody listed, and who holds cluster-admin.

use super::rating::Rating;
use super::subject::{list, power};
use super::{Check, CheckContext};
use crate::model::{
    ConsumerClass, FindingBuilder, Grade, Identity, Location, RbacBinding, RbacRole, RbacRule,
    Severity,
};
use crate::rules::posture::CheckMeta;
use std::collections::{BTreeMap, BTreeSet};

/// Name of the role that allows everything.
const CLUSTER_ADMIN: &str = "cluster-admin";
/// Groups that anybody, or everybody signed in, is in.
const EVERYBODY: [&str; 4] = [
    "Group system:anonymous",
    "User system:anonymous",
    "Group system:unauthenticated",
    "Group system:authenticated",
];

/// A wildcard in a role, a binding to cluster-admin, or anything bound to everybody.
pub(super) struct KubernetesWildcard;

impl Check for KubernetesWildcard {
    fn id(&self) -> &'static str {
        "k8s-wildcard-rbac"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let bound: BTreeSet<(&str, Option<&str>, &str)> = context
            .inventory
            .bindings
            .iter()
            .filter(|binding| binding.of_cluster())
            .filter(|binding| !binding.subjects.is_empty() || !binding.people.is_empty())
            .map(|binding| {
                let namespace = if binding.cluster_role {
                    None
                } else {
                    binding.namespace.as_deref()
                };
                (
                    binding.repository.as_str(),
                    namespace,
                    binding.role.as_str(),
                )
            })
            .collect();
        let mut roles: BTreeMap<String, Vec<&RbacRole>> = BTreeMap::new();
        for role in &context.inventory.roles {
            if role.of_cluster() && role.rules.iter().any(wildcard) {
                roles.entry(key_of_role(role)).or_default().push(role);
            }
        }
        for (key, roles) in roles {
            if let Some(finding) = of_role(context, meta, &key, &roles, &bound) {
                out.push(finding);
            }
        }
        let mut bindings: BTreeMap<String, Vec<&RbacBinding>> = BTreeMap::new();
        for binding in &context.inventory.bindings {
            if !binding.of_cluster() {
                continue;
            }
            let admin = binding.cluster_role && binding.role == CLUSTER_ADMIN;
            if admin || (binding.tier >= 2 && everybody(binding).is_some()) {
                bindings
                    .entry(key_of_binding(binding))
                    .or_default()
                    .push(binding);
            }
        }
        for (key, bindings) in bindings {
            if let Some(finding) = of_binding(context, meta, &key, &bindings) {
                out.push(finding);
            }
        }
    }
}

fn key_of_role(role: &RbacRole) -> String {
    format!(
        "{}/{} {}{}",
        role.repository,
        role.location.uri,
        role.namespace
            .as_ref()
            .map_or_else(|| "ClusterRole/".to_owned(), |name| format!("{name}/Role/")),
        role.name
    )
}

fn key_of_binding(binding: &RbacBinding) -> String {
    format!(
        "{}/{} {}{} → {}",
        binding.repository,
        binding.location.uri,
        binding.namespace.as_ref().map_or_else(
            || "ClusterRoleBinding/".to_owned(),
            |name| format!("{name}/RoleBinding/")
        ),
        binding.name,
        binding.role
    )
}

/// Verbs or resources are open.
fn wildcard(rule: &RbacRule) -> bool {
    let any = |list: &[String]| list.iter().any(|word| word == "*");
    !rule.verbs.is_empty()
        && (any(&rule.verbs) || any(&rule.resources) || any(&rule.non_resource_urls))
}

/// A rule in words: `* on pods of apps`.
fn words(rule: &RbacRule) -> String {
    let on: Vec<&str> = rule
        .resources
        .iter()
        .chain(&rule.non_resource_urls)
        .map(String::as_str)
        .collect();
    let groups: Vec<&str> = rule
        .api_groups
        .iter()
        .map(|group| match group.as_str() {
            "" => "core",
            "*" => "every group",
            group => group,
        })
        .collect();
    let of = if groups.is_empty() {
        String::new()
    } else {
        format!(" of {}", list(&groups))
    };
    let star = |what: String, all: &str| if what == "*" { all.to_owned() } else { what };
    format!(
        "{} on {}{of}",
        star(list(&rule.verbs), "every verb"),
        star(list(&on), "everything")
    )
}

fn of_role(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    key: &str,
    roles: &[&RbacRole],
    bound: &BTreeSet<(&str, Option<&str>, &str)>,
) -> Option<FindingBuilder> {
    let role = roles.iter().max_by_key(|role| role.tier)?;
    let scope = role.namespace.as_ref().map_or_else(
        || "in the whole cluster".to_owned(),
        |namespace| format!("in namespace {namespace}"),
    );
    let mut rating = Rating::of(meta);
    rating.cite(&role.evidence);
    match role.tier {
        5 => rating.at_least(
            Severity::High,
            Grade::B,
            "it allows everything in the cluster",
        ),
        4 => {}
        _ => rating.at_most(
            Severity::Low,
            Grade::B,
            "what the wildcard covers neither escalates nor reads secrets",
        ),
    }
    if !bound.contains(&(
        role.repository.as_str(),
        role.namespace.as_deref(),
        role.name.as_str(),
    )) {
        rating.lower(Grade::B, "nothing in the scan is bound to it");
    }
    let rules: Vec<String> = role
        .rules
        .iter()
        .filter(|rule| wildcard(rule))
        .map(words)
        .collect();
    let kind = if role.namespace.is_some() {
        "Role"
    } else {
        "ClusterRole"
    };
    Some(
        build(context, meta, rating, None, key)
            .text(
                format!("{kind} {} has a wildcard", role.name),
                format!(
                    "{kind} {} allows {} {scope}: also what does not exist there yet.",
                    role.name,
                    list(&rules)
                ),
            )
            .locations(places(roles.iter().map(|role| &role.location))),
    )
}

/// The widest subject of a binding, where it is not one account.
fn everybody(binding: &RbacBinding) -> Option<&str> {
    binding
        .people
        .iter()
        .find(|subject| EVERYBODY.contains(&subject.as_str()))
        .or_else(|| {
            binding
                .subjects
                .iter()
                .find(|subject| subject.starts_with("system:serviceaccounts"))
        })
        .map(String::as_str)
}

fn of_binding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    key: &str,
    bindings: &[&RbacBinding],
) -> Option<FindingBuilder> {
    let binding = bindings.iter().max_by_key(|binding| binding.tier)?;
    let subjects: Vec<&str> = binding
        .subjects
        .iter()
        .chain(&binding.people)
        .map(String::as_str)
        .collect();
    let holder = match binding.subjects.as_slice() {
        [one] => context
            .inventory
            .identities
            .get(&Identity::id_of("kubernetes", one)),
        _ => None,
    };
    let mut rating = Rating::of(meta);
    if binding.role == CLUSTER_ADMIN && binding.namespace.is_none() {
        rating.at_least(Severity::High, Grade::B, "it holds in the whole cluster");
    }
    if let Some(whom) = everybody(binding) {
        let floor = if binding.tier >= 4 {
            Severity::Critical
        } else {
            Severity::High
        };
        rating.at_least(floor, Grade::B, &format!("{whom} holds it"));
    }
    if let Some(holder) = holder {
        let power = power(Some(holder), None);
        rating.note(power.grade, format!("{} is {}", holder.name, power.words));
    }
    let whom = if subjects.is_empty() {
        "nobody yet".to_owned()
    } else {
        list(&subjects)
    };
    let scope = binding.namespace.as_ref().map_or_else(
        || "in the whole cluster".to_owned(),
        |namespace| format!("in namespace {namespace}"),
    );
    let kind = if binding.namespace.is_some() {
        "RoleBinding"
    } else {
        "ClusterRoleBinding"
    };
    Some(
        build(context, meta, rating, holder, key)
            .text(
                format!("{kind} {} gives {}", binding.name, binding.role),
                format!(
                    "{kind} {} gives role {} {scope} to {whom}, at all times.",
                    binding.name, binding.role
                ),
            )
            .locations(places(bindings.iter().map(|binding| &binding.location))),
    )
}

fn places<'a>(locations: impl Iterator<Item = &'a Location>) -> Vec<Location> {
    let distinct: BTreeSet<&Location> = locations.collect();
    distinct.into_iter().cloned().collect()
}

/// Roles and bindings are no identities: what they answer to is said here.
fn build(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    rating: Rating,
    holder: Option<&Identity>,
    key: &str,
) -> FindingBuilder {
    let class = holder.map_or(ConsumerClass::Unknown, |holder| holder.consumer_class);
    context
        .finding(meta, rating, holder, None)
        .frameworks(
            context
                .posture
                .frameworks_for(meta, Some("kubernetes"), class),
        )
        .discriminator(key)
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("k8s-wildcard-rbac"), @r#"
        fires-wildcards-and-admins
          high (high): ClusterRole everything has a wildcard
            ClusterRole everything allows every verb on everything of every group in the whole cluster: also what does not exist there yet.
            at site/k8s/role.yml:2
            B * *: control of every object
            B severity medium → high: it allows everything in the cluster
          low (high): ClusterRole own-kind has a wildcard
            ClusterRole own-kind allows every verb on everything of example.org in the whole cluster: also what does not exist there yet.
            at site/k8s/role.yml:2
            B severity medium → low: what the wildcard covers neither escalates nor reads secrets
          low (high): Role any-verb has a wildcard
            Role any-verb allows every verb on secrets and pods of core in namespace shop: also what does not exist there yet.
            at site/k8s/role.yml:2
            B severity medium → low: nothing in the scan is bound to it
          high (high): ClusterRoleBinding open gives reader
            ClusterRoleBinding open gives role reader in the whole cluster to Group system:unauthenticated, at all times.
            at site/k8s/binding.yml:2
            B severity medium → high: Group system:unauthenticated holds it
          high (high): ClusterRoleBinding tiller gives cluster-admin
            ClusterRoleBinding tiller gives role cluster-admin in the whole cluster to system:serviceaccount:kube-system:tiller, at all times.
            at site/k8s/binding.yml:2
            B severity medium → high: it holds in the whole cluster
            A tiller is an administrator
          medium (high): RoleBinding people gives cluster-admin
            RoleBinding people gives role cluster-admin in namespace shop to User jane, at all times.
            at site/k8s/binding.yml:2
        "#);
    }
}
