//! Service accounts and the roles whose trust lets them in.

use super::Graph;
use crate::model::{
    ConsumerId, Evidence, Federation, Grade, IdentityId, IdentityKind, PrincipalKind,
};
use crate::rules::config::Pattern;
use std::collections::BTreeMap;

/// How the subjects of service accounts begin.
const PREFIX: &str = "system:serviceaccount:";

/// Joins workloads to the roles that trust their service account, by the subject a trust policy names. An account that says
/// it becomes a role which does not let it in is told so.
pub(super) fn join(graph: &mut Graph<'_>) {
    let accounts: Vec<(IdentityId, String)> = graph
        .inventory
        .identities
        .values()
        .filter(|identity| identity.kind == IdentityKind::KubernetesServiceAccount)
        .map(|identity| (identity.id.clone(), identity.native_id.clone()))
        .collect();
    if accounts.is_empty() {
        return;
    }
    // Account to the roles that let it in, each with the subject that does.
    let mut lets_in: BTreeMap<IdentityId, Vec<(String, String)>> = BTreeMap::new();
    let mut trusting: BTreeMap<String, IdentityId> = BTreeMap::new();
    for role in graph.inventory.identities.values() {
        if role.kind != IdentityKind::IamRole || role.trust.is_empty() {
            continue;
        }
        trusting.insert(role.native_id.clone(), role.id.clone());
        let subjects = role
            .trust
            .iter()
            .filter(|path| path.principal_kind == PrincipalKind::Oidc)
            .flat_map(|path| &path.subjects)
            .filter(|subject| subject.starts_with(PREFIX) || subject.starts_with('*'));
        for subject in subjects {
            let Ok(pattern) = Pattern::new(subject) else {
                continue;
            };
            for (id, native_id) in &accounts {
                if pattern.matches(native_id) {
                    lets_in
                        .entry(id.clone())
                        .or_default()
                        .push((role.native_id.clone(), subject.clone()));
                }
            }
        }
    }
    let mut uses: Vec<(ConsumerId, String, String)> = Vec::new();
    for consumer in graph.inventory.consumers.values() {
        let roles = consumer.identity.as_ref().and_then(|id| lets_in.get(id));
        for (role, subject) in roles.into_iter().flatten() {
            uses.push((consumer.id.clone(), role.clone(), subject.clone()));
        }
    }
    for (consumer, role, subject) in uses {
        if let Some(consumer) = graph.inventory.consumers.get_mut(&consumer) {
            consumer.federation = Federation::Configured;
            consumer.evidence.push(Evidence::new(
                Grade::A,
                format!(
                    "the trust policy of {role} lets its service account in (subject {subject})"
                ),
            ));
            consumer.uses.native_ids.push(role);
        }
    }
    for (id, _) in accounts {
        let roles = lets_in.get(&id).cloned().unwrap_or_default();
        let Some(account) = graph.inventory.identities.get_mut(&id) else {
            continue;
        };
        for (role, subject) in &roles {
            account.notes.push(Evidence::new(
                Grade::A,
                format!("{role} lets it in by its trust policy (subject {subject})"),
            ));
        }
        let claimed: Vec<String> = account
            .tags
            .get("eks.amazonaws.com/role-arn")
            .into_iter()
            .filter(|arn| trusting.contains_key(*arn))
            .filter(|arn| !roles.iter().any(|(role, _)| role == *arn))
            .cloned()
            .collect();
        for arn in claimed {
            account.notes.push(Evidence::new(
                Grade::A,
                format!("the trust policy of {arn} names no subject that is this account"),
            ));
        }
    }
}
