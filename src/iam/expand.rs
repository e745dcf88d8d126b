//! Effective permissions: what is left of a principal's allows after its denies and its boundary, as cells of actions on
//! one resource pattern.

use super::arn::{ArnPattern, Breadth};
use super::compile::{self, CompiledPolicy, CompiledStatement, ResourceItem, workable};
use super::condition::{self, Truth};
use super::context::Context;
use super::matcher;
use super::policy::{Condition, Effect, Selection};
use super::variables::{self, Resolved};
use crate::rules::aws::{ActionSet, ActionTable};
use std::sync::Arc;

/// Resources that one deny may spare for what it leaves there to be told apart.
const MAX_SPARED: usize = 32;

/// One policy as a principal holds it.
#[derive(Clone, Debug)]
pub struct Held<'a> {
    /// How people find it: ``policy `X` `` or ``group `g`, policy `X` ``.
    pub label: String,
    /// The policy.
    pub policy: &'a CompiledPolicy,
}

/// A principal's policies and what is known of its requests.
#[derive(Clone, Debug)]
pub struct Holder<'a> {
    /// Policies that give permissions.
    pub held: Vec<Held<'a>>,
    /// Sets of policies each of which must allow what the principal does: its permission boundary, and each level of
    /// its organization's service control policies. What they deny is denied.
    pub limits: Vec<Vec<&'a CompiledPolicy>>,
    /// Known condition keys.
    pub context: Context,
}

/// A condition that a scan cannot decide, of the statement it stands in.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'a> {
    /// The condition.
    pub condition: &'a Condition,
    /// Variables in it are replaced.
    pub variables: bool,
}

/// Actions that one statement allows on one resource pattern.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    /// Position of the policy among those held.
    pub held: usize,
    /// The statement.
    pub statement: &'a CompiledStatement,
    /// Known actions.
    pub actions: Arc<ActionSet>,
    /// Action patterns AWS does not list, as written.
    pub unknown: Vec<&'a str>,
    /// Resources.
    pub pattern: ArnPattern,
    /// Patterns of the boundary and the control policies, where they limit further.
    pub within: Vec<ArnPattern>,
    /// Resources left out.
    pub except: Vec<ArnPattern>,
    /// Conditions a scan cannot decide.
    pub gates: Vec<Gate<'a>>,
    /// A condition or a variable picks among the resources, so the pattern is wider than the permission.
    pub narrowed: bool,
    /// The resource is the principal's own (`user/${aws:username}`).
    pub own: bool,
}

impl Cell<'_> {
    /// How much it takes in; never more than several where something narrows it.
    pub fn breadth(&self) -> Breadth {
        let mut breadth = self.pattern.breadth();
        for within in &self.within {
            breadth = breadth.min(within.breadth());
        }
        if self.narrowed {
            breadth = breadth.min(Breadth::Several);
        }
        breadth
    }

    /// Whether an ARN lies in its resources.
    pub fn reaches(&self, arn: &str) -> bool {
        self.pattern.matches(arn)
            && self.within.iter().all(|within| within.matches(arn))
            && !self.except.iter().any(|except| except.matches(arn))
    }

    /// Its open conditions in words, sorted.
    pub fn conditions(&self) -> Vec<String> {
        let mut words: Vec<String> = self
            .gates
            .iter()
            .map(|gate| gate.condition.words())
            .collect();
        words.sort();
        words.dedup();
        words
    }
}

/// A deny statement with its resources resolved for the principal.
#[derive(Clone, Debug)]
struct Deny<'a> {
    statement: &'a CompiledStatement,
    resources: Selection<ArnPattern>,
    /// `Yes`, or `Unknown` when a condition decides.
    truth: Truth,
}

impl Deny<'_> {
    fn covers(&self, pattern: &ArnPattern) -> bool {
        match &self.resources {
            Selection::Absent => false,
            Selection::Only(list) => list.iter().any(|denied| denied.covers(pattern)),
            Selection::Except(list) => !list.iter().any(|spared| spared.intersects(pattern)),
        }
    }

    fn reaches(&self, arn: &str) -> bool {
        match &self.resources {
            Selection::Absent => false,
            Selection::Only(list) => list.iter().any(|denied| denied.matches(arn)),
            Selection::Except(list) => !list.iter().any(|spared| spared.matches(arn)),
        }
    }
}

/// What lets a principal do one action on one resource.
#[derive(Clone, Debug)]
pub struct Grip<'a, 'b> {
    /// The cell.
    pub cell: &'b Cell<'a>,
    /// Conditions it hangs on, in words.
    pub depends_on: Vec<String>,
}

/// Effective permissions of one principal, an upper bound: organisation and session policies are not in the scan.
#[derive(Clone, Debug)]
pub struct Effective<'a> {
    /// What is allowed.
    pub cells: Vec<Cell<'a>>,
    /// Labels of the policies held, by position.
    pub labels: Vec<String>,
    /// Some deny hangs on a condition or on part of the resources.
    pub partly_denied: bool,
    denies: Vec<Deny<'a>>,
    union: ActionSet,
    none: ActionSet,
}

impl<'a> Effective<'a> {
    /// Works out what a principal may do.
    pub fn of(holder: &Holder<'a>, table: &ActionTable) -> Self {
        let mut denies = Vec::new();
        for policy in holder
            .held
            .iter()
            .map(|held| held.policy)
            .chain(holder.limits.iter().flatten().copied())
        {
            for statement in &policy.statements {
                if statement.effect == Effect::Deny {
                    denies.extend(deny(statement, &holder.context));
                }
            }
        }
        let mut effective = Self {
            cells: Vec::new(),
            labels: holder.held.iter().map(|held| held.label.clone()).collect(),
            partly_denied: denies.iter().any(|deny| deny.truth == Truth::Unknown),
            denies,
            union: table.none().clone(),
            none: table.none().clone(),
        };
        for (position, held) in holder.held.iter().enumerate() {
            for statement in &held.policy.statements {
                if statement.effect == Effect::Allow {
                    effective.add(position, statement, holder, table);
                }
            }
        }
        let mut union = table.none().clone();
        for cell in &effective.cells {
            union.unite(&cell.actions);
        }
        effective.union = union;
        effective
    }

    /// Every known action it may do on anything.
    pub const fn actions(&self) -> &ActionSet {
        &self.union
    }

    /// Known actions it may do on every resource; `surely`: without any condition.
    pub fn everywhere(&self, surely: bool) -> ActionSet {
        let mut set = self.none.clone();
        for cell in &self.cells {
            if (!surely || cell.gates.is_empty()) && cell.breadth() == Breadth::Everything {
                set.unite(&cell.actions);
            }
        }
        set
    }

    /// Whether a deny that hangs on a condition takes away one of the actions.
    pub fn perhaps_denies(&self, actions: &ActionSet) -> bool {
        self.denies
            .iter()
            .any(|deny| deny.truth == Truth::Unknown && deny.statement.actions.meets(actions))
    }

    /// Resource patterns on which it may do an action.
    pub fn patterns(&self, action: usize) -> Vec<&ArnPattern> {
        self.cells
            .iter()
            .filter(|cell| cell.actions.contains(action))
            .map(|cell| &cell.pattern)
            .collect()
    }

    /// What lets it do an action on a resource, in a context that may know more than its own.
    pub fn grip<'b>(&'b self, action: usize, arn: &str, context: &Context) -> Option<Grip<'a, 'b>> {
        self.best(
            action,
            context,
            |cell| cell.reaches(arn),
            |deny| deny.reaches(arn),
        )
    }

    /// What lets it do an action on some resource at all.
    pub fn grip_anywhere<'b>(&'b self, action: usize, context: &Context) -> Option<Grip<'a, 'b>> {
        // Denies that cover a cell's whole pattern have been taken off already.
        self.best(action, context, |_| true, |_| false)
    }

    /// `None` when a deny certainly stops the action on a resource, else the conditions under which one does.
    pub fn not_denied(&self, action: usize, arn: &str, context: &Context) -> Option<Vec<String>> {
        self.undenied(action, context, |deny| deny.reaches(arn))
    }

    fn undenied(
        &self,
        action: usize,
        context: &Context,
        denied: impl Fn(&Deny<'a>) -> bool,
    ) -> Option<Vec<String>> {
        let mut depends_on = Vec::new();
        for deny in &self.denies {
            if !deny.statement.actions.contains(action) || !denied(deny) {
                continue;
            }
            let truth = deny.truth.and(condition::all_hold(
                &deny.statement.conditions,
                context,
                deny.statement.variables,
            ));
            match truth {
                Truth::Yes => return None,
                Truth::No => {}
                Truth::Unknown => depends_on.extend(
                    deny.statement
                        .conditions
                        .iter()
                        .map(|condition| format!("not ({})", condition.words())),
                ),
            }
        }
        Some(depends_on)
    }

    fn best<'b>(
        &'b self,
        action: usize,
        context: &Context,
        reaches: impl Fn(&Cell<'a>) -> bool,
        denied: impl Fn(&Deny<'a>) -> bool,
    ) -> Option<Grip<'a, 'b>> {
        if !self.union.contains(action) {
            return None;
        }
        let depends_on = self.undenied(action, context, denied)?;
        let mut best: Option<Grip<'a, 'b>> = None;
        for cell in &self.cells {
            if !cell.actions.contains(action) || !reaches(cell) {
                continue;
            }
            let mut open = Vec::new();
            let mut holds = true;
            for gate in &cell.gates {
                match condition::holds(gate.condition, context, gate.variables) {
                    Truth::Yes => {}
                    Truth::No => holds = false,
                    Truth::Unknown => open.push(gate.condition.words()),
                }
            }
            if holds
                && best
                    .as_ref()
                    .is_none_or(|known| open.len() < known.depends_on.len())
            {
                let done = open.is_empty();
                best = Some(Grip {
                    cell,
                    depends_on: open,
                });
                if done {
                    break;
                }
            }
        }
        best.map(|mut grip| {
            grip.depends_on.extend(depends_on);
            grip.depends_on.sort();
            grip.depends_on.dedup();
            grip
        })
    }

    fn add(
        &mut self,
        held: usize,
        statement: &'a CompiledStatement,
        holder: &Holder<'a>,
        table: &ActionTable,
    ) {
        let context = &holder.context;
        let mut gates = Vec::new();
        if !open_gates(statement, context, &mut gates) {
            return;
        }
        let narrowed = gates.iter().any(|gate| narrows(&gate.condition.key));
        let cell = |pattern: ArnPattern, actions: Arc<ActionSet>| Cell {
            held,
            statement,
            actions,
            unknown: statement.unknown.iter().map(String::as_str).collect(),
            pattern,
            within: Vec::new(),
            except: Vec::new(),
            gates: gates.clone(),
            narrowed,
            own: false,
        };
        match &statement.resources {
            Selection::Absent => {}
            Selection::Only(items) => {
                for item in items {
                    match item {
                        ResourceItem::Pattern(pattern, actions) => {
                            self.limit(cell(pattern.clone(), Arc::clone(actions)), holder, table);
                        }
                        ResourceItem::Variable(text) => {
                            let (resolved, known) = match variables::resolve(text, context) {
                                Resolved::Text(resolved) => (resolved, true),
                                Resolved::Unknown(resolved) => (resolved, false),
                                Resolved::Never => continue,
                            };
                            let Some(pattern) = ArnPattern::parse(&resolved) else {
                                continue;
                            };
                            let actions =
                                Arc::new(workable(&statement.actions, pattern.service(), table));
                            let lower = text.to_ascii_lowercase();
                            let mut cell = cell(pattern, actions);
                            cell.narrowed |= !known;
                            cell.own = known
                                && (lower.contains("${aws:username}")
                                    || lower.contains("${aws:userid}"));
                            self.limit(cell, holder, table);
                        }
                    }
                }
            }
            Selection::Except(items) => {
                let mut cell = cell(ArnPattern::everything(), Arc::clone(&statement.actions));
                cell.except = resolve_all(items, context).0;
                self.limit(cell, holder, table);
            }
        }
    }

    /// Takes off what is denied, then what the limits do not let through.
    fn limit(&mut self, cell: Cell<'a>, holder: &Holder<'a>, table: &ActionTable) {
        let mut cells = vec![cell];
        for deny in self.denies.iter().filter(|deny| deny.truth == Truth::Yes) {
            let mut left = Vec::with_capacity(cells.len());
            for mut cell in cells {
                if deny.statement.actions.meets(&cell.actions) || !cell.unknown.is_empty() {
                    if deny.covers(&cell.pattern) {
                        Arc::make_mut(&mut cell.actions).remove(&deny.statement.actions);
                        cell.unknown
                            .retain(|pattern| !names_all(deny.statement, pattern));
                    } else {
                        self.partly_denied = true;
                        left.extend(spared(&mut cell, deny, table));
                    }
                }
                left.push(cell);
            }
            cells = left;
        }
        for limit in &holder.limits {
            if limit.iter().any(|policy| policy.allows_everything()) {
                continue;
            }
            cells = cells
                .iter()
                .flat_map(|cell| bound(cell, limit, &holder.context))
                .collect();
        }
        for cell in cells {
            self.push(cell);
        }
    }

    fn push(&mut self, cell: Cell<'a>) {
        let something = !cell.actions.is_empty() || !cell.unknown.is_empty();
        let nowhere = cell.except.iter().any(|left| left.covers(&cell.pattern));
        if something && !nowhere {
            self.cells.push(cell);
        }
    }
}

/// Takes off a cell what a deny leaves on certain resources only, and returns that: one cell for each of them.
fn spared<'a>(cell: &mut Cell<'a>, deny: &Deny<'a>, table: &ActionTable) -> Vec<Cell<'a>> {
    let Selection::Except(list) = &deny.resources else {
        return Vec::new();
    };
    if list.len() > MAX_SPARED {
        return Vec::new();
    }
    let mut there = cell.clone();
    Arc::make_mut(&mut there.actions).keep(&deny.statement.actions);
    there
        .unknown
        .retain(|pattern| names_all(deny.statement, pattern));
    Arc::make_mut(&mut cell.actions).remove(&deny.statement.actions);
    cell.unknown
        .retain(|pattern| !names_all(deny.statement, pattern));
    list.iter()
        .filter_map(|left| {
            let mut part = there.clone();
            if !left.is_everything() {
                part.actions = Arc::new(workable(&part.actions, left.service(), table));
            }
            if there.pattern.covers(left) {
                part.within
                    .push(std::mem::replace(&mut part.pattern, left.clone()));
            } else if there.pattern.intersects(left) {
                part.within.push(left.clone());
            } else {
                return None;
            }
            Some(part)
        })
        .collect()
}

/// Splits a cell at the statements of a limit; what none of them lets through is gone.
fn bound<'a>(cell: &Cell<'a>, limit: &[&'a CompiledPolicy], context: &Context) -> Vec<Cell<'a>> {
    let mut out = Vec::new();
    let mut push = |cell: Cell<'a>| {
        if !cell.actions.is_empty() || !cell.unknown.is_empty() {
            out.push(cell);
        }
    };
    let mut rest = (*cell.actions).clone();
    let mut unknown: Vec<&'a str> = cell.unknown.clone();
    for wide in [true, false] {
        for statement in limit.iter().flat_map(|policy| &policy.statements) {
            let mut gates = Vec::new();
            if statement.effect != Effect::Allow
                || !open_gates(statement, context, &mut gates)
                || (!statement.actions.meets(&rest) && unknown.is_empty())
            {
                continue;
            }
            let narrowed = gates.iter().any(|gate| narrows(&gate.condition.key));
            let (limits, inverted) = match &statement.resources {
                Selection::Absent => continue,
                Selection::Only(items) => (resolve_all(items, context).0, false),
                Selection::Except(items) => (resolve_all(items, context).0, true),
            };
            let covering = if inverted {
                !limits.iter().any(|limit| limit.intersects(&cell.pattern))
            } else {
                limits.iter().any(|limit| limit.covers(&cell.pattern))
            };
            // First the statements that let the whole pattern through without a condition, then the others.
            if wide != (covering && gates.is_empty()) {
                continue;
            }
            let mut part = cell.clone();
            let actions = Arc::make_mut(&mut part.actions);
            actions.keep(&rest);
            actions.keep(&statement.actions);
            part.unknown = unknown
                .iter()
                .copied()
                .filter(|pattern| names_some(statement, pattern))
                .collect();
            part.gates.extend(gates);
            part.narrowed |= narrowed;
            if wide {
                rest.remove(&part.actions);
                unknown.retain(|pattern| !part.unknown.contains(pattern));
                push(part);
            } else if covering || inverted {
                if inverted {
                    part.except.extend(limits);
                }
                push(part);
            } else {
                for limit in limits {
                    if cell.pattern.covers(&limit) {
                        let mut part = part.clone();
                        part.within
                            .push(std::mem::replace(&mut part.pattern, limit));
                        push(part);
                    } else if cell.pattern.intersects(&limit) {
                        let mut part = part.clone();
                        part.within.push(limit);
                        push(part);
                    }
                }
            }
        }
    }
    out
}

/// Collects the conditions of a statement that a scan cannot decide. `false` when one certainly fails.
fn open_gates<'a>(
    statement: &'a CompiledStatement,
    context: &Context,
    gates: &mut Vec<Gate<'a>>,
) -> bool {
    for condition in &statement.conditions {
        match condition::holds(condition, context, statement.variables) {
            Truth::Yes => {}
            Truth::No => return false,
            Truth::Unknown => gates.push(Gate {
                condition,
                variables: statement.variables,
            }),
        }
    }
    true
}

/// Whether a condition key speaks of the resource or the content of the request, not of who asks from where.
pub fn narrows(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    match key.strip_prefix("aws:") {
        Some(rest) => {
            rest.starts_with("resourcetag/")
                || rest.starts_with("requesttag/")
                || matches!(
                    rest,
                    "tagkeys"
                        | "calledvia"
                        | "calledviafirst"
                        | "calledvialast"
                        | "viaawsservice"
                        | "resourceaccount"
                        | "resourceorgid"
                        | "resourceorgpaths"
                        | "sourcearn"
                        | "sourceaccount"
                )
        }
        None => true,
    }
}

fn deny<'a>(statement: &'a CompiledStatement, context: &Context) -> Option<Deny<'a>> {
    let mut truth = condition::all_hold(&statement.conditions, context, statement.variables);
    if truth == Truth::No {
        return None;
    }
    let resources = match &statement.resources {
        Selection::Absent => return None,
        Selection::Only(items) => {
            let (list, known) = resolve_all(items, context);
            if !known {
                truth = Truth::Unknown;
            }
            Selection::Only(list)
        }
        Selection::Except(items) => {
            let (list, known) = resolve_all(items, context);
            if !known {
                truth = Truth::Unknown;
            }
            Selection::Except(list)
        }
    };
    Some(Deny {
        statement,
        resources,
        truth,
    })
}

/// Patterns with their variables resolved; `false` when one hangs on what a scan cannot know.
fn resolve_all(items: &[ResourceItem], context: &Context) -> (Vec<ArnPattern>, bool) {
    let mut known = true;
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        match item {
            ResourceItem::Pattern(pattern, _) => list.push(pattern.clone()),
            ResourceItem::Variable(text) => match variables::resolve(text, context) {
                Resolved::Text(text) => list.extend(ArnPattern::parse(&text)),
                Resolved::Unknown(text) => {
                    known = false;
                    list.extend(ArnPattern::parse(&text));
                }
                Resolved::Never => {}
            },
        }
    }
    (list, known)
}

/// Whether the statement's actions take in everything an unlisted pattern could mean.
fn names_all(statement: &CompiledStatement, pattern: &str) -> bool {
    if statement.inverted {
        return !statement
            .written
            .iter()
            .any(|spared| spared == "*" || overlap(spared, pattern));
    }
    statement.written.iter().any(|written| {
        written == "*"
            || matcher::covers(&written.to_ascii_lowercase(), &pattern.to_ascii_lowercase())
    })
}

/// Whether the statement's actions take in something an unlisted pattern could mean.
fn names_some(statement: &CompiledStatement, pattern: &str) -> bool {
    if statement.inverted {
        return !statement
            .written
            .iter()
            .any(|spared| compile::action_matches(spared, pattern));
    }
    statement
        .written
        .iter()
        .any(|written| overlap(written, pattern))
}

fn overlap(one: &str, other: &str) -> bool {
    matcher::intersects(&one.to_ascii_lowercase(), &other.to_ascii_lowercase())
}
