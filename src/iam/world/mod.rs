//! Every account of a scan together: may this caller do this, and who can.

mod asker;
mod find;
mod reply;
#[cfg(test)]
mod tests;

pub use asker::Asker;
pub use find::{NotFound, nearest};
pub use reply::{Reason, Reply};

use super::account::{Control, Holdings, Subject, controls, hash};
use super::block::{self, Block};
use super::caller::{Caller, CallerKind};
use super::compile::CompiledPolicy;
use super::context::Context;
use super::layers::{Given, Labelled, Level};
use super::policy::{Effect, Policy, PrincipalName, PrincipalType, Selection};
use super::request::Request;
use super::services;
use crate::model::aws::{AwsAccount, AwsMembership, AwsResource, AwsRole, AwsUser};
use crate::rules::aws::AwsTables;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is asked of a caller.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// `service:Action`.
    pub action: &'q str,
    /// ARN or pattern; `*` for whatever there is.
    pub resource: &'q str,
    /// Account of the resource, where its ARN does not tell it.
    pub account: Option<&'q str>,
    /// What is known of the request besides what the caller tells.
    pub context: &'q Context,
    /// Policies that are not in the snapshot.
    pub given: &'q GivenPolicies,
}

/// Policies that come with a question.
#[derive(Clone, Debug, Default)]
pub struct GivenPolicies {
    /// Session policies.
    pub session: Vec<CompiledPolicy>,
    /// Policies of the endpoint the request goes through.
    pub endpoint: Vec<CompiledPolicy>,
    /// The resource's policy, in place of the snapshot's; `Some(None)`: it has none.
    pub resource: Option<Option<CompiledPolicy>>,
    /// Grants to the ARN of a session are not limited by its session policies.
    pub session_grants_unlimited: bool,
}

/// A resource and its policy made ready.
struct Resource<'a> {
    account: &'a str,
    policy: Option<Arc<CompiledPolicy>>,
}

/// One account.
struct Place<'a> {
    account: &'a AwsAccount,
    holdings: Holdings<'a>,
    users: BTreeMap<&'a str, &'a AwsUser>,
    roles: BTreeMap<&'a str, &'a AwsRole>,
    resource_control: Control,
    /// Trust policies made ready, by the role's name.
    trusts: BTreeMap<&'a str, Arc<CompiledPolicy>>,
}

/// Every account of a scan.
pub struct World<'a> {
    tables: &'a AwsTables,
    places: BTreeMap<&'a str, Place<'a>>,
    resources: BTreeMap<&'a str, Resource<'a>>,
}

/// A resource's policy, what is given beside it and what a block of public access takes from both.
fn resource_policy(
    account: &AwsAccount,
    resource: &AwsResource,
    given: &[&Value],
    tables: &AwsTables,
) -> Arc<CompiledPolicy> {
    let block = Block::of(account, &resource.arn);
    let own = own_policy(&resource.policy, tables);
    let denial = (block.restrict && block::is_public(&own))
        .then(|| block::denial(owner(&resource.arn).unwrap_or(&account.account_id)));
    let beside: Vec<&Value> = given
        .iter()
        .copied()
        .filter(|statement| !(block.ignore_acls && block::is_for_everybody(statement)))
        .chain(&denial)
        .collect();
    if beside.is_empty() {
        own
    } else {
        own_policy(&with_grants(&resource.policy, &beside), tables)
    }
}

/// A resource's policy and what is said beside it, as one.
fn with_grants(policy: &Value, given: &[&Value]) -> Value {
    let mut policy = policy.clone();
    if let Some(object) = policy.as_object_mut() {
        let mut statements = match object.remove("Statement") {
            Some(Value::Array(statements)) => statements,
            other => other.into_iter().collect(),
        };
        statements.extend(given.iter().copied().cloned());
        object.insert("Statement".to_owned(), Value::Array(statements));
    }
    policy
}

impl<'a> World<'a> {
    /// Makes accounts ready. Of two exports of one account the later counts, then the fuller.
    pub fn new(accounts: &'a [AwsAccount], tables: &'a AwsTables) -> Self {
        let mut chosen: BTreeMap<&str, &AwsAccount> = BTreeMap::new();
        for account in accounts {
            let size = |account: &AwsAccount| {
                (
                    account.collected_at,
                    account.users.len() + account.roles.len(),
                )
            };
            let known = chosen.entry(&account.account_id).or_insert(account);
            if size(account) > size(known) {
                *known = account;
            }
        }
        let mut world = Self {
            tables,
            places: BTreeMap::new(),
            resources: BTreeMap::new(),
        };
        for (id, account) in chosen {
            let mut given: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
            for grant in &account.resource_grants {
                given.entry(&grant.arn).or_default().push(&grant.statement);
            }
            for resource in &account.resources {
                let given = given
                    .get(resource.arn.as_str())
                    .map_or(&[][..], Vec::as_slice);
                let policy = (!resource.policy.is_null())
                    .then(|| resource_policy(account, resource, given, tables));
                world.resources.insert(
                    &resource.arn,
                    Resource {
                        account: owner(&resource.arn).unwrap_or(id),
                        policy,
                    },
                );
            }
            world.places.insert(id, Place::new(account, tables));
        }
        world
    }

    /// The accounts, by id.
    pub fn accounts(&self) -> impl Iterator<Item = &'a AwsAccount> + '_ {
        self.places.values().map(|place| place.account)
    }

    /// The tables it decides by.
    pub(in crate::iam) const fn tables(&self) -> &'a AwsTables {
        self.tables
    }

    /// Policies of one account made ready.
    pub(in crate::iam) fn holdings(&self, account: &str) -> Option<&Holdings<'a>> {
        self.places.get(account).map(|place| &place.holdings)
    }

    /// ARN of a role by its name.
    pub(in crate::iam) fn role_arn(&self, account: &str, name: &str) -> Option<String> {
        let role = self.places.get(account)?.roles.get(name)?;
        Some(role.arn.clone())
    }

    /// Answers one question about one caller.
    pub fn ask(&self, caller: &Caller, question: &Question<'_>) -> Reply {
        self.asker(caller.clone()).ask(question)
    }

    /// Callers outside the scan that the policy of the resource asked for names.
    pub fn outsiders(&self, question: &Question<'_>) -> Vec<Caller> {
        let role = self.role_of(question.resource);
        let trust = role.map(|role| own_policy(&role.trust, self.tables));
        let policy = match (&question.given.resource, &trust) {
            (Some(given), _) => given.as_ref(),
            (None, Some(trust)) => Some(&**trust),
            (None, None) => self
                .find_resource(question.resource)
                .and_then(|found| found.policy.as_deref()),
        };
        let mut out: BTreeMap<String, Caller> = BTreeMap::new();
        for statement in policy.iter().flat_map(|policy| &policy.statements) {
            if statement.effect != Effect::Allow {
                continue;
            }
            let everyone = [PrincipalName {
                kind: PrincipalType::Anyone,
                value: "*".to_owned(),
            }];
            let named = match &statement.principals {
                Selection::Absent => &[],
                Selection::Only(list) => list.as_slice(),
                Selection::Except(_) => everyone.as_slice(),
            };
            for principal in named {
                let value = principal.value.as_str();
                let text = if value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit()) {
                    format!("arn:aws:iam::{value}:root")
                } else {
                    value.to_owned()
                };
                let known = |caller: &Caller| {
                    caller.has_account() && self.places.contains_key(caller.account.as_str())
                };
                if let Some(caller) = Caller::parse(&text).filter(|caller| !known(caller)) {
                    out.insert(text, caller);
                }
            }
        }
        out.into_values().collect()
    }

    /// The role an ARN names.
    fn role_of(&self, arn: &str) -> Option<&'a AwsRole> {
        let place = self.places.get(owner(arn)?)?;
        let name = arn.rsplit('/').next().unwrap_or_default();
        place
            .roles
            .get(name)
            .copied()
            .filter(|role| role.arn == arn)
    }

    /// Every user and role of the scan, and the root user of each account.
    pub fn callers(&self) -> impl Iterator<Item = Caller> + '_ {
        self.places.values().flat_map(|place| {
            let partition = place
                .account
                .users
                .iter()
                .map(|user| &user.arn)
                .chain(place.account.roles.iter().map(|role| &role.arn))
                .find_map(|arn| arn.split(':').nth(1))
                .unwrap_or("aws");
            let root = format!("arn:{partition}:iam::{}:root", place.account.account_id);
            let users = place.account.users.iter().filter_map(|user| {
                let caller = Caller::parse(&user.arn)?;
                Some(Caller {
                    unique_id: user.unique_id.clone(),
                    ..caller
                })
            });
            let roles = place.account.roles.iter().filter_map(|role| {
                let caller = Caller::parse(&role.arn)?;
                Some(Caller {
                    unique_id: role.unique_id.clone(),
                    ..caller
                })
            });
            users.chain(roles).chain(Caller::parse(&root))
        })
    }

    /// What the scan knows of a caller.
    fn subject(&self, caller: &Caller) -> Option<Subject<'_>> {
        let place = self.places.get(caller.account.as_str())?;
        match caller.kind {
            CallerKind::User => place
                .users
                .get(caller.name.as_str())
                .map(|user| place.holdings.user(user)),
            CallerKind::Role | CallerKind::Session => place
                .roles
                .get(caller.name.as_str())
                .map(|role| place.holdings.role(role)),
            _ => None,
        }
    }

    fn account_of<'q>(&'q self, caller: &'q Caller, question: &Question<'q>) -> &'q str {
        question
            .account
            .or_else(|| owner(question.resource))
            .or_else(|| {
                self.find_resource(question.resource)
                    .map(|found| found.account)
            })
            .or_else(|| {
                // Nothing says whose it is: the one account there is, else the caller's.
                let mut ids = self.places.keys();
                match (caller.account.is_empty(), ids.next(), ids.next()) {
                    (true, Some(only), None) => Some(*only),
                    _ => None,
                }
            })
            .unwrap_or(&caller.account)
    }

    /// The trust policy a request to become a role is decided by.
    fn trust(&self, request: &Request<'_>) -> Trust {
        if !services::becomes_role(request.action)
            || !services::needs_own_policy(request.action, &request.target)
        {
            return Trust::Other;
        }
        let super::request::Target::One(arn) = &request.target else {
            return Trust::Unseen("the trust policy of the role".to_owned());
        };
        let Some(place) = self.places.get(request.account) else {
            return Trust::Unseen(format!("the trust policy of {arn}"));
        };
        let name = arn.rsplit('/').next().unwrap_or_default();
        match place.roles.get(name).filter(|role| role.arn == *arn) {
            Some(role) if role.trust.is_null() => {
                Trust::Unseen(format!("the trust policy of {arn}"))
            }
            Some(role) => Trust::Ready(
                place
                    .trusts
                    .get(name)
                    .map_or_else(|| own_policy(&role.trust, self.tables), Arc::clone),
            ),
            None if place.account.parts.authorization_details => {
                Trust::Gone(format!("the account has no role {arn}"))
            }
            None => Trust::Unseen(format!("the trust policy of {arn}")),
        }
    }

    /// The policy of any other resource.
    fn resource<'s>(&'s self, request: &Request<'s>) -> Given<Labelled<'s>> {
        let super::request::Target::One(arn) = &request.target else {
            return if services::needs_own_policy(request.action, &request.target) {
                Given::Unknown("the policy of the key".to_owned())
            } else {
                Given::None
            };
        };
        if let Some(found) = self.find_resource(arn) {
            return found.policy.as_ref().map_or(Given::None, |policy| {
                Given::Known(Labelled::new(format!("policy of {arn}"), policy))
            });
        }
        let service = arn.split(':').nth(2).unwrap_or_default();
        if !services::has_resource_policies(service) {
            return Given::None;
        }
        // Where policies of a service's resources were delivered, one that is not among them has none.
        let delivered = self.places.get(request.account).is_some_and(|place| {
            place
                .account
                .resources
                .iter()
                .any(|resource| resource.arn.split(':').nth(2) == Some(service))
        });
        if delivered {
            Given::None
        } else {
            Given::Unknown(format!("the policy of {arn}"))
        }
    }

    /// A resource by its ARN, or by the ARN of what it lies in: a bucket, a function, a table.
    fn find_resource(&self, arn: &str) -> Option<&Resource<'a>> {
        if let Some(found) = self.resources.get(arn) {
            return Some(found);
        }
        let mut text = arn;
        while let Some((shorter, _)) = text.rsplit_once(['/', ':']) {
            // Type and name are the least that names a resource; a bucket has no type.
            if shorter.matches(':').count() < 5 {
                return None;
            }
            if let Some(found) = self.resources.get(shorter) {
                return Some(found);
            }
            text = shorter;
        }
        None
    }
}

/// What is known of a role's trust policy.
enum Trust {
    /// The question is not about becoming a role.
    Other,
    Ready(Arc<CompiledPolicy>),
    Gone(String),
    Unseen(String),
}

impl<'a> Place<'a> {
    fn new(account: &'a AwsAccount, tables: &'a AwsTables) -> Self {
        Self {
            account,
            holdings: Holdings::new(account, tables),
            users: account
                .users
                .iter()
                .map(|user| (user.name.as_str(), user))
                .collect(),
            roles: account
                .roles
                .iter()
                .map(|role| (role.name.as_str(), role))
                .collect(),
            trusts: trusts(account, tables),
            resource_control: match &account.membership {
                Some(place) if !place.management => {
                    controls(place.resource_control.as_deref(), |document| {
                        own_policy(document, tables)
                    })
                }
                _ => Control::None,
            },
        }
    }
}

/// Trust policies made ready, equal ones once.
fn trusts<'a>(
    account: &'a AwsAccount,
    tables: &AwsTables,
) -> BTreeMap<&'a str, Arc<CompiledPolicy>> {
    let mut ready: BTreeMap<[u8; 32], Arc<CompiledPolicy>> = BTreeMap::new();
    account
        .roles
        .iter()
        .filter(|role| !role.trust.is_null())
        .map(|role| {
            let policy = ready
                .entry(hash(&role.trust))
                .or_insert_with(|| own_policy(&role.trust, tables));
            (role.name.as_str(), Arc::clone(policy))
        })
        .collect()
}

fn own_policy(document: &Value, tables: &AwsTables) -> Arc<CompiledPolicy> {
    Arc::new(CompiledPolicy::of_resource(
        Policy::parse(document),
        &tables.actions,
    ))
}

fn named<'p>(what: &str, policies: &'p [CompiledPolicy]) -> Vec<Labelled<'p>> {
    policies
        .iter()
        .enumerate()
        .map(|(at, policy)| {
            let label = if policies.len() == 1 {
                what.to_owned()
            } else {
                format!("{what} {}", at + 1)
            };
            Labelled::new(label, policy)
        })
        .collect()
}

fn levels(control: &Control) -> Vec<Level<'_>> {
    match control {
        Control::Levels(levels) => levels
            .iter()
            .map(|level| {
                level
                    .iter()
                    .map(|control| Labelled::new(control.label.as_str(), &control.policy))
                    .collect()
            })
            .collect(),
        Control::None | Control::Missing => Vec::new(),
    }
}

/// Account segment of an ARN, where it names an account.
fn owner(arn: &str) -> Option<&str> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

fn organization(context: &mut Context, place: &AwsMembership, whose: &str) {
    if place.organization.is_empty() {
        return;
    }
    context.set(&format!("aws:{whose}OrgID"), place.organization.clone());
    if let Some((_, above)) = place.path.split_last() {
        let mut path = place.organization.clone();
        for id in above {
            path.push('/');
            path.push_str(id);
        }
        path.push('/');
        context.set_all(&format!("aws:{whose}OrgPaths"), vec![path]);
    }
}
