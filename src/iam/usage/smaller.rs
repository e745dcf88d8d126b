//! The smaller policy: every statement with the actions left out that were not used, everything else as it was.
//!
//! Nothing is allowed that was not: a list of names only has names the old statement matched, a wildcard only stands
//! where one of the old patterns covers it.

use super::fit::{self, Limit};
use super::{Holding, Record, Seen, by_level, workable};
use crate::iam::compile::{CompiledStatement, valid_action};
use crate::iam::matcher;
use crate::iam::policy::Effect;
use crate::model::SmallerPolicy;
use crate::rules::aws::{AccessLevel, ActionSet, ActionTable, AwsTables};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A document without what was not used.
#[derive(Clone, Debug, PartialEq)]
pub struct Smaller {
    /// The documents; none where no statement is left.
    pub documents: Vec<Value>,
    /// Known actions it no longer allows.
    pub removed: ActionSet,
    /// Services that are in no action table and were removed.
    pub unlisted: BTreeSet<String>,
    /// It could not be made to fit.
    pub too_large: bool,
}

/// Smaller policies for those of the holdings that give more than is used.
///
/// `kept` is the size of inline policies that stay as they are and are not among the holdings.
pub fn smaller(
    holdings: &[&Holding<'_>],
    record: &Record<'_>,
    tables: &AwsTables,
    limit: Limit,
    kept: u32,
) -> Vec<SmallerPolicy> {
    let reduced: Vec<(&Holding<'_>, Option<Smaller>)> = holdings
        .iter()
        .map(|holding| {
            let most = if holding.inline {
                limit.inline()
            } else {
                fit::MANAGED
            };
            (*holding, reduce(holding, record, tables, most))
        })
        .collect();
    // All inline policies of a principal share one limit.
    let inline: u32 = kept
        + reduced
            .iter()
            .filter(|(holding, _)| holding.inline)
            .map(|(holding, smaller)| match smaller {
                Some(smaller) => smaller.documents.iter().map(fit::size).sum(),
                None => fit::size(&holding.document),
            })
            .sum::<u32>();
    let overflow = inline > limit.inline();
    let mut out = Vec::new();
    for (holding, smaller) in reduced {
        let Some(mut smaller) = smaller else {
            continue;
        };
        let mut notes: Vec<String> = holding.note.iter().cloned().collect();
        let mut form = if holding.inline { "inline" } else { "managed" };
        if holding.inline && (overflow || smaller.documents.len() > 1 || smaller.too_large) {
            form = "managed";
            notes.push(format!(
                "as inline policies, what is left would exceed the {} characters the principal may have: attach it as a managed policy",
                limit.inline()
            ));
            if let Some(again) = reduce(holding, record, tables, fit::MANAGED) {
                smaller = again;
            }
        }
        if smaller.documents.is_empty() {
            notes.push("nothing of it was used: detach it".to_owned());
        }
        if smaller.documents.len() > fit::ATTACHED {
            notes.push(format!(
                "it takes {} policies, a principal may have {} unless the quota is raised",
                smaller.documents.len(),
                fit::ATTACHED
            ));
        }
        if smaller.too_large {
            notes.push("one statement alone is larger than a policy may be".to_owned());
        }
        out.push(listed(holding, &smaller, form, notes, record, tables));
    }
    out
}

fn listed(
    holding: &Holding<'_>,
    smaller: &Smaller,
    form: &str,
    notes: Vec<String>,
    record: &Record<'_>,
    tables: &AwsTables,
) -> SmallerPolicy {
    let table = &tables.actions;
    let mut removed_services: BTreeSet<String> = smaller.unlisted.clone();
    let mut rest = smaller.removed.clone();
    for (service, range) in table.services() {
        if record.service(service) == Seen::Unused && smaller.removed.any_in(range) {
            let mut here = table.none().clone();
            range.clone().for_each(|index| here.insert(index));
            // Actions that no record tells of may still be there.
            let whole = holding
                .policy
                .statements
                .iter()
                .filter(|statement| statement.effect == Effect::Allow)
                .all(|statement| {
                    let mut left = workable(statement, tables);
                    left.keep(&here);
                    left.remove(&smaller.removed);
                    left.is_empty()
                });
            if whole {
                removed_services.insert(service.to_owned());
                rest.remove(&here);
            }
        }
    }
    let mut removed_actions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for level in AccessLevel::ALL {
        let mut here = table.level(level).clone();
        here.keep(&rest);
        let names: Vec<String> = here
            .iter()
            .filter_map(|index| table.name_of(index))
            .collect();
        if !names.is_empty() {
            removed_actions.insert(level.as_str().to_owned(), names);
        }
    }
    SmallerPolicy {
        policy: holding.label.clone(),
        replaces: holding.native_id.clone(),
        form: form.to_owned(),
        sizes: smaller.documents.iter().map(fit::size).collect(),
        documents: smaller.documents.clone(),
        removed_services: removed_services.into_iter().collect(),
        removed_actions,
        removed_by_level: by_level(&smaller.removed, tables),
        notes,
    }
}

/// One document without what was not used; `None` where everything in it was, or may have been.
fn reduce(
    holding: &Holding<'_>,
    record: &Record<'_>,
    tables: &AwsTables,
    most: u32,
) -> Option<Smaller> {
    let plain = rewrite(holding, record, tables, false)?;
    if fit::size(&plain.0) <= most {
        return Some(plain.into_smaller(Vec::new()));
    }
    let short = rewrite(holding, record, tables, true)?;
    if fit::size(&short.0) <= most {
        return Some(short.into_smaller(Vec::new()));
    }
    let parts = fit::split(&short.0, most);
    Some(short.into_smaller(parts))
}

/// A rewritten document, the actions removed, and removed services no table lists.
struct Rewritten(Value, ActionSet, BTreeSet<String>);

impl Rewritten {
    fn into_smaller(self, parts: Vec<Value>) -> Smaller {
        let Self(document, removed, unlisted) = self;
        let left = statements(&document).next().is_some();
        let documents = if !left {
            Vec::new()
        } else if parts.is_empty() {
            vec![document]
        } else {
            parts
        };
        let too_large = documents
            .iter()
            .any(|document| fit::size(document) > fit::MANAGED);
        Smaller {
            documents,
            removed,
            unlisted,
            too_large,
        }
    }
}

fn statements(document: &Value) -> impl Iterator<Item = &Value> {
    let list: &[Value] = match document.get("Statement") {
        Some(Value::Array(list)) => list,
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    list.iter()
}

fn rewrite(
    holding: &Holding<'_>,
    record: &Record<'_>,
    tables: &AwsTables,
    short: bool,
) -> Option<Rewritten> {
    let mut removed = tables.actions.none().clone();
    let mut unlisted = BTreeSet::new();
    let mut kept = Vec::new();
    let mut changed = false;
    for (index, written) in statements(&holding.document).enumerate() {
        let statement = holding
            .policy
            .statements
            .iter()
            .find(|statement| statement.index == index && statement.effect == Effect::Allow);
        let Some(statement) = statement else {
            kept.push(written.clone());
            continue;
        };
        let without = Statement {
            of: statement,
            record,
            tables,
            short,
        };
        match without.actions(&mut removed, &mut unlisted) {
            None => kept.push(written.clone()),
            Some(actions) => {
                changed = true;
                if actions.is_empty() {
                    continue;
                }
                let mut written = written.clone();
                if let Some(object) = written.as_object_mut() {
                    object.remove("NotAction");
                    object.insert("Action".to_owned(), json!(actions));
                }
                kept.push(written);
            }
        }
    }
    if !changed {
        return None;
    }
    let mut document = holding.document.clone().into_owned();
    if let Some(object) = document.as_object_mut() {
        object.insert("Statement".to_owned(), Value::Array(kept));
    }
    Some(Rewritten(document, removed, unlisted))
}

/// A statement that is to be made smaller.
struct Statement<'s> {
    of: &'s CompiledStatement,
    record: &'s Record<'s>,
    tables: &'s AwsTables,
    short: bool,
}

impl Statement<'_> {
    fn table(&self) -> &ActionTable {
        &self.tables.actions
    }

    /// The actions that stay; `None` where all of them do.
    fn actions(
        &self,
        removed: &mut ActionSet,
        unlisted: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        let able = workable(self.of, self.tables);
        let mut gone = able.clone();
        gone.keep(self.record.unused());
        let mut out = Vec::new();
        let mut dropped = BTreeSet::new();
        if self.of.inverted {
            if gone.is_empty() {
                return None;
            }
            self.by_service(&able, &gone, &mut out)?;
        } else {
            for pattern in &self.of.written {
                let service = pattern.split(':').next().unwrap_or(pattern);
                let service = service.to_ascii_lowercase();
                if pattern == "*" {
                    if gone.is_empty() {
                        out.push(pattern.clone());
                    } else {
                        self.by_service(&able, &gone, &mut out)?;
                    }
                } else if self.of.unknown.contains(pattern) {
                    if self.record.service(&service) == Seen::Unused
                        && self.table().service(&service).is_none()
                    {
                        dropped.insert(service);
                    } else {
                        out.push(pattern.clone());
                    }
                } else {
                    self.one(pattern, &service, &gone, &mut out);
                }
            }
        }
        let mut seen = BTreeSet::new();
        out.retain(|pattern| seen.insert(pattern.to_ascii_lowercase()));
        if gone.is_empty() && dropped.is_empty() {
            return None;
        }
        removed.unite(&gone);
        unlisted.extend(dropped);
        Some(out)
    }

    /// What stays of a pattern within one service.
    fn one(&self, pattern: &str, service: &str, gone: &ActionSet, out: &mut Vec<String>) {
        let matched = self.matched(pattern, service);
        if !matched.meets(gone) {
            out.push(pattern.to_owned());
            return;
        }
        let mut kept = matched;
        kept.remove(gone);
        if let Some(range) = self.table().service(service) {
            self.names(&kept, range, service, out);
        }
    }

    /// What stays of every action, or of every action but a few, service by service. `None` where that cannot be said.
    fn by_service(&self, able: &ActionSet, gone: &ActionSet, out: &mut Vec<String>) -> Option<()> {
        for (service, range) in self.table().services() {
            if !able.any_in(range) {
                continue;
            }
            let whole = format!("{service}:*");
            if !gone.any_in(range) && self.may(&whole) {
                out.push(whole);
                continue;
            }
            let mut kept = able.clone();
            kept.remove(gone);
            if kept.any_in(range) {
                self.names(&kept, range, service, out);
            }
        }
        // Services in use that the table does not have.
        for service in self.record.services_used() {
            if self.table().service(service).is_none() && valid_action(service, "*") {
                let whole = format!("{service}:*");
                if self.may(&whole) {
                    out.push(whole);
                } else if !(self.of.inverted
                    && self.written().any(|gone| matcher::covers(&gone, &whole)))
                {
                    return None;
                }
            }
        }
        Some(())
    }

    /// Known actions one pattern matches.
    fn matched(&self, pattern: &str, service: &str) -> ActionSet {
        let table = self.table();
        let mut set = table.none().clone();
        let Some((_, name)) = pattern.split_once(':') else {
            return set;
        };
        let name = name.to_ascii_lowercase();
        if let Some(range) = table.service(service)
            && valid_action(service, &name)
        {
            for (index, known) in table.names(range.clone()) {
                if matcher::matches(&name, known) {
                    set.insert(index);
                }
            }
        }
        set
    }

    /// Names of kept actions of a service; in short form, patterns that match no other known action.
    fn names(&self, kept: &ActionSet, range: &Range<usize>, service: &str, out: &mut Vec<String>) {
        let table = self.table();
        let mut covered = table.none().clone();
        for index in range.clone().filter(|index| kept.contains(*index)) {
            let Some(name) = table.name_of(index) else {
                continue;
            };
            if covered.contains(index) {
                continue;
            }
            let pattern = self
                .short
                .then(|| self.shortest(&name, kept, range, service, &mut covered))
                .flatten();
            out.push(pattern.unwrap_or(name));
        }
    }

    /// The shortest run of words of a name that begins no action but kept ones, at least two of them.
    fn shortest(
        &self,
        name: &str,
        kept: &ActionSet,
        range: &Range<usize>,
        service: &str,
        covered: &mut ActionSet,
    ) -> Option<String> {
        let table = self.table();
        let (_, bare) = name.split_once(':')?;
        let words = bare
            .char_indices()
            .filter(|(at, letter)| *at > 0 && letter.is_ascii_uppercase())
            .map(|(at, _)| at);
        for end in words {
            let begin = bare.get(..end)?.to_ascii_lowercase();
            let group: Vec<usize> = table
                .names(range.clone())
                .filter(|(_, known)| known.starts_with(begin.as_str()))
                .map(|(index, _)| index)
                .collect();
            let pattern = format!("{service}:{}*", bare.get(..end)?);
            if group.len() > 1
                && group.iter().all(|index| kept.contains(*index))
                && self.may(&pattern)
            {
                for index in group {
                    covered.insert(index);
                }
                return Some(pattern);
            }
        }
        None
    }

    /// Whether the statement lets through everything a pattern could mean, actions to come included.
    fn may(&self, pattern: &str) -> bool {
        let lower = pattern.to_ascii_lowercase();
        if self.of.inverted {
            return !self
                .written()
                .any(|spared| matcher::intersects(&spared, &lower));
        }
        self.written().any(|given| matcher::covers(&given, &lower))
    }

    /// The patterns of the statement that match anything, in lower case.
    fn written(&self) -> impl Iterator<Item = String> + '_ {
        let valid = |pattern: &&String| {
            pattern.as_str() == "*"
                || pattern
                    .split_once(':')
                    .is_some_and(|(service, name)| valid_action(service, name))
        };
        self.of
            .written
            .iter()
            .filter(valid)
            .map(|pattern| pattern.to_ascii_lowercase())
    }
}
