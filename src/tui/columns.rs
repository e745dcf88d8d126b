//! The columns of each view: what a cell says, and what sorting by it compares.

use super::data::{Data, Item};
use super::ledger::{self, Verdict, words};
use super::mode::View;
use crate::model::brief::{CredentialRow, Place};
use crate::model::{Severity, Ternary};
use crate::report::text::line;
use std::cmp::Reverse;

/// One column.
#[derive(Clone, Copy)]
pub(super) struct Column {
    /// Title.
    pub title: &'static str,
    /// Width in cells; 0 takes what is left.
    pub width: u16,
    /// Least width of the screen that has room for it.
    pub from: u16,
    /// What it says.
    pub cell: fn(&Data<'_>, Item) -> String,
    /// What sorting by it compares; the worst, newest or first comes first.
    pub order: fn(&Data<'_>, Item) -> Order,
}

/// What sorting compares. What is not known comes last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// The greatest first.
    Most(Reverse<i64>),
    /// By the alphabet.
    Text(String),
    /// Not known.
    Last,
}

impl Order {
    fn most(value: Option<i64>) -> Self {
        value.map_or(Self::Last, |value| Self::Most(Reverse(value)))
    }

    fn text(text: &str) -> Self {
        if text.is_empty() {
            Self::Last
        } else {
            Self::Text(text.to_lowercase())
        }
    }
}

const fn column(
    title: &'static str,
    width: u16,
    from: u16,
    cell: fn(&Data<'_>, Item) -> String,
    order: fn(&Data<'_>, Item) -> Order,
) -> Column {
    Column {
        title,
        width,
        from,
        cell,
        order,
    }
}

const FINDINGS: &[Column] = &[
    column("severity", 8, 0, severity, |data, item| {
        Order::most(data.finding(item).map(|each| rank(each.severity)))
    }),
    column("state", 14, 100, state, |data, item| {
        Order::text(&state(data, item))
    }),
    column("risk", 4, 90, risk, by_risk),
    column("rule", 26, 0, rule, |data, item| {
        Order::text(&rule(data, item))
    }),
    column("what", 0, 0, title, |data, item| {
        Order::text(&title(data, item))
    }),
    column("age", 6, 110, age, by_age),
    column("used", 6, 180, used, by_use),
    column("tier", 4, 140, tier, by_tier),
    column("owner", 16, 130, owner, |data, item| {
        Order::text(&owner(data, item))
    }),
    column("account", 14, 160, account, |data, item| {
        Order::text(&account(data, item))
    }),
    column("place", 40, 150, place, |data, item| {
        Order::text(&place(data, item))
    }),
];

const IDENTITIES: &[Column] = &[
    column("risk", 4, 0, risk, by_risk),
    column("band", 8, 70, band, by_risk),
    column("type", 20, 0, kind, |data, item| {
        Order::text(&kind(data, item))
    }),
    column("name", 0, 0, name, |data, item| {
        Order::text(&name(data, item))
    }),
    column("tier", 4, 100, tier, by_tier),
    column("age", 6, 110, age, by_age),
    column("used", 6, 120, used, by_use),
    column("owner", 16, 90, owner, |data, item| {
        Order::text(&owner(data, item))
    }),
    column("account", 14, 140, account, |data, item| {
        Order::text(&account(data, item))
    }),
    column("decision", 22, 0, disposition, |data, item| {
        Order::text(&disposition(data, item))
    }),
];

const CREDENTIALS: &[Column] = &[
    column("risk", 4, 0, risk, by_risk),
    column("band", 8, 70, band, by_risk),
    column("type", 22, 0, kind, |data, item| {
        Order::text(&kind(data, item))
    }),
    column("credential", 24, 0, name, |data, item| {
        Order::text(&name(data, item))
    }),
    column("state", 8, 100, status, |data, item| {
        Order::text(&status(data, item))
    }),
    column("age", 6, 90, age, by_age),
    column("used", 6, 110, used, by_use),
    column("tier", 4, 120, tier, by_tier),
    column("owner", 16, 140, owner, |data, item| {
        Order::text(&owner(data, item))
    }),
    column("seen", 5, 80, seen, |data, item| {
        Order::most(data.credential(item).map(|each| length(each.places.len())))
    }),
    column("place", 0, 0, place, |data, item| {
        Order::text(&place(data, item))
    }),
    column("decision", 22, 130, disposition, |data, item| {
        Order::text(&disposition(data, item))
    }),
];

const PLAN: &[Column] = &[
    column("wave", 4, 0, wave, |data, item| {
        Order::most(data.plan(item).map(|each| -i64::from(each.wave)))
    }),
    column("risk", 9, 0, risk_change, |data, item| {
        Order::most(
            data.plan(item)
                .map(|each| i64::from(each.before) - i64::from(each.after)),
        )
    }),
    column("work", 4, 90, effort, |data, item| {
        Order::text(&effort(data, item))
    }),
    column("ready", 6, 0, ready, |data, item| {
        Order::text(&ready(data, item))
    }),
    column("decision", 22, 110, disposition, |data, item| {
        Order::text(&disposition(data, item))
    }),
    column("what", 0, 0, title, |data, item| {
        Order::text(&title(data, item))
    }),
    column("owner", 16, 120, owner, |data, item| {
        Order::text(&owner(data, item))
    }),
];

const COVERAGE: &[Column] = &[
    column("status", 11, 0, status, |data, item| {
        Order::text(&status(data, item))
    }),
    column("source", 12, 0, kind, |data, item| {
        Order::text(&kind(data, item))
    }),
    column("unit", 32, 0, name, |data, item| {
        Order::text(&name(data, item))
    }),
    column("reason", 0, 0, title, |data, item| {
        Order::text(&title(data, item))
    }),
];

const DECISIONS: &[Column] = &[
    column("day", 10, 0, day, |data, item| {
        Order::most(data.event(item).map(|event| event.at.as_second()))
    }),
    column("who", 12, 0, owner, |data, item| {
        Order::text(&owner(data, item))
    }),
    column("what", 22, 0, disposition, |data, item| {
        Order::text(&disposition(data, item))
    }),
    column("about", 0, 0, title, |data, item| {
        Order::text(&title(data, item))
    }),
    column("until", 10, 90, until, |data, item| {
        Order::text(&until(data, item))
    }),
    column("reason", 40, 120, rule, |data, item| {
        Order::text(&rule(data, item))
    }),
];

/// Columns of a view.
pub(super) const fn of(view: View) -> &'static [Column] {
    match view {
        View::Start => &[],
        View::Findings => FINDINGS,
        View::Identities => IDENTITIES,
        View::Credentials => CREDENTIALS,
        View::Plan => PLAN,
        View::Coverage => COVERAGE,
        View::Decisions => DECISIONS,
    }
}

/// Word that gives a row its colour: severity, band or status.
pub(super) fn level(data: &Data<'_>, item: Item) -> &'static str {
    let word = match item {
        Item::Finding(_) => data.finding(item).map(|each| each.severity.as_str()),
        Item::Coverage(_) => data.coverage(item).map(|each| each.status.as_str()),
        Item::Decision(_) => None,
        _ => data.assessment(item).map(|each| each.band.as_str()),
    };
    word.unwrap_or_default()
}

/// Severity as a number, the worst the greatest.
pub(super) fn rank(severity: Severity) -> i64 {
    severity as i64
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn severity(data: &Data<'_>, item: Item) -> String {
    let finding = data.finding(item);
    finding.map_or_else(String::new, |each| each.severity.to_string())
}

/// Where a finding stands: what was decided about it, else how it compares with the run before.
pub(super) fn state(data: &Data<'_>, item: Item) -> String {
    let Some(finding) = data.finding(item) else {
        return String::new();
    };
    match data.ledger.verdict(&data.brief, finding) {
        Some(Verdict::Decided(event)) => words(&event.decision),
        Some(Verdict::Expired(_)) => "expired".to_owned(),
        Some(Verdict::Conflict) => "conflict".to_owned(),
        None => finding.status.as_str().to_owned(),
    }
}

fn risk(data: &Data<'_>, item: Item) -> String {
    data.assessment(item)
        .map_or_else(String::new, |each| each.score.to_string())
}

fn by_risk(data: &Data<'_>, item: Item) -> Order {
    Order::most(data.assessment(item).map(|each| i64::from(each.score)))
}

fn band(data: &Data<'_>, item: Item) -> String {
    data.assessment(item)
        .map_or_else(String::new, |each| each.band.as_str().to_owned())
}

fn rule(data: &Data<'_>, item: Item) -> String {
    match (data.finding(item), data.event(item)) {
        (Some(finding), _) => data.text(finding.rule).to_owned(),
        (_, Some(event)) => line(&event.reason).into_owned(),
        _ => String::new(),
    }
}

/// What a row is about, in a sentence.
pub(super) fn title(data: &Data<'_>, item: Item) -> String {
    let text = match item {
        Item::Finding(_) => data
            .finding(item)
            .map(|each| data.text(each.title).to_owned()),
        Item::Plan(_) => data.plan(item).map(|each| data.text(each.title).to_owned()),
        Item::Coverage(_) => data.coverage(item).map(|each| each.reason.clone()),
        Item::Decision(_) => data.event(item).map(|event| {
            let id = ledger::about(event);
            match data.find(&id) {
                Some(item) => format!("{id} {}", title(data, item)),
                None if event.scope.one().is_none() => id,
                None => format!("{id}, which this run does not have"),
            }
        }),
        _ => Some(name(data, item)),
    };
    line(&text.unwrap_or_default()).into_owned()
}

fn kind(data: &Data<'_>, item: Item) -> String {
    match item {
        Item::Identity(_) => data.identity(item).map(|each| data.text(each.kind)),
        Item::Credential(_) => data.credential(item).map(|each| data.text(each.kind)),
        Item::Coverage(_) => data.coverage(item).map(|each| each.source.as_str()),
        _ => None,
    }
    .unwrap_or_default()
    .to_owned()
}

/// What a credential is known by: its public id, its name in a store, what is shown of it, or its id.
pub(super) fn credential_name<'d>(data: &'d Data<'_>, credential: &CredentialRow) -> &'d str {
    let names = [
        credential.public_id,
        credential.reference,
        credential.redacted,
    ];
    let name = names.into_iter().find_map(|name| data.brief.maybe(name));
    name.unwrap_or_else(|| data.text(credential.id))
}

/// The name of an identity, credential or unit of coverage.
pub(super) fn name(data: &Data<'_>, item: Item) -> String {
    let text = match item {
        Item::Identity(_) => data.identity(item).map(|each| data.text(each.name)),
        Item::Credential(_) => data
            .credential(item)
            .map(|each| credential_name(data, each)),
        Item::Coverage(_) => data.coverage(item).map(|each| each.unit.as_str()),
        _ => None,
    };
    line(text.unwrap_or_default()).into_owned()
}

fn status(data: &Data<'_>, item: Item) -> String {
    match item {
        Item::Credential(_) => data
            .credential(item)
            .map(|each| each.status.as_str().to_owned()),
        Item::Coverage(_) => data
            .coverage(item)
            .map(|each| each.status.as_str().to_owned()),
        _ => None,
    }
    .unwrap_or_default()
}

fn tier(data: &Data<'_>, item: Item) -> String {
    data.identity(item)
        .map_or_else(String::new, |each| format!("P{}", each.tier))
}

/// Days since the credential, else the identity, came to be.
fn age_days(data: &Data<'_>, item: Item) -> Option<i64> {
    let of_credential = || {
        let credential = data.credential(item)?;
        credential.age.or(credential.introduced)
    };
    let days = of_credential().or_else(|| data.identity(item)?.age);
    days.map(|days| days.max(0))
}

fn age(data: &Data<'_>, item: Item) -> String {
    age_days(data, item).map_or_else(String::new, |days| format!("{days} d"))
}

/// Days since the credential, else the identity, was last used.
fn idle_days(data: &Data<'_>, item: Item) -> Option<i64> {
    let of_credential = || data.credential(item)?.idle;
    of_credential().or_else(|| data.identity(item)?.idle)
}

fn used(data: &Data<'_>, item: Item) -> String {
    idle_days(data, item).map_or_else(String::new, |days| format!("{days} d"))
}

fn by_use(data: &Data<'_>, item: Item) -> Order {
    Order::most(idle_days(data, item))
}

/// What it reaches, by the privilege of its identity.
fn by_tier(data: &Data<'_>, item: Item) -> Order {
    let identity = data.identity(item);
    Order::most(identity.map(|each| i64::from(each.tier)))
}

fn by_age(data: &Data<'_>, item: Item) -> Order {
    Order::most(age_days(data, item))
}

/// Who owns it; of a decision, who made it.
pub(super) fn owner(data: &Data<'_>, item: Item) -> String {
    if let Some(event) = data.event(item) {
        return line(&event.actor).into_owned();
    }
    let Some(identity) = data.identity(item) else {
        return String::new();
    };
    let said = data.ledger.owner(&data.brief, identity.id);
    line(said.unwrap_or_else(|| data.text(identity.owner))).into_owned()
}

/// The cloud account.
pub(super) fn account(data: &Data<'_>, item: Item) -> String {
    let account = data.identity(item).map(|each| data.text(each.account));
    account.unwrap_or_default().to_owned()
}

/// The first place of a finding, else of its credential.
pub(super) fn first_place<'d>(data: &'d Data<'_>, item: Item) -> Option<&'d Place> {
    let of_finding = || data.brief.places(data.finding(item)?.places).first();
    let of_credential = || data.brief.places(data.credential(item)?.places).first();
    of_finding().or_else(of_credential)
}

/// The first place of it; of a credential that was seen nowhere, how it is kept.
pub(super) fn place(data: &Data<'_>, item: Item) -> String {
    if let Some(first) = first_place(data, item) {
        return line(&data.brief.display(first)).into_owned();
    }
    let storage = data.credential(item).map(|each| data.text(each.storage));
    storage.unwrap_or_default().to_owned()
}

fn seen(data: &Data<'_>, item: Item) -> String {
    data.credential(item)
        .map_or_else(String::new, |each| each.places.len().to_string())
}

/// What the program says is to be done; of a decision, what was decided.
pub(super) fn disposition(data: &Data<'_>, item: Item) -> String {
    if let Some(event) = data.event(item) {
        return line(&words(&event.decision)).into_owned();
    }
    if let Some(plan) = data.plan(item) {
        return plan.disposition.title().to_owned();
    }
    data.assessment(item)
        .map_or_else(String::new, |each| each.disposition.title().to_owned())
}

fn wave(data: &Data<'_>, item: Item) -> String {
    data.plan(item)
        .map_or_else(String::new, |each| each.wave.to_string())
}

fn risk_change(data: &Data<'_>, item: Item) -> String {
    data.plan(item).map_or_else(String::new, |each| {
        format!("{} → {}", each.before, each.after)
    })
}

fn effort(data: &Data<'_>, item: Item) -> String {
    data.plan(item)
        .map_or_else(String::new, |each| data.text(each.effort).to_owned())
}

/// Readiness in three letters: issue, observe, revoke; `+` yes, `-` no, `?` not known.
fn ready(data: &Data<'_>, item: Item) -> String {
    data.plan(item).map_or_else(String::new, |each| {
        let sign = |answer: Ternary| match answer {
            Ternary::Yes => '+',
            Ternary::No => '-',
            Ternary::Unknown => '?',
        };
        [('i', each.issue), ('o', each.observe), ('r', each.revoke)]
            .into_iter()
            .flat_map(|(letter, answer)| [letter, sign(answer)])
            .collect()
    })
}

fn day(data: &Data<'_>, item: Item) -> String {
    data.event(item).map_or_else(String::new, |event| {
        event.at.strftime("%Y-%m-%d").to_string()
    })
}

fn until(data: &Data<'_>, item: Item) -> String {
    data.event(item)
        .and_then(|event| event.expires)
        .map_or_else(String::new, |date| date.to_string())
}
