//! Service accounts and their stored tokens.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::{Key, Node};
use super::super::tokens;
use super::{Resource, STORE, is_template};
use crate::model::{
    DEFINED, Declarations, Evidence, FilledSecret, Grade, Identity, IdentityKind, SecretReference,
};
use crate::rules::manifests::{Kubernetes, SecretName, SecretNames};

/// Type of a secret that holds a token which never expires.
const TOKEN_TYPE: &str = "kubernetes.io/service-account-token";
/// Annotation of such a secret that names its service account.
const TOKEN_ACCOUNT: &str = "kubernetes.io/service-account.name";

/// What an account says whose pods do not mount its token by default.
pub(in super::super) const ACCOUNT_MOUNTS_NOT: &str = "does not automount its token";

/// Most entries of one object that brings secrets.
const MAX_ENTRIES: usize = 1_000;

/// What Kubernetes calls a service account.
pub(super) fn native_id(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

/// A service account that a resource only names.
pub(super) fn named(resource: &Resource<'_>, namespace: &str, name: &str) -> Identity {
    let mut identity = Identity::named(
        "kubernetes",
        IdentityKind::KubernetesServiceAccount,
        name,
        &native_id(namespace, name),
        Grade::C,
    );
    identity.locations = vec![resource.location.clone()];
    identity
}

/// Reads a service account.
pub(super) fn service_account(
    context: &Context<'_>,
    resource: &Resource<'_>,
    out: &mut Declarations,
) {
    let mut identity = named(resource, resource.namespace(), &resource.name);
    identity.grade = Grade::B;
    identity.environment = context.tables.environments.of(resource.namespace());
    for group in ["labels", "annotations"] {
        let entries = resource.node.path(&["metadata", group]);
        for (key, value) in entries.into_iter().flat_map(Node::entries) {
            if let Some(value) = value.as_str()
                && context.tables.kubernetes.is_tag(&key.text)
            {
                identity.tags.insert(clean(&key.text), clean(value));
            }
        }
    }
    for (mechanism, native_id) in federations_of(&context.tables.kubernetes, &identity) {
        identity.notes.push(Evidence::new(
            Grade::B,
            format!("becomes {native_id} by {mechanism}"),
        ));
    }
    let mounts = resource
        .node
        .get("automountServiceAccountToken")
        .and_then(Node::as_bool);
    identity.notes.push(match mounts {
        Some(false) => Evidence::new(Grade::B, ACCOUNT_MOUNTS_NOT),
        Some(true) => Evidence::new(Grade::B, "automounts its token"),
        None => Evidence::new(Grade::D, "automounts its token (default)"),
    });
    for list in ["imagePullSecrets", "secrets"] {
        for secret in resource.node.get(list).map_or(&[][..], Node::items) {
            if let Some(node) = secret.get("name")
                && let Some(name) = node.as_str()
                && !is_template(node)
            {
                out.references.push(SecretReference {
                    name: clean(name),
                    store: STORE.to_owned(),
                    kind: None,
                    provider: None,
                    repository: context.repository.to_owned(),
                    consumer: None,
                    location: context.location(node.line, node.column),
                });
            }
        }
    }
    out.identities.push(identity);
}

/// A service account that becomes a role, as an object of the cluster or of its configuration says.
fn becomes(
    context: &Context<'_>,
    namespace: &str,
    name: &str,
    role: &Node,
    by: &str,
    out: &mut Declarations,
) {
    let Some(arn) = role.as_str().filter(|_| !is_template(role)) else {
        return;
    };
    let (namespace, name, arn) = (clean(namespace), clean(name), clean(arn));
    let mut identity = Identity::named(
        "kubernetes",
        IdentityKind::KubernetesServiceAccount,
        &name,
        &native_id(&namespace, &name),
        Grade::C,
    );
    identity.locations = vec![context.location(role.line, role.column)];
    identity.environment = context.tables.environments.of(&namespace);
    identity
        .notes
        .push(Evidence::new(Grade::B, format!("becomes {arn} by {by}")));
    identity.tags.insert(POD_IDENTITY.to_owned(), arn);
    out.identities.push(identity);
}

/// Under which an association with a role is kept among the tags of an account.
const POD_IDENTITY: &str = "eks.services.k8s.aws/pod-identity-role-arn";

/// Reads an association of EKS Pod Identity.
pub(super) fn association(context: &Context<'_>, resource: &Resource<'_>, out: &mut Declarations) {
    let node = resource.node;
    let name = node.text_at(&["spec", "serviceAccount"]);
    let namespace = node.text_at(&["spec", "namespace"]);
    let role = node.path(&["spec", "roleARN"]);
    if let (Some(name), Some(namespace), Some(role)) = (name, namespace, role) {
        becomes(context, namespace, name, role, "EKS Pod Identity", out);
    }
}

/// Reads what the configuration of a cluster says of the roles of service accounts.
pub(super) fn cluster(context: &Context<'_>, resource: &Resource<'_>, out: &mut Declarations) {
    let list = |key: &str| {
        resource
            .node
            .path(&["iam", key])
            .map_or(&[][..], Node::items)
    };
    for item in list("podIdentityAssociations") {
        if let (Some(name), Some(namespace), Some(role)) = (
            item.text_at(&["serviceAccountName"]),
            item.text_at(&["namespace"]),
            item.get("roleARN"),
        ) {
            becomes(context, namespace, name, role, "EKS Pod Identity", out);
        }
    }
    for item in list("serviceAccounts") {
        let Some(name) = item.text_at(&["metadata", "name"]) else {
            continue;
        };
        let namespace = item
            .text_at(&["metadata", "namespace"])
            .unwrap_or("default");
        if let Some(role) = item.get("attachRoleARN") {
            becomes(context, namespace, name, role, "IRSA", out);
            continue;
        }
        // The tool makes account and role; what it is called is not known before.
        let mut identity = named(resource, &clean(namespace), &clean(name));
        identity.grade = Grade::B;
        identity.locations = vec![context.location(item.line, item.column)];
        let policies: Vec<String> = item
            .get("attachPolicyARNs")
            .into_iter()
            .flat_map(Node::texts)
            .take(10)
            .map(clean)
            .collect();
        identity.notes.push(Evidence::new(
            Grade::B,
            format!(
                "is given a role of its own by IRSA{}",
                if policies.is_empty() {
                    String::new()
                } else {
                    format!(" with {}", policies.join(", "))
                }
            ),
        ));
        out.identities.push(identity);
    }
}

/// Reads what is brought from a store outside the cluster: its names there.
pub(super) fn external_secret(
    context: &Context<'_>,
    resource: &Resource<'_>,
    out: &mut Declarations,
) {
    let node = resource.node;
    let spec = node
        .path(&["spec", "externalSecretSpec"])
        .or_else(|| node.get("spec"));
    let Some(spec) = spec else {
        return;
    };
    let store = spec.text_at(&["secretStoreRef", "name"]).map_or_else(
        || "external-secrets".to_owned(),
        |name| format!("external-secrets:{}", clean(name)),
    );
    let secret = spec
        .text_at(&["target", "name"])
        .map_or_else(|| resource.name.clone(), clean);
    let cluster = resource.kind == "ClusterExternalSecret";
    let filled = |key: Option<&str>, source: &str, by_entry: bool| FilledSecret {
        repository: context.repository.to_owned(),
        store: STORE.to_owned(),
        secret: secret.clone(),
        namespace: resource.namespace.clone().filter(|_| !cluster),
        key: key.map(clean),
        source: (store.clone(), source.to_owned()),
        by_entry,
        endless: false,
    };
    let table = &context.tables.names;
    // Name, type and issuer, entry it becomes, and where.
    let mut named: Vec<(String, Option<&SecretName>, Option<&str>, &Node)> = Vec::new();
    let single = spec.get("data").map_or(&[][..], Node::items);
    for item in single.iter().take(MAX_ENTRIES) {
        let Some(remote) = item.get("remoteRef") else {
            continue;
        };
        let (Some(key), target) = (remote.get("key"), item.text_at(&["secretKey"])) else {
            continue;
        };
        let Some(name) = key.as_str().filter(|_| !is_template(key)) else {
            continue;
        };
        let name = clean(
            &remote
                .text_at(&["property"])
                .map_or_else(|| name.to_owned(), |property| format!("{name}/{property}")),
        );
        let rule = table
            .lookup(&name)
            .or_else(|| target.and_then(|target| table.lookup(target)));
        named.push((name, rule, target, key));
    }
    // Two halves of a key are one credential: the one that is its secret part is left out beside the other.
    let half_of = |name: &str, target: Option<&str>| {
        named.iter().find(|(known, _, entry, _)| {
            known != name
                && (table
                    .other_halves(name)
                    .iter()
                    .any(|half| SecretNames::same(known, half))
                    || entry.zip(target).is_some_and(|(entry, target)| {
                        table
                            .other_halves(target)
                            .iter()
                            .any(|half| SecretNames::same(entry, half))
                    }))
        })
    };
    for (name, rule, target, key) in &named {
        if let Some((whole, ..)) = half_of(name, *target) {
            out.filled.push(filled(*target, whole, false));
            continue;
        }
        out.filled.push(filled(*target, name, false));
        out.references
            .push(brought(context, &store, name, *rule, key));
    }
    let whole = spec.get("dataFrom").map_or(&[][..], Node::items);
    for item in whole.iter().take(MAX_ENTRIES) {
        let remote = item.get("extract").unwrap_or(item);
        let Some(key) = remote.get("key") else {
            continue;
        };
        let Some(name) = key.as_str().filter(|_| !is_template(key)).map(clean) else {
            continue;
        };
        let single = remote.text_at(&["property"]).is_some();
        out.filled.push(filled(None, &name, !single));
        out.references
            .push(brought(context, &store, &name, table.lookup(&name), key));
    }
}

/// What is brought from a store outside the cluster, by its name there.
fn brought(
    context: &Context<'_>,
    store: &str,
    name: &str,
    rule: Option<&SecretName>,
    key: &Node,
) -> SecretReference {
    SecretReference {
        name: name.to_owned(),
        store: store.to_owned(),
        kind: rule.map(|rule| rule.kind.clone()),
        provider: rule.map(|rule| rule.provider.clone()),
        repository: context.repository.to_owned(),
        consumer: None,
        location: context.location(key.line, key.column),
    }
}

/// Cloud identities a service account becomes by its annotations: mechanism and native id.
pub(in super::super) fn federations_of(
    table: &Kubernetes,
    identity: &Identity,
) -> Vec<(String, String)> {
    table
        .federation
        .iter()
        .filter_map(|form| {
            let native_id = identity.tags.get(&form.annotation)?;
            Some((form.name.clone(), native_id.clone()))
        })
        .collect()
}

/// Most lines of one value.
const MAX_LINES: u32 = 60;

/// Says where the value of a name stands.
fn defines(context: &Context<'_>, secret: &str, key: &Key, value: &Node, out: &mut Declarations) {
    let (last, _) = context.text.position(value.span.1);
    for line in value.line..=last.min(value.line.saturating_add(MAX_LINES)) {
        out.references.push(SecretReference {
            name: format!("{secret}/{}", clean(&key.text)),
            store: format!("{DEFINED}{STORE}"),
            kind: None,
            provider: None,
            repository: context.repository.to_owned(),
            consumer: None,
            location: context.location(line, value.column),
        });
    }
}

/// Reads a secret: the token of a service account, or values whose form names their type.
pub(super) fn secret(context: &Context<'_>, resource: &Resource<'_>, out: &mut Declarations) {
    let account = (resource.node.text_at(&["type"]) == Some(TOKEN_TYPE))
        .then(|| {
            resource
                .node
                .text_at(&["metadata", "annotations", TOKEN_ACCOUNT])
        })
        .flatten()
        .map(clean);
    let subject = account
        .as_ref()
        .map(|account| native_id(resource.namespace(), account));
    if let Some(account) = &account {
        let mut identity = named(resource, resource.namespace(), account);
        identity.notes.push(Evidence::new(
            Grade::B,
            format!("has a token without expiry in Secret {}", resource.name),
        ));
        out.identities.push(identity);
    }
    let mut stored = false;
    for (group, encoded) in [("data", true), ("stringData", false)] {
        let entries = resource.node.get(group);
        for (key, value) in entries.into_iter().flat_map(Node::entries) {
            let Some(text) = value.as_str() else {
                continue;
            };
            let token = subject.as_deref().filter(|_| key.text == "token");
            defines(context, &resource.name, key, value, out);
            if let Some(seen) = tokens::kubernetes_value(context, value, text, encoded, token) {
                stored |= token.is_some();
                out.credentials.push(seen);
            }
        }
    }
    if let Some(account) = account
        && !stored
    {
        let name = format!(
            "{}/{} (token of {account})",
            resource.namespace(),
            resource.name
        );
        out.filled.push(FilledSecret {
            repository: context.repository.to_owned(),
            store: STORE.to_owned(),
            secret: resource.name.clone(),
            namespace: resource.namespace.clone(),
            key: None,
            source: (STORE.to_owned(), name.clone()),
            by_entry: false,
            endless: true,
        });
        out.references.push(SecretReference {
            name,
            store: STORE.to_owned(),
            kind: Some(tokens::SERVICE_ACCOUNT_TOKEN.to_owned()),
            provider: Some("kubernetes".to_owned()),
            repository: context.repository.to_owned(),
            consumer: None,
            location: resource.location.clone(),
        });
    }
}
