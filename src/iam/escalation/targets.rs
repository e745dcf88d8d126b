//! What an account holds that might be worth becoming, sorted and indexed.

use crate::iam::arn::ArnPattern;
use crate::iam::policy::{Effect, Policy, PrincipalType, Selection};
use crate::rules::aws::AwsTables;
use std::collections::BTreeMap;

/// One user, role or group that might be worth becoming.
#[derive(Clone, Debug)]
pub struct Target {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// Tier of its own grants; 5 also when it can give itself the rest.
    pub tier: u8,
    /// It is no administrator yet, but can make itself one.
    pub self_made: bool,
    /// AWS's own: nobody else can change, pass or assume it.
    pub reserved: bool,
    /// Customer policies attached to it.
    pub policies: Vec<String>,
    /// It comes with an instance profile.
    pub instance_profile: bool,
    /// Its trust policy (roles).
    pub trust: Policy,
}

/// What an account holds, strongest first.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    pub(super) users: Vec<Target>,
    pub(super) roles: Vec<Target>,
    pub(super) groups: Vec<Target>,
    /// Roles by the services an escalation rule names, any of which they trust; strongest first.
    by_services: BTreeMap<String, Vec<usize>>,
    /// Roles and users by the resource segment of their ARN.
    pub(super) roles_by_name: BTreeMap<String, usize>,
    pub(super) users_by_name: BTreeMap<String, usize>,
    /// Roles by the principal ARN their trust names.
    pub(super) by_principal: BTreeMap<String, Vec<usize>>,
    /// Roles whose trust leaves the choice to an account or to anyone.
    pub(super) delegating: Vec<usize>,
}

impl Targets {
    /// Sorts and indexes targets.
    pub fn new(
        tables: &AwsTables,
        account: &str,
        mut users: Vec<Target>,
        mut roles: Vec<Target>,
        mut groups: Vec<Target>,
    ) -> Self {
        for list in [&mut users, &mut roles, &mut groups] {
            list.sort_by(|a, b| b.tier.cmp(&a.tier).then_with(|| a.arn.cmp(&b.arn)));
        }
        let mut targets = Self {
            users,
            roles,
            groups,
            ..Self::default()
        };
        let by_segment = |list: &[Target]| {
            list.iter()
                .enumerate()
                .filter_map(|(index, target)| Some((segment(&target.arn)?.to_owned(), index)))
                .collect()
        };
        targets.roles_by_name = by_segment(&targets.roles);
        targets.users_by_name = by_segment(&targets.users);
        let mut by_service: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let by_name: BTreeMap<String, String> = targets
            .roles
            .iter()
            .map(|role| (role.name.clone(), role.arn.clone()))
            .collect();
        for (index, role) in targets.roles.iter().enumerate() {
            let mut delegates = false;
            for statement in &role.trust.statements {
                if statement.effect != Effect::Allow {
                    continue;
                }
                delegates |= matches!(statement.principals, Selection::Except(_));
                for principal in statement.principals.values() {
                    match principal.kind {
                        PrincipalType::Service | PrincipalType::Federated => push(
                            &mut by_service,
                            &principal.value.to_ascii_lowercase(),
                            index,
                        ),
                        PrincipalType::Anyone => delegates = true,
                        PrincipalType::Aws if is_root_of(&principal.value, account) => {
                            delegates = true;
                        }
                        PrincipalType::Aws => {
                            let arn = session_role(&principal.value)
                                .and_then(|name| by_name.get(name))
                                .unwrap_or(&principal.value);
                            push(&mut targets.by_principal, arn, index);
                        }
                        PrincipalType::CanonicalUser => {}
                    }
                }
            }
            if delegates {
                targets.delegating.push(index);
            }
        }
        for rule in &tables.escalation {
            targets
                .by_services
                .entry(rule.services.join(","))
                .or_insert_with(|| {
                    let mut indices: Vec<usize> = rule
                        .services
                        .iter()
                        .filter_map(|service| by_service.get(*service))
                        .flatten()
                        .copied()
                        .filter(|index| {
                            targets.roles.get(*index).is_some_and(|role| !role.reserved)
                        })
                        .collect();
                    indices.sort_unstable();
                    indices.dedup();
                    indices
                });
        }
        targets
    }

    /// Roles that trust any of the services, strongest first.
    pub(super) fn trusting(&self, services: &[&str]) -> &[usize] {
        self.by_services
            .get(&services.join(","))
            .map_or(&[], Vec::as_slice)
    }
}

/// Resource segment of an ARN.
fn segment(arn: &str) -> Option<&str> {
    arn.splitn(6, ':').nth(5)
}

/// Indices of targets whose ARN may match one of the patterns, strongest first; `None` when that may be any.
pub(super) fn near(
    by_name: &BTreeMap<String, usize>,
    patterns: &[&ArnPattern],
) -> Option<Vec<usize>> {
    let mut out = Vec::new();
    for pattern in patterns {
        let resource = pattern.resource();
        let fixed = resource.split(['*', '?']).next().unwrap_or_default();
        let (_, name) = fixed.split_once('/')?;
        if name.is_empty() {
            return None;
        }
        out.extend(
            by_name
                .range(fixed.to_owned()..)
                .take_while(|(known, _)| known.starts_with(fixed))
                .map(|(_, index)| *index),
        );
    }
    out.sort_unstable();
    out.dedup();
    Some(out)
}

fn push(map: &mut BTreeMap<String, Vec<usize>>, key: &str, index: usize) {
    let list = map.entry(key.to_owned()).or_default();
    if list.last() != Some(&index) {
        list.push(index);
    }
}

/// Name of the role in the ARN of one of its sessions.
pub(super) fn session_role(arn: &str) -> Option<&str> {
    let (_, rest) = arn.split_once(":assumed-role/")?;
    rest.split('/').next()
}

pub(super) fn is_root_of(value: &str, account: &str) -> bool {
    value == account || value.ends_with(&format!("::{account}:root"))
}

/// Targets by their indices, or all of them.
pub(super) fn strongest(
    list: &[Target],
    near: Option<Vec<usize>>,
) -> Box<dyn Iterator<Item = &Target> + '_> {
    match near {
        Some(indices) => Box::new(indices.into_iter().filter_map(|index| list.get(index))),
        None => Box::new(list.iter()),
    }
}
