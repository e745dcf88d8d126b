//! Rows under one heading: one credential in three hundred places is one row.

use super::columns;
use super::data::{Data, Item};
use super::mode::View;
use crate::report::text::line;
use std::borrow::Cow;

/// What rows can have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// The credential, or else the identity.
    Subject,
    /// The credential.
    Credential,
    /// The identity.
    Identity,
    /// The owner.
    Owner,
    /// The repository.
    Repository,
    /// The account.
    Account,
    /// The rule, or the type.
    Rule,
    /// What is to be done.
    Disposition,
    /// The wave.
    Wave,
    /// The severity, band or status.
    Level,
}

impl Grouping {
    /// What makes sense in a view; the first is how it opens, where it opens grouped.
    pub const fn of(view: View) -> &'static [Self] {
        match view {
            View::Start => &[],
            View::Findings => &[
                Self::Subject,
                Self::Credential,
                Self::Identity,
                Self::Owner,
                Self::Repository,
                Self::Account,
                Self::Rule,
                Self::Disposition,
                Self::Level,
            ],
            View::Identities => &[
                Self::Owner,
                Self::Account,
                Self::Rule,
                Self::Disposition,
                Self::Level,
            ],
            View::Credentials => &[
                Self::Identity,
                Self::Owner,
                Self::Repository,
                Self::Account,
                Self::Rule,
                Self::Disposition,
                Self::Level,
            ],
            View::Plan => &[
                Self::Wave,
                Self::Identity,
                Self::Owner,
                Self::Account,
                Self::Disposition,
            ],
            View::Coverage => &[Self::Rule, Self::Level],
            View::Decisions => &[Self::Owner, Self::Disposition],
        }
    }

    /// How a view opens.
    pub const fn opening(view: View) -> Option<Self> {
        match view {
            View::Findings => Some(Self::Subject),
            View::Plan => Some(Self::Wave),
            _ => None,
        }
    }

    /// Name in the menu.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Subject => "credential or identity",
            Self::Credential => "credential",
            Self::Identity => "identity",
            Self::Owner => "owner",
            Self::Repository => "repository",
            Self::Account => "account",
            Self::Rule => "rule or type",
            Self::Disposition => "what to do",
            Self::Wave => "wave",
            Self::Level => "severity or status",
        }
    }

    /// What tells the group of an item from the others.
    pub fn key<'d>(self, data: &'d Data<'_>, item: Item) -> Cow<'d, str> {
        let credential = || data.credential(item).map(|each| data.text(each.id));
        let identity = || data.identity(item).map(|each| data.text(each.id));
        match self {
            Self::Subject => credential().or_else(identity).unwrap_or_default().into(),
            Self::Credential => credential().unwrap_or_default().into(),
            Self::Identity => identity().unwrap_or_default().into(),
            Self::Owner => columns::owner(data, item).into(),
            Self::Repository => {
                let place = columns::first_place(data, item);
                line(place.map_or("", |at| data.text(at.repository)))
            }
            Self::Account => columns::account(data, item).into(),
            Self::Rule => rule(data, item).into(),
            Self::Disposition => columns::disposition(data, item).into(),
            Self::Wave => {
                let wave = data.plan(item).map(|plan| format!("{:06}", plan.wave));
                wave.unwrap_or_default().into()
            }
            Self::Level => columns::level(data, item).into(),
        }
    }

    /// The words of the heading of the group of an item, which has this key.
    pub fn heading(self, data: &Data<'_>, item: Item, key: &str) -> String {
        let named = |kind, name: &str| format!("{} {}", data.text(kind), line(name));
        let credential = || {
            let found = data.credential(item);
            found.map(|each| {
                let words = named(each.kind, columns::credential_name(data, each));
                // What is shown of a secret is the same for all of a kind.
                let named = [each.public_id, each.reference];
                let place = data.brief.places(each.places).first();
                match place.filter(|_| {
                    named
                        .into_iter()
                        .all(|name| data.brief.maybe(name).is_none())
                }) {
                    Some(place) => format!("{words} at {}", line(&data.brief.display(place))),
                    None => words,
                }
            })
        };
        let identity = || {
            let found = data.identity(item);
            found.map(|each| named(each.kind, data.text(each.name)))
        };
        let (heading, nothing) = match self {
            Self::Subject => (credential().or_else(identity), "nothing in particular"),
            Self::Credential => (credential(), "no credential"),
            Self::Identity => (identity(), "no identity"),
            Self::Owner => (None, "nobody"),
            Self::Repository => (None, "no repository"),
            Self::Account => (None, "no account"),
            Self::Rule => (None, "no rule"),
            Self::Disposition | Self::Level => (None, "not judged"),
            Self::Wave => {
                let wave = data.plan(item).map(|plan| format!("Wave {}", plan.wave));
                (wave, "no wave")
            }
        };
        let said = if key.is_empty() { nothing } else { key };
        heading.unwrap_or_else(|| said.to_owned())
    }
}

fn rule<'d>(data: &'d Data<'_>, item: Item) -> &'d str {
    let text = match item {
        Item::Finding(_) => data.finding(item).map(|each| data.text(each.rule)),
        Item::Identity(_) => data.identity(item).map(|each| data.text(each.kind)),
        Item::Credential(_) => data.credential(item).map(|each| data.text(each.kind)),
        Item::Coverage(_) => data.coverage(item).map(|each| each.source.as_str()),
        Item::Plan(_) | Item::Decision(_) => None,
    };
    text.unwrap_or_default()
}
