//! Granted against used: what IAM's last-accessed records prove of a principal's permissions, and the smaller policies
//! that keep what is used.
//!
//! Unknown is not unused. An action counts as unused only if IAM tracks it (or its whole service) for this principal, was
//! asked, and had at least [`LastAccessed::least_days`](crate::rules::aws::LastAccessed::least_days) to see it. Actions
//! that are only checked while other calls are made are never called unused.

mod fit;
mod smaller;
#[cfg(test)]
mod tests;

use super::compile::{CompiledPolicy, CompiledStatement, ResourceItem};
use super::expand::Effective;
use super::policy::{Effect, Selection};
use crate::model::aws::AwsServiceUse;
use crate::model::evidence::days_between;
use crate::model::{PermissionUse, StatementUse};
use crate::rules::aws::{AccessLevel, ActionSet, AwsTables};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use fit::Limit;
pub use smaller::{Smaller, smaller};

/// What the records say of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Used in the period.
    Used,
    /// Not used in the period.
    Unused,
    /// The records do not tell of it.
    Untracked,
}

/// The records of one principal, over the action table.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    services: &'a AwsServiceUse,
    listed: BTreeSet<&'a str>,
    with_actions: BTreeSet<&'a str>,
    used: ActionSet,
    unused: ActionSet,
}

impl<'a> Record<'a> {
    /// Reads the records.
    pub fn of(services: &'a AwsServiceUse, tables: &AwsTables) -> Self {
        let table = &tables.actions;
        let listed: BTreeSet<&str> = services.granted.iter().map(String::as_str).collect();
        let prefix = |action: &'a String| action.split_once(':').map(|(service, _)| service);
        let with_actions: BTreeSet<&str> = services.tracked.iter().filter_map(prefix).collect();
        let mut used = table.none().clone();
        for index in services
            .actions
            .iter()
            .filter_map(|action| table.index_of(action))
        {
            used.insert(index);
        }
        let mut unused = table.none().clone();
        for service in &listed {
            let Some(range) = table.service(service) else {
                continue;
            };
            if !services.used.contains_key(*service) {
                range.clone().for_each(|index| unused.insert(index));
            }
        }
        for action in &services.tracked {
            if let Some(index) = table.index_of(action) {
                unused.insert(index);
            }
        }
        unused.remove(&used);
        unused.remove(&tables.last_accessed.never);
        Self {
            services,
            listed,
            with_actions,
            used,
            unused,
        }
    }

    /// What they say of a service (lower case).
    pub fn service(&self, name: &str) -> Seen {
        if self.services.used.contains_key(name) {
            Seen::Used
        } else if self.listed.contains(name) {
            Seen::Unused
        } else {
            Seen::Untracked
        }
    }

    /// Whether they tell of single actions of a service.
    pub fn tells_actions(&self, service: &str) -> bool {
        self.with_actions.contains(service)
    }

    /// Actions that were used.
    pub const fn used(&self) -> &ActionSet {
        &self.used
    }

    /// Actions that were not used, by the records.
    pub const fn unused(&self) -> &ActionSet {
        &self.unused
    }

    /// Services used.
    pub fn services_used(&self) -> impl Iterator<Item = &'a str> {
        self.services.used.keys().map(String::as_str)
    }
}

/// One policy that gives permissions, as the principal holds it.
#[derive(Clone, Debug)]
pub struct Holding<'a> {
    /// How people find it.
    pub label: String,
    /// Its id, or the path by which it is reached.
    pub native_id: String,
    /// Its document as written.
    pub document: Cow<'a, Value>,
    /// Its document made ready.
    pub policy: Arc<CompiledPolicy>,
    /// Written into the principal itself.
    pub inline: bool,
    /// What has to be known before a smaller one takes its place.
    pub note: Option<String>,
    /// When it was last changed, where that tells since when it grants what it does.
    pub changed_at: Option<Timestamp>,
}

/// A principal whose use is judged.
pub struct Principal<'a, 'e> {
    /// Creation.
    pub created_at: Option<Timestamp>,
    /// When the account was read, where the records do not say when they were made.
    pub collected_at: Option<Timestamp>,
    /// Its policies; `held` of the effective permissions counts them.
    pub holdings: &'e [Holding<'a>],
    /// What it may do.
    pub effective: &'e Effective<'a>,
    /// How much inline policy it may have.
    pub limit: Limit,
}

/// Compares what a principal is granted with what it used; `None` where the records do not say when they were made.
pub fn compare(
    principal: &Principal<'_, '_>,
    services: &AwsServiceUse,
    tables: &AwsTables,
) -> Option<PermissionUse> {
    let known = &tables.last_accessed;
    let until = services
        .asked_at
        .or(principal.collected_at)
        .or_else(|| services.used.values().max().copied())?;
    let first = until
        .checked_sub(SignedDuration::from_hours(known.days * 24))
        .ok()?;
    let since = principal.created_at.map_or(first, |made| made.max(first));
    let days = days_between(since, until);
    let too_early = match principal.created_at {
        None => Some("when it was made is not known, so that no period of use is".to_owned()),
        Some(_) if days < known.least_days => Some(format!(
            "it was made {days} days before the records: what it has not used yet says little"
        )),
        Some(_) => None,
    };
    let record = Record::of(services, tables);
    let recent: Vec<bool> = principal
        .holdings
        .iter()
        .map(|holding| {
            holding
                .changed_at
                .is_some_and(|at| days_between(at, until) < known.least_days)
        })
        .collect();
    let mut usage = PermissionUse {
        since,
        until,
        too_early,
        services_used: Vec::new(),
        services_unused: Vec::new(),
        services_untracked: Vec::new(),
        services_without_actions: Vec::new(),
        actions_granted: 0,
        actions_used: 0,
        actions_unused: 0,
        actions_unknown: 0,
        unused_by_level: BTreeMap::new(),
        statements: Vec::new(),
        smaller: Vec::new(),
    };
    count(&mut usage, principal.effective, &record, &recent, tables);
    if usage.too_early.is_some() {
        return Some(usage);
    }
    for (holding, recent) in principal.holdings.iter().zip(&recent) {
        for statement in &holding.policy.statements {
            if statement.effect == Effect::Allow {
                usage
                    .statements
                    .push(of_statement(holding, statement, &record, *recent, tables));
            }
        }
    }
    let lasting: Vec<&Holding<'_>> = principal
        .holdings
        .iter()
        .zip(&recent)
        .filter_map(|(holding, recent)| (!recent).then_some(holding))
        .collect();
    let kept: u32 = principal
        .holdings
        .iter()
        .zip(&recent)
        .filter(|(holding, recent)| **recent && holding.inline)
        .map(|(holding, _)| fit::size(&holding.document))
        .sum();
    usage.smaller = smaller(&lasting, &record, tables, principal.limit, kept);
    Some(usage)
}

/// Counts actions and services.
fn count(
    usage: &mut PermissionUse,
    effective: &Effective<'_>,
    record: &Record<'_>,
    recent: &[bool],
    tables: &AwsTables,
) {
    let table = &tables.actions;
    let granted = effective.actions();
    let mut lasting = table.none().clone();
    let mut unlisted = BTreeSet::new();
    for cell in &effective.cells {
        if !recent.get(cell.held).copied().unwrap_or_default() {
            lasting.unite(&cell.actions);
        }
        for pattern in &cell.unknown {
            let service = pattern.split(':').next().unwrap_or(pattern);
            unlisted.insert(service.to_ascii_lowercase());
        }
    }
    let within = |set: &ActionSet| {
        let mut set = set.clone();
        set.keep(granted);
        set
    };
    let used = within(record.used());
    let mut unused = within(record.unused());
    if usage.too_early.is_none() {
        unused.keep(&lasting);
    } else {
        unused = table.none().clone();
    }
    let number = |set: &ActionSet| u32::try_from(set.len()).unwrap_or(u32::MAX);
    usage.actions_granted = number(granted);
    usage.actions_used = number(&used);
    usage.actions_unused = number(&unused);
    usage.actions_unknown = usage
        .actions_granted
        .saturating_sub(usage.actions_used)
        .saturating_sub(usage.actions_unused);
    usage.unused_by_level = by_level(&unused, tables);
    let mut names: BTreeSet<String> = table
        .services()
        .filter(|(_, range)| granted.any_in(range))
        .map(|(service, _)| service.to_owned())
        .collect();
    names.extend(unlisted);
    for name in names {
        let range = table.service(&name);
        let proved = range.is_none_or(|range| unused.any_in(range));
        match record.service(&name) {
            Seen::Used => {
                if !record.tells_actions(&name) {
                    usage.services_without_actions.push(name.clone());
                }
                usage.services_used.push(name);
            }
            Seen::Unused if proved && usage.too_early.is_none() => usage.services_unused.push(name),
            Seen::Unused | Seen::Untracked => usage.services_untracked.push(name),
        }
    }
}

/// Number of actions by access level, levels without any left out.
fn by_level(set: &ActionSet, tables: &AwsTables) -> BTreeMap<String, u32> {
    let mut out = BTreeMap::new();
    for level in AccessLevel::ALL {
        let mut here = tables.actions.level(level).clone();
        here.keep(set);
        if !here.is_empty() {
            let count = u32::try_from(here.len()).unwrap_or(u32::MAX);
            out.insert(level.as_str().to_owned(), count);
        }
    }
    out
}

/// Known actions a statement can let through on the resources it names.
fn workable(statement: &CompiledStatement, tables: &AwsTables) -> ActionSet {
    let Selection::Only(items) = &statement.resources else {
        return match statement.resources {
            Selection::Absent => tables.actions.none().clone(),
            _ => (*statement.actions).clone(),
        };
    };
    let mut set = tables.actions.none().clone();
    for item in items {
        match item {
            ResourceItem::Pattern(_, actions) => set.unite(actions),
            ResourceItem::Variable(_) => set.unite(&statement.actions),
        }
    }
    set
}

fn of_statement(
    holding: &Holding<'_>,
    statement: &CompiledStatement,
    record: &Record<'_>,
    recent: bool,
    tables: &AwsTables,
) -> StatementUse {
    let granted = workable(statement, tables);
    let mut unused = granted.clone();
    unused.keep(record.unused());
    if recent {
        unused = tables.actions.none().clone();
    }
    let mut unknown = granted.clone();
    unknown.remove(&unused);
    unknown.remove(record.used());
    let number = |set: &ActionSet| u32::try_from(set.len()).unwrap_or(u32::MAX);
    StatementUse {
        policy: holding.label.clone(),
        statement: statement.label.clone(),
        granted: number(&granted),
        unused: number(&unused),
        unknown: number(&unknown),
    }
}
