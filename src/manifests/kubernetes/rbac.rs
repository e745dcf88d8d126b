//! Roles and bindings, and what their rules amount to.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::{Resource, accounts, is_template, skip_template};
use crate::model::{Declarations, Evidence, Grade, RbacBinding, RbacRole, RbacRule};
use crate::rules::manifests::RbacEscalation;
use std::collections::BTreeMap;

/// Most rules of one role, and most words of one list of a rule.
const MAX_ITEMS: usize = 500;

fn words(rule: &Node, key: &str) -> Vec<String> {
    let mut words: Vec<String> = rule
        .get(key)
        .map_or(&[][..], Node::items)
        .iter()
        .take(MAX_ITEMS)
        .map(|item| item.as_str().map_or_else(String::new, clean))
        .collect();
    words.sort();
    words.dedup();
    words
}

fn labels(node: Option<&Node>) -> BTreeMap<String, String> {
    node.into_iter()
        .flat_map(Node::entries)
        .filter_map(|(key, value)| Some((clean(&key.text), clean(value.as_str()?))))
        .collect()
}

/// Keeps a role.
pub(super) fn role(context: &Context<'_>, resource: &Resource<'_>, out: &mut Declarations) {
    let node = resource.node;
    let rules = node.get("rules").map_or(&[][..], Node::items);
    let rules = context.first(rules, MAX_ITEMS, "rules in one role", &mut out.notices);
    let selectors = node.path(&["aggregationRule", "clusterRoleSelectors"]);
    out.roles.push(RbacRole {
        repository: context.repository.to_owned(),
        provider: "kubernetes".to_owned(),
        switched_off: false,
        namespace: (resource.kind == "Role").then(|| resource.namespace().to_owned()),
        name: resource.name.clone(),
        labels: labels(node.path(&["metadata", "labels"])),
        aggregates: selectors
            .map_or(&[][..], Node::items)
            .iter()
            .take(MAX_ITEMS)
            .map(|selector| labels(selector.get("matchLabels")))
            .filter(|labels| !labels.is_empty())
            .collect(),
        rules: rules
            .iter()
            .map(|rule| RbacRule {
                api_groups: words(rule, "apiGroups"),
                resources: words(rule, "resources"),
                verbs: words(rule, "verbs"),
                resource_names: words(rule, "resourceNames"),
                non_resource_urls: words(rule, "nonResourceURLs"),
            })
            .collect(),
        tier: 0,
        evidence: Vec::new(),
        location: resource.location.clone(),
    });
}

/// Keeps a binding, and the service accounts it names.
pub(super) fn binding(context: &Context<'_>, resource: &Resource<'_>, out: &mut Declarations) {
    let node = resource.node;
    let namespaced = resource.kind == "RoleBinding";
    let Some(role) = node.text_at(&["roleRef", "name"]) else {
        return;
    };
    let mut subjects = Vec::new();
    let mut people = Vec::new();
    let templates = |subject: &Node| {
        ["name", "namespace"]
            .iter()
            .any(|key| subject.get(key).is_some_and(is_template))
    };
    for subject in node.get("subjects").map_or(&[][..], Node::items) {
        if templates(subject) {
            skip_template(context, out);
            continue;
        }
        let Some(name) = subject.text_at(&["name"]).map(clean) else {
            continue;
        };
        let native = match subject.text_at(&["kind"]) {
            Some("ServiceAccount") => {
                let namespace = subject
                    .text_at(&["namespace"])
                    .map_or_else(|| resource.namespace().to_owned(), clean);
                accounts::native_id(&namespace, &name)
            }
            // A user or group by the name that service accounts sign in with.
            _ if name.starts_with("system:serviceaccount") => name,
            kind => {
                people.push(format!(
                    "{} {name}",
                    kind.map_or_else(|| "User".to_owned(), clean)
                ));
                continue;
            }
        };
        if let Some((namespace, name)) = native
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| rest.split_once(':'))
        {
            out.identities
                .push(accounts::named(resource, namespace, name));
        }
        subjects.push(native);
    }
    subjects.sort();
    subjects.dedup();
    people.sort();
    people.dedup();
    out.bindings.push(RbacBinding {
        repository: context.repository.to_owned(),
        provider: "kubernetes".to_owned(),
        switched_off: false,
        namespace: namespaced.then(|| resource.namespace().to_owned()),
        name: resource.name.clone(),
        cluster_role: node.text_at(&["roleRef", "kind"]) != Some("Role"),
        role: clean(role),
        subjects,
        people,
        tier: 0,
        location: resource.location.clone(),
    });
}

/// What a set of rules amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Reach {
    /// Privilege tier.
    pub(in super::super) tier: u8,
    /// Allows changing objects.
    pub(in super::super) write: bool,
    /// Allows changing roles or bindings.
    pub(in super::super) permissions_management: bool,
    /// Reads secrets.
    pub(in super::super) secret_read: bool,
    /// Reads other data.
    pub(in super::super) data_read: bool,
    /// Why this tier.
    pub(in super::super) evidence: Vec<Evidence>,
}

/// Verbs that change objects.
const WRITES: [&str; 6] = [
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "*",
];

/// Judges rules. `cluster`: they hold in every namespace; the same rules in one namespace are at most tier 4.
pub(in super::super) fn judge(
    rules: &[RbacRule],
    table: &[RbacEscalation],
    cluster: bool,
) -> Reach {
    let mut reach = Reach::default();
    for rule in rules {
        let has = |list: &[String], word: &str| list.iter().any(|item| item == word);
        if rule.resources.is_empty() || rule.verbs.is_empty() {
            if !rule.non_resource_urls.is_empty() {
                reach.tier = reach.tier.max(1);
            }
            continue;
        }
        let writes = rule
            .verbs
            .iter()
            .any(|verb| WRITES.contains(&verb.as_str()));
        let reads = rule
            .verbs
            .iter()
            .any(|verb| matches!(verb.as_str(), "get" | "list" | "watch" | "*"));
        let core = has(&rule.api_groups, "") || has(&rule.api_groups, "*");
        reach.write |= writes;
        reach.secret_read |=
            reads && core && (has(&rule.resources, "secrets") || has(&rule.resources, "*"));
        let data = ["configmaps", "pods/log", "*"]
            .iter()
            .any(|resource| has(&rule.resources, resource));
        reach.data_read |= reads && data;
        let plain = if writes {
            3
        } else if reads && data {
            2
        } else {
            1
        };
        reach.tier = reach.tier.max(plain);
        for row in table {
            let group = match row.group.as_str() {
                "*" => core,
                group => has(&rule.api_groups, group) || has(&rule.api_groups, "*"),
            };
            let resource = has(&rule.resources, "*") || has(&rule.resources, &row.resource);
            let verb = row
                .verbs
                .iter()
                .find(|verb| has(&rule.verbs, verb) || (*verb != "*" && has(&rule.verbs, "*")));
            let (true, true, Some(verb)) = (group, resource, verb) else {
                continue;
            };
            // Everything on the core group alone is not everything.
            if row.tier == 5 && !has(&rule.api_groups, "*") {
                continue;
            }
            reach.permissions_management |=
                row.group == "rbac.authorization.k8s.io" || row.tier == 5;
            let named = !rule.resource_names.is_empty();
            let tier = match (named, cluster) {
                (true, _) => row.tier.min(3),
                (false, false) => row.tier.min(4),
                (false, true) => row.tier,
            };
            reach.tier = reach.tier.max(tier);
            let text = if named {
                format!("{verb} {} of named objects only", row.resource)
            } else if cluster {
                format!("{verb} {}: {}", row.resource, row.leads_to)
            } else {
                format!(
                    "{verb} {}: {}, in one namespace",
                    row.resource, row.leads_to
                )
            };
            reach.evidence.push(Evidence::new(Grade::B, text));
        }
    }
    reach.evidence.sort();
    reach.evidence.dedup();
    // A wildcard says it all; what it contains is noise beside it.
    if reach.tier == 5 {
        reach
            .evidence
            .retain(|evidence| evidence.text.starts_with("* *"));
    }
    reach.evidence.truncate(12);
    reach
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::manifests::ManifestTables;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> RbacRule {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        RbacRule {
            api_groups: own(groups),
            resources: own(resources),
            verbs: own(verbs),
            ..RbacRule::default()
        }
    }

    #[test]
    fn tiers_follow_what_rules_lead_to() {
        let table = &ManifestTables::builtin().unwrap().escalation;
        let tier = |rule: RbacRule, cluster| judge(&[rule], table, cluster).tier;
        assert_eq!(tier(rule(&["*"], &["*"], &["*"]), true), 5);
        assert_eq!(tier(rule(&["*"], &["*"], &["*"]), false), 4);
        assert_eq!(tier(rule(&["apps"], &["*"], &["*"]), true), 4);
        assert_eq!(tier(rule(&[""], &["secrets"], &["list"]), true), 4);
        assert_eq!(tier(rule(&[""], &["pods"], &["get"]), true), 1);
        assert_eq!(tier(rule(&[""], &["configmaps"], &["get"]), true), 2);
        assert_eq!(tier(rule(&[""], &["configmaps"], &["patch"]), true), 3);
        assert_eq!(
            tier(rule(&["metrics.k8s.io"], &["pods"], &["create"]), true),
            3
        );
        let mut named = rule(&[""], &["secrets"], &["get"]);
        named.resource_names = vec!["own".to_owned()];
        assert_eq!(tier(named, true), 3);
        assert_eq!(tier(RbacRule::default(), true), 0);
    }

    static TABLE: LazyLock<&[RbacEscalation]> =
        LazyLock::new(|| &ManifestTables::builtin().unwrap().escalation);

    proptest! {
        #[test]
        fn more_rules_never_give_less(
            words in prop::collection::vec(prop::sample::select(vec!["*", "", "pods", "secrets", "get", "create", "apps"]), 6)
        ) {
            let one = rule(&words[..1], &words[1..2], &words[2..3]);
            let two = rule(&words[3..4], &words[4..5], &words[5..]);
            let alone = judge(std::slice::from_ref(&one), &TABLE, true).tier;
            prop_assert!(judge(&[one, two], &TABLE, true).tier >= alone);
        }
    }
}
