//! Service accounts and their stored tokens.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::super::tokens;
use super::{Resource, STORE};
use crate::model::{Declarations, Evidence, Grade, Identity, IdentityKind, SecretReference};
use crate::rules::manifests::Kubernetes;

/// Type of a secret that holds a token which never expires.
const TOKEN_TYPE: &str = "kubernetes.io/service-account-token";
/// Annotation of such a secret that names its service account.
const TOKEN_ACCOUNT: &str = "kubernetes.io/service-account.name";

/// What an account says whose pods do not mount its token by default.
pub(in super::super) const ACCOUNT_MOUNTS_NOT: &str = "does not automount its token";

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
    identity.environment = context.tables.environment_of(resource.namespace());
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
    out.identities.push(identity);
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
            if let Some(seen) = tokens::kubernetes_value(context, value, text, encoded, token) {
                stored |= token.is_some();
                out.credentials.push(seen);
            }
        }
    }
    if let Some(account) = account
        && !stored
    {
        out.references.push(SecretReference {
            name: format!(
                "{}/{} (token of {account})",
                resource.namespace(),
                resource.name
            ),
            store: STORE.to_owned(),
            kind: Some(tokens::SERVICE_ACCOUNT_TOKEN.to_owned()),
            provider: Some("kubernetes".to_owned()),
            repository: context.repository.to_owned(),
            consumer: None,
            location: resource.location.clone(),
        });
    }
}
