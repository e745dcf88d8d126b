//! How much a set of effective permissions amounts to: the tier, its parts, and the statements behind it.

use super::arn::Breadth;
use super::expand::{Cell, Effective};
use super::matcher;
use crate::rules::aws::{AccessLevel, ActionClass, ActionSet, AwsTables};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Reasons kept for one tier.
const MAX_REASONS: usize = 4;
/// Actions of the administrator class, besides those that manage identities, that an administrator may lack.
const MAX_GUARDED: usize = 3;

/// Sets of actions the judgement asks about, made once.
#[derive(Clone, Debug)]
pub struct Masks {
    write: ActionSet,
    permissions: ActionSet,
    permissions_level: ActionSet,
    secret_store: ActionSet,
    secret: ActionSet,
    data: ActionSet,
    identity_control: ActionSet,
    publish: ActionSet,
    administrator: ActionSet,
    /// Those of them that manage identities: none may be missing.
    core: ActionSet,
    /// Worth having, and able to name resources.
    scopable: ActionSet,
    /// Changes something or reads a secret: without any of these a whole service is only read.
    grave: ActionSet,
    assume_role: Option<usize>,
}

impl Masks {
    /// From the tables.
    pub fn new(tables: &AwsTables) -> Self {
        let actions = &tables.actions;
        let mut write = actions.level(AccessLevel::Write).clone();
        write.unite(actions.level(AccessLevel::Permissions));
        write.remove(tables.class(ActionClass::Telemetry));
        write.remove(tables.class(ActionClass::Computation));
        write.remove(tables.reading());
        let mut permissions_level = actions.level(AccessLevel::Permissions).clone();
        permissions_level.remove(tables.reading());
        let mut permissions = permissions_level.clone();
        permissions.unite(tables.class(ActionClass::Permissions));
        let mut secret = tables.class(ActionClass::SecretStore).clone();
        secret.unite(tables.class(ActionClass::CredentialRead));
        let mut scopable = write.clone();
        scopable.unite(&permissions);
        scopable.unite(&secret);
        scopable.unite(tables.class(ActionClass::DataRead));
        scopable.remove(actions.without_resource());
        let mut grave = write.clone();
        grave.unite(&permissions);
        grave.unite(&secret);
        let mut core = actions.none().clone();
        for service in ["iam", "sts"] {
            for index in actions.service(service).cloned().into_iter().flatten() {
                core.insert(index);
            }
        }
        core.keep(tables.class(ActionClass::Administrator));
        Self {
            core,
            scopable,
            grave,
            write,
            permissions,
            permissions_level,
            secret_store: tables.class(ActionClass::SecretStore).clone(),
            secret,
            data: tables.class(ActionClass::DataRead).clone(),
            identity_control: tables.class(ActionClass::IdentityControl).clone(),
            publish: tables.class(ActionClass::Publish).clone(),
            administrator: tables.class(ActionClass::Administrator).clone(),
            assume_role: actions.index_of("sts:AssumeRole"),
        }
    }
}

impl Masks {
    /// Whether actions allowed on every resource amount to full control of an account: all that manages identities, and
    /// all but a few of the others, which guardrails like to take from everybody.
    pub fn administrates(&self, everywhere: &ActionSet) -> bool {
        if !everywhere.covers(&self.core) {
            return false;
        }
        let mut missing = self.administrator.clone();
        missing.remove(everywhere);
        missing.len() <= MAX_GUARDED
    }

    /// Whether permissions amount to full control, and whether they do without any condition.
    pub fn administrator(&self, effective: &Effective<'_>) -> (bool, bool) {
        let everywhere = effective.everywhere(false);
        if !self.administrates(&everywhere) {
            return (false, false);
        }
        let certain = self.administrates(&effective.everywhere(true))
            && !effective.perhaps_denies(&self.core);
        (true, certain)
    }
}

/// What a set of permissions amounts to, before escalation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// 0–5, as [`Privilege::tier`](crate::model::Privilege::tier).
    pub tier: u8,
    /// Full control of the account.
    pub admin: bool,
    /// Changes resources.
    pub write: bool,
    /// Changes permissions.
    pub permissions: bool,
    /// Reads secrets.
    pub secret: bool,
    /// Reads stored data.
    pub data: bool,
    /// May become roles of other accounts.
    pub cross_account: bool,
    /// A permission worth having covers every resource, where it could name them.
    pub unscoped: bool,
    /// Services wholly allowed on every resource, if anything can be changed in them; `*` for all.
    pub full_services: Vec<String>,
    /// Services reached.
    pub services: Vec<String>,
    /// The statements behind the tier, in words.
    pub reasons: Vec<String>,
}

/// Kinds of access that are worth having, whatever their reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kinds(u8);

impl Kinds {
    const WORDS: [&'static str; 4] = [
        "reads secrets",
        "changes permissions",
        "changes resources",
        "reads stored data",
    ];

    /// What a power has.
    pub fn of(power: &Power) -> Self {
        let has = [power.secret, power.permissions, power.write, power.data];
        let bits = has
            .iter()
            .enumerate()
            .map(|(bit, has)| u8::from(*has) << bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is here and not there.
    #[must_use]
    pub const fn beyond(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// None.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In words, gravest first.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let all = Self::WORDS.iter().enumerate();
        all.filter(move |(bit, _)| self.0 >> bit & 1 == 1)
            .map(|(_, words)| *words)
    }
}

/// Judges permissions of a principal of `account`.
pub fn measure(
    effective: &Effective<'_>,
    account: &str,
    tables: &AwsTables,
    masks: &Masks,
) -> Power {
    let mut gauge = Gauge {
        power: Power::default(),
        tables,
        labels: &effective.labels,
    };
    let table = &tables.actions;
    let everywhere = effective.everywhere(false);
    let mut written = BTreeSet::new();
    let mut unknown_services = BTreeSet::new();
    let mut unknown_full = BTreeSet::new();
    for cell in &effective.cells {
        let breadth = cell.breadth();
        let actions = &*cell.actions;
        gauge.note(1, cell, None);
        for pattern in &cell.unknown {
            let (service, name) = pattern.split_once(':').unwrap_or((pattern, ""));
            unknown_services.insert(service.to_ascii_lowercase());
            if breadth == Breadth::Everything && name == "*" {
                unknown_full.insert(service.to_ascii_lowercase());
            }
            if !tables.reads_by_name(name) {
                gauge.power.write = true;
                gauge.note(if breadth > Breadth::One { 3 } else { 2 }, cell, None);
            }
        }
        let fixed = cell.pattern.belongs_to_aws();
        if actions.meets(&masks.write) && !cell.own && !fixed {
            gauge.power.write = true;
            written.insert(cell.pattern.base());
            let many = breadth > Breadth::One || written.len() > 1;
            gauge.note(if many { 3 } else { 2 }, cell, Some(&masks.write));
        }
        // A user's hold on its own keys and password changes nothing for others.
        let permissions = if cell.own {
            &masks.permissions_level
        } else {
            &masks.permissions
        };
        if actions.meets(permissions) && !fixed {
            gauge.power.permissions = true;
            gauge.note(2, cell, Some(permissions));
        }
        if actions.meets(&masks.secret) {
            gauge.power.secret = true;
            gauge.note(2, cell, Some(&masks.secret));
        }
        if actions.meets(&masks.data) {
            gauge.power.data = true;
            gauge.note(2, cell, Some(&masks.data));
        }
        if breadth >= Breadth::Service && !fixed {
            for mask in [&masks.secret_store, &masks.identity_control, &masks.publish] {
                if actions.meets(mask) {
                    gauge.note(4, cell, Some(mask));
                }
            }
            gauge.power.unscoped |= actions.meets(&masks.scopable);
        }
        if masks
            .assume_role
            .is_some_and(|index| actions.contains(index))
        {
            gauge.power.cross_account |= reaches_other_account(cell, account);
            gauge.note(2, cell, None);
        }
    }
    if masks.administrates(&everywhere) {
        gauge.power.admin = true;
        gauge.power.reasons.clear();
        gauge.power.tier = 5;
        for cell in &effective.cells {
            if cell.breadth() == Breadth::Everything && cell.actions.meets(&masks.administrator) {
                gauge.note(5, cell, Some(&masks.administrator));
            }
        }
    }
    let mut power = gauge.power;
    if power.tier == 0 {
        power
            .reasons
            .push("no policy allows anything that takes effect".to_owned());
    }
    let union = effective.actions();
    if everywhere.covers(table.all()) {
        power.full_services.push("*".to_owned());
    } else {
        for (service, range) in table.services() {
            // A service of one action is no blanket, nor is one that can only be read.
            if range.len() > 1
                && masks.grave.any_in(range)
                && everywhere.count_in(range) == range.len()
            {
                power.full_services.push(service.to_owned());
            }
        }
        power.full_services.extend(unknown_full);
    }
    for (service, range) in table.services() {
        if union.any_in(range) {
            power.services.push(service.to_owned());
        }
    }
    power.services.extend(unknown_services);
    power.services.sort();
    power.services.dedup();
    power.full_services.sort();
    power.full_services.dedup();
    power
}

fn reaches_other_account(cell: &Cell<'_>, account: &str) -> bool {
    let reaches = |pattern: &super::arn::ArnPattern| {
        let named = pattern.account();
        pattern.is_everything() || (named != account && !named.is_empty())
    };
    reaches(&cell.pattern) && cell.within.iter().all(reaches)
}

struct Gauge<'t, 'l> {
    power: Power,
    tables: &'t AwsTables,
    labels: &'l [String],
}

impl Gauge<'_, '_> {
    /// Raises the tier and keeps the reason.
    fn note(&mut self, tier: u8, cell: &Cell<'_>, because: Option<&ActionSet>) {
        if tier < self.power.tier {
            return;
        }
        if tier > self.power.tier {
            self.power.tier = tier;
            self.power.reasons.clear();
        }
        if self.power.reasons.len() < MAX_REASONS {
            let reason = reason(cell, because, self.labels, self.tables);
            if !self.power.reasons.contains(&reason) {
                self.power.reasons.push(reason);
            }
        }
    }
}

/// The statement behind a judgement: `policy X, statement 1 allows s3:PutObject on arn:… (if …)`.
fn reason(
    cell: &Cell<'_>,
    because: Option<&ActionSet>,
    labels: &[String],
    tables: &AwsTables,
) -> String {
    let label = labels.get(cell.held).map_or("a policy", String::as_str);
    let mut text = format!("{label}, {} allows ", cell.statement.label);
    let named = because.and_then(|mask| {
        let mut hits = cell.actions.iter().filter(|index| mask.contains(*index));
        let first = tables.actions.name_of(hits.next()?)?;
        Some((first, hits.count()))
    });
    let blanket = cell
        .statement
        .written
        .iter()
        .find(|pattern| !cell.statement.inverted && pattern.as_str() == "*");
    match (blanket, named) {
        (Some(_), _) => text.push_str("every action"),
        (None, Some((first, more))) => {
            text.push_str(&first);
            if more > 0 {
                let _ = write!(text, " and {more} more");
            }
        }
        (None, None) => {
            if cell.statement.inverted {
                text.push_str("every action but ");
            }
            text.push_str(
                cell.statement
                    .written
                    .first()
                    .map_or("nothing", String::as_str),
            );
            if cell.statement.written.len() > 1 {
                let _ = write!(text, " and {} more", cell.statement.written.len() - 1);
            }
        }
    }
    let _ = write!(text, " on {}", cell.pattern.as_str());
    for within in &cell.within {
        let _ = write!(text, " within {}", within.as_str());
    }
    if !cell.except.is_empty() {
        let _ = write!(text, " but {}", cell.except.len());
    }
    let conditions = cell.conditions();
    if !conditions.is_empty() {
        let _ = write!(text, " (if {})", conditions.join(" and "));
    }
    text
}

/// Tier to assume for a policy whose document is missing, going by its name alone.
pub fn assumed_tier(name: &str) -> u8 {
    let lower = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if matcher::matches("administratoraccess*", &lower) {
        5
    } else if has(&["admin", "iamfull", "poweruser"]) {
        4
    } else if has(&["fullaccess", "write", "deploy", "manage"]) {
        3
    } else if has(&["viewonly", "audit", "list"]) {
        1
    } else {
        2
    }
}
