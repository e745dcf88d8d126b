//! Facts about AWS: actions and access levels, what actions mean, escalation paths, known accounts, managed policies.

mod actions;
mod events;

pub use actions::{AccessLevel, ActionSet, ActionTable};
pub use events::EventTable;

use super::{RuleError, text};
use std::collections::{BTreeMap, BTreeSet};

/// What an action means beyond its access level; the classes of `rules/aws/sensitive.txt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionClass {
    /// Hands out what a secret store or a key protects.
    SecretStore,
    /// Hands out one service's own credentials.
    CredentialRead,
    /// Returns stored content.
    DataRead,
    /// Changes who may do what, whatever its access level.
    Permissions,
    /// Changes identities, their permissions or the keys of data.
    IdentityControl,
    /// Puts software where others run it.
    Publish,
    /// Writes only a workload's own logs, metrics and heartbeats.
    Telemetry,
    /// Changes nothing, though its access level is Write.
    Computation,
    /// Together with the others of its class: full control of the account.
    Administrator,
}

impl ActionClass {
    const ALL: [(&'static str, Self); 9] = [
        ("secret-store", Self::SecretStore),
        ("credential-read", Self::CredentialRead),
        ("data-read", Self::DataRead),
        ("permissions", Self::Permissions),
        ("identity-control", Self::IdentityControl),
        ("publish", Self::Publish),
        ("telemetry", Self::Telemetry),
        ("computation", Self::Computation),
        ("administrator", Self::Administrator),
    ];
}

/// What must hold besides the actions for an escalation path to be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EscalationKind {
    /// The actions reach the user itself.
    OwnUser,
    /// The actions reach the role itself.
    OwnRole,
    /// The actions reach a group the user is in.
    OwnGroup,
    /// The actions reach a customer policy the principal holds.
    OwnPolicy,
    /// The user has a permission boundary, and the actions reach itself.
    OwnBoundaryUser,
    /// The role has a permission boundary, and the actions reach itself.
    OwnBoundaryRole,
    /// The actions reach a user with more privilege.
    OtherUser,
    /// The actions reach a role with more privilege.
    OtherRole,
    /// The actions reach a group with more privilege.
    OtherGroup,
    /// The actions reach another user.
    AnyUser,
    /// The actions reach another role.
    AnyRole,
    /// The actions reach another role and a customer policy it holds.
    AnyRolePolicy,
    /// A role with more privilege trusts the principal.
    AssumeRole,
    /// The actions reach a role that trusts the principal.
    AssumableRole,
    /// The actions reach a role that trusts the principal and a customer policy it holds.
    AssumableRolePolicy,
    /// The actions reach a role that trusts the principal and has a permission boundary.
    AssumableBoundaryRole,
    /// A role with more privilege trusts one of the services and may be passed to it.
    PassRole,
    /// Something runs with a role that trusts one of the services and has more privilege.
    Workload,
    /// Nothing more.
    Account,
}

impl EscalationKind {
    const ALL: [(&'static str, Self); 19] = [
        ("own-user", Self::OwnUser),
        ("own-role", Self::OwnRole),
        ("own-group", Self::OwnGroup),
        ("own-policy", Self::OwnPolicy),
        ("own-boundary-user", Self::OwnBoundaryUser),
        ("own-boundary-role", Self::OwnBoundaryRole),
        ("other-user", Self::OtherUser),
        ("other-role", Self::OtherRole),
        ("other-group", Self::OtherGroup),
        ("any-user", Self::AnyUser),
        ("any-role", Self::AnyRole),
        ("any-role-policy", Self::AnyRolePolicy),
        ("assume-role", Self::AssumeRole),
        ("assumable-role", Self::AssumableRole),
        ("assumable-role-policy", Self::AssumableRolePolicy),
        ("assumable-boundary-role", Self::AssumableBoundaryRole),
        ("pass-role", Self::PassRole),
        ("workload", Self::Workload),
        ("account", Self::Account),
    ];
}

/// One row of `rules/aws/escalation.tsv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalationRule {
    /// Id; pathfinding.cloud's unless it begins with `x-`.
    pub id: &'static str,
    /// What must hold besides the actions.
    pub kind: EscalationKind,
    /// Actions, all of them needed, as `service:Action`.
    pub actions: Vec<&'static str>,
    /// Index of each action in the action table.
    pub indices: Vec<usize>,
    /// Service principals the role behind the path must trust, any one of them.
    pub services: Vec<&'static str>,
    /// What is done, or what runs with the role.
    pub what: &'static str,
    /// Somebody or something else has to run what was made.
    pub later: bool,
}

/// Who an account belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownAccount {
    /// Name of the vendor or service.
    pub name: &'static str,
    /// AWS runs it itself.
    pub aws: bool,
}

/// What the last-accessed records of IAM can show.
#[derive(Clone, Debug)]
pub struct LastAccessed {
    /// Days they go back.
    pub days: i64,
    /// Days they must cover before no use means anything.
    pub least_days: i64,
    /// Actions they never show.
    pub never: ActionSet,
}

/// Everything this program knows about AWS.
#[derive(Clone, Debug)]
pub struct AwsTables {
    /// Actions.
    pub actions: ActionTable,
    /// Escalation paths, by id.
    pub escalation: Vec<EscalationRule>,
    /// First words of names of actions that read, lower case.
    read_verbs: Vec<String>,
    reading: ActionSet,
    classes: BTreeMap<ActionClass, ActionSet>,
    accounts: BTreeMap<&'static str, KnownAccount>,
    managed: BTreeMap<&'static str, &'static str>,
    resource_control: BTreeSet<&'static str>,
    deputies: BTreeSet<&'static str>,
    /// What the last-accessed records of IAM can show.
    pub last_accessed: LastAccessed,
}

const RESOURCE_CONTROL: &str = "aws/resource-control.txt";
const LAST_ACCESSED: &str = "aws/last-accessed.txt";
const DEPUTIES: &str = "aws/deputies.txt";
const SENSITIVE: &str = "aws/sensitive.txt";
const ESCALATION: &str = "aws/escalation.tsv";
const ACCOUNTS: &str = "aws/accounts.tsv";
const MANAGED: &str = "aws/managed-policies.tsv";

impl AwsTables {
    /// Parses the embedded tables.
    ///
    /// # Errors
    /// When a table is missing or a line does not have its file's shape; the line is named.
    pub fn builtin() -> Result<Self, RuleError> {
        let actions = ActionTable::parse("aws/actions.txt", text("aws/actions.txt")?)?;
        let classes = parse_classes(&actions, text(SENSITIVE)?)?;
        let escalation = parse_escalation(&actions, text(ESCALATION)?)?;
        let mut accounts = BTreeMap::new();
        for (number, fields) in rows(text(ACCOUNTS)?) {
            let [id, name, kind] = fields[..] else {
                return Err(malformed(ACCOUNTS, number));
            };
            accounts.insert(
                id,
                KnownAccount {
                    name,
                    aws: kind == "aws",
                },
            );
        }
        let mut managed = BTreeMap::new();
        for (number, fields) in rows(text(MANAGED)?) {
            let [arn, document] = fields[..] else {
                return Err(malformed(MANAGED, number));
            };
            managed.insert(arn, document);
        }
        let read_verbs: Vec<String> = text(SENSITIVE)?
            .lines()
            .filter_map(|line| line.strip_prefix("verb "))
            .flat_map(|verbs| verbs.split(' '))
            .map(str::to_ascii_lowercase)
            .collect();
        let mut reading = actions.none().clone();
        for (index, name) in actions.names(0..actions.len()) {
            if begins_with(name, &read_verbs) {
                reading.insert(index);
            }
        }
        Ok(Self {
            last_accessed: parse_last_accessed(&actions, text(LAST_ACCESSED)?)?,
            actions,
            escalation,
            read_verbs,
            reading,
            classes,
            accounts,
            managed,
            resource_control: lines(RESOURCE_CONTROL)?,
            deputies: lines(DEPUTIES)?,
        })
    }

    /// Whether a service says on whose behalf it reaches a resource.
    pub fn is_deputy(&self, service: &str) -> bool {
        self.deputies
            .contains(service.to_ascii_lowercase().as_str())
    }

    /// Whether an organization's resource control policies reach the resources of a service.
    pub fn has_resource_control(&self, service: &str) -> bool {
        self.resource_control
            .contains(service.to_ascii_lowercase().as_str())
    }

    /// Actions of one class.
    pub fn class(&self, class: ActionClass) -> &ActionSet {
        // Every class is filled by the parser; the empty set keeps this total.
        self.classes.get(&class).unwrap_or(self.actions.none())
    }

    /// Actions that read by their name.
    pub const fn reading(&self) -> &ActionSet {
        &self.reading
    }

    /// Whether an action reads, going by its name (without the service) alone.
    pub fn reads_by_name(&self, name: &str) -> bool {
        begins_with(&name.to_ascii_lowercase(), &self.read_verbs)
    }

    /// The vendor or AWS service an account belongs to.
    pub fn known_account(&self, account: &str) -> Option<KnownAccount> {
        self.accounts.get(account).copied()
    }

    /// Document (JSON text) of a widely used AWS managed policy.
    pub fn managed_policy(&self, arn: &str) -> Option<&'static str> {
        if let Some(document) = self.managed.get(arn) {
            return Some(document);
        }
        // Same policies, other partition: `arn:aws-cn:iam::aws:policy/…`.
        let (_, rest) = arn.strip_prefix("arn:aws-")?.split_once(':')?;
        self.managed
            .get(format!("arn:aws:{rest}").as_str())
            .copied()
    }
}

fn parse_last_accessed(
    actions: &ActionTable,
    text: &'static str,
) -> Result<LastAccessed, RuleError> {
    let mut known = LastAccessed {
        days: 0,
        least_days: 0,
        never: actions.none().clone(),
    };
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let faulty = || malformed(LAST_ACCESSED, number + 1);
        let (word, rest) = line.split_once(' ').ok_or_else(faulty)?;
        match word {
            "days" => known.days = rest.parse().map_err(|_| faulty())?,
            "least" => known.least_days = rest.parse().map_err(|_| faulty())?,
            "never" => {
                for action in rest.split(' ') {
                    known
                        .never
                        .insert(actions.index_of(action).ok_or_else(faulty)?);
                }
            }
            _ => return Err(faulty()),
        }
    }
    if known.days == 0 || known.least_days == 0 {
        return Err(malformed(LAST_ACCESSED, 1));
    }
    Ok(known)
}

/// Lines of a list that are neither empty nor comments.
fn lines(file: &str) -> Result<BTreeSet<&'static str>, RuleError> {
    Ok(text(file)?
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect())
}

fn begins_with(lower: &str, verbs: &[String]) -> bool {
    verbs.iter().any(|verb| lower.starts_with(verb.as_str()))
}

/// Lines that are neither empty nor comments, with their 1-based number, split at tabs.
fn rows(text: &'static str) -> impl Iterator<Item = (usize, Vec<&'static str>)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| (index + 1, line.split('\t').collect()))
}

fn malformed(file: &str, line: usize) -> RuleError {
    RuleError::invalid(
        file,
        format!("line {line} does not have the file's columns"),
    )
}

fn parse_classes(
    actions: &ActionTable,
    text: &'static str,
) -> Result<BTreeMap<ActionClass, ActionSet>, RuleError> {
    let mut classes: BTreeMap<ActionClass, ActionSet> = ActionClass::ALL
        .iter()
        .map(|(_, class)| (*class, actions.none().clone()))
        .collect();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') || line.starts_with("verb ") {
            continue;
        }
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        let class = ActionClass::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, class)| *class)
            .ok_or_else(|| malformed(SENSITIVE, number + 1))?;
        for word in words {
            // Actions of services AWS has retired may leave the table before they leave this list.
            if let (Some(index), Some(set)) = (actions.index_of(word), classes.get_mut(&class)) {
                set.insert(index);
            }
        }
    }
    Ok(classes)
}

fn parse_escalation(
    actions: &ActionTable,
    text: &'static str,
) -> Result<Vec<EscalationRule>, RuleError> {
    let mut rules = Vec::new();
    for (number, fields) in rows(text) {
        let [id, kind, names, services, what] = fields[..] else {
            return Err(malformed(ESCALATION, number));
        };
        let later = kind.ends_with("-later");
        let kind = kind.trim_end_matches("-later");
        let kind = EscalationKind::ALL
            .iter()
            .find(|(known, _)| *known == kind)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| malformed(ESCALATION, number))?;
        let names: Vec<&'static str> = names.split('+').collect();
        let mut indices = Vec::with_capacity(names.len());
        for name in &names {
            indices.push(actions.index_of(name).ok_or_else(|| {
                RuleError::invalid(
                    ESCALATION,
                    format!("`{id}` names the unknown action {name}"),
                )
            })?);
        }
        rules.push(EscalationRule {
            id,
            kind,
            actions: names,
            indices,
            services: services
                .split(',')
                .filter(|service| *service != "-")
                .collect(),
            what,
            later,
        });
    }
    rules.sort_by_key(|rule| rule.id);
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_parse_and_hold_well_known_facts() {
        let tables = AwsTables::builtin().unwrap();
        assert_eq!(tables.actions.len(), 22_321);
        assert_eq!(
            tables.actions.level_of("s3:PutBucketPolicy"),
            Some(AccessLevel::Permissions)
        );
        assert_eq!(
            tables.actions.level_of("S3:getobject"),
            Some(AccessLevel::Read)
        );
        let secrets = tables.class(ActionClass::SecretStore);
        let index = tables
            .actions
            .index_of("secretsmanager:GetSecretValue")
            .unwrap();
        assert!(secrets.contains(index));
        assert!(tables.escalation.len() > 90);
        let rule = tables
            .escalation
            .iter()
            .find(|rule| rule.id == "lambda-001")
            .unwrap();
        assert_eq!(rule.kind, EscalationKind::PassRole);
        assert_eq!(rule.services, ["lambda.amazonaws.com"]);
        assert_eq!(
            tables.known_account("464622532012").unwrap().name,
            "Datadog"
        );
        assert!(tables.known_account("111122223333").is_none());
    }

    #[test]
    fn every_classified_action_is_known() {
        let tables = AwsTables::builtin().unwrap();
        let unknown: Vec<&str> = text(SENSITIVE)
            .unwrap()
            .lines()
            .filter(|line| !line.starts_with('#') && !line.starts_with("verb "))
            .flat_map(|line| line.split(' ').skip(1))
            .filter(|word| tables.actions.index_of(word).is_none())
            .collect();
        assert_eq!(unknown, Vec::<&str>::new());
    }

    #[test]
    fn managed_policies_are_json_in_every_partition() {
        let tables = AwsTables::builtin().unwrap();
        for document in tables.managed.values() {
            assert!(serde_json::from_str::<serde_json::Value>(document).is_ok());
        }
        assert!(
            tables
                .managed_policy("arn:aws-us-gov:iam::aws:policy/AdministratorAccess")
                .is_some()
        );
        assert!(tables.managed_policy("arn:aws:iam::1:policy/x").is_none());
    }
}
