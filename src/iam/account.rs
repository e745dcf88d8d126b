//! One account's policies made ready once, and what each of its principals holds.

use super::compile::CompiledPolicy;
use super::context::Context;
use super::expand::{Held, Holder};
use super::policy::Policy;
use super::principal;
use crate::model::aws::{
    AwsAccount, AwsAttached, AwsControlLevel, AwsGroup, AwsInlinePolicy, AwsPolicy, AwsRole,
    AwsUser,
};
use crate::model::{GrantSource, Location};
use crate::rules::aws::AwsTables;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One policy of a principal, found or not.
pub(super) struct Source {
    pub label: String,
    pub name: String,
    pub native_id: String,
    pub kind: GrantSource,
    pub location: Location,
    pub policy: Option<Arc<CompiledPolicy>>,
    /// The document is AWS's published one, not the snapshot's.
    pub published: bool,
    /// ARN of a managed policy.
    pub managed: Option<String>,
}

/// One control policy as people find it.
#[derive(Clone, Debug)]
pub(super) struct Controlling {
    /// ``policy `X` of ou-1``.
    pub label: String,
    /// The policy.
    pub policy: Arc<CompiledPolicy>,
}

/// Control policies that limit a principal.
#[derive(Clone, Debug, Default)]
pub(super) enum Control {
    /// None do, as far as the scan knows.
    #[default]
    None,
    /// These, level by level.
    Levels(Arc<Vec<Vec<Controlling>>>),
    /// Some do, and not all of them were delivered.
    Missing,
}

/// Everything of a principal that a judgement reads.
pub(super) struct Subject<'s> {
    pub arn: &'s str,
    pub sources: Vec<Source>,
    pub boundary: Option<&'s str>,
    pub boundary_policy: Option<Arc<CompiledPolicy>>,
    pub context: Context,
    pub groups: Vec<&'s AwsGroup>,
    pub missing_groups: Vec<&'s str>,
    pub services_used: Option<u32>,
    /// Only a service of AWS can act as it.
    pub service_linked: bool,
    /// What the organization lets it do at most.
    pub control: Control,
}

impl Subject<'_> {
    /// Its policies as the language of effective permissions takes them; `only`: one of them.
    pub(super) fn holder<'s>(&'s self, only: Option<&'s Source>) -> Holder<'s> {
        let held = |source: &'s Source| {
            source.policy.as_ref().map(|policy| Held {
                label: source.label.clone(),
                policy,
            })
        };
        Holder {
            held: match only {
                Some(source) => held(source).into_iter().collect(),
                None => self.sources.iter().filter_map(held).collect(),
            },
            limits: self.limits(),
            context: self.context.clone(),
        }
    }

    /// Customer policies it holds, by ARN.
    pub(super) fn customer_policies(&self) -> Vec<String> {
        let mut out: Vec<String> = self
            .sources
            .iter()
            .filter_map(|source| source.managed.clone())
            .filter(|arn| !arn.contains(":iam::aws:"))
            .collect();
        out.sort();
        out.dedup();
        out
    }

    /// Sets of policies each of which must allow what the principal does: its boundary, and every level of the
    /// organization. Those that allow everything are left out.
    pub(super) fn limits(&self) -> Vec<Vec<&CompiledPolicy>> {
        let mut limits: Vec<Vec<&CompiledPolicy>> = self
            .boundary_policy
            .as_deref()
            .map(|policy| vec![policy])
            .into_iter()
            .collect();
        if let Control::Levels(levels) = &self.control {
            limits.extend(
                levels
                    .iter()
                    .map(|level| level.iter().map(|control| &*control.policy).collect()),
            );
        }
        limits.retain(|policies| {
            let denies = policies.iter().any(|policy| policy.denies());
            denies || !policies.iter().any(|policy| policy.allows_everything())
        });
        limits
    }
}

/// An account's policies made ready.
pub(super) struct Holdings<'a> {
    account: &'a AwsAccount,
    tables: &'a AwsTables,
    policies: BTreeMap<&'a str, &'a AwsPolicy>,
    /// Managed policies made ready, by ARN; `true`: AWS's published document, not the snapshot's.
    managed: BTreeMap<String, (Arc<CompiledPolicy>, bool)>,
    groups: BTreeMap<&'a str, &'a AwsGroup>,
    compiled: BTreeMap<[u8; 32], Arc<CompiledPolicy>>,
    control: Control,
    /// The account was as it is at this time: requests come later.
    not_before: Option<Timestamp>,
}

impl<'a> Holdings<'a> {
    /// Makes every policy of an account ready.
    pub(super) fn new(account: &'a AwsAccount, tables: &'a AwsTables) -> Self {
        let mut holdings = Self {
            account,
            tables,
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
            control: Control::None,
            not_before: latest(account),
        };
        // A document that could not be read is `null`: what it allows is unknown, not nothing.
        let readable = account
            .policies
            .iter()
            .filter(|policy| !policy.document.is_null());
        for policy in readable {
            let ready = holdings.compile(&policy.document);
            holdings.managed.insert(policy.arn.clone(), (ready, false));
        }
        holdings.prepare_published();
        let inline = account.users.iter().map(|user| &user.inline);
        let inline = inline.chain(account.groups.iter().map(|group| &group.inline));
        for list in inline.chain(account.roles.iter().map(|role| &role.inline)) {
            for policy in list {
                holdings.prepare(&policy.document);
            }
        }
        holdings.control = match &account.membership {
            Some(place) if !place.management => {
                controls(place.service_control.as_deref(), |document| {
                    holdings.compile(document)
                })
            }
            _ => Control::None,
        };
        holdings
    }

    /// Every policy that was made ready.
    pub(super) fn ready_policies(&self) -> impl Iterator<Item = &Arc<CompiledPolicy>> {
        let managed = self.managed.values().map(|(policy, _)| policy);
        managed.chain(self.compiled.values())
    }

    /// Managed policies that allow everything.
    pub(super) fn full_policies(&self) -> impl Iterator<Item = &str> {
        self.managed
            .iter()
            .filter(|(_, (policy, _))| policy.allows_everything())
            .map(|(arn, _)| arn.as_str())
    }

    /// What the organization lets the account do at most.
    pub(super) const fn control(&self) -> &Control {
        &self.control
    }

    /// A managed policy as the snapshot describes it.
    pub(super) fn policy(&self, arn: &str) -> Option<&'a AwsPolicy> {
        self.policies.get(arn).copied()
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

    /// A user with everything it holds.
    pub(super) fn user<'s>(&'s self, user: &'s AwsUser) -> Subject<'s> {
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
            control: self.control.clone(),
        }
    }

    /// A user as if it were in one more group.
    pub(super) fn joined<'s>(&'s self, user: &'s AwsUser, group: &'s AwsGroup) -> Subject<'s> {
        let mut subject = self.user(user);
        subject.sources.extend(self.sources(
            &group.inline,
            &group.attached,
            Some(group),
            &group.location,
        ));
        subject
    }

    /// A role with everything it holds.
    pub(super) fn role<'s>(&'s self, role: &'s AwsRole) -> Subject<'s> {
        Subject {
            arn: &role.arn,
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
            service_linked: is_service_linked(role),
            control: if is_service_linked(role) {
                Control::None
            } else {
                self.control.clone()
            },
        }
    }

    /// A group with everything it holds, as if it were a principal.
    pub(super) fn group<'s>(&'s self, group: &'s AwsGroup) -> Subject<'s> {
        Subject {
            arn: &group.arn,
            sources: self.sources(&group.inline, &group.attached, None, &group.location),
            boundary: None,
            boundary_policy: None,
            context: Context::default(),
            groups: Vec::new(),
            missing_groups: Vec::new(),
            services_used: None,
            service_linked: false,
            control: self.control.clone(),
        }
    }
}

/// Control policies made ready; `None` in the snapshot is no limit known.
pub(super) fn controls(
    levels: Option<&[AwsControlLevel]>,
    mut compile: impl FnMut(&Value) -> Arc<CompiledPolicy>,
) -> Control {
    let Some(levels) = levels else {
        return Control::None;
    };
    let missing = levels
        .iter()
        .flat_map(|level| &level.policies)
        .any(|policy| policy.document.is_null());
    if missing {
        return Control::Missing;
    }
    let ready = levels
        .iter()
        .map(|level| {
            level
                .policies
                .iter()
                .map(|policy| Controlling {
                    label: format!("policy `{}` of {}", policy.name, level.target),
                    policy: compile(&policy.document),
                })
                .collect()
        })
        .collect();
    Control::Levels(Arc::new(ready))
}

/// Whether only a service of AWS can act as the role.
fn is_service_linked(role: &AwsRole) -> bool {
    role.path.starts_with("/aws-service-role/") || role.arn.contains(":role/aws-service-role/")
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
pub(super) fn hash(document: &Value) -> [u8; 32] {
    *blake3::hash(document.to_string().as_bytes()).as_bytes()
}
