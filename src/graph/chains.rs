//! Roles that are taken with another role's session: AWS ends those after an hour, whatever their maximum says.

use super::Graph;
use crate::model::{Evidence, Grade, Identity, IdentityId, IdentityKind, PrincipalKind};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Most roles of a chain that are named.
const SHOWN: usize = 6;

/// Notes what chaining does to each role that only roles may become, and through how many roles it is reached.
pub(super) fn note(graph: &mut Graph<'_>) {
    let chains = chains(&graph.inventory.identities);
    for identity in graph.inventory.identities.values_mut() {
        if identity.kind != IdentityKind::IamRole || !identity.only_by_chaining() {
            continue;
        }
        let said = identity
            .max_session_seconds
            .filter(|longest| *longest > 3_600)
            .map(|longest| format!(", though its maximum is {longest} s"))
            .unwrap_or_default();
        identity.notes.push(Evidence::new(
            identity.grade,
            format!("only roles may become it: by role chaining a session ends within 1 h{said}"),
        ));
        if let Some(chain) = chains.get(&identity.id).filter(|chain| chain.len() > 2) {
            let more = chain.len().saturating_sub(SHOWN);
            let names: Vec<&str> = chain.iter().take(SHOWN).map(String::as_str).collect();
            let more = if more == 0 {
                String::new()
            } else {
                format!(" and {more} more")
            };
            identity.notes.push(Evidence::new(
                Grade::A,
                format!(
                    "reached through a chain of {} roles: {}{more}",
                    chain.len(),
                    names.join(" → ")
                ),
            ));
        }
    }
}

/// The shortest chain of roles to each role that is taken by roles, from one that somebody else may become.
fn chains(identities: &BTreeMap<IdentityId, Identity>) -> BTreeMap<IdentityId, Vec<String>> {
    let mut taken_by: BTreeMap<IdentityId, BTreeSet<IdentityId>> = BTreeMap::new();
    let mut queue = VecDeque::new();
    let mut chains: BTreeMap<IdentityId, Vec<String>> = BTreeMap::new();
    for identity in identities.values() {
        if identity.kind != IdentityKind::IamRole {
            continue;
        }
        if !identity.only_by_chaining() && !identity.trust.is_empty() {
            chains.insert(identity.id.clone(), vec![identity.name.clone()]);
            queue.push_back(identity.id.clone());
        }
        for path in &identity.trust {
            if path.principal_kind == PrincipalKind::Principal && path.principal.contains(":role/")
            {
                taken_by
                    .entry(Identity::id_of("aws", &path.principal))
                    .or_default()
                    .insert(identity.id.clone());
            }
        }
    }
    while let Some(id) = queue.pop_front() {
        let Some(so_far) = chains.get(&id).cloned() else {
            continue;
        };
        for next in taken_by.get(&id).into_iter().flatten() {
            if let Some(identity) = identities.get(next)
                && !chains.contains_key(next)
            {
                let mut chain = so_far.clone();
                chain.push(identity.name.clone());
                chains.insert(next.clone(), chain);
                queue.push_back(next.clone());
            }
        }
    }
    chains
}
