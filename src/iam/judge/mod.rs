//! One account judged: what each principal can do, through what, and who may become it.

mod said;
#[cfg(test)]
mod tests;

use crate::iam::account::{Holdings, Source, Subject};
use crate::iam::escalation::{self, Climber, Target, Targets};
use crate::iam::expand::{Effective, Held, Holder};
use crate::iam::policy::Policy;
use crate::iam::power::{self, Masks, Power};
use crate::iam::trust::{self, TrustScope};
use crate::model::aws::{AwsAccount, AwsRole, AwsUser};
use crate::model::{Coverage, Evidence, Grade, Grant, Privilege, TrustPath};
use crate::rules::aws::{AwsTables, EscalationKind};
use std::collections::BTreeSet;

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
    holdings: Holdings<'a>,
    account: &'a AwsAccount,
    tables: &'a AwsTables,
    own_accounts: &'a BTreeSet<String>,
    masks: Masks,
    targets: Targets,
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
            holdings: Holdings::new(account, tables),
            account,
            tables,
            own_accounts,
            masks: Masks::new(tables),
            targets: Targets::default(),
        };
        judge.targets = judge.survey();
        judge
    }

    /// Judges a user.
    pub fn user(&self, user: &AwsUser) -> Judged {
        self.judge(&self.holdings.user(user))
    }

    /// Judges a role.
    pub fn role(&self, role: &AwsRole) -> Judged {
        self.judge(&self.holdings.role(role))
    }

    /// Every way to become a role.
    ///
    /// A trust's `resource` question is answered by the role's permissions: yes when it has some, and nothing worth
    /// having (write, permissions, secrets, stored data) covers every resource of a service where it could name them.
    pub fn trust(&self, role: &AwsRole) -> Vec<TrustPath> {
        let subject = self.holdings.role(role);
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
            limits: subject.limits(),
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
            limits: Vec::new(),
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
            .map(|user| target(&user.arn, &user.name, &self.holdings.user(user)))
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
                ..target(&role.arn, &role.name, &self.holdings.role(role))
            })
            .collect();
        let groups = self
            .account
            .groups
            .iter()
            .map(|group| {
                let subject = self.holdings.group(group);
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
            usage: None,
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
                        .holdings
                        .policy(&arn)
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
