//! Everybody the search walks over: what each holds, who trusts them, and lists of them by what reaches them.

use super::{ASSUME_ROLE, PASS_ROLE, Strength};
use crate::iam::account::Subject;
use crate::iam::arn::ArnPattern;
use crate::iam::caller::{Caller, CallerKind};
use crate::iam::compile::{CompiledPolicy, ResourceItem};
use crate::iam::context::Context;
use crate::iam::decide::Answer;
use crate::iam::expand::{Effective, Held, Holder};
use crate::iam::matcher;
use crate::iam::policy::{Effect, Policy, PrincipalType, Selection};
use crate::iam::power::{self, Masks, Power};
use crate::iam::variables::{self, Resolved};
use crate::iam::world::{Asker, GivenPolicies, Question, World};
use crate::model::aws::{AwsAccount, AwsGroup, AwsPolicyVersion, AwsRole, AwsUser};
use crate::rules::aws::{ActionSet, AwsTables, EscalationKind};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Customer policies of one account tried where a condition says which may be attached.
const MAX_FULL_POLICIES: usize = 16;

/// What a node is.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    User(&'a AwsUser),
    Role(&'a AwsRole),
    Group(&'a AwsGroup),
}

/// A user, a role, or a group as if it were a user.
pub(super) struct Node<'w, 'a> {
    pub kind: Kind<'a>,
    pub arn: &'a str,
    pub name: &'a str,
    pub account: &'a str,
    pub asker: Asker<'w, 'a>,
    /// What it can do as it is.
    pub strength: Strength,
    /// The same in full.
    pub power: Power,
    /// A deny takes part of it away, depending on the resource or on conditions.
    pub partly_denied: bool,
    /// What it could do if it were given everything: its boundary, its organization and its denies stay.
    pub ceiling: Strength,
    /// Rules all of whose actions it holds on something.
    pub rules: Vec<usize>,
    /// AWS's own: nobody else changes, passes or assumes it.
    pub reserved: bool,
    /// The account tells how many access keys its users have.
    pub keys_known: bool,
    /// Its account.
    home: &'a AwsAccount,
    /// Customer policies it holds, with their number of versions.
    pub policies: Vec<(String, u32)>,
    /// Patterns of the roles it may assume and pass, as far as its own policies tell; `None`: of all.
    pub assumes: Option<Vec<ArnPattern>>,
    pub passes: Option<Vec<ArnPattern>>,
    /// ARNs its trust policy names.
    pub names: Vec<String>,
    /// Accounts its trust policy leaves the choice to; `*`: anyone.
    pub delegates: Vec<String>,
    /// Services that may act as it, and what that hangs on.
    pub services: BTreeMap<&'a str, Trusting>,
}

/// How a role trusts a service.
#[derive(Clone)]
pub(super) struct Trusting {
    pub certain: bool,
    pub depends_on: Vec<String>,
}

impl Node<'_, '_> {
    pub(super) fn is_user(&self) -> bool {
        matches!(self.kind, Kind::User(_))
    }

    pub(super) fn is_role(&self) -> bool {
        matches!(self.kind, Kind::Role(_))
    }

    pub(super) fn is_group(&self) -> bool {
        matches!(self.kind, Kind::Group(_))
    }

    /// Resource patterns on which a principal's own policies allow an action; `None`: on everything.
    pub(super) fn patterns(&self, action: usize) -> Option<Vec<ArnPattern>> {
        let Some(subject) = self.asker.subject() else {
            return Some(Vec::new());
        };
        let mut out = Vec::new();
        for policy in subject.sources.iter().filter_map(|s| s.policy.as_deref()) {
            for statement in &policy.statements {
                if statement.effect != Effect::Allow || !statement.actions.contains(action) {
                    continue;
                }
                let Selection::Only(items) = &statement.resources else {
                    return None;
                };
                for item in items {
                    match item {
                        ResourceItem::Pattern(pattern, _) if pattern.is_everything() => {
                            return None;
                        }
                        ResourceItem::Pattern(pattern, _) => out.push(pattern.clone()),
                        ResourceItem::Variable(text) => {
                            match variables::resolve(text, &subject.context) {
                                Resolved::Text(text) | Resolved::Unknown(text) => {
                                    out.extend(ArnPattern::parse(&text));
                                }
                                Resolved::Never => {}
                            }
                        }
                    }
                }
            }
        }
        Some(out)
    }
}

/// Everybody, and what everything is asked with.
pub(super) struct Field<'w, 'a> {
    pub world: &'w World<'a>,
    pub tables: &'a AwsTables,
    pub nodes: Vec<Node<'w, 'a>>,
    pub by_arn: BTreeMap<&'a str, usize>,
    /// Groups of each account that give something, strongest first.
    pub groups: BTreeMap<&'a str, Vec<usize>>,
    /// Roles of each account that have a permission boundary.
    pub bounded: BTreeMap<&'a str, Vec<usize>>,
    pub nothing: GivenPolicies,
    pub no_context: Context,
    masks: &'w Masks,
    /// A policy that allows everything.
    everything: CompiledPolicy,
    /// Managed policies of each account whose holder has full control.
    pub full_policies: BTreeMap<&'a str, Vec<String>>,
}

impl<'w, 'a> Field<'w, 'a> {
    pub(super) fn new(world: &'w World<'a>, masks: &'w Masks) -> Self {
        let tables = world.tables();
        let mut found: Vec<(Kind<'a>, &'a AwsAccount)> = Vec::new();
        for account in world.accounts() {
            found.extend(account.users.iter().map(|user| (Kind::User(user), account)));
            found.extend(account.roles.iter().map(|role| (Kind::Role(role), account)));
            found.extend(
                account
                    .groups
                    .iter()
                    .map(|group| (Kind::Group(group), account)),
            );
        }
        let mut field = Self {
            world,
            tables,
            nodes: Vec::new(),
            by_arn: BTreeMap::new(),
            groups: BTreeMap::new(),
            bounded: BTreeMap::new(),
            nothing: GivenPolicies::default(),
            no_context: Context::default(),
            masks,
            everything: everything(tables),
            full_policies: world
                .accounts()
                .map(|account| (account.account_id.as_str(), full_policies(world, account)))
                .collect(),
        };
        let services: BTreeSet<&'a str> = tables
            .escalation
            .iter()
            .flat_map(|rule| rule.services.iter().copied())
            .collect();
        field.nodes = found
            .par_iter()
            .map(|(kind, account)| field.node(*kind, account, &services))
            .collect();
        field.by_arn = field
            .nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (node.arn, index))
            .collect();
        field.groups = groups(&field.nodes);
        field.bounded = bounded(&field.nodes);
        let named: BTreeSet<&str> = field
            .nodes
            .iter()
            .flat_map(|node| node.names.iter().map(String::as_str))
            .collect();
        // To be let in by name takes no permission of one's own.
        let assume: Vec<usize> = tables
            .escalation
            .iter()
            .enumerate()
            .filter(|(_, rule)| {
                matches!(
                    rule.kind,
                    EscalationKind::AssumeRole
                        | EscalationKind::AssumableRole
                        | EscalationKind::AssumableBoundaryRole
                        | EscalationKind::AssumableRolePolicy
                )
            })
            .map(|(index, _)| index)
            .collect();
        let sts = tables.actions.index_of("sts:AssumeRole");
        let extra: Vec<(usize, Vec<usize>)> = field
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| {
                let subject = node.asker.subject();
                named.contains(node.arn)
                    || node
                        .asker
                        .caller()
                        .unique_id
                        .get(..)
                        .is_some_and(|id| named.contains(id))
                        && subject.is_some()
            })
            .map(|(index, node)| {
                let held = held_actions(node, tables);
                let more = assume.iter().copied().filter(|rule| {
                    tables.escalation[*rule]
                        .indices
                        .iter()
                        .all(|action| Some(*action) == sts || held.contains(*action))
                });
                (index, more.collect())
            })
            .collect();
        for (index, more) in extra {
            if let Some(node) = field.nodes.get_mut(index) {
                node.rules.extend(more);
                node.rules.sort_unstable();
                node.rules.dedup();
            }
        }
        field
    }

    fn node(
        &self,
        kind: Kind<'a>,
        account: &'a AwsAccount,
        services: &BTreeSet<&'a str>,
    ) -> Node<'w, 'a> {
        let id = account.account_id.as_str();
        let holdings = self.world.holdings(id);
        let (arn, name, subject) = match kind {
            Kind::User(user) => (&user.arn, &user.name, holdings.map(|held| held.user(user))),
            Kind::Role(role) => (&role.arn, &role.name, holdings.map(|held| held.role(role))),
            Kind::Group(group) => (
                &group.arn,
                &group.name,
                holdings.map(|held| held.group(group)),
            ),
        };
        self.node_with(kind, account, (arn, name), subject, services)
    }

    fn node_with(
        &self,
        kind: Kind<'a>,
        account: &'a AwsAccount,
        (arn, name): (&'a str, &'a str),
        subject: Option<Subject<'w>>,
        services: &BTreeSet<&'a str>,
    ) -> Node<'w, 'a> {
        let id = account.account_id.as_str();
        let holdings = self.world.holdings(id);
        let caller = caller(kind, id);
        let linked = subject
            .as_ref()
            .is_some_and(|subject| subject.service_linked);
        let mut node = Node {
            kind,
            arn,
            name,
            account: id,
            asker: self.world.asker_as(caller, subject).trust_what_is_seen(),
            strength: Strength::default(),
            power: Power::default(),
            partly_denied: false,
            ceiling: Strength::full(),
            rules: Vec::new(),
            keys_known: account.parts.access_keys || account.parts.credential_report,
            home: account,
            reserved: linked || arn.contains(":role/aws-reserved/"),
            policies: Vec::new(),
            assumes: Some(Vec::new()),
            passes: Some(Vec::new()),
            names: Vec::new(),
            delegates: Vec::new(),
            services: BTreeMap::new(),
        };
        let Some(subject) = node.asker.subject() else {
            return node;
        };
        let effective = Effective::of(&subject.holder(None), &self.tables.actions);
        let power = power::measure(&effective, id, self.tables, self.masks);
        let strength = self.strength(&effective, power.tier, subject);
        let limited = subject.boundary.is_some()
            || !subject.limits().is_empty()
            || subject
                .sources
                .iter()
                .filter_map(|source| source.policy.as_deref())
                .any(CompiledPolicy::denies);
        let ceiling = if limited {
            self.with_everything(subject, id)
        } else {
            Strength::full()
        };
        let policies = subject
            .customer_policies()
            .into_iter()
            .map(|arn| {
                let known = holdings.and_then(|held| held.policy(&arn));
                let versions = known.map_or(0, |policy| policy.versions);
                (arn, versions)
            })
            .collect();
        // What denies and limits leave: a role that may only read is not asked for everything its policies name.
        let held = effective.actions();
        let rules = if linked || node.is_group() {
            Vec::new()
        } else {
            self.tables
                .escalation
                .iter()
                .enumerate()
                .filter(|(_, rule)| rule.indices.iter().all(|action| held.contains(*action)))
                .map(|(index, _)| index)
                .collect()
        };
        if !rules.is_empty() {
            let patterns = |name| {
                let action = self.tables.actions.index_of(name);
                action.map_or(Some(Vec::new()), |action| node.patterns(action))
            };
            (node.assumes, node.passes) = (patterns(ASSUME_ROLE), patterns(PASS_ROLE));
        }
        let partly_denied = effective.partly_denied;
        node.strength = strength;
        node.power = power;
        node.partly_denied = partly_denied;
        node.ceiling = ceiling;
        node.policies = policies;
        node.rules = rules;
        if let Kind::Role(role) = kind
            && !node.reserved
        {
            self.read_trust(&mut node, role, services);
        }
        node
    }

    fn strength(&self, effective: &Effective<'_>, tier: u8, subject: &Subject<'_>) -> Strength {
        let (admin, certain) = self.masks.administrator(effective);
        let assumed = subject
            .sources
            .iter()
            .filter(|source| source.policy.is_none())
            .map(|source| power::assumed_tier(&source.name))
            .max()
            .unwrap_or(0);
        Strength {
            tier: tier.max(assumed),
            admin,
            certain: certain && !(subject.boundary.is_some() && subject.boundary_policy.is_none()),
        }
    }

    /// What a principal would have if everything were allowed to it.
    fn with_everything(&self, subject: &Subject<'_>, id: &str) -> Strength {
        let mut holder: Holder<'_> = subject.holder(None);
        // Whatever else it holds adds nothing to everything; what that denies still counts.
        holder.held.retain(|held| held.policy.denies());
        holder.held.push(Held {
            label: String::new(),
            policy: &self.everything,
        });
        let effective = Effective::of(&holder, &self.tables.actions);
        let tier = power::measure(&effective, id, self.tables, self.masks).tier;
        self.strength(&effective, tier, subject)
    }

    /// The user as a member of one more group.
    pub(super) fn joined(&self, node: &Node<'w, 'a>, group: &Node<'w, 'a>) -> Option<Node<'w, 'a>> {
        let (Kind::User(user), Kind::Group(group)) = (node.kind, group.kind) else {
            return None;
        };
        let subject = self.world.holdings(node.account)?.joined(user, group);
        Some(self.changed(node, subject))
    }

    /// The principal without its permission boundary.
    pub(super) fn freed(&self, node: &Node<'w, 'a>) -> Option<Node<'w, 'a>> {
        let holdings = self.world.holdings(node.account)?;
        let mut subject = match node.kind {
            Kind::User(user) => holdings.user(user),
            Kind::Role(role) => holdings.role(role),
            Kind::Group(_) => return None,
        };
        subject.boundary = None;
        subject.boundary_policy = None;
        Some(self.changed(node, subject))
    }

    /// The principal with another version of a policy it holds.
    pub(super) fn with_version(
        &self,
        node: &Node<'w, 'a>,
        policy: &str,
        document: &Value,
    ) -> Option<Node<'w, 'a>> {
        let holdings = self.world.holdings(node.account)?;
        let mut subject = match node.kind {
            Kind::User(user) => holdings.user(user),
            Kind::Role(role) => holdings.role(role),
            Kind::Group(_) => return None,
        };
        let ready = Arc::new(CompiledPolicy::new(
            Policy::parse(document),
            &self.tables.actions,
        ));
        for source in &mut subject.sources {
            if source.managed.as_deref() == Some(policy) {
                source.policy = Some(Arc::clone(&ready));
            }
        }
        Some(self.changed(node, subject))
    }

    fn changed(&self, node: &Node<'w, 'a>, subject: Subject<'w>) -> Node<'w, 'a> {
        self.node_with(
            node.kind,
            node.home,
            (node.arn, node.name),
            Some(subject),
            &BTreeSet::new(),
        )
    }

    /// Versions of a customer policy that are not the default.
    pub(super) fn versions(&self, account: &str, arn: &str) -> &'a [AwsPolicyVersion] {
        let known = self
            .world
            .holdings(account)
            .and_then(|held| held.policy(arn));
        known.map_or(&[], |policy| &policy.others)
    }

    fn read_trust(&self, node: &mut Node<'w, 'a>, role: &'a AwsRole, services: &BTreeSet<&'a str>) {
        let mut named = BTreeSet::new();
        for statement in Policy::parse(&role.trust).statements {
            if statement.effect != Effect::Allow {
                continue;
            }
            if matches!(statement.principals, Selection::Except(_)) {
                node.delegates.push("*".to_owned());
            }
            for principal in statement.principals.values() {
                let value = principal.value.as_str();
                match principal.kind {
                    PrincipalType::Anyone => node.delegates.push("*".to_owned()),
                    PrincipalType::Service | PrincipalType::Federated => {
                        named.extend(services.get(value.to_ascii_lowercase().as_str()));
                    }
                    PrincipalType::CanonicalUser => {}
                    PrincipalType::Aws => match Caller::parse(value) {
                        Some(caller) if caller.kind == CallerKind::Root => {
                            node.delegates.push(caller.account);
                        }
                        // A session is its role, wherever that lies.
                        Some(caller) if caller.kind == CallerKind::Session => node
                            .names
                            .extend(self.world.role_arn(&caller.account, &caller.name)),
                        None if value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit()) => {
                            node.delegates.push(value.to_owned());
                        }
                        _ => node.names.push(value.to_owned()),
                    },
                }
            }
        }
        node.delegates.sort();
        node.delegates.dedup();
        node.names.sort();
        node.names.dedup();
        for service in named {
            if let Some(trusting) = self.trusting(role, node.account, service) {
                node.services.insert(service, trusting);
            }
        }
    }

    /// Whether a role lets a service act as it, for resources of its own account.
    fn trusting(&self, role: &AwsRole, account: &str, service: &str) -> Option<Trusting> {
        let caller = Caller::parse(service)?;
        let action = if caller.kind == CallerKind::Federated {
            "sts:AssumeRoleWithWebIdentity"
        } else {
            "sts:AssumeRole"
        };
        let mut context = Context::default();
        context.set("aws:SourceAccount", account);
        let reply = self.world.asker(caller).ask(&Question {
            action,
            resource: &role.arn,
            account: Some(account),
            context: &context,
            given: &self.nothing,
        });
        reply.permits().then(|| Trusting {
            certain: reply.answer == Answer::Allowed,
            depends_on: super::probe::conditions(&reply),
        })
    }

    /// Nodes that the patterns of an action name; `None` when that may be any.
    pub(super) fn near(&self, node: &Node<'w, 'a>, action: usize) -> Option<Vec<usize>> {
        let mut out = Vec::new();
        for pattern in node.patterns(action)? {
            let text = pattern.widest();
            let fixed = text.find(['*', '?']).unwrap_or(text.len());
            let fixed = text.get(..fixed).unwrap_or_default();
            // `arn:aws:iam::*:role/app-*`: the account of the principal stands for any in most of them.
            let begin = if fixed.matches(':').count() == 4 && pattern.account() == "*" {
                let resource = pattern.resource();
                let end = resource.find(['*', '?']).unwrap_or(resource.len());
                let known = resource.get(..end).unwrap_or_default();
                if !self.one_account() || !known.contains('/') {
                    return None;
                }
                format!("{fixed}{}:{known}", node.account)
            } else if fixed.matches(':').count() == 5 && fixed.contains('/') {
                fixed.to_owned()
            } else {
                return None;
            };
            out.extend(
                self.by_arn
                    .range(begin.as_str()..)
                    .take_while(|(arn, _)| arn.starts_with(&begin))
                    .filter(|(arn, _)| {
                        !matcher::has_wildcard(&text) || pattern.matches(arn) || text == **arn
                    })
                    .map(|(_, index)| *index),
            );
        }
        out.sort_unstable();
        out.dedup();
        Some(out)
    }

    fn one_account(&self) -> bool {
        self.world.accounts().nth(1).is_none()
    }
}

/// Policies to attach for full control: AWS's two, then those of the account.
fn full_policies(world: &World<'_>, account: &AwsAccount) -> Vec<String> {
    let arns = account.users.iter().map(|user| &user.arn);
    let partition = arns
        .chain(account.roles.iter().map(|role| &role.arn))
        .find_map(|arn| arn.split(':').nth(1))
        .unwrap_or("aws");
    let own = world.holdings(&account.account_id).into_iter();
    let own = own.flat_map(|held| held.full_policies().map(str::to_owned));
    let mut all: Vec<String> = ["AdministratorAccess", "IAMFullAccess"]
        .iter()
        .map(|name| format!("arn:{partition}:iam::aws:policy/{name}"))
        .collect();
    for arn in own.take(MAX_FULL_POLICIES) {
        if !all.contains(&arn) {
            all.push(arn);
        }
    }
    all
}

fn bounded<'a>(nodes: &[Node<'_, 'a>]) -> BTreeMap<&'a str, Vec<usize>> {
    let mut out: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let subject = node.asker.subject();
        if node.is_role() && !node.reserved && subject.is_some_and(|held| held.boundary.is_some()) {
            out.entry(node.account).or_default().push(index);
        }
    }
    out
}

fn groups<'a>(nodes: &[Node<'_, 'a>]) -> BTreeMap<&'a str, Vec<usize>> {
    let mut found: Vec<(usize, &Node<'_, 'a>)> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.is_group() && node.strength.tier > 0)
        .collect();
    found.sort_by_key(|(_, group)| std::cmp::Reverse((group.strength.admin, group.strength.tier)));
    let mut out: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, group) in found {
        out.entry(group.account).or_default().push(index);
    }
    out
}

/// Every action that one of a node's policies allows on anything.
fn held_actions(node: &Node<'_, '_>, tables: &AwsTables) -> ActionSet {
    let mut held = tables.actions.none().clone();
    for source in node
        .asker
        .subject()
        .iter()
        .flat_map(|subject| &subject.sources)
    {
        for statement in source.policy.iter().flat_map(|policy| &policy.statements) {
            if statement.effect == Effect::Allow {
                held.unite(&statement.actions);
            }
        }
    }
    held
}

fn caller(kind: Kind<'_>, account: &str) -> Caller {
    let (kind, arn, name, unique_id) = match kind {
        Kind::User(user) => (
            CallerKind::User,
            &user.arn,
            &user.name,
            user.unique_id.as_str(),
        ),
        Kind::Role(role) => (
            CallerKind::Role,
            &role.arn,
            &role.name,
            role.unique_id.as_str(),
        ),
        Kind::Group(group) => (CallerKind::User, &group.arn, &group.name, ""),
    };
    Caller {
        kind,
        arn: arn.clone(),
        account: account.to_owned(),
        name: name.clone(),
        unique_id: unique_id.to_owned(),
        service_linked: arn.contains(":role/aws-service-role/"),
    }
}

/// A policy that allows everything.
fn everything(tables: &AwsTables) -> CompiledPolicy {
    CompiledPolicy::new(
        Policy::parse(&json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})),
        &tables.actions,
    )
}

/// A trust policy that lets one principal in.
pub(super) fn letting_in(arn: &str, tables: &AwsTables) -> GivenPolicies {
    let policy = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": arn}}});
    GivenPolicies {
        resource: Some(Some(CompiledPolicy::of_resource(
            Policy::parse(&policy),
            &tables.actions,
        ))),
        ..GivenPolicies::default()
    }
}

/// Index of the action that passes roles.
pub(super) fn pass_role(tables: &AwsTables) -> Option<usize> {
    tables.actions.index_of(PASS_ROLE)
}
