//! What texts and code of a repository say of how a credential is replaced or taken back.

use crate::model::{Credential, Identity, Inventory, Routine, RoutineBy};
use std::collections::BTreeSet;

/// What says it of this credential; what a machine does comes first, and what calls it by its name before what only speaks of
/// its issuer.
pub(super) fn of<'i>(
    inventory: &'i Inventory,
    credential: &Credential,
    identity: Option<&Identity>,
) -> Option<&'i Routine> {
    if inventory.routines.is_empty() {
        return None;
    }
    let about = About::of(inventory, credential, identity);
    let named = |by: RoutineBy| {
        let mut all = inventory.routines.iter().filter(move |one| one.by == by);
        all.find(|one| about.is_named_in(one))
    };
    named(RoutineBy::Machine)
        .or_else(|| named(RoutineBy::Person))
        .or_else(|| {
            let mut all = inventory.routines.iter();
            all.find(|one| one.by == RoutineBy::Person && about.issuer_is_meant_in(one))
        })
}

/// What a credential is called, and where.
struct About<'c> {
    /// Names that are its own, whichever repository calls them.
    own: BTreeSet<&'c str>,
    /// Names that it has in its repositories.
    local: BTreeSet<&'c str>,
    provider: &'c str,
    kind: &'c str,
    repositories: BTreeSet<&'c str>,
}

impl<'c> About<'c> {
    fn of(
        inventory: &'c Inventory,
        credential: &'c Credential,
        identity: Option<&'c Identity>,
    ) -> Self {
        let users = inventory.consumers_of(&credential.consumers);
        let repositories = credential
            .sightings
            .iter()
            .map(|seen| seen.repository.as_str())
            .chain(users.filter_map(|user| user.repository.as_deref()))
            .collect();
        let reference = credential.reference.as_deref();
        let reference = reference.map(|text| text.rsplit(['.', '/']).next().unwrap_or(text));
        // `export PAYMENTS_KEY=…`
        let beside = credential
            .sightings
            .iter()
            .filter_map(|seen| seen.context.as_deref())
            .flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
            .filter(|word| word.len() >= 6 && word.contains('_'))
            .filter(|word| !word.bytes().any(|byte| byte.is_ascii_lowercase()));
        let known = |name: &&str| name.len() >= 4;
        Self {
            own: credential
                .public_id
                .as_deref()
                .into_iter()
                .chain(identity.map(|identity| identity.name.as_str()))
                .filter(known)
                .collect(),
            local: reference.into_iter().chain(beside).filter(known).collect(),
            provider: &credential.provider,
            kind: &credential.kind,
            repositories,
        }
    }

    fn is_named_in(&self, routine: &Routine) -> bool {
        let calls = |names: &BTreeSet<&str>| {
            let has = |name: &String| names.contains(name.as_str());
            routine.names.iter().any(has)
        };
        calls(&self.own)
            || (self.repositories.contains(routine.repository.as_str()) && calls(&self.local))
    }

    /// In its repository a text speaks of its issuer, and calls no other secret by name.
    fn issuer_is_meant_in(&self, routine: &Routine) -> bool {
        let variable = |name: &String| {
            name.contains('_') && !name.bytes().any(|byte| byte.is_ascii_lowercase())
        };
        self.repositories.contains(routine.repository.as_str())
            && routine.providers.iter().any(|one| {
                one.split_once(' ').is_some_and(|(provider, noun)| {
                    provider == self.provider && self.kind.split('-').any(|word| word == noun)
                })
            })
            && !routine.names.iter().any(variable)
    }
}
