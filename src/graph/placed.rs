//! Names of secrets in stores into which code puts a credential that it issues: the name and the credential are one.

use super::{Graph, named, stored};
use crate::model::{CredentialId, Evidence, Grade, PlacedSecret};

/// Joins every such name to the credential.
pub(super) fn join(graph: &mut Graph<'_>, placed: &[PlacedSecret]) {
    for one in placed {
        let Some(value) = credential(graph, one) else {
            continue;
        };
        let names: Vec<CredentialId> = graph
            .named
            .iter()
            .filter(|(_, name)| {
                name.store == one.store
                    && name.called.eq_ignore_ascii_case(&one.name)
                    && one
                        .target
                        .as_ref()
                        .is_none_or(|target| last(target) == last(&name.repository))
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in names {
            let text = format!(
                "code puts it into the store as {} at {}",
                one.name,
                one.location.display()
            );
            named::merge(graph, &id, &value, Evidence::new(Grade::B, text));
        }
    }
}

/// The credential that code issues, or the one that the account has of its holder.
fn credential(graph: &Graph<'_>, placed: &PlacedSecret) -> Option<CredentialId> {
    if graph.inventory.credentials.contains_key(&placed.credential) {
        return Some(placed.credential.clone());
    }
    let holder = graph.native.get(placed.holder.as_ref()?)?;
    stored::active_key(graph, holder)
}

fn last(repository: &str) -> String {
    let name = repository.trim_end_matches('/').trim_end_matches(".git");
    name.rsplit('/').next().unwrap_or(name).to_lowercase()
}
