//! What a policy says whoever holds it, worked out once for all its holders.

use crate::iam::account::Source;
use crate::iam::compile::{CompiledPolicy, ResourceItem};
use crate::iam::context::Context;
use crate::iam::expand::{Effective, Held, Holder};
use crate::iam::policy::{Condition, Effect, Selection};
use crate::iam::power::{self, Masks};
use crate::rules::aws::AwsTables;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Action patterns shown of one grant.
const MAX_ACTIONS: usize = 50;
/// Resources shown of one grant.
const MAX_RESOURCES: usize = 20;

/// What one policy says.
pub(super) struct Facts {
    pub actions: Vec<String>,
    pub actions_total: u32,
    pub resources: Vec<String>,
    pub conditions: Vec<String>,
    /// Tier and reasons, without the policy's name before them, where they are the same for every holder without limits.
    pub plain: Option<(u8, Vec<String>)>,
}

impl Facts {
    /// Reads one policy.
    pub(super) fn of(
        policy: &CompiledPolicy,
        account: &str,
        tables: &AwsTables,
        masks: &Masks,
    ) -> Self {
        let mut actions: BTreeSet<Cow<'_, str>> = BTreeSet::new();
        let mut resources: BTreeSet<Cow<'_, str>> = BTreeSet::new();
        let mut conditions = BTreeSet::new();
        let mut total = 0;
        for statement in &policy.statements {
            if statement.effect != Effect::Allow {
                continue;
            }
            total += statement.written.len();
            let spared = matches!(statement.resources, Selection::Except(_));
            actions.extend(
                statement
                    .written
                    .iter()
                    .map(|w| shown(w, statement.inverted)),
            );
            resources.extend(statement.resources_written.iter().map(|w| shown(w, spared)));
            conditions.extend(statement.conditions.iter().map(Condition::words));
        }
        let first = |set: BTreeSet<Cow<'_, str>>, most| {
            set.into_iter().take(most).map(Cow::into_owned).collect()
        };
        Self {
            actions: first(actions, MAX_ACTIONS),
            actions_total: total as u32,
            resources: first(resources, MAX_RESOURCES),
            conditions: conditions.into_iter().collect(),
            plain: same_for_all(policy).then(|| {
                let holder = Holder {
                    held: vec![Held {
                        label: String::new(),
                        policy,
                    }],
                    limits: Vec::new(),
                    context: Context::default(),
                };
                let effective = Effective::of(&holder, &tables.actions);
                let power = power::measure(&effective, account, tables, masks);
                (power.tier, power.reasons)
            }),
        }
    }

    /// Reads every policy of an account, by where it lies.
    pub(super) fn of_all<'p>(
        policies: impl Iterator<Item = &'p Arc<CompiledPolicy>>,
        account: &str,
        tables: &AwsTables,
        masks: &Masks,
    ) -> BTreeMap<usize, Self> {
        let policies: Vec<_> = policies.collect();
        policies
            .par_iter()
            .map(|policy| (place(policy), Self::of(policy, account, tables, masks)))
            .collect()
    }
}

/// Where a policy lies: one document is made ready once, whoever holds it.
pub(super) fn place(policy: &Arc<CompiledPolicy>) -> usize {
    Arc::as_ptr(policy).addr()
}

/// The reasons of a policy as those of one holder.
pub(super) fn named(source: &Source, reasons: &[String]) -> Vec<String> {
    reasons
        .iter()
        .map(|reason| {
            if reason.starts_with(", ") {
                format!("{}{reason}", source.label)
            } else {
                reason.clone()
            }
        })
        .collect()
}

fn shown(written: &str, not: bool) -> Cow<'_, str> {
    if not {
        Cow::Owned(format!("not {written}"))
    } else {
        Cow::Borrowed(written)
    }
}

/// Whether nothing in a policy depends on who holds it.
fn same_for_all(policy: &CompiledPolicy) -> bool {
    policy.statements.iter().all(|statement| {
        let variables = statement
            .resources
            .values()
            .iter()
            .any(|item| matches!(item, ResourceItem::Variable(_)));
        statement.conditions.is_empty() && !variables
    })
}
