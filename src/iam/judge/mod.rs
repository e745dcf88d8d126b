//! One account judged: what each principal can do, through what, and who may become it.

mod said;
#[cfg(test)]
mod tests;

use crate::iam::compile::CompiledPolicy;
use crate::iam::context::Context;
use crate::iam::escalation::{self, Climber, Target, Targets};
use crate::iam::expand::{Effective, Held, Holder};
use crate::iam::policy::Policy;
use crate::iam::power::{self, Masks, Power};
use crate::iam::principal;
use crate::iam::trust::{self, TrustScope};
use crate::model::aws::{
    AwsAccount, AwsAttached, AwsGroup, AwsInlinePolicy, AwsPolicy, AwsRole, AwsUser,
};
use crate::model::{Coverage, Evidence, Grade, Grant, GrantSource, Location, Privilege, TrustPath};
use crate::rules::aws::{AwsTables, EscalationKind};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What one principal amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What it can do.
    pub privilege: Privilege,
    /// The policies it can do it through.
    pub grants: Vec<Grant>,
    /// What could not be read or was not in the snapshot.
    pub notices: Vec<Coverage>,
}

/// Judges the principals of one account.
pub struct Judge<'a> {
    account: &'a AwsAccount,
    tables: &'a AwsTables,
    own_accounts: &'a BTreeSet<String>,
    masks: Masks,
    policies: BTreeMap<&'a str, &'a AwsPolicy>,
    /// Managed policies made ready, by ARN; `true`: AWS's published document, not the snapshot's.
    managed: BTreeMap<String, (Arc<CompiledPolicy>, bool)>,
    groups: BTreeMap<&'a str, &'a AwsGroup>,
    compiled: BTreeMap<[u8; 32], Arc<CompiledPolicy>>,
    targets: Targets,
    /// The account was as it is at this time: requests come later.
    not_before: Option<Timestamp>,
}

/// One policy of a principal, found or not.
struct Source {
    label: String,
    name: String,
    native_id: String,
    kind: GrantSource,
    location: Location,
    policy: Option<Arc<CompiledPolicy>>,
    /// The document is AWS's published one, not the snapshot's.
    published: bool,
    /// ARN of a managed policy.
    managed: Option<String>,
}

/// Everything of a principal that the judgement reads.
struct Subject<'s> {
    arn: &'s str,
    user: bool,
    sources: Vec<Source>,
    boundary: Option<&'s str>,
    boundary_policy: Option<Arc<CompiledPolicy>>,
    context: Context,
    groups: Vec<&'s AwsGroup>,
    missing_groups: Vec<&'s str>,
    services_used: Option<u32>,
    /// Only a service of AWS can act as it.
    service_linked: bool,
}

impl<'a> Judge<'a> {
    /// Makes the account's policies ready and works out how strong each principal is by its own grants.
    ///
    /// `own_accounts` holds every account of the scan and those declared own.
    pub fn new(
        account: &'a AwsAccount,
        tables: &'a AwsTables,
        own_accounts: &'a BTreeSet<String>,
    ) -> Self {
        let mut judge = Self {
            account,
            tables,
            own_accounts,
            masks: Masks::new(tables),
            policies: account
                .policies
                .iter()
                .map(|policy| (policy.arn.as_str(), policy))
                .collect(),
            groups: account
                .groups
                .iter()
                .map(|group| (group.name.as_str(), group))
                .collect(),
            managed: BTreeMap::new(),
            compiled: BTreeMap::new(),
            targets: Targets::default(),
            not_before: latest(account),
        };
        // A document that could not be read is `null`: what it allows is unknown, not nothing.
        let readable = account
            .policies
            .iter()
            .filter(|policy| !policy.document.is_null());
        for policy in readable {
            let ready = judge.compile(&policy.document);
            judge.managed.insert(policy.arn.clone(), (ready, false));
        }
        judge.prepare_published();
        let inline = account.users.iter().map(|user| &user.inline);
        let inline = inline.chain(account.groups.iter().map(|group| &group.inline));
        for list in inline.chain(account.roles.iter().map(|role| &role.inline)) {
            for policy in list {
                judge.prepare(&policy.document);
            }
        }
        judge.targets = judge.survey();
        judge
    }

    /// Judges a user.
    pub fn user(&self, user: &AwsUser) -> Judged {
        self.judge(&self.user_subject(user))
    }

    /// Judges a role.
    pub fn role(&self, role: &AwsRole) -> Judged {
        self.judge(&self.role_subject(role))
    }

    /// Every way to become a role.
    ///
    /// A trust's `resource` question is answered by the role's permissions: yes when it has some, and nothing worth
    /// having (write, permissions, secrets, stored data) covers every resource of a service where it could name them.
    pub fn trust(&self, role: &AwsRole) -> Vec<TrustPath> {
        let subject = self.role_subject(role);
        let complete = subject.sources.iter().all(|source| source.policy.is_some());
        let power = self.power(&subject);
        trust::paths(
            &Policy::parse(&role.trust),
            &TrustScope {
                account: &self.account.account_id,
                own_accounts: self.own_accounts,
                tables: self.tables,
                resource: complete && power.tier > 0 && !power.unscoped,
            },
        )
    }

    fn prepare(&mut self, document: &Value) {
        let key = hash(document);
        if !self.compiled.contains_key(&key) {
            let compiled = self.compile(document);
            self.compiled.insert(key, compiled);
        }
    }

    /// Makes AWS's published documents ready for the policies the account names and does not carry.
    fn prepare_published(&mut self) {
        let account = self.account;
        let attached = account
            .users
            .iter()
            .map(|user| (&user.attached, &user.boundary))
            .chain(
                account
                    .roles
                    .iter()
                    .map(|role| (&role.attached, &role.boundary)),
            )
            .chain(account.groups.iter().map(|group| (&group.attached, &None)));
        for (attached, boundary) in attached {
            for arn in attached.iter().map(|policy| &policy.arn).chain(boundary) {
                if self.managed.contains_key(arn) {
                    continue;
                }
                let published = self
                    .tables
                    .managed_policy(arn)
                    .and_then(|text| serde_json::from_str::<Value>(text).ok());
                if let Some(document) = published {
                    let ready = self.compile(&document);
                    self.managed.insert(arn.clone(), (ready, true));
                }
            }
        }
    }

    fn compile(&self, document: &Value) -> Arc<CompiledPolicy> {
        Arc::new(CompiledPolicy::new(
            Policy::parse(document),
            &self.tables.actions,
        ))
    }

    fn ready(&self, document: &Value) -> Arc<CompiledPolicy> {
        self.compiled
            .get(&hash(document))
            .map_or_else(|| self.compile(document), Arc::clone)
    }

    /// The document of a managed policy: the snapshot's, else AWS's published one.
    fn managed(&self, arn: &str) -> (Option<Arc<CompiledPolicy>>, bool) {
        match self.managed.get(arn) {
            Some((policy, published)) => (Some(Arc::clone(policy)), *published),
            None => (None, false),
        }
    }

    fn sources(
        &self,
        inline: &[AwsInlinePolicy],
        attached: &[AwsAttached],
        group: Option<&AwsGroup>,
        location: &Location,
    ) -> Vec<Source> {
        let prefix = group
            .map(|group| format!("group `{}`, ", group.name))
            .unwrap_or_default();
        let through = group
            .map(|group| format!("group {} → ", group.name))
            .unwrap_or_default();
        let mut out = Vec::with_capacity(inline.len() + attached.len());
        for policy in inline {
            out.push(Source {
                label: format!("{prefix}inline policy `{}`", policy.name),
                name: policy.name.clone(),
                native_id: format!("{through}inline policy {}", policy.name),
                kind: group.map_or(GrantSource::Inline, |_| GrantSource::Group),
                location: location.clone(),
                policy: (!policy.document.is_null()).then(|| self.ready(&policy.document)),
                published: false,
                managed: None,
            });
        }
        for attached in attached {
            let (policy, published) = self.managed(&attached.arn);
            let known = self.policies.get(attached.arn.as_str());
            out.push(Source {
                label: format!("{prefix}policy `{}`", attached.name),
                name: attached.name.clone(),
                native_id: format!("{through}{}", attached.arn),
                kind: group.map_or(GrantSource::Managed, |_| GrantSource::Group),
                location: known.map_or(location, |policy| &policy.location).clone(),
                policy,
                published,
                managed: Some(attached.arn.clone()),
            });
        }
        out
    }

    fn user_subject<'s>(&'s self, user: &'s AwsUser) -> Subject<'s> {
        let mut sources = self.sources(&user.inline, &user.attached, None, &user.location);
        let mut groups = Vec::new();
        let mut missing_groups = Vec::new();
        for name in &user.groups {
            if let Some(group) = self.groups.get(name.as_str()) {
                sources.extend(self.sources(
                    &group.inline,
                    &group.attached,
                    Some(group),
                    &group.location,
                ));
                groups.push(*group);
            } else {
                missing_groups.push(name.as_str());
            }
        }
        Subject {
            arn: &user.arn,
            user: true,
            sources,
            boundary: user.boundary.as_deref(),
            boundary_policy: user.boundary.as_deref().and_then(|arn| self.managed(arn).0),
            context: principal::of_user(&self.account.account_id, user, self.not_before),
            groups,
            missing_groups,
            services_used: user
                .services
                .as_ref()
                .map(|services| services.used.len() as u32),
            service_linked: false,
        }
    }

    fn role_subject<'s>(&'s self, role: &'s AwsRole) -> Subject<'s> {
        Subject {
            arn: &role.arn,
            user: false,
            sources: self.sources(&role.inline, &role.attached, None, &role.location),
            boundary: role.boundary.as_deref(),
            boundary_policy: role.boundary.as_deref().and_then(|arn| self.managed(arn).0),
            context: principal::of_role(&self.account.account_id, role, self.not_before),
            groups: Vec::new(),
            missing_groups: Vec::new(),
            services_used: role
                .services
                .as_ref()
                .map(|services| services.used.len() as u32),
            service_linked: role.path.starts_with("/aws-service-role/"),
        }
    }

    fn holder<'s>(subject: &'s Subject<'_>, only: Option<&'s Source>) -> Holder<'s> {
        let held = |source: &'s Source| {
            source.policy.as_ref().map(|policy| Held {
                label: source.label.clone(),
                policy,
            })
        };
        Holder {
            held: match only {
                Some(source) => held(source).into_iter().collect(),
                None => subject.sources.iter().filter_map(held).collect(),
            },
            boundary: subject.boundary_policy.as_deref(),
            context: subject.context.clone(),
        }
    }

    fn measured(&self, effective: &Effective<'_>) -> Power {
        power::measure(
            effective,
            &self.account.account_id,
            self.tables,
            &self.masks,
        )
    }

    /// Power of a principal's own grants, before escalation, with missing documents assumed by their names.
    fn power(&self, subject: &Subject<'_>) -> Power {
        let effective = Effective::of(&Self::holder(subject, None), &self.tables.actions);
        let mut power = self.measured(&effective);
        for source in &subject.sources {
            if source.policy.is_none() {
                power.tier = power.tier.max(power::assumed_tier(&source.name));
            }
        }
        power
    }

    /// Tier of everything a principal's boundary would let through.
    fn ceiling(&self, subject: &Subject<'_>) -> u8 {
        let Some(boundary) = subject.boundary_policy.as_deref() else {
            return 5;
        };
        let holder = Holder {
            held: vec![Held {
                label: "permission boundary".to_owned(),
                policy: boundary,
            }],
            boundary: None,
            context: subject.context.clone(),
        };
        self.measured(&Effective::of(&holder, &self.tables.actions))
            .tier
    }

    /// Whether a principal may write or attach policies to itself.
    fn makes_itself_administrator(&self, subject: &Subject<'_>) -> bool {
        let own = if subject.user {
            EscalationKind::OwnUser
        } else {
            EscalationKind::OwnRole
        };
        let effective = Effective::of(&Self::holder(subject, None), &self.tables.actions);
        // A boundary stays on whatever it writes.
        subject.boundary.is_none()
            && self
                .tables
                .escalation
                .iter()
                .filter(|rule| rule.kind == own)
                .any(|rule| {
                    rule.indices.iter().all(|action| {
                        effective
                            .grip(*action, subject.arn, &subject.context)
                            .is_some_and(|grip| grip.depends_on.is_empty())
                    })
                })
    }

    /// How strong everyone is by their own grants.
    fn survey(&self) -> Targets {
        let target = |arn: &str, name: &str, subject: &Subject<'_>| {
            let power = self.power(subject);
            let self_made = power.tier == 4 && self.makes_itself_administrator(subject);
            Target {
                arn: arn.to_owned(),
                name: name.to_owned(),
                tier: if self_made { 5 } else { power.tier },
                self_made,
                reserved: false,
                policies: customer_policies(&subject.sources),
                instance_profile: false,
                trust: Policy::default(),
            }
        };
        let users = self
            .account
            .users
            .iter()
            .map(|user| target(&user.arn, &user.name, &self.user_subject(user)))
            .collect();
        let roles = self
            .account
            .roles
            .iter()
            .map(|role| Target {
                reserved: role.path.starts_with("/aws-service-role/")
                    || role.path.starts_with("/aws-reserved/"),
                instance_profile: !role.instance_profiles.is_empty(),
                trust: Policy::parse(&role.trust),
                ..target(&role.arn, &role.name, &self.role_subject(role))
            })
            .collect();
        let groups = self
            .account
            .groups
            .iter()
            .map(|group| {
                let subject = Subject {
                    arn: &group.arn,
                    user: true,
                    sources: self.sources(&group.inline, &group.attached, None, &group.location),
                    boundary: None,
                    boundary_policy: None,
                    context: Context::default(),
                    groups: Vec::new(),
                    missing_groups: Vec::new(),
                    services_used: None,
                    service_linked: false,
                };
                target(&group.arn, &group.name, &subject)
            })
            .collect();
        Targets::new(self.tables, &self.account.account_id, users, roles, groups)
    }

    fn judge(&self, subject: &Subject<'_>) -> Judged {
        let effective = Effective::of(&Self::holder(subject, None), &self.tables.actions);
        let power = self.measured(&effective);
        let mut privilege = Privilege {
            tier: power.tier,
            admin: power.admin,
            assumed: false,
            upper_bound: true,
            write: power.write,
            permissions_management: power.permissions,
            secret_read: power.secret,
            data_read: power.data,
            cross_account: power.cross_account,
            full_services: power.full_services.clone(),
            services: power.services.clone(),
            blanket_policies: blanket(&subject.sources),
            escalation: Vec::new(),
            services_used: subject.services_used,
            evidence: power
                .reasons
                .iter()
                .map(|reason| Evidence::new(Grade::A, reason.clone()))
                .collect(),
        };
        if !power.admin && !subject.service_linked {
            self.escalate(subject, &effective, power.tier, &mut privilege);
        }
        Self::say_limits(subject, &effective, &mut privilege);
        let grants = subject
            .sources
            .iter()
            .map(|source| self.grant(subject, source))
            .collect();
        Judged {
            privilege,
            grants,
            notices: self.notices(subject),
        }
    }

    fn escalate(
        &self,
        subject: &Subject<'_>,
        effective: &Effective<'_>,
        tier: u8,
        privilege: &mut Privilege,
    ) {
        let climber = Climber {
            arn: subject.arn,
            account: &self.account.account_id,
            user: subject.user,
            groups: subject
                .groups
                .iter()
                .map(|group| group.arn.clone())
                .collect(),
            policies: customer_policies(&subject.sources)
                .into_iter()
                .map(|arn| {
                    let versions = self
                        .policies
                        .get(arn.as_str())
                        .map_or(0, |policy| policy.versions);
                    (arn, versions)
                })
                .collect(),
            bounded: subject.boundary.is_some(),
            boundary: subject.boundary_policy.as_deref(),
            tier,
            ceiling: self.ceiling(subject),
            context: &subject.context,
        };
        let found = escalation::find(&climber, effective, &self.targets, self.tables);
        if let Some(first) = found.iter().find(|found| found.counts)
            && privilege.tier < 4
        {
            privilege.tier = 4;
            privilege.evidence.insert(
                0,
                Evidence::new(
                    Grade::A,
                    format!("can escalate ({}): {}", first.path.id, first.path.note),
                ),
            );
        }
        privilege.escalation = found.into_iter().map(|found| found.path).collect();
    }
}

/// The latest time the account's own facts prove.
fn latest(account: &AwsAccount) -> Option<Timestamp> {
    let users = account.users.iter().map(|user| user.created_at);
    let roles = account.roles.iter().map(|role| role.created_at);
    std::iter::once(account.collected_at)
        .chain(users)
        .chain(roles)
        .flatten()
        .max()
}

/// Key of a document in the cache.
fn hash(document: &Value) -> [u8; 32] {
    *blake3::hash(document.to_string().as_bytes()).as_bytes()
}

/// ARNs of the customer policies among the sources.
fn customer_policies(sources: &[Source]) -> Vec<String> {
    let mut out: Vec<String> = sources
        .iter()
        .filter_map(|source| source.managed.clone())
        .filter(|arn| !arn.contains(":iam::aws:"))
        .collect();
    out.sort();
    out.dedup();
    out
}

/// Names of the blanket AWS managed policies among the sources.
fn blanket(sources: &[Source]) -> Vec<String> {
    let mut out: Vec<String> = sources
        .iter()
        .filter(|source| {
            source
                .managed
                .as_deref()
                .is_some_and(|arn| arn.contains(":iam::aws:policy/"))
                && (source.name.ends_with("FullAccess")
                    || matches!(
                        source.name.as_str(),
                        "AdministratorAccess" | "PowerUserAccess"
                    ))
        })
        .map(|source| source.name.clone())
        .collect();
    out.sort();
    out.dedup();
    out
}
