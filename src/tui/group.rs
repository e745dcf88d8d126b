//! Rows under one heading: one credential in three hundred places is one row.

use super::columns;
use super::data::{Data, Item};
use super::mode::View;

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

    /// What tells the group of an item from the others: a key, and the words of its heading.
    pub fn key(self, data: &Data<'_>, item: Item) -> (String, String) {
        let said = |text: String, nothing: &str| {
            if text.is_empty() {
                (String::new(), nothing.to_owned())
            } else {
                (text.clone(), text)
            }
        };
        let credential = || {
            data.credential(item).map(|each| {
                let name = crate::report::text::line(columns::credential_name(data, each));
                let kind = data.text(each.kind);
                (data.text(each.id).to_owned(), format!("{kind} {name}"))
            })
        };
        let identity = || {
            data.identity(item).map(|each| {
                let name = crate::report::text::line(data.text(each.name));
                let kind = data.text(each.kind);
                (data.text(each.id).to_owned(), format!("{kind} {name}"))
            })
        };
        let none = |what: &str| (String::new(), what.to_owned());
        match self {
            Self::Subject => credential()
                .or_else(identity)
                .unwrap_or_else(|| none("nothing in particular")),
            Self::Credential => credential().unwrap_or_else(|| none("no credential")),
            Self::Identity => identity().unwrap_or_else(|| none("no identity")),
            Self::Owner => said(columns::owner(data, item), "nobody"),
            Self::Repository => said(repository(data, item), "no repository"),
            Self::Account => said(columns::account(data, item), "no account"),
            Self::Rule => said(rule(data, item), "no rule"),
            Self::Disposition => said(columns::disposition(data, item), "not judged"),
            Self::Wave => data.plan(item).map_or_else(
                || none("no wave"),
                |plan| (format!("{:06}", plan.wave), format!("Wave {}", plan.wave)),
            ),
            Self::Level => said(columns::level(data, item), "not judged"),
        }
    }
}

fn repository(data: &Data<'_>, item: Item) -> String {
    let name = columns::first_place(data, item).map_or("", |at| data.text(at.repository));
    crate::report::text::line(name).into_owned()
}

fn rule(data: &Data<'_>, item: Item) -> String {
    let text = match item {
        Item::Finding(_) => data.finding(item).map(|each| data.text(each.rule)),
        Item::Identity(_) => data.identity(item).map(|each| data.text(each.kind)),
        Item::Credential(_) => data.credential(item).map(|each| data.text(each.kind)),
        Item::Coverage(_) => data.coverage(item).map(|each| each.source.as_str()),
        Item::Plan(_) | Item::Decision(_) => None,
    };
    text.unwrap_or_default().to_owned()
}
