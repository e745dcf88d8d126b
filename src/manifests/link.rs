//! Joins what the files of one repository say about each other: the same identity in several files, bindings and the roles
//! they point at, workloads and the annotations of the account they run as.

use super::kubernetes::rbac::{Reach, judge};
use super::kubernetes::{ACCOUNT_MOUNTS_NOT, POD_MOUNTS, federations_of};
use crate::model::consumer::MOUNTS_TOKEN;
use crate::model::{
    ConsumerClass, Declarations, Environment, Evidence, Federation, Grade, Grant, GrantId,
    GrantSource, Identity, IdentityId, Location, RbacBinding, RbacRole, RbacRule,
};
use crate::rules::manifests::ManifestTables;
use std::collections::{BTreeMap, BTreeSet};

/// Most actions and resources a grant lists.
const MAX_ACTIONS: usize = 50;
const MAX_RESOURCES: usize = 20;

/// Where an identity is: index of its file, index in it.
type Place = (usize, usize);
/// Repository and identity.
type Holder = (String, IdentityId);

/// Links the declarations of all files of a scan; each repository for itself.
///
/// Afterwards an identity is in one file of its repository only, with everything the others said of it; bindings have
/// become grants with their tier; workloads know the cloud identities of their account.
pub(super) fn link(tables: &ManifestTables, files: &mut [Declarations]) {
    let places = unite(files);
    grant(tables, files, &places);
    federate(tables, files, &places);
    mount(files, &places);
}

fn repository(identity: &Identity) -> String {
    identity
        .locations
        .first()
        .and_then(|location| location.repository.clone())
        .unwrap_or_default()
}

/// Keeps each identity once a repository, in the file with the best evidence.
fn unite(files: &mut [Declarations]) -> BTreeMap<Holder, Place> {
    let mut united: BTreeMap<Holder, (usize, Identity)> = BTreeMap::new();
    for (file, declarations) in files.iter_mut().enumerate() {
        for identity in std::mem::take(&mut declarations.identities) {
            let holder = (repository(&identity), identity.id.clone());
            match united.get_mut(&holder) {
                None => {
                    united.insert(holder, (file, identity));
                }
                Some((home, known)) => {
                    if identity.grade < known.grade {
                        let weaker = std::mem::replace(known, identity);
                        *home = file;
                        absorb(known, weaker);
                    } else {
                        absorb(known, identity);
                    }
                }
            }
        }
    }
    let mut places = BTreeMap::new();
    for (holder, (file, identity)) in united {
        if let Some(declarations) = files.get_mut(file) {
            places.insert(holder, (file, declarations.identities.len()));
            declarations.identities.push(identity);
        }
    }
    places
}

/// Adds what another file says of the same identity.
fn absorb(known: &mut Identity, other: Identity) {
    // A file that declares the identity says where it is; files that only name it do not.
    if other.grade == known.grade {
        known.locations.extend(other.locations);
        known.locations.sort();
        known.locations.dedup();
    }
    known.consumers.extend(other.consumers);
    known.consumers.sort();
    known.consumers.dedup();
    known.grants.extend(other.grants);
    known.grants.sort();
    known.grants.dedup();
    known.notes.extend(other.notes);
    known.notes.sort();
    known.notes.dedup();
    for (key, value) in other.tags {
        known.tags.entry(key).or_insert(value);
    }
    known.environment = match (known.environment, other.environment) {
        (Environment::Unknown, told) | (told, Environment::Unknown) => told,
        (left, right) => left.max(right),
    };
    known.purpose = known.purpose.take().or(other.purpose);
    known.consumer_class = least_bounded(known.consumer_class, other.consumer_class);
}

/// The class whose work has the less certain end.
const fn least_bounded(left: ConsumerClass, right: ConsumerClass) -> ConsumerClass {
    if matches!(left, ConsumerClass::Unknown)
        || (right.continuous() && !left.continuous())
        || (left.bounded() && !right.bounded() && !matches!(right, ConsumerClass::Unknown))
    {
        right
    } else {
        left
    }
}

/// Roles of one repository, by namespace (`None`: cluster) and name.
type Roles<'r> = BTreeMap<(Option<&'r str>, &'r str), Vec<&'r RbacRole>>;
/// What one repository declares: its roles, and its bindings with their file.
type Declared<'r> = (Roles<'r>, Vec<(usize, &'r RbacBinding)>);

/// Turns bindings into grants of the accounts they name.
fn grant(tables: &ManifestTables, files: &mut [Declarations], places: &BTreeMap<Holder, Place>) {
    let mut by_repository: BTreeMap<&str, Declared<'_>> = BTreeMap::new();
    for (file, declarations) in files.iter().enumerate() {
        for role in declarations.roles.iter().filter(|role| role.of_cluster()) {
            let (roles, _) = by_repository.entry(&role.repository).or_default();
            roles
                .entry((role.namespace.as_deref(), &role.name))
                .or_default()
                .push(role);
        }
        for binding in declarations.bindings.iter().filter(|one| one.of_cluster()) {
            let (_, bindings) = by_repository.entry(&binding.repository).or_default();
            bindings.push((file, binding));
        }
    }
    let mut made: Vec<(usize, Place, Grant, Reach)> = Vec::new();
    let mut tiers: BTreeMap<(Option<String>, String, Location), u8> = BTreeMap::new();
    for (repository, (roles, bindings)) in &by_repository {
        for (file, binding) in bindings {
            let (rules, known) = resolve(roles, binding);
            let reach = reach(tables, binding, &rules, known);
            tiers.insert(key_of(binding), reach.tier);
            for (id, place) in subjects(files, places, repository, binding) {
                made.push((
                    *file,
                    place,
                    as_grant(binding, &rules, &reach, &id),
                    reach.clone(),
                ));
            }
        }
    }
    let mut wide: BTreeMap<Location, Vec<RbacRule>> = BTreeMap::new();
    for (roles, _) in by_repository.values() {
        for role in roles.values().flatten() {
            if !role.aggregates.is_empty() {
                wide.insert(role.location.clone(), with_aggregated(roles, &[role]));
            }
        }
    }
    for declarations in files.iter_mut() {
        for binding in declarations
            .bindings
            .iter_mut()
            .filter(|binding| binding.of_cluster())
        {
            binding.tier = tiers.get(&key_of(binding)).copied().unwrap_or_default();
        }
        for role in declarations
            .roles
            .iter_mut()
            .filter(|role| role.provider == "kubernetes")
        {
            let rules = wide.get(&role.location).unwrap_or(&role.rules);
            let reach = judge(rules, &tables.escalation, role.namespace.is_none());
            role.tier = reach.tier;
            role.evidence = reach.evidence;
        }
    }
    for (file, (home, index), grant, reach) in made {
        if let Some(identity) = files
            .get_mut(home)
            .and_then(|declarations| declarations.identities.get_mut(index))
        {
            if !identity.grants.contains(&grant.id) {
                identity.grants.push(grant.id.clone());
                identity.grants.sort();
            }
            let privilege = &mut identity.privilege;
            if reach.tier > privilege.tier {
                privilege.tier = reach.tier;
                privilege.evidence.clone_from(&grant.evidence);
            }
            privilege.admin |= reach.tier == 5;
            privilege.write |= reach.write;
            privilege.permissions_management |= reach.permissions_management;
            privilege.secret_read |= reach.secret_read;
            privilege.data_read |= reach.data_read;
        }
        if let Some(declarations) = files.get_mut(file)
            && !declarations.grants.iter().any(|known| known.id == grant.id)
        {
            declarations.grants.push(grant);
        }
    }
}

/// What tells a binding apart from every other of a scan.
fn key_of(binding: &RbacBinding) -> (Option<String>, String, Location) {
    (
        binding.namespace.clone(),
        binding.name.clone(),
        binding.location.clone(),
    )
}

/// Rules a binding gives, and whether its role is declared in the repository.
fn resolve(roles: &Roles<'_>, binding: &RbacBinding) -> (Vec<RbacRule>, bool) {
    let namespace = if binding.cluster_role {
        None
    } else {
        binding.namespace.as_deref()
    };
    let Some(all) = roles.get(&(namespace, binding.role.as_str())) else {
        return (Vec::new(), false);
    };
    // Variants of one installation repeat their roles: the one beside the binding is meant.
    let beside = |role: &&&RbacRole| role.location.uri == binding.location.uri;
    let mut declared: Vec<&RbacRole> = all.iter().filter(beside).copied().collect();
    if declared.is_empty() {
        declared.clone_from(all);
    }
    (with_aggregated(roles, &declared), true)
}

/// Rules of roles and of those that they take together by their labels.
fn with_aggregated(roles: &Roles<'_>, declared: &[&RbacRole]) -> Vec<RbacRule> {
    let mut rules: BTreeSet<&RbacRule> = declared.iter().flat_map(|role| &role.rules).collect();
    let selectors: Vec<_> = declared.iter().flat_map(|role| &role.aggregates).collect();
    if !selectors.is_empty() {
        let matching = roles
            .iter()
            .filter(|((namespace, _), _)| namespace.is_none())
            .flat_map(|(_, roles)| roles)
            .filter(|role| {
                selectors.iter().any(|selector| {
                    selector
                        .iter()
                        .all(|(key, value)| role.labels.get(key) == Some(value))
                })
            });
        rules.extend(matching.flat_map(|role| &role.rules));
    }
    rules.into_iter().cloned().collect()
}

/// What a binding gives.
fn reach(tables: &ManifestTables, binding: &RbacBinding, rules: &[RbacRule], known: bool) -> Reach {
    let cluster = binding.namespace.is_none();
    if known {
        return judge(rules, &tables.escalation, cluster);
    }
    let builtin = binding
        .cluster_role
        .then(|| tables.kubernetes.builtin_tier(&binding.role))
        .flatten();
    let Some(tier) = builtin else {
        return Reach {
            evidence: vec![Evidence::new(
                Grade::C,
                format!(
                    "role {} is not declared in this repository: what it allows is unknown",
                    binding.role
                ),
            )],
            ..Reach::default()
        };
    };
    Reach {
        tier: if cluster { tier } else { tier.min(4) },
        write: tier >= 3,
        permissions_management: tier >= 5 || binding.role == "admin",
        secret_read: tier >= 4,
        data_read: true,
        evidence: vec![Evidence::new(
            Grade::B,
            format!("{} is a role of every cluster", binding.role),
        )],
    }
}

/// Accounts a binding names, group subjects expanded over the accounts the repository knows.
fn subjects(
    files: &[Declarations],
    places: &BTreeMap<Holder, Place>,
    repository: &str,
    binding: &RbacBinding,
) -> Vec<(IdentityId, Place)> {
    let mut out: BTreeMap<IdentityId, Place> = BTreeMap::new();
    for subject in &binding.subjects {
        if let Some(rest) = subject.strip_prefix("system:serviceaccounts") {
            let prefix = match rest.strip_prefix(':') {
                Some(namespace) => format!("system:serviceaccount:{namespace}:"),
                None => "system:serviceaccount:".to_owned(),
            };
            for ((owner, id), (file, index)) in places {
                let native = files
                    .get(*file)
                    .and_then(|declarations| declarations.identities.get(*index))
                    .map(|identity| identity.native_id.as_str());
                if owner == repository && native.is_some_and(|native| native.starts_with(&prefix)) {
                    out.insert(id.clone(), (*file, *index));
                }
            }
        } else {
            let holder = (
                repository.to_owned(),
                Identity::id_of("kubernetes", subject),
            );
            if let Some(place) = places.get(&holder) {
                out.insert(holder.1, *place);
            }
        }
    }
    out.into_iter().collect()
}

fn as_grant(
    binding: &RbacBinding,
    rules: &[RbacRule],
    reach: &Reach,
    holder: &IdentityId,
) -> Grant {
    let mut actions: BTreeSet<String> = BTreeSet::new();
    for rule in rules {
        let targets = rule.resources.iter().chain(&rule.non_resource_urls);
        for target in targets {
            for verb in &rule.verbs {
                actions.insert(format!("{verb} {target}"));
            }
        }
    }
    let total = u32::try_from(actions.len()).unwrap_or(u32::MAX);
    let role = if binding.cluster_role {
        "ClusterRole"
    } else {
        "Role"
    };
    let (by, scope) = match &binding.namespace {
        None => (format!("ClusterRoleBinding/{}", binding.name), "*"),
        Some(namespace) => (
            format!("{namespace}/RoleBinding/{}", binding.name),
            namespace.as_str(),
        ),
    };
    let native_id = format!("{by} → {role}/{}", binding.role);
    let mut resources: BTreeSet<String> = rules
        .iter()
        .flat_map(|rule| &rule.resource_names)
        .map(|name| format!("{scope}/{name}"))
        .collect();
    if resources.is_empty() || rules.iter().any(|rule| rule.resource_names.is_empty()) {
        resources.insert(scope.to_owned());
    }
    Grant {
        id: GrantId::of(&[
            holder.as_str(),
            &binding.repository,
            &binding.location.uri,
            &native_id,
        ]),
        identity: holder.clone(),
        source: GrantSource::Binding,
        name: binding.role.clone(),
        native_id,
        actions: actions.into_iter().take(MAX_ACTIONS).collect(),
        actions_total: total,
        resources: resources.into_iter().take(MAX_RESOURCES).collect(),
        conditions: Vec::new(),
        tier: reach.tier,
        evidence: reach.evidence.clone(),
        location: Some(binding.location.clone()),
    }
}

/// Pods that say nothing do not mount the token of an account that says no.
fn mount(files: &mut [Declarations], places: &BTreeMap<Holder, Place>) {
    let unmounted: BTreeSet<&Holder> = places
        .iter()
        .filter(|(_, (file, index))| {
            files
                .get(*file)
                .and_then(|declarations| declarations.identities.get(*index))
                .is_some_and(|identity| {
                    let mut notes = identity.notes.iter();
                    notes.any(|note| note.text == ACCOUNT_MOUNTS_NOT)
                })
        })
        .map(|(holder, _)| holder)
        .collect();
    for consumer in files
        .iter_mut()
        .flat_map(|declarations| &mut declarations.consumers)
    {
        let (Some(repository), Some(id)) = (&consumer.repository, &consumer.identity) else {
            continue;
        };
        let insists = consumer
            .evidence
            .iter()
            .any(|evidence| evidence.text == POD_MOUNTS);
        if !insists && unmounted.contains(&(repository.clone(), id.clone())) {
            consumer.risks.retain(|risk| risk != MOUNTS_TOKEN);
        }
    }
}

/// Tells workloads which cloud identities their account becomes.
fn federate(tables: &ManifestTables, files: &mut [Declarations], places: &BTreeMap<Holder, Place>) {
    let mut by_account = BTreeMap::new();
    for (holder, (file, index)) in places {
        let Some(identity) = files
            .get(*file)
            .and_then(|declarations| declarations.identities.get(*index))
        else {
            continue;
        };
        let federations = federations_of(&tables.kubernetes, identity);
        if !federations.is_empty() {
            by_account.insert(holder.clone(), federations);
        }
    }
    for consumer in files
        .iter_mut()
        .flat_map(|declarations| &mut declarations.consumers)
    {
        let (Some(repository), Some(id)) = (&consumer.repository, &consumer.identity) else {
            continue;
        };
        let Some(federations) = by_account.get(&(repository.clone(), id.clone())) else {
            continue;
        };
        for (mechanism, native_id) in federations {
            consumer.federation = Federation::Configured;
            if !consumer.uses.native_ids.contains(native_id) {
                consumer.uses.native_ids.push(native_id.clone());
                consumer.evidence.push(Evidence::new(
                    Grade::B,
                    format!("its service account becomes {native_id} by {mechanism}"),
                ));
            }
        }
    }
}
