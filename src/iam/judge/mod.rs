//! One account judged: what each principal can do, through what, and who may become it.

mod facts;
mod said;
#[cfg(test)]
mod tests;
mod used;

use crate::iam::account::{Holdings, Source, Subject};
use crate::iam::escalation::{Escalations, Holding};
use crate::iam::expand::Effective;
use crate::iam::policy::Policy;
use crate::iam::power::{self, Masks, Power};
use crate::iam::trust::{self, TrustScope};
use crate::iam::world::World;
use crate::model::aws::{AwsAccount, AwsRole, AwsUser};
use crate::model::{Coverage, Evidence, Grade, Grant, Privilege, TrustPath};
use crate::rules::aws::AwsTables;
use facts::Facts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What one principal amounts to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// What it can do.
    pub privilege: Privilege,
    /// The policies it can do it through.
    pub grants: Vec<Grant>,
    /// What could not be read or was not in the snapshot.
    pub notices: Vec<Coverage>,
    /// Its permissions are known, and what is worth having names resources.
    pub scoped: bool,
}

/// Every account of a scan made ready, with all that joins them.
pub struct Court<'a> {
    world: World<'a>,
    masks: Masks,
    escalations: Escalations,
}

impl<'a> Court<'a> {
    /// Makes accounts ready and searches them for ways up.
    pub fn new(accounts: &'a [AwsAccount], tables: &'a AwsTables) -> Arc<Self> {
        let world = World::new(accounts, tables);
        let masks = Masks::new(tables);
        let escalations = Escalations::of(&world, &masks);
        Arc::new(Self {
            world,
            masks,
            escalations,
        })
    }

    /// Whether this very account is among them, and not another export of it.
    pub fn holds(&self, account: &AwsAccount) -> bool {
        self.world
            .accounts()
            .any(|known| std::ptr::eq(known, account))
    }
}

/// Judges the principals of one account.
pub struct Judge<'a> {
    court: Arc<Court<'a>>,
    account: &'a AwsAccount,
    tables: &'a AwsTables,
    own_accounts: &'a BTreeSet<String>,
    /// What each policy of the account says.
    facts: BTreeMap<usize, Facts>,
}

impl<'a> Judge<'a> {
    /// Judges an account by itself.
    ///
    /// `own_accounts` holds every account of the scan and those declared own.
    pub fn new(
        account: &'a AwsAccount,
        tables: &'a AwsTables,
        own_accounts: &'a BTreeSet<String>,
    ) -> Self {
        let court = Court::new(std::slice::from_ref(account), tables);
        Self::within(&court, account, tables, own_accounts)
    }

    /// Judges an account among others.
    pub fn within(
        court: &Arc<Court<'a>>,
        account: &'a AwsAccount,
        tables: &'a AwsTables,
        own_accounts: &'a BTreeSet<String>,
    ) -> Self {
        let policies = court
            .world
            .holdings(&account.account_id)
            .into_iter()
            .flat_map(Holdings::ready_policies);
        let facts = Facts::of_all(policies, &account.account_id, tables, &court.masks);
        Self {
            court: Arc::clone(court),
            account,
            tables,
            own_accounts,
            facts,
        }
    }

    fn holdings(&self) -> Option<&Holdings<'a>> {
        self.court.world.holdings(&self.account.account_id)
    }

    /// Judges a user.
    pub fn user(&self, user: &AwsUser) -> Judged {
        self.holdings()
            .map_or_else(Judged::default, |held| self.judge(&held.user(user)))
    }

    /// Judges a role.
    pub fn role(&self, role: &AwsRole) -> Judged {
        self.holdings()
            .map_or_else(Judged::default, |held| self.judge(&held.role(role)))
    }

    /// Every way to become a role.
    ///
    /// A trust's `resource` question is answered by the role's permissions: yes when it has some, and nothing worth
    /// having (write, permissions, secrets, stored data) covers every resource of a service where it could name them.
    pub fn trust(&self, role: &AwsRole, judged: &Judged) -> Vec<TrustPath> {
        trust::paths(
            &Policy::parse(&role.trust),
            &TrustScope {
                account: &self.account.account_id,
                own_accounts: self.own_accounts,
                tables: self.tables,
                resource: judged.scoped,
            },
        )
    }

    fn measured(&self, effective: &Effective<'_>) -> Power {
        power::measure(
            effective,
            &self.account.account_id,
            self.tables,
            &self.court.masks,
        )
    }

    fn judge(&self, subject: &Subject<'_>) -> Judged {
        let known = self.court.escalations.holding(subject.arn);
        let Holding {
            power,
            partly_denied,
        } = known.cloned().unwrap_or_else(|| {
            let effective = Effective::of(&subject.holder(None), &self.tables.actions);
            Holding {
                power: self.measured(&effective),
                partly_denied: effective.partly_denied,
            }
        });
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
            full_services: power.full_services,
            services: power.services,
            blanket_policies: blanket(&subject.sources),
            escalation: Vec::new(),
            services_used: subject.services_used,
            usage: None,
            evidence: power
                .reasons
                .into_iter()
                .map(|reason| Evidence::new(Grade::A, reason))
                .collect(),
        };
        if !power.admin && !subject.service_linked {
            self.escalate(subject, &mut privilege);
        }
        Self::say_limits(subject, partly_denied, &mut privilege);
        let limited = !subject.limits().is_empty();
        let grants = subject
            .sources
            .iter()
            .map(|source| self.grant(subject, source, limited))
            .collect();
        Judged {
            privilege,
            grants,
            notices: self.notices(subject),
            scoped: power.tier > 0
                && !power.unscoped
                && subject.sources.iter().all(|source| source.policy.is_some()),
        }
    }

    fn escalate(&self, subject: &Subject<'_>, privilege: &mut Privilege) {
        let Some(ways) = self.court.escalations.ways(subject.arn) else {
            return;
        };
        let counting = ways.counts.and_then(|position| ways.paths.get(position));
        if let Some(path) = counting
            && privilege.tier < 4
        {
            privilege.tier = 4;
            privilege.evidence.insert(
                0,
                Evidence::new(
                    Grade::A,
                    format!("can escalate ({}): {}", path.id, path.note),
                ),
            );
        }
        privilege.escalation.clone_from(&ways.paths);
    }
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
