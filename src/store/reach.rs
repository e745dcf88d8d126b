//! What identities reach, as plain lines that can be compared between runs: a role that gains a policy is a change even
//! where no score moves.

use crate::model::{Drift, Identity, IdentityId, Report};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most lines kept of one identity.
const MOST_LINES: usize = 2_000;
/// Most lines told of one identity on each side.
const MOST_TOLD: usize = 20;

/// What one identity reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Its name.
    pub name: String,
    /// Everything it reaches, a line each.
    pub lines: BTreeSet<String>,
}

/// What the identities of a run reach, by id.
pub type ReachMap = BTreeMap<IdentityId, Reach>;

/// What every identity of a report reaches; those that reach nothing included, so that a first grant is seen.
pub fn of(report: &Report) -> ReachMap {
    let grants: BTreeMap<_, _> = report.grants.iter().map(|one| (&one.id, one)).collect();
    let machines = report.identities.iter().filter(|one| !one.human);
    machines
        .map(|identity| {
            let mut lines = own(identity);
            for grant in identity.grants.iter().filter_map(|id| grants.get(id)) {
                let through = format!("{} {}", grant.source.as_str(), grant.name);
                lines.extend(
                    grant
                        .actions
                        .iter()
                        .map(|action| format!("{action} through {through}")),
                );
                lines.extend(
                    grant
                        .resources
                        .iter()
                        .map(|resource| format!("on {resource} through {through}")),
                );
                if grant.actions.is_empty() && grant.resources.is_empty() {
                    lines.insert(format!("through {through}"));
                }
            }
            let lines = lines.into_iter().take(MOST_LINES).collect();
            let name = identity.name.clone();
            (identity.id.clone(), Reach { name, lines })
        })
        .collect()
}

fn own(identity: &Identity) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let privilege = &identity.privilege;
    for tier in 1..=privilege.tier {
        lines.insert(format!("privilege tier {tier}"));
    }
    let facts = [
        (privilege.admin, "administration"),
        (privilege.write, "writes"),
        (privilege.permissions_management, "changes permissions"),
        (privilege.secret_read, "reads secrets"),
        (privilege.data_read, "reads stored data"),
        (
            privilege.cross_account,
            "may become roles of other accounts",
        ),
    ];
    lines.extend(
        facts
            .into_iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, words)| words.to_owned()),
    );
    let all = privilege.full_services.iter();
    lines.extend(all.map(|service| format!("everything of {service}")));
    let ways = privilege.escalation.iter();
    lines.extend(ways.map(|way| format!("escalation {}", way.id)));
    let trust = identity.trust.iter();
    lines.extend(trust.map(|path| format!("can be assumed by {}", path.principal)));
    // Of agents whatever is told, under the names it has in reports, so that nothing that is added there is missed.
    if let Some(agent) = &identity.agent
        && let Ok(value) = serde_json::to_value(agent)
    {
        told("agent", &value, &mut lines);
    }
    lines
}

/// Every text and every number of a value, with the keys that lead to it.
fn told(way: &str, value: &serde_json::Value, lines: &mut BTreeSet<String>) {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(false) => {}
        Value::Bool(true) => {
            lines.insert(way.to_owned());
        }
        Value::Number(number) => {
            lines.insert(format!("{way}: {number}"));
        }
        Value::String(text) => {
            lines.insert(format!("{way}: {text}"));
        }
        Value::Array(list) => list.iter().for_each(|one| told(way, one, lines)),
        Value::Object(map) => {
            for (key, value) in map {
                told(&format!("{way} {}", key.replace('_', " ")), value, lines);
            }
        }
    }
}

/// How the reach of identities that both runs know differs.
pub fn drift(before: &ReachMap, after: &ReachMap) -> Vec<Drift> {
    let changed = after.iter().filter_map(|(id, now)| {
        let then = before.get(id)?;
        let gained: Vec<_> = now.lines.difference(&then.lines).cloned().collect();
        let lost: Vec<_> = then.lines.difference(&now.lines).cloned().collect();
        let total = u32::try_from(gained.len() + lost.len()).unwrap_or(u32::MAX);
        (total > 0).then(|| Drift {
            identity: id.clone(),
            name: now.name.clone(),
            gained: gained.into_iter().take(MOST_TOLD).collect(),
            lost: lost.into_iter().take(MOST_TOLD).collect(),
            total,
        })
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AgentReach, Grade, IdentityKind};

    #[test]
    fn an_agent_that_gains_a_server_has_drifted() {
        let agent = |servers: &[&str]| {
            let mut agent = Identity::named("agent", IdentityKind::Agent, "desk", "desk", Grade::B);
            agent.agent = Some(AgentReach {
                servers: servers.iter().map(ToString::to_string).collect(),
                ..AgentReach::default()
            });
            let lines = own(&agent);
            let name = agent.name.clone();
            ReachMap::from([(agent.id, Reach { name, lines })])
        };
        let found = drift(&agent(&["files"]), &agent(&["files", "shell"]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].gained, ["agent servers: shell"]);
        assert!(found[0].lost.is_empty());
        assert_eq!(drift(&agent(&["a"]), &agent(&["a"])), []);
        assert_eq!(
            drift(&ReachMap::new(), &agent(&["a"])),
            [],
            "new is no drift"
        );
    }
}
