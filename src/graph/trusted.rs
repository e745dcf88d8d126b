//! Consumers nobody declares: what a role's trust lets in tells what uses it.

use super::Graph;
use crate::model::{
    Consumer, ConsumerClass, ConsumerId, Evidence, Federation, Grade, Identity, IdentityKind,
    PrincipalKind, TrustPath, Uses,
};
use std::collections::BTreeSet;

/// Adds a consumer for every way into a role that no declared consumer of the same runtime explains.
pub(super) fn add(graph: &mut Graph<'_>) {
    let mut made = Vec::new();
    for identity in graph.inventory.identities.values() {
        if identity.kind != IdentityKind::IamRole {
            continue;
        }
        let declared: BTreeSet<&str> = graph
            .inventory
            .consumers_of(&identity.consumers)
            .map(|consumer| consumer.runtime.as_str())
            .collect();
        let accounts: BTreeSet<&str> = graph
            .inventory
            .consumers_of(&identity.consumers)
            .filter_map(|consumer| graph.inventory.identities.get(consumer.identity.as_ref()?))
            .filter(|account| account.kind == IdentityKind::KubernetesServiceAccount)
            .map(|account| account.native_id.as_str())
            .collect();
        for path in &identity.trust {
            // The declared workload that runs as this very service account is the one that comes in here.
            let explained = !path.subjects.is_empty()
                && path
                    .subjects
                    .iter()
                    .all(|subject| accounts.contains(subject.as_str()));
            if explained {
                continue;
            }
            if let Some(consumer) = behind(graph, identity, path)
                .filter(|consumer| !declared.contains(consumer.runtime.as_str()))
            {
                made.push((identity.id.clone(), consumer));
            }
        }
    }
    for (identity, consumer) in made {
        if let Some(identity) = graph.inventory.identities.get_mut(&identity) {
            identity.consumers.push(consumer.id.clone());
        }
        graph
            .inventory
            .consumers
            .entry(consumer.id.clone())
            .or_insert(consumer);
    }
}

/// What comes in by one way; `None` for people and roles of the own account, which the inventory has as identities.
fn behind(graph: &Graph<'_>, role: &Identity, path: &TrustPath) -> Option<Consumer> {
    let (class, runtime, name, federation) = match path.principal_kind {
        PrincipalKind::Service => {
            let known = graph.rules.service(&path.principal);
            let short = path
                .principal
                .split_once(".amazonaws.com")
                .map_or(path.principal.as_str(), |(short, _)| short);
            (
                known.map_or(ConsumerClass::Unknown, |known| known.class),
                known.map_or(short, |known| known.runtime.as_str()),
                format!("{short} with role {}", role.name),
                Federation::Configured,
            )
        }
        PrincipalKind::Oidc => {
            let issuer = path.issuer.as_deref().unwrap_or(&path.principal);
            let known = graph.rules.issuer(issuer);
            let whom = path
                .subjects
                .first()
                .map_or_else(|| "anyone it vouches for".to_owned(), Clone::clone);
            (
                known.map_or(ConsumerClass::Unknown, |known| known.class),
                known.map_or("oidc", |known| known.runtime.as_str()),
                format!("{whom} by {issuer}"),
                Federation::Configured,
            )
        }
        PrincipalKind::Saml => (
            ConsumerClass::Human,
            "saml",
            format!("people by {}", path.principal),
            Federation::Configured,
        ),
        PrincipalKind::Account | PrincipalKind::Principal if path.external => (
            ConsumerClass::Vendor,
            "external",
            path.vendor.as_ref().map_or_else(
                || {
                    format!(
                        "account {}",
                        path.account.as_deref().unwrap_or(&path.principal)
                    )
                },
                Clone::clone,
            ),
            Federation::Unknown,
        ),
        PrincipalKind::Account
        | PrincipalKind::Principal
        | PrincipalKind::Anyone
        | PrincipalKind::Dangling => return None,
    };
    let subjects = path.subjects.join(" ");
    Some(Consumer {
        id: ConsumerId::of(&["trust", &role.native_id, &path.principal, &subjects]),
        name,
        class,
        runtime: runtime.to_owned(),
        repository: None,
        identity: None,
        schedule: None,
        timeout_seconds: None,
        evidence: vec![Evidence::new(
            role.grade,
            match class {
                ConsumerClass::Unknown => format!(
                    "the trust policy lets {} in, which can host any kind of work",
                    path.principal
                ),
                _ => format!("the trust policy lets {} in", path.principal),
            },
        )],
        federation,
        uses: Uses {
            identities: vec![role.id.clone()],
            ..Uses::default()
        },
        risks: Vec::new(),
        location: role.locations.iter().min().cloned(),
        environment: None,
    })
    .filter(|_| role.grade <= Grade::B)
}
