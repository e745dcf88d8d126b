//! Declared against deployed where Terraform's state tells what is deployed, whatever the provider.

use super::Graph;
use crate::model::{Declared, Evidence, Grade, Identity, Location};
use std::collections::BTreeSet;

/// What a state and the code beside it know an identity by: its address in the code, and its kind and name.
type Keys = BTreeSet<(String, String)>;

/// Folders of a repository.
type Folders = BTreeSet<(String, String)>;

/// Notes what a state has and the code beside it does not, and the reverse. What an account was compared with is left as it
/// is.
pub(super) fn compare(graph: &mut Graph<'_>) {
    let identities = &graph.inventory.identities;
    let places = identities.values().flat_map(|identity| &identity.locations);
    let states: Folders = places
        .filter(|place| is_state(place))
        .filter_map(folder)
        .collect();
    if states.is_empty() {
        return;
    }
    let (mut deployed, mut coded, mut providers) = (Keys::new(), Keys::new(), Keys::new());
    for identity in identities.values() {
        for place in &identity.locations {
            let Some((repository, _)) = folder(place) else {
                continue;
            };
            if is_state(place) {
                deployed.extend(keys(identity, &repository));
            } else if is_code(place) {
                coded.extend(keys(identity, &repository));
                providers.insert((repository, identity.provider.clone()));
            }
        }
    }
    for identity in graph.inventory.identities.values_mut() {
        if identity.declared.is_some() || identity.grade == Grade::A {
            continue;
        }
        let place = |is: fn(&Location) -> bool| identity.locations.iter().find(|place| is(place));
        let (state, code) = (place(is_state), place(is_code));
        let known = |among: &Keys, place: &Location| {
            folder(place).is_some_and(|(repository, _)| {
                keys(identity, &repository).any(|key| among.contains(&key))
            })
        };
        let told = match (state, code) {
            (Some(_), Some(_)) => Some((Declared::Both, None)),
            (Some(state), None) if known(&coded, state) => Some((Declared::Both, None)),
            (Some(state), None) => folder(state)
                .filter(|(repository, _)| {
                    providers.contains(&(repository.clone(), identity.provider.clone()))
                })
                .map(|_| {
                    let text = format!(
                        "deployed by the state {}, and in none of the scanned code beside it",
                        state.display()
                    );
                    (Declared::AccountOnly, Some(text))
                }),
            (None, Some(code)) if known(&deployed, code) => Some((Declared::Both, None)),
            (None, Some(code)) => folder(code)
                .filter(|(repository, below)| {
                    let mut above = states.iter().filter(|(of, _)| of == repository);
                    above.any(|(_, above)| is_above(above, below))
                })
                .map(|_| {
                    let text = "declared in code; the Terraform state beside it does not have it";
                    (Declared::CodeOnly, Some(text.to_owned()))
                }),
            (None, None) => None,
        };
        if let Some((declared, text)) = told {
            identity.declared = Some(declared);
            identity
                .notes
                .extend(text.map(|text| Evidence::new(Grade::B, text)));
        }
    }
}

fn keys<'i>(
    identity: &'i Identity,
    repository: &'i str,
) -> impl Iterator<Item = (String, String)> + 'i {
    let addresses = identity.notes.iter().filter_map(|note| {
        let (address, _) = note
            .text
            .strip_prefix("declared in code as ")?
            .rsplit_once(" (")?;
        Some(format!("address {address}"))
    });
    let kind = identity.kind.as_str();
    addresses
        .chain(std::iter::once(format!("{kind} {}", identity.name)))
        .map(|key| (repository.to_owned(), key))
}

fn folder(place: &Location) -> Option<(String, String)> {
    let folder = place.uri.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some((place.repository.clone()?, folder.to_owned()))
}

fn is_above(above: &str, below: &str) -> bool {
    above.is_empty()
        || below
            .strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_state(place: &Location) -> bool {
    [".tfstate", ".tfstate.backup", ".tfstate.json"]
        .iter()
        .any(|ending| place.uri.ends_with(ending))
}

fn is_code(place: &Location) -> bool {
    [".tf", ".tf.json", ".tofu"]
        .iter()
        .any(|ending| place.uri.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::super::{JoinInput, join};
    use crate::model::{
        Declarations, Evidence, Grade, Identity, IdentityKind, Location, Moment, Observed,
    };
    use crate::rules::config::Config;

    fn account(name: &str, address: &str, places: &[&str]) -> Identity {
        let kind = IdentityKind::GcpServiceAccount;
        let mut identity = Identity::named("gcp", kind, name, name, Grade::B);
        let text = format!("declared in code as {address} (terraform)");
        identity.notes.push(Evidence::new(Grade::B, text));
        identity.locations = places
            .iter()
            .map(|uri| Location::file("shop", *uri, 2, 1))
            .collect();
        identity
    }

    fn declared(identities: Vec<Identity>) -> String {
        let config = Config::parse("").unwrap();
        let joined = join(JoinInput {
            accounts: &[],
            declarations: vec![Declarations {
                identities,
                ..Declarations::default()
            }],
            seen: Vec::new(),
            observed: Observed::default(),
            config: &config,
            tables: None,
            owner_of: &|_, _| None,
            purpose_of: &|_, _| None,
            now: &Moment::new("2026-11-01T00:00:00Z".parse().unwrap()),
        });
        let mut out: Vec<String> = joined
            .inventory
            .identities
            .values()
            .map(|one| {
                let declared = one.declared.map_or("-", |declared| declared.as_str());
                format!("{} {declared}", one.name)
            })
            .collect();
        out.sort();
        out.join("\n")
    }

    #[test]
    fn a_state_is_compared_with_the_code_below_it() {
        insta::assert_snapshot!(declared(vec![
            account("same", "gsa.same", &["infra/main.tf", "infra/terraform.tfstate"]),
            account("planned", "gsa.planned", &["infra/modules/a/main.tf"]),
            account("elsewhere", "gsa.elsewhere", &["other/main.tf"]),
            account("forgotten", "gsa.gone", &["infra/terraform.tfstate"]),
            account("run-<random_id.x>", "gsa.run", &["infra/main.tf"]),
            account("run-1f", "gsa.run", &["infra/terraform.tfstate"]),
        ]), @"
        elsewhere -
        forgotten account-only
        planned code-only
        run-1f both
        run-<random_id.x> both
        same both
        ");
    }

    #[test]
    fn without_a_state_or_without_code_nothing_is_said() {
        assert_eq!(declared(vec![account("a", "gsa.a", &["main.tf"])]), "a -");
        assert_eq!(declared(vec![account("a", "gsa.a", &["x.tfstate"])]), "a -");
    }
}
